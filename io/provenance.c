#include "io/provenance.h"

static const struct {
    const char *name, *doc;
} attributes[DQ_ATTRS] = {
#define DQ_ATTR(id, attr_name, attr_doc) [DQ_ATTR_##id] = {attr_name, attr_doc},
#include "io/provenance.def"
#undef DQ_ATTR
};

const char *dq_provenance_name(enum dq_provenance which)
{
    return attributes[which].name;
}

const char *dq_provenance_doc(enum dq_provenance which)
{
    return attributes[which].doc;
}
