/* Whatever text a job file is: no crash, no endless loop, every problem with
 * its place; and an accepted job, written out again key by key, is the same
 * job. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/spec_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dq_spec *parse(const char *text, size_t bytes,
                             struct dq_problems *problems)
{
    return dq_spec_parse(text, bytes, "/jobs/shot.yaml", "/jobs", problems);
}

static void check_problems(const struct dq_problems *problems)
{
    assert(problems->count > 0);
    for (size_t i = 0; i < problems->count; i++) {
        const struct dq_problem *p = &problems->list[i];

        assert(p->line >= 1 && p->column >= 1 && *p->text);
        assert(!i || p->line > p[-1].line ||
               (p->line == p[-1].line && p->column >= p[-1].column));
    }
}

static int is_number(enum dq_value_type type, const char *text)
{
    return type == DQ_VALUE_FORMAT || type == DQ_VALUE_INTEGER ||
           type == DQ_VALUE_REAL || type == DQ_VALUE_FLAG ||
           ((type == DQ_VALUE_COUNT || type == DQ_VALUE_EXPOSURE) &&
            strcmp(text, "auto") != 0 && strcmp(text, "whole") != 0);
}

static void write_quoted(struct dq_bytes *out, const char *text)
{
    dq_bytes_text(out, "'");
    for (; *text; text++)
        dq_bytes_add(out, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1);
    dq_bytes_text(out, "'");
}

static void write_field(struct dq_bytes *out, const struct dq_field *field,
                        const struct dq_spec *spec)
{
    struct dq_bytes value = {0};

    dq_value_print(field, spec, &value);
    if (value.count) {
        dq_bytes_printf(out, "%s%s: ", *field->section ? "  " : "", field->key);
        if (is_number(field->type, value.data))
            dq_bytes_text(out, value.data);
        else
            write_quoted(out, value.data);
        dq_bytes_text(out, "\n");
    }
    dq_bytes_free(&value);
}

static char *write_job(const struct dq_spec *spec)
{
    struct dq_bytes out = {0};

    for (size_t s = 0; s < dq_section_count; s++) {
        const char *section = dq_sections[s].key;

        if (*section)
            dq_bytes_printf(&out, "%s:\n", section);
        for (int i = 0; i < DQ_FIELDS; i++)
            if (strcmp(dq_fields[i].section, section) == 0)
                write_field(&out, &dq_fields[i], spec);
    }
    return out.data;
}

/* Ranges may be longer written out than a job file may be. */
static void check_round_trip(const struct dq_spec *spec)
{
    struct dq_problems problems = {0};
    char *text = write_job(spec);
    struct dq_spec *again;
    char *twice;

    if (strlen(text) < 50000) {
        again = parse(text, strlen(text), &problems);
        assert(again);
        twice = write_job(again);
        assert(strcmp(text, twice) == 0);
        free(twice);
        dq_spec_free(again);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dq_problems problems = {0};
    struct dq_spec *spec = parse((const char *)data, size, &problems);

    if (spec)
        check_round_trip(spec);
    else
        check_problems(&problems);
    dq_spec_free(spec);
    dq_problems_free(&problems);
    return 0;
}
