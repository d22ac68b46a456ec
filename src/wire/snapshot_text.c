/* SPDX-License-Identifier: MIT */
/*
 * snapshot_text.c: a snapshot for people: a tree by indentation, a line an actor, and the same as JSON for
 * programs. Not on a message's way: reads what troupe_snapshot_take gave, on the caller's thread.
 */
#include <inttypes.h>
#include <troupe/registry.h>
#include <troupe/snapshot.h>
#include <troupe/supervisor.h>

#include "base/json_text.h"

enum {
    INDENT = 2,
    INDENT_LEVELS_MAX = 40, /* deeper ones stand as far right as this */
    TEXT_SIZE = JSON_TEXT_GROWTH * TROUPE_NAME_LEN_MAX + 1,
};

_Static_assert(TROUPE_CHILD_ID_LEN_MAX <= TROUPE_NAME_LEN_MAX, "a text holds either");

/* What people know the actor by. */
static const char *label(const troupe_snapshot_node *node)
{
    if (node->name != NULL)
        return node->name;
    return node->child != NULL ? node->child : node->behaviour;
}

static void print_count(FILE *file, const char *what, uint64_t count)
{
    if (count > 0)
        fprintf(file, ", %s %" PRIu64, what, count);
}

static void print_node(const troupe_snapshot *snapshot, const troupe_snapshot_node *node, FILE *file)
{
    char text[TEXT_SIZE];
    uint32_t level = node->level < INDENT_LEVELS_MAX ? node->level : INDENT_LEVELS_MAX;
    json_text(text, sizeof text, label(node));
    fprintf(file, "%*s%s", (int)(level * INDENT), "", text);
    json_text(text, sizeof text, node->behaviour);
    fprintf(file, " (%s #%" PRIu64 ") %s on %" PRIu32, text, node->created,
            troupe_actor_state_text(node->state), node->worker);
    print_count(file, "handled", node->handled);
    print_count(file, "waiting", node->depth);
    print_count(file, "urgent", node->depth_urgent);
    print_count(file, "notices", node->depth_system);
    print_count(file, "bytes", node->bytes);
    print_count(file, "oldest ms", node->oldest_ms);
    print_count(file, "stashed", node->stash_len);
    print_count(file, "asking", node->asks);
    print_count(file, "unexpected", node->unexpected);
    print_count(file, "restarts", node->restarts);
    print_count(file, "failures", node->failures);
    if (!troupe_ref_is_none(node->parked_on)) {
        const troupe_snapshot_node *target = troupe_snapshot_find(snapshot, node->parked_on);
        json_text(text, sizeof text, target == NULL ? "one that has ended" : label(target));
        fprintf(file, ", waits for %s", text);
    }
    fprintf(file, node->is_partial ? ", does not answer\n" : "\n");
}

void troupe_snapshot_print(const troupe_snapshot *snapshot, FILE *file)
{
    for (uint32_t i = 0; i < snapshot->node_count; i++)
        print_node(snapshot, &snapshot->nodes[i], file);
}

static void print_text(FILE *file, const char *name, const char *value)
{
    char text[TEXT_SIZE];
    if (value == NULL)
        return;
    json_text(text, sizeof text, value);
    fprintf(file, ",\"%s\":\"%s\"", name, text);
}

static void print_json_node(const troupe_snapshot_node *node, FILE *file)
{
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"created", node->created},
        {"level", node->level},
        {"worker", node->worker},
        {"handled", node->handled},
        {"unexpected", node->unexpected},
        {"restarts", node->restarts},
        {"failures", node->failures},
        {"depth", node->depth},
        {"depth_normal", node->depth_normal},
        {"depth_urgent", node->depth_urgent},
        {"depth_system", node->depth_system},
        {"bytes", node->bytes},
        {"stash_len", node->stash_len},
        {"oldest_ms", node->oldest_ms},
        {"asks", node->asks},
    };
    const struct {
        const char *name;
        bool value;
    } flags[] = {
        {"is_supervisor", node->is_supervisor},
        {"is_own_thread", node->is_own_thread},
        {"is_runnable", node->is_runnable},
        {"is_partial", node->is_partial},
    };
    fprintf(file, "{\"ref\":\"%016" PRIx64 "\"", node->ref.bits);
    if (node->parent == TROUPE_SNAPSHOT_NONE)
        fprintf(file, ",\"parent\":null");
    else
        fprintf(file, ",\"parent\":%" PRIu32, node->parent);
    print_text(file, "name", node->name);
    print_text(file, "child", node->child);
    print_text(file, "behaviour", node->behaviour);
    print_text(file, "state", troupe_actor_state_text(node->state));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        fprintf(file, ",\"%s\":%" PRIu64, numbers[i].name, numbers[i].value);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        fprintf(file, ",\"%s\":%s", flags[i].name, flags[i].value ? "true" : "false");
    if (!troupe_ref_is_none(node->parked_on))
        fprintf(file, ",\"parked_on\":\"%016" PRIx64 "\"", node->parked_on.bits);
    fputc('}', file);
}

void troupe_snapshot_print_json(const troupe_snapshot *snapshot, FILE *file)
{
    fprintf(file, "{\"at_ns\":%" PRIu64 ",\"partial_count\":%" PRIu32 ",\"actors\":[", snapshot->at_ns,
            snapshot->partial_count);
    for (uint32_t i = 0; i < snapshot->node_count; i++) {
        fputs(i == 0 ? "\n" : ",\n", file);
        print_json_node(&snapshot->nodes[i], file);
    }
    fputs("\n]}\n", file);
}
