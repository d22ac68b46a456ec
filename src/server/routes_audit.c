/* SPDX-License-Identifier: MIT */
/*
 * routes_audit.c: every change of the organisation, who made it, for whom and when: the stream of its events
 * as it is on the disk. Runs in the http actor, asks the journal; the only waiting is in a continuation.
 */
#include "server/routes_audit.h"

#include <stdlib.h>

#include "base/record.h"
#include "journal/writer.h"
#include "org/event_types.h"
#include "server/http.h"
#include "server/json_writer.h"
#include "server/messages.h"
#include "server/routes_members.h"

#define AUDIT_TIMEOUT_MS 30000
#define AUDIT_LIMIT_DEFAULT 100
#define AUDIT_LIMIT_MAX 1000
#define THE_JOURNAL "the journal"

/* What is kept of the call. */
struct auditing {
    uint64_t limit;
};

/* One event: its number, its name, and its body as it is exported. */
static troupe_status put_event(struct json_writer *out, uint64_t seq, const struct record *record,
                               struct buffer *text)
{
    const troupe_type *type = org_event_type(record->type);
    if (type == NULL || type->version != record->version)
        return TROUPE_UNEXPECTED;
    size_t size = troupe_flat_json_size(type, record->body, record->size);
    size_t written = 0;
    void *place;
    buffer_clear(text);
    if (size == SIZE_MAX)
        return TROUPE_MALFORMED;
    troupe_status status = buffer_extend(text, size + 1, &place);
    if (status == TROUPE_OK)
        status = troupe_flat_to_json(type, record->body, record->size, place, size + 1, &written);
    if (status != TROUPE_OK)
        return status;
    json_open(out, NULL, '{');
    json_put_number(out, "seq", (int64_t)seq);
    json_put_text(out, "event", type->name);
    json_put_raw(out, "body", place, written);
    json_close(out, '}');
    return TROUPE_OK;
}

static troupe_status put_events(struct json_writer *out, const journal_records *piece, troupe_bytes records,
                                uint64_t limit)
{
    struct record_cursor cursor = record_cursor_at(records.data, records.size);
    struct record record;
    struct buffer text = {0};
    uint64_t seq = piece->from_seq;
    troupe_status status = TROUPE_OK;
    json_open(out, NULL, '{');
    json_open(out, "events", '[');
    while (seq - piece->from_seq < limit && status == TROUPE_OK &&
           (status = record_next(&cursor, &record)) == TROUPE_OK)
        status = put_event(out, seq++, &record, &text);
    json_close(out, ']');
    bool is_end = piece->is_end && seq == piece->next_seq;
    if (!is_end)
        json_put_number(out, "next", (int64_t)seq - 1);
    json_close(out, '}');
    buffer_done(&text);
    return status == TROUPE_END ? TROUPE_OK : status;
}

static troupe_status on_records(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    (void)self;
    struct call *call = context;
    const struct auditing *auditing = (const struct auditing *)(void *)call->scratch;
    const journal_records *piece = status == TROUPE_OK ? journal_records_of(reply) : NULL;
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    if (piece != NULL)
        status = piece->status != TROUPE_OK
                     ? (troupe_status)piece->status
                     : put_events(&out, piece, troupe_bytes_of(reply, piece->records), auditing->limit);
    else if (status == TROUPE_OK)
        status = TROUPE_UNEXPECTED;
    if (status == TROUPE_OK) {
        call_answer_written(call, MHD_HTTP_OK, &out, &json);
    } else {
        buffer_done(&json);
        call_end(call, status, NULL, THE_JOURNAL);
    }
    return TROUPE_OK;
}

void route_audit(troupe_self *self, struct call *call)
{
    struct auditing *auditing = (struct auditing *)(void *)call->scratch;
    uint64_t after;
    if (!argument_number(call, "after", 0, 0, INT64_MAX - 1, &after) ||
        !argument_number(call, "limit", AUDIT_LIMIT_DEFAULT, 1, AUDIT_LIMIT_MAX, &auditing->limit))
        return;
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_JOURNAL), AUDIT_TIMEOUT_MS, on_records, call, journal_read,
                   .stream = STREAM_ORGANISATION, .from_seq = after + 1);
    if (status != TROUPE_OK)
        call_end(call, status, NULL, THE_JOURNAL);
}
