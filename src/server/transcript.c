/* SPDX-License-Identifier: MIT */
/*
 * transcript.c: a journal as lines of text and back; transcript.h has the format. One thread.
 */
#include "server/transcript.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <troupe.h>

#include "base/buffer.h"
#include "org/event_types.h"

/* Bytes of records that are appended at once, and appends in one transaction. */
#define PIECE_BYTES ((size_t)1 << 20)
#define PIECES_A_COMMIT 64

static const char body_mark[] = ",\"body\":";

/* --- writing ---------------------------------------------------------------------------------- */

struct writing {
    struct journal *journal;
    FILE *out;
    struct buffer names;
    struct buffer text;
    const char *stream;
    uint64_t records;
};

static troupe_status note_name(void *context, const struct journal_stream *stream)
{
    struct writing *writing = context;
    return buffer_append(&writing->names, stream->name, strlen(stream->name) + 1);
}

static troupe_status write_body(struct writing *writing, const troupe_type *type, const struct record *record)
{
    size_t size = troupe_flat_json_size(type, record->body, record->size);
    size_t written = 0;
    void *place;
    buffer_clear(&writing->text);
    if (size == SIZE_MAX)
        return TROUPE_MALFORMED;
    troupe_status status = buffer_extend(&writing->text, size + 1, &place);
    if (status == TROUPE_OK)
        status = troupe_flat_to_json(type, record->body, record->size, place, size + 1, &written);
    if (status == TROUPE_OK)
        fwrite(place, 1, written, writing->out);
    return status;
}

static troupe_status write_entry(void *context, const struct journal_entry *entry)
{
    struct writing *writing = context;
    const struct record *record = &entry->record;
    const troupe_type *type = org_event_type(record->type);
    bool is_known = type != NULL && type->version == record->version &&
                    troupe_flat_check(type, record->body, record->size) == TROUPE_OK;
    json_t *stream = json_string(writing->stream);
    char *quoted = stream != NULL ? json_dumps(stream, JSON_ENCODE_ANY) : NULL;
    json_decref(stream);
    if (quoted == NULL)
        return TROUPE_NO_MEMORY;
    fprintf(writing->out, "{\"stream\":%s,\"seq\":%" PRIu64 ",\"type\":", quoted, entry->seq);
    free(quoted);
    troupe_status status = TROUPE_OK;
    if (is_known) {
        fprintf(writing->out, "\"%s\",\"version\":%u%s", type->name, record->version, body_mark);
        status = write_body(writing, type, record);
    } else {
        fprintf(writing->out, "%" PRIu32 ",\"version\":%u%s\"", record->type, record->version, body_mark);
        for (uint32_t i = 0; i < record->size; i++)
            fprintf(writing->out, "%02x", ((const unsigned char *)record->body)[i]);
        fputc('"', writing->out);
    }
    fputs("}\n", writing->out);
    writing->records++;
    return status == TROUPE_OK && ferror(writing->out) ? TROUPE_IO : status;
}

troupe_status transcript_write(struct journal *journal, FILE *out, uint64_t *ret_records)
{
    struct writing writing = {.journal = journal, .out = out};
    troupe_status status = journal_list(journal, "", note_name, &writing);
    fprintf(out, "{\"troupe\":\"journal\",\"format\":%d}\n", TRANSCRIPT_FORMAT);
    for (size_t at = 0; status == TROUPE_OK && at < writing.names.size; at += strlen(writing.stream) + 1) {
        writing.stream = (const char *)writing.names.bytes + at;
        status = journal_scan(journal, writing.stream, strlen(writing.stream), 0, write_entry, &writing);
    }
    if (status == TROUPE_OK)
        fprintf(out, "{\"troupe\":\"end\",\"records\":%" PRIu64 "}\n", writing.records);
    if (fflush(out) != 0 && status == TROUPE_OK)
        status = TROUPE_IO;
    *ret_records = writing.records;
    buffer_done(&writing.names);
    buffer_done(&writing.text);
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
    struct journal *journal;
    struct journal_error *error;
    char stream[JOURNAL_STREAM_LEN_MAX + 1]; /* of the batch */
    uint64_t expected_seq;                   /* before its first record */
    struct record_batch batch;
    uint32_t pieces; /* in the open transaction */
    bool is_open;
    uint64_t records;
    bool is_endless; /* of the format that has no last line */
    bool has_ended;  /* the last line was there, and every record before it */
};

