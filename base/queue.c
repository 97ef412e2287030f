#include "base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct dq_queue {
    pthread_mutex_t lock; /* protects everything below */
    pthread_cond_t changed;
    void **ring;
    size_t room, first, count;
    int producers; /* that have not closed yet */
};

struct dq_queue *dq_queue_new(size_t room)
{
    struct dq_queue *q = dq_new(sizeof *q);

    assert(room > 0);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->changed, NULL);
    q->ring = dq_new_array(room, sizeof *q->ring);
    q->room = room;
    q->producers = 1;
    return q;
}

void dq_queue_free(struct dq_queue *q)
{
    if (!q)
        return;
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q->ring);
    free(q);
}

void dq_queue_producers(struct dq_queue *q, int count)
{
    q->producers = count;
}

void dq_queue_put(struct dq_queue *q, void *item)
{
    assert(item);
    pthread_mutex_lock(&q->lock);
    assert(q->producers > 0);
    while (q->count == q->room)
        pthread_cond_wait(&q->changed, &q->lock);
    q->ring[(q->first + q->count++) % q->room] = item;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

/* With the lock held: the oldest item, or NULL. */
static void *pop(struct dq_queue *q)
{
    void *item = NULL;

    if (q->count > 0) {
        item = q->ring[q->first];
        q->first = (q->first + 1) % q->room;
        q->count--;
        pthread_cond_broadcast(&q->changed);
    }
    return item;
}

void *dq_queue_take(struct dq_queue *q)
{
    void *item;

    pthread_mutex_lock(&q->lock);
    while (q->count == 0 && q->producers > 0)
        pthread_cond_wait(&q->changed, &q->lock);
    item = pop(q);
    pthread_mutex_unlock(&q->lock);
    return item;
}

void *dq_queue_try(struct dq_queue *q)
{
    void *item;

    pthread_mutex_lock(&q->lock);
    item = pop(q);
    pthread_mutex_unlock(&q->lock);
    return item;
}

void dq_queue_close(struct dq_queue *q)
{
    pthread_mutex_lock(&q->lock);
    if (q->producers > 0)
        q->producers--;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}
