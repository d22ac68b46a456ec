/* SPDX-License-Identifier: MIT */
/*
 * Bytes from anywhere as the body of a message: the first byte chooses a type, the rest is the body. What
 * troupe_flat_check accepts is then read, every byte of every field, as a receiver would, and written as JSON
 * and as a trace; the address sanitizer sees a read beyond the body. A body that comes back from its JSON
 * gives the same JSON. One thread.
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
        } else if (field->kind == TROUPE_FIELD_bytes) {
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
    } else {
        ASSERT(troupe_flat_json_size(type, body, body_size) == SIZE_MAX);
    }
    free(body);
    return 0;
}
