/* SPDX-License-Identifier: MIT */
/*
 * org_year_oracle.c: the facts of org_year_oracle.h. A table of all messages that anybody was ever given, by
 * id. The test's thread runs everything.
 */
#include "support/org_year_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "org/limits.h"
#include "support/org_year_people.h"

enum {
    SEEN_MAX = 1 << 16,
    NOBODY = -1,
    ORIGINS_MAX = 16, /* more than the tree is deep */
};

/* A message that was taken: who has it, who ended it, and of what it is an escalation. */
struct seen {
    uint64_t id;
    uint64_t origin;
    int holder;
    int ended_by;
    int64_t lease_until;
    bool is_noted;     /* as the final notice of something */
    bool is_returning; /* its holder has said what gives it back, and has no answer yet */
    char role[16];
    char failed_by[16]; /* what was escalated */
};

static struct seen seen[SEEN_MAX];
static uint32_t seen_count;

void oracle_begin(void)
{
    memset(seen, 0, sizeof seen);
    seen_count = 0;
}

static struct seen *seen_of(uint64_t id)
{
    size_t at = (size_t)hash_number(id) % SEEN_MAX;
    while (seen[at].id != 0 && seen[at].id != id)
        at = (at + 1) % SEEN_MAX;
    if (seen[at].id == 0) {
        assert_true(++seen_count < SEEN_MAX);
        seen[at] = (struct seen){.id = id, .holder = NOBODY, .ended_by = NOBODY};
    }
    return &seen[at];
}

void oracle_let_go(int who)
{
    for (size_t i = 0; i < SEEN_MAX; i++) {
        if (seen[i].id != 0 && seen[i].holder == who)
            seen[i].holder = NOBODY;
    }
}

void oracle_let_all_go(void)
{
    for (size_t i = 0; i < SEEN_MAX; i++)
        seen[i].holder = NOBODY;
}

bool oracle_may_hold(int who, uint64_t id, int64_t now_ms)
{
    const struct seen *message = seen_of(id);
    return message->holder == who && message->lease_until > now_ms;
}

void oracle_shown(int who, uint64_t count)
{
    if (count > year_people[who].limit)
        fail_msg("%s holds %llu messages; %u are its limit", year_people[who].name, (unsigned long long)count,
                 year_people[who].limit);
}

void oracle_shown_one(int who, const struct oracle_message *message, int64_t now_ms)
{
    if (message->lease_until < now_ms - ORG_DAY_MS - ORG_HOUR_MS) /* the server is down for a day at most */
        fail_msg("%s still holds what its lease ended long ago", year_people[who].name);
}

/* The final notice of something that was sent, in its thread; taken for the first time. */
static void note_answer(int who, uint64_t thread, uint64_t id)
{
    if (seen_of(id)->is_noted)
        return; /* it was put back, and taken again */
    seen_of(id)->is_noted = true;
    for (uint32_t i = 0; i < year_people[who].letter_count; i++) {
        struct letter *letter = &year_people[who].letters[i];
        if (letter->id != thread || letter->state == LETTER_REFUSED)
            continue;
        if (++letter->notices > 1)
            fail_msg("%s was told twice how something ended", year_people[who].name);
        year_report.notices++;
        return;
    }
    fail_msg("%s was told of something it never sent", year_people[who].name);
}

/*
 * From an escalation down to the message that failed first, no role comes twice, and it was another's fault.
 */
static void check_escalation(int who, const struct oracle_message *message)
{
    const struct seen *chain[ORIGINS_MAX];
    uint32_t count = 0;
    snprintf(seen_of(message->origin)->failed_by, sizeof chain[0]->failed_by, "%s", message->from);
    for (const struct seen *at = seen_of(message->id); at != NULL;
         at = at->origin != 0 ? seen_of(at->origin) : NULL) {
        if (strcmp(at->failed_by, year_people[who].name) == 0)
            fail_msg("%s was given the escalation of what it had failed", year_people[who].name);
        assert_true(count < ORIGINS_MAX);
        for (uint32_t i = 0; i < count; i++) {
            if (at->role[0] != '\0' && strcmp(chain[i]->role, at->role) == 0)
                fail_msg("an escalation goes in a circle over %s", at->role);
        }
        chain[count++] = at;
    }
    year_report.escalations++;
}

void oracle_taken(int who, const struct oracle_message *message, int64_t now_ms)
{
    struct seen *known = seen_of(message->id);
    const struct person *person = &year_people[who];
    bool is_held = known->holder >= 0 && known->holder != who && known->lease_until > now_ms;
    if (is_held && !known->is_returning && !year_people[known->holder].is_going)
        fail_msg("%s and %s hold the same message", year_people[known->holder].name, person->name);
    if (known->ended_by >= 0)
        fail_msg("%s took what %s had ended", person->name, year_people[known->ended_by].name);
    if (person->away_until > now_ms || person->is_gone)
        fail_msg("%s was given %s while it was away", person->name, message->role);
    known->is_returning = false;
    known->holder = who;
    known->lease_until = message->lease_until;
    known->origin = message->origin;
    snprintf(known->role, sizeof known->role, "%s", message->role);
    if (strcmp(message->kind, "escalation") == 0)
        check_escalation(who, message);
    if (strcmp(message->kind, "answer") == 0)
        note_answer(who, message->thread, message->id);
}

void oracle_ended(int who, uint64_t id)
{
    struct seen *message = seen_of(id);
    if (message->ended_by >= 0 && message->ended_by != who)
        fail_msg("%s and %s both ended a message", year_people[message->ended_by].name,
                 year_people[who].name);
    message->ended_by = who;
    message->holder = NOBODY;
}

void oracle_returning(int who, uint64_t id)
{
    struct seen *message = seen_of(id);
    message->is_returning = message->holder == who;
}

void oracle_returned(int who, uint64_t id)
{
    struct seen *message = seen_of(id);
    if (message->holder != who)
        return; /* another was faster than the answer */
    message->is_returning = false;
    message->holder = NOBODY;
}

void oracle_accepted(int who, int index, uint64_t id)
{
    struct letter *letter = &year_people[who].letters[index];
    if (letter->state == LETTER_ACCEPTED) {
        if (letter->id != id)
            fail_msg("%s sent letter %d again, and it was taken for another", year_people[who].name, index);
        year_report.repeated++;
        return;
    }
    letter->state = LETTER_ACCEPTED;
    letter->id = id;
    year_report.accepted++;
}

void oracle_check_letters(void)
{
    for (int i = 0; i < ALL; i++) {
        for (uint32_t j = 0; j < year_people[i].letter_count; j++) {
            const struct letter *letter = &year_people[i].letters[j];
            if (letter->state == LETTER_ASKED)
                fail_msg("%s was never told what became of its letter", year_people[i].name);
            if (letter->state == LETTER_ACCEPTED && letter->notices != 1)
                fail_msg("%s was told %u times how letter %u ended", year_people[i].name, letter->notices, j);
        }
    }
}
