/* SPDX-License-Identifier: MIT */
/*
 * view.c: messages, receipts and refusals in the words of the HTTP interface. Pure; any one thread.
 */
#include "server/view.h"

#include <inttypes.h>
#include <string.h>

#include "org/id.h"
#include "org/name.h"
#include "server/messages.h"

const char *const view_classes[ORG_CLASS_COUNT] = {"bulk", "normal", "urgent"};
const char *const view_availabilities[ORG_VACANT + 1] = {"available", "absent", "vacant"};

static void put_id(struct json_writer *out, const char *name, uint64_t id)
{
    char text[ORG_ID_TEXT_LEN + 1];
    org_id_text(id, text);
    json_put_word(out, name, text, ORG_ID_TEXT_LEN);
}

/* A word of the program's own. */
static void put_word(struct json_writer *out, const char *name, const char *word)
{
    json_put_word(out, name, word, strlen(word));
}

static void put_if_said(struct json_writer *out, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_put_text(out, name, text);
}

static void put_if_set(struct json_writer *out, const char *name, int64_t number)
{
    if (number != 0)
        json_put_number(out, name, number);
}

/*
 * Who is to be named as its sender: the address that hears of its end, an actor's without the "@"; of a
 * notice the role that is in trouble, of an escalation who failed last.
 */
static const char *from_of(const struct org_message *message, char ret_name[ORG_NAME_LEN_MAX + 1])
{
    const char *sender = org_message_text(message, message->accepted->sender);
    if (message->accepted->kind == ORG_KIND_MESSAGE && sender[0] != '\0')
        return sender[0] == '@' ? sender + 1 : sender;
    if (message->accepted->kind == ORG_KIND_NOTICE)
        return org_message_text(message, message->accepted->origin_role);
    org_name_first(org_message_text(message, message->accepted->by), ret_name);
    return ret_name;
}

static const char *const kinds[] = {"message", "answer", "escalation", "resolution", "notice"};

/*
 * What a message that is not from a person says of its kind: an answer how it went, an escalation what failed
 * where.
 */
static void put_kind(struct json_writer *out, const struct org_message *message)
{
    const org_accepted *accepted = message->accepted;
    if (accepted->kind < sizeof kinds / sizeof kinds[0])
        put_word(out, "kind", kinds[accepted->kind]);
    if (accepted->kind == ORG_KIND_ANSWER)
        json_put_text(out, "outcome", org_state_text((enum org_state)accepted->outcome));
    if (accepted->origin_id != 0) {
        json_open(out, "origin", '{');
        json_put_text(out, "role", org_message_text(message, accepted->origin_role));
        put_id(out, "id", accepted->origin_id);
        json_close(out, '}');
    }
}

static void put_holding(struct json_writer *out, const struct org_message *message)
{
    if (message->state == ORG_HELD) {
        put_if_said(out, "holder", message->holder);
        json_put_number(out, "held_since", message->held_since);
        json_put_number(out, "lease_until", message->lease_until);
    } else if (message->state == ORG_PARKED) {
        json_put_number(out, "parked_until", message->parked_until);
    } else {
        put_if_said(out, "assigned", message->assigned);
    }
}

static void put_message(struct json_writer *out, const char *role, const struct org_message *message,
                        bool with_body)
{
    const org_accepted *accepted = message->accepted;
    char from[ORG_NAME_LEN_MAX + 1];
    put_id(out, "id", message->id);
    json_put_text(out, "role", role);
    put_word(out, "state", org_state_text(message->state));
    put_kind(out, message);
    json_put_text(out, "from", from_of(message, from));
    put_if_said(out, "via", org_message_text(message, accepted->via));
    json_put_text(out, "subject", org_message_text(message, accepted->subject));
    if (with_body) {
        json_put_text(out, "body", org_message_text(message, accepted->body));
        put_if_said(out, "note", org_message_text(message, accepted->note));
        put_if_said(out, "attachments", org_message_text(message, accepted->attachments));
    }
    put_word(out, "class", view_classes[accepted->message_class % ORG_CLASS_COUNT]);
    json_put_number(out, "sent", accepted->at);
}

static void put_thread(struct json_writer *out, const struct org_message *message)
{
    const org_accepted *accepted = message->accepted;
    put_if_set(out, "deadline", accepted->deadline);
    put_id(out, "thread", accepted->thread != 0 ? accepted->thread : message->id);
    if (accepted->in_reply_to != 0)
        put_id(out, "in_reply_to", accepted->in_reply_to);
    json_put_number(out, "hops", accepted->hops);
}

void view_message(struct json_writer *out, const char *role, const struct org_message *message,
                  bool with_body)
{
    json_open(out, NULL, '{');
    put_message(out, role, message, with_body);
    put_holding(out, message);
    put_thread(out, message);
    json_put_number(out, "attempts", message->attempts);
    if (message->accepted->is_insisted)
        json_put_flag(out, "insisted", true);
    json_close(out, '}');
}

void view_ended(struct json_writer *out, const char *role, const struct org_message *message,
                const struct view_end *end)
{
    json_open(out, NULL, '{');
    put_message(out, role, message, true);
    put_thread(out, message);
    if (message->accepted->is_insisted)
        json_put_flag(out, "insisted", true);
    put_if_set(out, "ended", end->at);
    put_if_said(out, "ended_by", end->by);
    put_if_said(out, message->state == ORG_DONE ? "reply" : "reason", end->text);
    if (end->forwarded_to != NULL) {
        json_open(out, "forwarded_to", '{');
        json_put_text(out, "role", end->forwarded_to);
        if (end->forwarded_id != 0)
            put_id(out, "id", end->forwarded_id);
        json_close(out, '}');
    }
    json_close(out, '}');
}

