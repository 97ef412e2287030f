/* fingerprint: what a depth frame was made of, as one digest.
 *
 * Two frames with the same fingerprint have the same pixels (within one
 * execution class), so a finished one need not be made again.
 */
#ifndef DQ_BASE_FINGERPRINT_H
#define DQ_BASE_FINGERPRINT_H

#include "base/sha256.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised by every change of ours that changes pixels. */
#define DQ_PIXELS_REVISION 8

/* SHA-256 over the revision and three canonical texts: the job's pixel
 * fields with model and contract (recipe), the shot's constants, and the
 * plate's own digest. Any thread. */
void dq_fingerprint(const char *pixels_text, const char *shot_text,
                    const char *plate_sha256, char hex[DQ_SHA256_HEX]);

#ifdef __cplusplus
}
#endif
#endif
