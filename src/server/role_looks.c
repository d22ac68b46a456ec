/* SPDX-License-Identifier: MIT */
/*
 * role_looks.c: what a role tells of what is in it, and changes nothing: what waits and what is held, one
 * message, itself, what is late. Part of the role actor; nothing blocks.
 *
 * Answers wait for the records that are under way, as those of commands do. Only a look, by which a desk
 * chooses what to take, does not: the take that follows it does.
 */
#include <string.h>

#include "org/name.h"
#include "server/messages.h"
#include "server/role_actor.h"
#include "server/view.h"
#include "server/zones.h"

/* The most messages that one look lists. */
#define LOOK_MAX 1000

/* What a look gathers. */
struct sight {
    struct buffer entries;
    struct buffer json;
    int64_t now_ms;
    const struct role_actor *actor;
    const struct org_hours *hours;
    bool with_json;
};

static troupe_status sight_add(struct sight *sight, const struct org_message *message, bool is_held)
{
    struct sight_entry entry = {
        .id = message->id,
        .at = message->accepted->at,
        .offset = (uint32_t)sight->json.size,
        .held_since = is_held ? message->held_since : 0,
        .asking = is_held ? role_take_asking(sight->actor, message->id) : 0,
        .rank = org_role_class_of(sight->actor->role, message, sight->hours, sight->now_ms),
        .is_held = is_held,
    };
    if (sight->with_json || is_held) {
        struct json_writer out = json_writer_to(&sight->json);
        view_message(&out, sight->actor->name, message, is_held);
        if (json_writer_end(&out) != TROUPE_OK)
            return TROUPE_NO_MEMORY;
    }
    entry.size = (uint32_t)sight->json.size - entry.offset;
    return buffer_append(&sight->entries, &entry, sizeof entry);
}

static troupe_status look_around(struct role_actor *actor, const char *who, const role_look *look,
                                 struct sight *sight, uint64_t *ret_total)
{
    const struct org_message *list[LOOK_MAX];
    size_t limit = look->limit < LOOK_MAX ? look->limit : LOOK_MAX;
    troupe_status status = TROUPE_OK;
    size_t count = org_role_held_by(actor->role, who, list, LOOK_MAX);
    sight->actor = actor;
    for (size_t i = 0; i < count && status == TROUPE_OK; i++)
        status = sight_add(sight, list[i], true);
    if (look->all) {
        count = org_role_list(actor->role, ORG_QUEUED, sight->now_ms, list, limit);
        *ret_total = org_role_counts(actor->role).queued;
    } else {
        count = org_role_list_for(actor->role, who, sight->hours, sight->now_ms, list, limit, ret_total);
    }
    for (size_t i = 0; i < count && status == TROUPE_OK; i++)
        status = sight_add(sight, list[i], false);
    return status;
}

/*
 * Notes who wants to hear of something new. A desk is there once; the place of one that ended is used again.
 */
static void add_waiter(struct role_actor *actor, troupe_ref desk)
{
    for (uint32_t i = 0; i < actor->waiter_count; i++) {
        if (troupe_ref_equal(actor->waiters[i], desk))
            return;
    }
    if (actor->waiter_count == ROLE_WAITERS_MAX) {
        memmove(actor->waiters, actor->waiters + 1, (ROLE_WAITERS_MAX - 1) * sizeof *actor->waiters);
        actor->waiter_count--;
    }
    actor->waiters[actor->waiter_count++] = desk;
}

/*
 * Looks are between actors: what they rest on may not be on the disk, and whoever acts on them asks again
 * anyway.
 */
static troupe_status command_look(troupe_self *self, struct role_actor *actor, const troupe_message *message,
                                  const role_look *look)
{
    struct org_hours room;
    struct sight sight = {.now_ms = role_now_ms(self, actor),
                          .hours = zones_hours(&room, troupe_text(message, look->zone), look->from_minute,
                                               look->to_minute, look->days),
                          .with_json = look->with_json};
    troupe_asker asker = troupe_asker_of(message);
    uint64_t total = 0;
    troupe_status status = look_around(actor, troupe_text(message, look->actor), look, &sight, &total);
    if (look->wants_wake)
        add_waiter(actor, asker.ref);
    if (status == TROUPE_OK)
        status = troupe_reply(self, asker, role_sight, .total = total,
                              .entries = {sight.entries.bytes, sight.entries.size},
                              .json = {sight.json.bytes, sight.json.size});
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
    buffer_done(&sight.entries);
    buffer_done(&sight.json);
    return TROUPE_OK;
}

