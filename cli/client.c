#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/secret.h"
#include "base/text.h"
#include "jobs/places.h"

enum { ANSWER_MS = 30000, CONNECT_MS = 10000, PAGE = 1000, PAUSE_MS = 200 };
#define ANSWER_BYTES ((size_t)64 << 20)

struct dq_client {
    CURL *curl;
    struct curl_slist *headers;
    char *socket; /* or NULL */
    char *server; /* name:port, or NULL */
    struct dq_bytes answer;
    json_t *problems;
    int unheard, answered;
};

/* Absolute: who starts a daemon there does so from another folder. */
static char *place_of(const char *socket, struct dq_err *err)
{
    enum { MOST = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 };
    char *place = socket ? dq_path_absolute(socket) : dq_place_socket();

    if (!place)
        dq_fail(err, DQ_CONFIG,
                "where is the daemon? HOME is not set: give --socket");
    else if (strlen(place) > MOST)
        dq_fail(err, DQ_CONFIG,
                "%s: a socket's path has at most %d bytes: give another with "
                "--socket",
                place, (int)MOST);
    return place;
}

static int start_curl(struct dq_client *c, struct dq_err *err)
{
    if (!(c->curl = curl_easy_init()))
        return dq_fail(err, DQ_BUG, "libcurl cannot be started");
    c->headers = curl_slist_append(NULL, "Content-Type: application/json");
    c->headers = curl_slist_append(c->headers, "Expect:");
    return DQ_OK;
}

struct dq_client *dq_client_open(const char *socket, struct dq_err *err)
{
    struct dq_client *c = dq_new(sizeof *c);

    c->socket = place_of(socket, err);
    if (err->code || start_curl(c, err)) {
        dq_client_close(c);
        return NULL;
    }
    return c;
}

/* ---- a server ------------------------------------------------------------*/

static char *token_place(struct dq_err *err)
{
    const char *named = getenv("DEPTHQ_TOKEN_FILE");
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (named && *named)
        return dq_path_absolute(named);
    if (xdg && *xdg == '/')
        return dq_asprintf("%s/depthq/token", xdg);
    if (home && *home == '/')
        return dq_asprintf("%s/.config/depthq/token", home);
    dq_fail(err, DQ_CONFIG, "where is the token? set DEPTHQ_TOKEN_FILE");
    return NULL;
}

/* The token as a header of each request. */
static int take_token(struct dq_client *c, struct dq_err *err)
{
    struct dq_bytes text = {0};
    char *place = token_place(err), *header;

    if (place && !dq_secret_read(place, &text, err)) {
        text.data[strcspn(text.data, " \t\r\n")] = '\0';
        header = dq_asprintf("Authorization: Bearer %s", text.data);
        c->headers = curl_slist_append(c->headers, header);
        free(header);
    } else if (err->code == DQ_MISSING) {
        dq_because(err, "a server wants a token, in a file of yours "
                        "(DEPTHQ_TOKEN_FILE)");
    }
    dq_bytes_free(&text);
    free(place);
    return err->code;
}

/* "name:port" or "[address]:port", and no more: it goes into a URL. */
static int is_server(const char *text)
{
    const char *end = *text == '[' ? strchr(text, ']') : NULL;
    size_t name = end ? (size_t)(end - text) + 1 : strcspn(text, ":");
    size_t fit = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
                              "WXYZ0123456789.-_[]:");
    long port = 0;

    return name > 0 && text[name] == ':' && fit == strlen(text) &&
           !dq_text_long(text + name + 1, &port) && port > 0 && port < 65536;
}

struct dq_client *dq_client_open_server(const char *server, struct dq_err *err)
{
    struct dq_client *c = dq_new(sizeof *c);

    c->server = dq_strdup(server);
    if (!is_server(server))
        dq_fail(err, DQ_USAGE, "'%s' is no server: HOST:PORT is wanted",
                server);
    if (err->code || start_curl(c, err) || take_token(c, err)) {
        dq_client_close(c);
        return NULL;
    }
    return c;
}

struct dq_client *dq_client_open_usual(struct dq_err *err)
{
    const char *server = getenv("DEPTHQ_SERVER");

    return server && *server ? dq_client_open_server(server, err)
                             : dq_client_open(NULL, err);
}

void dq_client_close(struct dq_client *c)
{
    if (!c)
        return;
    curl_slist_free_all(c->headers);
    curl_easy_cleanup(c->curl);
    json_decref(c->problems);
    dq_bytes_free(&c->answer);
    free(c->socket);
    free(c->server);
    free(c);
}

const char *dq_client_socket(const struct dq_client *c)
{
    return c->socket;
}

int dq_client_unheard(const struct dq_client *c)
{
    return c->unheard;
}

int dq_client_answered(const struct dq_client *c)
{
    return c->answered;
}

const json_t *dq_client_problems(const struct dq_client *c)
{
    return c->problems;
}

/* ---- one question --------------------------------------------------------*/

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct dq_client *c = context;

    if (c->answer.count + size * count > ANSWER_BYTES)
        return 0;
    dq_bytes_add(&c->answer, data, size * count);
    return size * count;
}

