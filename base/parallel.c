#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"

struct shared {
    void (*work)(void *context, int item, int hand);
    void *context;
    int count;
    atomic_int next; /* item that nobody has begun */
};

struct hand {
    struct shared *shared;
    int index;
    pthread_t thread;
};

static void *labour(void *context)
{
    struct hand *hand = context;
    struct shared *shared = hand->shared;
    int item;

    while ((item = atomic_fetch_add(&shared->next, 1)) < shared->count)
        shared->work(shared->context, item, hand->index);
    return NULL;
}

void dq_parallel(int threads, int count,
                 void (*work)(void *context, int item, int hand), void *context)
{
    struct shared shared = {.work = work, .context = context, .count = count};
    int most = threads < count ? threads : count, hired = 1;
    struct hand *hands;

    if (count < 1)
        return;
    most = most < 1 ? 1 : most;
    hands = dq_new_array((size_t)most, sizeof *hands);
    for (int i = 0; i < most; i++) {
        hands[i].shared = &shared;
        hands[i].index = i;
    }
    while (hired < most && pthread_create(&hands[hired].thread, NULL, labour,
                                          &hands[hired]) == 0)
        hired++;
    labour(&hands[0]);
    for (int i = 1; i < hired; i++)
        pthread_join(hands[i].thread, NULL);
    free(hands);
}
