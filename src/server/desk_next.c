/* SPDX-License-Identifier: MIT */
/*
 * desk_next.c: giving out work. All requests that wait are served in one round: one look at all roles, then
 * for each request the best message that is left on the sight, all of them taken together. Part of the desk;
 * nothing blocks.
 *
 * Which message: urgent before normal before bulk (what has aged counts one higher), then the oldest. How
 * many: as long as the actor holds fewer than wip_limit over all its roles, picks of this round included;
 * after that, what is held comes back instead.
 *
 * A take whose answer is lost, because the role's actor was, is looked for among what is held before another
 * is made; one whose desk was lost is known by its asking.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "org/plant.h"
#include "server/desk.h"
#include "server/json_writer.h"

#define TAKE_TIMEOUT_MS 30000
/*
 * How often a request is put back because a role had given its message to somebody else, or was started anew.
 */
#define PICK_TRIES_MAX 20
/* How far the clocks of a desk and a role may be apart: each has its worker's, as it was last looked at. */
#define CLOCKS_APART_MS 2000
/*
 * Heads of each role that a round looks at. Requests beyond that, and those that came while the round looked,
 * wait for the next one when more is there than it saw.
 */
#define HEADS_MAX 100

void desk_request_free(struct desk_request *request)
{
    buffer_done(&request->outcome);
    free(request);
}

void desk_request_add(troupe_self *self, struct desk *desk, struct desk_request *request)
{
    if (desk->waiting_count >= DESK_REQUESTS_MAX) {
        desk_deny_status(self, request->asker, TROUPE_FULL);
        desk_request_free(request);
        return;
    }
    struct desk_request **end = &desk->waiting;
    while (*end != NULL)
        end = &(*end)->next;
    request->next = NULL;
    request->desk = desk;
    *end = request;
    desk->waiting_count++;
    desk->is_stirred = true;
}

static void take_out(struct desk_request *request)
{
    struct desk_request **place = &request->desk->waiting;
    while (*place != request)
        place = &(*place)->next;
    *place = request->next;
    request->desk->waiting_count--;
}

/* --- answers ---------------------------------------------------------------------------------- */

/*
 * Ends a request with messages: JSON objects, separated by commas, or none. What it follows on stands before
 * them.
 */
static void answer(troupe_self *self, struct desk_request *request, const void *messages, size_t size)
{
    static const char name[] = "\"messages\":[";
    struct buffer json = {0};
    bool has_outcome = request->outcome.size > 0;
    troupe_status status = TROUPE_OK;
    if (has_outcome) /* an object: its closing brace gives way to a member more */
        status = buffer_append(&json, request->outcome.bytes, request->outcome.size - 1);
    if (status == TROUPE_OK)
        status = buffer_append(&json, has_outcome ? "," : "{", 1);
    if (status == TROUPE_OK)
        status = buffer_append(&json, name, sizeof name - 1);
    if (status == TROUPE_OK && size > 0)
        status = buffer_append(&json, messages, size);
    if (status == TROUPE_OK)
        status = buffer_append(&json, "]}", 2);
    bool is_empty = size == 0 && !has_outcome;
    if (status == TROUPE_OK)
        status = troupe_reply(self, request->asker, answered, .status = is_empty ? 204 : 200,
                              .json = {json.bytes, is_empty ? 0 : json.size});
    if (status != TROUPE_OK)
        troupe_refuse(self, request->asker, status);
    buffer_done(&json);
    take_out(request);
    desk_request_free(request);
}

static void deny(troupe_self *self, struct desk_request *request, const struct problem *problem)
{
    desk_deny(self, request->asker, problem);
    take_out(request);
    desk_request_free(request);
}

/* --- the sight -------------------------------------------------------------------------------- */

static const struct sight_entry *entries_of(const struct desk_sight *sight, size_t *ret_count)
{
    *ret_count = sight->entries.size / sizeof(struct sight_entry);
    return (const struct sight_entry *)(const void *)sight->entries.bytes;
}

static uint32_t held_in(const struct desk_sight *sight)
{
    size_t count;
    const struct sight_entry *entries = entries_of(sight, &count);
    uint32_t held = 0;
    while (held < count && entries[held].is_held)
        held++;
    return held;
}

static uint32_t held_over_all(const struct desk_gather *gather)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < gather->count; i++)
        held += held_in(&gather->sights[i]) + gather->sights[i].picked;
    return held;
}

/* What is held, as JSON. */
static troupe_status write_held(const struct desk_gather *gather, struct buffer *ret_json)
{
    struct json_writer out = json_writer_to(ret_json);
    for (uint32_t i = 0; i < gather->count; i++) {
        const struct desk_sight *sight = &gather->sights[i];
        size_t count;
        const struct sight_entry *entries = entries_of(sight, &count);
        for (size_t j = 0; j < count && entries[j].is_held; j++)
            json_put_raw(&out, NULL, sight->json.bytes + entries[j].offset, entries[j].size);
    }
    return json_writer_end(&out);
}

