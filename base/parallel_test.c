#include "base/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 1000, HANDS = 4 };

struct ledger {
    atomic_int done[ITEMS];
    int of_hand[HANDS];   /* each hand writes its own alone */
    atomic_int met, next; /* calls begun; the item that is due */
};

static void note(void *context, int item, int hand)
{
    struct ledger *l = context;

    atomic_fetch_add(&l->done[item], 1);
    l->of_hand[hand]++;
}

static void every_item_is_done_once_by_any_number(void **state)
{
    static const int threads[] = {0, 1, 2, HANDS};

    (void)state;
    for (size_t k = 0; k < sizeof threads / sizeof *threads; k++) {
        static struct ledger l;
        int sum = 0;

        memset(&l, 0, sizeof l);
        dq_parallel(threads[k], ITEMS, note, &l);
        for (int i = 0; i < ITEMS; i++)
            assert_int_equal(atomic_load(&l.done[i]), 1);
        for (int i = 0; i < HANDS; i++)
            sum += l.of_hand[i];
        assert_int_equal(sum, ITEMS);
        for (int i = threads[k] > 0 ? threads[k] : 1; i < HANDS; i++)
            assert_int_equal(l.of_hand[i], 0);
    }
}

/* Waits until another call is under way beside it. */
static void meet(void *context, int item, int hand)
{
    struct ledger *l = context;

    (void)item;
    (void)hand;
    atomic_fetch_add(&l->met, 1);
    while (atomic_load(&l->met) < 2)
        ;
}

static void two_hands_work_at_one_time(void **state)
{
    static struct ledger l;

    (void)state;
    memset(&l, 0, sizeof l);
    dq_parallel(2, 2, meet, &l); /* would wait for ever with one */
    assert_int_equal(atomic_load(&l.met), 2);
}

static void expect_next(void *context, int item, int hand)
{
    struct ledger *l = context;

    assert_int_equal(hand, 0);
    assert_int_equal(item, atomic_fetch_add(&l->next, 1));
}

static void alone_they_are_done_in_order_by_the_caller(void **state)
{
    static struct ledger l;

    (void)state;
    memset(&l, 0, sizeof l);
    dq_parallel(1, ITEMS, expect_next, &l);
    assert_int_equal(atomic_load(&l.next), ITEMS);
}

static void nothing_to_do_is_done_at_once(void **state)
{
    static struct ledger l;

    (void)state;
    memset(&l, 0, sizeof l);
    dq_parallel(3, 0, note, &l);
    dq_parallel(3, -1, note, &l);
    for (int i = 0; i < HANDS; i++)
        assert_int_equal(l.of_hand[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_done_once_by_any_number),
        cmocka_unit_test(two_hands_work_at_one_time),
        cmocka_unit_test(alone_they_are_done_in_order_by_the_caller),
        cmocka_unit_test(nothing_to_do_is_done_at_once),
    };

    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
