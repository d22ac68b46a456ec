/* SPDX-License-Identifier: MIT */
/*
 * directory_check.c: is every message accounted for? Each role goes through everything it has, and the sums
 * are told: what was accepted is what is queued, held, parked, quarantined or has ended. Part of the
 * directory actor; nothing blocks.
 *
 * The roles answer one after the other, so a forwarded message may be counted where it was and where it is;
 * each role's own sum holds at its moment, and so does the sum of them.
 */
#include <stdlib.h>
#include <string.h>

#include "server/directory_actor.h"
#include "server/json_writer.h"

#define AUDIT_TIMEOUT_MS 60000

struct directory_audit;

/* What one role was asked for a check; free while there is no entry. */
struct question {
    struct directory_audit *check;
    const struct directory_entry *entry;
};

/* One check under way; it lives until its last role has answered. */
struct directory_audit {
    struct directory_audit *next_audit;
    struct directory_actor *directory;
    troupe_asker asker;
    size_t next; /* the entry that is asked next */
    size_t out;
    uint64_t sums[10];
    uint64_t owed;
    uint64_t awake; /* roles that had an actor */
    bool is_sound;
    struct problem problem;
    struct question questions[DIRECTORY_WINDOW];
    char reason[256];
};

static void add(struct directory_audit *check, const troupe_message *reply, const role_audited *audited)
{
    const uint64_t counts[10] = {audited->accepted,    audited->queued, audited->held,     audited->parked,
                                 audited->quarantined, audited->done,   audited->declined, audited->forwarded,
                                 audited->expired,     audited->shed};
    for (size_t i = 0; i < 10; i++)
        check->sums[i] += counts[i];
    check->owed += audited->owed;
    check->awake++;
    if (audited->is_sound || !check->is_sound)
        return;
    check->is_sound = false;
    snprintf(check->reason, sizeof check->reason, "%s", troupe_text(reply, audited->reason));
}

/* One that sleeps is not woken: its summary was written with its last event. */
static void add_asleep(struct directory_audit *check, const struct directory_entry *entry)
{
    const role_load *load = &entry->load;
    const uint64_t counts[10] = {load->accepted,    load->queued, load->held,     load->parked,
                                 load->quarantined, load->done,   load->declined, load->forwarded,
                                 load->expired,     load->shed};
    for (size_t i = 0; i < 10; i++)
        check->sums[i] += counts[i];
    check->owed += load->owed;
}

/* It cannot be looked at: its figures are those of before, and nobody can say that they hold. */
static void add_barred(struct directory_audit *check, const troupe_message *reply, const denied *no,
                       const struct directory_entry *entry)
{
    add_asleep(check, entry);
    if (check->is_sound)
        snprintf(check->reason, sizeof check->reason, "%s", troupe_text(reply, no->detail));
    check->is_sound = false;
}

static void finish(troupe_self *self, struct directory_audit *check)
{
    static const char *const names[10] = {"accepted", "queued",   "held",      "parked",  "quarantined",
                                          "done",     "declined", "forwarded", "expired", "shed"};
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    uint64_t sum = 0;
    for (size_t i = 1; i < 10; i++)
        sum += check->sums[i];
    json_open(&out, NULL, '{');
    json_put_flag(&out, "conserved", check->is_sound && sum == check->sums[0]);
    for (size_t i = 0; i < 10; i++)
        json_put_number(&out, names[i], (int64_t)check->sums[i]);
    json_put_number(&out, "owed", (int64_t)check->owed);
    json_put_number(&out, "awake", (int64_t)check->awake);
    if (!check->is_sound)
        json_put_text(&out, "reason", check->reason);
    json_close(&out, '}');
    troupe_status status = json_writer_end(&out);
    if (check->problem.kind != PROBLEM_NONE)
        directory_deny(self, check->asker, &check->problem);
    else if (status == TROUPE_OK)
        status = troupe_reply(self, check->asker, answered, .status = 200, .json = {json.bytes, json.size});
    if (status != TROUPE_OK)
        troupe_refuse(self, check->asker, status);
    buffer_done(&json);
    struct directory_audit **place = &check->directory->audits;
    while (*place != check)
        place = &(*place)->next_audit;
    *place = check->next_audit;
    free(check);
}

static troupe_status ask_some(troupe_self *self, struct directory_audit *check);

static troupe_status on_audited(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    struct question *question = context;
    struct directory_audit *check = question->check;
    const struct directory_entry *entry = question->entry;
    const role_audited *audited = status == TROUPE_OK ? role_audited_of(reply) : NULL;
    question->entry = NULL;
    check->out--;
    if (audited != NULL)
        add(check, reply, audited);
    else if (problem_will_pass(status)) /* it went to sleep meanwhile, or failed */
        add_asleep(check, entry);
    else if (status == TROUPE_OK && denied_of(reply) != NULL)
        add_barred(check, reply, denied_of(reply), entry);
    else
        problem_from_status(&check->problem, status == TROUPE_OK ? TROUPE_UNEXPECTED : status, "a role");
    return ask_some(self, check);
}

static troupe_status ask_some(troupe_self *self, struct directory_audit *check)
{
    struct directory_actor *directory = check->directory;
    while (check->problem.kind == PROBLEM_NONE && check->next < directory->entry_count &&
           check->out < DIRECTORY_WINDOW) {
        struct directory_entry *entry = directory->entries[check->next++];
        if (entry->is_asleep) {
            add_asleep(check, entry);
            continue;
        }
        struct question *question = check->questions;
        while (question->entry != NULL) /* there is a free one: out is less than the window */
            question++;
        troupe_status status =
            troupe_ask(self, entry->ref, AUDIT_TIMEOUT_MS, on_audited, question, role_audit);
        if (status == TROUPE_OK) {
            *question = (struct question){check, entry};
            check->out++;
        } else if (status == TROUPE_NO_ACTOR) {
            add_asleep(check, entry);
        } else {
            problem_from_status(&check->problem, status, entry->name);
        }
    }
    if (check->out == 0)
        finish(self, check);
    return TROUPE_OK;
}

troupe_status directory_begin_check(troupe_self *self, struct directory_actor *directory,
                                    const troupe_message *message)
{
    struct directory_audit *check = calloc(1, sizeof *check);
    if (check == NULL) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_NO_MEMORY);
        return TROUPE_OK;
    }
    check->directory = directory;
    check->next_audit = directory->audits;
    directory->audits = check;
    check->asker = troupe_asker_of(message);
    check->is_sound = true;
    return ask_some(self, check);
}

void directory_checks_done(troupe_self *self, struct directory_actor *directory)
{
    while (directory->audits != NULL) {
        struct directory_audit *check = directory->audits;
        directory->audits = check->next_audit;
        troupe_refuse(self, check->asker, TROUPE_NO_ACTOR);
        free(check);
    }
}
