#include "cli/autostart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/publish.h"
#include "jobs/places.h"

enum { WAIT_S = 30, FDS_MOST = 65536 };

static int answers(struct dq_client *client, int seconds, struct dq_err *err)
{
    json_t *health =
        seconds
            ? dq_client_insist(client, "GET", "/healthz", NULL, seconds, err)
            : dq_client_ask(client, "GET", "/healthz", NULL, err);
    int yes = health != NULL;

    json_decref(health);
    return yes;
}

/* What we have open without knowing, a pipe of whoever called us, is not the
 * daemon's: its reader would wait for the daemon's end. */
static void close_others(void)
{
    if (close_range(STDERR_FILENO + 1, ~0U, 0) == 0)
        return;
    for (int fd = STDERR_FILENO + 1; fd < FDS_MOST; fd++) /* an old kernel */
        close(fd);
}

/* In the child: only what is safe after fork. */
static void become(char *const *argv, int log)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (setsid() < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
        dup2(nothing, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0 ||
        chdir("/") != 0)
        _exit(78);
    close_others();
    execv(argv[0], argv);
    _exit(78);
}

/* Twice, so that the daemon is nobody's child here. */
static int start(char *const *argv, int log, struct dq_err *err)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (fork() == 0)
            become(argv, log);
        _exit(0);
    }
    if (pid < 0)
        return dq_fail_errno(err, DQ_DAEMON, errno, "depthqd: fork");
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return DQ_OK;
}

static int open_log(const char *path, struct dq_err *err)
{
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    if (log < 0)
        dq_fail_errno(err, DQ_DAEMON, errno, "%s", path);
    return log;
}

static int launch(struct dq_client *client, const char *log_path,
                  struct dq_err *err)
{
    const char *socket = dq_client_socket(client);
    char *program = dq_path_libexec("depthqd", err);
    char *usual = dq_place_socket();
    char *argv[] = {program, "--socket", (char *)socket, NULL};
    int log = program ? open_log(log_path, err) : -1;

    if (usual && strcmp(usual, socket) == 0)
        argv[1] = NULL; /* it knows */
    if (log >= 0) {
        start(argv, log, err);
        close(log);
    }
    free(usual);
    free(program);
    return err->code;
}

int dq_autostart(struct dq_client *client, struct dq_err *err)
{
    char *folder, *log;

    if (!dq_client_socket(client))
        return dq_fail(err, DQ_USAGE,
                       "--autostart starts a daemon here, not on a server");
    folder = dq_path_folder(dq_client_socket(client));
    log = dq_path_join(folder, "depthqd.log");
    if (!answers(client, 0, err) && dq_client_unheard(client)) {
        dq_err_clear(err);
        if (!dq_make_folders(folder, err) && !launch(client, log, err)) {
            fprintf(stderr, "depthqd is started; its log is %s\n", log);
            if (!answers(client, WAIT_S, err))
                dq_because(err, "see %s", log);
        }
    }
    free(log);
    free(folder);
    return err->code;
}
