#include "cli/nuke.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/path.h"

/* A file's path, inside double quotes. Nuke takes a value's quotes off and then
 * looks for commands in a path: brackets and dollars are kept from both. */
static void add_path(struct dq_bytes *to, const char *path)
{
    for (const char *c = path; *c; c++) {
        if (strchr("[]$\\", *c))
            dq_bytes_text(to, "\\\\\\");
        else if (strchr("\"{}", *c))
            dq_bytes_text(to, "\\");
        dq_bytes_add(to, (unsigned char)*c < ' ' ? "?" : c, 1);
    }
}

/* Letters, digits and a few signs that neither Nuke nor Tcl gives a meaning. */
static void add_words(struct dq_bytes *to, const char *words)
{
    for (const char *c = words; *c; c++) {
        int plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || strchr(" ._@+-=:,/()", *c);

        dq_bytes_add(to, plain ? c : "_", 1);
    }
}

const char *dq_nuke_name(const char *pattern, size_t *length)
{
    const char *name = dq_path_name(pattern);
    size_t n = strcspn(name, "#");

    while (n > 0 && strchr("._-", name[n - 1]))
        n--;
    *length = n;
    return name;
}

/* A node's name: letters, digits and underscores. */
static void add_name(struct dq_bytes *to, const char *pattern)
{
    size_t n;
    const char *name = dq_nuke_name(pattern, &n);

    dq_bytes_text(to, "Depth_");
    for (size_t i = 0; i < n; i++) {
        int plain = (name[i] >= 'a' && name[i] <= 'z') ||
                    (name[i] >= 'A' && name[i] <= 'Z') ||
                    (name[i] >= '0' && name[i] <= '9');

        dq_bytes_add(to, plain ? &name[i] : "_", 1);
    }
}

/* Bare Z is read as depth.Z. */
static void add_meaning(struct dq_bytes *to, const struct dq_nuke_read *r)
{
    dq_bytes_text(to, strcmp(r->channel, "Z") == 0 ? "depth." : "");
    add_words(to, r->channel);
    dq_bytes_text(to, " ");
    add_words(to, r->kind);
    if (*r->unit) {
        dq_bytes_text(to, ", ");
        add_words(to, r->unit);
    }
    if (strcmp(r->kind, "distance") == 0)
        dq_bytes_text(to, "\\nZDefocus math: depth");
    if (strcmp(r->kind, "inverse") == 0)
        dq_bytes_text(to, "\\nZDefocus math: far=0");
}

char *dq_nuke_read_text(const struct dq_nuke_read *r)
{
    struct dq_bytes out = {0};

    dq_bytes_text(&out,
                  DQ_NUKE_HEAD "Read {\n inputs 0\n file_type exr\n file \"");
    add_path(&out, r->pattern);
    dq_bytes_printf(&out, "\"\n format \"%d %d 0 0 %d %d %g \"\n", r->width,
                    r->height, r->width, r->height, r->pixel_aspect);
    dq_bytes_printf(&out,
                    " first %" PRId32 "\n last %" PRId32 "\n origfirst %" PRId32
                    "\n origlast %" PRId32 "\n origset true\n raw true\n name ",
                    r->first, r->last, r->first, r->last);
    add_name(&out, r->pattern);
    dq_bytes_text(&out, "\n label \"");
    add_words(&out, r->model);
    dq_bytes_text(&out, "\\n");
    add_meaning(&out, r);
    dq_bytes_text(&out, "\"\n}\n");
    return out.data;
}
