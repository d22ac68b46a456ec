/* SPDX-License-Identifier: MIT */
/*
 * directory_actor.c: the life of the directory actor: reading its stream, appending, answering tasks in their
 * order, and saying when the server is ready. directory_actor.h has the drawing. Runs on any worker; nothing
 * blocks.
 */
#include "server/directory_actor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "journal/writer.h"
#include "server/keeper.h"
#include "server/role_summary.h"

#define JOURNAL_TIMEOUT_MS 120000
#define RETRY_MS 50

troupe_status directory_try_later(troupe_self *self, struct directory_actor *directory)
{
    if (directory->is_retrying)
        return TROUPE_OK;
    directory->is_retrying = true;
    return troupe_timer_start(self, RETRY_MS, 0, 0, NULL);
}

/* --- tasks ------------------------------------------------------------------------------------ */

struct directory_task *directory_task_new(troupe_self *self, struct directory_actor *directory,
                                          troupe_asker asker)
{
    struct directory_task *task = calloc(1, sizeof *task);
    if (task == NULL) {
        troupe_refuse(self, asker, TROUPE_NO_MEMORY);
        return NULL;
    }
    struct directory_task **end = &directory->tasks;
    while (*end != NULL)
        end = &(*end)->next;
    *end = task;
    task->directory = directory;
    task->asker = asker;
    task->status = 200;
    return task;
}

void directory_task_free(struct directory_task *task)
{
    buffer_done(&task->json);
    json_decref(task->document);
    free(task);
}

static void answer_task(troupe_self *self, struct directory_task *task)
{
    troupe_status status = TROUPE_OK;
    if (task->problem.kind != PROBLEM_NONE)
        directory_deny(self, task->asker, &task->problem);
    else if (task->is_own)
        status = troupe_reply(self, task->asker, directory_owned, .is_empty = task->is_empty);
    else
        status = troupe_reply(self, task->asker, answered, .status = task->status,
                              .json = {task->json.bytes, task->json.size});
    if (status != TROUPE_OK)
        troupe_refuse(self, task->asker, status);
}

void directory_settle_tasks(troupe_self *self, struct directory_actor *directory)
{
    while (directory->tasks != NULL && directory->unsettled == 0) {
        struct directory_task *task = directory->tasks;
        if (task->seq > directory->seq_durable || !directory_import_send(self, task))
            return;
        directory->tasks = task->next;
        answer_task(self, task);
        directory_task_free(task);
    }
}

/* --- appends ---------------------------------------------------------------------------------- */

static troupe_status on_appended(troupe_self *self, troupe_status status, const troupe_message *message,
                                 void *context)
{
    struct directory_flight *flight = context;
    struct directory_actor *directory = flight->directory;
    const journal_appended *appended = status == TROUPE_OK ? journal_appended_of(message) : NULL;
    if (appended == NULL || appended->status != TROUPE_OK || appended->seq != flight->seq) {
        if (appended != NULL && appended->status != TROUPE_OK)
            status = (troupe_status)appended->status;
        return troupe_fail(self, status == TROUPE_OK ? TROUPE_CONFLICT : status,
                           "an append was not acknowledged");
    }
    assert(directory->flights == flight);
    directory->flights = flight->next;
    directory->flight_count--;
    directory->seq_durable = flight->seq;
    free(flight);
    return TROUPE_OK;
}

static troupe_status append_batch(troupe_self *self, struct directory_actor *directory)
{
    struct directory_flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL)
        return directory_try_later(self, directory);
    flight->directory = directory;
    flight->seq = directory->seq + directory->batch.count;
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_JOURNAL), JOURNAL_TIMEOUT_MS, on_appended, flight,
                   journal_append, .stream = STREAM_ORGANISATION, .expected_seq = directory->seq,
                   .records = {directory->batch.bytes.bytes, directory->batch.bytes.size});
    if (status != TROUPE_OK) {
        free(flight);
        if (status == TROUPE_FULL || status == TROUPE_NO_MEMORY)
            return directory_try_later(self, directory);
        return troupe_fail(self, status, "the journal cannot be reached");
    }
    struct directory_flight **end = &directory->flights;
    while (*end != NULL)
        end = &(*end)->next;
    *end = flight;
    directory->flight_count++;
    directory->seq = flight->seq;
    record_batch_clear(&directory->batch);
    return TROUPE_OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

static troupe_status read_on(troupe_self *self, struct directory_actor *directory, uint64_t from_seq);

static troupe_status unreadable(troupe_self *self, troupe_status status, const char *reason)
{
    char why[KEEPER_WHY_SIZE];
    snprintf(why, sizeof why, "the organisation's events cannot be read: %s (%s)", reason,
             troupe_status_text(status));
    (void)troupe_send(self, troupe_whereis(self, NAME_KEEPER), keeper_is_ready, .why = why);
    return troupe_fail(self, status, why);
}

