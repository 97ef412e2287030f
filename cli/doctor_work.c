/* What does the work: programs, workers, models. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/ask.h"
#include "cli/doctor.h"
#include "cli/program_text.h"
#include "jobs/library.h"
#include "jobs/library_change.h"
#include "jobs/library_folders.h"

/* ---- programs ------------------------------------------------------------*/

/* All that make install puts beside each other. */
static const char *const programs[] = {
#define DQ_PROGRAM(name, program, doc, example, comment) program,
#include "cli/commands.def"
    "depthq-client", "depthq-worker", "depthq-model-check"};
enum { PROGRAMS = sizeof programs / sizeof *programs };

/* These say which they are. */
static const char *const versioned[] = {"depthq", "depthqd"};
enum { VERSIONED = sizeof versioned / sizeof *versioned, VERSION_S = 10 };

static int look_for(struct dq_doctor *d, const char *program)
{
    struct dq_err err = {0};
    char *path = dq_path_libexec(program, &err);

    if (!path)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "programs",
                      "install depthq anew (make install)", "%s", err.text);
    free(path);
    return err.code;
}

static int compare_version(struct dq_doctor *d, const char *program)
{
    static const char *const words[] = {"--version", NULL};
    struct dq_err err = {0};
    char *want = dq_asprintf("%s " DQ_VERSION "\n", program);
    int status = 0;
    char *said = dq_program_text(program, words, VERSION_S, &status, &err);
    int same = said && strcmp(said, want) == 0;

    if (said && !same)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "programs",
                      "install depthq anew (make install)",
                      "%s says it is '%.*s', not '%.*s'", program,
                      (int)strcspn(said, "\n"), said, (int)strcspn(want, "\n"),
                      want);
    free(said);
    free(want);
    return !same;
}

void dq_doctor_programs(struct dq_doctor *d)
{
    int wrong = 0;

    for (int i = 0; i < PROGRAMS; i++)
        wrong |= look_for(d, programs[i]);
    for (int i = 0; i < VERSIONED; i++)
        wrong |= look_for(d, versioned[i]) || compare_version(d, versioned[i]);
    if (!wrong)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "programs", NULL,
                      "all are there, depthq " DQ_VERSION);
}

/* ---- workers -------------------------------------------------------------*/

enum { WORKER_S = 120 };

static void tell_broken(struct dq_doctor *d, const char *device, int status)
{
    const char *how = WIFSIGNALED(status) ? "signal" : "status";
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);

    dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "worker",
                  "run it by hand: ldd tells a library that is missing",
                  "depthq-worker --check --device %s ended with %s %d", device,
                  how, number);
}

static const char *todo_of(int code)
{
    return code == DQ_DEVICE
               ? "nvidia-smi shows what is there; or name another "
                 "--device"
               : "set depthq up again where that libtorch is, or "
                 "bring it back";
}

/* A GPU that nobody can use is a surprise of some hours. */
static void look_at_gpu(struct dq_doctor *d, const json_t *told)
{
    glob_t found = {0};
    int gpus = glob("/dev/nvidia[0-9]*", 0, NULL, &found) == 0
                   ? (int)found.gl_pathc
                   : 0;

    globfree(&found);
    if (gpus > 0 && dq_ask_number(told, "cuda") == 0)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "worker",
                      getenv("CUDA_VISIBLE_DEVICES")
                          ? "CUDA_VISIBLE_DEVICES is set: does it hide them?"
                          : "does nvidia-smi work? is libtorch a CUDA build?",
                      "%d GPUs are here, libtorch sees none", gpus);
}

static void tell_worker(struct dq_doctor *d, const json_t *told)
{
    int code = dq_code_from_name(dq_ask_text(told, "code"));

    if (code)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, code, "worker", todo_of(code), "%s",
                      dq_ask_text(told, "text"));
    else if (strcmp(dq_ask_text(told, "version"), DQ_VERSION) != 0)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_CONFIG, "worker",
                      "install depthq anew (make install)",
                      "depthq-worker is %s, this is depthq " DQ_VERSION,
                      dq_ask_text(told, "version"));
    else if (json_is_null(json_object_get(told, "torch")))
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "worker", "build with TORCH=1",
                      "starts, but without libtorch: real networks cannot run");
    else
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "worker", NULL,
                      "starts, with libtorch: %s, %lld CUDA devices",
                      dq_ask_text(told, "execution"),
                      dq_ask_number(told, "cuda"));
}

