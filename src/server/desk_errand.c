/* SPDX-License-Identifier: MIT */
/*
 * desk_errand.c: something that is to be done with one message: done, decline, forward, renew. The caller
 * names the message, the desk finds the role that has it. Part of the desk; nothing blocks.
 *
 *   forward: is there such a role? --no--> 404
 *      |yes
 *   which role has the message? remembered, or asked of all roles --none--> 404
 *      |
 *   role_about --> answered, or with and_next the answer waits for work
 *      ^   |
 *      +---+ no answer: again, a little later; a command that was carried out already answers the same
 */
#include <stdlib.h>
#include <string.h>

#include "org/id.h"
#include "server/desk.h"

#define ROLE_TIMEOUT_MS 30000
#define DIRECTORY_TIMEOUT_MS 10000

void desk_errand_free(struct desk_errand *errand)
{
    free(errand->texts);
    free(errand);
}

static void end(struct desk_errand *errand)
{
    struct desk_errand **place = &errand->desk->errands;
    while (*place != errand)
        place = &(*place)->next;
    *place = errand->next;
    errand->desk->errand_count--;
    desk_errand_free(errand);
}

static void end_with_problem(troupe_self *self, struct desk_errand *errand, const struct problem *problem)
{
    desk_deny(self, errand->asker, problem);
    end(errand);
}

static troupe_status try_later(troupe_self *self, struct desk_errand *errand, troupe_status why)
{
    if (++errand->tries < DESK_TRIES_MAX &&
        troupe_timer_start(self, DESK_RETRY_MS, 0, (uint64_t)(uintptr_t)errand, NULL) == TROUPE_OK)
        return TROUPE_OK;
    desk_deny_status(self, errand->asker, why);
    end(errand);
    return TROUPE_OK;
}

/*
 * The answer is there and the caller also wants the next message: it waits with the others, without patience.
 */
static troupe_status go_on_to_next(troupe_self *self, struct desk_errand *errand, const troupe_message *reply,
                                   const answered *outcome)
{
    struct desk *desk = errand->desk;
    troupe_bytes json = troupe_bytes_of(reply, outcome->json);
    struct desk_request *request = calloc(1, sizeof *request);
    if (request == NULL || buffer_append(&request->outcome, json.data, json.size) != TROUPE_OK) {
        free(request);
        desk_pass(self, errand->asker, reply); /* done it is; the next message can be asked for */
        end(errand);
        return TROUPE_OK;
    }
    request->asker = errand->asker;
    request->asking = errand->about.asking;
    request->wip_limit = errand->about.wip_limit;
    memcpy(request->via, errand->about.via, strlen(errand->about.via) + 1);
    end(errand);
    desk_request_add(self, desk, request);
    return TROUPE_OK; /* with all others whose outcome came together: desk_flush */
}

static troupe_status on_outcome(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    struct desk_errand *errand = context;
    struct desk *desk = errand->desk;
    if (status != TROUPE_OK)
        return try_later(self, errand, status);
    status = desk_step(self, desk, DESK_STEP_OUTCOME);
    if (status != TROUPE_OK)
        return status;
    const answered *outcome = answered_of(reply);
    if (outcome != NULL && errand->about.and_next)
        return go_on_to_next(self, errand, reply, outcome);
    desk_pass(self, errand->asker, reply);
    end(errand);
    return desk_step(self, desk, DESK_STEP_ANSWERED);
}

static troupe_status command(troupe_self *self, struct desk_errand *errand);

/* The role slept, and has an actor now. */
static troupe_status on_woken(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct desk_errand *errand = context;
    bool is_there = status == TROUPE_OK && role_exists_of(reply) != NULL &&
                    !troupe_ref_is_none(troupe_whereis(self, errand->role));
    return is_there ? command(self, errand)
                    : try_later(self, errand, status == TROUPE_OK ? TROUPE_NO_ACTOR : status);
}

static troupe_status command(troupe_self *self, struct desk_errand *errand)
{
    const desk_about_fields *about = &errand->about;
    const struct desk_hours *hours = &errand->desk->hours;
    troupe_ref role = troupe_whereis(self, errand->role);
    troupe_status status;
    if (troupe_ref_is_none(role))
        status = troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), DIRECTORY_TIMEOUT_MS, on_woken,
                            errand, role_search, .role = errand->role);
    else
        status = troupe_ask(
            self, role, ROLE_TIMEOUT_MS, on_outcome, errand, role_about, .id = about->id,
            .awaits = about->awaits, .until = about->until, .after_ms = about->after_ms, .zone = hours->zone,
            .from_minute = hours->from_minute, .to_minute = hours->to_minute, .days = hours->days,
            .worker = hours->worker, .command = about->command, .action = about->action,
            .actor = errand->desk->actor, .via = about->via, .text = about->text, .to = about->to,
            .is_crash = about->is_crash, .held_since = about->held_since, .exit_status = about->exit_status,
            .signal = about->signal, .output = about->output);
    if (status != TROUPE_OK)
        return try_later(self, errand, status);
    return desk_step(self, errand->desk, DESK_STEP_SENT);
}