static troupe_status replay(troupe_self *self, struct directory_actor *directory, troupe_bytes records)
{
    struct record_cursor cursor = record_cursor_at(records.data, records.size);
    struct record record;
    troupe_status status;
    while ((status = record_next(&cursor, &record)) == TROUPE_OK) {
        status = org_directory_replay(directory->org, &record);
        if (status != TROUPE_OK)
            return unreadable(self, status, "an event does not fit");
    }
    return status == TROUPE_END ? TROUPE_OK : unreadable(self, status, "something is no event");
}

static troupe_status on_records(troupe_self *self, troupe_status status, const troupe_message *message,
                                void *context)
{
    struct directory_actor *directory = context;
    const journal_records *piece = status == TROUPE_OK ? journal_records_of(message) : NULL;
    if (piece == NULL)
        return troupe_fail(self, status == TROUPE_OK ? TROUPE_UNEXPECTED : status,
                           "the stream could not be read");
    if (piece->status != TROUPE_OK)
        return unreadable(self, (troupe_status)piece->status,
                          piece->reason.size > 0 ? troupe_text(message, piece->reason)
                                                 : "no reason is known");
    status = replay(self, directory, troupe_bytes_of(message, piece->records));
    if (status != TROUPE_OK)
        return status;
    if (!piece->is_end)
        return read_on(self, directory, piece->next_seq);
    directory->seq = piece->next_seq - 1;
    directory->seq_durable = directory->seq;
    const char *reason = "";
    if (!org_directory_check(directory->org, &reason))
        return unreadable(self, TROUPE_CORRUPT, reason);
    return directory_roles_start(self, directory);
}

static troupe_status read_on(troupe_self *self, struct directory_actor *directory, uint64_t from_seq)
{
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_JOURNAL), JOURNAL_TIMEOUT_MS, on_records, directory,
                   journal_read, .stream = STREAM_ORGANISATION, .from_seq = from_seq);
    return status == TROUPE_OK ? TROUPE_OK : troupe_fail(self, status, "the journal cannot be reached");
}

/*
 * Everything is read and set up for the first time: the keeper hears of it, or of what does not hold. A role
 * that is out of order is that for itself, and the others are served.
 */
static void tell_ready(troupe_self *self, struct directory_actor *directory)
{
    char why[KEEPER_WHY_SIZE] = "";
    for (size_t i = 0; i < directory->entry_count && why[0] == '\0'; i++) {
        const struct directory_entry *entry = directory->entries[i];
        if (entry->is_unsound && !entry->is_barred)
            snprintf(why, sizeof why, "the mailbox of %s is not whole, so nothing is served: %s", entry->name,
                     entry->reason);
    }
    directory->is_ready =
        troupe_send(self, troupe_whereis(self, NAME_KEEPER), keeper_is_ready, .why = why) == TROUPE_OK;
}

/* --- the actor -------------------------------------------------------------------------------- */

static troupe_status directory_start(troupe_self *self)
{
    struct directory_actor *directory = troupe_state(self);
    randombytes_buf(&directory->hash_key, sizeof directory->hash_key);
    directory->version = 1;
    directory->strays = (struct directory_entry){.name = DIRECTORY_STRAYS, .directory = directory};
    troupe_status status = org_directory_new(&directory->hash_key, &directory->org);
    if (status != TROUPE_OK)
        return status;
    status = read_on(self, directory, 1);
    if (status != TROUPE_OK)
        org_directory_free(directory->org);
    return status;
}

/* What is asked of it before its stream is read is asked again: nobody can be told anything yet. */
static troupe_status receive_question(troupe_self *self, struct directory_actor *directory,
                                      const troupe_message *message)
{
    const caller_check *check = caller_check_of(message);
    const roles_of *of = roles_of_of(message);
    const role_search *search = role_search_of(message);
    const directory_who *who = directory_who_of(message);
    const directory_tree *tree = directory_tree_of(message);
    const directory_owner *owner = directory_owner_of(message);
    const directory_change *change = directory_change_of(message);
    const directory_own *own = directory_own_of(message);
    const directory_health *health = directory_health_of(message);
    const directory_readable *readable = directory_readable_of(message);
    const calendar_person *person = calendar_person_of(message);
    const directory_absences *absences = directory_absences_of(message);
    if (person != NULL)
        return directory_answer_person(self, directory, message, person);
    if (absences != NULL)
        return directory_begin_absences(self, directory, message, absences);
    if (check != NULL)
        return directory_answer_caller(self, directory, message, check);
    if (of != NULL)
        return directory_answer_roles_of(self, directory, message, of);
    if (readable != NULL)
        return directory_answer_readable(self, directory, message, readable);
    if (search != NULL) {
        const char *role = troupe_text(message, search->role);
        struct directory_entry *entry = directory_entry_find(directory, role);
        if (entry != NULL && troupe_ref_is_none(troupe_whereis(self, role)))
            return directory_wake_for(self, entry, troupe_asker_of(message));
        return troupe_reply(self, troupe_asker_of(message), role_exists, .is_known = entry != NULL);
    }
    if (who != NULL)
        return directory_answer_who(self, directory, message, who);
    if (tree != NULL)
        return directory_answer_tree(self, directory, message, tree);
    if (owner != NULL)
        return directory_answer_owner(self, directory, message, owner);
    if (change != NULL)
        return directory_begin_change(self, directory, message, change);
    if (own != NULL)
        return directory_begin_own(self, directory, message, own);
    if (directory_actors_of(message) != NULL)
        return directory_answer_actors(self, directory, message);
    const failure_rules *rules = failure_rules_of(message);
    if (rules != NULL)
        return directory_answer_rules(self, directory, message, rules);
    const directory_figures *figures = directory_figures_of(message);
    if (figures != NULL)
        return directory_answer_figures(self, directory, message, figures);
    if (health != NULL)
        return directory_begin_health(self, directory, message, health);
    const directory_notices_after *after = directory_notices_after_of(message);
    if (after != NULL) {
        directory_begin_reading(self, directory, message, after);
        return TROUPE_OK;
    }
    if (directory_check_of(message) != NULL)
        return directory_begin_check(self, directory, message);
    return TROUPE_UNEXPECTED;
}

