/* replay: a fuzz target's main for ordinary builds: runs every file of the
 * folders named on the command line through the target once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *folder, const char *name)
{
    char *path = dq_asprintf("%s/%s", folder, name);
    struct dq_bytes bytes = {0};
    struct dq_err err = {0};
    int failed =
        dq_bytes_read_file(&bytes, path, (size_t)64 << 20, DQ_IO, &err);

    printf("%s\n", path);
    fflush(stdout); /* the last line names the file that brought it down */
    if (failed)
        fprintf(stderr, "%s\n", err.text);
    else
        LLVMFuzzerTestOneInput((const uint8_t *)bytes.data, bytes.count);
    dq_bytes_free(&bytes);
    free(path);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        struct dirent *entry;

        if (!dir) {
            perror(argv[i]);
            return 1;
        }
        while ((entry = readdir(dir)))
            if (entry->d_name[0] != '.')
                failed |= replay(argv[i], entry->d_name);
        closedir(dir);
    }
    return failed ? 1 : 0;
}
