/* SPDX-License-Identifier: MIT */
/*
 * directory_notices.c: notices: who is to be told that something waits, at what time, and whoever reads it.
 * Part of the directory actor; nothing blocks.
 *
 *   role_load, a choice, a calendar --> the person is looked at --org_directory_notice_look--+
 *        ^                                                                                   |
 *        +---- the time for the next look (a timer) <---- nothing is due now ----------------+
 *                                                                                            | due
 *        readers are answered <---- it is on the disk <---- org_noticed in the batch <-------+
 *
 * A notice goes out once. What is due is decided in this actor alone, from the organisation's stream and the
 * loads of roles; the decision is a record of that stream, and folded, before anything else is looked at, so
 * the same is not due again; and readers are answered from what is on the disk. A crash before the append
 * leaves no notice, and the next directory finds it due; a crash behind it leaves the notice, which readers
 * then find. A role tells its load when what it rests on is on the disk, so no notice tells of a message that
 * a crash took back. Notices are numbered for each actor: a reader says up to which it has read, and so gets
 * each at least once, whatever happens to the answer, and knows one it had before by its number.
 *
 * Nothing is decided while a role is being set up: who holds it may just change.
 *
 * Invariants
 *   1. Whoever chose to be told is one of `people`, found by name in `map`; whoever does not any more stays
 *      there, and is never due.
 *   2. Everybody there is in `due`, by when to look at them next; `due` has room for all of them.
 *   3. is_stirred, or no reader can be answered: none has waited long enough, and for none is there a notice
 *      on the disk.
 */
#include "server/directory_notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "org/directory_notices.h"
#include "org/notices.h"
#include "org/plant.h"
#include "server/directory_actor.h"
#include "server/directory_decode.h"
#include "server/json_writer.h"
#include "server/zones.h"

/* Until somebody is looked at again of whom nothing could be decided, for want of memory. */
#define LOOK_AGAIN_MS ((int64_t)1000)

/* Somebody who chose to be told. */
struct directory_person {
    char actor[ORG_ACTOR_NAME_LEN_MAX + 1];
    struct heap_node due_node;
    uint64_t number; /* in the order in which they chose */
    uint64_t seq;    /* of the last notice that this directory made */
};

/* Somebody who reads, and waits for the next notice. */
struct directory_reader {
    struct directory_reader *next;
    troupe_asker asker;
    uint64_t after;
    uint64_t deadline_ns;
    char actor[ORG_ACTOR_NAME_LEN_MAX + 1];
};

/* --- people ----------------------------------------------------------------------------------- */

static bool is_person(const void *context, uint32_t index, const void *key)
{
    const struct directory_notices *notices = context;
    return strcmp(notices->people[index]->actor, key) == 0;
}

static struct directory_person *find(const struct directory_actor *directory, const char *actor)
{
    const struct directory_notices *notices = &directory->notices;
    uint64_t hash = hash_bytes(&directory->hash_key, actor, strlen(actor));
    uint32_t index = map_find(&notices->map, hash, is_person, notices, actor);
    return index != MAP_NONE ? notices->people[index] : NULL;
}

static void look_at(struct directory_notices *notices, struct directory_person *person, int64_t at_ms)
{
    heap_remove(&notices->due, &person->due_node);
    if (at_ms != INT64_MAX)
        heap_insert(&notices->due, &person->due_node, at_ms, person->number);
}

static troupe_status add(struct directory_actor *directory, const char *actor)
{
    struct directory_notices *notices = &directory->notices;
    uint64_t hash = hash_bytes(&directory->hash_key, actor, strlen(actor));
    troupe_status status =
        array_reserve(&notices->people, &notices->capacity, notices->count + 1, sizeof *notices->people);
    if (status == TROUPE_OK) /* a place for each, also of those who are in the heap no more */
        status = heap_reserve(&notices->due, notices->count + 1 - notices->due.count);
    struct directory_person *person = status == TROUPE_OK ? calloc(1, sizeof *person) : NULL;
    if (person == NULL || map_add(&notices->map, hash, (uint32_t)notices->count) != TROUPE_OK) {
        free(person);
        return TROUPE_NO_MEMORY;
    }
    snprintf(person->actor, sizeof person->actor, "%s", actor);
    person->number = notices->count;
    heap_node_init(&person->due_node);
    notices->people[notices->count++] = person;
    look_at(notices, person, 0);
    return TROUPE_OK;
}

