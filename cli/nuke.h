/* nuke: a depth pass as a node that Nuke reads: the text of a .nk file, to be
 * opened, or pasted into a script. Pure.
 */
#ifndef DQ_CLI_NUKE_H
#define DQ_CLI_NUKE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dq_nuke_read {
    const char *pattern; /* of the files, absolute, with #### */
    int32_t first, last; /* frames */
    int width, height;   /* of the display window, pixels */
    double pixel_aspect;
    const char *model;   /* "mine@2.0.0"; "" where nothing is known, as in: */
    const char *channel; /* as the file has it: "Z", "depth.Z" */
    const char *kind;    /* "distance", "inverse", "native" */
    const char *unit;
};

/* How each of our files begins, and hardly one of anybody else's. */
#define DQ_NUKE_HEAD "# a depth pass, by depthq pull\n"

/* The part of a pattern's file name that names its pass: "sh010_d" of
 * /show/sh010_d.####.exr, in the pattern; *length of it, 0 for none. */
const char *dq_nuke_name(const char *pattern, size_t *length);

/* A Read node of its values as they are (raw), with a label that says what
 * they mean and what ZDefocus wants. What a header says may be anybody's: in
 * the label only harmless characters stay. The caller frees. */
char *dq_nuke_read_text(const struct dq_nuke_read *read);

#ifdef __cplusplus
}
#endif
#endif
