/* version: which of two versions of a model is the later one.
 *
 * Semantic versioning's order (semver.org, item 11): numbers between dots as
 * numbers (1.10.0 after 1.9.2), a version before its own pre-releases ends
 * (1.0.0-rc.2 before 1.0.0). Versions with fewer or more numbers are ordered
 * too (1.2 before 1.2.1). What follows a '+' decides only between versions
 * that are equal otherwise, so that the order is total. Pure.
 */
#ifndef DQ_JOBS_VERSION_H
#define DQ_JOBS_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* Less than, equal to or greater than 0, as strcmp. */
int dq_version_compare(const char *a, const char *b);

#ifdef __cplusplus
}
#endif
#endif
