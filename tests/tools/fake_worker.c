/* fake_worker: speaks as depthq-worker does and works on nothing, for tests
 * of those who start workers. What it does stands in FAKE_WORKER, rules
 * separated by blanks; the first that fits a task counts:
 *
 *   WHEN[@ATTEMPT]=ACTION[:ARGUMENT]
 *
 *   WHEN    a frame, `survey`, `scan`, `solve`, `*` for any task, or `start`:
 * before hello (its ATTEMPT is the number of the worker, from 0) ACTION  ok
 * skip  fail:CODE  die:SIGNAL  exit:STATUS  hang  garbage close
 * slow:MILLISECONDS  print:WORD  late  stranger credit=N, stages=0, drain=hang,
 * version=V: how it behaves
 *
 * Every task begun is appended to the file FAKE_LOG as `pid frame attempt`;
 * how long it had nothing to do, from a result to the next task, to the file
 * FAKE_WAITS in microseconds, a line each, when it ends.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/wire.h"

enum { QUEUE = 64 };

struct fake {
    struct dq_task queue[QUEUE];
    int count;
    int draining;
    struct dq_bytes received;
    int64_t idle_ns; /* since when; 0: there is work, or there was none yet */
    FILE *waits;
};

/* ---- the script ----------------------------------------------------------*/

/* Whether the rule's left side, of length bytes, means this. */
static int fits(const char *rule, size_t length, const char *what, int attempt)
{
    char with[64];

    snprintf(with, sizeof with, "%s@%d", what, attempt);
    return (strlen(what) == length && memcmp(rule, what, length) == 0) ||
           (strlen(with) == length && memcmp(rule, with, length) == 0);
}

/* The right side of the first rule for what, or NULL. The caller frees. */
static char *look_up(const char *what, int attempt, int any)
{
    const char *rule = getenv("FAKE_WORKER");

    for (; rule && *rule; rule += strcspn(rule, " "), rule += *rule == ' ') {
        size_t length = strcspn(rule, "= ");

        if (rule[length] == '=' && (fits(rule, length, what, attempt) ||
                                    (any && fits(rule, length, "*", attempt))))
            return dq_strndup(rule + length + 1,
                              strcspn(rule + length + 1, " "));
    }
    return NULL;
}

static int setting(const char *name, int usual)
{
    char *value = look_up(name, 0, 0);
    int number = value ? atoi(value) : usual;

    free(value);
    return number;
}

/* ---- speaking ------------------------------------------------------------*/

static void say(char *line)
{
    size_t count = strlen(line), done = 0;

    while (done < count) {
        ssize_t n = write(DQ_WIRE_FD, line + done, count - done);

        if (n <= 0)
            _exit(75);
        done += (size_t)n;
    }
    free(line);
}

static void say_result(const struct dq_task *task, int code, int skipped)
{
    struct dq_result result = {
        .task = *task, .code = code, .skipped = skipped, .bytes = 1000};

    result.seconds.read = 0.25;
    result.seconds.infer = 0.5;
    result.seconds.total = 1;
    if (code)
        snprintf(result.text, sizeof result.text,
                 "/plate/p.%04d.exr: scripted %s", task->frame,
                 dq_code_name(code));
    else
        snprintf(result.path, sizeof result.path, "/out/d.%04d.exr",
                 task->frame);
    memset(result.sha256, 'a', sizeof result.sha256 - 1);
    say(dq_wire_result_line(&result));
}

/* ---- doing ---------------------------------------------------------------*/

static void hang(void)
{
    for (;;)
        pause();
}

static int is(const char *action, const char *name)
{
    return strcmp(action, name) == 0;
}

/* By the signal itself, whoever has put a handler before it. */
static void die(int number)
{
    signal(number, SIG_DFL);
    kill(getpid(), number);
    hang();
}

/* An action of a process; false when it is one of a task. */
static int act(const char *action, const char *argument)
{
    if (is(action, "die"))
        die(atoi(argument));
    else if (is(action, "exit"))
        _exit(atoi(argument));
    else if (is(action, "hang"))
        hang();
    else if (is(action, "close"))
        close(DQ_WIRE_FD), hang();
    else if (is(action, "garbage"))
        say(dq_strdup("hear, hear\n")), hang();
    else if (is(action, "print"))
        fprintf(stderr, "%s\n", argument);
    else if (is(action, "slow"))
        usleep((useconds_t)atoi(argument) * 1000);
    else
        return 0;
    return 1;
}

