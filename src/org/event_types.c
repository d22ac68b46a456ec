/* SPDX-License-Identifier: MIT */
/*
 * event_types.c: the types of all stored events; event_types.h says what for. Any thread.
 */
#include "org/event_types.h"

#include <string.h>

#include "org/directory_events.h"
#include "org/events.h"

static const troupe_type *const types[] = {
    &org_role_opened_type,
    &org_role_configured_type,
    &org_role_rules_type,
    &org_refused_type,
    &org_reported_type,
    &org_troubled_type,
    &org_handed_over_type,
    &org_presence_type,
    &org_accepted_type,
    &org_taken_type,
    &org_renewed_type,
    &org_done_type,
    &org_declined_type,
    &org_forwarded_type,
    &org_parked_type,
    &org_awaiting_type,
    &org_let_go_type,
    &org_returned_type,
    &org_quarantined_type,
    &org_resolved_type,
    &org_expired_type,
    &org_shed_type,
    &org_sent_type,
    &org_delivered_type,
    &org_role_readable_type,
    &org_role_ruled_type,
    &org_actor_set_type,
    &org_role_set_type,
    &org_domain_set_type,
    &org_domain_transferred_type,
    &org_calendar_set_type,
    &org_token_added_type,
    &org_token_revoked_type,
    &org_kept_type,
    &org_notices_set_type,
    &org_noticed_type,
    &org_absences_imported_type,
    &org_failure_rules_set_type,
};

enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

const troupe_type *org_event_type(uint32_t id)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (types[i]->id == id)
            return types[i];
    }
    return NULL;
}

const troupe_type *org_event_type_named(const char *name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    }
    return NULL;
}
