/* depthq-compare: what another model (or setting) changes in a depth pass. Run
 * by `depthq compare`.
 *
 *   depthq compare depth depth_v2
 *   depthq compare old/d.####.exr new/d.####.exr -o sheet.png
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/compare.h"
#include "base/output.h"
#include "cli/pass.h"
#include "cli/problems.h"
#include "cli/run_report.h"
#include "cli/table.h"

static const char help[] =
    "Examples:\n"
    "  depthq compare sh010.yaml sh010_v2.yaml     # two jobs of one shot\n"
    "  depthq compare old/d.####.exr new/d.####.exr -o sheet.png\n"
    "\n"
    "Usage: depthq compare [OPTION]... OLD NEW\n"
    "\n"
    "Tells frame by frame how far two depth passes are apart; each is a job, "
    "a\n"
    "pattern, a folder with one pass, or a file. One scale and one shift are\n"
    "fitted over all frames first, for a network knows neither. Differences\n"
    "are in % of OLD's range. FLICKER is the mean change since the frame\n"
    "before, in % of each pass's own range: both have the shot's motion in\n"
    "it, so the larger one is the less steady pass.\n"
    "\n"
    "      --frames RANGE   these frames alone\n"
    "  -o, --output PNG     a sheet, old above new, in one range of colours\n"
    "      --width PIXELS   of each picture on it (400)\n"
    "      --json           one JSON value\n"
    "  -h, --help           show this\n"
    "\n"
    "Exit status: 0, however far they are apart; 1 some frames could not be\n"
    "compared; 2 wrong usage, 65 nothing can be, 66 there is no such pass, 73\n"
    "or 74 the sheet cannot be written, 78 this build cannot draw.\n";

struct wish {
    const char *frames, *output;
    int width, json, help;
    const char *words[2];
};

static int take(int option, struct wish *w)
{
    long width;

    switch (option) {
    case 'f':
        w->frames = optarg;
        return DQ_OK;
    case 'o':
        w->output = optarg;
        return DQ_OK;
    case 'j':
        w->json = 1;
        return DQ_OK;
    case 'h':
        w->help = 1;
        return DQ_OK;
    case 'w':
        if (!dq_text_long(optarg, &width) && width >= 16 && width <= 8192) {
            w->width = (int)width;
            return DQ_OK;
        }
        fprintf(stderr,
                "depthq compare: --width is 16 to 8192 pixels, not '%s'\n",
                optarg);
        return DQ_USAGE;
    default:
        return DQ_USAGE;
    }
}

static int take_options(int argc, char **argv, struct wish *w)
{
    static const struct option options[] = {
        {"frames", required_argument, NULL, 'f'},
        {"output", required_argument, NULL, 'o'},
        {"width", required_argument, NULL, 'w'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = dq_option_next("depthq compare", argc, argv, ":o:h",
                                    options)) != -1)
        if (take(option, w))
            return DQ_USAGE;
    if (!w->help && argc - optind != 2) {
        fputs("depthq compare: name two passes, OLD and NEW\n"
              "Try: depthq compare --help\n",
              stderr);
        return DQ_USAGE;
    }
    for (int i = 0; !w->help && i < 2; i++)
        w->words[i] = argv[optind + i];
    return DQ_OK;
}

/* ---- which files ---------------------------------------------------------*/

/* A pattern need not be of depthq's making; else it is a pass. */
static int find_files(const char *word, struct dq_sequence *files,
                      struct dq_range *there, struct dq_err *err)
{
    struct dq_pass pass = {0};

    if (strpbrk(word, "#%$")) {
        char *here = dq_path_absolute(".");

        if (dq_sequence_parse(word, here, files, err))
            err->code = DQ_USAGE;
        free(here);
    } else if (!dq_pass_find(word, &pass, err)) {
        dq_sequence_copy(&pass.output, files);
        if (!pass.has_job && pass.frames.count == 1)
            dq_range_copy(&pass.frames, there);
    } else if (pass.plan.job.problems.count) {
        dq_job_plan_tell(&pass.plan.job, word, "depthq compare", err, stderr);
        err->text[0] = '\0';
    }
    dq_pass_free(&pass);
    if (err->code || there->count)
        return err->code;
    return dq_sequence_scan(files, there, err);
}

/* Frames of both, and of --frames where that is given. */
static int choose(const struct wish *w, const struct dq_range there[2],
                  struct dq_range *both, struct dq_err *err)
{
    struct dq_range asked = {0};

    if (w->frames && dq_range_parse(w->frames, &asked, err)) {
        dq_because(err, "--frames");
        return err->code = DQ_USAGE;
    }
    both->frames = dq_new_array(there[0].count + 1, sizeof *both->frames);
    for (size_t i = 0; i < there[0].count; i++) {
        int32_t frame = there[0].frames[i];

        if (dq_range_find(&there[1], frame) >= 0 &&
            (!w->frames || dq_range_find(&asked, frame) >= 0))
            both->frames[both->count++] = frame;
    }
    dq_range_free(&asked);
    return both->count ? DQ_OK
                       : dq_fail(err, DQ_MISSING,
                                 "the two passes have no such frame in common");
}

/* ---- telling -------------------------------------------------------------*/

/* Means over what was compared; -1 where there is none. */
struct summary {
    double mean, flicker_old, flicker_new;
    const struct dq_compare_frame *worst;
};

static struct summary sum_up(const struct dq_compare *c)
{
    struct summary s = {-1, -1, -1, NULL};
    double mean = 0, old = 0, new = 0, n = 0, pairs = 0;