static void check_device(struct dq_doctor *d, const char *device)
{
    const char *const words[] = {"--check", "--device", device, NULL};
    struct dq_err err = {0};
    int status = 0;
    char *said =
        dq_program_text("depthq-worker", words, WORKER_S, &status, &err);
    json_t *told = said && status == 0 ? dq_json_parse(said, strlen(said),
                                                       1 << 20, DQ_BUG, &err)
                                       : NULL;

    if (told) {
        tell_worker(d, told);
        look_at_gpu(d, told);
    } else if (said) {
        tell_broken(d, device, status);
    }
    free(said);
    json_decref(told);
}

/* Each device of the daemon's once. */
void dq_doctor_worker(struct dq_doctor *d)
{
    if (!d->daemon.workers)
        check_device(d, "auto");
    for (int i = 0; i < d->daemon.workers; i++) {
        int first = 0;

        while (strcmp(d->daemon.devices[first], d->daemon.devices[i]) != 0)
            first++;
        if (first == i)
            check_device(d, d->daemon.devices[i]);
    }
}

/* ---- models --------------------------------------------------------------*/

struct models {
    struct dq_doctor *d;
    int versions, wrong;
};

static void tell_model(struct models *m, const struct dq_err *err)
{
    dq_doctor_say(m->d, DQ_DOCTOR_WRONG, DQ_MODEL, "models",
                  "depthq models add it again, or rm it", "%s", err->text);
    m->wrong++;
}

static void check_digest(const struct dq_model_ref *ref, struct dq_err *err)
{
    char hex[DQ_SHA256_HEX];

    if (!dq_sha256_file(ref->path, hex, err) && strcmp(hex, ref->sha256) != 0)
        dq_fail(err, DQ_MODEL,
                "%s@%s: %s is not the file that was added: its SHA-256 is "
                "%.12s..., not %.12s...",
                ref->name, ref->version, ref->path, hex, ref->sha256);
}

static void check_version(struct models *m,
                          const struct dq_library_entry *entry)
{
    char *name = dq_asprintf("%s@%s", entry->name, entry->version);
    struct dq_model_ref ref;
    struct dq_err err = {0};

    m->versions++;
    if (!dq_library_find(name, "", 0, &ref, &err))
        check_digest(&ref, &err);
    if (err.code)
        tell_model(m, &err);
    dq_model_ref_free(&ref);
    free(name);
}

static void check_aliases(struct models *m, const char *folder,
                          const char *name)
{
    struct dq_err err = {0};
    json_t *book = dq_library_aliases(folder, name, &err);
    const char *alias;
    json_t *to;

    if (err.code)
        tell_model(m, &err);
    json_object_foreach (json_object_get(book, "aliases"), alias, to) {
        char *whole = dq_asprintf("%s@%s", name, alias);
        struct dq_model_ref ref;
        struct dq_err own = {0};

        if (dq_library_find(whole, "", 0, &ref, &own)) {
            char *todo = dq_asprintf("depthq models alias %s=VERSION", whole);

            dq_doctor_say(m->d, DQ_DOCTOR_WRONG, DQ_MODEL, "models", todo, "%s",
                          own.text);
            m->wrong++;
            free(todo);
        }
        dq_model_ref_free(&ref);
        free(whole);
    }
    json_decref(book);
}

/* named: DEPTHQ_MODELS has it, so it should be there. */
static void check_folder(struct models *m, const struct dq_library_folder *f,
                         int named)
{
    if (f->error && (named || f->error != ENOENT))
        dq_doctor_say(m->d, DQ_DOCTOR_WARN, DQ_OK, "models",
                      named ? "make it, or take it out of DEPTHQ_MODELS"
                            : "mend its rights",
                      "%s: %s", f->path, strerror(f->error));
    for (size_t i = 0; i < f->count; i++) {
        check_version(m, &f->list[i]);
        if (i == 0 || strcmp(f->list[i].name, f->list[i - 1].name) != 0)
            check_aliases(m, f->path, f->list[i].name);
    }
}

static size_t named_folders(void)
{
    const char *at = getenv("DEPTHQ_MODELS");
    size_t count = 0;

    while (at && *at) {
        size_t bytes = strcspn(at, ":");

        count += bytes > 0;
        at += bytes + (at[bytes] == ':');
    }
    return count;
}

void dq_doctor_models(struct dq_doctor *d)
{
    struct dq_library_folders all = dq_library_folders();
    struct models m = {.d = d};
    size_t named = named_folders();

    for (size_t i = 0; i < all.count; i++)
        check_folder(&m, &all.list[i], i < named);
    if (!m.versions)
        dq_doctor_say(d, DQ_DOCTOR_WRONG, DQ_MODEL, "models",
                      "depthq models add FILE, or set DEPTHQ_MODELS",
                      "the model library is empty");
    else if (!m.wrong)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "models", NULL,
                      "%d in the library, each as it was added", m.versions);
    dq_library_folders_free(&all);
}
