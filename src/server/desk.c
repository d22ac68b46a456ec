/* SPDX-License-Identifier: MIT */
/*
 * desk.c: the actor of desk.h: what it understands, its timers, its memory of places, and its end. Work is
 * given out in desk_next.c, single messages are seen to in desk_errand.c, all roles are asked in
 * desk_gather.c.
 */
#include "server/desk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "server/json_writer.h"

/*
 * While somebody waits, a look now and then even when no role stirred: the actor may have been given a role,
 * or a role was started anew and has forgotten who waited.
 */
#define LOOK_AGAIN_MS 5000
/* Failures in a row after which one on purpose is spared, so that nobody has to wait long. */
#define DESK_SPARED_FROM 4u

/* --- answers ---------------------------------------------------------------------------------- */

void desk_deny(troupe_self *self, troupe_asker asker, const struct problem *problem)
{
    troupe_status status = troupe_reply(self, asker, denied, .kind = (uint32_t)problem->kind,
                                        .detail = problem->detail, .retry_after_ms = problem->retry_after_ms);
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
}

void desk_deny_status(troupe_self *self, troupe_asker asker, troupe_status status)
{
    struct problem problem = {0};
    problem_from_status(&problem, status, "the mailbox");
    desk_deny(self, asker, &problem);
}

void desk_pass(troupe_self *self, troupe_asker asker, const troupe_message *reply)
{
    const answered *yes = answered_of(reply);
    const denied *no = denied_of(reply);
    troupe_status status = TROUPE_UNEXPECTED;
    if (yes != NULL)
        status = troupe_reply(self, asker, answered, .status = yes->status,
                              .json = troupe_bytes_of(reply, yes->json));
    else if (no != NULL)
        status = troupe_reply(self, asker, denied, .kind = no->kind, .retry_after_ms = no->retry_after_ms,
                              .detail = troupe_text(reply, no->detail));
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
}

/* --- failures on purpose ---------------------------------------------------------------------- */

troupe_status desk_step_counted(troupe_self *self, struct desk *desk, enum desk_step step)
{
    static const char *const texts[] = {
        [DESK_STEP_ASKED] = "at a request",          [DESK_STEP_SEEN] = "having looked",
        [DESK_STEP_PICKED] = "having sent a take",   [DESK_STEP_TOOK] = "before its answer",
        [DESK_STEP_SENT] = "having sent a command",  [DESK_STEP_OUTCOME] = "before its outcome",
        [DESK_STEP_ANSWERED] = "behind its answers",
    };
    struct faults *faults = desk->ids->desk_faults;
    bool is_spared = faults->is_sparing && troupe_restarts_in_row(self) >= DESK_SPARED_FROM;
    return faults_hit(faults, is_spared) ? troupe_fail(self, TROUPE_FAILED, texts[step]) : TROUPE_OK;
}

/* --- places ----------------------------------------------------------------------------------- */

void desk_place_note(struct desk *desk, uint64_t id, const char *role, int64_t held_since)
{
    if (desk->places == NULL)
        desk->places = calloc(DESK_PLACES_MAX, sizeof *desk->places);
    if (desk->places == NULL)
        return; /* it will be asked around for */
    struct desk_place *place = &desk->places[desk->place_next];
    desk->place_next = (desk->place_next + 1) % DESK_PLACES_MAX;
    place->id = id;
    place->held_since = held_since;
    memcpy(place->role, role, strlen(role) + 1);
}

bool desk_was_told(const struct desk *desk, uint64_t id, int64_t held_since)
{
    for (uint32_t i = 0; desk->places != NULL && i < DESK_PLACES_MAX; i++) {
        if (desk->places[i].id == id && desk->places[i].held_since == held_since)
            return true;
    }
    return false;
}

const char *desk_place_of(const struct desk *desk, uint64_t id)
{
    for (uint32_t i = 0; desk->places != NULL && i < DESK_PLACES_MAX; i++) {
        if (desk->places[i].id == id)
            return desk->places[i].role;
    }
    return NULL;
}

/* --- the inbox -------------------------------------------------------------------------------- */

struct inbox {
    troupe_asker asker;
    uint32_t limit;
};

/* One message of the queue, among those of all roles. */
struct queued {
    const struct sight_entry *entry;
    const struct desk_sight *sight;
};

