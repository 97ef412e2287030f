/* depthq-preview: pictures of depth for people. Run by `depthq preview`.
 *
 *   depthq preview depth.1001.exr                   depth in turbo colours
 *   depthq preview depth.1001.exr --plate p.1001.exr     beside its plate
 *   depthq preview shot.yaml                        contact sheet of the shot
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/contact_sheet.h"
#include "base/option.h"
#include "base/output.h"
#include "cli/problems.h"
#include "io/preview.h"

struct wish {
    const char *input, *plate, *output;
    struct dq_preview_range range;
    int has_range;
    int width;
    int help;
};

static const char help[] =
    "Examples:\n"
    "  depthq preview shot.yaml                   # contact sheet of the shot\n"
    "  depthq preview depth.1001.exr -o look.png  # one frame, near is red\n"
    "  depthq preview depth.1001.exr --plate plate.1001.exr   # side by side\n"
    "\n"
    "Usage: depthq preview [OPTION]... FILE|JOB\n"
    "\n"
    "Makes a PNG for people: a depth file in turbo colours (near is red, far "
    "is\n"
    "blue, sky and empty are black), or the frames of a job file (.yaml, "
    ".yml)\n"
    "that are done, plate over depth, in one range of colours. Says where the\n"
    "picture is.\n"
    "\n"
    "  -o, --output PNG      the picture (FILE.png or JOB_contact.png, here)\n"
    "      --plate FILE      the plate beside the depth\n"
    "      --range LOW,HIGH  numbers at the ends of the colours (the 1 % and\n"
    "                        99 % quantiles of the frame)\n"
    "      --width PIXELS    at most so wide (1280; each frame of a sheet: "
    "400)\n"
    "  -h, --help            show this\n"
    "\n"
    "Exit status: 0, 2 wrong usage, 65 the file or the job is wrong, 66 it is\n"
    "missing, 73 the picture cannot be made, 74 storage failed, 75 no memory "
    "or\n"
    "no room, 77 not allowed, 78 this build cannot draw.\n";

static int is_job(const char *path)
{
    size_t n = strlen(path);

    return (n > 5 && strcmp(path + n - 5, ".yaml") == 0) ||
           (n > 4 && strcmp(path + n - 4, ".yml") == 0);
}

/* depth.1001.exr -> depth.1001.png, in the working folder */
static char *default_output(const char *input)
{
    char *name = dq_strdup(dq_path_name(input));
    char *dot = strrchr(name, '.');
    char *out;

    if (dot && dot != name)
        *dot = '\0';
    out = dq_asprintf("%s%s.png", name, is_job(input) ? "_contact" : "");
    free(name);
    return out;
}

static int beside(struct dq_picture8 *left, struct dq_picture8 *right,
                  struct dq_picture8 *both, struct dq_err *err)
{
    enum { GAP = 4 };
    int height = left->height > right->height ? left->height : right->height;

    if (dq_picture8_new(both, left->width + GAP + right->width, height, err))
        return err->code;
    dq_picture8_paste(both, left, 0, 0);
    dq_picture8_paste(both, right, left->width + GAP, 0);
    return DQ_OK;
}

static int one_file(const struct wish *w, const char *output,
                    struct dq_err *err)
{
    struct dq_picture8 depth = {0}, plate = {0}, both = {0};
    const struct dq_preview_range *range = w->has_range ? &w->range : NULL;

    if (!dq_preview_depth(w->input, w->width, range, &depth, err)) {
        if (!w->plate)
            dq_picture8_save(&depth, output, err);
        else if (!dq_preview_plate(w->plate, w->width, NULL, &plate, err) &&
                 !beside(&plate, &depth, &both, err))
            dq_picture8_save(&both, output, err);
    }
    dq_picture8_free(&depth);
    dq_picture8_free(&plate);
    dq_picture8_free(&both);
    return err->code;
}

