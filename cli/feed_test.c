/* Live events, and a daemon that says them when it is told to. */
#include "cli/client_testing.h"

#include "base/clock.h"
#include "cli/feed.h"

#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" CLOSE
#define OPEN STREAM "retry: 2000\nid: 7\nevent: open\ndata: {}\n\n"
#define REFUSAL "HTTP/1.1 404 Not Found\r\n" CLOSE "{\"error\": {}}"

/* As long as no test takes; and time for nothing to happen. */
enum { EVER_MS = 600000, SOON_MS = 200 };

/* A daemon at ./s: each piece is said when it is its turn; NULL ends the
 * connection. */
struct daemon {
    pid_t child;
    int turns; /* a byte each */
};

static void say_all(int fd, int turns, const char *const *pieces, int count)
{
    char turn;
    int one = -1, number = 0;

    for (int i = 0; i < count && read(turns, &turn, 1) == 1; i++) {
        if (one < 0) {
            one = accept(fd, NULL, NULL);
            hear_one(one, number++);
        }
        if (pieces[i]) {
            (void)!write(one, pieces[i], strlen(pieces[i]));
            continue;
        }
        close(one);
        one = -1;
    }
    pause();
}

static struct daemon play(const char *const *pieces, int count)
{
    struct daemon d;
    int ends[2], fd = listen_at("s");

    assert_int_equal(pipe(ends), 0);
    d.child = fork();
    d.turns = ends[1];
    assert_true(d.child >= 0);
    if (d.child == 0)
        say_all(fd, ends[0], pieces, count);
    close(fd);
    close(ends[0]);
    return d;
}

static void turn(const struct daemon *d)
{
    assert_int_equal(write(d->turns, "t", 1), 1);
}

static void end(struct dq_feed *feed, struct dq_client *c, struct daemon *d)
{
    dq_feed_free(feed);
    close(d->turns);
    finish(c, d->child);
}

static void an_event_ends_the_wait_and_a_heartbeat_does_not(void **state)
{
    const char *const pieces[] = {OPEN, ": still here\n\n",
                                  "id: 8\ndata: {\"id\":8}\n\n"};
    struct daemon d = play(pieces, 3);
    struct dq_client *c = client();
    struct dq_feed *feed = dq_feed_new(c, 0);

    (void)state;
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, EVER_MS), 1); /* it is new */
    assert_int_equal(dq_feed_wait(feed, 0, SOON_MS), 0);
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, SOON_MS), 0);
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, EVER_MS), 1);
    assert_int_equal(dq_feed_wait(feed, 0, SOON_MS), 0);
    expect_in_file("heard0", "GET /v1/events HTTP/1.1\r\n");
    end(feed, c, &d);
}

static void one_jobs_events_are_asked_for_and_may_come_in_pieces(void **state)
{
    const char *const pieces[] = {OPEN, "i", "d: 8", "\ndata: {}\n\n",
                                  "data: id: 9, and words without an end\n\n"};
    struct daemon d = play(pieces, 5);
    struct dq_client *c = client();
    struct dq_feed *feed = dq_feed_new(c, 12);

    (void)state;
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, EVER_MS), 1);
    for (int i = 0; i < 2; i++) {
        turn(&d);
        assert_int_equal(dq_feed_wait(feed, 0, SOON_MS), 0);
    }
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, EVER_MS), 1);
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, SOON_MS), 0);
    expect_in_file("heard0", "GET /v1/events?job=12 HTTP/1.1\r\n");
    end(feed, c, &d);
}

static void a_daemon_without_live_events_is_asked_for_them_once(void **state)
{
    const char *const pieces[] = {REFUSAL, NULL, REFUSAL, NULL};
    struct daemon d = play(pieces, 4);
    struct dq_client *c = client();
    struct dq_feed *feed = dq_feed_new(c, 0);

    (void)state;
    for (int i = 0; i < 4; i++)
        turn(&d);
    for (int i = 0; i < 3; i++)
        assert_int_equal(dq_feed_wait(feed, 0, EVER_MS), 1);
    assert_int_equal(access("heard0", F_OK), 0);
    assert_int_equal(access("heard1", F_OK), -1);
    end(feed, c, &d);
}

static void a_lost_connection_is_a_reason_to_look_and_is_made_anew(void **state)
{
    const char *const pieces[] = {OPEN, NULL, OPEN};
    struct daemon d = play(pieces, 3);
    struct dq_client *c = client();
    struct dq_feed *feed = dq_feed_new(c, 0);

    (void)state;
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, EVER_MS), 1);
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, EVER_MS), 1);
    turn(&d);
    assert_int_equal(dq_feed_wait(feed, 0, EVER_MS), 1);
    assert_int_equal(dq_feed_wait(feed, 0, SOON_MS), 0);
    assert_int_equal(access("heard1", F_OK), 0);
    end(feed, c, &d);
}

static void without_a_daemon_one_looks_again_but_not_at_once(void **state)
{
    struct dq_client *c = client();
    struct dq_feed *feed = dq_feed_new(c, 0);
    int64_t begun = dq_clock_ns();

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(dq_feed_wait(feed, 100, EVER_MS), 1);
    assert_true(dq_clock_ns() - begun >= 3 * INT64_C(100000000));
    dq_feed_free(feed);
    dq_client_close(c);
}

#define in_folder(test) \
    cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(an_event_ends_the_wait_and_a_heartbeat_does_not),
        in_folder(one_jobs_events_are_asked_for_and_may_come_in_pieces),
        in_folder(a_daemon_without_live_events_is_asked_for_them_once),
        in_folder(a_lost_connection_is_a_reason_to_look_and_is_made_anew),
        in_folder(without_a_daemon_one_looks_again_but_not_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
