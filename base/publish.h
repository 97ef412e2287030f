/* publish: put a whole file in place, durably, or leave things as they were.
 *
 * bytes -> O_EXCL dot-temp beside the target -> write loop -> fsync -> close
 * -> rename -> fsync of the folder. A reader sees the previous file, no
 * file, or the complete new one; never a torn one, whatever dies when.
 * Any thread; blocks on storage.
 */
#ifndef DQ_BASE_PUBLISH_H
#define DQ_BASE_PUBLISH_H

#include <stddef.h>
#include <sys/stat.h>
#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum dq_publish_mode {
    DQ_PUBLISH_REPLACE, /* an existing file is replaced */
    DQ_PUBLISH_NEW      /* an existing file is an error: DQ_EXISTS */
};

/* Publish count bytes as path. tag (letters, digits, '-') goes into the
 * temp's name, `.<name>.<tag>.tmp`, so that two writers never share one. The
 * folder must exist. done, when not NULL, receives the final file's stat.
 * On failure the temp is gone and err names path and errno: DQ_FULL,
 * DQ_DENIED, DQ_CREATE, DQ_EXISTS or DQ_IO. After a failed fsync or close
 * the temp is written again once from memory, never fsynced again (pages may
 * have been marked clean). When a rename fails but its file is found in place
 * (NFS), it has succeeded. Only a failed fsync of the folder is an error with
 * the new file in place: it may not outlive a power cut. A link at path is
 * replaced, not followed. Fault points: publish.create, publish.write,
 * publish.fsync, publish.close, publish.rename. */
int dq_publish(const char *path, const void *bytes, size_t count,
               const char *tag, enum dq_publish_mode mode, struct stat *done,
               struct dq_err *err);

/* As dq_publish, of a file that somebody else makes: make creates `temp`, a
 * name in the open folder, durable; what it says failed has failed. An earlier
 * temp of that name is gone by then, and on failure what is left of it goes.
 */
int dq_publish_made(const char *path,
                    int (*make)(void *context, int folder, const char *temp,
                                struct dq_err *err),
                    void *context, const char *tag, enum dq_publish_mode mode,
                    struct dq_err *err);

/* Make what was written to a temp durable, for who makes one: fsync, with the
 * fault point publish.fsync. -1 with errno. */
int dq_publish_sync(int fd);

/* Make a folder and its parents (0777 less umask), durably; existing is fine.
 * DQ_CREATE, DQ_DENIED, DQ_FULL or DQ_IO with the path. */
int dq_make_folders(const char *path, struct dq_err *err);

/* Remove temps of dead writers in a folder, whatever file they were for: those
 * whose tag begins with tag_prefix and which are at least age_s seconds old;
 * 0 takes all, also those that the storage's clock dates into the future.
 * Returns how many went; failures are ignored: a temp is never read. */
int dq_publish_sweep(const char *folder, const char *tag_prefix, int age_s);

/* The same of any age, those that dead() says: file is what a temp was for, as
 * a name in the folder. */
int dq_publish_sweep_if(const char *folder,
                        int (*dead)(void *context, const char *file,
                                    const char *tag),
                        void *context);

#ifdef __cplusplus
}
#endif
#endif
