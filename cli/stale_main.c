/* depthq-stale: frames that are not what their jobs would give now. Run by
 * `depthq stale`.
 *
 *   depthq stale shot.yaml
 *   depthq stale *.yaml --changed model --json
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/option.h"
#include "cli/output.h"
#include "cli/problems.h"
#include "cli/stale.h"

static const char help[] =
    "Examples:\n"
    "  depthq stale sh010.yaml             # what would be made again, and "
    "why\n"
    "  depthq stale *.yaml --changed model # since an alias moved\n"
    "  depthq stale *.yaml --model mine@prod  # of the jobs that follow it\n"
    "\n"
    "Usage: depthq stale [OPTION]... JOB...\n"
    "\n"
    "Lists the frames of job files whose depth on disk is not what the job "
    "would\n"
    "give now: the output is missing or altered, the plate, the model or the\n"
    "settings are others. Looks at sizes and times, and reads only what has "
    "others.\n"
    "Writes nothing; `depthq run JOB` makes exactly these frames.\n"
    "\n"
    "      --changed WHAT    only for one reason: output, plate, model or "
    "settings\n"
    "      --model NAME      only of jobs whose model it is: NAME is any "
    "version\n"
    "                        and alias of it, NAME@ALIAS that one\n"
    "      --json            one JSON value\n"
    "  -h, --help            show this\n"
    "\n"
    "Exit status: 0, also when frames are stale; 2 wrong usage, 65 a job or "
    "its\n"
    "model is wrong, 66 a file is missing, 74 storage failed.\n";

struct wish {
    const char *changed, *model;
    int json, help;
};

static int is_word(const char *word)
{
    for (int why = DQ_FRESH + 1; why < DQ_STALE_WHYS; why++)
        if (strcmp(dq_stale_word((enum dq_stale_why)why), word) == 0)
            return 1;
    return 0;
}

static int take_options(int argc, char **argv, struct wish *w)
{
    static const struct option options[] = {
        {"changed", required_argument, NULL, 'c'},
        {"model", required_argument, NULL, 'm'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = dq_option_next("depthq stale", argc, argv, ":h",
                                    options)) != -1) {
        if (option == '?')
            return DQ_USAGE;
        if (option == 'c')
            w->changed = optarg;
        if (option == 'm')
            w->model = optarg;
        w->json |= option == 'j';
        w->help |= option == 'h';
    }
    if (w->changed && !is_word(w->changed)) {
        fprintf(stderr,
                "depthq stale: --changed is output, plate, model or settings, "
                "not '%s'\n",
                w->changed);
        return DQ_USAGE;
    }
    if (!w->help && optind == argc) {
        fputs("depthq stale: which job files?\nTry: depthq stale --help\n",
              stderr);
        return DQ_USAGE;
    }
    return DQ_OK;
}

/* Which frames are asked for. */
static int is_wanted(const struct wish *w, const struct dq_stale_frame *f)
{
    return f->why != DQ_FRESH &&
           (!w->changed || strcmp(w->changed, dq_stale_word(f->why)) == 0);
}

static int same_reason(const struct dq_stale_frame *a,
                       const struct dq_stale_frame *b)
{
    return a->why == b->why && strcmp(a->was, b->was) == 0;
}

/* The frames for one reason, as a range text. */
static char *frames_text(const struct dq_stale_frame *frames, size_t count,
                         const struct dq_stale_frame *like)
{
    struct dq_range range = {dq_new_array(count, sizeof *range.frames), 0};
    char *text;

    for (size_t i = 0; i < count; i++)
        if (same_reason(&frames[i], like))
            range.frames[range.count++] = frames[i].frame;
    text = dq_range_text(&range);
    dq_range_free(&range);
    return text;
}

/* A line a reason, in the order of their first frames. */
static size_t print(const struct wish *w, const struct dq_run_plan *plan,
                    const char *job, const struct dq_stale_frame *frames)
{
    size_t count = plan->job.all.count, stale = 0;

    for (size_t i = 0; i < count; i++) {
        size_t before = 0;
        char *text;

        if (!is_wanted(w, &frames[i]))
            continue;
        stale++;
        while (!same_reason(&frames[before], &frames[i]))
            before++;
        if (before < i)
            continue;
        text = frames_text(frames, count, &frames[i]);
        printf("%s: %s: %s", job, dq_stale_text(frames[i].why), text);
        if (frames[i].was[0])
            printf(" (made by %s, now %s%s%s)", frames[i].was,
                   plan->model.name ? plan->model.name : plan->model.path,
                   plan->model.name ? "@" : "",
                   plan->model.name ? plan->model.version : "");
        puts("");
        free(text);
    }
    printf("%s: %zu of %zu frames are stale\n", job, stale, count);
    return stale;
}

static json_t *as_json(const struct wish *w, const struct dq_run_plan *plan,
                       const char *job, const struct dq_stale_frame *frames)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->job.all.count; i++) {
        json_t *one;

        if (!is_wanted(w, &frames[i]))
            continue;
        one = json_pack("{s:i, s:s, s:s}", "frame", (int)frames[i].frame,
                        "changed", dq_stale_word(frames[i].why), "why",
                        dq_stale_text(frames[i].why));
        if (frames[i].was[0])
            json_object_set_new(one, "was", dq_text_json(frames[i].was));
        json_array_append_new(list, one);
    }
    return json_pack("{s:o, s:o, s:i, s:o}", "job", dq_text_json(job), "model",
                     dq_run_plan_model_json(plan), "frames",
                     (int)plan->job.all.count, "stale", list);
}

/* Whether a job's `model:` is the one asked for. */
static int follows(const struct wish *w, const char *model)
{
    size_t n = w->model ? strlen(w->model) : 0;

    return !w->model || strcmp(model, w->model) == 0 ||
           (!strchr(w->model, '@') && strncmp(model, w->model, n) == 0 &&
            model[n] == '@');
}

/* A job of another model, which need not even be there, is passed over. */
static int is_other(const struct wish *w, const struct dq_run_plan *plan)
{
    const struct dq_spec *spec = plan->job.spec;

    return spec && !follows(w, spec->model);
}

/* One job; its problems are told here. */
static int look(const void *wish, const char *job, json_t *all)
{
    const struct wish *w = wish;
    struct dq_run_options options = {.job = job};
    struct dq_run_plan plan;
    struct dq_err err = {0};
    struct dq_stale_frame *frames = NULL;

    dq_run_plan_make(&options, &plan, &err);
    if (is_other(w, &plan)) {
        dq_run_plan_free(&plan);
        return DQ_OK;
    }
    if (!err.code)
        frames = dq_stale_find(&plan, &err);
    if (!frames)
        dq_job_plan_tell(&plan.job, job, "depthq stale", &err, stderr);
    else if (w->json)
        json_array_append_new(all, as_json(w, &plan, job, frames));
    else
        print(w, &plan, job, frames);
    free(frames);
    dq_run_plan_free(&plan);
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
    return dq_output_finish("depthq stale", answer(argc, argv));
}
