#include "daemon/remote.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

/* ---- addresses -----------------------------------------------------------*/

/* The name of "name:port", "[::1]:port", "name" or "[::1]". */
static size_t name_length(const char *text)
{
    const char *end = *text == '[' ? strchr(text, ']') : NULL;

    return end ? (size_t)(end - text) + 1 : strcspn(text, ":");
}

socklen_t dq_remote_address(const char *text, struct sockaddr_storage *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    size_t length = name_length(text);
    int is_v6 = *text == '[' && length > 2;
    char *name =
        is_v6 ? dq_strndup(text + 1, length - 2) : dq_strndup(text, length);
    socklen_t size = 0;
    long port = 0;

    memset(address, 0, sizeof *address);
    if (text[length] == ':' && !dq_text_long(text + length + 1, &port) &&
        port > 0 && port < 65536) {
        if (is_v6 && inet_pton(AF_INET6, name, &v6->sin6_addr) == 1) {
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons((uint16_t)port);
            size = sizeof *v6;
        } else if (!is_v6 && inet_pton(AF_INET, name, &v4->sin_addr) == 1) {
            v4->sin_family = AF_INET;
            v4->sin_port = htons((uint16_t)port);
            size = sizeof *v4;
        }
    }
    free(name);
    return size;
}

static int is_name(const char *listen, const char *name)
{
    size_t length = name_length(listen);

    return strlen(name) == length && strncmp(listen, name, length) == 0;
}

int dq_remote_is_local(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || is_name(listen, "[::1]");
}

static int is_any(const char *listen)
{
    return is_name(listen, "0.0.0.0") || is_name(listen, "[::]");
}

static int same_name(const char *host, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(host, name, length) == 0;
}

int dq_remote_is_ours(const struct dq_remote *r, const char *host)
{
    size_t length = host ? name_length(host) : 0;

    if (length == 0)
        return 0;
    for (size_t i = 0; i < r->host_count; i++)
        if (same_name(host, length, r->hosts[i]))
            return 1;
    if (r->host_count)
        return 0;
    if (dq_remote_is_local(r->listen) && same_name(host, length, "localhost"))
        return 1;
    return length == name_length(r->listen) &&
           strncasecmp(host, r->listen, length) == 0;
}

/* ---- tokens --------------------------------------------------------------*/

const struct dq_token *dq_remote_who(const struct dq_remote *r,
                                     const char *authorization)
{
    static const char scheme[] = "Bearer ";
    const struct dq_token *who = NULL;

    if (!authorization ||
        strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    for (size_t i = 0; i < r->token_count; i++) /* all of them, always */
        if (dq_secret_same(authorization + sizeof scheme - 1,
                           r->tokens[i].text))
            who = &r->tokens[i];
    return who;
}

static int is_known(const struct dq_remote *r, const char *token)
{
    for (size_t i = 0; i < r->token_count; i++)
        if (strcmp(r->tokens[i].text, token) == 0)
            return 1;
    return 0;
}

/* A line `USER ROLE TOKEN`, which is cut into its words. */
static int take_token(struct dq_remote *r, char *line, struct dq_err *err)
{
    char *rest = NULL, *user = strtok_r(line, " \t\r", &rest);
    char *role = strtok_r(NULL, " \t\r", &rest);
    char *token = strtok_r(NULL, " \t\r", &rest);
    struct dq_token t = {0};

    if (!user || *user == '#')
        return DQ_OK;
    if (!token || strtok_r(NULL, " \t\r", &rest))
        return dq_fail(err, DQ_USAGE, "is not `USER ROLE TOKEN`");
    if (dq_role_from_name(role) < 0)
        return dq_fail(err, DQ_USAGE,
                       "'%.40s' is not artist, wrangler or admin", role);
    if (strlen(token) < DQ_TOKEN_LEAST || strlen(token) > DQ_TOKEN_MOST)
        return dq_fail(err, DQ_USAGE,
                       "a token has %d to %d characters (openssl rand -hex 32)",
                       DQ_TOKEN_LEAST, DQ_TOKEN_MOST);
    if (is_known(r, token))
        return dq_fail(err, DQ_USAGE, "the same token as in a line before");
    if (dq_access_user(user, &t.uid, err))
        return err->code;
    t.role = (enum dq_role)dq_role_from_name(role);
    t.text = dq_strdup(token);
    r->tokens = dq_grow(r->tokens, r->token_count + 1, sizeof *r->tokens);
    r->tokens[r->token_count++] = t;
    return DQ_OK;
}

static int take_tokens(struct dq_remote *r, const char *path,
                       struct dq_err *err)
{
    struct dq_bytes text = {0};
    int number = 0;

    if (*path != '/')
        dq_fail(err, DQ_USAGE, "'%.200s' is no absolute path", path);
    else if (!dq_secret_read(path, &text, err))
        for (char *rest = text.data, *line;
             !err->code && (line = strsep(&rest, "\n"));) {
            number++;
            if (take_token(r, line, err))
                dq_because(err, "%s:%d", path, number);
        }
    if (!err->code && r->token_count == 0)
        dq_fail(err, DQ_USAGE, "%s has no token", path);
    dq_bytes_free(&text);
    return err->code;
}

/* ---- the configuration ---------------------------------------------------*/

static int take_listen(struct dq_remote *r, const char *text,
                       struct dq_err *err)
{
    struct sockaddr_storage address;

    if (!dq_remote_address(text, &address))
        return dq_fail(err, DQ_USAGE,
                       "'%.100s' is no ADDRESS:PORT (127.0.0.1:8630, "
                       "[::1]:8630)",
                       text);
    free(r->listen);
    r->listen = dq_strdup(text);
    return DQ_OK;
}

static int take_host(struct dq_remote *r, const char *text, struct dq_err *err)
{
    if (!*text || name_length(text) != strlen(text))
        return dq_fail(err, DQ_USAGE, "'%.100s' is no name without a port",
                       text);
    r->hosts = dq_grow(r->hosts, r->host_count + 1, sizeof *r->hosts);
    r->hosts[r->host_count++] = dq_strdup(text);
    return DQ_OK;
}

int dq_remote_take(struct dq_remote *r, const char *key, const char *text,
                   struct dq_err *err)
{
    if (strcmp(key, "listen") == 0)
        take_listen(r, text, err);
    else if (strcmp(key, "hosts") == 0)
        take_host(r, text, err);
    else if (strcmp(key, "tokens") == 0)
        take_tokens(r, text, err);
    else
        return 0;
    if (err->code)
        dq_because(err, "%s", key);
    return 1;
}

int dq_remote_check(const struct dq_remote *r, struct dq_err *err)
{
    if (!r->listen)
        return DQ_OK;
    if (r->token_count == 0)
        return dq_fail(err, DQ_CONFIG,
                       "listen: who may ask over TCP is told by tokens; name "
                       "their file (tokens: /etc/depthq/tokens)");
    if (is_any(r->listen) && r->host_count == 0)
        return dq_fail(err, DQ_CONFIG,
                       "listen: on every address; say by which names clients "
                       "ask (hosts: [farm01])");
    return DQ_OK;
}

void dq_remote_free(struct dq_remote *r)
{
    for (size_t i = 0; i < r->host_count; i++)
        free(r->hosts[i]);
    for (size_t i = 0; i < r->token_count; i++)
        free(r->tokens[i].text);
    free(r->hosts);
    free(r->tokens);
    free(r->listen);
    memset(r, 0, sizeof *r);
}
