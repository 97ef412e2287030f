/* align_shot: infer's solve over a shot on raw floats, for the bench and the
 * oracle.
 *
 *   align_shot COUNT ROWS COLS LUMA_ROWS LUMA_COLS <in >out
 *
 * in, float32: all guides (COUNT x ROWS x COLS block means; a first value of
 * NaN: the frame is missing), all masks (the same shape, 1 where real), all
 * lumas (COUNT x LUMA_ROWS x LUMA_COLS). out: one line a frame: scale, shift,
 * stretch, anchor, evidence.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "infer/shot_solve.h"

static float *take(size_t count)
{
    float *v = dq_new_array(count, sizeof *v);

    if (fread(v, sizeof *v, count, stdin) != count) {
        fputs("stdin has too few floats\n", stderr);
        exit(2);
    }
    return v;
}

int main(int argc, char **argv)
{
    struct dq_err err = {0};
    struct dq_shot_views views = {0};
    struct dq_shot_view *frames;
    struct dq_frame_affine *affine;
    float *guides, *masks, *lumas;
    size_t n, blocks, pixels;

    if (argc != 6) {
        fputs("usage: align_shot COUNT ROWS COLS LUMA_ROWS LUMA_COLS\n",
              stderr);
        return 2;
    }
    views.count = atoi(argv[1]);
    views.rows = atoi(argv[2]);
    views.cols = atoi(argv[3]);
    views.luma_rows = atoi(argv[4]);
    views.luma_cols = atoi(argv[5]);
    n = (size_t)views.count;
    blocks = (size_t)views.rows * (size_t)views.cols;
    pixels = (size_t)views.luma_rows * (size_t)views.luma_cols;
    guides = take(n * blocks);
    masks = take(n * blocks);
    lumas = take(n * pixels);
    frames = dq_new_array(n, sizeof *frames);
    affine = dq_new_array(n, sizeof *affine);
    for (size_t t = 0; t < n; t++) {
        frames[t].guide =
            isnan(guides[t * blocks]) ? NULL : guides + t * blocks;
        frames[t].real = masks + t * blocks;
        frames[t].luma = lumas + t * pixels;
    }
    views.frames = frames;
    dq_shot_solve(&views, affine, &err);
    for (size_t t = 0; t < n && !err.code; t++)
        printf("%.17g %.17g %d %d %d\n", affine[t].scale, affine[t].shift,
               affine[t].stretch, affine[t].anchor, affine[t].evidence);
    if (err.code)
        fprintf(stderr, "%s: %s\n", dq_code_name(err.code), err.text);
    free(affine);
    free(frames);
    free(lumas);
    free(masks);
    free(guides);
    return err.code ? dq_code_exit(err.code) : 0;
}
