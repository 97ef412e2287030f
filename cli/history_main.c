/* depthq-history: the versions that the frames of a depth pass have had. Run
 * by `depthq history`.
 *
 *   depthq history shot.yaml
 *   depthq history depth/sh010.1007.exr
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/pass_models.h"
#include "cli/problems.h"
#include "cli/table.h"

static const char help[] =
    "Examples:\n"
    "  depthq history sh010.yaml                   # which models, which "
    "frames\n"
    "  depthq history depth/sh010_depth.1007.exr   # every version of a frame\n"
    "  depthq history sh010.yaml --frames 1001-1010\n"
    "\n"
    "Usage: depthq history [OPTION]... JOB|FILE|PATTERN|FOLDER|NUMBER...\n"
    "\n"
    "Lists what the frames of a depth pass are and were: when each version\n"
    "was delivered, by which model, and whether the file is still what was\n"
    "delivered. For a pass it sums up by model; for a file, or with --frames,\n"
    "it lists each version of each frame. An earlier version's bytes are gone\n"
    "once its frame was made again; how to make them again is known.\n"
    "\n"
    "      --frames RANGE    these frames, version by version\n"
    "      --json            one JSON value\n"
    "  -h, --help            show this\n"
    "\n"
    "Exit status: 0, 2 wrong usage, 65 the job is wrong, 66 there is no such\n"
    "pass, 74 storage failed.\n";

struct wish {
    const char *frames;
    int json, help;
};

static int take_options(int argc, char **argv, struct wish *w)
{
    static const struct option options[] = {
        {"frames", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = dq_option_next("depthq history", argc, argv, ":h",
                                    options)) != -1) {
        if (option == '?')
            return DQ_USAGE;
        if (option == 'f')
            w->frames = optarg;
        w->json |= option == 'j';
        w->help |= option == 'h';
    }
    if (!w->help && optind == argc) {
        fputs("depthq history: of which job, file or folder?\n"
              "Try: depthq history --help\n",
              stderr);
        return DQ_USAGE;
    }
    return DQ_OK;
}

/* ---- one frame -----------------------------------------------------------*/

/* What has become of the newest version. Static. */
static const char *state_of(const struct dq_done *newest, const char *path)
{
    struct dq_file_mark now = {0};

    if (dq_file_mark_look(path, &now))
        return "missing";
    return dq_file_mark_holds(&newest->output, path, &now) ? "there"
                                                           : "altered";
}

static void add_row(struct dq_table *table, const struct dq_done *v,
                    const char *state)
{
    const struct dq_made *m = &v->made;
    char frame[16], size[16];
    char *from = dq_asprintf("%s %s", m->host, m->device);
    char *note = dq_asprintf("%s%s%s", state,
                             *state && m->suspect[0] ? "; " : "", m->suspect);
    const char *words[] = {
        frame, *m->when ? m->when : "-", *m->model ? m->model : "unknown",
        size,  v->output.sha256,         from,
        note};

    snprintf(frame, sizeof frame, "%d", (int)v->frame);
    dq_size_text((double)v->output.bytes, size);
    dq_table_add(table, words);
    free(note);
    free(from);
}

static void add_frame(const struct dq_pass *pass, int32_t frame,
                      struct dq_table *table, json_t *list)
{
    char *path = dq_sequence_path(&pass->output, frame);
    struct dq_done *versions;
    struct dq_err ignored = {0};
    json_t *told = json_array();
    const char *state = "missing";
    size_t count;

    if (!dq_ledger_history(pass->shot_folder, frame, &versions, &count,
                           &ignored)) {
        state = state_of(&versions[0], path);
        dq_pass_ask_header(path, &versions[0].made);
    }
    for (size_t i = 0; i < count; i++) {
        add_row(table, &versions[i],
                i                             ? ""
                : strcmp(state, "there") == 0 ? "now"
                                              : state);
        json_array_append_new(told, dq_pass_version_json(&versions[i]));
    }
    json_array_append_new(
        list, json_pack("{s:i, s:o, s:s, s:o}", "frame", (int)frame, "path",
                        dq_text_json(path), "state", state, "versions", told));
    free(versions);
    free(path);
}

static json_t *by_frame(const struct dq_pass *pass, char **text)
{
    static const char *const heads[] = {">FRAME", "WHEN",    "MODEL", ">SIZE",
                                        "SHA256", "MADE ON", "NOTE",  NULL};
    struct dq_table *table = dq_table_new(heads);
    json_t *list = json_array();

    for (size_t i = 0; i < pass->frames.count; i++)
        add_frame(pass, pass->frames.frames[i], table, list);
    *text = dq_table_text(table);
    dq_table_free(table);
    return list;
}

/* ---- a pass --------------------------------------------------------------*/

static json_t *by_model(const struct dq_pass *pass, char **text)
{
    size_t count;
    struct dq_pass_model *models = dq_pass_models(pass, &count);
    json_t *list = dq_pass_models_json(models, count);

    *text = dq_pass_models_text(models, count);
    dq_pass_models_free(models, count);
    return list;
}

static void tell(const struct wish *w, const struct dq_pass *pass, json_t *all)
{
    int each = w->frames || (!pass->has_job && pass->frames.count == 1);
    char *text = NULL, *pattern = dq_strdup(pass->pattern);
    json_t *list = each ? by_frame(pass, &text) : by_model(pass, &text);

    if (!w->json)
        printf("%s\n%s", dq_text_harmless(pattern, '?'), text);
    json_array_append_new(all, json_pack("{s:o, s:o, s:o}", "name",
                                         dq_text_json(pass->name), "output",
                                         dq_text_json(pass->pattern),
                                         each ? "frames" : "models", list));
    free(pattern);
    free(text);
}

static int look(const void *wish, const char *word, json_t *all)
{
    const struct wish *w = wish;
    struct dq_pass pass;
    struct dq_err err = {0};

    if (!dq_pass_find(word, &pass, &err) &&
        !dq_pass_cut(&pass, w->frames, &err))
        tell(w, &pass, all);
    else
        dq_job_plan_tell(&pass.plan.job, word, "depthq history", &err, stderr);
    dq_pass_free(&pass);
    return err.code;
}

static int answer(int argc, char **argv)
{
    struct wish w = {0};

    if (take_options(argc, argv, &w))
        return dq_code_exit(DQ_USAGE);
    if (w.help) {
        fputs(help, stdout);
        return 0;
    }
    return dq_output_each(argv + optind, argc - optind, w.json, look, &w);
}

int main(int argc, char **argv)
{
    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    return dq_output_finish("depthq history", answer(argc, argv));
}
