#include "infer/windows.h"

#include <stdlib.h>

#include "base/mem.h"

/* A data window with so many times the pixels of the display, and of the middle
 * data window, is a damaged header's or belongs to another shot: it must not
 * decide for all frames. */
static const double FAR_TOO_LARGE = 16;

static int is_of(const struct dq_header *h, const struct dq_shot *shot)
{
    return dq_shot_has_window(shot, &h->display, h->pixel_aspect);
}

static size_t votes_for(const struct dq_header *h,
                        const struct dq_header *headers, size_t count)
{
    struct dq_shot as = {.display = h->display,
                         .pixel_aspect = h->pixel_aspect};
    size_t votes = 0;

    for (size_t i = 0; i < count; i++)
        votes += is_of(&headers[i], &as) != 0;
    return votes;
}

const struct dq_header *dq_windows_vote(const struct dq_header *headers,
                                        size_t count)
{
    const struct dq_header *best = headers;
    size_t most = votes_for(headers, headers, count);

    for (size_t i = 1; i < count; i++) {
        size_t votes = votes_for(&headers[i], headers, count);

        if (votes > most) {
            best = &headers[i];
            most = votes;
        }
    }
    return best;
}

int dq_windows_overturn(const struct dq_header *headers, size_t count,
                        size_t all, const struct dq_shot *shot)
{
    const struct dq_header *most;

    if (count == 0)
        return 0;
    most = dq_windows_vote(headers, count);
    return !is_of(most, shot) && 2 * votes_for(most, headers, count) > all;
}

static double pixels_of(const struct dq_box *box)
{
    return (double)dq_box_width(box) * (double)dq_box_height(box);
}

static int by_pixels(const void *a, const void *b)
{
    double x = pixels_of(a), y = pixels_of(b);

    return (x > y) - (x < y);
}

/* The display window and all data windows that are of the shot's kind. */
static void span_lattice(struct dq_box *data, size_t count,
                         struct dq_shot *shot)
{
    double usual = pixels_of(&shot->display), middle;

    qsort(data, count, sizeof *data, by_pixels);
    middle = pixels_of(&data[(count - 1) / 2]);
    if (usual < middle)
        usual = middle; /* plates cropped to what moves are all smaller */
    shot->lattice = shot->display;
    for (size_t i = 0; i < count; i++)
        if (pixels_of(&data[i]) <= FAR_TOO_LARGE * usual)
            shot->lattice = dq_box_union(&shot->lattice, &data[i]);
}

void dq_windows_take(const struct dq_header *headers, size_t count,
                     const struct dq_header *chosen, struct dq_shot *shot)
{
    struct dq_box *data = dq_new_array(count, sizeof *data);
    size_t found = 0;

    shot->display = chosen->display;
    shot->pixel_aspect = chosen->pixel_aspect;
    for (size_t i = 0; i < count; i++)
        if (is_of(&headers[i], shot))
            data[found++] = headers[i].data;
    span_lattice(data, found, shot);
    free(data);
}
