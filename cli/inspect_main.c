/* depthq-inspect: what an EXR (or another picture) file is, says and holds.
 *
 *   depthq inspect depth.1001.exr [...] [--json]
 *
 * Windows, parts, channels, codec, depthq's own provenance, and statistics of
 * the depth channel. Run by `depthq inspect`.
 */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/text.h"
#include "base/option.h"
#include "base/output.h"
#include "io/depth_stats.h"
#include "io/plate.h"
#include "io/provenance.h"

/* ---- one file as JSON; people get the same told in lines ----------------- */

static json_t *box_json(const struct dq_box *b)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:I, s:I}", "x0", b->x0, "y0", b->y0,
                     "x1", b->x1, "y1", b->y1, "width",
                     (json_int_t)dq_box_width(b), "height",
                     (json_int_t)dq_box_height(b));
}

static json_t *text_json(const char *text)
{
    json_t *value = json_string(text); /* NULL when it is not UTF-8 */

    return value ? value : json_string("(not UTF-8)");
}

static json_t *channels_json(const struct dq_plate_part *part)
{
    json_t *list = json_array();

    for (int i = 0; i < part->channel_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:s}", "name",
                                              text_json(part->channels[i].name),
                                              "type", part->channels[i].type));
    return list;
}

static json_t *provenance_json(const struct dq_plate *plate, int part)
{
    json_t *all = json_object();

    for (int i = 0; i < DQ_ATTRS; i++) {
        const char *name = dq_provenance_name((enum dq_provenance)i);
        const char *value = dq_plate_attribute(plate, part, name);

        if (value)
            json_object_set_new(all, name, text_json(value));
    }
    return all;
}

static json_t *stats_json(const struct dq_depth_stats *s, const char *channel)
{
    return json_pack("{s:o, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "channel",
                     text_json(channel), "least", s->least, "greatest",
                     s->greatest, "mean", s->mean, "median", s->median,
                     "pixels", (json_int_t)s->pixels, "sky_pixels",
                     (json_int_t)s->sky, "not_finite",
                     (json_int_t)s->not_finite);
}

/* Statistics of the part's depth channel, when it has one. */
static int add_stats(json_t *to, const struct dq_plate *plate, int part,
                     struct dq_err *err)
{
    struct dq_depth_stats stats;
    const struct dq_plate_part *p = &dq_plate_info(plate)->parts[part];
    int channel = dq_depth_channel_of(plate, part);

    if (channel < 0 || p->deep)
        return DQ_OK;
    if (dq_depth_stats_of(plate, part, channel, &stats, err))
        return err->code;
    json_object_set_new(to, "depth",
                        stats_json(&stats, p->channels[channel].name));
    return DQ_OK;
}

static json_t *part_json(const struct dq_plate *plate, int part,
                         struct dq_err *err)
{
    const struct dq_plate_part *p = &dq_plate_info(plate)->parts[part];
    json_t *all = json_pack(
        "{s:i, s:o, s:o, s:s, s:s, s:o, s:o, s:o}", "part", part, "name",
        text_json(p->name), "view", text_json(p->view), "storage", p->storage,
        "compression", p->compression, "data_window", box_json(&p->data),
        "channels", channels_json(p), "depthq", provenance_json(plate, part));

    if (add_stats(all, plate, part, err)) {
        json_decref(all);
        return NULL;
    }
    return all;
}

/* Two decimal digits at a bit of a timecode's word (SMPTE 12M, as OpenEXR's
 * imfTimeCode packs it), the upper one `bits` wide. */
static unsigned digits(uint32_t word, unsigned at, unsigned bits)
{
    return (word >> at & 15) + 10 * (word >> (at + 4) & ((1U << bits) - 1));
}

/* "01:00:00:05"; with a semicolon when frames are dropped. */
static json_t *timecode_json(uint32_t word)
{
    return json_sprintf("%02u:%02u:%02u%c%02u", digits(word, 24, 2),
                        digits(word, 16, 3), digits(word, 8, 3),
                        word >> 6 & 1 ? ';' : ':', digits(word, 0, 2));
}

