#include "base/option.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { MOST_OPTIONS = 32 };

/* The word without its value: --frames=1001 is --frames. */
static char *name_of(const char *word)
{
    char *name = dq_strdup(word);
    char *equals = strchr(name, '=');

    if (equals && strncmp(name, "--", 2) == 0)
        *equals = '\0';
    return name;
}

static void try_help(const char *who)
{
    fprintf(stderr, "Try: %s --help\n", who);
}

void dq_option_unknown(const char *who, const char *word,
                       const struct option *longs)
{
    const char *names[MOST_OPTIONS];
    size_t count = 0;
    char *name = name_of(word);
    const char *bare = name + strspn(name, "-");
    const char *near;

    for (; longs->name && count < MOST_OPTIONS; longs++)
        names[count++] = longs->name;
    near = dq_text_nearest(bare, names, count);
    fprintf(stderr, "%s: there is no option '%s'", who, name);
    if (near)
        fprintf(stderr, " (did you mean '--%s'?)", near);
    putc('\n', stderr);
    try_help(who);
    free(name);
}

static int is_ambiguous(const char *word, const struct option *longs)
{
    char *name = name_of(word);
    size_t bytes = strlen(name) - 2;
    int count = 0;

    for (; longs->name; longs++)
        count += strncmp(longs->name, name + 2, bytes) == 0;
    free(name);
    return count > 1;
}

/* A value given to an option that has none: optopt is its letter then. */
static int has_needless_value(const char *word, const struct option *longs)
{
    const char *equals = strchr(word, '=');

    if (!equals || strncmp(word, "--", 2) != 0)
        return 0;
    for (; longs->name; longs++)
        if (longs->val == optopt && longs->has_arg == no_argument &&
            strncmp(longs->name, word + 2, (size_t)(equals - word) - 2) == 0)
            return 1;
    return 0;
}

/* A long option that getopt_long does not know; optopt is 0. */
static void tell_long(const char *who, const char *word,
                      const struct option *longs)
{
    if (is_ambiguous(word, longs))
        fprintf(stderr, "%s: '%s' is the beginning of several options\n", who,
                word);
    else {
        dq_option_unknown(who, word, longs);
        return;
    }
    try_help(who);
}

static void tell_short(const char *who, const struct option *longs)
{
    char word[] = {'-', (char)optopt, '\0'};

    dq_option_unknown(who, word, longs);
}

int dq_option_next(const char *who, int argc, char **argv, const char *shorts,
                   const struct option *longs)
{
    int option;

    opterr = 0;
    option = getopt_long(argc, argv, shorts, longs, NULL);
    if (option == ':') {
        fprintf(stderr, "%s: '%s' needs a value\n", who, argv[optind - 1]);
        try_help(who);
        return '?';
    }
    if (option != '?')
        return option;
    if (has_needless_value(argv[optind - 1], longs)) {
        fprintf(stderr, "%s: '%s': the option takes no value\n", who,
                argv[optind - 1]);
        try_help(who);
    } else if (optopt) {
        tell_short(who, longs);
    } else {
        tell_long(who, argv[optind - 1], longs);
    }
    return option;
}

/* ---- values
 * ----------------------------------------------------------------*/

int dq_option_count(const char *name, const char *text, int most, int *value,
                    struct dq_err *err)
{
    long number = 0;

    if (dq_text_long(text, &number) || number < 1 || number > most)
        return dq_fail(err, DQ_USAGE, "--%s is 1 to %d, not '%s'", name, most,
                       text);
    *value = (int)number;
    return DQ_OK;
}

int dq_option_seconds(const char *name, const char *text, int64_t *ms,
                      struct dq_err *err)
{
    double seconds = 0;

    if (dq_text_double(text, &seconds) || !(seconds >= 0 && seconds < 1e7))
        return dq_fail(err, DQ_USAGE, "--%s is in seconds, not '%s'", name,
                       text);
    *ms = (int64_t)llround(seconds * 1000);
    return DQ_OK;
}

int dq_option_device(const char *text, struct dq_err *err)
{
    long number = 0;

    if (strcmp(text, "auto") == 0 || strcmp(text, "cpu") == 0 ||
        (strncmp(text, "cuda:", 5) == 0 &&
         dq_text_long(text + 5, &number) == 0 && number >= 0 && number < 1024))
        return DQ_OK;
    return dq_fail(err, DQ_USAGE, "--device is auto, cpu or cuda:N, not '%s'",
                   text);
}
