/* plate: one camera frame as a file: its header, and the pixels asked for.
 *
 * EXR goes through OpenEXRCore and nothing else; other formats (told by
 * content, not by name) through OpenImageIO where it is built in. The whole
 * file is in memory first (base/bytes.h). The header is checked before
 * anything is allocated: sides <= 32,768, <= 2^28 pixels, <= 1,024 channels,
 * <= 64 parts, tile sides <= 4,096, a row <= 64 MiB. One thread a plate.
 */
#ifndef DQ_IO_PLATE_H
#define DQ_IO_PLATE_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "io/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DQ_PLATE_MAX_BYTES ((size_t)4 << 30) /* of a file */

struct dq_plate_channel {
    const char *name; /* full name: "forward.left.u" */
    const char *type; /* "half", "float", "uint" */
    int x_sampling, y_sampling;
};

struct dq_plate_part {
    const char *name;        /* "" when it has none */
    const char *view;        /* of a multi-part file; "" when none */
    const char *storage;     /* "scanline", "tiled", "deep scanline", ... */
    const char *compression; /* "zips", "dwaa", ... */
    int deep;                /* deep parts are listed, never decoded */
    struct dq_box data;
    int channel_count;
    const struct dq_plate_channel *channels;
};

/* What a header says. Borrowed from the plate. */
struct dq_plate_info {
    const char *format; /* "openexr", or OpenImageIO's format name */
    struct dq_box display;
    float pixel_aspect;
    int part_count;
    const struct dq_plate_part *parts;
    int view_count; /* of multiView or of the parts */
    const char *const *views;
    int has_chromaticities;
    float chromaticities[8]; /* red, green, blue, white: x, y each */
    const char *interop_id;  /* colorInteropID, or NULL */
    int has_timecode;
    uint32_t timecode[2]; /* timeAndFlags, userData */
    int has_rate;
    int32_t rate[2]; /* framesPerSecond: numerator, denominator */
};

#define DQ_PLATE_REMEDY "copy or export it again"
/* Append it to an error DQ_PLATE that does not say so yet; returns the code. */
int dq_plate_remedy(struct dq_err *err);

struct dq_plate;

/* Open a plate over bytes (borrowed; must outlive it). name is the path, for
 * messages. Checks the header only. DQ_PLATE with cause and remedy. */
struct dq_plate *dq_plate_open(const void *bytes, size_t count,
                               const char *name, struct dq_err *err);
void dq_plate_close(struct dq_plate *plate); /* NULL is fine */

/* Open a file for its header alone, reading no more of it than that needs:
 * what a survey of a thousand frames can afford. dq_plate_info and _choose
 * work; decoding it is a bug of ours. DQ_MISSING, DQ_DENIED, DQ_IO,
 * DQ_PLATE. */
struct dq_plate *dq_plate_open_header(const char *path, struct dq_err *err);

/* The text of a string attribute of a part ("depthq/model"), or NULL when
 * there is none. Borrowed from the plate. */
const char *dq_plate_attribute(const struct dq_plate *plate, int part,
                               const char *name);
/* The same of the first part that has it. */
const char *dq_plate_find_attribute(const struct dq_plate *plate,
                                    const char *name);
const struct dq_plate_info *dq_plate_info(const struct dq_plate *plate);

/* What the job file asks for; NULL: not said. */
struct dq_plate_wish {
    const char *part; /* a part's name, or its number from 0 */
    const char *view;
    const char *layer; /* "beauty" -> beauty.R beauty.G beauty.B */
};

/* The channels to read: indices into parts[part].channels; alpha -1 when
 * there is none; grey: R, G and B are one luminance channel; chroma: Y, RY,
 * BY to be converted. */
struct dq_plate_choice {
    int part;
    int channel[4];
    int grey;
    int chroma;
};

/* Find what the wish names: default R, G, B (and A) of the first flat part
 * and, in stereo, of the default view. DQ_PLATE: no such part, view, layer
 * or channel (the message lists what there is), deep data, subsampling that
 * is not luminance-chroma. */
int dq_plate_choose(const struct dq_plate *plate,
                    const struct dq_plate_wish *wish,
                    struct dq_plate_choice *choice, struct dq_err *err);

/* Decode the chosen channels at full size (mipmaps: level 0) into frame: half
 * when all are half, else float (uint is converted). Every chunk must be
 * there and whole: DQ_PLATE says which line is not. DQ_MEMORY. Fault point:
 * decode. */
int dq_plate_decode(const struct dq_plate *plate,
                    const struct dq_plate_choice *choice,
                    struct dq_frame *frame, struct dq_err *err);

/* Decode every pixel of every flat part and throw it away: a full check. */
int dq_plate_verify(const struct dq_plate *plate, struct dq_err *err);

#ifdef __cplusplus
}
#endif
#endif
