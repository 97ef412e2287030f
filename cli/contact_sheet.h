/* contact_sheet: a shot at a glance: plates over depths, one range and one
 * exposure for all, and the colours' legend. */
#ifndef DQ_CLI_CONTACT_SHEET_H
#define DQ_CLI_CONTACT_SHEET_H

#include "base/err.h"
#include "jobs/spec.h"

/* Draw the first, the last and evenly spaced frames between (8 at most) of a
 * job's finished frames, each cell `width` pixels across, as a PNG at
 * output. A plate that is gone leaves its place grey. DQ_MISSING when no
 * depth frame is there yet. */
int dq_contact_sheet(const struct dq_spec *spec, int width, const char *output,
                     struct dq_err *err);

#endif
