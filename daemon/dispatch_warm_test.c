/* Jobs of several models: a network that is loaded is used. */
#include "base/testing.h"

#include "daemon/dispatch.h"

/* Tasks of these models, each of a job of its own; claimed in this order. */
struct queue {
    const int64_t *models;
    int count, next;
};

static int claim(void *self, enum dq_claim_kind kind, int64_t now_ms,
                 struct dq_claim *claim)
{
    struct queue *q = self;

    (void)now_ms;
    memset(claim, 0, sizeof *claim);
    if (kind != DQ_CLAIM_USUAL || q->next == q->count)
        return 0;
    claim->task = (struct dq_task){
        .job = q->next + 1, .kind = DQ_TASK_RENDER, .frame = 1, .attempt = 1};
    claim->model = q->models[q->next++];
    return 1;
}

static int suspect_due(void *self, int64_t now_ms)
{
    (void)self;
    (void)now_ms;
    return 0;
}

static int settle(void *self, const struct dq_settle *settle)
{
    (void)self;
    (void)settle;
    return 1;
}

static int64_t failed_alike(void *self, const struct dq_task *task)
{
    (void)self;
    (void)task;
    return 0;
}

static int64_t next_due(void *self, int64_t now_ms)
{
    (void)self;
    (void)now_ms;
    return -1;
}

static int unsettled(void *self)
{
    (void)self;
    return 1;
}

static struct dq_dispatch *workers(struct queue *q, int count)
{
    static const struct dq_source_ops ops = {.claim = claim,
                                             .suspect_due = suspect_due,
                                             .settle = settle,
                                             .failed_alike = failed_alike,
                                             .next_due = next_due,
                                             .unsettled = unsettled};
    struct dq_dispatch_rule rule = dq_dispatch_usual();
    struct dq_dispatch *d;
    struct dq_action action;

    rule.source = (struct dq_source){&ops, q};
    rule.workers = count;
    d = dq_dispatch_new(&rule);
    for (int i = 0; i < count; i++) {
        assert_int_equal(dq_dispatch_next(d, 0, &action), 1);
        assert_int_equal(action.kind, DQ_ACTION_START);
    }
    return d;
}

/* To whom the next task goes; -1: to nobody. */
static int next_goes_to(struct dq_dispatch *d)
{
    struct dq_action action;

    while (dq_dispatch_next(d, 0, &action))
        if (action.kind == DQ_ACTION_SEND)
            return action.worker;
    return -1;
}

/* The worker's task of that job is done. */
static void done(struct dq_dispatch *d, int worker, int64_t job)
{
    struct dq_result result = {
        .task = {.job = job, .kind = DQ_TASK_RENDER, .frame = 1, .attempt = 1}};

    assert_int_equal(dq_dispatch_result(d, worker, &result, 0), 1);
}

static void a_worker_that_has_the_network_loaded_is_preferred(void **state)
{
    const int64_t models[] = {7, 8, 8, 7, 7};
    struct queue q = {models, 5, 0};
    struct dq_dispatch *d = workers(&q, 2);

    (void)state;
    dq_dispatch_hello(d, 0, 1, 0);
    dq_dispatch_hello(d, 1, 1, 0);
    assert_int_equal(next_goes_to(d), 0);
    assert_int_equal(next_goes_to(d), 1);
    assert_int_equal(next_goes_to(d), -1);
    done(d, 0, 1);
    done(d, 1, 2);
    assert_int_equal(next_goes_to(d), 1); /* 8, though 0 is idle, too */
    assert_int_equal(next_goes_to(d), 0);
    done(d, 1, 3);
    assert_int_equal(next_goes_to(d), 1); /* better than to wait for 0 */
    dq_dispatch_free(d);
}

static void a_worker_has_two_networks_loaded_the_last_ones(void **state)
{
    const int64_t models[] = {7, 8, 9, 7, 9};
    struct queue q = {models, 5, 0};
    struct dq_dispatch *d = workers(&q, 2);

    (void)state;
    dq_dispatch_hello(d, 1, 1, 0);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(next_goes_to(d), 1);
        done(d, 1, i);
    }
    dq_dispatch_hello(d, 0, 1, 0);
    assert_int_equal(next_goes_to(d), 0); /* nobody has 7 any more */
    done(d, 0, 4);
    assert_int_equal(next_goes_to(d), 1);
    dq_dispatch_free(d);
}

static void a_new_process_has_nothing_loaded(void **state)
{
    const int64_t models[] = {7, 7};
    struct queue q = {models, 2, 0};
    struct dq_dispatch *d = workers(&q, 2);
    struct dq_death death = {DQ_WORKER, "signal 9"};
    struct dq_action action;

    (void)state;
    dq_dispatch_hello(d, 1, 1, 0);
    assert_int_equal(next_goes_to(d), 1);
    done(d, 1, 1);
    q.next = 2; /* nothing more for a while */
    dq_dispatch_died(d, 1, &death, 0);
    assert_int_equal(dq_dispatch_next(d, 60000, &action), 1);
    assert_int_equal(action.kind, DQ_ACTION_START);
    dq_dispatch_hello(d, 1, 1, 60000);
    dq_dispatch_hello(d, 0, 1, 60000);
    q.next = 1;
    assert_int_equal(next_goes_to(d), 0);
    dq_dispatch_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_that_has_the_network_loaded_is_preferred),
        cmocka_unit_test(a_worker_has_two_networks_loaded_the_last_ones),
        cmocka_unit_test(a_new_process_has_nothing_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
