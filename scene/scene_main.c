/* depthq-scene: plates with exact depth, from a seed.
 *
 *   depthq-scene plate --seed 42 --frames 1001-1024 --size 1280x720 \
 *                --camera dolly
 *
 * Writes plate.####.exr (linear RGB; half, coded: float), z.####.exr (Z in
 * metres and a sky channel), with --motion motion.####.exr (u, v: pixels to
 * the next frame), and camera.json. --raw streams frames to standard output
 * instead: one JSON line, then per frame the float32 planes R G B Z sky.
 */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"
#include "base/mem.h"
#include "base/publish.h"
#include "base/range.h"
#include "base/text.h"
#include "scene/render.h"
#include "scene/scene.h"
#include "scene/write_exr.h"

struct wish {
    struct dq_scene_rule rule;
    struct dq_range frames;
    const char *folder;
    int motion, raw, threads, cut, scenes;
};

/* ---- planes -------------------------------------------------------------- */

static size_t plane_size(const struct wish *w)
{
    return (size_t)w->rule.width * (size_t)w->rule.height;
}

static void planes_new(const struct wish *w, struct dq_planes *p)
{
    size_t n = plane_size(w);
    float *all = dq_new_array(n * 7, sizeof *all);

    p->r = all;
    p->g = all + n;
    p->b = all + 2 * n;
    p->z = all + 3 * n;
    p->sky = all + 4 * n;
    p->u = w->motion ? all + 5 * n : NULL;
    p->v = w->motion ? all + 6 * n : NULL;
}

/* ---- files --------------------------------------------------------------- */

static int write_one(const struct wish *w, const char *what, int32_t frame,
                     const struct dq_exr_plane *planes, int count, int half,
                     struct dq_err *err)
{
    char *path = dq_asprintf("%s/%s.%04" PRId32 ".exr", w->folder, what, frame);
    int code = dq_scene_write_exr(path, w->rule.width, w->rule.height, planes,
                                  count, half, err);

    free(path);
    return code;
}

static int write_frame(const struct wish *w, int32_t frame,
                       const struct dq_planes *p, struct dq_err *err)
{
    struct dq_exr_plane rgb[] = {{"R", p->r}, {"G", p->g}, {"B", p->b}};
    struct dq_exr_plane depth[] = {{"Z", p->z}, {"sky", p->sky}};
    struct dq_exr_plane motion[] = {{"u", p->u}, {"v", p->v}};

    if (write_one(w, "plate", frame, rgb, 3, w->rule.kind == DQ_NATURAL, err) ||
        write_one(w, "z", frame, depth, 2, 0, err))
        return err->code;
    return w->motion ? write_one(w, "motion", frame, motion, 2, 0, err) : DQ_OK;
}

static json_t *vector_json(struct dq_vec v)
{
    return json_pack("[f,f,f]", (double)v.x, (double)v.y, (double)v.z);
}

static json_t *camera_json(const struct dq_scene *scene, int step,
                           int32_t frame)
{
    struct dq_camera c;

    dq_camera_at(scene, step, &c);
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:f}", "frame",
                     (int)frame, "eye", vector_json(c.eye), "right",
                     vector_json(c.right), "up", vector_json(c.up), "forward",
                     vector_json(c.forward), "fx", (double)c.fx, "fy",
                     (double)c.fy, "cx", (double)c.cx, "cy", (double)c.cy);
}

static int write_cameras(const struct wish *w, json_t *cameras,
                         struct dq_err *err)
{
    char *path = dq_asprintf("%s/camera.json", w->folder);
    json_t *all = json_pack("{s:I, s:s, s:i, s:i, s:f, s:f, s:O}", "seed",
                            (json_int_t)w->rule.seed, "kind",
                            w->rule.kind == DQ_CODED ? "coded" : "natural",
                            "width", w->rule.width, "height", w->rule.height,
                            "sky_z", (double)DQ_SCENE_SKY_Z, "code_near",
                            (double)DQ_SCENE_CODE_NEAR, "cameras", cameras);
    char *text = json_dumps(all, JSON_INDENT(1));
    int code = dq_publish(path, text, strlen(text), "scene", DQ_PUBLISH_REPLACE,
                          NULL, err);

