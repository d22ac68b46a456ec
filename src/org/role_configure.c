/* SPDX-License-Identifier: MIT */
/*
 * role_configure.c: setting a role up. A configuration replaces the whole of what was, so the same one twice
 * is one. When an actor leaves the succession, what it holds goes back to the queue, and what it kept while
 * away; everything else stays where it is, because the mailbox is the role's. Any one thread at a time.
 */
#include <string.h>

#include "org/failure_rules.h"
#include "org/name.h"
#include "org/role_decision.h"

/* The succession as it is stored: names, one a line. */
enum { HOLDERS_LEN_MAX = ORG_SUCCESSION_MAX * (ORG_ACTOR_NAME_LEN_MAX + 1) };

static bool has_holder(const struct org_configure *configure, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++) {
        if (strcmp(configure->holders[i], name) == 0)
            return true;
    }
    return false;
}

static bool are_holders_valid(const struct org_configure *configure)
{
    if (configure->holder_count > ORG_SUCCESSION_MAX)
        return false;
    for (size_t i = 0; i < configure->holder_count; i++) {
        if (!org_name_is_actor(configure->holders[i]) || has_holder(configure, i, configure->holders[i]))
            return false;
    }
    return true;
}

/* Whether a text is "" or the address of another role. */
static bool is_other_role(const char *role, const char *text)
{
    return *text == '\0' || (org_name_is_address(text) && strcmp(text, role) != 0);
}

/* 0: the default. */
static bool may_be(enum org_failure kind, enum org_action action)
{
    return action == 0 || org_failure_may(kind, action);
}

static bool are_rules_valid(const struct org_configure *configure)
{
    return may_be(ORG_FAILURE_FAIL, configure->on_fail) && may_be(ORG_FAILURE_LAPSE, configure->on_lapse) &&
           may_be(ORG_FAILURE_CRASH, configure->on_crash) &&
           may_be(ORG_FAILURE_ABSENT, configure->on_absent) &&
           may_be(ORG_FAILURE_OVERFLOW, configure->on_overflow) && configure->refusals_max <= ORG_TALLY_MAX &&
           configure->failures_max <= ORG_TALLY_MAX && configure->refusals_period_ms >= 0 &&
           configure->refusals_period_ms <= ORG_PERIOD_MAX_MS && configure->failures_period_ms >= 0 &&
           configure->failures_period_ms <= ORG_PERIOD_MAX_MS;
}

bool org_configure_is_valid(const char *role, const struct org_configure *configure)
{
    bool redirects = configure->overflow == ORG_OVERFLOW_REDIRECT;
    const char *redirect_to = text_or_empty(configure->redirect_to);
    return are_holders_valid(configure) && are_rules_valid(configure) &&
           is_other_role(role, text_or_empty(configure->supervisor)) && is_other_role(role, redirect_to) &&
           redirects == (*redirect_to != '\0') && (unsigned)configure->overflow <= ORG_OVERFLOW_SHED &&
           (unsigned)configure->holder_kind <= ORG_PROGRAM && configure->capacity <= ORG_CAPACITY_MAX &&
           configure->bytes_max <= ORG_BYTES_MAX && configure->lease_ms >= 0 &&
           configure->lease_ms <= ORG_LEASE_MAX_MS && configure->ageing_ms >= 0 &&
           configure->ageing_ms <= ORG_AGEING_MAX_MS;
}

static void join_holders(const struct org_configure *configure, char *ret_text)
{
    size_t at = 0;
    for (size_t i = 0; i < configure->holder_count; i++) {
        size_t len = strlen(configure->holders[i]);
        if (i > 0)
            ret_text[at++] = '\n';
        memcpy(ret_text + at, configure->holders[i], len);
        at += len;
    }
    ret_text[at] = '\0';
}

/* Everything but who did it and when. */
static bool is_same(const struct org_role *role, const org_role_configured_fields *fields)
{
    if (role->configuration == NULL)
        return false;
    const org_role_configured *old = role_configured(role);
    return strcmp(role_configured_text(role, old->supervisor), fields->supervisor) == 0 &&
           strcmp(role_configured_text(role, old->holders), fields->holders) == 0 &&
           strcmp(role_configured_text(role, old->redirect_to), fields->redirect_to) == 0 &&
           old->bytes_max == fields->bytes_max && old->lease_ms == fields->lease_ms &&
           old->ageing_ms == fields->ageing_ms && old->capacity == fields->capacity &&
           old->holder_kind == fields->holder_kind && old->overflow == fields->overflow &&
           old->on_fail == fields->on_fail && old->on_lapse == fields->on_lapse &&
           old->on_crash == fields->on_crash;
}

static struct role_rules rules_of(const struct org_configure *configure)
{
    return (struct role_rules){
        .refusals_period_ms =
            configure->refusals_period_ms != 0 ? configure->refusals_period_ms : ORG_REFUSALS_PERIOD_MS,
        .failures_period_ms = configure->failures_period_ms,
        .refusals_max = configure->refusals_max != 0 ? configure->refusals_max : ORG_REFUSALS_MAX,
        .failures_max = configure->failures_max != 0 ? configure->failures_max : ORG_FAILURES_MAX,
        .on_absent = (uint8_t)configure->on_absent,
        .on_overflow = (uint8_t)configure->on_overflow,
    };
}

