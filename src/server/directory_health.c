/* SPDX-License-Identifier: MIT */
/*
 * directory_health.c: what troubles the organisation, or soon may: what its tree shows
 * (org_directory_concerns), what the roles last said of their load, and which messages are late, for which
 * those roles are asked that could have any, woken if they sleep. Part of the directory actor; nothing
 * blocks.
 *
 * A personal role is one person's: what is the matter with its mailbox is told to that person alone.
 */
#include <stdlib.h>
#include <string.h>

#include "server/directory_actor.h"
#include "server/json_writer.h"

#define HEALTH_TIMEOUT_MS 60000
/* Roles asked at the same time. */
/* How often a role that fails is asked. */
#define LATE_TRIES_MAX 100u
#define HEALTH_WINDOW 64

enum { CONCERN_COUNT = ORG_CONCERN_UNHEARD + 1 };

/* What one role was asked; free while there is no entry. */
struct late_question {
    struct directory_health_check *health;
    struct directory_entry *entry;
    uint32_t tries;
};

/* One look under way; it lives until its last role has answered. */
struct directory_health_check {
    struct directory_health_check *next_health;
    struct directory_actor *directory;
    troupe_asker asker;
    char actor[ORG_ACTOR_NAME_LEN_MAX + 1];
    size_t next; /* the entry that is looked at next */
    size_t out;
    struct buffer late; /* the elements of a JSON array */
    struct problem problem;
    struct late_question questions[HEALTH_WINDOW];
};

/* --- what is told ----------------------------------------------------------------------------- */

/* A list of objects for each kind of concern. */
struct concerns {
    struct buffer json[CONCERN_COUNT];
    struct json_writer out[CONCERN_COUNT];
};

static const struct {
    const char *list;
    const char *name;
    const char *other;
} concern_words[CONCERN_COUNT] = {
    [ORG_CONCERN_VACANT] = {"vacant", "role", NULL},
    [ORG_CONCERN_ALONE] = {"alone", "role", "holder"},
    [ORG_CONCERN_UNOWNED] = {"unowned", "domain", "owner"},
    [ORG_CONCERN_REDIRECT] = {"redirects", "role", "to"},
    [ORG_CONCERN_UNHEARD] = {"unheard", "role", "holder"},
};

static void add_concern(void *context, enum org_concern concern, const char *name, const char *other)
{
    struct concerns *concerns = context;
    struct json_writer *out = &concerns->out[concern];
    json_open(out, NULL, '{');
    json_put_text(out, concern_words[concern].name, name);
    if (concern_words[concern].other != NULL)
        json_put_text(out, concern_words[concern].other, other);
    json_close(out, '}');
}

/* Whether this asker is told of the load of a role. */
static bool is_told(const struct directory_health_check *health, const struct directory_entry *entry)
{
    return entry->name[0] != '@' || strcmp(entry->name + 1, health->actor) == 0;
}

bool directory_has_alarm(const struct directory_actor *directory, const struct directory_entry *entry)
{
    return entry->load.has_alarm || entry->is_unsound ||
           (entry->name[0] != '@' && org_directory_is_vacant(directory->org, entry->name));
}

size_t directory_alarms(struct directory_actor *directory)
{
    if (directory->alarms_version == directory->version)
        return directory->alarms;
    directory->alarms = 0;
    for (size_t i = 0; i < directory->entry_count; i++)
        directory->alarms += directory_has_alarm(directory, directory->entries[i]);
    directory->alarms_version = directory->version;
    return directory->alarms;
}

/* Gives how many there are. */
static size_t put_alarms(struct json_writer *out, const struct directory_health_check *health)
{
    const struct directory_actor *directory = health->directory;
    size_t count = 0;
    json_open(out, "alarms", '[');
    for (size_t i = 0; i < directory->entry_count; i++) {
        const struct directory_entry *entry = directory->entries[i];
        if (!is_told(health, entry) || !directory_has_alarm(directory, entry))
            continue;
        json_open(out, NULL, '{');
        json_put_text(out, "role", entry->name);
        json_put_text(out, "reason",
                      entry->is_unsound       ? entry->reason
                      : entry->load.has_alarm ? "something waits there for a decision, or nobody may take it"
                                              : "nobody holds it");
        json_close(out, '}');
        count++;
    }
    json_close(out, ']');
    return count;
}

static size_t put_full(struct json_writer *out, const struct directory_health_check *health)
{
    const struct directory_actor *directory = health->directory;
    size_t count = 0;
    json_open(out, "full", '[');
    for (size_t i = 0; i < directory->entry_count; i++) {
        const struct directory_entry *entry = directory->entries[i];
        if (!is_told(health, entry) || entry->load.capacity == 0 ||
            entry->load.occupied < entry->load.capacity)
            continue;
        json_open(out, NULL, '{');
        json_put_text(out, "role", entry->name);
        json_put_number(out, "occupied", (int64_t)entry->load.occupied);
        json_put_number(out, "capacity", entry->load.capacity);
        json_close(out, '}');
        count++;
    }
    json_close(out, ']');
    return count;
}

