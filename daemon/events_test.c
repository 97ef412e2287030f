#include "jobs/store_testing.h"

#include "base/bytes.h"
#include "daemon/events.h"

struct hall {
    uv_loop_t loop;
    struct dq_store *store;
    struct dq_events *events;
    int woken;
};

static void on_wake(void *context)
{
    ((struct hall *)context)->woken++;
}

static struct hall *open_hall(void)
{
    struct hall *h = dq_new(sizeof *h);
    struct dq_events_rule rule = {
        .loop = &h->loop, .tick_ms = 1, .context = h, .wake = on_wake};

    uv_loop_init(&h->loop);
    rule.store = h->store = open_store();
    h->events = dq_events_new(&rule);
    return h;
}

static void close_hall(struct hall *h)
{
    dq_events_stop(h->events);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&h->loop), 0);
    dq_events_free(h->events);
    dq_store_close(h->store);
    free(h);
}

static struct dq_http_stream listen_to(struct hall *h, int64_t job,
                                       int64_t after)
{
    struct dq_http_stream stream = {0};
    struct dq_err err = {0};

    assert_int_equal(dq_events_listen(h->events, ME, job, after, &stream, &err),
                     0);
    return stream;
}

/* All that there is to read, `room` bytes at a time. */
static char *read_all(struct dq_http_stream *stream, size_t room)
{
    struct dq_bytes text = {0};
    char buffer[4096];
    size_t bytes;

    while ((bytes = stream->read(stream->context, buffer, room)))
        dq_bytes_add(&text, buffer, bytes);
    dq_bytes_text(&text, "");
    return text.data;
}

/* Look for news once. */
static void tick(struct hall *h)
{
    int woken = h->woken;

    while (h->woken == woken)
        uv_run(&h->loop, UV_RUN_ONCE);
}

/* Ids of the messages of a text, in their order, as "1 2 5 ". */
static char *ids_of(char *text)
{
    struct dq_bytes ids = {0};

    dq_bytes_text(&ids, "");
    for (char *at = text; (at = strstr(at, "id: ")); at++)
        if (strncmp(strchr(at, '\n'), "\ndata: {\"id\":", 13) == 0)
            dq_bytes_printf(&ids, "%ld ", strtol(at + 4, NULL, 10));
    free(text);
    return ids.data;
}

static void expect_ids(struct dq_http_stream *stream, const char *want)
{
    char *ids = ids_of(read_all(stream, 4096));

    assert_string_equal(ids, want);
    free(ids);
}

static void events_are_told_from_now_on(void **state)
{
    struct hall *h = open_hall();
    struct dq_http_stream a;
    char *text;

    (void)state;
    submit(h->store, (struct wish){.name = "a", .frames = "1-3"});
    a = listen_to(h, 0, -1);
    text = read_all(&a, 4096);
    assert_string_equal(text, "retry: 2000\nid: 1\nevent: open\n"
                              "data: {\"after\":1}\n\n");
    free(text);
    submit(h->store, (struct wish){.name = "b", .frames = "1-3"});
    text = read_all(&a, 4096); /* it is not durable yet */
    assert_string_equal(text, "");
    free(text);
    tick(h);
    text = read_all(&a, 4096);
    assert_non_null(strstr(text, "id: 2\ndata: {\"id\":2,\"time\":"));
    assert_non_null(strstr(text, "\"verb\":\"submit\""));
    assert_string_equal(text + strlen(text) - 3, "}\n\n");
    free(text);
    a.close(a.context);
    close_hall(h);
}

static void a_listener_to_a_job_hears_of_no_other(void **state)
{
    struct hall *h = open_hall();
    struct dq_http_stream a = listen_to(h, 2, -1);

    (void)state;
    for (const char *name = "a\0b\0c\0"; *name; name += 2)
        submit(h->store, (struct wish){.name = name, .frames = "1-3"});
    tick(h);
    expect_ids(&a, "2 ");
    a.close(a.context);
    a = listen_to(h, 2, 0); /* from the database */
    expect_ids(&a, "2 ");
    submit(h->store, (struct wish){.name = "d", .frames = "1-3"});
    tick(h);
    expect_ids(&a, "");
    a.close(a.context);
    close_hall(h);
}