static bool are_same_rules(const struct role_rules *a, const struct role_rules *b)
{
    return a->refusals_period_ms == b->refusals_period_ms && a->refusals_max == b->refusals_max &&
           a->failures_period_ms == b->failures_period_ms && a->failures_max == b->failures_max &&
           a->on_absent == b->on_absent && a->on_overflow == b->on_overflow;
}

static void emit_rules(struct decision *d, const struct role_rules *rules)
{
    org_role_rules_fields fields = {.at = d->now_ms,
                                    .refusals_period_ms = rules->refusals_period_ms,
                                    .failures_period_ms = rules->failures_period_ms,
                                    .by = d->actor,
                                    .via = d->via,
                                    .refusals_max = rules->refusals_max,
                                    .failures_max = rules->failures_max,
                                    .on_absent = rules->on_absent,
                                    .on_overflow = rules->on_overflow};
    emit(d, &org_role_rules_type, &fields);
}

static void emit_readable(struct decision *d, bool is_readable)
{
    org_role_readable_fields fields = {
        .at = d->now_ms, .by = d->actor, .via = d->via, .is_readable = is_readable};
    emit(d, &org_role_readable_type, &fields);
}

/* What an actor holds goes back to the queue. */
static void return_held(struct decision *d, const struct role_name *name)
{
    const struct role_message *message = name->held.first;
    for (; message != NULL; message = message->next)
        emit_returned(d, message, ORG_CAUSE_ABSENCE, message->seen.attempts, "", "");
}

/* What was kept for whoever is not in the succession any more; what is due by itself comes by the tick. */
static void return_kept(struct decision *d, const struct org_configure *configure)
{
    for (const struct role_message *m = d->role->parked.first; m != NULL; m = m->next) {
        if (m->seen.cause == ORG_CAUSE_ABSENCE && role_due_of(m) > d->now_ms &&
            !has_holder(configure, configure->holder_count, text_or_empty(m->seen.holder)))
            emit_returned(d, m, ORG_CAUSE_WAKE, m->seen.attempts, "", "");
    }
}

void decide_configure(struct decision *d)
{
    const struct org_configure *configure = &d->command->configure;
    char holders[HOLDERS_LEN_MAX + 1];
    if (!org_configure_is_valid(d->role->name, configure)) {
        refuse(d, ORG_REFUSED_CONFIGURATION);
        return;
    }
    join_holders(configure, holders);
    bool is_program = configure->holder_kind == ORG_PROGRAM;
    org_role_configured_fields fields = {
        .at = d->now_ms,
        .bytes_max = configure->bytes_max != 0 ? configure->bytes_max : ORG_BYTES_DEFAULT,
        .lease_ms = configure->lease_ms != 0 ? configure->lease_ms
                    : is_program             ? ORG_LEASE_PROGRAM_MS
                                             : ORG_LEASE_PERSON_MS,
        .ageing_ms = configure->ageing_ms != 0 ? configure->ageing_ms : ORG_AGEING_MS,
        .by = d->actor,
        .via = d->via,
        .supervisor = text_or_empty(configure->supervisor),
        .holders = holders,
        .redirect_to = text_or_empty(configure->redirect_to),
        .capacity = configure->capacity != 0 ? configure->capacity
                    : is_program             ? ORG_CAPACITY_PROGRAM
                                             : ORG_CAPACITY_PERSON,
        .holder_kind = (uint8_t)configure->holder_kind,
        .overflow = (uint8_t)configure->overflow,
        .on_fail = (uint8_t)configure->on_fail,
        .on_lapse = (uint8_t)configure->on_lapse,
        .on_crash = (uint8_t)configure->on_crash,
    };
    struct role_rules rules = rules_of(configure);
    bool is_new = !is_same(d->role, &fields);
    bool has_new_rules = !are_same_rules(&d->role->rules, &rules);
    bool is_shown_anew = d->role->is_readable != configure->is_readable;
    if (!is_new && !has_new_rules && !is_shown_anew) {
        d->answer->is_duplicate = true;
        return;
    }
    if (!d->role->is_open) {
        org_role_opened_fields opened = {.at = d->now_ms,
                                         .by = d->actor,
                                         .via = d->via,
                                         .role = d->role->name,
                                         .seed = {configure->seed[0], configure->seed[1]}};
        emit(d, &org_role_opened_type, &opened);
    }
    if (is_new)
        emit(d, &org_role_configured_type, &fields);
    if (has_new_rules)
        emit_rules(d, &rules);
    if (is_shown_anew)
        emit_readable(d, configure->is_readable);
    for (size_t i = 0; i < d->role->name_count; i++) {
        if (!has_holder(configure, configure->holder_count, d->role->names[i]->text))
            return_held(d, d->role->names[i]);
    }
    return_kept(d, configure);
}
