#include "io/ledger_quick.h"

#include <string.h>

struct cursor {
    const char *at, *end;
};

static int literal(struct cursor *c, const char *text)
{
    size_t bytes = strlen(text);

    if ((size_t)(c->end - c->at) < bytes || memcmp(c->at, text, bytes) != 0)
        return 0;
    c->at += bytes;
    return 1;
}

static int is_digit(const struct cursor *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

/* As JSON has them: no zero before others. */
static int number(struct cursor *c, int64_t *value)
{
    int negative = literal(c, "-"), zero = c->at < c->end && *c->at == '0';
    const char *begin = c->at;
    int64_t v = 0;

    for (; is_digit(c); c->at++)
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, *c->at - '0', &v))
            return 0;
    *value = negative ? -v : v;
    return c->at > begin && !(zero && c->at > begin + 1);
}

static int digest(struct cursor *c, char hex[DQ_SHA256_HEX])
{
    enum { DIGITS = DQ_SHA256_HEX - 1 };

    if (c->end - c->at < DIGITS)
        return 0;
    memcpy(hex, c->at, DIGITS);
    hex[DIGITS] = '\0';
    c->at += DIGITS;
    return strspn(hex, "0123456789abcdef") == DIGITS;
}

static int mark(struct cursor *c, struct dq_file_mark *m)
{
    return literal(c, "{\"bytes\":") && number(c, &m->bytes) && m->bytes >= 0 &&
           literal(c, ",\"mtime_ns\":") && number(c, &m->mtime_ns) &&
           literal(c, ",\"sha256\":\"") && digest(c, m->sha256) &&
           literal(c, "\"}");
}

int dq_ledger_quick(const char *line, size_t bytes, struct dq_done *done)
{
    struct cursor c = {line, line + bytes};
    int64_t frame;

    return literal(&c, "{\"depthq_done\":1,\"frame\":") && number(&c, &frame) &&
           literal(&c, ",\"fingerprint\":\"") &&
           digest(&c, done->fingerprint) && literal(&c, "\",\"output\":") &&
           mark(&c, &done->output) && literal(&c, ",\"plate\":") &&
           mark(&c, &done->plate) &&
           (literal(&c, ",\"made\":{") || (literal(&c, "}") && c.at == c.end));
}