__attribute__((format(printf, 3, 4))) static troupe_status refuse(struct reading *reading,
                                                                  troupe_status status, const char *format,
                                                                  ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->error->text, sizeof reading->error->text, format, arguments);
    va_end(arguments);
    return status;
}

static troupe_status commit(struct reading *reading)
{
    if (!reading->is_open)
        return TROUPE_OK;
    reading->is_open = false;
    reading->pieces = 0;
    troupe_status status = journal_commit(reading->journal);
    return status == TROUPE_OK ? journal_upkeep(reading->journal) : status;
}

/* Appends what was gathered of one stream. */
static troupe_status append(struct reading *reading)
{
    uint64_t seq = 0;
    if (reading->batch.count == 0)
        return TROUPE_OK;
    troupe_status status = reading->is_open ? TROUPE_OK : journal_begin(reading->journal);
    if (status != TROUPE_OK)
        return status;
    reading->is_open = true;
    status = journal_stage(reading->journal, reading->stream, strlen(reading->stream), reading->expected_seq,
                           reading->batch.bytes.bytes, reading->batch.bytes.size, &seq);
    if (status == TROUPE_CONFLICT)
        return refuse(reading, status, "record %" PRIu64 " of %s does not follow number %" PRIu64,
                      reading->expected_seq + 1, reading->stream, seq);
    record_batch_clear(&reading->batch);
    reading->expected_seq = seq;
    return status == TROUPE_OK && ++reading->pieces == PIECES_A_COMMIT ? commit(reading) : status;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A body of hexadecimal digits in quotes. */
static troupe_status add_bytes(struct reading *reading, uint32_t type, uint16_t version, const char *text,
                               size_t size)
{
    void *place;
    size_t count = size >= 2 ? (size - 2) / 2 : 0;
    if (size < 2 || size % 2 != 0 || text[0] != '"' || text[size - 1] != '"' || count > RECORD_BODY_MAX)
        return refuse(reading, TROUPE_MALFORMED, "the body is no text of hexadecimal digits");
    troupe_status status = record_batch_add(&reading->batch, type, version, count, &place);
    for (size_t i = 0; i < count && status == TROUPE_OK; i++) {
        int high = digit_of(text[1 + 2 * i]);
        int low = digit_of(text[2 + 2 * i]);
        if (high < 0 || low < 0)
            return refuse(reading, TROUPE_MALFORMED, "the body is no text of hexadecimal digits");
        ((unsigned char *)place)[i] = (unsigned char)(high * 16 + low);
    }
    return status;
}

static troupe_status add_event(struct reading *reading, const troupe_type *type, const char *text,
                               size_t size)
{
    troupe_json_error error;
    size_t written = 0;
    size_t room = troupe_flat_from_json_size_max(type, size);
    void *body = malloc(room);
    if (body == NULL)
        return TROUPE_NO_MEMORY;
    troupe_status status = troupe_flat_from_json(type, text, size, body, room, &written, &error);
    if (status == TROUPE_OK)
        status = record_batch_append(&reading->batch, type->id, type->version, body, written);
    else
        (void)refuse(reading, status, "the body: %s", error.text);
    free(body);
    return status;
}

/* What stands before the body says where the record belongs. */
static troupe_status add_record(struct reading *reading, const json_t *head, const char *body, size_t size)
{
    const char *stream = json_string_value(json_object_get(head, "stream"));
    const json_t *type = json_object_get(head, "type");
    json_int_t seq = json_integer_value(json_object_get(head, "seq"));
    json_int_t version = json_integer_value(json_object_get(head, "version"));
    if (stream == NULL || strlen(stream) > JOURNAL_STREAM_LEN_MAX || seq < 1 || version < 0 ||
        version > UINT16_MAX)
        return refuse(reading, TROUPE_MALFORMED, "\"stream\", \"seq\" or \"version\" is missing or wrong");
    bool goes_on = strcmp(stream, reading->stream) == 0 &&
                   (uint64_t)seq == reading->expected_seq + reading->batch.count + 1;
    if (!goes_on || reading->batch.bytes.size > PIECE_BYTES) {
        troupe_status status = append(reading);
        if (status != TROUPE_OK)
            return status;
        snprintf(reading->stream, sizeof reading->stream, "%s", stream);
        reading->expected_seq = (uint64_t)seq - 1;
    }
    reading->records++;
    if (json_is_integer(type) && json_integer_value(type) >= 0 && json_integer_value(type) <= UINT32_MAX)
        return add_bytes(reading, (uint32_t)json_integer_value(type), (uint16_t)version, body, size);
    const troupe_type *known = json_is_string(type) ? org_event_type_named(json_string_value(type)) : NULL;
    if (known == NULL || known->version != version)
        return refuse(reading, TROUPE_MALFORMED, "an event of this type and version is not known here");
    return add_event(reading, known, body, size);
}

/* The last line, by which one that was cut off between two lines is not taken for whole. */
static troupe_status read_end(struct reading *reading, const char *line, size_t size)
{
    json_error_t problem;
    json_t *end = json_loadb(line, size, JSON_REJECT_DUPLICATES, &problem);
    const char *kind = json_string_value(json_object_get(end, "troupe"));
    bool is_end = kind != NULL && strcmp(kind, "end") == 0;
    json_int_t records = json_integer_value(json_object_get(end, "records"));
    json_decref(end);
    if (!is_end)
        return refuse(reading, TROUPE_MALFORMED, "no record: \"body\" must come last");
    if ((uint64_t)records != reading->records)
        return refuse(reading, TROUPE_MALFORMED, "there are %" PRIu64 " records, and there were %lld",
                      reading->records, (long long)records);
    reading->has_ended = true;
    return TROUPE_OK;
}

/* One line without its end. */
static troupe_status read_line(struct reading *reading, char *line, size_t size)
{
    json_error_t problem;
    char *mark = strstr(line, body_mark);
    if (reading->has_ended)
        return refuse(reading, TROUPE_MALFORMED, "it goes on behind its end");
    if (mark == NULL || size == 0 || line[size - 1] != '}')
        return read_end(reading, line, size);
    const char *body = mark + strlen(body_mark);
    size_t body_size = (size_t)(line + size - 1 - body);
    mark[0] = '}';
    json_t *head = json_loadb(line, (size_t)(mark - line) + 1, JSON_REJECT_DUPLICATES, &problem);
    if (head == NULL)
        return refuse(reading, TROUPE_MALFORMED, "%s", problem.text);
    troupe_status status = add_record(reading, head, body, body_size);
    json_decref(head);
    return status;
}

static troupe_status read_first(struct reading *reading, const char *line, size_t size)
{
    json_error_t problem;
    json_t *head = json_loadb(line, size, JSON_REJECT_DUPLICATES, &problem);
    const char *kind = json_string_value(json_object_get(head, "troupe"));
    json_int_t format = json_integer_value(json_object_get(head, "format"));
    bool is_ours = kind != NULL && strcmp(kind, "journal") == 0 && format >= 1 && format <= TRANSCRIPT_FORMAT;
    json_decref(head);
    reading->is_endless = format == TRANSCRIPT_FORMAT_ENDLESS;
    return is_ours ? TROUPE_OK
                   : refuse(reading, TROUPE_MALFORMED, "this is no export of format %d", TRANSCRIPT_FORMAT);
}

troupe_status transcript_read(struct journal *journal, FILE *in, uint64_t *ret_records, uint64_t *ret_line,
                              struct journal_error *error)
{
    struct reading reading = {.journal = journal, .error = error};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    troupe_status status = TROUPE_OK;
    *ret_line = 0;
    error->text[0] = '\0';
    while (status == TROUPE_OK && (size = getline(&line, &capacity, in)) > 0) {
        if (line[size - 1] == '\n')
            line[--size] = '\0';
        status = ++*ret_line == 1 ? read_first(&reading, line, (size_t)size)
                                  : read_line(&reading, line, (size_t)size);
    }
    if (status == TROUPE_OK && !feof(in)) /* it ended before its end: the disk, or no memory for a line */
        status = refuse(&reading, TROUPE_IO, "the file cannot be read");
    if (status == TROUPE_OK && *ret_line == 0)
        status = refuse(&reading, TROUPE_MALFORMED, "the file is empty");
    if (status == TROUPE_OK && !reading.has_ended && !reading.is_endless)
        status = refuse(&reading, TROUPE_MALFORMED, "it is cut off here: the line that ends it is missing");
    if (status == TROUPE_OK)
        status = append(&reading);
    if (status == TROUPE_OK)
        status = commit(&reading);
    *ret_records = reading.records;
    record_batch_done(&reading.batch);
    free(line);
    return status;
}