troupe_status directory_notices_changed(troupe_self *self, struct directory_actor *directory,
                                        const char *actor)
{
    struct directory_person *person = find(directory, actor);
    if (person != NULL)
        look_at(&directory->notices, person, 0);
    else if (org_directory_notices(directory->org, actor).kind != ORG_NOTICES_NONE &&
             add(directory, actor) != TROUPE_OK)
        return troupe_fail(self, TROUPE_NO_MEMORY, "no memory for those who are told of what waits");
    return TROUPE_OK;
}

troupe_status directory_notices_start(troupe_self *self, struct directory_actor *directory)
{
    struct org_actor_view actor;
    troupe_status status = TROUPE_OK;
    for (size_t i = 0; status == TROUPE_OK && org_directory_actor_at(directory->org, i, &actor); i++)
        status = directory_notices_changed(self, directory, actor.name);
    return status;
}

/*
 * Only what may make a notice due earlier: something waits where nothing did, something older or newly urgent
 * came, or somebody else is the holder. What is gone is seen when it is looked for.
 */
void directory_notices_load(struct directory_entry *entry, const role_load *load)
{
    struct directory_notices *notices = &entry->directory->notices;
    const role_load *before = &entry->load;
    if (notices->count == 0 || load->queued == 0)
        return;
    const char *holder = troupe_flat_text(load, load->holder);
    bool is_news = before->queued == 0 || load->waiting_at < before->waiting_at ||
                   load->urgent_last > before->urgent_last || strcmp(holder, entry->holder) != 0;
    if (ORG_PLANTED(notice_missing) && load->urgent_last > before->urgent_last)
        is_news = false;
    struct directory_person *person = is_news ? find(entry->directory, holder) : NULL;
    if (person != NULL)
        look_at(notices, person, 0);
}

/* --- deciding --------------------------------------------------------------------------------- */

/* What waits in a role, if this actor is its active holder. */
static void gather_role(const struct directory_actor *directory, const char *actor, const char *role,
                        struct org_notice_role *roles, size_t *count)
{
    const struct directory_entry *entry = directory_entry_find(directory, role);
    if (entry == NULL || entry->load.queued == 0 || *count == ORG_NOTICE_ROLES_MAX ||
        strcmp(entry->holder, actor) != 0)
        return;
    roles[(*count)++] = (struct org_notice_role){.role = entry->name,
                                                 .queued = entry->load.queued,
                                                 .oldest_at = entry->load.waiting_at,
                                                 .urgent = entry->load.urgent,
                                                 .urgent_last = entry->load.urgent_last};
}

static size_t gather(const struct directory_actor *directory, const char *actor,
                     struct org_notice_role *ret_roles)
{
    char personal[ORG_NAME_LEN_MAX + 1];
    const char *role;
    size_t count = 0;
    org_name_personal(actor, personal);
    gather_role(directory, actor, personal, ret_roles, &count);
    for (size_t i = 0; (role = org_directory_held(directory->org, actor, i)) != NULL; i++)
        gather_role(directory, actor, role, ret_roles, &count);
    return count;
}

/* Looks at somebody; a notice that is due is in the batch then. Gives when to look next. */
static int64_t look(troupe_self *self, struct directory_actor *directory, struct directory_person *person)
{
    struct org_notice_role roles[ORG_NOTICE_ROLES_MAX];
    struct org_hours room;
    struct org_calendar_view calendar = {.zone = ""};
    (void)org_directory_calendar(directory->org, person->actor, &calendar);
    struct org_directory_command command = {
        .kind = ORG_NOTICE,
        .who = {.actor = person->actor},
        .notice = {.actor = person->actor,
                   .hours = zones_hours(&room, calendar.zone, calendar.from_minute, calendar.to_minute,
                                        calendar.days),
                   .roles = roles,
                   .role_count = gather(directory, person->actor, roles)}};
    (void)zones_find(calendar.zone, &command.notice.zone);
    if (ORG_PLANTED(quiet_hours_ignored))
        command.notice.hours = NULL;
    int64_t now_ms = troupe_unix_ms(self);
    struct org_notice_look seen = org_directory_notice_look(directory->org, &command.notice, now_ms);
    if (seen.due == ORG_NOTICES_NONE)
        return seen.again_at;
    struct org_directory_answer answer;
    struct problem problem = {0};
    if (!directory_try(self, directory, &command, &answer, &problem))
        return now_ms + LOOK_AGAIN_MS;
    person->seq = directory->seq + directory->batch.count;
    directory->notices.is_stirred = true;
    return seen.again_at;
}

