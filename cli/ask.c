#include "cli/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/run_report.h"

/* ---- the command line ----------------------------------------------------*/

/* Where the daemon is, as the command line says; lent. */
struct place {
    const char *socket, *server;
};

/* One option; 1 when help was asked for. */
static int take(struct dq_ask *ask, const struct dq_ask_manual *manual,
                int option, struct place *place, struct dq_err *err)
{
    if (option == 'h')
        return 1;
    if (option == '?')
        dq_fail(err, DQ_USAGE, "%s", "");
    else if (option == DQ_ASK_JSON)
        ask->json = 1;
    else if (option == DQ_ASK_SOCKET)
        place->socket = optarg;
    else if (option == DQ_ASK_SERVER)
        place->server = optarg;
    else
        manual->take(manual->context, option, err);
    return 0;
}

static struct dq_client *open_client(const struct place *place,
                                     struct dq_err *err)
{
    if (place->socket && place->server)
        dq_fail(err, DQ_USAGE, "--socket or --server, not both");
    else if (place->server)
        return dq_client_open_server(place->server, err);
    else if (place->socket)
        return dq_client_open(place->socket, err);
    else
        return dq_client_open_usual(err);
    return NULL;
}

int dq_ask_open(struct dq_ask *ask, int argc, char **argv,
                const struct dq_ask_manual *manual)
{
    struct dq_err err = {0};
    struct place place = {0};
    int option;

    memset(ask, 0, sizeof *ask);
    ask->who = argv[0];
    while (!err.code &&
           (option = dq_option_next(ask->who, argc, argv, manual->shorts,
                                    manual->longs)) != -1)
        if (take(ask, manual, option, &place, &err)) {
            fputs(manual->help, stdout);
            return 0;
        }
    if (!err.code)
        ask->client = open_client(&place, &err);
    if (!ask->client)
        return err.text[0] ? dq_ask_fail(ask, &err) : dq_code_exit(err.code);
    ask->words = argv + optind;
    ask->count = argc - optind;
    return -1;
}

void dq_ask_close(struct dq_ask *ask)
{
    dq_client_close(ask->client);
    ask->client = NULL;
}

/* ---- telling -------------------------------------------------------------*/

int dq_ask_fail(const struct dq_ask *ask, const struct dq_err *err)
{
    struct dq_err shown = *err;

    fprintf(stderr, "%s: %s\n", ask->who, dq_ask_safe(shown.text));
    if (err->code == DQ_USAGE)
        fprintf(stderr, "Try: %s --help\n", ask->who);
    if (ask->json)
        dq_ask_print(json_pack("{s:o}", "error", dq_error_json(err)));
    return dq_code_exit(err->code);
}

void dq_ask_print(json_t *value)
{
    char *text = dq_json_text(value);

    puts(text);
    free(text);
    json_decref(value);
}

const char *dq_ask_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

long long dq_ask_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

char *dq_ask_safe(char *text)
{
    return dq_text_harmless(text, '?');
}