static void do_as_told(const struct dq_task *task, char *told)
{
    char *argument = strchr(told, ':');
    struct dq_task other = *task;

    if (argument)
        *argument++ = '\0';
    other.attempt--;
    if (is(told, "late"))
        say_result(&other, 0, 0);
    if (is(told, "stranger"))
        say(dq_wire_drain_line());
    if (is(told, "fail"))
        say_result(task, dq_code_from_name(argument), 0);
    else if (is(told, "skip"))
        say_result(task, 0, 1);
    else if (act(told, argument ? argument : "") || is(told, "late") ||
             is(told, "ok"))
        say_result(task, 0, 0);
    else
        abort(); /* a script that nobody understands tests nothing */
}

static void write_log(const struct dq_task *task)
{
    const char *path = getenv("FAKE_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;

    if (!log)
        return;
    fprintf(log, "%d %d %d\n", (int)getpid(), task->frame, task->attempt);
    fclose(log);
}

static void do_task(const struct dq_task *task)
{
    char what[16];
    char *told;

    snprintf(what, sizeof what, "%d", task->frame);
    if (task->kind != DQ_TASK_RENDER)
        snprintf(what, sizeof what, "%s", dq_task_kind_name(task->kind));
    write_log(task);
    told = look_up(what, task->attempt, task->kind == DQ_TASK_RENDER);
    if (told)
        do_as_told(task, told);
    else
        say_result(task, 0, 0);
    free(told);
}

/* ---- waiting -------------------------------------------------------------*/

static void begin_to_wait(struct fake *f)
{
    f->idle_ns = dq_clock_ns();
}

static void end_waiting(struct fake *f)
{
    if (f->idle_ns && f->waits)
        fprintf(f->waits, "%lld\n",
                (long long)((dq_clock_ns() - f->idle_ns) / 1000));
    f->idle_ns = 0;
}

static FILE *open_waits(void)
{
    const char *path = getenv("FAKE_WAITS");

    return path ? fopen(path, "a") : NULL;
}

/* ---- listening -----------------------------------------------------------*/

static void obey(struct fake *f, const json_t *message)
{
    struct dq_err err = {0};
    struct dq_task task;

    switch (dq_wire_message(message)) {
    case DQ_MESSAGE_TASK:
        if (dq_wire_read_task(message, &task, &err) || f->count == QUEUE)
            abort();
        end_waiting(f);
        if (setting("stages", 1))
            say(dq_wire_stage_line(&task, "read"));
        f->queue[f->count++] = task;
        break;
    case DQ_MESSAGE_DRAIN:
        f->draining = 1;
        break;
    default:
        break;
    }
}

/* Everything that has arrived; waits when there is nothing to do. */
static void listen_once(struct fake *f)
{
    struct pollfd fd = {.fd = DQ_WIRE_FD, .events = POLLIN};
    struct dq_err err = {0};
    char piece[65536];
    json_t *message;
    ssize_t n;

    while (poll(&fd, 1, f->count || f->draining ? 0 : -1) > 0) {
        n = read(DQ_WIRE_FD, piece, sizeof piece);
        if (n <= 0)
            _exit(75);
        dq_bytes_add(&f->received, piece, (size_t)n);
        while ((message = dq_wire_next(&f->received, &err))) {
            obey(f, message);
            json_decref(message);
        }
        if (err.code)
            abort();
    }
}

/* The worker's number, from the end of its --run-id. */
static int number_of(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++)
        if (is(argv[i], "--run-id") && strrchr(argv[i + 1], '-'))
            return atoi(strrchr(argv[i + 1], '-') + 1);
    return 0;
}

static void start(int number)
{
    char *told = look_up("start", number, 0),
         *version = look_up("version", 0, 0);
    struct dq_wire_hello hello = {.pid = (int)getpid(),
                                  .device = "cpu",
                                  .execution = "fake",
                                  .credit = setting("credit", 3)};

    snprintf(hello.version, sizeof hello.version, "%s",
             version ? version : DQ_VERSION);
    if (told) {
        char *argument = strchr(told, ':');

        if (argument)
            *argument++ = '\0';
        act(told, argument ? argument : "");
    }
    say(dq_wire_hello_line(&hello));
    free(version);
    free(told);
}

int main(int argc, char **argv)
{
    struct fake f = {.waits = open_waits()};
    char *drain = look_up("drain", 0, 0);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    start(number_of(argc, argv));
    do {
        listen_once(&f);
        if (f.count) {
            do_task(&f.queue[0]);
            f.count--;
            memmove(&f.queue[0], &f.queue[1],
                    (size_t)f.count * sizeof f.queue[0]);
            if (f.count == 0)
                begin_to_wait(&f);
        }
    } while (f.count || !f.draining);
    if (drain)
        act(drain, "");
    free(drain);
    if (f.waits)
        fclose(f.waits);
    dq_bytes_free(&f.received);
    return 0;
}
