/* SPDX-License-Identifier: MIT */
/*
 * role_actor.c: the life of a role actor: reading its stream, keeping what comes meanwhile, appending, waking
 * at the right time. role_actor.h has the drawing; commands are in role_commands.c, answers in
 * role_answers.c, deliveries in role_outbox.c, going to sleep in role_sleep.c.
 */
#include "server/role_actor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/writer.h"
#include "org/plant.h"
#include "server/messages.h"
#include "server/role_summary.h"

/* How long the journal may take. Long before that the disk is in trouble and the journal says so itself. */
#define JOURNAL_TIMEOUT_MS 120000
/* Until something that could not be sent is tried again. */
#define RETRY_MS 50

/* --- appends ---------------------------------------------------------------------------------- */

static struct role_answer *take_answers(struct role_actor *actor)
{
    struct role_answer *answers = actor->answers;
    actor->answers = NULL;
    actor->answers_end = &actor->answers;
    return answers;
}

/* Copies a text of an answer, so that it outlives the fold. */
static const char *keep_text(char kept[ORG_NAME_LEN_MAX + 1], const char *text)
{
    return text == NULL ? NULL : memcpy(kept, text, strlen(text) + 1);
}

troupe_status role_decide(troupe_self *self, struct role_actor *actor, const struct org_command *command,
                          struct role_decision *ret_decision)
{
    size_t before = actor->batch.bytes.size;
    struct org_answer *answer = &ret_decision->answer;
    troupe_status status =
        org_role_decide(actor->role, command, role_now_ms(self, actor), &actor->batch, answer);
    if (status != TROUPE_OK)
        return status;
    answer->holder = keep_text(ret_decision->holder, answer->holder);
    answer->redirect_to = keep_text(ret_decision->redirect_to, answer->redirect_to);
    org_role_fold_batch(actor->role, &actor->batch, before);
    struct record_cursor cursor = record_cursor_of(&actor->batch);
    cursor.offset = before;
    struct record record;
    while (record_next(&cursor, &record) == TROUPE_OK) {
        if (record.type == org_accepted_type.id && ((const org_accepted *)record.body)->id > actor->last_id)
            actor->last_id = ((const org_accepted *)record.body)->id;
        if (record.type == org_sent_type.id)
            actor->batch_outbox = ((const org_sent *)record.body)->number;
        actor->is_stirred = actor->is_stirred || record.type == org_accepted_type.id ||
                            record.type == org_returned_type.id ||
                            record.type == org_role_configured_type.id || record.type == org_presence_type.id;
        actor->is_load_told = false;
    }
    return TROUPE_OK;
}

static troupe_status on_appended(troupe_self *self, troupe_status status, const troupe_message *message,
                                 void *context)
{
    struct role_flight *flight = context;
    struct role_actor *actor = flight->actor;
    const journal_appended *appended = status == TROUPE_OK ? journal_appended_of(message) : NULL;
    if (appended == NULL || appended->status != TROUPE_OK || appended->seq != flight->seq) {
        if (status == TROUPE_OK)
            status = appended == NULL ? TROUPE_UNEXPECTED : (troupe_status)appended->status;
        return troupe_fail(self, status == TROUPE_OK ? TROUPE_CONFLICT : status,
                           "an append was not acknowledged");
    }
    assert(actor->flights == flight);
    status = role_step(self, actor, ROLE_STEP_DURABLE);
    if (status != TROUPE_OK)
        return status;
    actor->flights = flight->next;
    if (actor->flights == NULL)
        actor->flights_end = &actor->flights;
    actor->flight_count--;
    if (flight->outbox_last > actor->committed_outbox)
        actor->committed_outbox = flight->outbox_last;
    role_answers_send(self, actor, flight->answers);
    free(flight);
    return role_step(self, actor, ROLE_STEP_ANSWERED);
}

/*
 * Keeps a snapshot when much has come since the last one, right behind the append that it follows: the
 * journal takes both in order, and refuses it should anybody else have appended. That it could not be made or
 * sent costs nothing but time, some day.
 */
