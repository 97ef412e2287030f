#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/models.h"
#include "jobs/library_change.h"

enum { LIMIT_S = 600, MOST = 1 << 20 };

extern char **environ;

/* ---- the process ---------------------------------------------------------*/

static pid_t start(const char *path, const char *sha256, const char *device,
                   int *out, struct dq_err *err)
{
    char *program = dq_path_libexec("depthq-model-check", err);
    char *const argv[] = {program, (char *)path, (char *)sha256, (char *)device,
                          NULL};
    posix_spawn_file_actions_t actions;
    int fds[2], error;
    pid_t pid = -1;

    if (!program)
        return -1;
    if (pipe2(fds, O_CLOEXEC)) {
        dq_fail_errno(err, DQ_IO, errno, "pipe");
        free(program);
        return -1;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    error = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    *out = fds[0];
    if (error) {
        dq_fail_errno(err, DQ_CONFIG, error, "%s", program);
        close(fds[0]);
        pid = -1;
    }
    free(program);
    return pid;
}

/* All it says until it ends or time is up -> whether it ended in time. */
static int listen_to(int fd, struct dq_bytes *said)
{
    double until = dq_clock_s() + LIMIT_S;
    char piece[4096];

    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        double left = until - dq_clock_s();
        ssize_t got;

        if (left <= 0 || said->count > MOST)
            return 0;
        if (poll(&wait, 1, (int)(left * 1000) + 1) <= 0)
            continue;
        got = read(fd, piece, sizeof piece);
        if (got > 0)
            dq_bytes_add(said, piece, (size_t)got);
        else if (got == 0 || errno != EINTR)
            return 1;
    }
}

