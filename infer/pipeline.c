#include "infer/pipeline.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cores.h"
#include "base/mem.h"
#include "base/queue.h"
#include "infer/ticket.h"

/* Codec threads step aside for the network's: OpenMP threads that wait for a
 * late one at a barrier cost more than a late plate does. */
enum { CODEC_NICENESS = 5 };

struct dq_pipeline {
    struct dq_pipeline_rule rule;
    struct dq_engine *engine;
    struct dq_ticket *tickets;
    pthread_t *threads;
    int thread_count;

    struct dq_queue *free_tickets;
    struct dq_queue *decoded;  /* readers -> inference */
    struct dq_queue *inferred; /* inference -> writers */

    pthread_mutex_t lock; /* protects everything below */
    pthread_cond_t changed;
    struct dq_request *waiting; /* a ring: submitted, no reader yet */
    size_t room, first, count;
    int closed;
    size_t engine_bytes; /* of the budget, for the frames in hand */
    size_t budget_held;  /* bytes of tickets between gate and settle */
    size_t last_bytes;   /* of the ticket that was last at the gate */
    int holders, reading;
    int is_tight;   /* some tickets had to wait */
    int64_t *noted; /* jobs whose guessed colour space was told */
    size_t noted_count;
};

/* ---- the waiting line ---------------------------------------------------- */

