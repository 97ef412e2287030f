/* windows: what the headers of a shot's plates agree on. Internal to infer/.
 *
 * A shot has one display window and one pixel aspect; data windows may move.
 * A plate that differs is an error of its own frame, whichever frame it is, so
 * most plates decide and not the first. Pure; any thread.
 */
#ifndef DQ_INFER_WINDOWS_H
#define DQ_INFER_WINDOWS_H

#include "infer/shot.h"

/* Of a plate, in its pixels. */
struct dq_header {
    struct dq_box display, data;
    float pixel_aspect;
};

/* The first of the headers (at least one) whose display window and pixel
 * aspect most of them have; of two as frequent the one that comes first. */
const struct dq_header *dq_windows_vote(const struct dq_header *headers,
                                        size_t count);

/* Whether these headers, all that could be read of `all` plates, overturn what
 * was decided for the shot: more than half of all plates agree on another
 * window or aspect. Plates that cannot be read now may have the shot's; with
 * none readable nothing is overturned. */
int dq_windows_overturn(const struct dq_header *headers, size_t count,
                        size_t all, const struct dq_shot *shot);

/* Give the shot the chosen header's display window and pixel aspect, and the
 * lattice that holds the data windows of all headers that have them. */
void dq_windows_take(const struct dq_header *headers, size_t count,
                     const struct dq_header *chosen, struct dq_shot *shot);

#endif
