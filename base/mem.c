#include "base/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *p)
{
    if (!p) {
        fputs("depthq: out of memory for a small allocation\n", stderr);
        abort();
    }
    return p;
}

void *dq_new(size_t bytes)
{
    return or_die(calloc(1, bytes ? bytes : 1));
}

void *dq_new_array(size_t count, size_t size)
{
    return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *dq_grow(void *old, size_t count, size_t size)
{
    size_t bytes = 0;

    if (!dq_mul(count, size, &bytes))
        return or_die(NULL);
    return or_die(realloc(old, bytes ? bytes : 1));
}

char *dq_strdup(const char *text)
{
    return text ? or_die(strdup(text)) : NULL;
}

char *dq_strndup(const char *text, size_t n)
{
    return text ? or_die(strndup(text, n)) : NULL;
}

char *dq_asprintf(const char *fmt, ...)
{
    va_list args;
    char *out = NULL;

    va_start(args, fmt);
    if (vasprintf(&out, fmt, args) < 0)
        out = NULL;
    va_end(args);
    return or_die(out);
}

void dq_give_back_large(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_MMAP_MAX, 1 << 16);
    mallopt(M_TOP_PAD, 1 << 17);
    malloc_trim(0); /* the heap has no room for them, either */
}

int dq_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