static void keep_snapshot(troupe_self *self, struct role_actor *actor)
{
    struct buffer state = {0};
    size_t ratio = actor->snapshot_size > ROLE_SNAPSHOT_LARGE ? ROLE_SNAPSHOT_RATIO : 1;
    if (actor->seq - actor->snapshot_seq < ROLE_SNAPSHOT_EVERY ||
        actor->size_since < ratio * actor->snapshot_size ||
        org_role_counts(actor->role).bytes > JOURNAL_SNAPSHOT_SIZE_MAX) /* its texts alone are too large */
        return;
    troupe_status status = org_role_save(actor->role, &state);
    actor->snapshot_seq = actor->seq;
    actor->snapshot_size = state.size;
    actor->size_since = 0;
    if (status == TROUPE_OK && state.size <= JOURNAL_SNAPSHOT_SIZE_MAX)
        (void)!troupe_send(self, troupe_whereis(self, NAME_JOURNAL), journal_snapshot_kept,
                           .stream = actor->stream, .seq = actor->seq, .state = {state.bytes, state.size});
    buffer_done(&state);
}

/*
 * Sends the batch to the journal. The state has run ahead already, so a batch that cannot be sent stays and
 * is tried again.
 */
static troupe_status append_batch(troupe_self *self, struct role_actor *actor)
{
    struct role_flight *flight = calloc(1, sizeof *flight);
    role_load_fields load = role_summary_of(actor->role, actor->last_id);
    load.is_asleep = true; /* as whoever reads it will find it */
    buffer_clear(&actor->summary);
    if (flight == NULL || role_summary_write(&load, &actor->summary) != TROUPE_OK ||
        role_cards_make(&actor->cards, actor->batch.bytes.bytes, actor->batch.bytes.size) != TROUPE_OK) {
        free(flight);
        return role_try_later(self, actor);
    }
    troupe_bytes records = {actor->batch.bytes.bytes, actor->batch.bytes.size};
    troupe_bytes cards = {actor->cards.cards.bytes.bytes, actor->cards.cards.bytes.size};
    flight->actor = actor;
    flight->seq = actor->seq + actor->batch.count;
    flight->outbox_last = actor->batch_outbox;
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_JOURNAL), JOURNAL_TIMEOUT_MS, on_appended, flight,
                   journal_append, .stream = actor->stream, .expected_seq = actor->seq, .records = records,
                   .cards = cards, .summary = {actor->summary.bytes, actor->summary.size});
    if (status != TROUPE_OK) {
        free(flight);
        if (status == TROUPE_FULL || status == TROUPE_NO_MEMORY)
            return role_try_later(self, actor);
        return troupe_fail(self, status, "the journal cannot be reached");
    }
    flight->answers = take_answers(actor);
    if (ORG_PLANTED(acknowledged_early)) {
        role_answers_send(self, actor, flight->answers);
        flight->answers = NULL;
    }
    *actor->flights_end = flight;
    actor->flights_end = &flight->next;
    actor->flight_count++;
    actor->seq = flight->seq;
    actor->size_since += actor->batch.bytes.size;
    actor->batch_outbox = 0;
    record_batch_clear(&actor->batch);
    keep_snapshot(self, actor);
    return role_step(self, actor, ROLE_STEP_SENT);
}

