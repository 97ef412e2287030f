#include "base/plugin.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "base/path.h"

/* Local: what the libraries export is nobody's business but the plugin's. Now:
 * what is missing is told here, not by a crash in mid-frame. */
const void *dq_plugin_load(const char *file, const char *table,
                           struct dq_err *err)
{
    char *path = dq_path_libexec(file, err);
    const void *found = NULL;
    void *handle;

    if (!path)
        return NULL;
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle)
        found = dlsym(handle, table);
    if (!found)
        dq_fail(err, DQ_CONFIG, "cannot load %s", dlerror());
    free(path);
    return found;
}

int dq_plugin_preload(const char *path, struct dq_err *err)
{
    if (!dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE))
        return dq_fail(err, DQ_CONFIG, "cannot load %s", dlerror());
    return DQ_OK;
}
