/* From the tree of a job file to a spec, with every problem told. */
#include "jobs/spec_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

struct reading {
    struct dq_spec *spec;
    struct dq_given_field given[DQ_FIELDS];
    const struct dq_yaml *sections[DQ_FIELDS]; /* by place in dq_sections */
    struct dq_problems *problems;
};

/* ---- keys that nobody knows ----------------------------------------------*/

/* Every key that may stand in a section. */
static size_t known_keys(const char *section, const char *keys[2 * DQ_FIELDS])
{
    size_t count = 0;

    for (int i = 0; i < DQ_FIELDS; i++)
        if (strcmp(dq_fields[i].section, section) == 0)
            keys[count++] = dq_fields[i].key;
    for (size_t i = 0; !*section && i < dq_section_count; i++)
        if (*dq_sections[i].key)
            keys[count++] = dq_sections[i].key;
    return count;
}

/* The section, other than this, that has such a key; NULL: none. */
static const char *home_of_key(const char *section, const char *key)
{
    for (size_t i = 0; i < dq_section_count; i++)
        if (strcmp(dq_sections[i].key, section) != 0 &&
            dq_field_find(dq_sections[i].key, key) >= 0)
            return dq_sections[i].key;
    return NULL;
}

static void unknown_key(struct reading *r, const char *section,
                        const struct dq_yaml *entry)
{
    const char *keys[2 * DQ_FIELDS];
    size_t count = known_keys(section, keys);
    const char *home = home_of_key(section, entry->key);
    const char *near = dq_text_nearest(entry->key, keys, count);
    struct dq_bytes text = {0};

    dq_bytes_printf(&text, "unknown key '%.80s'", entry->key);
    if (home && *home)
        dq_bytes_printf(&text, " (it belongs under '%s:')", home);
    else if (home)
        dq_bytes_text(&text, " (it belongs at the top level, not indented)");
    else if (near)
        dq_bytes_printf(&text, " (did you mean '%s'?)", near);
    dq_problem_add(r->problems, entry->key_line, entry->key_column, "%s",
                   text.data);
    dq_bytes_free(&text);
}

/* ---- entries -------------------------------------------------------------*/

/* How much of a text is "<key>: " already: whoever reads frames says so. */
static size_t bytes_of_key(const char *text, const char *key)
{
    size_t bytes = strlen(key);

    return strncmp(text, key, bytes) == 0 && strncmp(text + bytes, ": ", 2) == 0
               ? bytes + 2
               : 0;
}

static void read_field(struct reading *r, int id, const struct dq_yaml *entry)
{
    const struct dq_field *field = &dq_fields[id];
    struct dq_given_field *given = &r->given[id];
    struct dq_err err = {0};
    char name[DQ_FIELD_ROOM];

    if (given->state != DQ_ABSENT)
        return; /* a duplicate, told already; the first one stands */
    given->where = entry;
    given->state = DQ_GOOD;
    if (!dq_value_read(field, entry, r->spec, &err))
        return;
    given->state = DQ_BAD;
    dq_field_name(field, name);
    dq_problem_add(r->problems, entry->line, entry->column, "%s: %s", name,
                   err.text + bytes_of_key(err.text, name));
}

static void read_section(struct reading *r, int at, const struct dq_yaml *entry)
{
    const char *section = dq_sections[at].key;

    r->sections[at] = entry;
    if (entry->kind != DQ_YAML_MAP) {
        dq_problem_add(r->problems, entry->line, entry->column,
                       "%s: expects keys of its own, indented below it",
                       section);
        return;
    }
    for (const struct dq_yaml *e = entry->child; e; e = e->next) {
        int id = dq_field_find(section, e->key);

        if (id >= 0)
            read_field(r, id, e);
        else
            unknown_key(r, section, e);
    }
}

static void read_top(struct reading *r, const struct dq_yaml *top)
{
    for (const struct dq_yaml *e = top->child; e; e = e->next) {
        int section = dq_section_find(e->key);
        int id = dq_field_find("", e->key);

        if (section >= 0 && !r->sections[section])
            read_section(r, section, e);
        else if (id >= 0)
            read_field(r, id, e);
        else if (section < 0)
            unknown_key(r, "", e);
    }
}

/* ---- keys that are not there ---------------------------------------------*/

static void missing_key(struct reading *r, const struct dq_field *field,
                        const struct dq_yaml *top)
{
    int section = dq_section_find(field->section);
    const struct dq_yaml *at = section < 0 ? NULL : r->sections[section];
    char name[DQ_FIELD_ROOM];

    if (at && at->kind != DQ_YAML_MAP)
        return; /* told already */
    dq_field_name(field, name);
    dq_problem_add(r->problems, at ? at->key_line : top->line,
                   at ? at->key_column : top->column,
                   field->type == DQ_VALUE_FORMAT
                       ? "missing key '%s' (write '%s: 1' in the first line)"
                       : "missing key '%s'",
                   name, name);
}

static void fill_absent(struct reading *r, const struct dq_yaml *top)
{
    for (int i = 0; i < DQ_FIELDS; i++) {
        if (r->given[i].state != DQ_ABSENT)
            continue;
        if (!dq_fields[i].fallback)
            missing_key(r, &dq_fields[i], top);
        else
            dq_value_default(&dq_fields[i], r->spec);
    }
}

/* The job's name when it has none: the file's, without ending, other
 * characters as '-'. */
static char *name_of_file(const char *file)
{
    const struct dq_field *field = &dq_fields[DQ_FIELD_NAME];
    const char *base = strcmp(file, "-") == 0 ? "job" : dq_path_name(file);
    const char *dot = strrchr(base, '.');
    size_t bytes = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    char *name = dq_strndup(
        base, bytes < (size_t)field->high ? bytes : (size_t)field->high);

    for (char *p = name; *p; p++)
        if (!strchr(DQ_NAME_CHARACTERS, *p))
            *p = '-';
    return name;
}

static void read_tree(struct reading *r, const struct dq_yaml *tree)
{
    if (tree->kind != DQ_YAML_MAP) {
        dq_problem_add(r->problems, tree->line, tree->column,
                       "a job file is a list of 'key: value' lines; the "
                       "first is 'depthq: 1'");
        return;
    }
    read_top(r, tree);
    fill_absent(r, tree);
    if (!r->spec->name)
        r->spec->name = name_of_file(r->spec->file);
    dq_spec_check(r->spec, r->given, r->problems);
}

struct dq_spec *dq_spec_parse(const char *text, size_t bytes, const char *file,
                              const char *folder, struct dq_problems *problems)
{
    struct reading r = {.problems = problems};
    struct dq_yaml *tree = dq_yaml_parse(text, bytes, problems);

    r.spec = dq_new(sizeof *r.spec);
    r.spec->file = dq_strdup(file);
    r.spec->folder = dq_strdup(folder);
    if (tree)
        read_tree(&r, tree);
    dq_yaml_free(tree);
    if (tree && problems->count == 0)
        return r.spec;
    dq_problems_sort(problems);
    dq_spec_free(r.spec);
    return NULL;
}
