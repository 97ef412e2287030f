#include "daemon/config.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

enum { LIMIT = 64 * 1024 };
enum type { TEXT, FLAG, LIST };

static const struct field {
    const char *key;
    enum type type;
    const char *usual, *doc;
} fields[] = {
#define DQ_CONFIG_FIELD(key, type, usual, doc) {key, type, usual, doc},
#include "daemon/config_fields.def"
};

enum { FIELDS = sizeof fields / sizeof *fields };

/* ---- reading -------------------------------------------------------------*/

struct reading {
    dq_config_taker *take;
    void *context;
    struct dq_problems *problems;
};

static const struct field *find_field(const char *key)
{
    for (int i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].key, key) == 0)
            return &fields[i];
    return NULL;
}

static void tell_unknown(struct reading *r, const struct dq_yaml *entry)
{
    const char *keys[FIELDS], *near;

    for (int i = 0; i < FIELDS; i++)
        keys[i] = fields[i].key;
    near = dq_text_nearest(entry->key, keys, FIELDS);
    dq_problem_add(r->problems, entry->key_line, entry->key_column,
                   "unknown key '%s'%s%s%s", entry->key,
                   near ? " (did you mean '" : "", near ? near : "",
                   near ? "'?)" : "");
}

static void give(struct reading *r, const struct field *f,
                 const struct dq_yaml *value, const char *text)
{
    struct dq_err err = {0};

    if (value->kind != DQ_YAML_SCALAR)
        dq_problem_add(r->problems, value->line, value->column,
                       "%s: one value is wanted", f->key);
    else if (r->take(r->context, f->key, text, &err))
        dq_problem_add(r->problems, value->line, value->column, "%s", err.text);
}

static void give_flag(struct reading *r, const struct field *f,
                      const struct dq_yaml *value)
{
    if (value->kind == DQ_YAML_SCALAR && strcmp(value->text, "true") == 0)
        give(r, f, value, "");
    else if (value->kind != DQ_YAML_SCALAR || strcmp(value->text, "false") != 0)
        dq_problem_add(r->problems, value->line, value->column,
                       "%s: is neither true nor false", f->key);
}

static void read_entry(struct reading *r, const struct dq_yaml *entry)
{
    const struct field *f = find_field(entry->key);

    if (!f)
        tell_unknown(r, entry);
    else if (f->type == FLAG)
        give_flag(r, f, entry);
    else if (f->type == LIST && entry->kind == DQ_YAML_LIST)
        for (const struct dq_yaml *v = entry->child; v; v = v->next)
            give(r, f, v, v->text);
    else
        give(r, f, entry, entry->text);
}

static void read_all(struct reading *r, const struct dq_yaml *tree)
{
    if (tree->kind == DQ_YAML_SCALAR && !*tree->text && !tree->quoted)
        return; /* nothing but comments */
    if (tree->kind != DQ_YAML_MAP)
        dq_problem_add(r->problems, tree->line, tree->column,
                       "lines of `key: value` are wanted");
    for (const struct dq_yaml *e = tree->child; e; e = e->next)
        if (e->key)
            read_entry(r, e);
}

int dq_config_read(const char *path, dq_config_taker *take, void *context,
                   struct dq_problems *problems, struct dq_err *err)
{
    struct reading r = {take, context, problems};
    struct dq_bytes text = {0};
    struct dq_yaml *tree = NULL;

    if (dq_bytes_read_file(&text, path, LIMIT, DQ_CONFIG, err))
        return err->code;
    if (!dq_yaml_is_empty(text.data)) {
        tree = dq_yaml_parse(text.data, text.count, problems);
        if (tree)
            read_all(&r, tree);
        dq_yaml_free(tree);
    }
    dq_bytes_free(&text);
    dq_problems_sort(problems);
    if (problems->count)
        dq_fail(err, DQ_CONFIG, "%s:%d:%d: %s", path, problems->list->line,
                problems->list->column, problems->list->text);
    return err->code;
}

/* ---- the commented file --------------------------------------------------*/

char *dq_config_text(void)
{
    struct dq_bytes out = {0};

    dq_bytes_text(
        &out,
        "# depthqd's configuration: ~/.config/depthq/depthqd.yaml "
        "or\n# /etc/depthq/depthqd.yaml. Options of the command line "
        "go before it.\n# Try it: depthqd --check-config --config FILE\n");
    for (int i = 0; i < FIELDS; i++)
        dq_bytes_printf(&out, "\n# %s\n#%s: %s\n", fields[i].doc, fields[i].key,
                        fields[i].usual);
    return out.data;
}
