#include "base/yaml.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/mem.h"

enum { MOST_BYTES = 64 * 1024, MOST_DEPTH = 32, MOST_EVENTS = 10000 };

/* ---- problems ------------------------------------------------------------*/

void dq_problem_add(struct dq_problems *all, int line, int column,
                    const char *fmt, ...)
{
    struct dq_problem *p;
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        abort();
    va_end(args);
    all->list = dq_grow(all->list, all->count + 1, sizeof *all->list);
    p = &all->list[all->count++];
    p->line = line;
    p->column = column;
    p->text = text;
}

static int by_place(const void *a, const void *b)
{
    const struct dq_problem *x = a, *y = b;

    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

void dq_problems_sort(struct dq_problems *all)
{
    if (all->count > 1)
        qsort(all->list, all->count, sizeof *all->list, by_place);
}

void dq_problems_free(struct dq_problems *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++)
        free(all->list[i].text);
    free(all->list);
    memset(all, 0, sizeof *all);
}

/* ---- tree ----------------------------------------------------------------*/

void dq_yaml_free(struct dq_yaml *tree)
{
    while (tree) {
        struct dq_yaml *next = tree->next;

        dq_yaml_free(tree->child); /* depth is bounded by MOST_DEPTH */
        free(tree->key);
        free(tree->text);
        free(tree);
        tree = next;
    }
}

/* An open map or list while events come in. */
struct level {
    struct dq_yaml *node;
    struct dq_yaml **tail; /* where its next child goes */
    char *key;             /* of a map: read, its value not yet */
    int key_line, key_column;
};

struct builder {
    const char *text;
    size_t bytes;
    struct dq_problems *problems;
    struct dq_yaml *root;
    struct level levels[MOST_DEPTH];
    int depth;
    int documents;
    int failed;
};

static void refuse(struct builder *b, const yaml_mark_t *at, const char *what)
{
    dq_problem_add(b->problems, (int)at->line + 1, (int)at->column + 1, "%s",
                   what);
    b->failed = 1;
}

static void check_duplicate(struct builder *b, const struct level *level,
                            const char *key, const yaml_mark_t *at)
{
    for (struct dq_yaml *c = level->node->child; c; c = c->next) {
        if (strcmp(c->key, key) != 0)
            continue;
        dq_problem_add(b->problems, (int)at->line + 1, (int)at->column + 1,
                       "key '%s' is there twice (first on line %d)", key,
                       c->key_line);
        return;
    }
}

static void take_key(struct builder *b, struct level *level,
                     const yaml_event_t *event)
{
    const yaml_mark_t *at = &event->start_mark;
    const char *text = (const char *)event->data.scalar.value;

    if (strlen(text) != event->data.scalar.length)
        refuse(b, at, "a key with a zero byte");
    if (strcmp(text, "<<") == 0)
        refuse(b, at, "merge keys (<<) are not read; write the keys out");
    check_duplicate(b, level, text, at);
    level->key = dq_strdup(text);
    level->key_line = (int)at->line + 1;
    level->key_column = (int)at->column + 1;
}

/* Hang a new node where it belongs; the level's key becomes its own. */
static struct dq_yaml *add_node(struct builder *b, enum dq_yaml_kind kind,
                                const yaml_mark_t *at)
{
    struct dq_yaml *node = dq_new(sizeof *node);
    struct level *level;

    node->kind = kind;
    node->line = (int)at->line + 1;
    node->column = (int)at->column + 1;
    if (b->depth == 0) {
        b->root = node;
        return node;
    }
    level = &b->levels[b->depth - 1];
    node->key = level->key;
    node->key_line = level->key_line;
    node->key_column = level->key_column;
    level->key = NULL;
    *level->tail = node;
    level->tail = &node->next;
    return node;
}

static int wants_key(const struct builder *b)
{
    const struct level *level;

    if (b->depth == 0)
        return 0;
    level = &b->levels[b->depth - 1];
    assert(level->node); /* open_level gave it one */
    return level->node->kind == DQ_YAML_MAP && !level->key;
}

static void open_level(struct builder *b, enum dq_yaml_kind kind,
                       const yaml_mark_t *at)
{
    struct level *level;

    if (wants_key(b)) {
        refuse(b, at, "a key must be a plain word");
        return;
    }
    if (b->depth == MOST_DEPTH) {
        refuse(b, at, "nested deeper than 32 levels");
        return;
    }
    level = &b->levels[b->depth];
    memset(level, 0, sizeof *level);
    level->node = add_node(b, kind, at);
    level->tail = &level->node->child;
    b->depth++;
}

static void take_scalar(struct builder *b, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    yaml_scalar_style_t style = event->data.scalar.style;
    struct dq_yaml *node;

    if (wants_key(b)) {
        take_key(b, &b->levels[b->depth - 1], event);
        return;
    }
    node = add_node(b, DQ_YAML_SCALAR, &event->start_mark);
    node->text = dq_strdup(text);
    node->quoted = style != YAML_PLAIN_SCALAR_STYLE;
    if (strlen(text) != event->data.scalar.length)
        refuse(b, &event->start_mark, "a text with a zero byte");
}

static void check_anchor(struct builder *b, const yaml_event_t *event,
                         const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        refuse(b, &event->start_mark,
               "anchors (&) and aliases (*) are not read; write it out");
    if (tag)
        refuse(b, &event->start_mark, "tags (!) are not read; remove it");
}

