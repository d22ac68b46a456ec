/* SPDX-License-Identifier: MIT */
/*
 * routes_message.c: routes_message.h. Runs in the http actor; the only waiting is in continuations.
 *
 *   role_ended -> its card: when it came and ended -> first record of that time, by halving the stream
 *       -> records from there on, those about the message kept -> its end, and where it went --> answer
 *                                  |                                        ^
 *                                  +--PIECES_MAX: from the time of its end--+
 *
 * Who may read it: whoever may read all of the role, its sender, whoever held it, and those of a role that it
 * was escalated to, by what the records say. Anybody else is told its state.
 *
 * The journal answers one piece at a time and serves others between two; nothing is kept but the records
 * about the one message, in the call's own buffer.
 */
#include "server/routes_message.h"

#include <stdio.h>
#include <string.h>

#include "base/record.h"
#include "journal/card.h"
#include "journal/writer.h"
#include "org/events.h"
#include "org/name.h"
#include "org/role.h"
#include "server/http.h"
#include "server/view.h"

#define TIMEOUT_MS 30000
/* Pieces of a stream that are read for a message that took long; then it goes on with its end. */
#define PIECES_MAX 32
#define PIECE_SIZE (256u << 10)
#define THE_JOURNAL "the journal"
#define THE_DIRECTORY "the directory"

/* Reading one message, in the call's scratch. */
struct reading {
    const char *role;
    uint64_t id;
    uint64_t low;  /* the first record that is looked for is here or behind, */
    uint64_t high; /* and not behind this one */
    uint64_t last; /* of the stream */
    int64_t goal;  /* the time that is looked for */
    int64_t ended_at;
    uint64_t sent_number; /* of the outbox: the copy that was forwarded; 0: none */
    enum org_state state;
    uint32_t pieces;
    bool may_read;
    bool is_at_end;     /* it has gone on with the message's end */
    bool is_from_start; /* it is not where its time says: a clock was set back */
    bool has_ended;     /* the record of it is kept */
    bool is_followed;   /* and where it went, or it went nowhere */
};

_Static_assert(sizeof(struct reading) <= CALL_SCRATCH_SIZE, "a call has room for what a route keeps");

/* What every record begins with, and those about a message; role_cards.c asserts it. */
struct beginning {
    int64_t at;
    uint64_t id;
};

/* A record that is kept, with its body behind it at a multiple of 8. */
struct kept {
    uint32_t type;
    uint32_t size;
};

static struct reading *reading_of(struct call *call)
{
    return (struct reading *)(void *)call->scratch;
}

static void finish(troupe_self *self, struct call *call);
static void read_on(troupe_self *self, struct call *call);

/* Ends the call with a problem; what was kept is no part of an answer. */
static void give_up(struct call *call, troupe_status status, const troupe_message *reply, const char *what)
{
    buffer_clear(&call->answer);
    call_end(call, status, reply, what);
}

/* --- what is kept ----------------------------------------------------------------------------- */

static bool keep(struct call *call, const struct record *record)
{
    struct kept kept = {record->type, record->size};
    return buffer_append(&call->answer, &kept, sizeof kept) == TROUPE_OK &&
           buffer_append(&call->answer, record->body, record->size) == TROUPE_OK &&
           buffer_align(&call->answer, RECORD_ALIGNMENT) == TROUPE_OK;
}

/* The next kept record of a type; NULL: no more. */
static const void *next_kept(const struct call *call, const troupe_type *type, size_t *offset)
{
    while (*offset < call->answer.size) {
        const struct kept *kept = (const struct kept *)(const void *)(call->answer.bytes + *offset);
        *offset += sizeof *kept + (kept->size + RECORD_ALIGNMENT - 1) / RECORD_ALIGNMENT * RECORD_ALIGNMENT;
        if (kept->type == type->id)
            return kept + 1;
    }
    return NULL;
}

static const void *first_kept(const struct call *call, const troupe_type *type)
{
    size_t offset = 0;
    return next_kept(call, type, &offset);
}

