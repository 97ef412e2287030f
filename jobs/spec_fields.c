#include "jobs/spec_fields.h"

#include <stdio.h>
#include <string.h>

#define DQ_WORD(name, word, doc) {word, doc, name},

static const struct dq_choice mode_choices[] = {
#define DQ_MODE_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice type_choices[] = {
#define DQ_TYPE_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice compression_choices[] = {
#define DQ_COMPRESSION_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice existing_choices[] = {
#define DQ_EXISTING_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice kind_choices[] = {
#define DQ_KIND_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice tonemap_choices[] = {
#define DQ_TONEMAP_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice align_choices[] = {
#define DQ_ALIGN_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice stabilize_choices[] = {
#define DQ_STABILIZE_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice size_words[] = {
#define DQ_SIZE_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice batch_words[] = {
#define DQ_BATCH_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};
static const struct dq_choice exposure_words[] = {
#define DQ_EXPOSURE_CHOICE DQ_WORD
#include "jobs/job_choices.def"
    {NULL, NULL, 0}};

#define NEEDED NULL
#define NONE ""
#define PIXELS 1
#define NO_PIXELS 0

const struct dq_field dq_fields[DQ_FIELDS] = {
#define DQ_FIELD(id, section, key, type, member, fallback, low, high, choices, \
                 pixels, doc)                                                  \
    {section,                                                                  \
     key,                                                                      \
     DQ_VALUE_##type,                                                          \
     offsetof(struct dq_spec, member),                                         \
     fallback,                                                                 \
     low,                                                                      \
     high,                                                                     \
     choices,                                                                  \
     pixels,                                                                   \
     doc},
#include "jobs/job_fields.def"
};

const struct dq_section dq_sections[] = {
#define DQ_SECTION(key, doc) {key, doc},
#include "jobs/job_fields.def"
};

const size_t dq_section_count = sizeof dq_sections / sizeof *dq_sections;

int dq_field_find(const char *section, const char *key)
{
    for (int i = 0; i < DQ_FIELDS; i++)
        if (strcmp(dq_fields[i].section, section) == 0 &&
            strcmp(dq_fields[i].key, key) == 0)
            return i;
    return -1;
}

int dq_section_find(const char *key)
{
    for (size_t i = 0; i < dq_section_count; i++)
        if (*key && strcmp(dq_sections[i].key, key) == 0)
            return (int)i;
    return -1;
}

void dq_field_name(const struct dq_field *field, char name[DQ_FIELD_ROOM])
{
    snprintf(name, DQ_FIELD_ROOM, "%s%s%s", field->section,
             *field->section ? "." : "", field->key);
}
