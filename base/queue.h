/* queue: pointers from threads to threads, first in, first out, bounded.
 *
 * The pipeline gives every queue room for all tickets, so put never waits
 * there; only taking from the queue of free tickets does. */
#ifndef DQ_BASE_QUEUE_H
#define DQ_BASE_QUEUE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dq_queue;

/* A queue with room for `room` pointers (at least 1); never NULL. */
struct dq_queue *dq_queue_new(size_t room);
void dq_queue_free(struct dq_queue *queue); /* NULL is fine */

/* Add an item (not NULL). Waits while full. Putting into a closed queue is a
 * bug of ours (assert). Any thread. */
void dq_queue_put(struct dq_queue *queue, void *item);

/* The oldest item; waits while empty. NULL: closed and drained. */
void *dq_queue_take(struct dq_queue *queue);

/* As take, but NULL at once when empty. */
void *dq_queue_try(struct dq_queue *queue);

/* No more will be put; takers drain what is left, then get NULL. A queue
 * with several producers counts them: it closes at the last call. */
void dq_queue_producers(struct dq_queue *queue, int count); /* before use */
void dq_queue_close(struct dq_queue *queue);

#ifdef __cplusplus
}
#endif
#endif
