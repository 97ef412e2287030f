/* models_daemon: the library is a folder, and works without a daemon; one that
 * is there knows besides which version made how many frames, and for which
 * its jobs still wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/models.h"

/* A client and DQ_OK, or neither when no daemon can be meant. */
static struct dq_client *client(struct dq_err *err)
{
    struct dq_client *c = dq_client_open_usual(err);

    if (!c && err->code == DQ_CONFIG) /* no place for a socket is known */
        dq_err_clear(err);
    return c;
}

/* Nobody listens: then there is no daemon, which is no error. */
static void forgive(const struct dq_client *c, struct dq_err *err)
{
    if (err->code == DQ_DAEMON && dq_client_unheard(c))
        dq_err_clear(err);
}

/* In a query anything but these needs an escape, and is no model's name. */
static int is_name(const char *name)
{
    return name[strspn(name, DQ_VERSION_CHARACTERS)] == '\0';
}

json_t *dq_models_counted(const char *name, struct dq_err *err)
{
    struct dq_client *c;
    json_t *list = NULL;
    char *path;

    if (name && !is_name(name))
        return NULL;
    c = client(err);
    if (!c)
        return NULL;
    path = dq_asprintf("/v1/models?limit=1000%s%s&", name ? "&name=" : "",
                       name ? name : "");
    list = dq_client_list(c, path, "models", "after", 0, err);
    if (!list)
        forgive(c, err);
    free(path);
    dq_client_close(c);
    return list;
}

static int is(const json_t *object, const char *key, const char *want)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && want && strcmp(text, want) == 0;
}

const json_t *dq_models_count_of(const json_t *counted, const char *name,
                                 const char *version, const char *sha256)
{
    const json_t *m;
    size_t i;

    json_array_foreach (counted, i, m)
        if (is(m, "name", name) && is(m, "version", version) &&
            (!sha256 || is(m, "sha256", sha256)))
            return m;
    return NULL;
}

void dq_models_tell(const char *name)
{
    json_t *body = json_pack("{s:s}", "name", name);
    char *text = dq_json_text(body);
    struct dq_err err = {0};
    struct dq_client *c = client(&err);

    if (c) {
        json_decref(dq_client_ask(c, "POST", "/v1/models", text, &err));
        forgive(c, &err);
    }
    if (err.code)
        fprintf(stderr,
                "depthq models: the daemon does not know of it yet: "
                "%s\n",
                dq_text_harmless(err.text, '?'));
    dq_client_close(c);
    free(text);
    json_decref(body);
}
