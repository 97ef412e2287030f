#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct dq_sha256 {
    EVP_MD_CTX *context;
};

struct dq_sha256 *dq_sha256_new(void)
{
    struct dq_sha256 *hash = dq_new(sizeof *hash);

    hash->context = EVP_MD_CTX_new();
    if (!hash->context ||
        EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1)
        abort(); /* libcrypto without SHA-256 or without memory */
    return hash;
}

void dq_sha256_add(struct dq_sha256 *hash, const void *bytes, size_t count)
{
    if (EVP_DigestUpdate(hash->context, bytes, count) != 1)
        abort();
}

void dq_sha256_finish(struct dq_sha256 *hash, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int count = 0;

    if (!hash)
        return;
    if (hex) {
        if (EVP_DigestFinal_ex(hash->context, digest, &count) != 1)
            abort();
        for (unsigned int i = 0; i < count; i++) {
            hex[2 * i] = digits[digest[i] >> 4];
            hex[2 * i + 1] = digits[digest[i] & 15];
        }
        hex[2 * count] = '\0';
    }
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void dq_sha256(const void *bytes, size_t count, char hex[DQ_SHA256_HEX])
{
    struct dq_sha256 *hash = dq_sha256_new();

    dq_sha256_add(hash, bytes, count);
    dq_sha256_finish(hash, hex);
}

static int hash_file(int fd, struct dq_sha256 *hash, const char *path,
                     struct dq_err *err)
{
    enum { PIECE = 1 << 20 };
    char *piece = dq_new(PIECE);
    int code = DQ_OK;
    ssize_t n;

    do {
        n = read(fd, piece, PIECE);
        if (n > 0)
            dq_sha256_add(hash, piece, (size_t)n);
        else if (n < 0 && errno != EINTR)
            code = dq_fail_errno(err, DQ_IO, errno, "%s", path);
    } while (n > 0 || (n < 0 && errno == EINTR));
    free(piece);
    return code;
}

int dq_sha256_file(const char *path, char hex[DQ_SHA256_HEX],
                   struct dq_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct dq_sha256 *hash;
    struct stat st;
    int code;

    if (fd < 0)
        return dq_fail_errno(err, errno == ENOENT ? DQ_MISSING : DQ_IO, errno,
                             "%s", path);
    hash = dq_sha256_new();
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) /* a FIFO reads empty */
        code = dq_fail(err, DQ_IO, "%s: is not a regular file", path);
    else
        code = hash_file(fd, hash, path, err);
    close(fd);
    dq_sha256_finish(hash, code ? NULL : hex);
    return code;
}
