/* depthq-preview: pictures of depth for people. Run by `depthq preview`.
 *
 *   depthq preview depth.1001.exr                   depth in turbo colours
 *   depthq preview depth.1001.exr --plate p.1001.exr     beside its plate
 *   depthq preview shot.yaml                        contact sheet of the shot
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/contact_sheet.h"
#include "io/preview.h"

struct wish {
    const char *input, *plate, *output;
    struct dq_preview_range range;
    int has_range;
    int width;
};

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
        else if (!dq_preview_plate(w->plate, w->width, &plate, err) &&
                 !beside(&plate, &depth, &both, err))
            dq_picture8_save(&both, output, err);
    }
    dq_picture8_free(&depth);
    dq_picture8_free(&plate);
    dq_picture8_free(&both);
    return err->code;
}

static int usage(FILE *to, int status)
{
    fputs("depthq preview shot.yaml                      contact sheet of the "
          "shot\n"
          "depthq preview depth.1001.exr -o look.png     one frame, near is "
          "red\n"
          "depthq preview depth.1001.exr --plate plate.1001.exr\n\n"
          "usage: depthq preview FILE.exr|JOB.yaml [-o PNG] [--plate FILE]\n"
          "                      [--range LOW,HIGH] [--width PIXELS]\n",
          to);
    return status;
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

/* 0, or what main returns; -1 goes on. */
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

    while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
        if (option == 'o')
            w->output = optarg;
        else if (option == 'p')
            w->plate = optarg;
        else if (option == 'r' && take_range(optarg, w) == 0)
            continue;
        else if (option == 'w' && take_width(optarg, w) == 0)
            continue;
        else
            return usage(option == 'h' ? stdout : stderr,
                         option == 'h' ? 0 : 2);
    }
    if (optind + 1 != argc)
        return usage(stderr, 2);
    w->input = argv[optind];
    return -1;
}

int main(int argc, char **argv)
{
    struct wish w = {0};
    struct dq_err err = {0};
    char *output;
    int status;

    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    status = take_options(argc, argv, &w);
    if (status >= 0)
        return status;
    output = w.output ? dq_strdup(w.output) : default_output(w.input);
    if (!w.width)
        w.width = is_job(w.input) ? 400 : 1280;
    if (is_job(w.input))
        dq_contact_sheet(w.input, w.width, output, &err);
    else
        one_file(&w, output, &err);
    if (err.code)
        fprintf(stderr, "depthq preview: %s\n", err.text);
    else
        printf("%s\n", output);
    free(output);
    return dq_code_exit(err.code);
}