static bool is_end(uint32_t type)
{
    return type == org_done_type.id || type == org_declined_type.id || type == org_forwarded_type.id ||
           type == org_expired_type.id || type == org_shed_type.id;
}

/* Whether a record is about the message; notes what is to come yet. */
static bool is_about(struct reading *reading, const struct record *record)
{
    const struct beginning *beginning = record->body;
    if (record->type == org_sent_type.id) {
        const org_sent *sent = record->body;
        return sent->origin_id == reading->id &&
               (sent->kind == ORG_KIND_ANSWER || sent->kind == ORG_KIND_ESCALATION);
    }
    if (record->type == org_delivered_type.id) {
        const org_delivered *delivered = record->body;
        bool is_copy = reading->sent_number != 0 && delivered->number == reading->sent_number;
        reading->is_followed = reading->is_followed || is_copy;
        return is_copy;
    }
    if (beginning->id != reading->id)
        return false;
    if (record->type == org_forwarded_type.id)
        reading->sent_number = ((const org_forwarded *)record->body)->sent_number;
    reading->has_ended = reading->has_ended || is_end(record->type);
    reading->is_followed = reading->is_followed || (is_end(record->type) && reading->sent_number == 0);
    return is_end(record->type) || record->type == org_accepted_type.id || record->type == org_taken_type.id;
}

static bool keep_all(struct call *call, troupe_bytes records)
{
    struct record_cursor cursor = record_cursor_at(records.data, records.size);
    struct record record;
    while (record_next(&cursor, &record) == TROUPE_OK) {
        if (record.size >= sizeof(struct beginning) && is_about(reading_of(call), &record) &&
            !keep(call, &record))
            return false;
    }
    return true;
}

/* --- finding its records ---------------------------------------------------------------------- */

static void ask_for(troupe_self *self, struct call *call, uint64_t from_seq, uint32_t size_max,
                    troupe_reply_handler on_reply)
{
    char stream[ORG_NAME_LEN_MAX + sizeof ROLE_STREAM_PREFIX];
    snprintf(stream, sizeof stream, ROLE_STREAM_PREFIX "%s", reading_of(call)->role);
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_JOURNAL), TIMEOUT_MS, on_reply, call, journal_read,
                   .stream = stream, .from_seq = from_seq, .size_max = size_max);
    if (status != TROUPE_OK)
        give_up(call, status, NULL, THE_JOURNAL);
}

static const journal_records *records_of(struct call *call, troupe_status status, const troupe_message *reply)
{
    const journal_records *piece = status == TROUPE_OK ? journal_records_of(reply) : NULL;
    if (piece != NULL && piece->status == TROUPE_OK)
        return piece;
    give_up(call, piece != NULL ? (troupe_status)piece->status : status, piece != NULL ? NULL : reply,
            THE_JOURNAL);
    return NULL;
}

static troupe_status on_piece(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct call *call = context;
    struct reading *reading = reading_of(call);
    const journal_records *piece = records_of(call, status, reply);
    if (piece == NULL)
        return TROUPE_OK;
    if (!keep_all(call, troupe_bytes_of(reply, piece->records))) {
        give_up(call, TROUPE_NO_MEMORY, NULL, THE_JOURNAL);
        return TROUPE_OK;
    }
    reading->low = piece->next_seq;
    bool is_over = piece->is_end || reading->is_followed;
    if (!is_over && ++reading->pieces == PIECES_MAX) {
        is_over = reading->is_at_end || reading->has_ended;
        reading->is_at_end = true;
        reading->pieces = 0;
        reading->goal = reading->ended_at;
        reading->high = reading->last;
    }
    if (is_over)
        finish(self, call);
    else
        read_on(self, call);
    return TROUPE_OK;
}

/* One record in the middle: what is looked for is before or behind it. */
static troupe_status on_probe(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct call *call = context;
    struct reading *reading = reading_of(call);
    const journal_records *piece = records_of(call, status, reply);
    if (piece == NULL)
        return TROUPE_OK;
    troupe_bytes records = troupe_bytes_of(reply, piece->records);
    struct record_cursor cursor = record_cursor_at(records.data, records.size);
    struct record record;
    bool is_before = record_next(&cursor, &record) == TROUPE_OK && record.size >= sizeof(struct beginning) &&
                     ((const struct beginning *)record.body)->at < reading->goal;
    if (is_before)
        reading->low = piece->from_seq + 1;
    else
        reading->high = piece->from_seq;
    read_on(self, call);
    return TROUPE_OK;
}