static json_t *file_json(const char *path, size_t bytes,
                         const struct dq_plate *plate, struct dq_err *err)
{
    const struct dq_plate_info *info = dq_plate_info(plate);
    json_t *parts = json_array();
    json_t *all =
        json_pack("{s:o, s:s, s:I, s:o, s:f, s:o}", "file", text_json(path),
                  "format", info->format, "bytes", (json_int_t)bytes,
                  "display_window", box_json(&info->display), "pixel_aspect",
                  (double)info->pixel_aspect, "parts", parts);

    if (info->has_rate && info->rate[1])
        json_object_set_new(all, "frames_per_second",
                            json_pack("[i,i]", info->rate[0], info->rate[1]));
    if (info->has_timecode)
        json_object_set_new(all, "timecode", timecode_json(info->timecode[0]));
    for (int i = 0; i < info->part_count; i++) {
        json_t *part = part_json(plate, i, err);

        if (!part) {
            json_decref(all);
            return NULL;
        }
        json_array_append_new(parts, part);
    }
    return all;
}

/* ---- for people ---------------------------------------------------------- */

static void say_box(const char *what, const json_t *box)
{
    int x0, y0, x1, y1;
    json_int_t w, h;

    if (json_unpack((json_t *)(uintptr_t)box, "{s:i,s:i,s:i,s:i,s:I,s:I}", "x0",
                    &x0, "y0", &y0, "x1", &x1, "y1", &y1, "width", &w, "height",
                    &h))
        return;
    printf("  %-16s %" JSON_INTEGER_FORMAT " x %" JSON_INTEGER_FORMAT
           "  (%d, %d) to (%d, %d)\n",
           what, w, h, x0, y0, x1, y1);
}

static void say_channels(const json_t *list)
{
    size_t i;
    const json_t *c;

    printf("  %-16s", "channels");
    json_array_foreach (list, i, c)
        printf("%s %s %s", i ? "," : "",
               json_string_value(json_object_get(c, "name")),
               json_string_value(json_object_get(c, "type")));
    printf("\n");
}

static void say_depth(const json_t *d)
{
    json_int_t pixels, sky, bad;
    double least, greatest, mean, median;
    const char *name;

    if (json_unpack((json_t *)(uintptr_t)d, "{s:s,s:f,s:f,s:f,s:f,s:I,s:I,s:I}",
                    "channel", &name, "least", &least, "greatest", &greatest,
                    "mean", &mean, "median", &median, "pixels", &pixels,
                    "sky_pixels", &sky, "not_finite", &bad))
        return;
    printf("  %-16s %s: %.6g to %.6g, mean %.6g, median %.6g", "depth", name,
           least, greatest, mean, median);
    printf("; %.2f %% at the sky value",
           pixels ? 100.0 * (double)sky / (double)pixels : 0.0);
    if (bad)
        printf("; %" JSON_INTEGER_FORMAT " values NOT FINITE", bad);
    printf("\n");
}

static void say_part(const json_t *p)
{
    const char *name = json_string_value(json_object_get(p, "name"));
    const char *view = json_string_value(json_object_get(p, "view"));
    const char *key;
    json_t *value;

    printf(" part %d", (int)json_integer_value(json_object_get(p, "part")));
    if (*name)
        printf(" \"%s\"", name);
    if (*view)
        printf(" view %s", view);
    printf(", %s, %s\n", json_string_value(json_object_get(p, "storage")),
           json_string_value(json_object_get(p, "compression")));
    say_box("data window", json_object_get(p, "data_window"));
    say_channels(json_object_get(p, "channels"));
    if (json_object_get(p, "depth"))
        say_depth(json_object_get(p, "depth"));
    json_object_foreach (json_object_get(p, "depthq"), key, value)
        printf("  %-22s %s\n", key, json_string_value(value));
}

