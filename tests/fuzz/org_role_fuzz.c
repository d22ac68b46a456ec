/* SPDX-License-Identifier: MIT */
/*
 * A role read from any bytes, as from a damaged or foreign file: the input is records as the journal gives
 * them. Each is refused or folded, nothing reads where it must not, and however much of it contradicts
 * itself, the state keeps its invariants but for the count of what did not fit, and goes on to work. One
 * thread.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "org/role.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void do_command(struct org_role *role, const struct org_command *command, int64_t now_ms)
{
    struct record_batch batch = {0};
    struct org_answer answer;
    if (org_role_decide(role, command, now_ms, &batch, &answer) == TROUPE_OK)
        org_role_fold_batch(role, &batch, 0);
    record_batch_done(&batch);
}

static void go_on(struct org_role *role)
{
    const struct org_message *list[16];
    const char *holder = org_role_holder(role, 0, NULL);
    struct org_command commands[] = {
        {.kind = ORG_TICK},
        {.kind = ORG_SEND,
         .who = {"zoe", NULL},
         .send = {.id = 99, .subject = "x", .key = "k", .message_class = ORG_URGENT}},
        {.kind = ORG_NEXT, .who = {holder == NULL ? "zoe" : holder, NULL}, .next = {.wip_limit = 9}},
        {.kind = ORG_PRESENT, .who = {"zoe", NULL}, .present = {.actor = holder == NULL ? "zoe" : holder}},
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        do_command(role, &commands[i], 1700000000000);
    for (enum org_state state = ORG_QUEUED; state <= ORG_QUARANTINED; state++)
        (void)org_role_list(role, state, 1700000000000, list, 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct org_role *role;
    struct record record;
    void *copy = malloc(size + 1); /* aligned, as the journal gives it */
    ASSERT(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    ASSERT(org_role_new("role", &role) == TROUPE_OK);
    struct record_cursor cursor = record_cursor_at(copy, size);
    while (record_next(&cursor, &record) == TROUPE_OK)
        (void)!org_role_replay(role, &record); /* a record it cannot read is refused, and that is all */
    go_on(role);
    struct org_counts counts = org_role_counts(role);
    const char *reason = "";
    ASSERT(org_counts_are_conserved(&counts));
    ASSERT(counts.misfits > 0 || org_role_check(role, &reason));
    org_role_free(role);
    free(copy);
    return 0;
}