void dq_pipeline_submit(struct dq_pipeline *p, const struct dq_request *request)
{
    pthread_mutex_lock(&p->lock);
    while (p->count == p->room)
        pthread_cond_wait(&p->changed, &p->lock);
    p->waiting[(p->first + p->count++) % p->room] = *request;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static int next_request(struct dq_pipeline *p, struct dq_request *request)
{
    int got = 0;

    pthread_mutex_lock(&p->lock);
    while (p->count == 0 && !p->closed)
        pthread_cond_wait(&p->changed, &p->lock);
    if (p->count > 0) {
        *request = p->waiting[p->first];
        p->first = (p->first + 1) % p->room;
        p->count--;
        got = 1;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return got;
}

/* Take an entry out of the ring's middle; those behind it move up. */
static int take_out(struct dq_pipeline *p, const struct dq_request *request)
{
    for (size_t i = 0; i < p->count; i++) {
        struct dq_request *at = &p->waiting[(p->first + i) % p->room];

        if (at->recipe != request->recipe || at->frame != request->frame ||
            at->work != request->work)
            continue;
        for (; i + 1 < p->count; i++)
            p->waiting[(p->first + i) % p->room] =
                p->waiting[(p->first + i + 1) % p->room];
        p->count--;
        return 1;
    }
    return 0;
}

int dq_pipeline_drop(struct dq_pipeline *p, const struct dq_request *request)
{
    struct dq_outcome outcome = {0};
    int found;

    pthread_mutex_lock(&p->lock);
    found = take_out(p, request);
    if (found)
        pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    if (!found)
        return 0;
    dq_fail(&outcome.err, DQ_STOPPED, "dropped before it was begun");
    p->rule.settled(p->rule.context, request, &outcome);
    return 1;
}

/* ---- the byte budget -------------------------------------------------------
 * What the engine holds (batches, guides) comes off the budget first; the rest
 * is for tickets. A ticket passes the gate once its plate's header is known
 * and counts until it settles. One always passes, so the line moves; while
 * others hold their share, one that does not fit waits. (Survey and solve read
 * on the inference thread, which the others need to leave: they count, but
 * never wait.) Where not all tickets fit, buffers are given back (to the
 * system) instead of kept, and files are read one at a time, when a frame like
 * the last one has room: a file that waits at the gate is memory, too. */

static size_t room_of(const struct dq_pipeline *p)
{
    return p->rule.memory - p->engine_bytes;
}

static int all_fit(const struct dq_pipeline *p, size_t bytes)
{
    return !p->rule.memory ||
           (bytes && bytes <= room_of(p) / (size_t)p->rule.tickets);
}

static void begin_reading(void *context, struct dq_ticket *t)
{
    struct dq_pipeline *p = context;

    pthread_mutex_lock(&p->lock);
    while (!all_fit(p, p->last_bytes) &&
           (p->reading > 0 ||
            (p->holders > 0 && p->budget_held + p->last_bytes > room_of(p))))
        pthread_cond_wait(&p->changed, &p->lock);
    p->reading++;
    t->is_reading = 1;
    pthread_mutex_unlock(&p->lock);
}

/* At the gate, or without having come to it. */
static void end_reading(struct dq_pipeline *p, struct dq_ticket *t)
{
    if (!t->is_reading)
        return;
    t->is_reading = 0;
    p->reading--;
    pthread_cond_broadcast(&p->changed);
}

static size_t mib(size_t bytes)
{
    return (bytes >> 20) + ((bytes & 0xfffff) != 0);
}

static int too_large(const struct dq_pipeline *p, size_t bytes, size_t engine,
                     struct dq_err *err)
{
    return dq_fail(err, DQ_PLATE,
                   "a frame of this size needs %zu MiB (%zu for itself and "
                   "its tiles, %zu for the network's batches), more than the "
                   "%zu MiB that a worker's frames may hold; raise --memory",
                   mib(bytes + engine), mib(bytes), mib(engine),
                   p->rule.memory >> 20);
}

static int pass_gate(void *context, struct dq_ticket *t)
{
    struct dq_pipeline *p = context;
    size_t answers;
    size_t engine = dq_engine_bytes(&p->rule.device, t, &answers);
    size_t bytes = dq_ticket_bytes(t) + answers;

    if (p->rule.memory && bytes + engine > p->rule.memory)
        return too_large(p, bytes, engine, t->err);
    if (t->holds_budget)
        return DQ_OK;
    pthread_mutex_lock(&p->lock);
    p->engine_bytes = engine;
    p->last_bytes = bytes;
    if (!all_fit(p, bytes) && !p->is_tight) {
        p->is_tight = 1;
        dq_give_back_large();
    }
    while (p->rule.memory && !dq_ticket_of_shot(t) && p->holders > 0 &&
           p->budget_held + bytes > room_of(p))
        pthread_cond_wait(&p->changed, &p->lock);
    p->budget_held += bytes;
    p->holders++;
    t->held_bytes = bytes;
    t->holds_budget = 1;
    end_reading(p, t);
    pthread_mutex_unlock(&p->lock);
    return DQ_OK;
}

static void give_up_reading(struct dq_pipeline *p, struct dq_ticket *t)
{
    pthread_mutex_lock(&p->lock);
    end_reading(p, t);
    pthread_mutex_unlock(&p->lock);
}

static int hold(void *context, struct dq_ticket *t, size_t bytes)
{
    struct dq_pipeline *p = context;

    if (p->rule.memory && bytes > p->rule.memory)
        return dq_fail(t->err, DQ_PLATE,
                       "to solve a shot of %zu frames needs %zu MiB, more than "
                       "the %zu MiB that frames may hold; raise --memory",
                       t->request.recipe->frames.count, mib(bytes),
                       p->rule.memory >> 20);
    pthread_mutex_lock(&p->lock);
    p->budget_held += bytes;
    p->holders += !t->holds_budget;
    t->held_bytes = t->holds_budget ? t->held_bytes + bytes : bytes;
    t->holds_budget = 1;
    pthread_mutex_unlock(&p->lock);
    return DQ_OK;
}

static void leave_gate(struct dq_pipeline *p, struct dq_ticket *t)
{
    int keeps;

    pthread_mutex_lock(&p->lock);
    keeps = all_fit(p, t->holds_budget ? t->held_bytes : p->last_bytes);
    pthread_mutex_unlock(&p->lock);
    if (!keeps)
        dq_ticket_free_buffers(t);
    if (!t->holds_budget)
        return;
    pthread_mutex_lock(&p->lock);
    p->budget_held -= t->held_bytes;
    p->holders--;
    t->holds_budget = 0;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* ---- threads ------------------------------------------------------------- */

/* Whether nothing was told of the job yet; from now on something was. */
static int is_first_note(struct dq_pipeline *p, int64_t job)
{
    for (size_t i = 0; i < p->noted_count; i++)
        if (p->noted[i] == job)
            return 0;
    p->noted = dq_grow(p->noted, p->noted_count + 1, sizeof *p->noted);
    p->noted[p->noted_count++] = job;
    return 1;
}

static void note(void *context, const struct dq_ticket *t, const char *text)
{
    struct dq_pipeline *p = context;
    int first;

    pthread_mutex_lock(&p->lock);
    first = is_first_note(p, t->request.recipe->job);
    pthread_mutex_unlock(&p->lock);
    if (first)
        p->rule.note(p->rule.context, text);
}

static void begin_stage(struct dq_pipeline *p, struct dq_ticket *t,
                        const char *name)
{
    p->rule.stage(p->rule.context, &t->request, name);
}

static void going(void *context, struct dq_ticket *t, const char *with)
{
    begin_stage(context, t, with);
}

static struct dq_reader_hooks hooks_of(struct dq_pipeline *p)
{
    struct dq_reader_hooks hooks = {
        .context = p,
        .begin = begin_reading,
        .gate = pass_gate,
        .note = note,
        .going = going,
        .threads = dq_threads_each(p->rule.device.threads, 1),
        .memory = p->rule.memory,
        .hold = hold};

    return hooks;
}

static void settle(struct dq_pipeline *p, struct dq_ticket *t)
{
    t->outcome.seconds.total = dq_clock_s() - t->started;
    p->rule.settled(p->rule.context, &t->request, &t->outcome);
    dq_ticket_end(t);
    leave_gate(p, t);
    dq_queue_put(p->free_tickets, t);
}

static void step_aside(void)
{
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), CODEC_NICENESS);
}

static void *reader(void *context)
{
    struct dq_pipeline *p = context;
    struct dq_reader_hooks hooks = hooks_of(p);
    struct dq_request request;

    step_aside();
    while (next_request(p, &request)) {
        struct dq_ticket *t = dq_queue_take(p->free_tickets);

        dq_ticket_begin(t, &request);
        begin_stage(p, t, "read");
        if (request.work == DQ_WORK_RENDER)
            dq_stage_read(t, &hooks);
        else if (request.work == DQ_WORK_SCAN)
            dq_scan_read(t, &hooks);
        give_up_reading(p, t);
        dq_queue_put(p->decoded, t);
    }
    dq_queue_close(p->decoded);
    return NULL;
}

static void infer_one(struct dq_pipeline *p, struct dq_ticket *t)
{
    struct dq_reader_hooks hooks = hooks_of(p);
    double begun = dq_clock_s();
    char tag[64];

    begin_stage(p, t, "infer");
    dq_ticket_tag(t, p->rule.run_id, tag, sizeof tag);
    switch (t->request.work) {
    case DQ_WORK_SURVEY:
        dq_survey(p->engine, t, tag, &hooks);
        break;
    case DQ_WORK_SOLVE:
        dq_solve(t, tag, &hooks);
        break;
    case DQ_WORK_SCAN:
        if (dq_engine_scan(p->engine, t))
            dq_because(t->err, "%s", t->plate_path);
        break;
    case DQ_WORK_RENDER:
        if (dq_engine_run(p->engine, t, tag))
            dq_because(t->err, "%s", t->plate_path);
        break;
    }
    t->outcome.seconds.infer = dq_clock_s() - begun;
}

static void *inference(void *context)
{
    struct dq_pipeline *p = context;
    struct dq_ticket *t;

    while ((t = dq_queue_take(p->decoded))) {
        if (!t->err->code && !t->outcome.skipped)
            infer_one(p, t);
        dq_queue_put(p->inferred, t);
    }
    dq_queue_close(p->inferred);
    return NULL;
}

static void *writer(void *context)
{
    struct dq_pipeline *p = context;
    struct dq_ticket *t;

    step_aside();
    while ((t = dq_queue_take(p->inferred))) {
        if (!t->err->code && !t->outcome.skipped && !dq_ticket_of_shot(t)) {
            begin_stage(p, t, "write");
            if (t->request.work == DQ_WORK_SCAN)
                dq_scan_write(t, p->rule.run_id);
            else
                dq_stage_write(t, p->rule.run_id, p->rule.device.name);
        }
        settle(p, t);
    }
    return NULL;
}

/* ---- life ---------------------------------------------------------------- */

static void start(struct dq_pipeline *p, void *(*run)(void *))
{
    if (pthread_create(&p->threads[p->thread_count], NULL, run, p) != 0)
        abort(); /* as a small allocation: the worker is supervised */
    p->thread_count++;
}

static void make_queues(struct dq_pipeline *p)
{
    size_t n = (size_t)p->rule.tickets;

    p->free_tickets = dq_queue_new(n);
    p->decoded = dq_queue_new(n);
    p->inferred = dq_queue_new(n);
    dq_queue_producers(p->decoded, p->rule.readers);
    p->tickets = dq_new_array(n, sizeof *p->tickets);
    for (size_t i = 0; i < n; i++)
        dq_queue_put(p->free_tickets, &p->tickets[i]);
    p->room = n;
    p->waiting = dq_new_array(n, sizeof *p->waiting);
}

struct dq_pipeline *dq_pipeline_new(const struct dq_pipeline_rule *rule)
{
    struct dq_pipeline *p = dq_new(sizeof *p);

    p->rule = *rule;
    p->engine = dq_engine_new(&rule->device);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    make_queues(p);
    p->threads = dq_new_array((size_t)rule->readers + (size_t)rule->writers + 1,
                              sizeof *p->threads);
    for (int i = 0; i < rule->readers; i++)
        start(p, reader);
    start(p, inference);
    for (int i = 0; i < rule->writers; i++)
        start(p, writer);
    return p;
}

void dq_pipeline_finish(struct dq_pipeline *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closed = 1;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    for (int i = 0; i < p->rule.tickets; i++)
        dq_ticket_free_buffers(&p->tickets[i]);
    dq_engine_free(p->engine);
    dq_queue_free(p->free_tickets);
    dq_queue_free(p->decoded);
    dq_queue_free(p->inferred);
    free(p->tickets);
    free(p->threads);
    free(p->waiting);
    free(p->noted);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