/* Answers without records wait for the flight that is last, on whose state they rest. */
static void settle_answers(troupe_self *self, struct role_actor *actor)
{
    if (actor->batch.count > 0 || actor->answers == NULL)
        return;
    struct role_answer *answers = take_answers(actor);
    struct role_answer **end = NULL;
    for (struct role_flight *flight = actor->flights; flight != NULL; flight = flight->next)
        end = &flight->answers;
    if (end == NULL) {
        role_answers_send(self, actor, answers);
        return;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = answers;
}

/* --- time ------------------------------------------------------------------------------------- */

troupe_status role_try_later(troupe_self *self, struct role_actor *actor)
{
    if (actor->is_retrying)
        return TROUPE_OK;
    actor->is_retrying = true;
    return troupe_timer_start(self, RETRY_MS, 0, ROLE_TAG_RETRY, NULL);
}

/* Sees to it that the next due moment finds somebody awake. */
static troupe_status set_alarm(troupe_self *self, struct role_actor *actor)
{
    int64_t due = org_role_due_ms(actor->role);
    if (actor->tick_timer != 0) {
        if (due == actor->tick_at)
            return TROUPE_OK;
        troupe_timer_cancel(self, actor->tick_timer);
        actor->tick_timer = 0;
    }
    if (due == INT64_MAX)
        return TROUPE_OK;
    int64_t wait = due - role_now_ms(self, actor);
    actor->tick_at = due;
    return troupe_timer_start(self, ids_sleep_ms(actor->ids, wait), 0, ROLE_TAG_TICK, &actor->tick_timer);
}

static troupe_status tick(troupe_self *self, struct role_actor *actor)
{
    struct org_command command = {.kind = ORG_TICK};
    struct role_decision decision;
    actor->tick_timer = 0;
    if (org_role_due_ms(actor->role) > role_now_ms(self, actor))
        return TROUPE_OK;
    if (actor->batch.bytes.size >= ROLE_BATCH_BYTES_MAX) /* the journal is behind; set_alarm asks again */
        return TROUPE_OK;
    troupe_status status = role_decide(self, actor, &command, &decision);
    if (status == TROUPE_NO_MEMORY)
        return role_try_later(self, actor);
    return status == TROUPE_OK ? role_step(self, actor, ROLE_STEP_TIME) : status;
}

/* --- those who look on ------------------------------------------------------------------------ */

static void wake_waiters(troupe_self *self, struct role_actor *actor)
{
    role_tell_waiters(self, actor);
    actor->is_stirred = false;
}

static troupe_status tell_load(troupe_self *self, struct role_actor *actor, bool is_sound, const char *reason)
{
    role_load_fields fields = role_summary_of(actor->role, actor->last_id);
    fields.is_sound = is_sound;
    fields.reason = reason;
    troupe_status status = troupe_send_fields(TROUPE_CONTEXT(self), troupe_whereis(self, NAME_DIRECTORY),
                                              &role_load_type, &fields);
    actor->is_load_told = status == TROUPE_OK;
    return status == TROUPE_OK ? TROUPE_OK : role_try_later(self, actor);
}

/* --- reading ---------------------------------------------------------------------------------- */

static troupe_status read_on(troupe_self *self, struct role_actor *actor, uint64_t from_seq);

static void note_id(struct role_actor *actor, uint64_t id)
{
    actor->last_id = id > actor->last_id ? id : actor->last_id;
    ids_raise(actor->ids, id);
}

/* Notes what the actor must know beside the state: the greatest id, and what the outbox has. */
static void note_record(struct role_actor *actor, const struct record *record)
{
    if (record->type == org_accepted_type.id)
        note_id(actor, ((const org_accepted *)record->body)->id);
    else if (record->type == org_sent_type.id)
        actor->committed_outbox = ((const org_sent *)record->body)->number;
}

static troupe_status replay(troupe_self *self, struct role_actor *actor, troupe_bytes records)
{
    struct record_cursor cursor = record_cursor_at(records.data, records.size);
    struct record record;
    troupe_status status;
    while ((status = record_next(&cursor, &record)) == TROUPE_OK) {
        status = org_role_replay(actor->role, &record);
        if (status != TROUPE_OK)
            return role_bar(self, actor,
                            status == TROUPE_NO_MEMORY ? "there was no memory for its stored events"
                                                       : "a stored event cannot be understood");
        note_record(actor, &record);
    }
    return status == TROUPE_END ? TROUPE_OK : role_bar(self, actor, "its stored events are no records");
}

/* Takes the state from a snapshot, with what the actor must know beside it. */
static bool restore(struct role_actor *actor, troupe_bytes snapshot)
{
    struct org_role *role = NULL;
    if (org_role_restore(actor->name, snapshot.data, snapshot.size, &role) != TROUPE_OK)
        return false;
    org_role_free(actor->role);
    actor->role = role;
    note_id(actor, org_role_last_id(role));
    actor->committed_outbox = org_role_outbox_last(role);
    return true;
}

/* Everything is read: the state is whole, and what came meanwhile has its turn. */
static troupe_status open_role(troupe_self *self, struct role_actor *actor)
{
    const char *reason = "";
    bool is_sound = org_role_check(actor->role, &reason);
    troupe_status status = tell_load(self, actor, is_sound, is_sound ? "" : reason);
    actor->is_open = true;
    actor->read_outbox = actor->committed_outbox;
    while (actor->kept != NULL && status == TROUPE_OK) {
        struct role_kept *kept = actor->kept;
        actor->kept = kept->next;
        status = role_command(self, actor, (const troupe_message *)(const void *)kept->message);
        free(kept);
    }
    if (actor->kept == NULL)
        actor->kept_end = &actor->kept;
    actor->kept_count = 0;
    actor->kept_bytes = 0;
    return status;
}

static troupe_status on_records(troupe_self *self, troupe_status status, const troupe_message *message,
                                void *context)
{
    struct role_actor *actor = context;
    const journal_records *piece = status == TROUPE_OK ? journal_records_of(message) : NULL;
    if (piece == NULL)
        return troupe_fail(self, status == TROUPE_OK ? TROUPE_UNEXPECTED : status,
                           "the stream could not be read");
    if (piece->status != TROUPE_OK) {
        char why[sizeof actor->barred];
        snprintf(why, sizeof why, "its stored events %s: %s",
                 piece->status == TROUPE_CORRUPT ? "are damaged" : "cannot be read",
                 piece->reason.size > 0 ? troupe_text(message, piece->reason)
                                        : troupe_status_text((troupe_status)piece->status));
        return role_bar(self, actor, why);
    }
    if (piece->snapshot_seq > 0 && !restore(actor, troupe_bytes_of(message, piece->snapshot)))
        return read_on(self, actor, 1); /* another version's: the records are all there */
    if (piece->snapshot_seq > 0) {
        actor->snapshot_seq = piece->snapshot_seq;
        actor->snapshot_size = piece->snapshot.size;
    }
    actor->size_since += piece->records.size;
    status = replay(self, actor, troupe_bytes_of(message, piece->records));
    if (status != TROUPE_OK || role_is_barred(actor))
        return status;
    actor->seq = piece->next_seq - 1;
    status = role_step(self, actor, ROLE_STEP_READ);
    if (status != TROUPE_OK)
        return status;
    return piece->is_end ? open_role(self, actor) : read_on(self, actor, piece->next_seq);
}

static troupe_status read_on(troupe_self *self, struct role_actor *actor, uint64_t from_seq)
{
    troupe_status status = troupe_ask(self, troupe_whereis(self, NAME_JOURNAL), JOURNAL_TIMEOUT_MS,
                                      on_records, actor, journal_read, .stream = actor->stream,
                                      .from_seq = from_seq, .with_snapshot = from_seq == 0);
    return status == TROUPE_OK ? TROUPE_OK : troupe_fail(self, status, "the journal cannot be reached");
}

/* Keeps a command until the stream is read. */
static void keep(troupe_self *self, struct role_actor *actor, const troupe_message *message)
{
    size_t size = sizeof *message + message->size;
    struct role_kept *kept = NULL;
    if (actor->kept_count < ROLE_KEPT_MAX && actor->kept_bytes + size <= ROLE_KEPT_BYTES_MAX)
        kept = malloc(sizeof *kept + size);
    if (kept == NULL) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_FULL);
        return;
    }
    kept->next = NULL;
    memcpy(kept->message, message, size);
    *actor->kept_end = kept;
    actor->kept_end = &kept->next;
    actor->kept_count++;
    actor->kept_bytes += size;
}