static troupe_status directory_receive(troupe_self *self, const troupe_message *message)
{
    struct directory_actor *directory = troupe_state(self);
    const role_load *load = role_load_of(message);
    if (load != NULL)
        return directory_role_loaded(self, directory, message, load);
    const role_barred *barred = role_barred_of(message);
    if (barred != NULL)
        return directory_role_barred(directory, message, barred);
    const role_restarted *restarted = role_restarted_of(message);
    if (restarted != NULL) {
        directory_role_restarted(self, directory, troupe_text(message, restarted->role));
        return TROUPE_OK;
    }
    const troupe_timeout *timeout = troupe_timeout_of(message);
    if (timeout != NULL && timeout->tag == DIRECTORY_TAG_ALARM) {
        directory_wake_due(self, directory);
    } else if (timeout != NULL && timeout->tag == DIRECTORY_TAG_PRESENCE) {
        directory->presence_timer = 0;
        return directory_look_who_is_there(self, directory);
    } else if (timeout != NULL && timeout->tag >= DIRECTORY_TAG_NOTICE) {
        directory_notices_timed(directory, timeout->tag);
    } else if (timeout != NULL) {
        directory->is_retrying = false;
    } else if (directory_hurry_of(message) != NULL) {
        directory_hurry_desks(self, directory);
    } else if (!directory->is_loaded) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_NO_ACTOR);
    } else {
        troupe_status status = receive_question(self, directory, message);
        bool is_full = directory->batch.bytes.size >= DIRECTORY_BATCH_BYTES_MAX;
        return status == TROUPE_OK && is_full ? append_batch(self, directory) : status;
    }
    return TROUPE_OK;
}

/* After each batch of messages: one append for what was decided, and whatever can go on now. */
static troupe_status directory_flush(troupe_self *self)
{
    struct directory_actor *directory = troupe_state(self);
    troupe_status status = TROUPE_OK;
    if (!directory->is_loaded)
        return status;
    status = directory_notices_decide(self, directory);
    if (status == TROUPE_OK && directory->batch.count > 0)
        status = append_batch(self, directory);
    if (status == TROUPE_OK)
        status = directory_configure_some(self, directory);
    if (status != TROUPE_OK)
        return status;
    status = directory_set_alarm(self, directory);
    if (status != TROUPE_OK)
        return status;
    if (!directory->is_ready && directory->unsettled == 0)
        tell_ready(self, directory);
    directory_settle_tasks(self, directory);
    return directory_notices_serve(self, directory);
}

static void directory_stop(troupe_self *self, troupe_status reason)
{
    (void)reason;
    struct directory_actor *directory = troupe_state(self);
    while (directory->tasks != NULL) {
        struct directory_task *task = directory->tasks;
        directory->tasks = task->next;
        troupe_refuse(self, task->asker, TROUPE_NO_ACTOR);
        directory_task_free(task);
    }
    while (directory->flights != NULL) {
        struct directory_flight *flight = directory->flights;
        directory->flights = flight->next;
        free(flight);
    }
    directory_desks_done(self, directory);
    directory_notices_done(self, directory);
    directory_checks_done(self, directory);
    directory_healths_done(self, directory);
    directory_roles_done(self, directory);
    record_batch_done(&directory->batch);
    org_directory_free(directory->org);
}

const troupe_behaviour directory_behaviour = {
    .name = "directory",
    .state_size = sizeof(struct directory_actor),
    .start = directory_start,
    .receive = directory_receive,
    .flush = directory_flush,
    .stop = directory_stop,
};
