/* Variables that programs of ours read, or would be thought to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/doctor.h"

/* Those that programs of ours or their units read. */
static const char *const variables[] = {"DEPTHQ_MODELS", "DEPTHQ_NIGHTLY",
                                        "DEPTHQ_SERVER", "DEPTHQ_SOCKET",
                                        "DEPTHQ_STATE",  "DEPTHQ_TOKEN_FILE"};
enum { VARIABLES = sizeof variables / sizeof *variables };

/* Relative ones are ignored where they are read. */
static const char *const absolute[] = {"DEPTHQ_SOCKET",
                                       "DEPTHQ_STATE",
                                       "XDG_STATE_HOME",
                                       "XDG_CONFIG_HOME",
                                       "XDG_RUNTIME_DIR",
                                       "XDG_DATA_HOME",
                                       "HOME"};
enum { ABSOLUTE = sizeof absolute / sizeof *absolute };

static int is_known(const char *name)
{
    for (int i = 0; i < VARIABLES; i++)
        if (strcmp(variables[i], name) == 0)
            return 1;
    return 0;
}

/* Returns how many findings. */
static int look_at_unknown(struct dq_doctor *d)
{
    int found = 0;

    for (char **at = environ; *at; at++) {
        char *name = dq_strndup(*at, strcspn(*at, "="));

        if (strncmp(name, "DEPTHQ_", 7) == 0 && !is_known(name)) {
            const char *near = dq_text_nearest(name, variables, VARIABLES);
            char *todo = near ? dq_asprintf("did you mean %s?", near) : NULL;

            dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "environ", todo,
                          "%s is set, and nobody reads it", name);
            free(todo);
            found++;
        }
        free(name);
    }
    return found;
}

static int look_at_relative(struct dq_doctor *d)
{
    int found = 0;

    for (int i = 0; i < ABSOLUTE; i++) {
        const char *value = getenv(absolute[i]);

        if (!value || !*value || *value == '/')
            continue;
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "environ",
                      "give it an absolute path",
                      "%s=%s is not absolute, so it is ignored", absolute[i],
                      value);
        found++;
    }
    return found;
}

static int look_at_odd(struct dq_doctor *d)
{
    const char *ocio = getenv("OCIO"), *fault = getenv("DQ_FAULT");
    int found = 0;

    if (fault && *fault) {
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "environ", "unset DQ_FAULT",
                      "DQ_FAULT=%s: faults are injected on purpose", fault);
        found++;
    }
    if (ocio && *ocio && strncmp(ocio, "ocio://", 7) != 0 &&
        access(ocio, R_OK) != 0) {
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "environ",
                      "mend or unset OCIO: jobs with input.colorspace need it",
                      "OCIO=%s: %s", ocio, strerror(errno));
        found++;
    }
    return found;
}

void dq_doctor_environment(struct dq_doctor *d)
{
    int found = look_at_unknown(d) + look_at_relative(d) + look_at_odd(d);

    if (!found)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "environ", NULL,
                      "nothing odd is set");
}
