#include "daemon/access.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* ---- roles ---------------------------------------------------------------*/

static const struct {
    enum dq_role own, others;
    const char *words;
} actions[DQ_RIGHTS] = {
#define DQ_RIGHT(name, own, others, words) \
    [DQ_RIGHT_##name] = {DQ_ROLE_##own, DQ_ROLE_##others, words},
#include "daemon/roles.def"
};

static const char *const names[DQ_ROLES] = {
    [DQ_ROLE_ARTIST] = "artist",
    [DQ_ROLE_WRANGLER] = "wrangler",
    [DQ_ROLE_ADMIN] = "admin",
};

int dq_role_may(enum dq_role role, enum dq_right action, int own)
{
    return role >= (own ? actions[action].own : actions[action].others);
}

const char *dq_role_name(enum dq_role role)
{
    return names[role];
}

int dq_role_from_name(const char *name)
{
    for (int i = 0; i < DQ_ROLES; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

int dq_role_denied(enum dq_role role, enum dq_right action, int64_t uid,
                   struct dq_err *err)
{
    const char *least = names[actions[action].others];

    return dq_fail(err, DQ_DENIED,
                   "only the role %s may %s, and user %lld has the role %s: "
                   "ask one, or have depthqd's configuration name you "
                   "(%s: [...])",
                   least, actions[action].words, (long long)uid, names[role],
                   least);
}

/* ---- the configuration ---------------------------------------------------*/

static int take_number(const char *text, int64_t *id)
{
    long number = 0;

    if (dq_text_long(text, &number) || number < 0 || number >= UINT32_MAX)
        return 0;
    *id = number;
    return 1;
}

static int find_group(const char *name, int64_t *id, struct dq_err *err)
{
    const struct group *group = getgrnam(name);

    if (group)
        *id = group->gr_gid;
    else if (!take_number(name, id))
        return dq_fail(err, DQ_USAGE, "there is no group '%.100s'", name);
    return DQ_OK;
}

int dq_access_user(const char *name, int64_t *uid, struct dq_err *err)
{
    const struct passwd *user = getpwnam(name);

    if (user)
        *uid = user->pw_uid;
    else if (!take_number(name, uid))
        return dq_fail(err, DQ_USAGE, "there is no user '%.100s'", name);
    return DQ_OK;
}

static int take_grant(struct dq_access *a, enum dq_role role, const char *text,
                      struct dq_err *err)
{
    static const char prefix[] = "group:";
    const size_t skip = sizeof prefix - 1;
    struct dq_grant g = {.role = role};

    g.is_group = strncmp(text, prefix, skip) == 0;
    if (g.is_group ? find_group(text + skip, &g.id, err)
                   : dq_access_user(text, &g.id, err))
        return err->code;
    a->grants = dq_grow(a->grants, a->grant_count + 1, sizeof *a->grants);
    a->grants[a->grant_count++] = g;
    return DQ_OK;
}

/* An absolute path without "." and "..", as text; "" for "/". */
static char *settled(const char *path)
{
    char *out = dq_new(strlen(path) + 2), *end = out;

    while (*path) {
        size_t bytes = strcspn(path += strspn(path, "/"), "/");

        if (bytes == 2 && memcmp(path, "..", 2) == 0) {
            while (end > out && *--end != '/')
                ;
        } else if (bytes > 0 && (bytes != 1 || *path != '.')) {
            *end++ = '/';
            memcpy(end, path, bytes);
            end += bytes;
        }
        path += bytes;
    }
    *end = '\0';
    return out;
}

static int take_root(struct dq_access *a, const char *text, struct dq_err *err)
{
    if (*text != '/')
        return dq_fail(err, DQ_USAGE, "'%.200s' is no absolute folder", text);
    a->roots = dq_grow(a->roots, a->root_count + 1, sizeof *a->roots);
    a->roots[a->root_count++] = settled(text);
    return DQ_OK;
}

static int take_limit(int *most, const char *text, struct dq_err *err)
{
    int64_t number;

    if (!take_number(text, &number) || number == 0 || number > INT32_MAX)
        return dq_fail(err, DQ_USAGE, "'%.40s' is no number from 1 on", text);
    *most = (int)number;
    return DQ_OK;
}

int dq_access_take(struct dq_access *a, const char *key, const char *text,
                   struct dq_err *err)
{
    int role = dq_role_from_name(key);

    if (role > DQ_ROLE_ARTIST)
        take_grant(a, (enum dq_role)role, text, err);
    else if (strcmp(key, "roots") == 0)
        take_root(a, text, err);
    else if (strcmp(key, "limit-jobs") == 0)
        take_limit(&a->jobs_most, text, err);
    else if (strcmp(key, "limit-frames") == 0)
        take_limit(&a->frames_most, text, err);
    else
        return 0;
    if (err->code)
        dq_because(err, "%s", key);
    return 1;
}

void dq_access_free(struct dq_access *a)
{
    for (size_t i = 0; i < a->root_count; i++)
        free(a->roots[i]);
    free(a->roots);
    free(a->grants);
    memset(a, 0, sizeof *a);
}

/* ---- who is what ---------------------------------------------------------*/

static int is_meant(const struct dq_grant *g, int64_t uid, const gid_t *groups,
                    size_t count)
{
    if (!g->is_group)
        return g->id == uid;
    for (size_t i = 0; i < count; i++)
        if (g->id == groups[i])
            return 1;
    return 0;
}

enum dq_role dq_access_role(const struct dq_access *a, int64_t owner,
                            int64_t uid, const gid_t *groups, size_t count)
{
    enum dq_role role = DQ_ROLE_ARTIST;

    if (uid == 0 || uid == owner)
        return DQ_ROLE_ADMIN;
    for (size_t i = 0; i < a->grant_count; i++)
        if (a->grants[i].role > role &&
            is_meant(&a->grants[i], uid, groups, count))
            role = a->grants[i].role;
    return role;
}

/* ---- where jobs may be ---------------------------------------------------*/

static int is_below_one(const struct dq_access *a, const char *path)
{
    char *plain = settled(path);
    int below = 0;

    for (size_t i = 0; i < a->root_count && !below; i++) {
        size_t length = strlen(a->roots[i]);

        below =
            strncmp(plain, a->roots[i], length) == 0 && plain[length] == '/';
    }
    free(plain);
    return below;
}

int dq_access_path(const struct dq_access *a, int64_t owner, enum dq_role role,
                   const char *what, const char *path, struct dq_err *err)
{
    if (dq_role_may(role, DQ_RIGHT_EXCEED, 0) ||
        (a->root_count == 0 && owner != 0))
        return DQ_OK;
    if (a->root_count == 0)
        return dq_fail(err, DQ_DENIED,
                       "this depthqd runs as root, and lends that only below "
                       "folders that its configuration names (roots: [...]); "
                       "or have it run as a user of its own");
    if (is_below_one(a, path))
        return DQ_OK;
    return dq_fail(err, DQ_DENIED,
                   "%s: %s is in none of the folders for jobs (roots in "
                   "depthqd's configuration): %s%s",
                   what, path, a->roots[0],
                   a->root_count > 1 ? " and others" : "");
}