static bool may_read_all(const struct role_actor *actor, const char *who)
{
    return org_role_view(actor->role).is_readable || role_has_in_succession(actor, who);
}

/*
 * A message may be read by its sender, the holders, and by everybody where the role is open; of one that has
 * ended there is the state alone.
 */
static bool may_read(const struct role_actor *actor, const struct org_message *found, const char *who)
{
    const char *sender = org_message_text(found, found->accepted->sender);
    return may_read_all(actor, who) || (sender[0] == '@' && strcmp(sender + 1, who) == 0) ||
           org_name_is_in(who, org_message_text(found, found->accepted->by)) ||
           (found->holder != NULL && strcmp(found->holder, who) == 0);
}

static troupe_status command_read(troupe_self *self, struct role_actor *actor, const troupe_message *message,
                                  const role_read *read)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    if (answer == NULL)
        return TROUPE_OK;
    const struct org_message *found = org_role_find(actor->role, read->id);
    enum org_state state;
    struct json_writer out = json_writer_to(&answer->json);
    if (found == NULL && !org_role_state_of(actor->role, read->id, &state)) {
        role_answer_problem(answer, PROBLEM_NOT_FOUND, "there is no such message in this role");
    } else if (found == NULL) {
        answer->kind = ROLE_ANSWER_ENDED; /* what it said is the journal's to tell: routes_message.c */
        answer->status = state;
        answer->id = may_read_all(actor, troupe_text(message, read->actor));
    } else if (!may_read(actor, found, troupe_text(message, read->actor))) {
        role_answer_problem(answer, PROBLEM_FORBIDDEN,
                            "a message is for its sender and for the holders of its role");
    } else {
        view_message(&out, actor->name, found, true);
        role_answer_json(answer, 200, &out);
    }
    return TROUPE_OK;
}

static troupe_status command_describe(troupe_self *self, struct role_actor *actor,
                                      const troupe_message *message, const role_describe *describe)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    if (answer == NULL)
        return TROUPE_OK;
    struct json_writer out = json_writer_to(&answer->json);
    role_describe_to(&out, actor, message, describe, role_now_ms(self, actor));
    role_answer_json(answer, 200, &out);
    return TROUPE_OK;
}

static troupe_status command_late(troupe_self *self, struct role_actor *actor, const troupe_message *message)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    if (answer == NULL)
        return TROUPE_OK;
    struct json_writer out = json_writer_to(&answer->json);
    role_late_to(&out, actor, role_now_ms(self, actor));
    role_answer_json(answer, 200, &out);
    return TROUPE_OK;
}

static troupe_status command_where(troupe_self *self, struct role_actor *actor, const troupe_message *message,
                                   const role_where *where)
{
    struct role_answer *answer = role_answer_new(self, actor, troupe_asker_of(message));
    enum org_state state;
    if (answer != NULL) {
        answer->kind = ROLE_ANSWER_KNOWS;
        answer->status = org_role_state_of(actor->role, where->id, &state);
    }
    return TROUPE_OK;
}

bool role_looked(troupe_self *self, struct role_actor *actor, const troupe_message *message,
                 troupe_status *ret_status)
{
    const role_look *look = role_look_of(message);
    const role_where *where = role_where_of(message);
    const role_read *read = role_read_of(message);
    const role_describe *describe = role_describe_of(message);
    if (look != NULL)
        *ret_status = command_look(self, actor, message, look);
    else if (where != NULL)
        *ret_status = command_where(self, actor, message, where);
    else if (read != NULL)
        *ret_status = command_read(self, actor, message, read);
    else if (describe != NULL)
        *ret_status = command_describe(self, actor, message, describe);
    else if (role_late_of(message) != NULL)
        *ret_status = command_late(self, actor, message);
    else
        return false;
    return true;
}