static troupe_status on_searched(troupe_self *self, struct desk_gather *gather, troupe_status status)
{
    struct desk_errand *errand = gather->context;
    if (status != TROUPE_OK)
        return try_later(self, errand, status);
    for (uint32_t i = 0; i < gather->count; i++) {
        if (!gather->sights[i].is_known)
            continue;
        memcpy(errand->role, gather->sights[i].role, strlen(gather->sights[i].role) + 1);
        desk_place_note(errand->desk, errand->about.id, errand->role, 0);
        return command(self, errand);
    }
    if (gather->barred.kind != PROBLEM_NONE) { /* it may be there */
        end_with_problem(self, errand, &gather->barred);
        return TROUPE_OK;
    }
    struct problem problem = {0};
    char id[ORG_ID_TEXT_LEN + 1];
    org_id_text(errand->about.id, id);
    problem_set(&problem, PROBLEM_NOT_FOUND, "no mailbox of %s has a message %s", errand->desk->actor, id);
    end_with_problem(self, errand, &problem);
    return TROUPE_OK;
}

/* Finds the role, then does it. */
static troupe_status find_role(troupe_self *self, struct desk_errand *errand)
{
    const char *known = desk_place_of(errand->desk, errand->about.id);
    if (errand->role[0] == '\0' && known != NULL)
        memcpy(errand->role, known, strlen(known) + 1);
    if (errand->role[0] != '\0')
        return command(self, errand);
    struct desk_gather *gather = desk_gather_new(errand->desk);
    if (gather == NULL)
        return try_later(self, errand, TROUPE_NO_MEMORY);
    gather->search = errand->about.id;
    gather->context = errand;
    gather->on_done = on_searched;
    return desk_gather_start(self, gather);
}

static troupe_status on_target(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    struct desk_errand *errand = context;
    const role_exists *exists = status == TROUPE_OK ? role_exists_of(reply) : NULL;
    if (exists == NULL)
        return try_later(self, errand, status == TROUPE_OK ? TROUPE_UNEXPECTED : status);
    if (exists->is_known)
        return find_role(self, errand);
    struct problem problem = {0};
    problem_set(&problem, PROBLEM_NOT_FOUND, "there is no role %s", errand->about.to);
    end_with_problem(self, errand, &problem);
    return TROUPE_OK;
}

troupe_status desk_errand_go_on(troupe_self *self, struct desk_errand *errand)
{
    if (errand->about.command != ORG_FORWARD)
        return find_role(self, errand);
    troupe_status status = troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), DIRECTORY_TIMEOUT_MS,
                                      on_target, errand, role_search, .role = errand->about.to);
    return status == TROUPE_OK ? TROUPE_OK : try_later(self, errand, status);
}

/* Copies the texts of a message that is only borrowed. */
static bool keep_texts(struct desk_errand *errand, const troupe_message *message, const desk_about *about)
{
    const troupe_span spans[] = {about->via, about->text, about->to, about->signal, about->output};
    enum { COUNT = sizeof spans / sizeof spans[0] };
    const char *texts[COUNT];
    size_t size = 0;
    for (size_t i = 0; i < COUNT; i++)
        size += (size_t)spans[i].size + 1;
    errand->texts = malloc(size);
    if (errand->texts == NULL)
        return false;
    char *end = errand->texts;
    for (size_t i = 0; i < COUNT; i++) {
        texts[i] = memcpy(end, troupe_text(message, spans[i]), (size_t)spans[i].size + 1);
        end += spans[i].size + 1;
    }
    errand->about = (desk_about_fields){
        .id = about->id,
        .awaits = about->awaits,
        .until = about->until,
        .after_ms = about->after_ms,
        .command = about->command,
        .action = about->action,
        .held_since = about->held_since,
        .exit_status = about->exit_status,
        .via = texts[0],
        .text = texts[1],
        .to = texts[2],
        .signal = texts[3],
        .output = texts[4],
        .wip_limit = about->wip_limit,
        .asking = about->asking,
        .is_crash = about->is_crash,
        .and_next = about->and_next,
    };
    return true;
}

troupe_status desk_errand_new(troupe_self *self, struct desk *desk, const troupe_message *message,
                              const desk_about *about)
{
    troupe_asker asker = troupe_asker_of(message);
    struct desk_errand *errand = desk->errand_count < DESK_REQUESTS_MAX ? calloc(1, sizeof *errand) : NULL;
    if (errand == NULL || about->via.size > ORG_ACTOR_NAME_LEN_MAX || !keep_texts(errand, message, about)) {
        free(errand);
        desk_deny_status(self, asker, TROUPE_FULL);
        return TROUPE_OK;
    }
    errand->desk = desk;
    errand->asker = asker;
    errand->next = desk->errands;
    desk->errands = errand;
    desk->errand_count++;
    return desk_errand_go_on(self, errand);
}
