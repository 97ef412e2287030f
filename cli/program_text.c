#include "cli/program_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"

enum { ANSWER_LIMIT = 256 << 20 };

/* All that a child writes; its exit status in *status. */
static void read_child(int from, pid_t pid, struct dq_bytes *text, int *status)
{
    char piece[4096];
    ssize_t n;

    while ((n = read(from, piece, sizeof piece)) > 0 ||
           (n < 0 && errno == EINTR))
        if (n > 0)
            dq_bytes_add(text, piece, (size_t)n);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
}

static int run(char *const *argv, int seconds, struct dq_bytes *text,
               int *status, struct dq_err *err)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) != 0)
        return dq_fail_errno(err, DQ_BUG, errno, "pipe");
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        alarm((unsigned)seconds);
        execv(argv[0], argv);
        _exit(dq_code_exit(DQ_CONFIG));
    }
    close(ends[1]);
    if (pid > 0)
        read_child(ends[0], pid, text, status);
    close(ends[0]);
    return pid > 0 ? DQ_OK : dq_fail_errno(err, DQ_BUG, errno, "fork");
}

/* The program's path and the words; the caller frees the list. */
static char **argv_of(char *program, const char *const *words)
{
    size_t count = 0;
    char **argv;

    while (words[count])
        count++;
    argv = dq_new_array(count + 2, sizeof *argv);
    argv[0] = program;
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = (char *)words[i];
    return argv;
}

char *dq_program_text(const char *name, const char *const *words, int seconds,
                      int *status, struct dq_err *err)
{
    char *program = dq_path_libexec(name, err);
    char **argv = argv_of(program, words);
    struct dq_bytes text = {0};

    dq_bytes_text(&text, "");
    if (!program || run(argv, seconds, &text, status, err))
        dq_bytes_free(&text);
    free(argv);
    free(program);
    return text.data;
}

json_t *dq_program_json(const char *name, const char *const *words, int *status,
                        struct dq_err *err)
{
    json_t *answer = NULL;
    int child = 0;
    char *text = dq_program_text(name, words, 0, &child, err);

    if (text) {
        *status = WIFEXITED(child) ? WEXITSTATUS(child) : 1;
        if (!*status)
            answer =
                dq_json_parse(text, strlen(text), ANSWER_LIMIT, DQ_BUG, err);
    }
    free(text);
    return answer;
}
