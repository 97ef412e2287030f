#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "jobs/store_private.h"

/* Pids come again; a pid with its start time and boot does not. */

static char *boot_id(void)
{
    char text[40] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

    if (file) {
        if (!fgets(text, sizeof text, file))
            text[0] = '\0';
        fclose(file);
    }
    text[strcspn(text, "\n")] = '\0';
    return dq_strdup(text);
}

/* Clock ticks after boot at which the process started; -1: there is none, or
 * only a zombie, which does nothing any more. proc(5), /proc/PID/stat. */
static int64_t started_at(int pid)
{
    char path[40], text[1024], *after;
    long long started = -1;
    char state = 'Z';
    FILE *file;
    size_t count;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (!file)
        return -1;
    count = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[count] = '\0';
    after = strrchr(text, ')'); /* a name may hold anything */
    /* the kernel writes these numbers. NOLINTNEXTLINE(cert-err34-c) */
    if (!after || sscanf(after + 1,
                         " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
                         "%*d %*d %*d %*d %*d %*d %lld",
                         &state, &started) != 2)
        return -1;
    return state == 'Z' || state == 'X' ? -1 : (int64_t)started;
}

void dq_store_process_add(struct dq_store *s, int pid)
{
    char *boot = boot_id();

    if (!dq_store_begin(s, NULL)) {
        dq_sql_run(s, DQ_SQL_ADD_PROCESS, "ilt", pid, started_at(pid), boot);
        dq_store_finish(s, NULL);
    }
    free(boot);
}

void dq_store_process_gone(struct dq_store *s, int pid)
{
    if (dq_store_begin(s, NULL))
        return;
    dq_sql_run(s, DQ_SQL_DROP_PROCESS, "i", pid);
    dq_store_finish(s, NULL);
}

/* One that is still there and the very same, killed; 0 for none. */
static int kill_one(struct dq_store *s, const char *boot)
{
    sqlite3_stmt *rows = dq_sql_rows(s, DQ_SQL_PROCESSES, "t", boot);
    int left = 0;

    while (!left && dq_sql_next(s, rows)) {
        int pid = sqlite3_column_int(rows, 0);

        if (started_at(pid) != sqlite3_column_int64(rows, 1) || pid <= 1)
            continue;
        kill(pid, SIGKILL);
        left = pid;
    }
    if (left)
        dq_sql_done(rows);
    return left;
}

int dq_store_processes_end(struct dq_store *s, int wait_ms, struct dq_err *err)
{
    const struct timespec pause = {0, 10000000};
    char *boot = boot_id();
    int left;

    while ((left = kill_one(s, boot)) && wait_ms > 0) {
        nanosleep(&pause, NULL);
        wait_ms -= 10;
    }
    free(boot);
    if (left)
        return dq_fail(err, DQ_BUSY,
                       "worker %d of the last daemon hangs in the kernel "
                       "(storage that does not answer?); its frames cannot be "
                       "given to others while it may wake",
                       left);
    if (dq_store_begin(s, err))
        return err->code;
    dq_sql_run(s, DQ_SQL_NO_PROCESSES, "");
    return dq_store_finish(s, err);
}

void dq_store_worker_event(struct dq_store *s, const struct dq_who *who,
                           int64_t worker, const char *device, int drained)
{
    char *text = dq_asprintf("worker %lld on %s", (long long)worker, device);
    struct dq_event event = {.who = who,
                             .verb = drained ? "drain" : "resume",
                             .before = drained ? "wanted" : "drained",
                             .after = drained ? "drained" : "wanted",
                             .text = text};

    if (!dq_store_begin(s, NULL)) {
        dq_event_add(s, &event);
        dq_store_finish(s, NULL);
    }
    free(text);
}
