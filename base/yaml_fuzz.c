/* Whatever bytes a YAML file holds: no crash, no endless loop; a refusal says
 * where and why, and a tree keeps what yaml.h promises of it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_problems(const struct dq_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct dq_problem *p = &problems->list[i];

        assert(p->line >= 1 && p->column >= 1 && *p->text);
    }
}

/* Returns how many nodes; duplicate keys are counted in *twice. */
static size_t check_node(const struct dq_yaml *node, const struct dq_yaml *up,
                         int depth, size_t *twice)
{
    size_t count = 1;

    assert(depth <= 33); /* 32 levels, and the scalars in the last */
    assert(node->line >= 1 && node->column >= 1);
    assert((node->key != NULL) == (up && up->kind == DQ_YAML_MAP));
    assert(!node->key || (node->key_line >= 1 && node->key_column >= 1));
    assert((node->text != NULL) == (node->kind == DQ_YAML_SCALAR));
    assert(!node->child || node->kind != DQ_YAML_SCALAR);
    for (const struct dq_yaml *c = node->child; c; c = c->next) {
        count += check_node(c, node, depth + 1, twice);
        for (const struct dq_yaml *b = node->child; c->key && b != c;
             b = b->next)
            if (b->key && strcmp(b->key, c->key) == 0) {
                ++*twice;
                break;
            }
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dq_problems problems = {0};
    struct dq_yaml *tree = dq_yaml_parse((const char *)data, size, &problems);
    size_t twice = 0;

    check_problems(&problems);
    if (tree) {
        assert(size <= 65536);
        assert(check_node(tree, NULL, 1, &twice) <= 10000);
        assert(problems.count == twice);
    } else {
        assert(problems.count > 0);
    }
    dq_yaml_free(tree);
    dq_problems_free(&problems);
    return 0;
}