static char *numbers(int from, int to)
{
    struct dq_bytes all = {0};

    dq_bytes_text(&all, "");
    for (int i = from; i <= to; i++)
        dq_bytes_printf(&all, "%d ", i);
    return all.data;
}

/* Whatever of it is kept, and however little is read at a time. */
static void who_comes_again_misses_nothing_and_hears_nothing_twice(void **state)
{
    struct hall *h = open_hall();
    struct dq_http_stream a = listen_to(h, 0, -1), b;
    int lasts[] = {0, 1, 600, 1000, 1499, 2000, 0, 0, 0}, last;
    char *want, *ids;

    (void)state;
    submit(h->store, (struct wish){.name = "a", .frames = "1-1250"});
    while (dq_store_last_event(h->store) < 2500) {
        struct dq_claim c = must_claim(h->store, 0);

        settle(h->store, &c, DQ_EVENT_FINISH);
    }
    last = (int)dq_store_last_event(h->store);
    lasts[6] = last - 1;
    lasts[7] = last;
    lasts[8] = last + 7;        /* of a database that was there before */
    for (int i = 0; i < 3; i++) /* a thousand at most in a tick */
        tick(h);
    for (size_t i = 0; i < sizeof lasts / sizeof *lasts; i++) {
        b = listen_to(h, i % 2, lasts[i]);
        want = numbers(lasts[i] + 1, last);
        ids = ids_of(read_all(&b, i % 3 ? 4096 : 7));
        assert_string_equal(ids, want);
        free(ids);
        free(want);
        b.close(b.context);
    }
    want = numbers(1, last); /* and who has listened all the time */
    expect_ids(&a, want);
    free(want);
    a.close(a.context);
    close_hall(h);
}

static void silence_is_broken_by_a_comment(void **state)
{
    struct hall *h = open_hall();
    struct dq_http_stream a = listen_to(h, 0, -1);
    char *text = read_all(&a, 4096);

    (void)state;
    do {
        free(text);
        tick(h);
        text = read_all(&a, 4096);
    } while (!*text);
    assert_string_equal(text, ": still here\n\n");
    free(text);
    a.close(a.context);
    close_hall(h);
}

static void only_so_many_listen(void **state)
{
    struct hall *h = open_hall();
    struct dq_http_stream all[DQ_LISTENERS], more;
    struct dq_err err = {0};

    (void)state;
    for (int i = 0; i < DQ_LISTENERS; i++)
        assert_int_equal(dq_events_listen(h->events, i / DQ_LISTENERS_EACH, 0,
                                          -1, &all[i], &err),
                         0);
    assert_int_equal(dq_events_listen(h->events, 99, 0, -1, &more, &err),
                     DQ_LIMIT);
    assert_string_equal(err.text, "200 listen to events already, and that is "
                                  "the most");
    for (int i = 50; i < DQ_LISTENERS; i++)
        all[i].close(all[i].context);
    dq_err_clear(&err);
    assert_int_equal(dq_events_listen(h->events, 0, 0, -1, &more, &err),
                     DQ_LIMIT);
    assert_string_equal(err.text, "user 0 listens to events 50 times already, "
                                  "and that is the most");
    dq_err_clear(&err);
    assert_int_equal(dq_events_listen(h->events, 1, 0, -1, &more, &err), 0);
    more.close(more.context);
    for (int i = 0; i < 50; i++)
        all[i].close(all[i].context);
    close_hall(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) \
    cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
        TEST(events_are_told_from_now_on),
        TEST(a_listener_to_a_job_hears_of_no_other),
        TEST(who_comes_again_misses_nothing_and_hears_nothing_twice),
        TEST(silence_is_broken_by_a_comment),
        TEST(only_so_many_listen),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