static int take_range(const char *text, struct wish *w)
{
    char *copy = dq_strdup(text), *comma = strchr(copy, ',');
    int ok = 0;

    if (comma) {
        *comma = '\0';
        ok = dq_text_double(copy, &w->range.low) == 0 &&
             dq_text_double(comma + 1, &w->range.high) == 0 &&
             w->range.low < w->range.high;
    }
    w->has_range = ok;
    free(copy);
    return ok ? 0 : -1;
}

static int take_width(const char *text, struct wish *w)
{
    long width;

    if (dq_text_long(text, &width) || width < 16 || width > 8192)
        return -1;
    w->width = (int)width;
    return 0;
}

static int take(int option, struct wish *w)
{
    switch (option) {
    case 'o':
        w->output = optarg;
        return DQ_OK;
    case 'p':
        w->plate = optarg;
        return DQ_OK;
    case 'r':
        if (!take_range(optarg, w))
            return DQ_OK;
        fprintf(stderr,
                "depthq preview: --range is LOW,HIGH, such as 1,100, "
                "not '%s'\n",
                optarg);
        return DQ_USAGE;
    case 'w':
        if (!take_width(optarg, w))
            return DQ_OK;
        fprintf(stderr,
                "depthq preview: --width is 16 to 8192 pixels, not "
                "'%s'\n",
                optarg);
        return DQ_USAGE;
    default:
        return DQ_USAGE;
    }
}

/* What does not go together. */
static int check(const struct wish *w)
{
    if (!w->input)
        fputs("depthq preview: of which depth file, or which job?\n"
              "Try: depthq preview --help\n",
              stderr);
    else if (is_job(w->input) && (w->plate || w->has_range))
        fputs("depthq preview: --plate and --range are for one frame, a job "
              "has its own\n",
              stderr);
    else
        return DQ_OK;
    return DQ_USAGE;
}

static int take_options(int argc, char **argv, struct wish *w)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"plate", required_argument, NULL, 'p'},
        {"range", required_argument, NULL, 'r'},
        {"width", required_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = dq_option_next("depthq preview", argc, argv, ":o:h",
                                    options)) != -1) {
        w->help |= option == 'h';
        if (option != 'h' && take(option, w))
            return DQ_USAGE;
    }
    if (w->help)
        return DQ_OK;
    if (optind + 1 < argc) {
        fprintf(stderr,
                "depthq preview: one file at a time, not '%s' as "
                "well\n",
                argv[optind + 1]);
        return DQ_USAGE;
    }
    w->input = argv[optind];
    return check(w);
}

/* A job that is wrong is told with all its lines. */
static int whole_shot(const struct wish *w, const char *output,
                      struct dq_err *err)
{
    struct dq_problems problems = {0};
    struct dq_bytes text = {0};
    struct dq_spec *spec = dq_spec_read_text(w->input, &text, &problems, err);

    if (spec)
        dq_contact_sheet(spec, w->width, output, err);
    else if (problems.count)
        dq_problems_print(stderr, w->input, &text, &problems);
    if (problems.count)
        err->text[0] = '\0';
    dq_spec_free(spec);
    dq_problems_free(&problems);
    dq_bytes_free(&text);
    return err->code;
}

static int preview(struct wish *w, struct dq_err *err)
{
    char *output = w->output ? dq_strdup(w->output) : default_output(w->input);

    if (!w->width)
        w->width = is_job(w->input) ? 400 : 1280;
    if (is_job(w->input))
        whole_shot(w, output, err);
    else
        one_file(w, output, err);
    if (!err->code)
        puts(output);
    else if (*err->text)
        fprintf(stderr, "depthq preview: %s\n", err->text);
    free(output);
    return err->code;
}

static int answer(int argc, char **argv)
{
    struct wish w = {0};
    struct dq_err err = {0};

    if (take_options(argc, argv, &w))
        return dq_code_exit(DQ_USAGE);
    if (w.help) {
        fputs(help, stdout);
        return 0;
    }
    return dq_code_exit(preview(&w, &err));
}

int main(int argc, char **argv)
{
    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    return dq_output_finish("depthq preview", answer(argc, argv));
}
