/* plate_private: what a plate is made of, for the files of io alone. */
#ifndef DQ_IO_PLATE_PRIVATE_H
#define DQ_IO_PLATE_PRIVATE_H

#include "base/bytes.h"
#include "io/exr_context.h"
#include "io/plate.h"

struct dq_oiio_image;

struct dq_plate {
    struct dq_plate_info info; /* of an EXR plate */
    struct dq_exr_stream stream;
    exr_context_t exr; /* NULL: read by OpenImageIO */
    struct dq_oiio_image *image;
    struct dq_bytes own; /* opened by path, and no EXR: the file */
    char *name;
    int header_only;
};

/* Fill plate->info from plate->exr and check every bound of io/plate.h.
 * DQ_PLATE says which was passed. */
int dq_exr_header_read(struct dq_plate *plate, struct dq_err *err);
void dq_exr_header_free(struct dq_plate *plate);

/* Every chunk of every part is there and lies inside the file; DQ_PLATE
 * names part and scan line of the first that does not. */
int dq_exr_check_chunks(const struct dq_plate *plate, struct dq_err *err);

/* dq_plate_decode and dq_plate_verify of an EXR plate. */
int dq_exr_decode(const struct dq_plate *plate,
                  const struct dq_plate_choice *choice, struct dq_frame *frame,
                  struct dq_err *err);
int dq_exr_verify(const struct dq_plate *plate, struct dq_err *err);

/* "part 'beauty'", or "the plate" when it is the only one. */
#define DQ_PART_TEXT 160
void dq_plate_part_text(const struct dq_plate_info *info, int part,
                        char text[DQ_PART_TEXT]);

#endif
