/* SPDX-License-Identifier: MIT */
/*
 * role_fold_role.c: folding the records that are about the role itself: how it is set up, who is there, what
 * is counted and what trouble came of it. Part of role_fold.c, whose head says how. Any one thread at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "org/role_fold.h"

/* --- how it is set up, and who is there ---------------------------------------------------------- */

void fold_opened(struct org_role *role, const struct record *record)
{
    (void)record; /* its seed was taken when memory was reserved, because names are entered then */
    if (role->is_open)
        fold_misfit(role);
    role->is_open = true;
}

/* When somebody is there, the next absence is another occurrence. */
static void end_absence(struct org_role *role)
{
    if (role_active(role) != MAP_NONE)
        role->is_absence_told = false;
}

void fold_configured(struct org_role *role, const struct record *record)
{
    struct role_configuration *configuration = role_take_reserved(role);
    configuration->size = record->size;
    memcpy(configuration->body, record->body, record->size);
    const org_role_configured *body = (const org_role_configured *)(const void *)configuration->body;
    if (!role->is_open || body->lease_ms < 0 || body->lease_ms > ORG_LEASE_MAX_MS || body->ageing_ms < 0) {
        fold_misfit(role);
        free(configuration);
        return;
    }
    free(role->configuration);
    role->configuration = configuration;

    for (size_t i = 0; i < role->name_count; i++)
        role->names[i]->is_holder = false;
    role->holder_count = 0;
    const char *holders = role_configured_text(role, role_configured(role)->holders);
    while (*holders != '\0' && role->holder_count < ORG_SUCCESSION_MAX) {
        char name[ORG_ACTOR_NAME_LEN_MAX + 1];
        size_t len = strcspn(holders, "\n");
        memcpy(name, holders, len);
        name[len] = '\0';
        uint32_t holder = role_name_find(role, name);
        if (holder != MAP_NONE && !role->names[holder]->is_holder) {
            role->names[holder]->is_holder = true;
            role->holders[role->holder_count++] = holder;
        }
        holders += len + (holders[len] == '\n');
    }
    for (size_t i = 0; i < role->name_count; i++) {
        if (!role->names[i]->is_holder)
            role_unassign(role, (uint32_t)i);
    }
    end_absence(role);
}

void fold_presence(struct org_role *role, const struct record *record)
{
    const org_presence *body = record->body;
    uint32_t name = role_name_find(role, troupe_flat_text(body, body->actor));
    if (name == MAP_NONE) {
        fold_misfit(role);
        return;
    }
    role->names[name]->is_absent = !body->is_present;
    if (!body->is_present)
        role_unassign(role, name);
    end_absence(role);
}

void fold_rules(struct org_role *role, const struct record *record)
{
    const org_role_rules *body = record->body;
    if (body->refusals_max > ORG_TALLY_MAX || body->failures_max > ORG_TALLY_MAX) {
        fold_misfit(role);
        return;
    }
    role->rules = (struct role_rules){.refusals_period_ms = body->refusals_period_ms,
                                      .failures_period_ms = body->failures_period_ms,
                                      .refusals_max = body->refusals_max,
                                      .failures_max = body->failures_max,
                                      .on_absent = body->on_absent,
                                      .on_overflow = body->on_overflow};
}

void fold_readable(struct org_role *role, const struct record *record)
{
    const org_role_readable *body = record->body;
    role->is_readable = body->is_readable;
}

void fold_handed_over(struct org_role *role, const struct record *record)
{
    struct role_note *note = role_take_reserved(role);
    note->size = record->size;
    memcpy(note->body, record->body, record->size);
    free(role->note);
    role->note = note;
}

/* --- what is counted ----------------------------------------------------------------------------- */

void fold_refused(struct org_role *role, const struct record *record)
{
    const org_refused *body = record->body;
    role->counts.refused++;
    if (fold_is_time(body->at))
        role_tally_add(role->tallies[TALLY_REFUSALS], body->at, role->rules.refusals_max,
                       role->rules.refusals_period_ms);
}

static int failures_of(uint8_t holder_kind)
{
    return holder_kind == ORG_PROGRAM ? TALLY_FAILURES_PROGRAM : TALLY_FAILURES_PERSON;
}

void fold_reported(struct org_role *role, const struct record *record)
{
    const org_reported *body = record->body;
    role->counts.reported++;
    fold_source(role, troupe_flat_text(body, body->source), body->source_number, 0);
    if (fold_is_time(body->at))
        role_tally_add(role->tallies[failures_of(body->holder_kind)], body->at, role->rules.failures_max,
                       role_failures_period(role, body->holder_kind));
}

void fold_troubled(struct org_role *role, const struct record *record)
{
    const org_troubled *body = record->body;
    if (body->trouble == ORG_TROUBLE_ABSENT) {
        role->is_absence_told = true;
        return;
    }
    bool is_overflow = body->trouble == ORG_TROUBLE_OVERFLOW;
    struct role_tally *tally = role->tallies[is_overflow ? TALLY_REFUSALS : failures_of(body->holder_kind)];
    if (tally == NULL) {
        fold_misfit(role);
        return;
    }
    tally->is_pending = false;
    tally->is_raised = is_overflow; /* failures are counted from anew, refusals when there is room again */
    tally->count = 0;
}
