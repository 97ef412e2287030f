#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"

enum { LIMIT = 64 << 10 };

int dq_secret_read(const char *path, struct dq_bytes *b, struct dq_err *err)
{
    struct stat st;

    if (dq_bytes_read_file(b, path, LIMIT, DQ_CONFIG, err))
        return err->code;
    if (stat(path, &st) != 0)
        return dq_fail_errno(err, DQ_IO, errno, "%s", path);
    if (st.st_mode & 077)
        return dq_fail(err, DQ_DENIED,
                       "%s is for others too (mode %04o): chmod 600 %s", path,
                       (unsigned)st.st_mode & 07777, path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return dq_fail(err, DQ_DENIED,
                       "%s is of user %lld: it must be yours or root's", path,
                       (long long)st.st_uid);
    return DQ_OK;
}

/* Digests have one length, and nobody can choose how they begin. */
int dq_secret_same(const char *a, const char *b)
{
    char x[DQ_SHA256_HEX], y[DQ_SHA256_HEX];
    unsigned differs = 0;

    dq_sha256(a, strlen(a), x);
    dq_sha256(b, strlen(b), y);
    for (int i = 0; i < DQ_SHA256_HEX; i++)
        differs |= (unsigned)(unsigned char)x[i] ^ (unsigned char)y[i];
    return differs == 0;
}