    for (size_t i = 0; i < c->count; i++) {
        const struct dq_compare_frame *f = &c->frames[i];

        if (f->err.code)
            continue;
        n++;
        mean += f->mean;
        if (!s.worst || f->mean > s.worst->mean)
            s.worst = f;
        if (f->flicker_old < 0)
            continue;
        pairs++;
        old += f->flicker_old;
        new += f->flicker_new;
    }
    if (n > 0)
        s.mean = mean / n;
    if (pairs > 0) {
        s.flicker_old = old / pairs;
        s.flicker_new = new / pairs;
    }
    return s;
}

static void percent(double share, char text[16])
{
    if (share < 0)
        snprintf(text, 16, "-");
    else
        snprintf(text, 16, "%.3f", 100 * share);
}

static void add_row(struct dq_table *table, const struct dq_compare_frame *f)
{
    char frame[16], mean[16], p95[16], worst[16], r[16], old[16], new[16];
    const char *const words[] = {frame, mean, p95, worst, r, old, new};

    snprintf(frame, sizeof frame, "%d", (int)f->frame);
    percent(f->mean, mean);
    percent(f->p95, p95);
    percent(f->worst, worst);
    snprintf(r, sizeof r, "%.4f", f->correlation);
    percent(f->flicker_old, old);
    percent(f->flicker_new, new);
    dq_table_add(table, words);
}

static void print(const struct dq_compare *c)
{
    static const char *const heads[] = {">FRAME", ">MEAN %", ">P95 %",
                                        ">MAX %", ">CORR",   ">FLICKER OLD %",
                                        ">NEW %", NULL};
    struct dq_table *table = dq_table_new(heads);
    struct summary s = sum_up(c);
    char *text;

    for (size_t i = 0; i < c->count; i++)
        if (!c->frames[i].err.code)
            add_row(table, &c->frames[i]);
    text = dq_table_text(table);
    fputs(text, stdout);
    free(text);
    dq_table_free(table);
    printf("fit      old = %.6g x new %+.6g; range of old %.6g to %.6g\n",
           c->scale, c->shift, c->low, c->high);
    if (s.worst)
        printf("apart    %.3f %% on average, frame %d most (%.3f %%)\n",
               100 * s.mean, (int)s.worst->frame, 100 * s.worst->mean);
    if (s.flicker_old >= 0)
        printf("flicker  old %.3f %%, new %.3f %%\n", 100 * s.flicker_old,
               100 * s.flicker_new);
}

static json_t *known(double value)
{
    return value < 0 ? json_null() : json_real(value);
}

static json_t *frame_json(const struct dq_compare_frame *f)
{
    if (f->err.code)
        return json_pack("{s:i, s:o}", "frame", (int)f->frame, "error",
                         dq_error_json(&f->err));
    return json_pack("{s:i, s:I, s:f, s:f, s:f, s:f, s:o, s:o}", "frame",
                     (int)f->frame, "pixels", (json_int_t)f->pixels, "mean",
                     f->mean, "p95", f->p95, "worst", f->worst, "correlation",
                     f->correlation, "flicker_old", known(f->flicker_old),
                     "flicker_new", known(f->flicker_new));
}

static void print_json(const struct dq_compare *c)
{
    struct summary s = sum_up(c);
    json_t *list = json_array(), *all;

    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(list, frame_json(&c->frames[i]));
    all = json_pack("{s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:o}", "scale",
                    c->scale, "shift", c->shift, "low", c->low, "high", c->high,
                    "mean", known(s.mean), "flicker_old", known(s.flicker_old),
                    "flicker_new", known(s.flicker_new), "frames", list);
    json_dumpf(all, stdout, JSON_INDENT(1));
    puts("");
    json_decref(all);
}

static void tell_failed(const struct dq_compare *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct dq_err shown = c->frames[i].err;

        if (shown.code)
            fprintf(stderr, "depthq compare: frame %d: %s\n",
                    (int)c->frames[i].frame, dq_text_harmless(shown.text, '?'));
    }
}

/* ---- the program ---------------------------------------------------------*/

static int compare(const struct wish *w, const struct dq_sequence files[2],
                   const struct dq_range *frames, struct dq_err *err)
{
    struct dq_compare c;
    int status;

    dq_compare_run(&files[0], &files[1], frames, &c, err);
    tell_failed(&c);
    if (!err->code && w->output)
        dq_compare_sheet(&files[0], &files[1], &c, w->width, w->output, err);
    if (!err->code && w->json)
        print_json(&c);
    else if (!err->code)
        print(&c);
    status = err->code ? dq_code_exit(err->code) : c.failed ? 1 : 0;
    dq_compare_free(&c);
    return status;
}

static int run(const struct wish *w)
{
    struct dq_sequence files[2] = {{0}, {0}};
    struct dq_range there[2] = {{0}, {0}}, both = {0};
    struct dq_err err = {0};
    int status;

    for (int i = 0; i < 2 && !err.code; i++)
        find_files(w->words[i], &files[i], &there[i], &err);
    if (!err.code)
        choose(w, there, &both, &err);
    status = err.code ? dq_code_exit(err.code) : compare(w, files, &both, &err);
    if (err.code && *err.text)
        fprintf(stderr, "depthq compare: %s\n",
                dq_text_harmless(err.text, '?'));
    for (int i = 0; i < 2; i++) {
        dq_sequence_free(&files[i]);
        dq_range_free(&there[i]);
    }
    dq_range_free(&both);
    return status;
}

int main(int argc, char **argv)
{
    struct wish w = {.width = 400};
    int status = 0;

    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    if (take_options(argc, argv, &w))
        return dq_code_exit(DQ_USAGE);
    if (w.help)
        fputs(help, stdout);
    else
        status = run(&w);
    return dq_output_finish("depthq compare", status);
}
