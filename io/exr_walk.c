#include "io/exr_walk.h"

#include <stdio.h>
#include <string.h>

static exr_result_t count_tiles(struct dq_exr_walk *walk)
{
    return exr_get_tile_counts(walk->exr, walk->part, walk->level_x,
                               walk->level_y, &walk->count_x, &walk->count_y);
}

static exr_result_t start_tiles(struct dq_exr_walk *walk)
{
    exr_tile_level_mode_t mode;
    exr_tile_round_mode_t round;
    uint32_t width, height;
    exr_result_t result;

    result = exr_get_tile_descriptor(walk->exr, walk->part, &width, &height,
                                     &mode, &round);
    if (result == EXR_ERR_SUCCESS)
        result = exr_get_tile_levels(walk->exr, walk->part, &walk->levels_x,
                                     &walk->levels_y);
    if (result != EXR_ERR_SUCCESS)
        return result;
    walk->step_x = (int32_t)width;
    walk->step_y = (int32_t)height;
    walk->ripmap = mode == EXR_TILE_RIPMAP_LEVELS;
    return count_tiles(walk);
}

static exr_result_t start_lines(struct dq_exr_walk *walk)
{
    exr_result_t result;
    int64_t height = (int64_t)walk->data.max.y - walk->data.min.y + 1;

    result = exr_get_scanlines_per_chunk(walk->exr, walk->part, &walk->step_y);
    if (result != EXR_ERR_SUCCESS)
        return result;
    if (walk->step_y < 1)
        return EXR_ERR_INVALID_ATTR;
    walk->count_x = 1;
    walk->count_y = (int32_t)((height + walk->step_y - 1) / walk->step_y);
    return EXR_ERR_SUCCESS;
}

exr_result_t dq_exr_walk_start(struct dq_exr_walk *walk, exr_context_t exr,
                               int part, int all_levels)
{
    exr_storage_t storage;
    exr_result_t result;

    memset(walk, 0, sizeof *walk);
    walk->exr = exr;
    walk->part = part;
    walk->all_levels = all_levels;
    walk->levels_x = walk->levels_y = 1;
    result = exr_get_storage(exr, part, &storage);
    if (result == EXR_ERR_SUCCESS)
        result = exr_get_data_window(exr, part, &walk->data);
    if (result != EXR_ERR_SUCCESS)
        return result;
    walk->deep = storage == EXR_STORAGE_DEEP_SCANLINE ||
                 storage == EXR_STORAGE_DEEP_TILED;
    walk->tiled =
        storage == EXR_STORAGE_TILED || storage == EXR_STORAGE_DEEP_TILED;
    if (!walk->deep && !walk->tiled && storage != EXR_STORAGE_SCANLINE)
        return EXR_ERR_FEATURE_NOT_IMPLEMENTED;
    return walk->tiled ? start_tiles(walk) : start_lines(walk);
}

/* Chunks of a ripmap go by rows of levels, of a mipmap along the diagonal. */
static int next_level(struct dq_exr_walk *walk)
{
    if (!walk->tiled || !walk->all_levels)
        return 0;
    if (walk->ripmap) {
        if (++walk->level_x == walk->levels_x) {
            walk->level_x = 0;
            walk->level_y++;
        }
    } else {
        walk->level_x++;
        walk->level_y++;
    }
    if (walk->level_x >= walk->levels_x || walk->level_y >= walk->levels_y)
        return 0;
    walk->x = walk->y = 0;
    return count_tiles(walk) == EXR_ERR_SUCCESS;
}

int dq_exr_walk_next(struct dq_exr_walk *walk)
{
    if (!walk->begun) {
        walk->begun = 1;
        return walk->count_x > 0 && walk->count_y > 0;
    }
    if (++walk->x < walk->count_x)
        return 1;
    walk->x = 0;
    if (++walk->y < walk->count_y)
        return 1;
    return next_level(walk);
}

static int32_t first_line(const struct dq_exr_walk *walk)
{
    return (int32_t)(walk->data.min.y + dq_exr_walk_row(walk));
}

exr_result_t dq_exr_walk_read(const struct dq_exr_walk *walk,
                              exr_chunk_info_t *chunk)
{
    memset(chunk, 0, sizeof *chunk);
    if (walk->tiled)
        return exr_read_tile_chunk_info(walk->exr, walk->part, walk->x, walk->y,
                                        walk->level_x, walk->level_y, chunk);
    return exr_read_scanline_chunk_info(walk->exr, walk->part, first_line(walk),
                                        chunk);
}

exr_result_t dq_exr_walk_write(const struct dq_exr_walk *walk,
                               exr_chunk_info_t *chunk)
{
    memset(chunk, 0, sizeof *chunk);
    if (walk->tiled)
        return exr_write_tile_chunk_info(walk->exr, walk->part, walk->x,
                                         walk->y, walk->level_x, walk->level_y,
                                         chunk);
    return exr_write_scanline_chunk_info(walk->exr, walk->part,
                                         first_line(walk), chunk);
}

int64_t dq_exr_walk_column(const struct dq_exr_walk *walk)
{
    return (int64_t)walk->x * walk->step_x;
}

int64_t dq_exr_walk_row(const struct dq_exr_walk *walk)
{
    return (int64_t)walk->y * walk->step_y;
}

void dq_exr_walk_place(const struct dq_exr_walk *walk, char text[DQ_EXR_PLACE])
{
    int64_t first = walk->data.min.y + dq_exr_walk_row(walk);
    int64_t last = first + walk->step_y - 1;

    if (last > walk->data.max.y)
        last = walk->data.max.y;
    if (walk->level_x || walk->level_y)
        snprintf(text, DQ_EXR_PLACE, "tile (%d, %d) of level (%d, %d)", walk->x,
                 walk->y, walk->level_x, walk->level_y);
    else if (walk->tiled)
        snprintf(text, DQ_EXR_PLACE, "scan lines %lld to %lld, tile (%d, %d)",
                 (long long)first, (long long)last, walk->x, walk->y);
    else if (first == last)
        snprintf(text, DQ_EXR_PLACE, "scan line %lld", (long long)first);
    else
        snprintf(text, DQ_EXR_PLACE, "scan lines %lld to %lld",
                 (long long)first, (long long)last);
}