static troupe_status write_health(const struct directory_health_check *health, struct buffer *json)
{
    struct concerns concerns = {0};
    troupe_status status = TROUPE_OK;
    for (int i = 0; i < CONCERN_COUNT; i++) {
        concerns.out[i] = json_writer_to(&concerns.json[i]);
        json_open(&concerns.out[i], NULL, '[');
    }
    org_directory_concerns(health->directory->org, add_concern, &concerns);
    struct json_writer out = json_writer_to(json);
    json_open(&out, NULL, '{');
    size_t count = put_alarms(&out, health) + put_full(&out, health);
    for (int i = 0; i < CONCERN_COUNT; i++) {
        json_close(&concerns.out[i], ']');
        if (status == TROUPE_OK)
            status = json_writer_end(&concerns.out[i]);
        count += concerns.json[i].size > 2;
        json_put_raw(&out, concern_words[i].list, concerns.json[i].bytes, concerns.json[i].size);
        buffer_done(&concerns.json[i]);
    }
    json_open(&out, "late", '[');
    if (health->late.size > 0)
        json_put_raw(&out, NULL, health->late.bytes, health->late.size);
    json_close(&out, ']');
    json_put_flag(&out, "healthy", count == 0 && health->late.size == 0);
    json_close(&out, '}');
    return status == TROUPE_OK ? json_writer_end(&out) : status;
}

static void health_free(struct directory_health_check *health)
{
    buffer_done(&health->late);
    free(health);
}

static void finish(troupe_self *self, struct directory_health_check *health)
{
    struct buffer json = {0};
    troupe_status status = TROUPE_OK;
    if (health->problem.kind == PROBLEM_NONE)
        status = write_health(health, &json);
    if (health->problem.kind != PROBLEM_NONE)
        directory_deny(self, health->asker, &health->problem);
    else if (status == TROUPE_OK)
        status = troupe_reply(self, health->asker, answered, .status = 200, .json = {json.bytes, json.size});
    if (status != TROUPE_OK)
        troupe_refuse(self, health->asker, status);
    buffer_done(&json);
    struct directory_health_check **place = &health->directory->healths;
    while (*place != health)
        place = &(*place)->next_health;
    *place = health->next_health;
    health_free(health);
}

/* --- who is late ------------------------------------------------------------------------------ */

static troupe_status look_on(troupe_self *self, struct directory_health_check *health);

/* The elements of the array that a role answered. */
static bool add_late(struct directory_health_check *health, troupe_bytes json)
{
    if (json.size <= 2)
        return true;
    return (health->late.size == 0 || buffer_append(&health->late, ",", 1) == TROUPE_OK) &&
           buffer_append(&health->late, (const char *)json.data + 1, json.size - 2) == TROUPE_OK;
}

static troupe_status ask_late(troupe_self *self, struct late_question *question);

static troupe_status on_late(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct late_question *question = context;
    struct directory_health_check *health = question->health;
    const answered *late = status == TROUPE_OK ? answered_of(reply) : NULL;
    if (status == TROUPE_OK && role_exists_of(reply) != NULL && ask_late(self, question) == TROUPE_OK)
        return TROUPE_OK; /* it slept, and has been woken */
    if (problem_will_pass(status) && ++question->tries < LATE_TRIES_MAX &&
        ask_late(self, question) == TROUPE_OK)
        return TROUPE_OK; /* it has failed, and is being started again */
    bool is_barred = status == TROUPE_OK && denied_of(reply) != NULL; /* it is among the alarms */
    if (!is_barred && (late == NULL || !add_late(health, troupe_bytes_of(reply, late->json))))
        problem_from_status(&health->problem, status == TROUPE_OK ? TROUPE_NO_MEMORY : status, "a role");
    question->entry = NULL;
    health->out--;
    return look_on(self, health);
}

static troupe_status ask_late(troupe_self *self, struct late_question *question)
{
    troupe_ref role = troupe_whereis(self, question->entry->name);
    if (troupe_ref_is_none(role))
        return troupe_ask(self, troupe_self_ref(self), HEALTH_TIMEOUT_MS, on_late, question, role_search,
                          .role = question->entry->name);
    return troupe_ask(self, role, HEALTH_TIMEOUT_MS, on_late, question, role_late);
}

static troupe_status look_on(troupe_self *self, struct directory_health_check *health)
{
    struct directory_actor *directory = health->directory;
    while (health->problem.kind == PROBLEM_NONE && health->next < directory->entry_count &&
           health->out < HEALTH_WINDOW) {
        struct directory_entry *entry = directory->entries[health->next++];
        if (entry->load.timed == 0 || !is_told(health, entry))
            continue;
        struct late_question *question = health->questions;
        while (question->entry != NULL) /* there is a free one: out is less than the window */
            question++;
        *question = (struct late_question){.health = health, .entry = entry};
        troupe_status status = ask_late(self, question);
        if (status == TROUPE_OK) {
            health->out++;
        } else {
            question->entry = NULL;
            problem_from_status(&health->problem, status, entry->name);
        }
    }
    if (health->out == 0)
        finish(self, health);
    return TROUPE_OK;
}

troupe_status directory_begin_health(troupe_self *self, struct directory_actor *directory,
                                     const troupe_message *message, const directory_health *asked)
{
    struct directory_health_check *health =
        asked->actor.size <= ORG_ACTOR_NAME_LEN_MAX ? calloc(1, sizeof *health) : NULL;
    if (health == NULL) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_NO_MEMORY);
        return TROUPE_OK;
    }
    health->directory = directory;
    health->next_health = directory->healths;
    directory->healths = health;
    health->asker = troupe_asker_of(message);
    memcpy(health->actor, troupe_text(message, asked->actor), (size_t)asked->actor.size + 1);
    return look_on(self, health);
}

void directory_healths_done(troupe_self *self, struct directory_actor *directory)
{
    while (directory->healths != NULL) {
        struct directory_health_check *health = directory->healths;
        directory->healths = health->next_health;
        troupe_refuse(self, health->asker, TROUPE_NO_ACTOR);
        health_free(health);
    }
}