/* Whether a message is to be taken before another. */
static bool is_before(const struct sight_entry *a, const struct sight_entry *b)
{
    if (a->rank != b->rank)
        return a->rank > b->rank;
    return a->at != b->at ? a->at < b->at : a->id < b->id;
}

/*
 * The role whose next message is the best of all that are left on the sight; NULL when none is. Whether more
 * waits than the sight shows is in `ret_is_more`.
 */
static struct desk_sight *best(const struct desk_gather *gather, const char *only, bool *ret_is_more)
{
    struct desk_sight *found = NULL;
    const struct sight_entry *head = NULL;
    *ret_is_more = false;
    for (uint32_t i = 0; i < gather->count; i++) {
        struct desk_sight *sight = &gather->sights[i];
        if (only[0] != '\0' && strcmp(only, sight->role) != 0)
            continue;
        size_t count;
        const struct sight_entry *entries = entries_of(sight, &count);
        size_t at = held_in(sight) + sight->picked;
        if (count - held_in(sight) < sight->total)
            *ret_is_more = true;
        if (at < count && (head == NULL || is_before(&entries[at], head))) {
            found = sight;
            head = &entries[at];
        }
    }
    return found;
}

static bool has_role(const struct desk_gather *gather, const char *role)
{
    for (uint32_t i = 0; i < gather->count; i++) {
        if (strcmp(gather->sights[i].role, role) == 0)
            return true;
    }
    return role[0] == '\0';
}

/* Whether the one role that work is wanted from refuses everything. */
static bool is_barred(const struct desk_gather *gather, const char *role)
{
    for (uint32_t i = 0; i < gather->count; i++) {
        if (strcmp(gather->sights[i].role, role) == 0)
            return gather->sights[i].is_barred;
    }
    return false;
}

/* --- taking ----------------------------------------------------------------------------------- */

static troupe_status on_took(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct desk_request *request = context;
    struct desk *desk = request->desk;
    const role_took *took = status == TROUPE_OK ? role_took_of(reply) : NULL;
    troupe_status step = desk_step(self, desk, DESK_STEP_TOOK);
    if (step != TROUPE_OK)
        return step;
    request->is_picked = false;
    desk->picks_out--;
    if (took != NULL && took->kind == ORG_ANSWER_TAKEN) {
        troupe_bytes json = troupe_bytes_of(reply, took->json);
        desk_place_note(desk, took->id, request->picked_role, took->held_since);
        answer(self, request, json.data, json.size);
    } else if (++request->tries >= PICK_TRIES_MAX) {
        desk_deny_status(self, request->asker, status == TROUPE_OK ? TROUPE_CONFLICT : status);
        take_out(request);
        desk_request_free(request);
    } else {
        /* Somebody else was quicker, or the role was started anew: look again. */
        request->is_lost = status != TROUPE_OK;
        desk->is_stirred = true;
    }
    step = desk_step(self, desk, DESK_STEP_ANSWERED);
    return step == TROUPE_OK ? desk_round(self, desk) : step;
}

static void pick(troupe_self *self, struct desk_gather *gather, struct desk_request *request,
                 struct desk_sight *sight)
{
    struct desk *desk = gather->desk;
    uint32_t here = held_in(sight) + sight->picked;
    troupe_status status = troupe_ask(
        self, troupe_whereis(self, sight->role), TAKE_TIMEOUT_MS, on_took, request, role_next,
        .actor = desk->actor, .via = request->via, .asking = request->asking, .wip_limit = request->wip_limit,
        .zone = desk->hours.zone, .from_minute = desk->hours.from_minute, .to_minute = desk->hours.to_minute,
        .days = desk->hours.days, .worker = desk->hours.worker,
        .held_elsewhere = ORG_PLANTED(limit_per_role) ? 0 : held_over_all(gather) - here);
    if (status != TROUPE_OK) {
        desk->is_stirred = true; /* it has fallen since it was looked at: the next look wakes it */
        return;
    }
    memcpy(request->picked_role, sight->role, strlen(sight->role) + 1);
    request->is_picked = true;
    request->picked_at = troupe_unix_ms(self);
    desk->picks_out++;
    sight->picked++;
}

/*
 * A take whose answer was lost may have been carried out. What the actor holds since then and was never told
 * of is what was taken, since all that one actor takes goes through its one desk. NULL: there is none.
 */
static const struct sight_entry *find_lost(const struct desk_gather *gather,
                                           const struct desk_request *request,
                                           const struct desk_sight **ret_in)
{
    for (uint32_t i = 0; request->is_lost && i < gather->count; i++) {
        const struct desk_sight *sight = &gather->sights[i];
        if (strcmp(sight->role, request->picked_role) != 0)
            continue;
        size_t count;
        const struct sight_entry *entries = entries_of(sight, &count);
        for (size_t j = 0; j < count && entries[j].is_held; j++) {
            if (entries[j].held_since < request->picked_at - CLOCKS_APART_MS ||
                desk_was_told(gather->desk, entries[j].id, entries[j].held_since))
                continue;
            *ret_in = sight;
            return &entries[j];
        }
    }
    return NULL;
}