/* --- the actor -------------------------------------------------------------------------------- */

static troupe_status role_actor_start(troupe_self *self)
{
    struct role_actor *actor = troupe_state(self);
    snprintf(actor->stream, sizeof actor->stream, ROLE_STREAM_PREFIX "%s", actor->name);
    actor->answers_end = &actor->answers;
    actor->flights_end = &actor->flights;
    actor->kept_end = &actor->kept;
    troupe_status status = org_role_new(actor->name, &actor->role);
    if (status == TROUPE_OK) {
        actor->active_ns = troupe_now_ns(self);
        actor->faults = actor->ids->faults;
        status = role_sleep_later(self, actor);
        if (status == TROUPE_OK)
            status = role_note_start(self, actor);
        if (status == TROUPE_OK && !role_is_barred(actor))
            status = read_on(self, actor, 0);
        if (status != TROUPE_OK)
            org_role_free(actor->role);
    }
    return status;
}

static troupe_status role_actor_receive(troupe_self *self, const troupe_message *message)
{
    struct role_actor *actor = troupe_state(self);
    if (role_is_barred(actor))
        return role_barred_receive(self, actor, message);
    const troupe_timeout *timeout = troupe_timeout_of(message);
    if (timeout != NULL && timeout->tag == ROLE_TAG_TICK)
        return tick(self, actor);
    if (timeout != NULL && timeout->tag == ROLE_TAG_IDLE)
        return role_sleep_if_idle(self, actor);
    if (timeout != NULL) {
        actor->is_retrying = false;
        role_outbox_again(actor);
        return TROUPE_OK;
    }
    if (role_audit_of(message) == NULL && role_report_of(message) == NULL) /* who counts wakes nobody */
        actor->is_active = true;
    if (!actor->is_open) {
        keep(self, actor, message);
        return TROUPE_OK;
    }
    if (actor->flight_count >= ROLE_FLIGHTS_MAX && actor->batch.bytes.size >= ROLE_BATCH_BYTES_MAX) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_FULL);
        return TROUPE_OK;
    }
    troupe_status status = role_step(self, actor, ROLE_STEP_COMMAND);
    if (status == TROUPE_OK)
        status = role_command(self, actor, message);
    if (status == TROUPE_OK)
        status = role_step(self, actor, ROLE_STEP_DECIDED);
    if (status == TROUPE_OK && actor->batch.bytes.size >= ROLE_BATCH_BYTES_MAX &&
        actor->flight_count < ROLE_FLIGHTS_MAX)
        status = append_batch(self, actor);
    return status;
}

