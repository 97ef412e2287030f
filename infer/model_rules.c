/* model_rules: what binds several keys of a contract. */
#include <string.h>

#include "infer/model_fields.h"

static int given(const json_t *all, const char *object, const char *key)
{
    return json_object_get(json_object_get(all, object), key) != NULL;
}

/* ---- input ----------------------------------------------------------------*/

static int check_normalising(const struct dq_model *m, const json_t *all,
                             struct dq_err *err)
{
    if (given(all, "input", "mean") != given(all, "input", "std"))
        return dq_fail(err, DQ_MODEL,
                       "input: mean and std go together; leave both out when "
                       "the network normalises inside");
    if (!(m->range[0] < m->range[1]))
        return dq_fail(err, DQ_MODEL, "input.range: %g is not below %g",
                       (double)m->range[0], (double)m->range[1]);
    return DQ_OK;
}

static int no_multiple(const struct dq_model *m, const char *key, int side,
                       struct dq_err *err)
{
    return dq_fail(err, DQ_MODEL,
                   "input.size.%s: %d is no multiple of %d (input.multiple)",
                   key, side, m->multiple);
}

static int rule_fixed(struct dq_model *m, const json_t *size,
                      struct dq_err *err)
{
    int h = m->fixed[0], w = m->fixed[1];

    if (json_object_size(size) != 1)
        return dq_fail(err, DQ_MODEL,
                       "input.size: fixed goes without preferred, min and "
                       "max");
    if (h % m->multiple || w % m->multiple)
        return no_multiple(m, "fixed", h % m->multiple ? h : w, err);
    m->min = h < w ? h : w;
    m->max = h > w ? h : w;
    m->preferred = m->min;
    return DQ_OK;
}

static int rule_size(struct dq_model *m, const json_t *all, struct dq_err *err)
{
    const json_t *size = json_object_get(json_object_get(all, "input"), "size");

    if (m->fixed[0])
        return rule_fixed(m, size, err);
    if (!m->preferred)
        return dq_fail(err, DQ_MODEL,
                       "input.size: has neither preferred nor fixed");
    if (!m->min)
        m->min = m->multiple;
    if (!m->max)
        m->max = 16384;
    if (m->min > m->preferred || m->preferred > m->max)
        return dq_fail(err, DQ_MODEL,
                       "input.size: min %d, preferred %d, max %d are not in "
                       "order",
                       m->min, m->preferred, m->max);
    if (m->preferred % m->multiple)
        return no_multiple(m, "preferred", m->preferred, err);
    return DQ_OK;
}

/* ---- output ---------------------------------------------------------------*/

static int check_planes(const struct dq_model *m, struct dq_err *err)
{
    if (m->depth_channel >= m->output_channels)
        return dq_fail(err, DQ_MODEL,
                       "output.depth: plane %d is not among the %d of "
                       "output.channels",
                       m->depth_channel, m->output_channels);
    if (m->sky_channel >= m->output_channels)
        return dq_fail(err, DQ_MODEL,
                       "output.sky: plane %d is not among the %d of "
                       "output.channels",
                       m->sky_channel, m->output_channels);
    if (m->depth_channel == m->sky_channel)
        return dq_fail(err, DQ_MODEL, "output: depth and sky are both plane %d",
                       m->sky_channel);
    return DQ_OK;
}

static int check_layout(const struct dq_model *m, struct dq_err *err)
{
    if (m->layout == DQ_LAYOUT_NHW && m->output_channels != 1)
        return dq_fail(err, DQ_MODEL,
                       "output.layout: NHW has no room for %d planes",
                       m->output_channels);
    if (m->layout == DQ_LAYOUT_CHW && m->batch != 1)
        return dq_fail(err, DQ_MODEL,
                       "output.layout: CHW has no batch; input.batch must be "
                       "1");
    return DQ_OK;
}

static int check_unit(const struct dq_model *m, struct dq_err *err)
{
    int metric = m->scale == DQ_SCALE_METRIC;
    int inverse = m->quantity == DQ_QUANTITY_DISPARITY;

    if (!metric && *m->unit)
        return dq_fail(err, DQ_MODEL,
                       "output.unit: '%s', but output.scale says that the "
                       "scale is unknown",
                       m->unit);
    if (metric && strcmp(m->unit, "m") != 0 &&
        !(inverse && strcmp(m->unit, "1/m") == 0))
        return dq_fail(err, DQ_MODEL,
                       "output.unit: metric output is in m%s, not '%s'",
                       inverse ? " or 1/m" : "", m->unit);
    return DQ_OK;
}

int dq_model_rules(struct dq_model *m, const json_t *all, struct dq_err *err)
{
    if (check_normalising(m, all, err) || rule_size(m, all, err) ||
        check_planes(m, err) || check_layout(m, err))
        return err->code;
    return check_unit(m, err);
}
