#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, change, swap neighbours, each
 * costs 1. Three rows of the table suffice. */
static int distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b), result;
    int *rows = dq_new_array((size_t)(m + 1) * 3, sizeof *rows);
    int *before = rows, *last = rows + m + 1, *now = rows + 2 * (m + 1);

    for (int j = 0; j <= m; j++)
        last[j] = j;
    for (int i = 1; i <= n; i++) {
        int *spare = before;

        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int same = a[i - 1] == b[j - 1];

            now[j] =
                least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + !same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
        now = spare;
    }
    result = last[m];
    free(rows);
    return result;
}

const char *dq_text_nearest(const char *word, const char *const *candidates,
                            size_t count)
{
    size_t length = strlen(word);
    int best = length < 6 ? 1 : (int)(length / 3);
    const char *found = NULL;

    if (length > 200) /* nobody meant that */
        return NULL;
    for (size_t i = 0; i < count; i++) {
        int d = distance(word, candidates[i]);

        if (d <= best) {
            found = candidates[i];
            best = d - 1;
        }
    }
    return found;
}

int dq_text_long(const char *text, long *value)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    char *end;

    if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
        return -1;
    errno = 0;
    *value = strtol(text, &end, 10);
    return errno || *end ? -1 : 0;
}

/* Only what a person writes as a decimal number: no "nan", no "0x", and no
 * decimal comma, since a locale is never set. */
static int is_decimal(const char *t)
{
    size_t whole, part = 0;

    t += *t == '-' || *t == '+';
    t += whole = strspn(t, "0123456789");
    if (*t == '.') {
        t++;
        t += part = strspn(t, "0123456789");
    }
    if (whole + part == 0)
        return 0;
    if (*t == 'e' || *t == 'E') {
        t++;
        t += *t == '-' || *t == '+';
        if (strspn(t, "0123456789") == 0)
            return 0;
        t += strspn(t, "0123456789");
    }
    return *t == '\0';
}

int dq_text_double(const char *text, double *value)
{
    if (!is_decimal(text))
        return -1;
    *value = strtod(text, NULL);
    return isfinite(*value) ? 0 : -1;
}

int dq_text_size(const char *text, size_t *bytes)
{
    static const char units[] = "KMGT";
    size_t length = strspn(text, "0123456789.");
    const char *unit = text + length;
    char number[32];
    double value, factor = 1;

    if (length == 0 || length >= sizeof number)
        return -1;
    memcpy(number, text, length);
    number[length] = '\0';
    if (*unit && strchr(units, *unit)) {
        factor = pow(1024, (double)(strchr(units, *unit) - units + 1));
        unit++;
        if (unit[0] == 'i' && unit[1] == 'B')
            unit += 2;
        else if (unit[0] == 'B')
            unit++;
    }
    if (*unit || dq_text_double(number, &value) ||
        value * factor >= (double)(SIZE_MAX / 2))
        return -1;
    *bytes = (size_t)(value * factor);
    return 0;
}

static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t dq_text_character(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t length = length_of(c[0]);

    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80) /* the final zero is none either */
            return 0;
    if ((c[0] == 0xe0 && c[1] < 0xa0) ||  /* overlong */
        (c[0] == 0xed && c[1] >= 0xa0) || /* surrogates */
        (c[0] == 0xf0 && c[1] < 0x90) ||  /* overlong */
        (c[0] == 0xf4 && c[1] >= 0x90))   /* beyond U+10FFFF */
        return 0;
    return length;
}

size_t dq_text_control(const char *text)
{
    unsigned char first = (unsigned char)text[0];
    unsigned char second = first ? (unsigned char)text[1] : 0;

    if (first == 0xc2)
        return second >= 0x80 && second < 0xa0 ? 2 : 0;
    return (first && first < ' ') || first == 0x7f ? 1 : 0;
}

char *dq_text_harmless(char *text, char instead)
{
    char *to = text;

    for (const char *from = text; *from;) {
        size_t bytes = dq_text_character(from), control = dq_text_control(from);

        if (bytes == 0 || control) {
            *to++ = instead;
            from += control ? control : 1;
        } else {
            memmove(to, from, bytes);
            to += bytes;
            from += bytes;
        }
    }
    *to = '\0';
    return text;
}

void dq_size_text(double bytes, char text[16])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t i = 0;

    while (bytes >= 1024 && i < 4) {
        bytes /= 1024;
        i++;
    }
    snprintf(text, 16, "%.*f %s", i ? 1 : 0, bytes, units[i]);
}
