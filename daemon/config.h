/* config: depthqd's configuration file, a YAML map of its long options
 * (daemon/config_fields.def). Options on the command line go before it. One
 * thread; reads one file. */
#ifndef DQ_DAEMON_CONFIG_H
#define DQ_DAEMON_CONFIG_H

#include "base/err.h"
#include "base/yaml.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whoever takes what it says: text of an option; "" of a flag that is true.
 * DQ_USAGE says what is wrong with it. */
typedef int dq_config_taker(void *context, const char *option, const char *text,
                            struct dq_err *err);

/* Read a file and give away all that it says. DQ_CONFIG with every problem
 * and its line, or DQ_MISSING, DQ_DENIED, DQ_IO. */
int dq_config_read(const char *path, dq_config_taker *take, void *context,
                   struct dq_problems *problems, struct dq_err *err);

/* A file in which everything is commented out. The caller frees. */
char *dq_config_text(void);

#ifdef __cplusplus
}
#endif
#endif