static int compare_queued(const void *a, const void *b)
{
    const struct sight_entry *left = ((const struct queued *)a)->entry;
    const struct sight_entry *right = ((const struct queued *)b)->entry;
    if (left->rank != right->rank)
        return left->rank > right->rank ? -1 : 1;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

static size_t entries_in(const struct desk_gather *gather)
{
    size_t count = 0;
    for (uint32_t i = 0; i < gather->count; i++)
        count += gather->sights[i].entries.size / sizeof(struct sight_entry);
    return count;
}

static void put_entry(struct json_writer *out, const struct desk_sight *sight,
                      const struct sight_entry *entry)
{
    json_put_raw(out, NULL, sight->json.bytes + entry->offset, entry->size);
}

/*
 * Writes what is held as it comes, and gathers what is queued, which has to be put in order over the roles
 * first.
 */
static size_t write_held(struct json_writer *out, const struct desk_gather *gather, struct queued *ret_queue)
{
    size_t queued = 0;
    json_open(out, "held", '[');
    for (uint32_t i = 0; i < gather->count; i++) {
        const struct desk_sight *sight = &gather->sights[i];
        const struct sight_entry *entries = (const struct sight_entry *)(const void *)sight->entries.bytes;
        for (size_t j = 0; j < sight->entries.size / sizeof *entries; j++) {
            if (entries[j].is_held)
                put_entry(out, sight, &entries[j]);
            else
                ret_queue[queued++] = (struct queued){&entries[j], sight};
        }
    }
    json_close(out, ']');
    return queued;
}

static troupe_status write_inbox(const struct desk_gather *gather, uint32_t limit, struct buffer *ret_json)
{
    struct queued *queue = calloc(entries_in(gather) + 1, sizeof *queue);
    if (queue == NULL)
        return TROUPE_NO_MEMORY;
    struct json_writer out = json_writer_to(ret_json);
    uint64_t total = 0;
    for (uint32_t i = 0; i < gather->count; i++)
        total += gather->sights[i].total;
    json_open(&out, NULL, '{');
    size_t count = write_held(&out, gather, queue);
    qsort(queue, count, sizeof *queue, compare_queued);
    json_open(&out, "queued", '[');
    for (size_t i = 0; i < count && i < limit; i++)
        put_entry(&out, queue[i].sight, queue[i].entry);
    json_close(&out, ']');
    json_put_number(&out, "total", (int64_t)total);
    json_close(&out, '}');
    free(queue);
    return json_writer_end(&out);
}

static troupe_status on_inbox(troupe_self *self, struct desk_gather *gather, troupe_status status)
{
    troupe_status step = desk_step(self, gather->desk, DESK_STEP_SEEN);
    struct inbox inbox = *(struct inbox *)gather->context;
    free(gather->context);
    gather->context = NULL;
    if (step != TROUPE_OK) {
        troupe_refuse(self, inbox.asker, TROUPE_NO_ACTOR);
        return step;
    }
    if (status == TROUPE_OK && gather->count == 0 && gather->only[0] != '\0') {
        struct problem problem = {0};
        problem_set(&problem, PROBLEM_FORBIDDEN, "%s is not a role of %s", gather->only, gather->desk->actor);
        desk_deny(self, inbox.asker, &problem);
        return TROUPE_OK;
    }
    if (status == TROUPE_OK && gather->only[0] != '\0' && gather->barred.kind != PROBLEM_NONE) {
        desk_deny(self, inbox.asker, &gather->barred);
        return TROUPE_OK;
    }
    struct buffer json = {0};
    if (status == TROUPE_OK)
        status = write_inbox(gather, inbox.limit, &json);
    if (status == TROUPE_OK)
        status = troupe_reply(self, inbox.asker, answered, .status = 200, .json = {json.bytes, json.size});
    if (status != TROUPE_OK)
        desk_deny_status(self, inbox.asker, status);
    buffer_done(&json);
    return desk_step(self, gather->desk, DESK_STEP_ANSWERED);
}

static troupe_status start_inbox(troupe_self *self, struct desk *desk, const troupe_message *message,
                                 const desk_inbox *asked)
{
    struct inbox *inbox = asked->role.size <= ORG_NAME_LEN_MAX ? malloc(sizeof *inbox) : NULL;
    struct desk_gather *gather = inbox != NULL ? desk_gather_new(desk) : NULL;
    troupe_asker asker = troupe_asker_of(message);
    if (gather == NULL) {
        free(inbox);
        desk_deny_status(self, asker, TROUPE_FULL);
        return TROUPE_OK;
    }
    *inbox = (struct inbox){asker, asked->limit};
    memcpy(gather->only, troupe_text(message, asked->role), (size_t)asked->role.size + 1);
    gather->context = inbox;
    gather->limit = asked->limit;
    gather->all = asked->role.size > 0;
    gather->with_json = true;
    gather->on_done = on_inbox;
    return desk_gather_start(self, gather);
}

/* --- the actor -------------------------------------------------------------------------------- */

/*
 * The time of all requests for this role is over. One that was given a message meanwhile is answered with it.
 */
static troupe_status end_next(troupe_self *self, struct desk *desk, const troupe_message *message,
                              const desk_next *next)
{
    for (struct desk_request *request = desk->waiting; request != NULL; request = request->next) {
        if (request->deadline_ns != 0 && strcmp(request->role, troupe_text(message, next->role)) == 0)
            request->deadline_ns = 1;
    }
    if (troupe_reply(self, troupe_asker_of(message), answered, .status = 204) != TROUPE_OK)
        desk_deny_status(self, troupe_asker_of(message), TROUPE_NO_MEMORY);
    return desk_deadlines(self, desk);
}

static troupe_status start_next(troupe_self *self, struct desk *desk, const troupe_message *message,
                                const desk_next *next)
{
    if (next->is_end)
        return end_next(self, desk, message, next);
    struct desk_request *request = calloc(1, sizeof *request);
    if (request == NULL || next->via.size > ORG_ACTOR_NAME_LEN_MAX || next->role.size > ORG_NAME_LEN_MAX) {
        free(request);
        desk_deny_status(self, troupe_asker_of(message), TROUPE_NO_MEMORY);
        return TROUPE_OK;
    }
    request->asker = troupe_asker_of(message);
    request->asking = next->asking;
    request->wip_limit = next->wip_limit;
    memcpy(request->via, troupe_text(message, next->via), (size_t)next->via.size + 1);
    memcpy(request->role, troupe_text(message, next->role), (size_t)next->role.size + 1);
    if (next->wait_ms > 0)
        request->deadline_ns = troupe_now_ns(self) + (uint64_t)next->wait_ms * 1000000u;
    desk_request_add(self, desk, request);
    return TROUPE_OK; /* the round begins when all that came together are here: desk_flush */
}

/*
 * A timer whose tag is none of the desk's stands for what had to be tried again: a gather or an errand, if it
 * is still there.
 */
static troupe_status go_on(troupe_self *self, struct desk *desk, uint64_t tag)
{
    for (struct desk_gather *gather = desk->gathers; gather != NULL; gather = gather->next) {
        if ((uint64_t)(uintptr_t)gather == tag)
            return desk_gather_start(self, gather);
    }
    for (struct desk_errand *errand = desk->errands; errand != NULL; errand = errand->next) {
        if ((uint64_t)(uintptr_t)errand == tag)
            return desk_errand_go_on(self, errand);
    }
    return TROUPE_OK;
}

static troupe_status on_timeout(troupe_self *self, struct desk *desk, uint64_t tag)
{
    switch (tag) {
    case DESK_TAG_LOOK:
        desk->is_looking_again = false;
        desk->is_stirred = true;
        return TROUPE_OK;
    case DESK_TAG_DEADLINE:
        desk->deadline_timer = 0;
        return desk_deadlines(self, desk);
    default:
        return go_on(self, desk, tag);
    }
}

/* That it is a restart is all that anybody sees of a failure. */
static troupe_status desk_start(troupe_self *self)
{
    struct desk *desk = troupe_state(self);
    if (troupe_restarts(self) > 0)
        fetch_add_relaxed(&desk->ids->desk_restarts, 1);
    return TROUPE_OK;
}

static troupe_status desk_receive(troupe_self *self, const troupe_message *message)
{
    struct desk *desk = troupe_state(self);
    const troupe_timeout *timeout = troupe_timeout_of(message);
    if (timeout != NULL)
        return on_timeout(self, desk, timeout->tag);
    if (role_stirred_of(message) != NULL) {
        desk->is_stirred = true;
        return TROUPE_OK;
    }
    if (desk_hurry_of(message) != NULL) {
        desk->is_hurried = true;
        return desk_deadlines(self, desk);
    }
    troupe_status status = desk_step(self, desk, DESK_STEP_ASKED);
    if (status != TROUPE_OK)
        return status;
    const desk_next *next = desk_next_of(message);
    if (next != NULL)
        return start_next(self, desk, message, next);
    const desk_about *about = desk_about_of(message);
    if (about != NULL)
        return desk_errand_new(self, desk, message, about);
    const desk_inbox *inbox = desk_inbox_of(message);
    if (inbox != NULL)
        return start_inbox(self, desk, message, inbox);
    return TROUPE_UNEXPECTED;
}

/* After each batch of messages: one round for all requests that came with it. */
static troupe_status desk_flush(troupe_self *self)
{
    struct desk *desk = troupe_state(self);
    troupe_status status = desk_round(self, desk);
    if (status == TROUPE_OK && !desk->is_looking_again && desk_has_patience(desk)) {
        desk->is_looking_again = true;
        status = troupe_timer_start(self, LOOK_AGAIN_MS, 0, DESK_TAG_LOOK, NULL);
    }
    return status;
}

static void desk_stop(troupe_self *self, troupe_status reason)
{
    (void)reason;
    struct desk *desk = troupe_state(self);
    while (desk->waiting != NULL) {
        struct desk_request *request = desk->waiting;
        desk->waiting = request->next;
        troupe_refuse(self, request->asker, TROUPE_NO_ACTOR);
        desk_request_free(request);
    }
    while (desk->errands != NULL) {
        struct desk_errand *errand = desk->errands;
        desk->errands = errand->next;
        troupe_refuse(self, errand->asker, TROUPE_NO_ACTOR);
        desk_errand_free(errand);
    }
    while (desk->gathers != NULL) {
        struct desk_gather *gather = desk->gathers;
        desk->gathers = gather->next;
        if (gather->on_done == on_inbox) {
            troupe_refuse(self, ((struct inbox *)gather->context)->asker, TROUPE_NO_ACTOR);
            free(gather->context);
        }
        desk_gather_free(gather);
    }
    free(desk->places);
}

const troupe_behaviour desk_behaviour = {
    .name = "desk",
    .state_size = sizeof(struct desk),
    .start = desk_start,
    .receive = desk_receive,
    .flush = desk_flush,
    .stop = desk_stop,
};
