/* depthq workers: who makes the frames, and who is to make none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/client_logs.h"
#include "cli/commands.h"
#include "cli/table.h"

static const char help[] =
    "Examples:\n"
    "  depthq workers                 # what each is doing\n"
    "  depthq workers drain 2         # it finishes what it has, and goes\n"
    "  depthq workers resume 2        # it is wanted again\n"
    "  depthq workers log             # who drained and resumed them\n"
    "\n"
    "Usage: depthq workers [OPTION]... [drain|resume WORKER...]\n"
    "       depthq workers log\n"
    "\n"
    "The daemon's worker processes, one line each. A drained worker's device\n"
    "is free for others, until it is resumed or the daemon starts anew.\n"
    "\n"
    "      --json           {\"workers\": [...]}; of log JSON lines, one an "
    "event\n" DQ_ASK_HELP;

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

/* ---- the command ---------------------------------------------------------*/

/* Do it to one; the workers after it, or NULL. */
static json_t *do_one(const struct dq_ask *ask, const char *verb,
                      const char *worker, struct dq_err *err)
{
    json_t *answer = NULL;
    long number = 0;
    char *path;

    if (dq_text_long(worker, &number) || number < 1) {
        dq_fail(err, DQ_USAGE,
                "a worker is a number, as depthq workers has "
                "it, not '%.80s'",
                worker);
        return NULL;
    }
    path = dq_asprintf("/v1/workers/%ld/%s", number, verb);
    answer = dq_client_ask(ask->client, "POST", path, NULL, err);
    free(path);
    return answer;
}

/* The workers as they are, or as they are when words are obeyed. */
static json_t *obey(const struct dq_ask *ask, struct dq_err *err)
{
    static const char *const verbs[] = {"drain", "resume", "log"};
    const char *verb = ask->words[0], *near;
    json_t *answer = NULL;

    if (!verb)
        return dq_client_ask(ask->client, "GET", "/v1/workers", NULL, err);
    if (strcmp(verb, verbs[0]) != 0 && strcmp(verb, verbs[1]) != 0) {
        near = dq_text_nearest(verb, verbs, 3);
        dq_fail(err, DQ_USAGE,
                "workers can drain, resume and log, not '%.80s'%s%s%s", verb,
                near ? " (did you mean '" : "", near ? near : "",
                near ? "'?)" : "");
    } else if (ask->count == 1) {
        dq_fail(err, DQ_USAGE, "which worker?");
    }
    for (int i = 1; i < ask->count && !err->code; i++) {
        json_decref(answer);
        answer = do_one(ask, verb, ask->words[i], err);
    }
    return answer;
}

static int workers(const struct dq_ask *ask)
{
    struct dq_err err = {0};
    json_t *o = obey(ask, &err);

    if (!o)
        return dq_ask_fail(ask, &err);
    if (ask->json) {
        dq_ask_print(json_incref(o));
    } else {
        print_table(json_object_get(o, "workers"));
        print_deaths(json_object_get(o, "workers"));
    }
    json_decref(o);
    return 0;
}

static int is_log(const struct dq_ask *ask)
{
    return ask->count == 1 && strcmp(ask->words[0], "log") == 0;
}

static int log_of(const struct dq_ask *ask)
{
    struct dq_err err = {0};

    return dq_logs_workers(ask, &err) ? dq_ask_fail(ask, &err) : 0;
}

int dq_cli_workers(int argc, char **argv)
{
    struct dq_ask_manual manual = {
        .help = help, .shorts = ":h", .longs = longs};
    struct dq_ask ask;
    int status = dq_ask_open(&ask, argc, argv, &manual);

    if (status < 0)
        status = is_log(&ask) ? log_of(&ask) : workers(&ask);
    dq_ask_close(&ask);
    return status;
}