static troupe_status set_timer(troupe_self *self, struct directory_actor *directory)
{
    struct directory_notices *notices = &directory->notices;
    const struct heap_entry *first = heap_first(&notices->due);
    if (notices->timer != 0) {
        if (first != NULL && first->key == notices->timer_at)
            return TROUPE_OK;
        troupe_timer_cancel(self, notices->timer);
        notices->timer = 0;
    }
    if (first == NULL)
        return TROUPE_OK;
    notices->timer_at = first->key;
    return troupe_timer_start(self, ids_sleep_ms(directory->ids, first->key - troupe_unix_ms(self)), 0,
                              DIRECTORY_TAG_NOTICE, &notices->timer);
}

troupe_status directory_notices_decide(troupe_self *self, struct directory_actor *directory)
{
    struct directory_notices *notices = &directory->notices;
    const struct heap_entry *first;
    if (directory->unsettled > 0 || notices->count == 0)
        return TROUPE_OK;
    int64_t now_ms = troupe_unix_ms(self);
    while ((first = heap_first(&notices->due)) != NULL && first->key <= now_ms) {
        struct directory_person *person =
            (struct directory_person *)((char *)first->node - offsetof(struct directory_person, due_node));
        int64_t again_at = look(self, directory, person);
        look_at(notices, person, again_at > now_ms ? again_at : now_ms + LOOK_AGAIN_MS);
    }
    return set_timer(self, directory);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void put_notice(struct json_writer *out, const struct org_notice_view *notice)
{
    char name[ORG_NAME_LEN_MAX + 1];
    struct org_notice_role role;
    const char *cursor = notice->roles;
    json_open(out, NULL, '{');
    json_put_number(out, "number", (int64_t)notice->number);
    json_put_number(out, "at", notice->at);
    json_put_text(out, "kind", decode_notice_words[notice->kind]);
    json_open(out, "roles", '[');
    while (org_notice_next_role(&cursor, name, &role)) {
        json_open(out, NULL, '{');
        json_put_text(out, "role", name);
        json_put_number(out, "queued", (int64_t)role.queued);
        json_put_number(out, "oldest", role.oldest_at);
        json_put_number(out, "urgent", (int64_t)role.urgent);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

/* All that went out to the reader since, or none when it may not be known yet. */
static void answer(troupe_self *self, const struct directory_actor *directory,
                   const struct directory_reader *reader, bool is_known)
{
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    struct org_notice_view notice;
    uint64_t last = reader->after;
    json_open(&out, NULL, '{');
    json_open(&out, "notices", '[');
    for (; is_known && org_directory_notice(directory->org, reader->actor, last, &notice);
         last = notice.number)
        put_notice(&out, &notice);
    json_close(&out, ']');
    json_put_number(&out, "last", (int64_t)last);
    json_close(&out, '}');
    troupe_status status = json_writer_end(&out);
    if (status == TROUPE_OK)
        status = troupe_reply(self, reader->asker, answered, .status = 200, .json = {json.bytes, json.size});
    if (status != TROUPE_OK)
        troupe_refuse(self, reader->asker, status);
    buffer_done(&json);
}

/* Whether the last notice to an actor is on the disk. */
static bool is_durable(const struct directory_actor *directory, const char *actor)
{
    const struct directory_person *person = find(directory, actor);
    return person == NULL || person->seq <= directory->seq_durable;
}

/* Answers a reader whose time has come; false: it waits. */
static bool serve(troupe_self *self, const struct directory_actor *directory,
                  const struct directory_reader *reader)
{
    bool is_known = is_durable(directory, reader->actor);
    bool is_news = is_known && org_directory_notice_last(directory->org, reader->actor) > reader->after;
    bool is_over = directory->is_hurried || reader->deadline_ns <= troupe_now_ns(self);
    if (is_news || is_over)
        answer(self, directory, reader, is_known);
    return is_news || is_over;
}

static troupe_status set_patience(troupe_self *self, struct directory_notices *notices)
{
    uint64_t first = UINT64_MAX;
    for (const struct directory_reader *reader = notices->readers; reader != NULL; reader = reader->next)
        first = reader->deadline_ns < first ? reader->deadline_ns : first;
    if (notices->patience != 0)
        troupe_timer_cancel(self, notices->patience);
    notices->patience = 0;
    if (first == UINT64_MAX)
        return TROUPE_OK;
    uint64_t now = troupe_now_ns(self);
    return troupe_timer_start(self, first > now ? (first - now) / 1000000 + 1 : 1, 0, DIRECTORY_TAG_READER,
                              &notices->patience);
}

troupe_status directory_notices_serve(troupe_self *self, struct directory_actor *directory)
{
    struct directory_notices *notices = &directory->notices;
    if (!notices->is_stirred && !(directory->is_hurried && notices->readers != NULL))
        return TROUPE_OK;
    /* More may be known once that is on the disk; a batch may wait for room in the journal's mailbox. */
    notices->is_stirred = directory->seq_durable < directory->seq || directory->batch.count > 0;
    for (struct directory_reader **place = &notices->readers; *place != NULL;) {
        struct directory_reader *reader = *place;
        if (!serve(self, directory, reader)) {
            place = &reader->next;
            continue;
        }
        *place = reader->next;
        notices->reader_count--;
        free(reader);
    }
    return set_patience(self, notices);
}

void directory_begin_reading(troupe_self *self, struct directory_actor *directory,
                             const troupe_message *message, const directory_notices_after *asked)
{
    struct directory_notices *notices = &directory->notices;
    struct directory_reader reader = {.asker = troupe_asker_of(message),
                                      .after = asked->after,
                                      .deadline_ns =
                                          troupe_now_ns(self) + (uint64_t)asked->wait_ms * 1000000u};
    snprintf(reader.actor, sizeof reader.actor, "%s", troupe_text(message, asked->actor));
    uint64_t last = org_directory_notice_last(directory->org, reader.actor);
    if (reader.after > last) /* of another life, of which a backup does not know; a crash may undo `last` */
        reader.after = is_durable(directory, reader.actor) ? last : 0;
    struct directory_reader *waiting =
        notices->reader_count < DIRECTORY_READERS_MAX ? malloc(sizeof *waiting) : NULL;
    if (waiting == NULL) {
        bool is_full = notices->reader_count == DIRECTORY_READERS_MAX;
        troupe_refuse(self, reader.asker, is_full ? TROUPE_FULL : TROUPE_NO_MEMORY);
        return;
    }
    *waiting = reader;
    waiting->next = notices->readers;
    notices->readers = waiting;
    notices->reader_count++;
    notices->is_stirred = true;
}

void directory_notices_timed(struct directory_actor *directory, uint64_t tag)
{
    if (tag == DIRECTORY_TAG_NOTICE)
        directory->notices.timer = 0;
    else
        directory->notices.patience = 0;
    directory->notices.is_stirred = directory->notices.is_stirred || tag == DIRECTORY_TAG_READER;
}

void directory_notices_done(troupe_self *self, struct directory_actor *directory)
{
    struct directory_notices *notices = &directory->notices;
    while (notices->readers != NULL) {
        struct directory_reader *reader = notices->readers;
        notices->readers = reader->next;
        troupe_refuse(self, reader->asker, TROUPE_NO_ACTOR);
        free(reader);
    }
    for (size_t i = 0; i < notices->count; i++)
        free(notices->people[i]);
    free(notices->people);
    heap_done(&notices->due);
    map_done(&notices->map);
}
