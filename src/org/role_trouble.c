/* SPDX-License-Identifier: MIT */
/*
 * role_trouble.c: what is wrong with a role as a whole, and escalations that nobody here may take. All of it
 * is a state that a tick finds and ends, so a restart between cause and effect loses nothing. Any one thread
 * at a time.
 *
 *     absent      nobody in the succession is present, and messages wait
 *     overflow    more senders were refused in a period than the rule allows
 *     intensity   more failures in a period in the roles that this one supervises than the rule allows
 *
 * Each is told to the supervisor once per occurrence, as a notice that lists what waits. An occurrence of
 * absence is over when somebody is present; of overflow when the mailbox is half empty; failures are counted
 * from anew once they were told. At the root there is nobody to tell: the role has an alarm.
 *
 * What children told goes on to this role's supervisor when nobody present may take it: nobody is there, or
 * only whoever failed is.
 */
#include <stdio.h>
#include <string.h>

#include "org/id.h"
#include "org/name.h"
#include "org/role_decision.h"

/* --- counting ------------------------------------------------------------------------------------ */

void role_tally_add(struct role_tally *tally, int64_t at, uint32_t limit, int64_t period_ms)
{
    enum { KEPT = ORG_TALLY_MAX + 1 };
    tally->at[tally->next] = at;
    tally->next = (tally->next + 1) % KEPT;
    if (tally->count < KEPT)
        tally->count++;
    if (tally->count <= limit || tally->is_raised)
        return;
    int64_t first = tally->at[(tally->next + KEPT - 1 - limit) % KEPT]; /* of the last limit + 1 */
    if (at - first < period_ms)
        tally->is_pending = true;
}

int64_t role_failures_period(const struct org_role *role, enum org_holder_kind kind)
{
    if (role->rules.failures_period_ms != 0)
        return role->rules.failures_period_ms;
    return kind == ORG_PROGRAM ? ORG_FAILURES_PERIOD_PROGRAM_MS : ORG_FAILURES_PERIOD_PERSON_MS;
}

void emit_counted(struct decision *d, const org_sent *sent, const char *source)
{
    char by[ORG_NAME_LEN_MAX + 1];
    org_name_first(troupe_flat_text(sent, sent->by), by);
    org_reported_fields fields = {.at = d->now_ms,
                                  .source_number = sent->number,
                                  .origin_id = sent->origin_id,
                                  .source = source,
                                  .by = by,
                                  .cause = sent->outcome,
                                  .holder_kind = sent->action == 1 + ORG_PROGRAM ? ORG_PROGRAM : ORG_PERSON};
    emit(d, &org_reported_type, &fields);
}

/* --- what there is ------------------------------------------------------------------------------- */

static const char *supervisor_of(const struct org_role *role)
{
    return role_configured_text(role, role_configured(role)->supervisor);
}

static bool is_absent(const struct org_role *role)
{
    uint8_t action = role->rules.on_absent;
    return role->queued_work > 0 && action != ORG_ACTION_RETRY &&
           (action == ORG_ACTION_DECLINE || !role->is_absence_told) && role_active(role) == MAP_NONE;
}

static bool is_pending(const struct org_role *role, int which)
{
    return role->tallies[which] != NULL && role->tallies[which]->is_pending;
}

/* The first message at or behind this one that nobody present may take; NULL for none. */
static const struct role_message *next_stuck(const struct org_role *role, const struct role_message *message)
{
    while (message != NULL && role_taker(role, message) != MAP_NONE)
        message = message->next;
    return message;
}

/* With two present holders nothing is stuck that one has failed; this spares the walk. */
static bool has_two_present(const struct org_role *role)
{
    uint32_t present = 0;
    for (uint32_t i = 0; i < role->holder_count && present < 2; i++)
        present += !role->names[role->holders[i]]->is_absent;
    return present == 2;
}

static const struct role_message *first_stuck(const struct org_role *role)
{
    bool is_free = role->told.first == NULL || (role->told_several == 0 && has_two_present(role));
    return is_free ? NULL : next_stuck(role, role->told.first);
}

bool role_has_stuck(const struct org_role *role)
{
    return first_stuck(role) != NULL;
}

bool role_is_in_trouble(const struct org_role *role)
{
    if (role->configuration == NULL)
        return false;
    for (int i = 0; i < TALLY_COUNT; i++) {
        if (is_pending(role, i))
            return true;
    }
    return is_absent(role) || (*supervisor_of(role) != '\0' && role_has_stuck(role));
}

/* --- telling ------------------------------------------------------------------------------------- */

/* What waits, a line each; as much as fits. */
static void list_waiting(const struct decision *d, char *ret_text, size_t size)
{
    const struct org_message *list[ORG_NOTICE_LIST_MAX];
    size_t count = org_role_list(d->role, ORG_QUEUED, d->now_ms, list, ORG_NOTICE_LIST_MAX);
    size_t at = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char id[ORG_ID_TEXT_LEN + 1];
        org_id_text(list[i]->id, id);
        const char *subject = org_message_text(list[i], list[i]->accepted->subject);
        if (at + strlen(id) + strlen(subject) + 2 >= size)
            return;
        at += (size_t)snprintf(ret_text + at, size - at, "%s %s\n", id, subject);
    }
}