void view_card(struct json_writer *out, const journal_card *card)
{
    const char *stream = troupe_flat_text(card, card->stream);
    bool is_role = strncmp(stream, ROLE_STREAM_PREFIX, strlen(ROLE_STREAM_PREFIX)) == 0;
    json_open(out, NULL, '{');
    put_id(out, "id", card->id);
    json_put_text(out, "role", is_role ? stream + strlen(ROLE_STREAM_PREFIX) : stream);
    put_word(out, "state", org_state_text((enum org_state)card->state));
    if (card->kind < sizeof kinds / sizeof kinds[0])
        json_put_text(out, "kind", kinds[card->kind]);
    json_put_text(out, "from", troupe_flat_text(card, card->author));
    json_put_text(out, "subject", troupe_flat_text(card, card->title));
    put_word(out, "class", view_classes[card->rank % ORG_CLASS_COUNT]);
    json_put_number(out, "sent", card->made_at);
    json_put_number(out, "changed", card->changed_at);
    put_if_said(out, "holder", troupe_flat_text(card, card->holder));
    put_id(out, "thread", card->thread);
    json_close(out, '}');
}

void view_receipt(struct json_writer *out, const char *role, const struct org_answer *answer)
{
    json_open(out, NULL, '{');
    if (answer->kind == ORG_ANSWER_REDIRECTED) {
        json_put_text(out, "role", role);
        json_put_text(out, "state", "redirected");
        json_put_text(out, "redirect_to", answer->redirect_to);
        json_close(out, '}');
        return;
    }
    put_id(out, "id", answer->id);
    json_put_text(out, "role", role);
    json_put_text(out, "state", "accepted");
    json_put_number(out, "position", answer->position);
    if (answer->wait_median_ms >= 0 && answer->wait_p95_ms >= 0) {
        json_open(out, "wait", '{');
        json_put_number(out, "median_ms", answer->wait_median_ms);
        json_put_number(out, "p95_ms", answer->wait_p95_ms);
        json_close(out, '}');
    }
    json_put_text(out, "holder", answer->holder);
    json_put_text(out, "availability", view_availabilities[answer->availability]);
    if (answer->is_duplicate)
        json_put_flag(out, "duplicate", true);
    json_close(out, '}');
}

void view_outcome(struct json_writer *out, const char *role, uint64_t id, enum org_state state,
                  int64_t lease_until, int64_t now_ms, const char *forwarded_to)
{
    json_open(out, NULL, '{');
    put_id(out, "id", id);
    json_put_text(out, "role", role);
    put_word(out, "state", org_state_text(state));
    if (lease_until != 0) {
        json_put_number(out, "lease_until", lease_until);
        json_put_number(out, "lease_ms", lease_until > now_ms ? lease_until - now_ms : 0);
    }
    if (forwarded_to != NULL) {
        json_open(out, "forwarded_to", '{');
        json_put_text(out, "role", forwarded_to);
        json_close(out, '}');
    }
    json_close(out, '}');
}

/* --- refusals --------------------------------------------------------------------------------- */

static enum problem_kind kind_of(enum org_refusal refusal)
{
    switch (refusal) {
    case ORG_REFUSED_FULL:
        return PROBLEM_FULL;
    case ORG_REFUSED_TOO_LARGE:
        return PROBLEM_TOO_LARGE;
    case ORG_REFUSED_MALFORMED:
    case ORG_REFUSED_TIME:
    case ORG_REFUSED_CONFIGURATION:
        return PROBLEM_MALFORMED;
    case ORG_REFUSED_UNKNOWN:
        return PROBLEM_NOT_FOUND;
    case ORG_REFUSED_NOT_HOLDER:
    case ORG_REFUSED_NOT_ACTIVE:
    case ORG_REFUSED_NOT_IN_SUCCESSION:
    case ORG_REFUSED_SUPERVISED:
        return PROBLEM_FORBIDDEN;
    case ORG_REFUSED_CLOSED:
    case ORG_REFUSED_ORDER:
    case ORG_REFUSED_ID_TAKEN:
        return PROBLEM_UNAVAILABLE;
    case ORG_REFUSED_NONE:
    case ORG_REFUSED_KEY_REUSED:
    case ORG_REFUSED_HOPS:
    case ORG_REFUSED_SAME_ROLE:
    case ORG_REFUSED_ENDED:
    case ORG_REFUSED_NOT_HELD:
    case ORG_REFUSED_NOT_ESCALATED:
    case ORG_REFUSED_NOT_QUARANTINED:
    case ORG_REFUSED_ACTION:
    case ORG_REFUSED_AWAITED:
    case ORG_REFUSED_HELD_ANEW:
        break;
    }
    return PROBLEM_CONFLICT;
}

void view_refusal(struct problem *problem, const char *role, const struct org_answer *answer, int64_t now_ms)
{
    enum problem_kind kind = kind_of(answer->refusal);
    const char *text = org_refusal_text(answer->refusal);
    if (answer->refusal == ORG_REFUSED_FULL) {
        if (answer->occupied < answer->capacity)
            problem_set(problem, kind, "%s has no room for so many bytes now", role);
        else
            problem_set(problem, kind, "%s holds %" PRIu32 " of %" PRIu32 " messages", role, answer->occupied,
                        answer->capacity);
        if (answer->retry_at > now_ms)
            problem->retry_after_ms = (uint64_t)(answer->retry_at - now_ms);
    } else if (answer->refusal == ORG_REFUSED_ENDED) {
        problem_set(problem, kind, "%s: it is %s", text, org_state_text(answer->state));
    } else if (answer->holder != NULL && kind == PROBLEM_FORBIDDEN) {
        problem_set(problem, kind, "%s (%s)", text, answer->holder);
    } else {
        problem_set(problem, kind, "%s", text);
    }
}
