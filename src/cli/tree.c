/* SPDX-License-Identifier: MIT */
/*
 * tree.c: `troupe tree`: the organisation as a tree drawn with lines, with each mailbox's load. With a role,
 * only what hangs below it.
 *
 * The server gives parents before children, so one pass over the roles links every child to its parent, and a
 * parent that was not seen makes a root: there can be no circle.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/alarms.h"
#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    DEPTH_MAX = 128, /* twice the depth that the server allows */
    BRANCH_MAX = 12, /* bytes of one level's lines: three box characters and a space, with room */
    NOBODY = -1,
};

static const struct output_column columns[] = {
    {"ROLE", false}, {"QUEUED", true}, {"HELD", true}, {"OLDEST", true}, {"HOLDER", false},
};

enum {
    COLUMN_COUNT = sizeof columns / sizeof *columns,
};

/* One role and its place; the links are indices into the same array. */
struct node {
    const json_t *role;
    const char *name;
    int parent;
    int first_child;
    int last_child;
    int next_sibling;
    int depth;
    bool is_below;
};

struct tree {
    struct node *nodes;
    int count;
    struct output_table *table;
    int alarms; /* of the roles that are shown */
    struct fields fields;
};

/* Hangs node `index` below its parent, if that was seen. `places` maps names to indices. */
static void link_node(struct tree *tree, int index, json_t *places)
{
    struct node *node = &tree->nodes[index];
    const char *parent = fields_text_or_null(&tree->fields, node->role, "parent");
    const json_t *place = parent != NULL ? json_object_get(places, parent) : NULL;
    *node = (struct node){.role = node->role,
                          .parent = NOBODY,
                          .first_child = NOBODY,
                          .last_child = NOBODY,
                          .next_sibling = NOBODY};
    node->name = fields_text(&tree->fields, node->role, "name");
    if (place != NULL) {
        node->parent = (int)json_integer_value(place);
        struct node *above = &tree->nodes[node->parent];
        node->depth = above->depth + 1;
        if (above->last_child == NOBODY)
            above->first_child = index;
        else
            tree->nodes[above->last_child].next_sibling = index;
        above->last_child = index;
    }
    if (node->depth >= DEPTH_MAX)
        tree->fields.wrong = "parent";
    json_object_set_new(places, node->name, json_integer(index));
}

static void read_tree(struct tree *tree, const json_t *answer)
{
    const json_t *roles = fields_list(&tree->fields, answer, "roles");
    json_t *places = text_must(json_object());
    tree->count = (int)json_array_size(roles);
    tree->nodes = text_must(calloc((size_t)tree->count + 1, sizeof *tree->nodes));
    for (int i = 0; i < tree->count; i++) {
        tree->nodes[i].role = json_array_get(roles, (size_t)i);
        link_node(tree, i, places);
    }
    json_decref(places);
}

/* "ann (+2)": who holds it, and how many could after them. */
static void write_holder(struct tree *tree, const struct node *node, char *text, size_t size,
                         bool *ret_is_vacant)
{
    const char *holder = fields_text_or_null(&tree->fields, node->role, "holder");
    size_t holders = json_array_size(fields_list(&tree->fields, node->role, "holders"));
    *ret_is_vacant = fields_flag(&tree->fields, node->role, "vacant");
    if (*ret_is_vacant)
        snprintf(text, size, "vacant");
    else if (holder == NULL)
        snprintf(text, size, "-");
    else if (holders > 1)
        snprintf(text, size, "%s (+%zu)", holder, holders - 1);
    else
        snprintf(text, size, "%s", holder);
}