static uint64_t emit_notice(struct decision *d, enum org_trouble trouble, const char *subject)
{
    enum { LIST_SIZE = ORG_NOTICE_LIST_MAX * (ORG_ID_TEXT_LEN + ORG_SUBJECT_LEN_MAX + 2) };
    char list[LIST_SIZE + 1];
    if (*supervisor_of(d->role) == '\0')
        return 0;
    list_waiting(d, list, sizeof(list));
    org_sent_fields fields = {
        .to = supervisor_of(d->role),
        .origin_role = d->role->name,
        .subject = subject,
        .body = list,
        .kind = ORG_KIND_NOTICE,
        .message_class = ORG_NORMAL,
        .outcome = (uint8_t)trouble,
    };
    return emit_sent(d, &fields);
}

/* `subject` "": nobody is to be told. */
static void emit_troubled(struct decision *d, enum org_trouble trouble, enum org_holder_kind kind,
                          uint64_t count, const char *subject)
{
    uint64_t number = *subject == '\0' ? 0 : emit_notice(d, trouble, subject);
    org_troubled_fields fields = {.at = d->now_ms,
                                  .sent_number = number,
                                  .count = count,
                                  .trouble = (uint8_t)trouble,
                                  .holder_kind = (uint8_t)kind};
    emit(d, &org_troubled_type, &fields);
}

/* --- acting -------------------------------------------------------------------------------------- */

/* What is due by itself has its own end. */
static size_t decline_one(struct decision *d, const struct role_message *message)
{
    if (message_body(message)->kind != ORG_KIND_MESSAGE || role_due_of(message) <= d->now_ms)
        return 0;
    emit_declined(d, message, "nobody holds this role now", 0);
    return 1;
}

static size_t decline_heap(struct decision *d, const struct heap *heap, size_t limit)
{
    size_t declined = 0;
    for (size_t i = 0; i < heap->count && declined < limit; i++)
        declined += decline_one(d, role_queue_message(&heap->entries[i]));
    return declined;
}

/*
 * Nobody is there: the senders are told so. Nothing is assigned, since who has something assigned is there.
 */
static size_t decline_waiting(struct decision *d, size_t limit)
{
    size_t declined = 0;
    for (int i = 0; i < ORG_CLASS_COUNT; i++) {
        const struct role_message *message = d->role->fresh[i].first;
        for (; message != NULL && declined < limit; message = message->next)
            declined += decline_one(d, message);
        declined += decline_heap(d, &d->role->put_off[i], limit - declined);
        declined += decline_heap(d, &d->role->returned[i], limit - declined);
    }
    return declined;
}

static size_t be_absent(struct decision *d, size_t limit)
{
    char subject[ORG_SUBJECT_LEN_MAX + 1];
    if (d->role->rules.on_absent == ORG_ACTION_DECLINE)
        return decline_waiting(d, limit);
    snprintf(subject, sizeof(subject), "%s: %s, and %llu messages wait", d->role->name,
             d->role->holder_count == 0 ? "nobody holds it" : "nobody is present",
             (unsigned long long)d->role->queued_work);
    emit_troubled(d, ORG_TROUBLE_ABSENT, ORG_PERSON, d->role->queued_work, subject);
    return 0;
}

static void overflow(struct decision *d)
{
    char subject[ORG_SUBJECT_LEN_MAX + 1] = "";
    if (d->role->rules.on_overflow != ORG_ACTION_RETRY)
        snprintf(subject, sizeof(subject), "%s: its mailbox is full, and more than %u senders were refused",
                 d->role->name, (unsigned)d->role->rules.refusals_max);
    emit_troubled(d, ORG_TROUBLE_OVERFLOW, ORG_PERSON, d->role->tallies[TALLY_REFUSALS]->count, subject);
}

static void exceed(struct decision *d, int which)
{
    char subject[ORG_SUBJECT_LEN_MAX + 1];
    enum org_holder_kind kind = which == TALLY_FAILURES_PROGRAM ? ORG_PROGRAM : ORG_PERSON;
    snprintf(subject, sizeof(subject), "%s: more than %u failures in the roles that it supervises",
             d->role->name, (unsigned)d->role->rules.failures_max);
    emit_troubled(d, ORG_TROUBLE_INTENSITY, kind, d->role->tallies[which]->count, subject);
}

static void pass_up(struct decision *d, const struct role_message *message)
{
    const char *supervisor = supervisor_of(d->role);
    uint64_t number =
        emit_forward(d, message, supervisor, message_text(message, message_body(message)->note));
    org_forwarded_fields fields = {.at = d->now_ms,
                                   .id = message->seen.id,
                                   .sent_number = number,
                                   .to = supervisor,
                                   .note = "nobody present may take it"};
    emit(d, &org_forwarded_type, &fields);
    emit_wakes(d, message->seen.id);
}

void decide_trouble(struct decision *d, size_t limit)
{
    const struct org_role *role = d->role;
    if (!role_is_in_trouble(role))
        return;
    if (is_pending(role, TALLY_REFUSALS))
        overflow(d);
    for (int i = TALLY_FAILURES_PERSON; i <= TALLY_FAILURES_PROGRAM; i++) {
        if (is_pending(role, i))
            exceed(d, i);
    }
    if (is_absent(role))
        limit -= be_absent(d, limit);
    if (*supervisor_of(role) == '\0')
        return; /* at the root it waits, under an alarm */
    const struct role_message *message = first_stuck(role);
    for (; message != NULL && limit > 0 && decision_has_room(d); limit--) {
        pass_up(d, message);
        message = next_stuck(role, message->next);
    }
}
