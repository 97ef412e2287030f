#include "cli/pass.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/path.h"
#include "cli/program_text.h"

/* ---- folders -------------------------------------------------------------*/

/* "d.@@@@.exr", as dq_shot_folder spells a pattern -> "d.####.exr": the last
 * run of marks is the number. In place. */
static void to_pattern(char *name)
{
    char *end = strrchr(name, '@');

    for (; end && end >= name && *end == '@'; end--)
        *end = '#';
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int has_records(const char *shots, const char *name)
{
    char *done = dq_asprintf("%s/%s/done", shots, name);
    int has = *name != '.' && access(done, F_OK) == 0;

    free(done);
    return has;
}

int dq_pass_list(const char *folder, char ***patterns, size_t *count,
                 struct dq_err *err)
{
    char *shots = dq_path_join(folder, ".depthq");
    DIR *dir = opendir(shots);
    struct dirent *entry;
    int why = errno;

    *patterns = NULL;
    *count = 0;
    while (dir && (entry = readdir(dir))) {
        if (!has_records(shots, entry->d_name))
            continue;
        *patterns = dq_grow(*patterns, *count + 1, sizeof **patterns);
        to_pattern(entry->d_name);
        (*patterns)[(*count)++] = dq_path_join(folder, entry->d_name);
    }
    if (*count)
        qsort(*patterns, *count, sizeof **patterns, by_text);
    if (dir)
        closedir(dir);
    free(shots);
    if (!dir && (why != ENOENT || access(folder, F_OK) != 0))
        return dq_fail_errno(err, DQ_MISSING, why, "%s", folder);
    return DQ_OK;
}

static void free_list(char **patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(patterns[i]);
    free(patterns);
}

static int take_pattern(struct dq_pass *pass, const char *pattern,
                        struct dq_err *err)
{
    char *here = dq_path_absolute(".");
    int code = dq_sequence_parse(pattern, here, &pass->output, err);

    free(here);
    if (code)
        return err->code = DQ_USAGE;
    pass->pattern = dq_sequence_text(&pass->output);
    pass->shot_folder = dq_shot_folder(pass->pattern);
    pass->name = dq_strdup(dq_path_name(pass->pattern));
    return DQ_OK;
}

static int several(const char *folder, char *const *patterns, size_t count,
                   struct dq_err *err)
{
    struct dq_bytes names = {0};

    for (size_t i = 0; i < count; i++)
        dq_bytes_printf(&names, "%s%s", i ? ", " : "",
                        dq_path_name(patterns[i]));
    dq_fail(err, DQ_USAGE, "%s: holds %zu depth passes (%s); name one", folder,
            count, names.data);
    dq_bytes_free(&names);
    return err->code;
}

static int nothing(const char *what, struct dq_err *err)
{
    return dq_fail(err, DQ_MISSING,
                   "%s: depthq has made nothing there (no record in .depthq)",
                   what);
}

static int find_in_folder(struct dq_pass *pass, const char *folder,
                          struct dq_err *err)
{
    char *place = dq_path_absolute(folder), **patterns;
    size_t count;
    int code = dq_pass_list(place, &patterns, &count, err);

    if (!code && count == 0)
        code = nothing(folder, err);
    else if (!code && count > 1)
        code = several(folder, patterns, count, err);
    else if (!code)
        code = take_pattern(pass, patterns[0], err);
    free_list(patterns, count);
    free(place);
    return code;
}

/* Of which pass is this file? Its folder's ledgers know their names. */
static int find_file(struct dq_pass *pass, const char *file, struct dq_err *err)
{
    char *path = dq_path_absolute(file), *folder = dq_path_folder(path);
    char **patterns;
    size_t count;
    int32_t frame = 0;
    int found = 0, code = dq_pass_list(folder, &patterns, &count, err);

    for (size_t i = 0; !code && !found && i < count; i++) {
        struct dq_sequence seq;
        struct dq_err ignored = {0};

        if (!dq_sequence_parse(patterns[i], NULL, &seq, &ignored) &&
            (found = dq_sequence_frame(&seq, dq_path_name(path), &frame)))
            code = take_pattern(pass, patterns[i], err);
        dq_sequence_free(&seq);
    }
    if (!code && !found)
        code =
            access(path, F_OK) == 0
                ? nothing(file, err)
                : dq_fail(err, DQ_MISSING, "%s: there is no such file", file);
    if (!code) {
        pass->frames.frames = dq_new(sizeof *pass->frames.frames);
        pass->frames.frames[0] = frame;
        pass->frames.count = 1;
    }
    free_list(patterns, count);
    free(folder);
    free(path);
    return code;
}

/* ---- jobs ----------------------------------------------------------------*/

static int is_job(const char *word)
{
    size_t n = strlen(word);

    return (n > 5 && strcmp(word + n - 5, ".yaml") == 0) ||
           (n > 4 && strcmp(word + n - 4, ".yml") == 0);
}

/* A job whose model or plates are not here still says where its pass is. */
static int find_job(struct dq_pass *pass, const char *file, struct dq_err *err)
{
    struct dq_run_options options = {.job = file};
    const struct dq_spec *spec;

    dq_run_plan_make(&options, &pass->plan, &pass->unplanned);
    spec = pass->plan.job.spec;
    if (!spec) {
        *err = pass->unplanned;
        return err->code;
    }
    pass->has_job = 1;
    pass->name = dq_strdup(spec->name);
    dq_sequence_copy(&spec->output.path, &pass->output);
    pass->pattern = dq_sequence_text(&pass->output);
    pass->shot_folder = dq_shot_folder(pass->pattern);
    dq_range_copy(&pass->plan.job.all, &pass->frames);
    return DQ_OK;
}

/* The queue's job. The daemon told of the output when it was submitted; a job
 * file that is still there and says the same tells more. */
static int take_queued(struct dq_pass *pass, const json_t *job,
                       struct dq_err *err)
{
    const char *file = json_string_value(json_object_get(job, "file"));
    const char *output = json_string_value(json_object_get(job, "output"));

    if (!output)
        return dq_fail(err, DQ_BUG, "the daemon tells of no output");
    if (file && *file == '/' && access(file, R_OK) == 0) {
        if (!find_job(pass, file, err) && strcmp(pass->pattern, output) == 0)
            return DQ_OK;
        dq_pass_free(pass);
        dq_err_clear(err);
    }
    return take_pattern(pass, output, err);
}

static int find_queued(struct dq_pass *pass, const char *number,
                       struct dq_err *err)
{
    const char *const words[] = {"status", number, "--json", NULL};
    int status = 0, code;
    json_t *answer = dq_program_json("depthq-client", words, &status, err);

    if (!answer && !err->code)
        dq_fail(err, status == dq_code_exit(DQ_DAEMON) ? DQ_DAEMON : DQ_MISSING,
                "%s: there is no such file, and no such job of the queue is "
                "known",
                number);
    if (!answer)
        return err->code;
    code = take_queued(pass, json_array_get(json_object_get(answer, "jobs"), 0),
                       err);
    pass->queued = strtoll(number, NULL, 10);
    json_decref(answer);
    return code;
}

/* ---- the pass ------------------------------------------------------------*/

static int find(struct dq_pass *pass, const char *word, struct dq_err *err)
{
    struct stat st;

    if (is_job(word))
        return find_job(pass, word, err);
    if (strpbrk(word, "#%$"))
        return take_pattern(pass, word, err);
    if (stat(word, &st) == 0 && S_ISDIR(st.st_mode))
        return find_in_folder(pass, word, err);
    if (strspn(word, "0123456789") == strlen(word) && access(word, F_OK) != 0)
        return find_queued(pass, word, err);
    return find_file(pass, word, err);
}

int dq_pass_find(const char *word, struct dq_pass *pass, struct dq_err *err)
{
    memset(pass, 0, sizeof *pass);
    if (find(pass, word, err))
        return err->code;
    if (pass->frames.count == 0 &&
        dq_ledger_frames(pass->shot_folder, &pass->frames, err))
        return err->code;
    return pass->frames.count ? DQ_OK : nothing(word, err);
}

void dq_pass_free(struct dq_pass *pass)
{
    dq_sequence_free(&pass->output);
    free(pass->name);
    free(pass->pattern);
    free(pass->shot_folder);
    dq_range_free(&pass->frames);
    dq_run_plan_free(&pass->plan);
    memset(pass, 0, sizeof *pass);
}

int dq_pass_cut(struct dq_pass *pass, const char *frames, struct dq_err *err)
{
    struct dq_range chosen = {0};
    char *missing = NULL, *all;

    if (!frames)
        return DQ_OK;
    if (dq_range_parse(frames, &chosen, err)) {
        dq_because(err, "--frames");
        return err->code = DQ_USAGE;
    }
    if (pass->has_job && pass->plan.job.all.count)
        missing = dq_range_missing(&pass->frames, &chosen);
    if (missing) {
        all = dq_range_text(&pass->frames);
        dq_fail(err, DQ_USAGE,
                "--frames: %.200s %s not among the job's frames (%.200s)",
                missing, strpbrk(missing + 1, "-,") ? "are" : "is", all);
        free(all);
        free(missing);
        dq_range_free(&chosen);
        return err->code;
    }
    dq_range_free(&pass->frames);
    pass->frames = chosen;
    return DQ_OK;
}

/* ---- what a header says --------------------------------------------------*/

const char *dq_pass_says(const struct dq_plate *file, enum dq_provenance which)
{
    const char *text = dq_plate_find_attribute(file, dq_provenance_name(which));

    return text ? text : "";
}

int dq_pass_ask_header(const char *path, struct dq_made *made)
{
    struct dq_err ignored = {0};
    struct dq_plate *file;
    int ours;

    if (made->model_sha256[0])
        return 0;
    file = dq_plate_open_header(path, &ignored);
    ours = file && *dq_pass_says(file, DQ_ATTR_MODEL_SHA256);
    if (ours) {
        snprintf(made->model, sizeof made->model, "%s@%s",
                 dq_pass_says(file, DQ_ATTR_MODEL),
                 dq_pass_says(file, DQ_ATTR_MODEL_VERSION));
        snprintf(made->model_sha256, sizeof made->model_sha256, "%s",
                 dq_pass_says(file, DQ_ATTR_MODEL_SHA256));
    }
    dq_plate_close(file);
    return ours ? 0 : -1;
}