static void add_row(struct tree *tree, const struct node *node, const char *lines)
{
    char name[512 + DEPTH_MAX * BRANCH_MAX];
    char queued_text[2 * TEXT_TIME_MAX];
    char held_text[TEXT_TIME_MAX];
    char oldest_text[TEXT_TIME_MAX] = "";
    char holder[256];
    bool is_vacant;
    int64_t queued = fields_number(&tree->fields, node->role, "queued");
    int64_t capacity = fields_number(&tree->fields, node->role, "capacity");
    int64_t held = fields_number(&tree->fields, node->role, "held");
    int64_t occupied = fields_number_or(&tree->fields, node->role, "occupied", queued);
    int64_t oldest_ms = fields_number_or(&tree->fields, node->role, "oldest_ms", -1);
    write_holder(tree, node, holder, sizeof holder, &is_vacant);
    snprintf(name, sizeof name, "%s%s", lines, node->name);
    snprintf(queued_text, sizeof queued_text, "%lld/%lld", (long long)queued, (long long)capacity);
    snprintf(held_text, sizeof held_text, "%lld", (long long)held);
    if (oldest_ms >= 0)
        text_duration(oldest_ms, oldest_text);
    bool has_alarm = fields_flag(&tree->fields, node->role, "alarm");
    bool is_alarm = is_vacant || has_alarm || (capacity > 0 && occupied >= capacity);
    tree->alarms += has_alarm;
    const char *cells[COLUMN_COUNT] = {name, queued_text, held_text, oldest_text, holder};
    output_table_add(tree->table, is_alarm ? OUTPUT_ALARM : OUTPUT_PLAIN, cells);
}

/*
 * `lines` is what stands before this node's children; it is put back as it was. At most DEPTH_MAX calls deep.
 */
static void add_below(struct tree *tree, int index, char *lines)
{
    size_t length = strlen(lines);
    for (int child = tree->nodes[index].first_child; child != NOBODY;
         child = tree->nodes[child].next_sibling) {
        bool is_last = tree->nodes[child].next_sibling == NOBODY;
        snprintf(lines + length, BRANCH_MAX, "%s", output_branch(is_last));
        add_row(tree, &tree->nodes[child], lines);
        snprintf(lines + length, BRANCH_MAX, "%s", output_trunk(is_last));
        add_below(tree, child, lines);
        lines[length] = '\0';
    }
}

static enum cli_exit print_tree(const struct cli *cli, const json_t *answer)
{
    struct tree tree = {0};
    char lines[(DEPTH_MAX + 1) * BRANCH_MAX] = "";
    read_tree(&tree, answer);
    enum cli_exit ending = fields_check(cli, &tree.fields);
    if (ending == CLI_OK) {
        tree.table = output_table_new(columns, COLUMN_COUNT);
        for (int i = 0; i < tree.count; i++)
            if (tree.nodes[i].parent == NOBODY) {
                add_row(&tree, &tree.nodes[i], "");
                add_below(&tree, i, lines);
            }
        ending = fields_check(cli, &tree.fields);
        if (ending == CLI_OK) {
            output_table_end(tree.table);
            if (tree.count == 0)
                output_print(OUTPUT_STRONG, "no roles yet: troupe import brings them in\n");
            alarms_print_count(tree.alarms);
        } else {
            output_table_free(tree.table);
        }
    }
    free(tree.nodes);
    return ending;
}

/* The same answer with only `name` and what hangs below it; NULL when there is no such role. */
static json_t *cut(const json_t *answer, const char *name)
{
    struct tree tree = {0};
    json_t *kept = text_must(json_array());
    read_tree(&tree, answer);
    for (int i = 0; i < tree.count; i++) {
        struct node *node = &tree.nodes[i];
        node->is_below =
            strcmp(node->name, name) == 0 || (node->parent != NOBODY && tree.nodes[node->parent].is_below);
        if (node->is_below)
            json_array_append(kept, (json_t *)node->role);
    }
    free(tree.nodes);
    if (json_array_size(kept) > 0)
        return text_must(json_pack("{s:o}", "roles", kept));
    json_decref(kept);
    return NULL;
}

static enum cli_exit run(struct cli *cli)
{
    json_t *answer = NULL;
    enum cli_exit ending =
        cli_call(cli, &(struct client_request){.method = "GET", .path = "/v1/tree"}, &answer);
    if (ending != CLI_OK)
        return ending;
    const char *name = cli->operands[0];
    if (name != NULL) {
        json_t *part = cut(answer, name);
        json_decref(answer);
        if (part == NULL)
            return cli_fail(cli, CLI_FAILED, "there is no role %s", name);
        answer = part;
    }
    return cli_show(cli, answer, print_tree);
}

const struct cli_verb verb_tree = {
    .name = "tree",
    .operands = "[ROLE]",
    .summary = "show the organisation and its load",
    .details = "Each role with its queue against its capacity, what is held, the age of the oldest message,\n"
               "and who holds it (+ how many deputies). With ROLE, only that one and what hangs below it.",
    .operand_count_max = 1,
    .run = run,
};
