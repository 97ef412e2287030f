/* How much of the queue one user may have. */
#include "jobs/store_private.h"

static const char remedy[] =
    "wait until some is done, cancel what is not needed, or ask an admin";

static int too_many_jobs(const struct dq_who *who, int64_t uid, int64_t live,
                         struct dq_err *err)
{
    return dq_fail(err, DQ_LIMIT,
                   "user %lld would have %lld live jobs, and %lld is the most "
                   "(limit-jobs): %s",
                   (long long)uid, (long long)live, (long long)who->jobs_most,
                   remedy);
}

static int too_many_frames(const struct dq_who *who, int64_t uid, int64_t live,
                           struct dq_err *err)
{
    return dq_fail(err, DQ_LIMIT,
                   "user %lld would have %lld frames in the queue, and %lld is "
                   "the most (limit-frames): %s",
                   (long long)uid, (long long)live, (long long)who->frames_most,
                   remedy);
}

int dq_store_within(struct dq_store *s, const struct dq_who *who, int64_t uid,
                    int64_t jobs, int64_t frames, struct dq_err *err)
{
    sqlite3_stmt *rows;

    if (!who->jobs_most && !who->frames_most)
        return DQ_OK;
    rows = dq_sql_rows(s, DQ_SQL_LIVE_OF, "l", uid);
    if (!dq_sql_next(s, rows))
        return DQ_OK; /* the store is broken, and tells */
    jobs += sqlite3_column_int64(rows, 0);
    frames += sqlite3_column_int64(rows, 1);
    dq_sql_done(rows);
    if (who->jobs_most && jobs > who->jobs_most)
        return too_many_jobs(who, uid, jobs, err);
    if (who->frames_most && frames > who->frames_most)
        return too_many_frames(who, uid, frames, err);
    return DQ_OK;
}
