#include "jobs/version.h"

#include <string.h>

/* A stretch of text between separators. */
struct piece {
    const char *text;
    size_t bytes;
};

static struct piece piece_until(const char *text, const char *stops)
{
    struct piece piece = {text, strcspn(text, stops)};

    return piece;
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static int compare_text(struct piece a, struct piece b)
{
    size_t least = a.bytes < b.bytes ? a.bytes : b.bytes;
    int order = memcmp(a.text, b.text, least);

    return order ? sign(order) : (a.bytes > b.bytes) - (a.bytes < b.bytes);
}

static int is_number(struct piece p)
{
    return p.bytes && strspn(p.text, "0123456789") >= p.bytes;
}

/* Digits of any length, as numbers. */
static int compare_numbers(struct piece a, struct piece b)
{
    for (; a.bytes > 1 && *a.text == '0'; a.bytes--)
        a.text++;
    for (; b.bytes > 1 && *b.text == '0'; b.bytes--)
        b.text++;
    if (a.bytes != b.bytes)
        return a.bytes > b.bytes ? 1 : -1;
    return compare_text(a, b);
}

/* Numbers come before words. */
static int compare_identifiers(struct piece a, struct piece b)
{
    int numbers = is_number(a) + is_number(b);

    if (numbers == 2)
        return compare_numbers(a, b);
    if (numbers == 1)
        return is_number(a) ? -1 : 1;
    return compare_text(a, b);
}

/* Take the identifier before the next dot off the front of rest. */
static struct piece next_identifier(struct piece *rest)
{
    struct piece first = *rest;
    const char *dot = memchr(rest->text, '.', rest->bytes);

    if (dot)
        first.bytes = (size_t)(dot - rest->text);
    rest->text += first.bytes + (dot != NULL);
    rest->bytes -= first.bytes + (dot != NULL);
    return first;
}

/* Identifier by identifier; the longer of two that begin alike is later. */
static int compare_dotted(struct piece a, struct piece b)
{
    while (a.bytes && b.bytes) {
        struct piece x = next_identifier(&a), y = next_identifier(&b);
        int order = compare_identifiers(x, y);

        if (order)
            return order;
    }
    return (a.bytes != 0) - (b.bytes != 0);
}

int dq_version_compare(const char *a, const char *b)
{
    struct piece core_a = piece_until(a, "-+"), core_b = piece_until(b, "-+");
    const char *rest_a = a + core_a.bytes, *rest_b = b + core_b.bytes;
    int order = compare_dotted(core_a, core_b);

    if (order)
        return order;
    if ((*rest_a == '-') != (*rest_b == '-'))
        return *rest_a == '-' ? -1 : 1;
    if (*rest_a == '-') {
        order = compare_dotted(piece_until(rest_a + 1, "+"),
                               piece_until(rest_b + 1, "+"));
        if (order)
            return order;
    }
    return sign(strcmp(a, b));
}
