#include "jobs/places.h"

#include <stdlib.h>

#include "base/mem.h"

/* A variable that is set to an absolute path, or NULL. */
static const char *folder_of(const char *name)
{
    const char *value = getenv(name);

    return value && *value == '/' ? value : NULL;
}

char *dq_place_state(void)
{
    const char *at;

    if ((at = folder_of("DEPTHQ_STATE")) || (at = folder_of("STATE_DIRECTORY")))
        return dq_strdup(at);
    if ((at = folder_of("XDG_STATE_HOME")))
        return dq_asprintf("%s/depthq", at);
    if ((at = folder_of("HOME")))
        return dq_asprintf("%s/.local/state/depthq", at);
    return NULL;
}

char *dq_place_socket(void)
{
    const char *at;
    char *state, *socket;

    if ((at = folder_of("DEPTHQ_SOCKET")))
        return dq_strdup(at);
    if ((at = folder_of("RUNTIME_DIRECTORY")))
        return dq_asprintf("%s/socket", at);
    if (!folder_of("DEPTHQ_STATE") && (at = folder_of("XDG_RUNTIME_DIR")))
        return dq_asprintf("%s/depthq/socket", at);
    state = dq_place_state();
    socket = state ? dq_asprintf("%s/socket", state) : NULL;
    free(state);
    return socket;
}
