/* provenance: the names of the attributes that say how a file was made. */
#ifndef DQ_IO_PROVENANCE_H
#define DQ_IO_PROVENANCE_H

#ifdef __cplusplus
extern "C" {
#endif

enum dq_provenance {
#define DQ_ATTR(id, name, doc) DQ_ATTR_##id,
#include "io/provenance.def"
#undef DQ_ATTR
    DQ_ATTRS
};

/* "depthq/model", and one line of what it tells. Static. */
const char *dq_provenance_name(enum dq_provenance which);
const char *dq_provenance_doc(enum dq_provenance which);

#ifdef __cplusplus
}
#endif
#endif
