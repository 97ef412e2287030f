/* Whatever a contract says: no crash, and what is taken keeps its rules. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "infer/model.h"
#include "infer/tile_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every plan that a contract yields is one that its network takes. */
static void try_plan(const struct dq_model *m, int width, int height)
{
    struct dq_err err = {0};
    struct dq_tile_plan *p = dq_tile_plan_new(width, height, 0, 0.25, m, &err);

    assert(p || err.code == DQ_MODEL);
    if (p) {
        assert(p->tile_w % m->multiple == 0 && p->tile_h % m->multiple == 0);
        assert(p->guide_w % m->multiple == 0 && p->guide_h % m->multiple == 0);
        assert(p->tile_w >= m->min && p->tile_w <= m->max);
        assert(p->guide_h >= m->min && p->guide_h <= m->max);
        assert(p->content_w <= p->guide_w && p->content_h <= p->guide_h);
    }
    dq_tile_plan_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dq_err err = {0};
    struct dq_model *m = dq_model_parse((const char *)data, size, &err);

    assert(!m == (err.code == DQ_MODEL));
    if (m) {
        assert(strlen(m->contract_sha256) == 64);
        assert(m->min >= 1 && m->min <= m->preferred && m->preferred <= m->max);
        assert(m->depth_channel < m->output_channels);
        assert(m->std[0] > 0 && m->range[0] < m->range[1]);
        try_plan(m, 3, 5);
        try_plan(m, 97, 61);
    }
    dq_model_free(m);
    return 0;
}