/*
 * The role that gave out a message for this very request: a desk before this one asked for it, and was lost.
 * It is asked again, so that the answer waits for the take to be on the disk. NULL: none.
 */
static struct desk_sight *find_asked(const struct desk_gather *gather, const struct desk_request *request)
{
    for (uint32_t i = 0; request->asking != 0 && i < gather->count; i++) {
        size_t count;
        const struct sight_entry *entries = entries_of(&gather->sights[i], &count);
        for (size_t j = 0; j < count && entries[j].is_held; j++) {
            if (entries[j].asking == request->asking)
                return &gather->sights[i];
        }
    }
    return NULL;
}

/* One request against the sight: what is held already, a pick, or nothing. */
static void serve(troupe_self *self, struct desk_gather *gather, struct desk_request *request)
{
    struct desk *desk = gather->desk;
    uint32_t held = held_over_all(gather);
    if (!has_role(gather, request->role)) {
        struct problem problem = {0};
        problem_set(&problem, PROBLEM_FORBIDDEN, "%s is not a role of %s", request->role, desk->actor);
        deny(self, request, &problem);
        return;
    }
    const struct desk_sight *in;
    const struct sight_entry *lost = find_lost(gather, request, &in);
    if (lost != NULL) {
        desk_place_note(desk, lost->id, request->picked_role, lost->held_since);
        answer(self, request, in->json.bytes + lost->offset, lost->size);
        return;
    }
    request->is_lost = false;
    struct desk_sight *asked = find_asked(gather, request);
    if (asked != NULL) {
        pick(self, gather, request, asked);
        return;
    }
    if (held >= request->wip_limit && !ORG_PLANTED(limit_per_role)) {
        struct buffer json = {0};
        if (desk->picks_out > 0) /* what was picked just now has to be seen first */
            desk->is_stirred = true;
        else if (write_held(gather, &json) == TROUPE_OK)
            answer(self, request, json.bytes, json.size);
        buffer_done(&json);
        return;
    }
    if (is_barred(gather, request->role)) {
        deny(self, request, &gather->barred);
        return;
    }
    bool is_more;
    struct desk_sight *sight = best(gather, request->role, &is_more);
    if (sight != NULL)
        pick(self, gather, request, sight);
    else if (is_more) /* the round has taken all that it saw, and more waits: it is for the next round */
        desk->is_stirred = true;
    else if (request->deadline_ns == 0 || desk->is_hurried)
        answer(self, request, NULL, 0);
}

static troupe_status on_sight(troupe_self *self, struct desk_gather *gather, troupe_status status)
{
    struct desk *desk = gather->desk;
    troupe_status step = desk_step(self, desk, DESK_STEP_SEEN);
    if (step != TROUPE_OK)
        return step;
    desk->is_round_on = false;
    for (struct desk_request *request = desk->waiting, *next; request != NULL; request = next) {
        next = request->next;
        if (status == TROUPE_OK) {
            serve(self, gather, request);
        } else {
            desk_deny_status(self, request->asker, status);
            take_out(request);
            desk_request_free(request);
        }
    }
    step = desk->picks_out > 0 ? desk_step(self, desk, DESK_STEP_PICKED) : TROUPE_OK;
    return step == TROUPE_OK ? desk_deadlines(self, desk) : step;
}

bool desk_has_patience(const struct desk *desk)
{
    for (const struct desk_request *request = desk->waiting; request != NULL; request = request->next) {
        if (request->deadline_ns != 0)
            return true;
    }
    return false;
}

troupe_status desk_round(troupe_self *self, struct desk *desk)
{
    if (desk->is_round_on || desk->picks_out > 0 || !desk->is_stirred || desk->waiting == NULL)
        return TROUPE_OK;
    struct desk_gather *gather = desk_gather_new(desk);
    if (gather == NULL)
        return troupe_fail(self, TROUPE_NO_MEMORY, "no memory to look for work");
    desk->is_round_on = true;
    desk->is_stirred = false;
    gather->limit = desk->waiting_count < HEADS_MAX ? desk->waiting_count : HEADS_MAX;
    gather->wants_wake = desk_has_patience(desk);
    gather->on_done = on_sight;
    return desk_gather_start(self, gather);
}

troupe_status desk_deadlines(troupe_self *self, struct desk *desk)
{
    uint64_t now = troupe_now_ns(self);
    uint64_t first = UINT64_MAX;
    for (struct desk_request *request = desk->waiting, *next; request != NULL; request = next) {
        next = request->next;
        if (request->is_picked || request->deadline_ns == 0)
            continue;
        if (request->deadline_ns <= now || desk->is_hurried)
            answer(self, request, NULL, 0);
        else if (request->deadline_ns < first)
            first = request->deadline_ns;
    }
    if (desk->deadline_timer != 0)
        troupe_timer_cancel(self, desk->deadline_timer);
    desk->deadline_timer = 0;
    if (first == UINT64_MAX)
        return TROUPE_OK;
    return troupe_timer_start(self, (first - now) / 1000000 + 1, 0, DESK_TAG_DEADLINE, &desk->deadline_timer);
}
