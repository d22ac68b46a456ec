/* SPDX-License-Identifier: MIT */
/*
 * role_summary.c: summaries of roles; role_summary.h has the design. Any thread.
 */
#include "server/role_summary.h"

#include <stdio.h>

#include "server/role_actor.h"

/* What stands before the fields: whose they are, so that those of another version are not believed. */
struct stored_head {
    uint32_t type;
    uint16_t version;
    uint16_t size;
};

role_load_fields role_summary_of(const struct org_role *role, uint64_t last_id)
{
    struct org_counts counts = org_role_counts(role);
    struct org_role_view view = org_role_view(role);
    struct org_role_waiting waiting = org_role_waiting(role);
    return (role_load_fields){
        .accepted = counts.accepted,
        .queued = counts.queued,
        .held = counts.held,
        .parked = counts.parked,
        .quarantined = counts.quarantined,
        .done = counts.done,
        .declined = counts.declined,
        .forwarded = counts.forwarded,
        .expired = counts.expired,
        .shed = counts.shed,
        .owed = counts.owed,
        .last_id = last_id,
        .oldest_at = view.oldest_at,
        .due_at = org_role_due_ms(role),
        .occupied = counts.occupied,
        .timed = view.timed,
        .waiting_at = waiting.oldest_at,
        .urgent = waiting.urgent,
        .urgent_last = waiting.urgent_last,
        .has_alarm = view.has_alarm,
        .role = view.name,
        .holder = view.holder != NULL ? view.holder : "",
        .reason = "",
        .capacity = view.capacity,
        .is_sound = true,
    };
}

troupe_status role_summary_write(const role_load_fields *fields, struct buffer *bytes)
{
    struct stored_head head = {role_load_type.id, role_load_type.version, (uint16_t)sizeof(role_load)};
    size_t size = troupe_flat_size(&role_load_type, fields);
    void *place;
    troupe_status status = buffer_append(bytes, &head, sizeof head);
    if (status == TROUPE_OK)
        status = buffer_extend(bytes, size, &place);
    if (status == TROUPE_OK)
        troupe_flat_write(&role_load_type, fields, place, size);
    return status;
}

const role_load *role_summary_read(const void *bytes, size_t size)
{
    const struct stored_head *head = bytes;
    if (size < sizeof *head || head->type != role_load_type.id || head->version != role_load_type.version ||
        head->size != sizeof(role_load))
        return NULL;
    const void *body = head + 1;
    return troupe_flat_check(&role_load_type, body, size - sizeof *head) == TROUPE_OK ? body : NULL;
}
