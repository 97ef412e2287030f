#include "daemon/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/publish.h"
#include "base/sha256.h"
#include "base/text.h"

#define RUN_WORD "run"
#define QUEUE_WORD "q"

enum { A_DAY = 24 * 3600, FOLDERS = 6 };

/* ---- names ---------------------------------------------------------------*/

char *dq_sweep_name_run(void)
{
    return dq_asprintf(RUN_WORD "%dt%" PRIx64, (int)getpid(),
                       (uint64_t)time(NULL));
}

/* Two daemons that write into one folder never take each other's temps: a
 * state is one daemon's, on one machine. */
char *dq_sweep_name_queue(const char *state)
{
    struct dq_bytes machine = {0}, all = {0};
    char host[256] = "", digest[DQ_SHA256_HEX], *name;

    gethostname(host, sizeof host - 1);
    dq_bytes_read_file(&machine, "/etc/machine-id", 4096, DQ_IO, NULL);
    dq_bytes_printf(&all, "%s\n%s\n%s", host, machine.data ? machine.data : "",
                    state);
    dq_sha256(all.data, all.count, digest);
    name = dq_asprintf(QUEUE_WORD "%.8s-%dt%" PRIx64, digest, (int)getpid(),
                       (uint64_t)time(NULL));
    dq_bytes_free(&all);
    dq_bytes_free(&machine);
    return name;
}

/* ---- the folders of a job ------------------------------------------------*/

static void list_folders(const char *pattern, char *folders[FOLDERS])
{
    static const char *const inner[] = {"done", "guides", "late", "heirs"};
    char *shot = dq_shot_folder(pattern);

    folders[0] = dq_path_folder(pattern);
    folders[1] = shot;
    for (int i = 0; i < FOLDERS - 2; i++)
        folders[2 + i] = dq_path_join(shot, inner[i]);
}

static void free_folders(char *folders[FOLDERS])
{
    for (int i = 0; i < FOLDERS; i++)
        free(folders[i]);
}

void dq_sweep_after(const char *pattern, const char *run)
{
    char *folders[FOLDERS], *own = dq_asprintf("%s-", run);

    list_folders(pattern, folders);
    for (int i = 0; i < FOLDERS; i++) {
        dq_publish_sweep(folders[i], own, 0);
        dq_publish_sweep(folders[i], RUN_WORD, A_DAY);
    }
    free_folders(folders);
    free(own);
}

/* ---- what is dead --------------------------------------------------------*/

struct dead {
    const char
        *family;      /* how tags of this daemon's runs, or of this run begin */
    const char *run;  /* and those of the run that is alive */
    const char *file; /* of the task, or NULL: whatever file it was for */
    const char *what; /* "-1007-": the task, before the attempt */
    int attempt;      /* of the task now */
};

static int begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static int is_of_former_run(void *context, const char *file, const char *tag)
{
    const struct dead *d = context;

    (void)file;
    return begins(tag, d->family) && !begins(tag, d->run);
}

static int is_earlier_try(void *context, const char *file, const char *tag)
{
    const struct dead *d = context;
    const char *last = strrchr(tag, '-');
    size_t before = last ? (size_t)(last + 1 - tag) : 0;
    size_t what = strlen(d->what);
    long attempt = 0;

    return begins(tag, d->family) && (!d->file || strcmp(file, d->file) == 0) &&
           before >= what && memcmp(tag + before - what, d->what, what) == 0 &&
           dq_text_long(last + 1, &attempt) == 0 && attempt < d->attempt;
}

/* ---- before a task -------------------------------------------------------*/

/* A render's file lies beside those of other jobs; the other folders are the
 * shot's own, and their files have other names. */
static void sweep_tries(char *const folders[FOLDERS], struct dead *d,
                        const char *file)
{
    for (int i = 0; i < FOLDERS; i++) {
        d->file = i == 0 ? file : NULL;
        dq_publish_sweep_if(folders[i], is_earlier_try, d);
    }
}

static void sweep_runs(char *const folders[FOLDERS], struct dead *d)
{
    for (int i = 0; i < FOLDERS; i++) {
        dq_publish_sweep_if(folders[i], is_of_former_run, d);
        if (begins(d->family, QUEUE_WORD))
            dq_publish_sweep(folders[i], QUEUE_WORD, A_DAY);
    }
}

/* As the pipeline's tags have it. */
static char *what_of(const struct dq_task *task)
{
    const char *word =
        task->kind == DQ_TASK_RENDER ? "" : dq_task_kind_name(task->kind);

    return dq_asprintf("-%s%" PRId32 "-", word, task->frame);
}

static void sweep(const struct dq_sequence *output, struct dead *d,
                  const struct dq_task *task)
{
    char *pattern = dq_sequence_text(output);
    char *path = dq_sequence_path(output, task->frame);
    char *folders[FOLDERS];

    list_folders(pattern, folders);
    if (task->attempt > 1)
        sweep_tries(folders, d, dq_path_name(path));
    if (task->kind == DQ_TASK_SURVEY)
        sweep_runs(folders, d);
    free_folders(folders);
    free(path);
    free(pattern);
}

void dq_sweep_before(const struct dq_sequence *output, const char *id,
                     const struct dq_task *task)
{
    const char *first = strchr(id, '-'), *last = strrchr(id, '-');
    struct dead d = {.attempt = task->attempt};
    char *family, *run, *what;

    if (!first || (task->attempt <= 1 && task->kind != DQ_TASK_SURVEY))
        return;
    d.family = family = dq_strndup(id, (size_t)(first + 1 - id));
    d.run = run = dq_strndup(id, (size_t)(last + 1 - id));
    d.what = what = what_of(task);
    sweep(output, &d, task);
    free(what);
    free(run);
    free(family);
}
