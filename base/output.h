/* output: what a program prints for others is whole, or it is no success. */
#ifndef DQ_BASE_OUTPUT_H
#define DQ_BASE_OUTPUT_H

#ifdef __cplusplus
extern "C" {
#endif

/* The exit status of a program (named who) that is about to end with status:
 * when not all of its standard output went out, that of DQ_IO instead of 0,
 * with words on stderr. Last in every main. */
int dq_output_finish(const char *who, int status);

#ifdef __cplusplus
}
#endif
#endif