    free(text);
    json_decref(all);
    free(path);
    return code;
}

/* ---- shots --------------------------------------------------------------- */

/* After a cut the world is another one; its clock starts again. */
static int shot_of(const struct wish *w, size_t i, struct dq_scene *scene,
                   size_t *made)
{
    size_t cut_at = w->frames.count / 2;
    size_t shot = w->cut && i >= cut_at ? 1 : 0;
    struct dq_scene_rule rule = w->rule;

    if (*made != shot + 1) {
        rule.seed += shot * 1000003U;
        dq_scene_make(&rule, scene);
        *made = shot + 1;
    }
    return (int)(shot ? i - cut_at : i);
}

static int make_files(const struct wish *w, struct dq_err *err)
{
    struct dq_scene *scene = dq_new(sizeof *scene);
    json_t *cameras = json_array();
    struct dq_planes planes;
    size_t made = 0;

    planes_new(w, &planes);
    dq_make_folders(w->folder, err);
    for (size_t i = 0; i < w->frames.count && !err->code; i++) {
        int step = shot_of(w, i, scene, &made);
        int32_t frame = w->frames.frames[i];

        dq_scene_render(scene, step, w->threads, &planes);
        json_array_append_new(cameras, camera_json(scene, step, frame));
        write_frame(w, frame, &planes, err);
    }
    if (!err->code)
        write_cameras(w, cameras, err);
    json_decref(cameras);
    free(planes.r);
    free(scene);
    return err->code;
}

/* ---- raw ----------------------------------------------------------------- */

/* One frame of each of `scenes` worlds (seed, seed + 1, ...), or all frames
 * of one. */
static int stream(const struct wish *w, struct dq_err *err)
{
    struct dq_scene *scene = dq_new(sizeof *scene);
    size_t n = plane_size(w), made = 0;
    struct dq_planes planes;
    size_t count = w->scenes > 0 ? (size_t)w->scenes : w->frames.count;

    planes_new(w, &planes);
    printf("{\"width\": %d, \"height\": %d, \"frames\": %zu, \"planes\": "
           "[\"R\", \"G\", \"B\", \"Z\", \"sky\"]}\n",
           w->rule.width, w->rule.height, count);
    for (size_t i = 0; i < count && !err->code; i++) {
        struct dq_scene_rule rule = w->rule;
        int step = 0;

        rule.seed += i;
        if (w->scenes > 0)
            dq_scene_make(&rule, scene);
        else
            step = shot_of(w, i, scene, &made);
        dq_scene_render(scene, step, w->threads, &planes);
        if (fwrite(planes.r, sizeof(float), 5 * n, stdout) != 5 * n)
            dq_fail(err, DQ_IO, "standard output is closed");
    }
    if (!err->code && fflush(stdout))
        dq_fail(err, DQ_IO, "standard output is closed");
    free(planes.r);
    free(scene);
    return err->code;
}

/* ---- options ------------------------------------------------------------- */

static int usage(FILE *to, int status)
{
    fputs("depthq-scene plate --seed 42 --frames 1001-1024 --size 1280x720 "
          "--camera dolly\n\n"
          "usage: depthq-scene FOLDER [options]     write EXR files\n"
          "       depthq-scene --raw [options]      stream float32 planes\n\n"
          "  --seed N             which world (0)\n"
          "  --frames R           1001-1010 (1001)\n"
          "  --size WxH           pixels (1280x720)\n"
          "  --camera PATH        static, pan or dolly (static)\n"
          "  --kind KIND          natural, or coded: R and B tell depth\n"
          "  --grain X            standard deviation at 0.18 (0.01; coded 0)\n"
          "  --entering           something near crosses the picture\n"
          "  --cut                another world from the middle frame on\n"
          "  --motion             write motion to the next frame\n"
          "  --scenes N           with --raw: one frame of each of N worlds\n"
          "  --indoor YES         yes, no (the seed decides)\n"
          "  --threads N          (1)\n",
          to);
    return status;
}

