/* depthq workers: who makes the frames. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/table.h"

static const char help[] =
    "Examples:\n"
    "  depthq workers                 # what each is doing\n"
    "\n"
    "Usage: depthq workers [OPTION]...\n"
    "\n"
    "The daemon's worker processes, one line each.\n"
    "\n"
    "      --json           {\"workers\": [...]}\n" DQ_ASK_HELP;

static const struct option longs[] = {DQ_ASK_OPTIONS, {NULL, 0, NULL, 0}};

static void print_table(const json_t *workers)
{
    static const char *const heads[] = {">WORKER", "DEVICE",  "STATE", ">PID",
                                        ">TASKS",  ">DEATHS", "CLASS", NULL};
    struct dq_table *t = dq_table_new(heads);
    char *text;
    json_t *w;
    size_t i;

    json_array_foreach (workers, i, w) {
        static const char *const keys[] = {"worker", "pid", "tasks", "deaths"};
        char *n[4];

        for (int k = 0; k < 4; k++)
            n[k] = dq_asprintf("%lld", dq_ask_number(w, keys[k]));
        const char *const row[] = {n[0],
                                   dq_ask_text(w, "device"),
                                   dq_ask_text(w, "state"),
                                   n[1],
                                   n[2],
                                   n[3],
                                   dq_ask_text(w, "execution")};

        dq_table_add(t, row);
        for (int k = 0; k < 4; k++)
            free(n[k]);
    }
    text = dq_table_text(t);
    fputs(text, stdout);
    free(text);
    dq_table_free(t);
}

static void print_deaths(const json_t *workers)
{
    json_t *w;
    size_t i;

    json_array_foreach (workers, i, w) {
        char *text = dq_strdup(dq_ask_text(w, "last_death"));

        if (*text)
            printf("worker %lld died last: %s\n", dq_ask_number(w, "worker"),
                   dq_ask_safe(text));
        free(text);
    }
}

int dq_cli_workers(int argc, char **argv)
{
    struct dq_ask_manual manual = {
        .help = help, .shorts = ":h", .longs = longs};
    struct dq_err err = {0};
    struct dq_ask ask;
    int status = dq_ask_open(&ask, argc, argv, &manual);

    if (status < 0) {
        json_t *o = dq_client_ask(ask.client, "GET", "/v1/workers", NULL, &err);

        status = o ? 0 : dq_ask_fail(&ask, &err);
        if (o && ask.json) {
            dq_ask_print(json_incref(o));
        } else if (o) {
            print_table(json_object_get(o, "workers"));
            print_deaths(json_object_get(o, "workers"));
        }
        json_decref(o);
    }
    dq_ask_close(&ask);
    return status;
}