static void say_file(const json_t *f)
{
    const json_t *rate = json_object_get(f, "frames_per_second");
    const json_t *timecode = json_object_get(f, "timecode");
    const json_t *p;
    char size[16];
    size_t i;

    dq_size_text((double)json_integer_value(json_object_get(f, "bytes")), size);
    printf("%s\n %s, %s, %zu part%s\n",
           json_string_value(json_object_get(f, "file")),
           json_string_value(json_object_get(f, "format")), size,
           json_array_size(json_object_get(f, "parts")),
           json_array_size(json_object_get(f, "parts")) == 1 ? "" : "s");
    say_box("display window", json_object_get(f, "display_window"));
    printf("  %-16s %g\n", "pixel aspect",
           json_real_value(json_object_get(f, "pixel_aspect")));
    if (rate)
        printf("  %-16s %g\n", "frames/s",
               (double)json_integer_value(json_array_get(rate, 0)) /
                   (double)json_integer_value(json_array_get(rate, 1)));
    if (timecode)
        printf("  %-16s %s\n", "timecode", json_string_value(timecode));
    json_array_foreach (json_object_get(f, "parts"), i, p)
        say_part(p);
}

/* ---- the program --------------------------------------------------------- */

static int inspect(const char *path, int json, json_t *list, struct dq_err *err)
{
    struct dq_bytes bytes = {0};
    struct dq_plate *plate = NULL;
    json_t *file = NULL;

    if (!dq_bytes_read_file(&bytes, path, DQ_PLATE_MAX_BYTES, DQ_PLATE, err))
        plate = dq_plate_open(bytes.data, bytes.count, path, err);
    if (plate)
        file = file_json(path, bytes.count, plate, err);
    /* people see what the header says, and then that pixels are missing */
    if (file && !json)
        say_file(file);
    if (file && !dq_plate_verify(plate, err) && json)
        json_array_append(list, file);
    json_decref(file);
    dq_plate_close(plate);
    dq_bytes_free(&bytes);
    return err->code;
}

static const char help[] =
    "Examples:\n"
    "  depthq inspect depth/sh010_depth.1001.exr\n"
    "  depthq inspect --json plate/*.exr          # for programs\n"
    "\n"
    "Usage: depthq inspect [OPTION]... FILE...\n"
    "\n"
    "Shows what picture files hold: windows, parts, channels and codec, how\n"
    "depthq made them, and statistics of the depth; then checks that every\n"
    "pixel of them decodes. Depth that is exactly what depthq/sky names is\n"
    "counted apart: sky or empty (before pixel revision 6 also far ground).\n"
    "\n"
    "      --json   a JSON array with an object a file\n"
    "  -h, --help   show this\n"
    "\n"
    "Exit status: 0, 2 wrong usage; of the last file that could not be shown:\n"
    "65 it is damaged or of another kind, 66 it is missing, 77 not allowed.\n";

static int inspect_all(char **files, int json)
{
    int status = 0;
    json_t *list = json_array();

    for (; *files; files++) {
        struct dq_err err = {0};

        if (!inspect(*files, json, list, &err))
            continue;
        fflush(stdout); /* in the order of the files */
        fprintf(stderr, "depthq inspect: %s\n", err.text);
        status = dq_code_exit(err.code);
    }
    if (json) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        puts("");
    }
    json_decref(list);
    return status;
}

static int answer(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option, json = 0;

    while ((option = dq_option_next("depthq inspect", argc, argv, ":h",
                                    options)) != -1) {
        if (option == '?')
            return dq_code_exit(DQ_USAGE);
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        json = 1;
    }
    if (optind < argc)
        return inspect_all(argv + optind, json);
    fputs("depthq inspect: which file?\nTry: depthq inspect --help\n", stderr);
    return dq_code_exit(DQ_USAGE);
}

int main(int argc, char **argv)
{
    dq_log_setup("depthq", DQ_LOG_WARN, DQ_LOG_TEXT);
    return dq_output_finish("depthq inspect", answer(argc, argv));
}