static int take_size(const char *text, struct wish *w)
{
    int width = 0, height = 0, end = 0;

    /* what overflows is out of bounds below. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(text, "%dx%d%n", &width, &height, &end) != 2 || text[end] ||
        width < 1 || height < 1 || width > 16384 || height > 16384)
        return -1;
    w->rule.width = width;
    w->rule.height = height;
    return 0;
}

static int word(const char *text, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    return -1;
}

static int take(int option, const char *text, struct wish *w)
{
    static const char *const paths[] = {"static", "pan", "dolly", NULL};
    static const char *const kinds[] = {"natural", "coded", NULL};
    static const char *const answers[] = {"no", "yes", NULL};
    struct dq_err err = {0};
    double grain = 0;
    long number = 0;
    int choice;

    switch (option) {
    case 's':
        if (dq_text_long(text, &number) || number < 0)
            return -1;
        w->rule.seed = (uint64_t)number;
        return 0;
    case 'f':
        dq_range_free(&w->frames);
        return dq_range_parse(text, &w->frames, &err) ? -1 : 0;
    case 'z':
        return take_size(text, w);
    case 'c':
        choice = word(text, paths);
        w->rule.path = (enum dq_camera_path)choice;
        return choice < 0 ? -1 : 0;
    case 'k':
        choice = word(text, kinds);
        w->rule.kind = (enum dq_scene_kind)choice;
        return choice < 0 ? -1 : 0;
    case 'i':
        w->rule.indoor = word(text, answers);
        return w->rule.indoor < 0 ? -1 : 0;
    case 'g':
        w->rule.grain = dq_text_double(text, &grain) ? -1 : (float)grain;
        return w->rule.grain < 0 ? -1 : 0;
    case 't':
        w->threads = dq_text_long(text, &number) ? 0 : (int)number;
        return w->threads < 1 || w->threads > 256 ? -1 : 0;
    case 'n':
        w->scenes = dq_text_long(text, &number) ? 0 : (int)number;
        return w->scenes < 1 ? -1 : 0;
    case 'm':
        w->motion = 1;
        return 0;
    case 'e':
        w->rule.entering = 1;
        return 0;
    case 'u':
        w->cut = 1;
        return 0;
    case 'r':
        w->raw = 1;
        return 0;
    default:
        return -1;
    }
}

static int take_options(int argc, char **argv, struct wish *w)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"frames", required_argument, NULL, 'f'},
        {"size", required_argument, NULL, 'z'},
        {"camera", required_argument, NULL, 'c'},
        {"kind", required_argument, NULL, 'k'},
        {"grain", required_argument, NULL, 'g'},
        {"threads", required_argument, NULL, 't'},
        {"scenes", required_argument, NULL, 'n'},
        {"indoor", required_argument, NULL, 'i'},
        {"motion", no_argument, NULL, 'm'},
        {"entering", no_argument, NULL, 'e'},
        {"cut", no_argument, NULL, 'u'},
        {"raw", no_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, 0);
        if (take(option, optarg, w)) {
            if (option != '?')
                fprintf(stderr, "depthq-scene: what is '%s'?\n",
                        optarg ? optarg : "");
            return usage(stderr, 2);
        }
    }
    if (optind + !w->raw != argc)
        return usage(stderr, 2);
    w->folder = argv[optind];
    return -1;
}

int main(int argc, char **argv)
{
    struct wish w = {
        .rule = {.width = 1280, .height = 720, .grain = -1, .indoor = -1},
        .threads = 1};
    struct dq_err err = {0};
    int status;

    dq_log_setup("depthq-scene", DQ_LOG_WARN, DQ_LOG_TEXT);
    dq_range_parse("1001", &w.frames, &err);
    status = take_options(argc, argv, &w);
    if (status < 0) {
        if (w.rule.grain < 0)
            w.rule.grain = w.rule.kind == DQ_CODED ? 0 : 0.01F;
        if (w.raw)
            stream(&w, &err);
        else
            make_files(&w, &err);
        if (err.code)
            fprintf(stderr, "depthq-scene: %s\n", err.text);
        status = dq_code_exit(err.code);
    }
    dq_range_free(&w.frames);
    return dq_output_finish("depthq-scene", status);
}
