/* align_frame: infer's alignment of one frame on raw floats, for the bench
 * and the oracle.
 *
 *   align_frame MODEL WIDTH HEIGHT plan
 *   align_frame MODEL WIDTH HEIGHT align <in >out
 *
 * plan prints one line of JSON: how the frame is cut for the model. align
 * reads the guide (content_h x content_w) and the tiles (count x tile_h x
 * tile_w) as float32, and writes scale, shift and fate of every tile, then
 * the blend before and after the low band (height x width each), as float32.
 * CPU seconds spent go to stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "infer/align.h"
#include "infer/blend.h"

struct frame {
    const struct dq_tile_plan *plan;
    size_t tile, guide, pixels; /* floats of each */
    float *given;               /* guide, then tiles */
    const float **at;
    struct dq_tile_affine *affine;
    float *depth, *before, *weight;
};

static void print_plan(const struct dq_tile_plan *p)
{
    printf("{\"tile\": [%d, %d], \"overlap\": [%d, %d], \"guide\": [%d, %d], "
           "\"content\": [%d, %d], \"columns\": %d, \"rows\": %d, "
           "\"tiles\": [",
           p->tile_h, p->tile_w, p->overlap_y, p->overlap_x, p->guide_h,
           p->guide_w, p->content_h, p->content_w, p->columns, p->rows);
    for (int k = 0; k < p->count; k++)
        printf("%s[%d, %d]", k ? ", " : "", p->tiles[k].y, p->tiles[k].x);
    printf("]}\n");
}

static void frame_new(struct frame *f, const struct dq_tile_plan *plan)
{
    size_t count = (size_t)plan->count;

    f->plan = plan;
    f->tile = (size_t)plan->tile_w * (size_t)plan->tile_h;
    f->guide = (size_t)plan->content_w * (size_t)plan->content_h;
    f->pixels = (size_t)plan->width * (size_t)plan->height;
    f->given = dq_new_array(f->guide + count * f->tile, sizeof *f->given);
    f->at = dq_new_array(count, sizeof *f->at);
    for (size_t k = 0; k < count; k++)
        f->at[k] = f->given + f->guide + k * f->tile;
    f->affine = dq_new_array(count, sizeof *f->affine);
    f->depth = dq_new_array(f->pixels * 3, sizeof *f->depth);
    f->before = f->depth + f->pixels;
    f->weight = f->before + f->pixels;
}

static void frame_free(struct frame *f)
{
    free(f->given);
    free(f->at);
    free(f->affine);
    free(f->depth);
}

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void blend(struct frame *f)
{
    struct dq_blend b = {.depth = f->depth,
                         .weight = f->weight,
                         .width = f->plan->width,
                         .height = f->plan->height};

    dq_blend_clear(&b);
    for (int k = 0; k < f->plan->count; k++)
        if (f->affine[k].fate != DQ_TILE_GUIDE_ONLY)
            dq_blend_add(&b, f->plan, k, f->at[k], f->affine[k].scale,
                         f->affine[k].shift);
}

static int align(struct frame *f, int log_space, struct dq_err *err)
{
    struct dq_picture all = {.width = f->plan->width,
                             .height = f->plan->height};
    struct dq_align_job job = {.plan = f->plan,
                               .picture = &all,
                               .guide = f->given,
                               .tiles = f->at,
                               .log_space = log_space};
    double begun = cpu_s(), solved, blended;

    if (dq_align(&job, f->affine, err))
        return err->code;
    solved = cpu_s();
    blend(f);
    memcpy(f->before, f->depth, f->pixels * sizeof *f->depth);
    blended = cpu_s();
    dq_align_low_band(&job, f->depth, err);
    fprintf(stderr, "{\"align_s\": %.4f, \"blend_s\": %.4f, \"low_s\": %.4f}\n",
            solved - begun, blended - solved, cpu_s() - blended);
    return err->code;
}

static int put(const float *values, size_t count)
{
    return fwrite(values, sizeof *values, count, stdout) != count;
}

static int run(struct frame *f, int log_space, struct dq_err *err)
{
    size_t given = f->guide + (size_t)f->plan->count * f->tile;
    int bad = 0;

    if (fread(f->given, sizeof *f->given, given, stdin) != given)
        return dq_fail(err, DQ_USAGE, "stdin has fewer than %zu floats", given);
    if (align(f, log_space, err))
        return err->code;
    for (int k = 0; k < f->plan->count; k++) {
        float told[3] = {f->affine[k].scale, f->affine[k].shift,
                         (float)f->affine[k].fate};

        bad |= put(told, 3);
    }
    bad |= put(f->before, f->pixels);
    bad |= put(f->depth, f->pixels);
    return bad ? dq_fail(err, DQ_IO, "cannot write to stdout") : DQ_OK;
}

int main(int argc, char **argv)
{
    struct dq_err err = {0};
    struct dq_bytes bytes = {0};
    struct dq_model *model;
    struct dq_tile_plan *plan = NULL;

    if (argc != 5) {
        fputs("usage: align_frame MODEL WIDTH HEIGHT plan|align\n", stderr);
        return 2;
    }
    model = dq_model_read(argv[1], NULL, &bytes, &err);
    if (model)
        plan = dq_tile_plan_new(atoi(argv[2]), atoi(argv[3]), 0, 0.25, model,
                                &err);
    if (plan && strcmp(argv[4], "plan") == 0) {
        print_plan(plan);
    } else if (plan) {
        struct frame f;

        frame_new(&f, plan);
        run(&f, model->scale != DQ_SCALE_AFFINE, &err);
        frame_free(&f);
    }
    dq_tile_plan_free(plan);
    dq_model_free(model);
    dq_bytes_free(&bytes);
    if (err.code)
        fprintf(stderr, "%s: %s\n", dq_code_name(err.code), err.text);
    return err.code ? dq_code_exit(err.code) : 0;
}
