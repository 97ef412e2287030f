#include "daemon/child_environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static const char *const settings[] = {
    /* Compiled kernels of many tile shapes would pile up otherwise (1024, half
     * a megabyte each). A large network has 150 of them a shape: where they do
     * not fit, every forward compiles what the one before it threw away. */
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY=512",
    "LRU_CACHE_CAPACITY=512",
    /* Buffers of tens of megabytes come and go with every tile: keep their
     * pages (32 MiB is the most that glibc takes) instead of asking the
     * kernel for zeroed ones each time. */
    "MALLOC_MMAP_THRESHOLD_=33554432",
    "MALLOC_TRIM_THRESHOLD_=536870912",
};

enum { SETTINGS = sizeof settings / sizeof *settings };

static int is_set(const char *setting)
{
    char *name = dq_strndup(setting, strcspn(setting, "="));
    int set = getenv(name) != NULL;

    free(name);
    return set;
}

char **dq_child_environment(int threads)
{
    size_t count = 0, n = 0;
    char **all;

    while (environ[count])
        count++;
    all = dq_new_array(count + SETTINGS + 2, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[n++] = dq_strdup(environ[i]);
    for (size_t i = 0; i < SETTINGS; i++)
        if (!is_set(settings[i]))
            all[n++] = dq_strdup(settings[i]);
    if (threads > 0 && !is_set("OMP_NUM_THREADS="))
        all[n++] = dq_asprintf("OMP_NUM_THREADS=%d", threads);
    return all;
}

void dq_child_environment_free(char **environment)
{
    for (char **e = environment; e && *e; e++)
        free(*e);
    free(environment);
}