static void take_event(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++b->documents > 1)
            refuse(b, &event->start_mark,
                   "a second document (---); one a file");
        break;
    case YAML_ALIAS_EVENT:
        check_anchor(b, event, event->data.alias.anchor, NULL);
        break;
    case YAML_SCALAR_EVENT:
        check_anchor(b, event, event->data.scalar.anchor,
                     event->data.scalar.tag);
        take_scalar(b, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        check_anchor(b, event, event->data.sequence_start.anchor,
                     event->data.sequence_start.tag);
        open_level(b, DQ_YAML_LIST, &event->start_mark);
        break;
    case YAML_MAPPING_START_EVENT:
        check_anchor(b, event, event->data.mapping_start.anchor,
                     event->data.mapping_start.tag);
        open_level(b, DQ_YAML_MAP, &event->start_mark);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        break;
    default:
        break;
    }
}

/* What ends the reading at once: after it events no longer fit together. */
static int is_fatal(const struct builder *b, const yaml_event_t *event)
{
    return b->failed && (event->type == YAML_ALIAS_EVENT ||
                         event->type == YAML_SEQUENCE_START_EVENT ||
                         event->type == YAML_MAPPING_START_EVENT ||
                         event->type == YAML_DOCUMENT_START_EVENT);
}

/* Bytes that are no text come with an offset instead of a mark. */
static yaml_mark_t mark_of_offset(const char *text, size_t bytes, size_t offset)
{
    yaml_mark_t at = {0};

    for (size_t i = 0; i < offset && i < bytes; i++) {
        at.column += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (text[i] == '\n') {
            at.line++;
            at.column = 0;
        }
    }
    return at;
}

/* The byte at a mark; its index counts characters. */
static char byte_at(const struct builder *b, const yaml_mark_t *at)
{
    size_t left = at->index;

    for (size_t i = 0; i < b->bytes; i++)
        if (((unsigned char)b->text[i] & 0xc0) != 0x80 && left-- == 0)
            return b->text[i];
    return '\0';
}

/* What people do and the library tells in its own terms, or NULL. */
static const char *in_plain_words(const struct builder *b,
                                  const yaml_mark_t *at, const char *what)
{
    int is_tab = byte_at(b, at) == '\t';

    if (strstr(what, "<document start>"))
        return "text after the document's end (...); one document a file";
    if (is_tab && (strstr(what, "tab") || strstr(what, "any token")))
        return "a tab cannot indent; use spaces";
    return NULL;
}

static void syntax_problem(struct builder *b, const yaml_parser_t *parser)
{
    const yaml_mark_t reader =
        mark_of_offset(b->text, b->bytes, parser->problem_offset);
    const yaml_mark_t *at =
        parser->error == YAML_READER_ERROR ? &reader : &parser->problem_mark;
    const char *what = parser->problem ? parser->problem : "is no YAML";
    const char *plain = in_plain_words(b, at, what);

    if (plain)
        dq_problem_add(b->problems, (int)at->line + 1, (int)at->column + 1,
                       "%s", plain);
    else if (parser->context)
        dq_problem_add(b->problems, (int)at->line + 1, (int)at->column + 1,
                       "YAML: %s (%s)", what, parser->context);
    else
        dq_problem_add(b->problems, (int)at->line + 1, (int)at->column + 1,
                       "YAML: %s", what);
    b->failed = 1;
}

static void read_events(struct builder *b, yaml_parser_t *parser)
{
    yaml_event_t event;
    int events = 0, over = 0;

    while (!over) {
        if (!yaml_parser_parse(parser, &event)) {
            syntax_problem(b, parser);
            return;
        }
        if (++events > MOST_EVENTS)
            refuse(b, &event.start_mark, "more than 10,000 items");
        else
            take_event(b, &event);
        over = event.type == YAML_STREAM_END_EVENT || events > MOST_EVENTS ||
               is_fatal(b, &event);
        yaml_event_delete(&event);
    }
}

static int acceptable_bytes(const char *text, size_t bytes,
                            struct dq_problems *problems)
{
    const unsigned char *t = (const unsigned char *)text;

    if (bytes > MOST_BYTES) {
        dq_problem_add(problems, 1, 1, "%zu bytes; at most 64 KiB are read",
                       bytes);
        return 0;
    }
    if ((bytes >= 2 &&
         ((t[0] == 0xfe && t[1] == 0xff) || (t[0] == 0xff && t[1] == 0xfe))) ||
        (bytes > 0 && memchr(text, 0, bytes))) {
        dq_problem_add(problems, 1, 1,
                       "is not UTF-8 text; save the file as UTF-8");
        return 0;
    }
    return 1;
}

/* "---" alone gives one plain scalar without text. */
static int is_nothing(const struct dq_yaml *root)
{
    return !root ||
           (root->kind == DQ_YAML_SCALAR && !*root->text && !root->quoted);
}

struct dq_yaml *dq_yaml_parse(const char *text, size_t bytes,
                              struct dq_problems *problems)
{
    struct builder b = {.problems = problems};
    yaml_parser_t parser;

    if (!acceptable_bytes(text, bytes, problems))
        return NULL;
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* libyaml would count the mark as the first column */
        bytes -= 3;
    }
    b.text = bytes ? text : ""; /* libyaml aborts on NULL */
    b.bytes = bytes;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)b.text, bytes);
    read_events(&b, &parser);
    yaml_parser_delete(&parser);
    for (int i = 0; i < b.depth && b.failed; i++)
        free(b.levels[i].key);
    if (!b.failed && is_nothing(b.root)) {
        dq_problem_add(problems, 1, 1, "is empty");
        b.failed = 1;
    }
    if (b.failed) {
        dq_yaml_free(b.root);
        dq_problems_sort(problems);
        return NULL;
    }
    return b.root;
}

int dq_yaml_is_empty(const char *text)
{
    while (*text) {
        text += strspn(text, " \t\r\n");
        if (*text && *text != '#')
            return 0;
        text += strcspn(text, "\n");
    }
    return 1;
}