/* Looks for the first record of a time, and reads from there. */
static void read_on(troupe_self *self, struct call *call)
{
    struct reading *reading = reading_of(call);
    if (reading->low < reading->high)
        ask_for(self, call, reading->low + (reading->high - reading->low) / 2, 1, on_probe);
    else
        ask_for(self, call, reading->low, PIECE_SIZE, on_piece);
}

static troupe_status on_card(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct call *call = context;
    struct reading *reading = reading_of(call);
    const journal_found *found = status == TROUPE_OK ? journal_found_of(reply) : NULL;
    if (found == NULL || found->status != TROUPE_OK) {
        give_up(call, found != NULL ? (troupe_status)found->status : status, reply, THE_JOURNAL);
        return TROUPE_OK;
    }
    troupe_bytes cards = troupe_bytes_of(reply, found->cards);
    struct record_cursor cursor = record_cursor_at(cards.data, cards.size);
    struct journal_card_put put;
    if (journal_card_next(&cursor, &put) != TROUPE_OK || put.card == NULL || put.card->id != reading->id) {
        finish(self, call); /* with its state */
        return TROUPE_OK;
    }
    const char *holder = troupe_flat_text(put.card, put.card->holder); /* the last one, and no other */
    reading->may_read = reading->may_read || strcmp(holder, call->request->caller.actor) == 0;
    reading->goal = put.card->made_at;
    reading->ended_at = put.card->changed_at;
    read_on(self, call);
    return TROUPE_OK;
}

void message_read_ended(troupe_self *self, struct call *call, const char *role, uint64_t id,
                        const role_ended *ended)
{
    char stream[ORG_NAME_LEN_MAX + sizeof ROLE_STREAM_PREFIX];
    struct reading *reading = reading_of(call);
    *reading = (struct reading){.role = role,
                                .id = id,
                                .low = 1,
                                .high = ended->last_seq,
                                .last = ended->last_seq,
                                .state = (enum org_state)ended->state,
                                .may_read = ended->may_read};
    snprintf(stream, sizeof stream, ROLE_STREAM_PREFIX "%s", role);
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_JOURNAL), TIMEOUT_MS, on_card, call, journal_find_ask,
                   .before = id + 1, .stream = stream, .limit = 1, .sees_all = true);
    if (status != TROUPE_OK)
        give_up(call, status, NULL, THE_JOURNAL);
}

/* --- who may read it -------------------------------------------------------------------------- */

static bool is_reader(const struct call *call, const org_accepted *accepted)
{
    const char *actor = call->request->caller.actor;
    const char *sender = troupe_flat_text(accepted, accepted->sender);
    size_t offset = 0;
    const org_taken *taken;
    if ((sender[0] == '@' && strcmp(sender + 1, actor) == 0) ||
        org_name_is_in(actor, troupe_flat_text(accepted, accepted->by)))
        return true;
    while ((taken = next_kept(call, &org_taken_type, &offset)) != NULL) {
        if (strcmp(troupe_flat_text(taken, taken->by), actor) == 0)
            return true;
    }
    return false;
}

static const org_sent *next_escalation(const struct call *call, size_t *offset)
{
    const org_sent *sent;
    while ((sent = next_kept(call, &org_sent_type, offset)) != NULL && sent->kind != ORG_KIND_ESCALATION)
        continue;
    return sent;
}

