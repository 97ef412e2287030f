/* parallel: one piece of work shared out among a few threads.
 *
 * For what can be cut into items that need nothing of each other. Which thread
 * does which item is chance: what comes out is the same for any number of
 * threads when every item's result has a place of its own. */
#ifndef DQ_BASE_PARALLEL_H
#define DQ_BASE_PARALLEL_H

#ifdef __cplusplus
extern "C" {
#endif

/* Call work(context, item, hand) once for each item from 0 to count - 1, in
 * rising order of beginning, on up to `threads` threads (1 or more); returns
 * when all are done. hand: 0 .. threads - 1, whose memory the call may use;
 * 0 is the caller's own thread. Where no thread can be had the others do its
 * share. What items wrote may be read afterwards. */
void dq_parallel(int threads, int count,
                 void (*work)(void *context, int item, int hand),
                 void *context);

#ifdef __cplusplus
}
#endif
#endif
