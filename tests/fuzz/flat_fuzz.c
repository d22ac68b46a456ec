/* SPDX-License-Identifier: MIT */
/*
 * Bytes from anywhere as the body of a message: the first byte chooses a type, the rest is the body. What
 * troupe_flat_check accepts is then read, every byte of every field, as a receiver would, and written as JSON
 * and as a trace; the address sanitizer sees a read beyond the body. A body that comes back from its JSON
 * gives the same JSON, and so does one that was sent, its blobs riding, and came out of a mailbox. One
 * thread.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>

#include "base/assert.h"
#include "property/wire_types.h"
#include "wire/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Somewhere for what is read, so that the compiler reads it. */
static volatile uint64_t sum;

static void read_bytes(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t all = 0;
    for (size_t i = 0; i < size; i++)
        all += bytes[i];
    sum += all;
}

static void read_fields(const troupe_type *type, const char *body)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const troupe_field *field = &type->fields[i];
        const char *at = body + field->offset;
        read_bytes(at, value_size(field->kind) * field->count);
        if (field->kind == TROUPE_FIELD_text) {
            troupe_span span = *(const troupe_span *)(const void *)at;
            ASSERT(strlen(troupe_flat_text(body, span)) == span.size);
        } else if (field->kind == TROUPE_FIELD_bytes || field->kind == TROUPE_FIELD_blob) {
            troupe_bytes bytes = troupe_flat_bytes(body, *(const troupe_span *)(const void *)at);
            read_bytes(bytes.data, bytes.size);
        }
        for (uint32_t n = 0; n < field->count && field->kind == TROUPE_FIELD_bool; n++)
            ASSERT(((const uint8_t *)at)[n] <= 1);
    }
}

/* The JSON of a body, in a block exactly as large as it needs. */
static char *write_json(const troupe_type *type, const void *body, size_t size, size_t *ret_text_size)
{
    size_t text_size = troupe_flat_json_size(type, body, size);
    ASSERT(text_size <= TROUPE_JSON_SIZE_MAX);
    char *text = malloc(text_size + 1);
    ASSERT(text != NULL);
    ASSERT(troupe_flat_to_json(type, body, size, text, text_size + 1, ret_text_size) == TROUPE_OK);
    ASSERT(*ret_text_size == text_size && text[text_size] == '\0');
    return text;
}

static void check_json(const troupe_type *type, const void *body, size_t size)
{
    size_t text_size;
    size_t again_size;
    size_t back_size;
    char *text = write_json(type, body, size, &text_size);
    size_t enough = troupe_flat_from_json_size_max(type, text_size);
    void *back = malloc(enough + 1);
    ASSERT(back != NULL);
    ASSERT(troupe_flat_from_json(type, text, text_size, back, enough, &back_size, NULL) == TROUPE_OK);
    char *again = write_json(type, back, back_size, &again_size);
    ASSERT(again_size == text_size && memcmp(again, text, text_size) == 0);
    free(again);
    free(back);
    free(text);
}

/* What a receiver makes of a body that came from elsewhere: its type, its bytes, its blobs. */
static const troupe_type *received_type;
static void *received;
static size_t received_size;

static troupe_status receiver_receive(troupe_self *self, const troupe_message *message)
{
    const parcel *m = parcel_of(message);
    (void)self;
    /* A type that claims to be another, or another version, is none of them. */
    for (size_t i = 0; i < WIRE_TYPE_COUNT; i++) {
        if (wire_types[i] != received_type)
            ASSERT(troupe_message_flatten(wire_types[i], message, NULL, 0) == TROUPE_MALFORMED);
    }
    ASSERT((m != NULL) == (received_type == &parcel_type));
    if (m != NULL) {
        troupe_bytes load = troupe_blob_bytes_of(message, m->load);
        read_bytes(load.data, load.size);
        ASSERT((troupe_blob_of(message, m->more) == NULL) == (m->more.size == 0));
    }
    received_size = troupe_message_flat_size(received_type, message);
    if (received_size <= TROUPE_BODY_SIZE_MAX) {
        received = malloc(received_size + 1);
        ASSERT(received != NULL);
        ASSERT(troupe_message_flatten(received_type, message, received, received_size) == TROUPE_OK);
    }
    return TROUPE_OK;
}

/*
 * The body through a mailbox and out of it again: what came is what went, but that blobs whose bytes were
 * shared are apart. What the check refuses the send refuses.
 */
static void check_send(const troupe_type *type, const void *body, size_t size, bool is_good)
{
    static const troupe_behaviour receiver = {.name = "receiver", .receive = receiver_receive};
    static troupe_system *system;
    static troupe_ref to;
    const troupe_options options = {.workers = 1, .simulate = {.seed = 1}};
    if (system == NULL) {
        const troupe_spawn_options spawn = {.mailbox_bytes_max = TROUPE_MAILBOX_BYTES_MAX};
        ASSERT(troupe_start(&system, &options) == TROUPE_OK);
        to = troupe_spawn(system, &receiver, &spawn);
    }
    received_type = type;
    received = NULL;
    troupe_context *from = troupe_system_context(system);
    uint16_t other = (uint16_t)(type->version + 1);
    ASSERT(troupe_send_arrived(from, to, wire_types, WIRE_TYPE_COUNT, type->id, other, body, size) ==
           TROUPE_UNEXPECTED);
    troupe_status status =
        troupe_send_arrived(from, to, wire_types, WIRE_TYPE_COUNT, type->id, type->version, body, size);
    ASSERT(status == (is_good ? TROUPE_OK : TROUPE_MALFORMED));
    troupe_sim_advance(system, 0);
    ASSERT((received != NULL) == is_good);
    if (!is_good)
        return;
    ASSERT(troupe_flat_check(type, received, received_size) == TROUPE_OK);
    size_t text_size;
    size_t again_size;
    char *text = write_json(type, body, size, &text_size);
    char *again = write_json(type, received, received_size, &again_size);
    ASSERT(again_size == text_size && memcmp(again, text, text_size) == 0);
    free(again);
    free(text);
    free(received);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const troupe_type *type = wire_types[data[0] % WIRE_TYPE_COUNT];
    size_t body_size = size - 1;
    /* Aligned, and exactly as long as the body. */
    char *body = malloc(body_size == 0 ? 1 : body_size);
    ASSERT(body != NULL);
    memcpy(body, data + 1, body_size);
    char line[TROUPE_TRACE_LEN_MAX + 1];
    size_t len = troupe_flat_to_trace(type, body, body_size, line, sizeof line);
    ASSERT(len == strlen(line));
    for (size_t i = 0; i < len; i++)
        ASSERT((uint8_t)line[i] >= ' ' && line[i] != 0x7f);
    if (troupe_flat_check(type, body, body_size) == TROUPE_OK) {
        read_fields(type, body);
        check_json(type, body, body_size);
        check_send(type, body, body_size, true);
    } else {
        ASSERT(troupe_flat_json_size(type, body, body_size) == SIZE_MAX);
        check_send(type, body, body_size, false);
    }
    free(body);
    return 0;
}
