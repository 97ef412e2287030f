/* contact_sheet: a shot at a glance: plates over depths, one range for all. */
#ifndef DQ_CLI_CONTACT_SHEET_H
#define DQ_CLI_CONTACT_SHEET_H

#include "base/err.h"

/* Draw the first, the last and evenly spaced frames between (8 at most) of a
 * job's finished frames, each cell `width` pixels across, as a PNG at
 * output. DQ_MISSING when no depth frame is there yet. */
int dq_contact_sheet(const char *job_file, int width, const char *output,
                     struct dq_err *err);

#endif
