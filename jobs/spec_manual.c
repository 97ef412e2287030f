/* The keys of a job file as Markdown, one table a section. */
#include "jobs/spec_fields.h"

#include <string.h>

static const char intro[] =
    "# The job file\n"
    "\n"
    "Made from `jobs/job_fields.def` by `scripts/generate`; edit that.\n"
    "\n"
    "One YAML file describes one shot. The least that it needs:\n"
    "\n"
    "```yaml\n"
    "depthq: 1\n"
    "plate: plate/sh010.####.exr\n"
    "model: demo-depth\n"
    "output:\n"
    "  path: depth/sh010_depth.####.exr\n"
    "```\n"
    "\n"
    "`depthq validate shot.yaml` tells everything that is wrong with it, "
    "with line\nand column; `depthq schema` prints a JSON Schema for "
    "editors.\n"
    "\n"
    "- Relative paths start at the folder of the job file.\n"
    "- Numbers are written as in JSON (`50`, `0.25`), without quotes; "
    "a switch is\n  `true` or `false`. Words and texts may stand in quotes. "
    "Nothing is guessed:\n  `yes`, `0o17` and `007` are errors.\n"
    "- A key without a value is an error: leave the line away for the "
    "default.\n"
    "- Anchors, aliases, tags, merge keys and a second document are "
    "refused, and so is\n  a file of more than 64 KiB.\n"
    "- *Pixels*: changing the value makes finished frames again.\n";

static void write_choices(struct dq_bytes *out, const struct dq_field *field)
{
    for (const struct dq_choice *c = field->choices; c && c->word; c++)
        dq_bytes_printf(out, "<br>`%s`: %s%s", c->word, c->doc,
                        c[1].word ? ";" : ".");
}

static void write_numbers(struct dq_bytes *out, const struct dq_field *field)
{
    dq_bytes_printf(out, "%.10g to %.10g", field->low, field->high);
}

static void write_type(struct dq_bytes *out, const struct dq_field *field)
{
    static const char *const words[DQ_VALUE_TYPES] = {
        [DQ_VALUE_FORMAT] = "`1`",
        [DQ_VALUE_NAME] = "name",
        [DQ_VALUE_TEXT] = "text",
        [DQ_VALUE_SEQUENCE] = "path pattern",
        [DQ_VALUE_RANGE] = "frames",
        [DQ_VALUE_INTEGER] = "whole number, ",
        [DQ_VALUE_REAL] = "number, ",
        [DQ_VALUE_FLAG] = "`true` or `false`",
        [DQ_VALUE_CHOICE] = "one of the words",
        [DQ_VALUE_COUNT] = "a word, or a whole number, ",
        [DQ_VALUE_EXPOSURE] = "a word, or a number, ",
    };
    const char *word = words[field->type];

    dq_bytes_text(out, word);
    if (word[strlen(word) - 1] == ' ')
        write_numbers(out, field);
}

static void write_field(struct dq_bytes *out, const struct dq_field *field)
{
    dq_bytes_printf(out, "| `%s` | ", field->key);
    write_type(out, field);
    if (!field->fallback)
        dq_bytes_text(out, " | required");
    else if (*field->fallback)
        dq_bytes_printf(out, " | `%s`", field->fallback);
    else
        dq_bytes_text(out, " |");
    dq_bytes_printf(out, " | %s | %s", field->pixels ? "yes" : "no",
                    field->doc);
    write_choices(out, field);
    dq_bytes_text(out, " |\n");
}

static void write_section(struct dq_bytes *out,
                          const struct dq_section *section)
{
    if (*section->key)
        dq_bytes_printf(out, "\n## `%s:`\n\n%s\n\n", section->key,
                        section->doc);
    else
        dq_bytes_text(out, "\n## Top level\n\n");
    dq_bytes_text(out, "| key | type | default | pixels | meaning |\n"
                       "| --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < DQ_FIELDS; i++)
        if (strcmp(dq_fields[i].section, section->key) == 0)
            write_field(out, &dq_fields[i]);
}

char *dq_spec_manual(void)
{
    struct dq_bytes out = {0};

    dq_bytes_text(&out, intro);
    for (size_t i = 0; i < dq_section_count; i++)
        write_section(&out, &dq_sections[i]);
    return out.data;
}
