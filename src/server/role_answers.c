/* SPDX-License-Identifier: MIT */
/*
 * role_answers.c: the answers of a role, from the command that they answer until its records are on the disk.
 * Part of the role actor; nothing blocks.
 *
 * An answer that went out is kept for the next one, with the block of its JSON: a busy role then allocates
 * nothing for answers.
 *
 *   role_answer_new --> open answers --append--> a flight --on the disk--> sent --> spare --> ...
 */
#include <stdlib.h>
#include <string.h>

#include "server/messages.h"
#include "server/role_actor.h"

static void take_spare(struct role_actor *actor)
{
    struct role_answer *answer = actor->spare_answers;
    actor->spare_answers = answer->next;
    actor->spare_count--;
    answer->next = NULL;
    answer->kind = ROLE_ANSWER_JSON;
    answer->status = 0;
    answer->id = 0;
    answer->held_since = 0;
}

/* Keeps an answer that went out, or frees it when there are enough. */
static void answer_done(struct role_actor *actor, struct role_answer *answer)
{
    if (actor->spare_count >= ROLE_SPARE_ANSWERS_MAX || answer->json.capacity > ROLE_SPARE_JSON_MAX) {
        buffer_done(&answer->json);
        free(answer);
        return;
    }
    buffer_clear(&answer->json);
    answer->next = actor->spare_answers;
    actor->spare_answers = answer;
    actor->spare_count++;
}

void role_answers_done(struct role_actor *actor)
{
    while (actor->spare_answers != NULL) {
        struct role_answer *answer = actor->spare_answers;
        actor->spare_answers = answer->next;
        buffer_done(&answer->json);
        free(answer);
    }
}

void role_answer_problem(struct role_answer *answer, enum problem_kind kind, const char *detail)
{
    answer->kind = ROLE_ANSWER_PROBLEM;
    problem_set(&answer->problem, kind, "%s", detail);
}

void role_answer_failure(struct role_answer *answer, troupe_status status)
{
    role_answer_problem(answer, status == TROUPE_TOO_LARGE ? PROBLEM_TOO_LARGE : PROBLEM_UNAVAILABLE,
                        troupe_status_text(status));
}

void role_answer_json(struct role_answer *answer, uint32_t status, const struct json_writer *out)
{
    answer->kind = ROLE_ANSWER_JSON;
    answer->status = status;
    if (json_writer_end(out) != TROUPE_OK)
        role_answer_failure(answer, TROUPE_NO_MEMORY);
}

struct role_answer *role_answer_new(troupe_self *self, struct role_actor *actor, troupe_asker asker)
{
    struct role_answer *answer = actor->spare_answers;
    if (answer == NULL)
        answer = calloc(1, sizeof *answer);
    else
        take_spare(actor);
    if (answer == NULL) {
        troupe_refuse(self, asker, TROUPE_NO_MEMORY);
        return NULL;
    }
    answer->asker = asker;
    *actor->answers_end = answer;
    actor->answers_end = &answer->next;
    return answer;
}

static troupe_status reply_audited(troupe_self *self, struct role_actor *actor, troupe_asker asker)
{
    const char *reason = "";
    struct org_counts counts = org_role_counts(actor->role);
    bool is_sound = org_role_check(actor->role, &reason);
    return troupe_reply(self, asker, role_audited, .accepted = counts.accepted, .queued = counts.queued,
                        .held = counts.held, .parked = counts.parked, .quarantined = counts.quarantined,
                        .done = counts.done, .declined = counts.declined, .forwarded = counts.forwarded,
                        .expired = counts.expired, .shed = counts.shed, .owed = counts.owed,
                        .is_sound = is_sound, .reason = is_sound ? "" : reason);
}

static void reply(troupe_self *self, struct role_actor *actor, const struct role_answer *answer)
{
    troupe_bytes json = {answer->json.bytes, answer->json.size};
    troupe_status status = TROUPE_OK;
    switch (answer->kind) {
    case ROLE_ANSWER_JSON:
        status = troupe_reply(self, answer->asker, answered, .status = answer->status, .json = json);
        break;
    case ROLE_ANSWER_PROBLEM:
        status =
            troupe_reply(self, answer->asker, denied, .kind = (uint32_t)answer->problem.kind,
                         .detail = answer->problem.detail, .retry_after_ms = answer->problem.retry_after_ms);
        break;
    case ROLE_ANSWER_TOOK:
        status = troupe_reply(self, answer->asker, role_took, .kind = answer->status, .id = answer->id,
                              .held_since = answer->held_since, .json = json);
        break;
    case ROLE_ANSWER_DELIVERED:
        status =
            troupe_reply(self, answer->asker, role_delivered, .id = answer->id, .refusal = answer->status);
        break;
    case ROLE_ANSWER_KNOWS:
        status = troupe_reply(self, answer->asker, role_knows, .is_known = answer->status != 0);
        break;
    case ROLE_ANSWER_ENDED:
        status = troupe_reply(self, answer->asker, role_ended, .state = answer->status,
                              .last_seq = actor->seq, .may_read = answer->id != 0);
        break;
    case ROLE_ANSWER_AUDITED:
        status = reply_audited(self, actor, answer->asker);
        break;
    }
    if (status != TROUPE_OK)
        troupe_refuse(self, answer->asker, status);
}

void role_answers_send(troupe_self *self, struct role_actor *actor, struct role_answer *answers)
{
    while (answers != NULL) {
        struct role_answer *answer = answers;
        answers = answer->next;
        reply(self, actor, answer);
        answer_done(actor, answer);
    }
}

void role_answers_refuse(troupe_self *self, struct role_actor *actor, struct role_answer *answers)
{
    while (answers != NULL) {
        struct role_answer *answer = answers;
        answers = answer->next;
        troupe_refuse(self, answer->asker, TROUPE_NO_ACTOR);
        answer_done(actor, answer);
    }
}
