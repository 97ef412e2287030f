#include "base/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void dq_fingerprint(const char *pixels_text, const char *shot_text,
                    const char *plate_sha256, char hex[DQ_SHA256_HEX])
{
    char *all = dq_asprintf("revision=%d\n%s%splate=%s\n", DQ_PIXELS_REVISION,
                            pixels_text, shot_text, plate_sha256);

    dq_sha256(all, strlen(all), hex);
    free(all);
}
