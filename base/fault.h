/* fault: named points at which tests make things fail.
 *
 *   DQ_FAULT=publish.fsync:3          the third call of that point fails
 *   DQ_FAULT=infer:2=abort,read:1     several; =fail (default), =abort,
 *                                     =kill (SIGKILL itself), =hang, =slow
 *
 * The points stand in base/faults.def. Every build has them: one relaxed
 * load and a branch when DQ_FAULT is unset. Any thread. */
#ifndef DQ_BASE_FAULT_H
#define DQ_BASE_FAULT_H

#ifdef __cplusplus
extern "C" {
#endif

enum dq_fault {
#define DQ_FAULT_POINT(id, name, doc) DQ_FAULT_##id,
#include "base/faults.def"
#undef DQ_FAULT_POINT
    DQ_FAULTS
};

/* Read DQ_FAULT; call before threads start. A second call starts anew. A point
 * may stand as `infer` (every call), `infer:2` (the second), `infer:2+` (the
 * second and all after it); of two rules for one point the last holds. An
 * unknown point or action ends the process with a message and status 78: a test
 * that injects nothing must not pass. */
void dq_fault_setup(void);

/* True when this call of the point is to fail; the other actions happen
 * inside. */
int dq_fault(enum dq_fault point);

#ifdef __cplusplus
}
#endif
#endif
