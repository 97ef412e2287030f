/* ticket: one of N slots in the pipeline, and all that a frame needs there.
 *
 * Internal to infer/. Whoever took the ticket from a queue owns it, so no
 * field has a lock. Buffers stay with the ticket and are used again.
 */
#ifndef DQ_INFER_TICKET_H
#define DQ_INFER_TICKET_H

#include "base/bytes.h"
#include "infer/answers.h"
#include "infer/guide.h"
#include "infer/pipeline.h"
#include "infer/place.h"
#include "infer/session.h"
#include "infer/shot.h"
#include "io/frame.h"
#include "io/ledger.h"
#include "io/plate.h"

/* A plate's pixels as the network sees them, placed on the lattice. */
struct dq_ticket_picture {
    float *rgb;    /* planar 3 x height x width */
    float *valid;  /* height x width; NULL: all are real */
    float *buffer; /* owns both, and depth and sky below */
    size_t room;   /* floats of buffer */
    float *depth;  /* height x width, the network's quantity */
    float *sky;    /* height x width, or NULL */
    int width, height;
    int x, y;
};

struct dq_ticket {
    struct dq_request request;
    struct dq_outcome outcome;
    struct dq_err *err; /* &outcome.err */
    char *plate_path, *output_path;
    struct dq_shot shot;
    struct dq_bytes file;     /* the plate's bytes */
    struct dq_file_mark mark; /* the plate's size, time and digest */
    struct dq_plate *plate;   /* opened over file */
    struct dq_plate_choice choice;
    struct dq_frame frame;
    struct dq_ticket_picture picture;
    struct dq_guide guide;     /* a scan's; a render's when has_guide */
    int has_guide;             /* the shot's folder had it */
    struct dq_place place;     /* in a stabilized shot, */
    int placed;                /* once it is known */
    struct dq_tile_plan *plan; /* once inference has begun */
    char plan_text[128];
    struct dq_answers answers; /* of a render's tiles */
    struct dq_tile_counts counts;
    struct dq_bytes encoded;
    float *plane, *mask; /* depth and mask over the data window */
    size_t plane_room;   /* floats of each */
    int is_reading;      /* between begin and the gate */
    int holds_budget;    /* counts against the byte budget, */
    size_t held_bytes;   /* with this much */
    double started;      /* dq_clock_s when a reader took it */
};

void dq_ticket_begin(struct dq_ticket *ticket,
                     const struct dq_request *request);
void dq_ticket_end(struct dq_ticket *ticket); /* keeps the buffers */
void dq_ticket_free_buffers(struct dq_ticket *ticket);

/* picture.c: decode's frame -> picture: colour, square pixels, placed on the
 * lattice. The frame's counts of bad pixels are added to counts. */
int dq_picture_make(struct dq_ticket *ticket, struct dq_pixel_counts *counts,
                    int *guessed_colour);

/* picture.c: the picture as session and merge take it; lent by the ticket. */
struct dq_picture dq_ticket_picture(const struct dq_ticket *ticket);

/* picture.c: the picture's depth and mask over the plate's data window, in
 * ticket->plane and ticket->mask: sky and empty pixels are marked 0 in the
 * mask; depth is still the network's quantity. */
int dq_picture_back(struct dq_ticket *ticket);

/* Likelihood from which on a network's sky channel means sky. */
#define DQ_SKY_FROM 0.5F

/* Whether the task is the whole shot's, without a frame of its own. */
int dq_ticket_of_shot(const struct dq_ticket *ticket);

/* The fingerprint of what the ticket renders, once its plate's digest is
 * known (and its place, in a stabilized shot). */
void dq_ticket_fingerprint(struct dq_ticket *ticket);

/* Bytes that a frame of this plate will hold from reading to publishing. */
size_t dq_ticket_bytes(const struct dq_ticket *ticket);
/* Bytes that the engine holds for frames like this one, whichever is in hand,
 * and, in *answers, what each of them holds for its tiles; 0 when it cannot be
 * planned (inference will say why). */
size_t dq_engine_bytes(const struct dq_device *device,
                       const struct dq_ticket *ticket, size_t *answers);

/* stage_read.c: everything up to the picture, or outcome.skipped. begin is
 * called before the file is read, gate once the header is known, before pixels
 * are allocated; both may wait for memory. */