/* What it said, or what became of it, as a report. */
static json_t *report_of(const struct dq_bytes *said, int in_time, int status)
{
    struct dq_err ignored = {0};
    json_t *report = NULL;
    char *text;

    if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        report =
            dq_json_parse(said->data, said->count, MOST, DQ_MODEL, &ignored);
    if (report && json_is_string(json_object_get(report, "code")))
        return report;
    json_decref(report);
    if (!in_time)
        text = dq_asprintf("was not through after %d s", LIMIT_S);
    else if (WIFSIGNALED(status))
        text = dq_asprintf("brought its process down: signal %d (%s)",
                           WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        text = dq_asprintf("ended its process, exit status %d",
                           WEXITSTATUS(status));
    report = json_pack("{s:s, s:s}", "code", "MODEL", "text", text);
    free(text);
    return report;
}

static json_t *check(const struct dq_model_ref *ref, const char *device,
                     struct dq_err *err)
{
    struct dq_bytes said = {0};
    int fd = -1, status = 0, in_time;
    pid_t pid = start(ref->path, ref->sha256, device, &fd, err);
    json_t *report;

    if (pid < 0)
        return NULL;
    in_time = listen_to(fd, &said);
    if (!in_time)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(fd);
    report = report_of(&said, in_time, status);
    dq_bytes_free(&said);
    return report;
}

/* ---- the verdict ---------------------------------------------------------*/

/* Whether the network is at fault; otherwise it could not be tried: err. */
static int is_verdict(const json_t *report, struct dq_err *err)
{
    int code =
        dq_code_from_name(json_string_value(json_object_get(report, "code")));

    if (code == DQ_OK || code == DQ_MODEL || code == DQ_ANSWER)
        return 1;
    dq_fail(err, code < 0 ? DQ_BUG : code, "%s",
            json_string_value(json_object_get(report, "text")));
    return 0;
}

static int passed(const json_t *report)
{
    return strcmp(json_string_value(json_object_get(report, "code")), "OK") ==
           0;
}

/* The verdict so far with this device's report in its place: passed when it
 * passed on every device where it was tried. */
static json_t *with_report(json_t *before, const struct dq_model_ref *ref,
                           const char *device, const json_t *report)
{
    json_t *devices = json_object_get(before, "devices"), *one, *verdict;
    const char *is = json_string_value(json_object_get(before, "sha256")),
               *name;
    char at[DQ_TIME_TEXT], *by = dq_models_user();
    int all = 1;

    devices = devices && is && strcmp(is, ref->sha256) == 0 ? json_copy(devices)
                                                            : json_object();
    json_object_set(devices, device, (json_t *)report);
    json_object_foreach (devices, name, one)
        all &= passed(one);
    dq_clock_utc(at);
    verdict = json_pack("{s:b, s:O, s:s, s:s, s:s, s:o}", "passed", all, "text",
                        json_object_get(report, "text"), "sha256", ref->sha256,
                        "by", by, "at", at, "devices", devices);
    free(by);
    return verdict;
}

/* Kept in the library that is changed, not in one that is only looked into. */
static int keep(const struct dq_models_wish *wish,
                const struct dq_model_ref *ref, const json_t *report,
                struct dq_err *err)
{
    char *folder = dq_path_folder(ref->path);
    json_t *before, *verdict;

    if (strcmp(folder, wish->library) != 0) {
        fprintf(stderr, "depthq models verify: not kept: %s is not %s\n",
                folder, wish->library);
        free(folder);
        return DQ_OK;
    }
    before = dq_library_verdict(folder, ref->name, ref->version, err);
    dq_err_clear(err); /* a damaged one is replaced */
    verdict = with_report(before, ref, wish->device, report);
    if (!dq_library_set_verdict(folder, ref->name, ref->version, verdict, err))
        dq_models_tell(ref->name);
    json_decref(verdict);
    json_decref(before);
    free(folder);
    return err->code;
}

/* ---- telling -------------------------------------------------------------*/

static double real(const json_t *report, const char *key)
{
    return json_number_value(json_object_get(report, key));
}

static void print_report(const struct dq_model_ref *ref, const char *device,
                         const json_t *report)
{
    const char *outside = json_string_value(json_object_get(report, "outside"));
    const json_t *m;
    size_t i;

    if (passed(report))
        printf("%s@%s: right on %s, %.1f s, %.0f MiB", ref->name, ref->version,
               device, real(report, "seconds"),
               real(report, "peak_bytes") / (1 << 20));
    else
        printf("%s@%s: FAILED on %s: %s", ref->name, ref->version, device,
               json_string_value(json_object_get(report, "text")));
    puts("");
    json_array_foreach (json_object_get(report, "measures"), i, m)
        printf("  %4.0f x %-4.0f batch %-3.0f %8.1f ms a picture\n",
               real(m, "width"), real(m, "height"), real(m, "batch"),
               real(m, "seconds") * 1000 / real(m, "batch"));
    if (passed(report) && json_is_null(json_object_get(report, "golden_apart")))
        puts("  it has no golden tile to be compared with");
    else if (passed(report))
        printf("  golden tile: %.2g of its range away; in a batch: %.2g\n",
               real(report, "golden_apart"), real(report, "batch_apart"));
    if (outside && *outside)
        printf("  warning: its code reaches outside the network: %s\n",
               outside);
}

static json_t *verify_one(const struct dq_models_wish *wish, const char *model,
                          int *all_passed, struct dq_err *err)
{
    struct dq_model_ref ref = {0};
    json_t *report = NULL;

    if (!dq_library_find(model, NULL, 0, &ref, err))
        report = check(&ref, wish->device, err);
    if (report && is_verdict(report, err)) {
        *all_passed &= passed(report);
        keep(wish, &ref, report, err);
        if (!wish->json)
            print_report(&ref, wish->device, report);
        json_object_set_new(report, "name", json_string(ref.name));
        json_object_set_new(report, "version", json_string(ref.version));
        json_object_set_new(report, "device", json_string(wish->device));
        json_object_set_new(report, "passed", json_boolean(passed(report)));
    }
    dq_model_ref_free(&ref);
    return report;
}

int dq_models_verify(const struct dq_models_wish *wish, struct dq_err *err)
{
    json_t *all = json_array();
    int all_passed = 1;
    char *text;

    if (!wish->count)
        dq_fail(err, DQ_USAGE, "wants models: NAME or NAME@VERSION");
    for (int i = 0; i < wish->count && !err->code; i++) {
        json_t *report = verify_one(wish, wish->words[i], &all_passed, err);

        if (report)
            json_array_append_new(all, report);
    }
    if (wish->json && !err->code) {
        text = json_dumps(all, JSON_INDENT(1));
        puts(text);
        free(text);
    }
    json_decref(all);
    if (!err->code && !all_passed)
        return dq_fail(err, DQ_MODEL, "a model failed");
    return err->code;
}
