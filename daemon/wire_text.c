#include "daemon/wire_text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/* Length of the character at p, 1 to 4; 0 when p starts none (a stray or
 * missing continuation, an overlong form, a surrogate, beyond U+10FFFF). */
static size_t character(const unsigned char *p, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80             ? 1
                    : (p[0] & 0xE0) == 0xC0 ? 2
                    : (p[0] & 0xF0) == 0xE0 ? 3
                    : (p[0] & 0xF8) == 0xF0 ? 4
                                            : 0;

    *code = length == 1 ? p[0] : p[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) /* the final zero is none either */
            return 0;
        *code = *code << 6 | (p[i] & 0x3FU);
    }
    if (length > 1 && (*code < least[length] || *code > 0x10FFFF ||
                       (*code >= 0xD800 && *code < 0xE000)))
        return 0;
    return length;
}

static int of_ours(uint32_t code)
{
    return code >= 0xEF80 && code <= 0xEFFF;
}

char *dq_wire_escape(const char *bytes)
{
    const unsigned char *p = (const unsigned char *)bytes;
    unsigned char *out = dq_new_array(strlen(bytes) + 1, 3), *o = out;

    while (*p) {
        uint32_t code;
        size_t length = character(p, &code);

        if (length && !of_ours(code)) {
            memcpy(o, p, length);
            o += length;
            p += length;
            continue;
        }
        *o++ = 0xEE; /* U+EF80 is EE BE 80, U+EFFF is EE BF BF */
        *o++ = (unsigned char)(0xBE | (*p >> 6 & 1));
        *o++ = (unsigned char)(0x80 | (*p & 0x3F));
        p++;
    }
    return (char *)out;
}

char *dq_wire_unescape(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned char *out = dq_new(strlen(text) + 1), *o = out;

    while (*p) {
        uint32_t code;
        size_t length = character(p, &code);

        if (length == 3 && of_ours(code)) {
            *o++ = (unsigned char)(code & 0xFF);
            p += length;
        } else {
            *o++ = *p++;
        }
    }
    return (char *)out;
}