struct dq_reader_hooks {
    void *context;
    void (*begin)(void *context, struct dq_ticket *ticket);
    int (*gate)(void *context, struct dq_ticket *ticket);
    void (*note)(void *context, const struct dq_ticket *ticket,
                 const char *text);
    /* of a survey or solve: it goes on, with this ("plate 1010") */
    void (*going)(void *context, struct dq_ticket *ticket, const char *with);
    int threads;   /* that a solve may use */
    size_t memory; /* bytes that frames in flight may hold; 0: any */
    /* of a solve: it will hold so many bytes (or may not) */
    int (*hold)(void *context, struct dq_ticket *ticket, size_t bytes);
};
int dq_stage_read(struct dq_ticket *ticket,
                  const struct dq_reader_hooks *hooks);

/* Whether the decoded frame has the display window and pixel aspect of the
 * ticket's shot, and lies on its lattice: DQ_OK, or DQ_PLATE with what is to be
 * done. path: of the plate, for the message. */
int dq_stage_fits_shot(struct dq_ticket *ticket, const char *path);

/* Read, check, open and decode a plate; no looking at ledger or output. */
int dq_stage_read_plate(struct dq_ticket *ticket, const char *path,
                        const struct dq_reader_hooks *hooks);

/* Its pieces: the file's bytes and digest; from those to the picture. */
int dq_stage_read_file(struct dq_ticket *ticket, const char *path);
int dq_stage_read_picture(struct dq_ticket *ticket,
                          const struct dq_reader_hooks *hooks);

/* stage_infer.c: the one thread that owns the network. */
struct dq_engine;
struct dq_engine *dq_engine_new(const struct dq_device *device);
void dq_engine_free(struct dq_engine *engine);
/* The network's answers to the frame's tiles. tag: of the note that a late
 * frame leaves (infer/place.h). */
int dq_engine_run(struct dq_engine *engine, struct dq_ticket *ticket,
                  const char *tag);
/* The ticket's guide, with luma and mask. */
int dq_engine_scan(struct dq_engine *engine, struct dq_ticket *ticket);
/* The guide of the ticket's picture: height x width floats in engine memory,
 * valid until the next call. A survey's: where the frame's render will need
 * it, it is kept for that. */
const float *dq_engine_guide(struct dq_engine *engine, struct dq_ticket *ticket,
                             int *width, int *height);

/* survey.c: whether a survey asks the network: only an answer with an unknown
 * scale needs the shot's range, and where frames are solved the range is of
 * what they are solved to. */
int dq_survey_asks(const struct dq_recipe *recipe);
/* Make and publish shot.json, or find that it is there. */
int dq_survey(struct dq_engine *engine, struct dq_ticket *ticket,
              const char *tag, const struct dq_reader_hooks *hooks);

/* scan.c: a frame's guide, unless it is there already (outcome.skipped); its
 * luma and mask beside the depth (sky: the network's, or NULL; may lie in
 * guide->real); published. */
int dq_scan_read(struct dq_ticket *ticket, const struct dq_reader_hooks *hooks);
int dq_scan_planes(const struct dq_picture *picture,
                   const struct dq_tile_plan *plan, const float *sky,
                   struct dq_guide *guide, struct dq_err *err);
int dq_scan_write(struct dq_ticket *ticket, const char *run_id);

/* solve.c: solve the shot from its guides and publish shot.json, or find that
 * it is solved. DQ_MISSING: no guide at all, or (recipe->apart) guides that
 * nobody has made yet; DQ_PLATE: too long a shot for the byte budget. */
int dq_solve(struct dq_ticket *ticket, const char *tag,
             const struct dq_reader_hooks *hooks);

/* stage_write.c: merge, quantity, checks, encode, publish, ledger. device: by
 * which it was made, for the ledger. */
int dq_stage_write(struct dq_ticket *ticket, const char *run_id,
                   const char *device);

/* Name the ticket's model in a record; who else made it is not known. */
void dq_ticket_made(const struct dq_ticket *ticket, struct dq_made *made);

/* The tag of temps' names: <run id>-<kind or frame>-<attempt>. */
void dq_ticket_tag(const struct dq_ticket *ticket, const char *run_id,
                   char *tag, size_t room);

#endif
