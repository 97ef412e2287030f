/* crowd: many clients of one Unix socket at once, some of whom are slow.
 *
 *   crowd SOCKET CLIENTS SLOW REQUESTS PATH...
 *
 * CLIENTS ask for the PATHs in turn, each on a connection of its own for each
 * question, until REQUESTS answers are there; SLOW others open a connection
 * and send a byte of a header that never ends each second. Prints JSON: how
 * many were answered with 200, otherwise, refused or cut off, and how long
 * the answers took, from connect to the last byte.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { HEAD = 64 };

struct client {
    int64_t begun_ns;
    size_t received;
    char head[HEAD]; /* of the answer: its status */
};

struct crowd {
    struct sockaddr_un address;
    char **paths;
    int path_count, clients, slow;
    long wanted, asked, ok, other, refused;
    struct pollfd *fds; /* clients, then the slow ones */
    struct client *states;
    double *ms;
    int64_t dripped_ns;
};

static int join(const struct crowd *c)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&c->address,
                           sizeof c->address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void put(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return; /* the answer, or its lack, will tell */
}

/* ---- clients -------------------------------------------------------------*/

static void ask(struct crowd *c, int i)
{
    char request[512];

    c->fds[i].fd = -1;
    while (c->asked < c->wanted && c->fds[i].fd < 0) {
        const char *path = c->paths[c->asked++ % c->path_count];

        c->states[i] = (struct client){.begun_ns = dq_clock_ns()};
        c->fds[i].fd = join(c);
        if (c->fds[i].fd < 0) {
            c->refused++;
            continue;
        }
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
                 path);
        put(c->fds[i].fd, request);
    }
}

static void answered(struct crowd *c, int i)
{
    const struct client *s = &c->states[i];

    if (strncmp(s->head, "HTTP/1.1 200", 12) == 0) {
        c->ms[c->ok] = (double)(dq_clock_ns() - s->begun_ns) / 1e6;
        c->ok++;
    } else if (s->received) {
        c->other++;
    } else {
        c->refused++;
    }
    close(c->fds[i].fd);
    ask(c, i);
}

static void listen_to(struct crowd *c, int i)
{
    struct client *s = &c->states[i];
    char piece[65536];
    ssize_t n = recv(c->fds[i].fd, piece, sizeof piece, 0);

    if (n <= 0) {
        answered(c, i);
        return;
    }
    if (s->received < HEAD - 1) {
        size_t some = (size_t)n < HEAD - 1 - s->received
                          ? (size_t)n
                          : HEAD - 1 - s->received;

        memcpy(s->head + s->received, piece, some);
    }
    s->received += (size_t)n;
}

/* ---- the slow ones -------------------------------------------------------*/

static void arrive_slowly(struct crowd *c)
{
    for (int i = c->clients; i < c->clients + c->slow; i++) {
        c->fds[i].fd = join(c);
        if (c->fds[i].fd < 0)
            c->refused++;
        else
            put(c->fds[i].fd, "GET /healthz HTTP/1.1\r\nX-Slow: ");
    }
}

static void drip(struct crowd *c)
{
    if (dq_clock_ns() - c->dripped_ns < 1000000000)
        return;
    c->dripped_ns = dq_clock_ns();
    for (int i = c->clients; i < c->clients + c->slow; i++)
        if (c->fds[i].fd >= 0)
            put(c->fds[i].fd, "x");
}

static int still_there(const struct crowd *c)
{
    int count = 0;
    char byte;

    for (int i = c->clients; i < c->clients + c->slow; i++)
        count += c->fds[i].fd >= 0 &&
                 recv(c->fds[i].fd, &byte, 1, MSG_DONTWAIT) < 0 &&
                 errno == EAGAIN;
    return count;
}

/* ---- all -----------------------------------------------------------------*/

static void work(struct crowd *c)
{
    arrive_slowly(c);
    for (int i = 0; i < c->clients; i++)
        ask(c, i);
    while (c->ok + c->other + c->refused < c->wanted) {
        drip(c);
        if (poll(c->fds, (nfds_t)c->clients, 100) < 0 && errno != EINTR)
            abort();
        for (int i = 0; i < c->clients; i++)
            if (c->fds[i].fd >= 0 && c->fds[i].revents)
                listen_to(c, i);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double quantile(const struct crowd *c, double q)
{
    return c->ok ? c->ms[(long)((double)(c->ok - 1) * q)] : 0;
}

static void tell(struct crowd *c)
{
    qsort(c->ms, (size_t)c->ok, sizeof *c->ms, by_size);
    printf("{\"ok\": %ld, \"other\": %ld, \"refused\": %ld, \"slow\": %d, "
           "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"most_ms\": %.3f}\n",
           c->ok, c->other, c->refused, still_there(c), quantile(c, 0.5),
           quantile(c, 0.99), quantile(c, 1));
}

int main(int argc, char **argv)
{
    struct crowd c = {.address.sun_family = AF_UNIX};

    if (argc < 6 || strlen(argv[1]) >= sizeof c.address.sun_path) {
        fputs("crowd SOCKET CLIENTS SLOW REQUESTS PATH...\n", stderr);
        return 2;
    }
    memcpy(c.address.sun_path, argv[1], strlen(argv[1]) + 1);
    c.clients = atoi(argv[2]);
    c.slow = atoi(argv[3]);
    c.wanted = atol(argv[4]);
    c.paths = argv + 5;
    c.path_count = argc - 5;
    c.fds = dq_new_array((size_t)(c.clients + c.slow), sizeof *c.fds);
    c.states = dq_new_array((size_t)c.clients, sizeof *c.states);
    c.ms = dq_new_array((size_t)c.wanted, sizeof *c.ms);
    for (int i = 0; i < c.clients + c.slow; i++)
        c.fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    work(&c);
    tell(&c);
    free(c.fds);
    free(c.states);
    free(c.ms);
    return 0;
}
