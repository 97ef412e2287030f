/* pull_maker: who makes the frames that a watched pull waits for, as far as the
 * queue knows. One thread.
 */
#ifndef DQ_CLI_PULL_MAKER_H
#define DQ_CLI_PULL_MAKER_H

#include "cli/client.h"
#include "cli/pass.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero to start; close in every case. */
struct dq_pull_maker {
    struct dq_client *client;
    long long job; /* the one that is counted on; 0: none */
    int turns;
    char text[256]; /* why there is a wait, for people */
};

/* Look, at every fifth call, at the newest job of the queue that writes the
 * pass and is not over. told: text is another than before. Returns whether the
 * job that was named, or that was seen at work, is over and no other is at
 * work: then text says so, and nothing is worth waiting for that is not on disk
 * by now. Anybody may make frames without a queue: where none is, or no such
 * job is in it, that is no end. */
int dq_pull_maker_over(struct dq_pull_maker *m, const struct dq_pass *pass,
                       int *told);
void dq_pull_maker_close(struct dq_pull_maker *m);

#ifdef __cplusplus
}
#endif
#endif