/*
 * After each batch of messages: one append for all of them, and everything that follows from the new state.
 */
static troupe_status follow(troupe_self *self, struct role_actor *actor)
{
    troupe_status status = TROUPE_OK;
    if (actor->batch.count > 0 && actor->flight_count < ROLE_FLIGHTS_MAX)
        status = append_batch(self, actor);
    if (status != TROUPE_OK)
        return status;
    settle_answers(self, actor);
    if (actor->is_stirred)
        wake_waiters(self, actor);
    status = set_alarm(self, actor);
    if (status == TROUPE_OK)
        status = role_deliver_owed(self, actor);
    if (status == TROUPE_OK && !actor->is_load_told && actor->flights == NULL && actor->batch.count == 0)
        status = tell_load(self, actor, true, "");
    return status;
}

static troupe_status role_actor_flush(troupe_self *self)
{
    struct role_actor *actor = troupe_state(self);
    role_note_activity(self, actor);
    troupe_status status = actor->is_open ? follow(self, actor) : TROUPE_OK;
    actor->now_ms = 0;
    return status;
}

static void role_actor_stop(troupe_self *self, troupe_status reason)
{
    (void)reason;
    struct role_actor *actor = troupe_state(self);
    while (actor->flights != NULL) {
        struct role_flight *flight = actor->flights;
        actor->flights = flight->next;
        role_answers_refuse(self, actor, flight->answers);
        free(flight);
    }
    role_answers_refuse(self, actor, take_answers(actor));
    while (actor->kept != NULL) {
        struct role_kept *kept = actor->kept;
        actor->kept = kept->next;
        const troupe_message *message = (const troupe_message *)(const void *)kept->message;
        troupe_refuse(self, troupe_asker_of(message), TROUPE_NO_ACTOR);
        free(kept);
    }
    role_unbar(actor);
    role_answers_done(actor);
    free(actor->deliveries);
    record_batch_done(&actor->batch);
    buffer_done(&actor->summary);
    role_cards_done(&actor->cards);
    role_takes_done(actor);
    org_role_free(actor->role);
}

const troupe_behaviour role_behaviour = {
    .name = "role",
    .state_size = sizeof(struct role_actor),
    .start = role_actor_start,
    .receive = role_actor_receive,
    .flush = role_actor_flush,
    .stop = role_actor_stop,
};