static int no_answer(struct dq_client *c, CURLcode why, struct dq_err *err)
{
    const char *where = c->server ? c->server : c->socket;
    long number = 0;

    curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &number);
    if (why == CURLE_COULDNT_CONNECT && number == EACCES && c->socket)
        return dq_fail(err, DQ_DENIED,
                       "you have no right to the daemon's socket %s; ask as "
                       "its user or group, or name another socket: --socket, "
                       "DEPTHQ_SOCKET",
                       c->socket);
    c->unheard = why == CURLE_COULDNT_CONNECT &&
                 (number == ENOENT || number == ECONNREFUSED);
    if (c->unheard && c->socket)
        return dq_fail(err, DQ_DAEMON,
                       "no depthqd answers at %s; start it with: depthqd (or "
                       "name another socket: --socket, DEPTHQ_SOCKET)",
                       where);
    if (c->unheard)
        return dq_fail(err, DQ_DAEMON,
                       "no depthqd answers at %s; does it run there, and "
                       "listen (listen: in its configuration)?",
                       where);
    return dq_fail(err, DQ_DAEMON, "depthqd at %s did not answer: %s", where,
                   curl_easy_strerror(why));
}

/* Whom to ask, and for what. */
static void address(const struct dq_client *c, CURL *curl, const char *path)
{
    char *url =
        dq_asprintf("http://%s%s", c->server ? c->server : "depthqd", path);

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    if (c->socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, c->headers);
    free(url);
}

/* A connection for each question: on one that was kept libcurl sends again by
 * itself what was lost, and nobody could tell what was heard. */
static int exchange(struct dq_client *c, const char *method, const char *path,
                    const char *body, struct dq_err *err)
{
    CURLcode code;

    c->answer.count = 0;
    address(c, c->curl, path);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, c);
    if (strcmp(method, "GET") != 0) {
        curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body ? body : "");
    }
    code = curl_easy_perform(c->curl);
    return code == CURLE_OK ? DQ_OK : no_answer(c, code, err);
}

void *dq_client_stream(const struct dq_client *c, const char *path)
{
    CURL *curl = curl_easy_init();

    if (curl)
        address(c, curl, path);
    return curl;
}

/* The daemon's own error; what it says that we do not know is a defect. */
static void take_error(struct dq_client *c, const json_t *answer,
                       struct dq_err *err)
{
    const json_t *error = json_object_get(answer, "error");
    const char *name = json_string_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "message"));
    int code = name ? dq_code_from_name(name) : -1;

    dq_fail(err, code > 0 ? code : DQ_BUG, "%s",
            text ? text : "the daemon's answer is not understood");
    c->problems = json_incref(json_object_get(answer, "problems"));
}

json_t *dq_client_ask(struct dq_client *c, const char *method, const char *path,
                      const char *body, struct dq_err *err)
{
    json_t *answer;
    long status = 0;

    json_decref(c->problems);
    c->problems = NULL;
    c->unheard = c->answered = 0;
    if (exchange(c, method, path, body, err))
        return NULL;
    c->answered = 1;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    answer = dq_json_parse(c->answer.data ? c->answer.data : "",
                           c->answer.count, ANSWER_BYTES, DQ_BUG, err);
    if (!answer) {
        dq_because(err, "the daemon's answer");
        return NULL;
    }
    if (status < 300)
        return answer;
    take_error(c, answer, err);
    json_decref(answer);
    return NULL;
}

/* ---- more than one -------------------------------------------------------*/

json_t *dq_client_insist(struct dq_client *c, const char *method,
                         const char *path, const char *body, int seconds,
                         struct dq_err *err)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    double end = dq_clock_s() + seconds;
    json_t *answer;

    while (!(answer = dq_client_ask(c, method, path, body, err)) &&
           err->code == DQ_DAEMON && dq_clock_s() < end) {
        nanosleep(&pause, NULL);
        dq_err_clear(err);
    }
    return answer;
}

/* One page into list; the next one's beginning, or 0 with *more 0. */
static json_int_t add_page(json_t *page, const char *name, json_t *list,
                           int *more)
{
    const json_t *next = json_object_get(page, "next");

    json_array_extend(list, json_object_get(page, name));
    *more = json_is_integer(next);
    return json_integer_value(next);
}

json_t *dq_client_list(struct dq_client *c, const char *path, const char *name,
                       const char *from, size_t most, struct dq_err *err)
{
    json_t *list = json_array();
    json_int_t next = 0;
    int more = 0;

    do {
        size_t left = most ? most - json_array_size(list) : PAGE;
        char *start = more ? dq_asprintf("&%s=%lld", from, (long long)next)
                           : dq_strdup("");
        char *whole = dq_asprintf("%slimit=%zu%s", path,
                                  left < PAGE ? left : PAGE, start);
        json_t *page = dq_client_ask(c, "GET", whole, NULL, err);

        free(whole);
        free(start);
        if (!page) {
            json_decref(list);
            return NULL;
        }
        next = add_page(page, name, list, &more);
        json_decref(page);
    } while (more && (most == 0 || json_array_size(list) < most));
    return list;
}
