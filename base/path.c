#include "base/path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Drop "." pieces and doubled slashes, in place; ".." stays. */
static char *tidy(char *path)
{
    char *to = path + (*path == '/');
    const char *from = path;

    while (*(from += strspn(from, "/"))) {
        size_t bytes = strcspn(from, "/");

        if (bytes != 1 || *from != '.') {
            if (to > path && to[-1] != '/')
                *to++ = '/';
            memmove(to, from, bytes);
            to += bytes;
        }
        from += bytes;
    }
    if (to == path && *path)
        *to++ = '.';
    *to = '\0';
    return path;
}

char *dq_path_join(const char *folder, const char *path)
{
    if (path[0] == '/' || !folder)
        return tidy(dq_strdup(path));
    return tidy(dq_asprintf("%s/%s", folder, path));
}

char *dq_path_absolute(const char *path)
{
    char *here, *all;

    if (path[0] == '/')
        return tidy(dq_strdup(path));
    here = getcwd(NULL, 0);
    all = dq_path_join(here, path);
    free(here);
    return all;
}

const char *dq_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *dq_path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return dq_strdup(".");
    if (slash == path)
        return dq_strdup("/");
    return dq_strndup(path, (size_t)(slash - path));
}

static int is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           access(path, X_OK) == 0;
}

static char *own_folder(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0)
        return dq_strdup(".");
    self[n] = '\0';
    return dq_path_folder(self);
}

char *dq_path_libexec(const char *name, struct dq_err *err)
{
    /* installed; beside (libexec itself); a build's test/FOLDER/; from
     * libexec/depthq to bin */
    static const char *const places[] = {"/../libexec/depthq", "",
                                         "/../../libexec/depthq", "/../../bin"};
    char *folder = own_folder();
    char *found = NULL;

    for (size_t i = 0; i < sizeof places / sizeof *places && !found; i++) {
        found = dq_asprintf("%s%s/%s", folder, places[i], name);
        if (!is_program(found)) {
            free(found);
            found = NULL;
        }
    }
    if (!found)
        dq_fail(err, DQ_CONFIG,
                "%s is not installed beside this program (looked in "
                "%s/../libexec/depthq and %s)",
                name, folder, folder);
    free(folder);
    return found;
}

static char *if_there(char *path)
{
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *dq_path_config(const char *name)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *found = NULL;

    if (xdg && *xdg == '/')
        found = if_there(dq_asprintf("%s/depthq/%s", xdg, name));
    else if (home && *home == '/')
        found = if_there(dq_asprintf("%s/.config/depthq/%s", home, name));
    return found ? found : if_there(dq_asprintf("/etc/depthq/%s", name));
}

char *dq_shot_folder(const char *output_pattern)
{
    char *folder = dq_path_folder(output_pattern);
    char *name = dq_strdup(dq_path_name(output_pattern));
    char *shot;

    for (char *c = name; *c; c++)
        if (*c == '#')
            *c = '@';
    shot = dq_asprintf("%s/.depthq/%s", folder, name);
    free(name);
    free(folder);
    return shot;
}
