/* client_testing: the other side of a client: a daemon that plays a script.
 * Included by *_test.c only. */
#ifndef DQ_CLI_CLIENT_TESTING_H
#define DQ_CLI_CLIENT_TESTING_H

#include "base/testing.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cli/client.h"

#define OK_JSON "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define CLOSE "Connection: close\r\n\r\n"

static inline int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static inline int is_whole(const char *heard)
{
    const char *body = strstr(heard, "\r\n\r\n");
    const char *length = strstr(heard, "Content-Length: ");

    return body && (!length || strlen(body + 4) >= (size_t)atoi(length + 16));
}

/* Hear a whole request and note it, as heardNUMBER. */
static inline void hear_one(int fd, int number)
{
    char heard[4096] = "", name[32];
    size_t count = 0;
    ssize_t n;

    while (!is_whole(heard) &&
           (n = read(fd, heard + count, sizeof heard - 1 - count)) > 0)
        count += (size_t)n;
    snprintf(name, sizeof name, "heard%d", number);
    put_file(name, heard);
}

static inline void expect_in_file(const char *path, const char *words)
{
    char got[4096] = "";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    assert_non_null(strstr(got, words));
}

/* One connection: hear a whole request, answer (NULL: nothing). */
static inline void serve_one(int fd, const char *answer, int number)
{
    fd = accept(fd, NULL, NULL);
    hear_one(fd, number);
    if (answer)
        (void)!write(fd, answer, strlen(answer));
    close(fd);
}

/* A daemon at ./s that gives these answers, one a connection. */
static inline pid_t play_answers(const char *const *answers, int count)
{
    int fd = listen_at("s");
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        for (int i = 0; i < count; i++)
            serve_one(fd, answers[i], i);
        _exit(0);
    }
    close(fd);
    return child;
}

static inline struct dq_client *client(void)
{
    struct dq_err err = {0};
    struct dq_client *c = dq_client_open("s", &err);

    assert_non_null(c);
    return c;
}

static inline void finish(struct dq_client *c, pid_t child)
{
    dq_client_close(c);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

#endif