/* Whether one of these streams, one a line, is that of the role. */
static bool has_line(const char *streams, const char *role)
{
    size_t len = strlen(role);
    size_t prefix_len = strlen(ROLE_STREAM_PREFIX);
    for (const char *at = streams; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
        if (strcspn(at, "\n") == prefix_len + len && memcmp(at + prefix_len, role, len) == 0)
            return true;
    }
    return false;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* How it ended, as far as that is known. */
static struct view_end end_of(const struct call *call)
{
    struct view_end end = {0};
    const org_done *done = first_kept(call, &org_done_type);
    const org_declined *declined = first_kept(call, &org_declined_type);
    const org_forwarded *forwarded = first_kept(call, &org_forwarded_type);
    const org_expired *expired = first_kept(call, &org_expired_type);
    const org_shed *shed = first_kept(call, &org_shed_type);
    const org_delivered *delivered = first_kept(call, &org_delivered_type);
    uint64_t answer_number = 0;
    if (done != NULL)
        end = (struct view_end){.at = done->at,
                                .by = troupe_flat_text(done, done->by),
                                .text = troupe_flat_text(done, done->reply)};
    if (declined != NULL)
        end = (struct view_end){.at = declined->at,
                                .by = troupe_flat_text(declined, declined->by),
                                .text = troupe_flat_text(declined, declined->reason)};
    if (forwarded != NULL)
        end = (struct view_end){.at = forwarded->at,
                                .by = troupe_flat_text(forwarded, forwarded->by),
                                .text = troupe_flat_text(forwarded, forwarded->note),
                                .forwarded_to = troupe_flat_text(forwarded, forwarded->to)};
    if (expired != NULL || shed != NULL)
        end.at = expired != NULL ? expired->at : shed->at;
    if (forwarded != NULL && delivered != NULL)
        end.forwarded_id = delivered->id;
    if (done != NULL || declined != NULL)
        answer_number = done != NULL ? done->answer_number : declined->answer_number;
    size_t offset = 0;
    const org_sent *sent;
    while (answer_number != 0 && (sent = next_kept(call, &org_sent_type, &offset)) != NULL) {
        if (sent->number == answer_number)
            end.text = troupe_flat_text(sent, sent->body);
    }
    return end;
}

static void answer(struct call *call, const org_accepted *accepted, bool may_read)
{
    const struct reading *reading = reading_of(call);
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    if (may_read) {
        struct view_end end = end_of(call);
        struct org_message message = {.accepted = accepted, .id = reading->id, .state = reading->state};
        view_ended(&out, reading->role, &message, &end);
    } else {
        view_outcome(&out, reading->role, reading->id, reading->state, 0, 0, NULL);
    }
    buffer_done(&call->answer);
    call_answer_written(call, 200, &out, &json);
}

static troupe_status on_readable(troupe_self *self, troupe_status status, const troupe_message *reply,
                                 void *context)
{
    (void)self;
    struct call *call = context;
    const readable_are *are = status == TROUPE_OK ? readable_are_of(reply) : NULL;
    size_t offset = 0;
    const org_sent *sent;
    bool may_read = false;
    if (are == NULL) {
        give_up(call, status, reply, THE_DIRECTORY);
        return TROUPE_OK;
    }
    while ((sent = next_escalation(call, &offset)) != NULL)
        may_read = may_read || has_line(troupe_text(reply, are->streams), troupe_flat_text(sent, sent->to));
    answer(call, first_kept(call, &org_accepted_type), may_read);
    return TROUPE_OK;
}

static void finish(troupe_self *self, struct call *call)
{
    struct reading *reading = reading_of(call);
    const org_accepted *accepted = first_kept(call, &org_accepted_type);
    size_t offset = 0;
    bool may_read = accepted != NULL && (reading->may_read || is_reader(call, accepted));
    if (accepted == NULL && reading->goal != 0 && !reading->is_from_start) {
        buffer_clear(&call->answer);
        reading->is_from_start = true;
        reading->is_at_end = reading->has_ended = reading->is_followed = false;
        reading->low = reading->high = 1;
        reading->pieces = 0;
        read_on(self, call);
        return;
    }
    if (accepted == NULL || may_read || next_escalation(call, &offset) == NULL) {
        answer(call, accepted, may_read);
        return;
    }
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), TIMEOUT_MS, on_readable, call,
                   directory_readable, .actor = call->request->caller.actor, .role = "");
    if (status != TROUPE_OK)
        give_up(call, status, NULL, THE_DIRECTORY);
}
