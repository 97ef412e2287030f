/* depth_stats: what a depth channel holds, in a few numbers.
 *
 * Sky, where the header names its value, is counted and left out of the
 * others. One thread a plate.
 */
#ifndef DQ_IO_DEPTH_STATS_H
#define DQ_IO_DEPTH_STATS_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "io/plate.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dq_depth_stats {
    int64_t pixels, sky, not_finite;
    double least, greatest, mean, median; /* of finite values that are not
                                             sky; 0 when there are none */
};

/* The channel that readers take for depth: its name's last part is Z or
 * depth in any case; a bare one is preferred. -1 when there is none. */
int dq_depth_channel(const struct dq_plate_part *part);

/* The channel that the part's own provenance names, else as above. */
int dq_depth_channel_of(const struct dq_plate *plate, int part);

/* Decode one channel of a part over its data window: frame's R plane. */
int dq_depth_decode(const struct dq_plate *plate, int part, int channel,
                    struct dq_frame *frame, struct dq_err *err);

int dq_depth_stats_of(const struct dq_plate *plate, int part, int channel,
                      struct dq_depth_stats *stats, struct dq_err *err);

/* The value that the header names for sky; false when it names none. */
int dq_depth_sky(const struct dq_plate *plate, int part, float *sky);

#ifdef __cplusplus
}
#endif
#endif
