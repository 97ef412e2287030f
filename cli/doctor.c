#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/problems.h"

static const char *const words[] = {"ok", "note", "warn", "wrong"};

/* ---- one finding ---------------------------------------------------------*/

static const char *text_of(const json_t *finding, const char *key)
{
    const char *text = json_string_value(json_object_get(finding, key));

    return text ? text : "";
}

static int is_level(const json_t *finding, enum dq_doctor_level level)
{
    return strcmp(text_of(finding, "level"), words[level]) == 0;
}

static void print(const json_t *finding)
{
    char *line =
        dq_asprintf("%-5s  %-8s  %s%s%s", text_of(finding, "level"),
                    text_of(finding, "check"), text_of(finding, "text"),
                    *text_of(finding, "todo") ? " \xe2\x80\x94 " : "",
                    text_of(finding, "todo"));

    puts(dq_text_harmless(line, '?'));
    fflush(stdout); /* the next check may take its time */
    free(line);
}

/* A daemon that is not there may be so for one of the other reasons. Takes the
 * reference. */
static void take(struct dq_doctor *d, json_t *finding)
{
    d->warnings += is_level(finding, DQ_DOCTOR_WARN);
    if (is_level(finding, DQ_DOCTOR_WRONG)) {
        d->wrong++;
        if (!d->code || d->code == DQ_DAEMON)
            d->code = dq_code_from_name(text_of(finding, "code"));
    }
    if (!d->json)
        print(finding);
    json_array_append_new(d->findings, finding);
}

static void send_line(int to, json_t *finding)
{
    char *text = dq_json_text(finding), *line = dq_asprintf("%s\n", text);
    size_t left = strlen(line);
    const char *at = line;

    while (left > 0) {
        ssize_t n = write(to, at, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += n;
        left -= (size_t)n;
    }
    free(line);
    free(text);
    json_decref(finding);
}

void dq_doctor_say(struct dq_doctor *d, enum dq_doctor_level level, int code,
                   const char *check, const char *todo, const char *fmt, ...)
{
    char text[1024];
    json_t *finding;
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    finding = json_pack("{s:s, s:s, s:o, s:o, s:o}", "check", check, "level",
                        words[level], "text", dq_text_json(text), "todo",
                        todo ? dq_text_json(todo) : json_null(), "code",
                        code ? json_string(dq_code_name(code)) : json_null());
    if (d->to >= 0)
        send_line(d->to, finding);
    else
        take(d, finding);
}

/* ---- a process of its own ------------------------------------------------*/

/* All that comes until the other end is closed; 0: the time is over. */
static int collect(int from, double end, struct dq_bytes *said)
{
    struct pollfd waited = {.fd = from, .events = POLLIN};
    char piece[4096];

    for (;;) {
        double left = end - dq_clock_s();
        int ready = left > 0 ? poll(&waited, 1, (int)(left * 1000) + 1) : 0;
        ssize_t n = ready > 0 ? read(from, piece, sizeof piece) : ready;

        if (n < 0 && errno == EINTR)
            continue;
        if (ready > 0 && n <= 0)
            return 1;
        if (ready <= 0)
            return 0;
        dq_bytes_add(said, piece, (size_t)n);
    }
}

static void take_lines(struct dq_doctor *d, char *text)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        struct dq_err err = {0};
        json_t *finding =
            dq_json_parse(line, strlen(line), 1 << 20, DQ_BUG, &err);

        if (finding)
            take(d, finding);
    }
}

/* What hangs in the kernel cannot be waited for. */
static void end(struct dq_doctor *d, const char *check, pid_t pid, int in_time,
                int seconds)
{
    int status = 0;

    if (!in_time) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, WNOHANG);
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_IO, check,
                      "look at its mounts (df hangs there, too) and drivers",
                      "nothing came of it in %d s: storage or a driver hangs",
                      seconds);
        return;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (status)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_BUG, check, "please report it",
                      "the check itself has failed (status %d)", status);
}

void dq_doctor_apart(struct dq_doctor *d, const char *check,
                     void (*look)(struct dq_doctor *d), int seconds)
{
    struct dq_bytes said = {0};
    int ends[2], in_time;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        look(d);
        return;
    }
    pid = fork();
    if (pid < 0)
        look(d);
    if (pid == 0) {
        d->to = ends[1];
        look(d);
        _exit(0);
    }
    close(ends[1]);
    in_time = pid > 0 && collect(ends[0], dq_clock_s() + seconds, &said);
    close(ends[0]);
    if (said.data)
        take_lines(d, said.data);
    dq_bytes_free(&said);
    if (pid > 0)
        end(d, check, pid, in_time, seconds);
}

/* ---- a folder of its own -------------------------------------------------*/

void dq_doctor_scratch(struct dq_doctor *d)
{
    const char *place = getenv("TMPDIR");
    char *folder = dq_asprintf("%s/depthq-doctor-XXXXXX",
                               place && *place == '/' ? place : "/tmp");

    if (mkdtemp(folder)) {
        d->scratch = folder;
        return;
    }
    dq_fail_errno(&d->no_scratch, dq_code_of_write_errno(errno), errno, "%s",
                  folder);
    free(folder);
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    remove(path);
    return 0;
}

void dq_doctor_scratch_end(struct dq_doctor *d)
{
    if (d->scratch)
        nftw(d->scratch, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    free(d->scratch);
    d->scratch = NULL;
}

/* ---- the end -------------------------------------------------------------*/

int dq_doctor_sum_up(struct dq_doctor *d)
{
    if (d->json) {
        json_t *all = json_pack("{s:O, s:i, s:i, s:i}", "findings", d->findings,
                                "wrong", d->wrong, "warnings", d->warnings,
                                "exit_status", dq_code_exit(d->code));
        char *text = dq_json_text(all);

        puts(text);
        free(text);
        json_decref(all);
    } else {
        printf("%zu findings: %d wrong, %d warnings\n",
               json_array_size(d->findings), d->wrong, d->warnings);
    }
    return dq_code_exit(d->code);
}
