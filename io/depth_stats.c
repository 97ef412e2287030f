#include "io/depth_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/sorted.h"
#include "base/text.h"
#include "io/provenance.h"

int dq_depth_channel(const struct dq_plate_part *part)
{
    int found = -1;

    for (int i = 0; i < part->channel_count; i++) {
        const char *name = part->channels[i].name;
        const char *dot = strrchr(name, '.');
        const char *last = dot ? dot + 1 : name;

        if (strcasecmp(last, "Z") != 0 && strcasecmp(last, "depth") != 0)
            continue;
        if (found < 0 || !dot)
            found = i;
    }
    return found;
}

int dq_depth_channel_of(const struct dq_plate *plate, int part)
{
    const struct dq_plate_part *p = &dq_plate_info(plate)->parts[part];
    const char *name =
        dq_plate_attribute(plate, part, dq_provenance_name(DQ_ATTR_CHANNEL));

    for (int i = 0; name && i < p->channel_count; i++)
        if (strcmp(p->channels[i].name, name) == 0)
            return i;
    return dq_depth_channel(p);
}

int dq_depth_decode(const struct dq_plate *plate, int part, int channel,
                    struct dq_frame *frame, struct dq_err *err)
{
    struct dq_plate_choice choice = {
        .part = part, .channel = {channel, channel, channel, -1}, .grey = 1};

    return dq_plate_decode(plate, &choice, frame, err);
}

int dq_depth_sky(const struct dq_plate *plate, int part, float *sky)
{
    const char *text =
        dq_plate_attribute(plate, part, dq_provenance_name(DQ_ATTR_SKY));
    double value;

    if (!text || dq_text_double(text, &value))
        return 0;
    *sky = (float)value;
    return 1;
}

/* values: the ones that count, put in order here. */
static void measure(float *values, size_t n, struct dq_depth_stats *s)
{
    double sum = 0;

    if (n == 0)
        return;
    dq_sort_floats(values, n);
    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    s->least = (double)values[0];
    s->greatest = (double)values[n - 1];
    s->median = (double)values[n / 2];
    s->mean = sum / (double)n;
}

/* All rows as float, without sky and what is not finite. */
static size_t gather(const struct dq_frame *frame, int has_sky, float sky,
                     float *values, struct dq_depth_stats *s)
{
    int64_t w = dq_box_width(&frame->data), h = dq_box_height(&frame->data);
    size_t n = 0;

    for (int64_t y = 0; y < h; y++) {
        float *row = values + n; /* n never passes y * w */

        dq_frame_row(frame, DQ_PLANE_R, y, 0, w, row);
        for (int64_t x = 0; x < w; x++) {
            float v = row[x];

            if (!isfinite(v))
                s->not_finite++;
            else if (has_sky && !(v < sky) && !(v > sky))
                s->sky++;
            else
                values[n++] = v;
        }
    }
    s->pixels = w * h;
    return n;
}

int dq_depth_stats_of(const struct dq_plate *plate, int part, int channel,
                      struct dq_depth_stats *stats, struct dq_err *err)
{
    struct dq_frame frame = {0};
    float *values = NULL, sky = 0;
    int has_sky = dq_depth_sky(plate, part, &sky);
    size_t room;

    memset(stats, 0, sizeof *stats);
    if (!dq_depth_decode(plate, part, channel, &frame, err)) {
        room = (size_t)dq_box_width(&frame.data) *
               (size_t)dq_box_height(&frame.data);
        values = malloc(room * sizeof *values);
        if (values)
            measure(values, gather(&frame, has_sky, sky, values, stats), stats);
        else
            dq_fail(err, DQ_MEMORY, "no memory for %zu depths", room);
    }
    free(values);
    dq_frame_free(&frame);
    return err->code;
}
