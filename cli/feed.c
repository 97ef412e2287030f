#include "cli/feed.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

/* The daemon says something every 15 s. */
enum { SILENCE_S = 45, LINE = 32 };

struct dq_feed {
    struct dq_client *client;
    long long job;
    CURLM *multi;
    CURL *stream;    /* NULL: not connected */
    int refused;     /* there are no live events here */
    int news;        /* an event came, and nobody was told */
    char line[LINE]; /* that is coming: its beginning */
    size_t length;   /* of it all */
};

/* ---- what comes ----------------------------------------------------------*/

/* Each event has an id, and so has the first word of all: from where on the
 * daemon tells. What else it says is asked for. */
static void end_line(struct dq_feed *f)
{
    f->news |= f->length > 4 && memcmp(f->line, "id: ", 4) == 0;
    f->length = 0;
}

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
    struct dq_feed *f = context;
    long status = 0;

    curl_easy_getinfo(f->stream, CURLINFO_RESPONSE_CODE, &status);
    f->refused = status != 200;
    if (f->refused)
        return 0;
    for (size_t i = 0; i < size * count; i++)
        if (data[i] == '\n')
            end_line(f);
        else if (f->length++ < LINE)
            f->line[f->length - 1] = data[i];
    return size * count;
}

/* ---- the connection ------------------------------------------------------*/

static void hang_up(struct dq_feed *f)
{
    if (!f->stream)
        return;
    curl_multi_remove_handle(f->multi, f->stream);
    curl_easy_cleanup(f->stream);
    f->stream = NULL;
}

static void dial(struct dq_feed *f)
{
    char *path = f->job ? dq_asprintf("/v1/events?job=%lld", f->job)
                        : dq_strdup("/v1/events");

    f->length = 0;
    f->stream = dq_client_stream(f->client, path);
    free(path);
    if (!f->stream)
        return;
    curl_easy_setopt(f->stream, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(f->stream, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(f->stream, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(f->stream, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
    curl_multi_add_handle(f->multi, f->stream);
}

/* Take what comes within so many milliseconds, the first of it; whether the
 * connection stands. */
static int hear(struct dq_feed *f, int ms)
{
    int running = 0;

    if (ms > 0)
        curl_multi_poll(f->multi, NULL, 0, ms, NULL);
    if (curl_multi_perform(f->multi, &running) == CURLM_OK && running)
        return 1;
    hang_up(f);
    return 0;
}

/* ---- waiting -------------------------------------------------------------*/

static void pause_ms(int ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000,
                                   .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&pause, NULL);
}

int dq_feed_wait(struct dq_feed *f, int least_ms, int most_ms)
{
    const int64_t begun = dq_clock_ns();
    int passed = 0, on, look;

    if (!f->stream && !f->refused)
        dial(f);
    on = f->stream && hear(f, 0);
    while (passed < least_ms || (on && !f->news && passed < most_ms)) {
        int left = (passed < least_ms ? least_ms : most_ms) - passed;

        if (on)
            on = hear(f, left);
        else
            pause_ms(left);
        passed = (int)((dq_clock_ns() - begun) / 1000000);
    }
    look = !on || f->news;
    f->news = 0;
    return look;
}

/* ---- its life ------------------------------------------------------------*/

struct dq_feed *dq_feed_new(struct dq_client *client, long long job)
{
    struct dq_feed *f = dq_new(sizeof *f);

    f->client = client;
    f->job = job;
    f->multi = curl_multi_init();
    f->refused = !f->multi;
    return f;
}

void dq_feed_free(struct dq_feed *f)
{
    if (!f)
        return;
    hang_up(f);
    if (f->multi)
        curl_multi_cleanup(f->multi);
    free(f);
}
