/* SPDX-License-Identifier: MIT */
/*
 * Bytes from anywhere as JSON text: the first byte chooses a type, the rest is the text. What is accepted
 * becomes a body that passes the check, is written, and comes back from that byte for byte; what is refused
 * names a place in the text. A body one byte too small is refused, and nothing is written beyond it. One
 * thread.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <troupe.h>

#include "base/assert.h"
#include "property/wire_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *block(size_t size)
{
    void *bytes = malloc(size == 0 ? 1 : size);
    ASSERT(bytes != NULL);
    return bytes;
}

/* The body came from a text in another form; written and read once more, it must not change. */
static void check_round_trip(const troupe_type *type, const void *body, size_t size)
{
    size_t text_size = troupe_flat_json_size(type, body, size);
    ASSERT(text_size <= TROUPE_JSON_SIZE_MAX);
    size_t written;
    char *text = block(text_size + 1);
    ASSERT(troupe_flat_to_json(type, body, size, text, text_size + 1, &written) == TROUPE_OK);
    ASSERT(written == text_size && text[written] == '\0');

    size_t again_size;
    void *again = block(size);
    ASSERT(troupe_flat_from_json(type, text, written, again, size, &again_size, NULL) == TROUPE_OK);
    ASSERT(again_size == size && memcmp(again, body, size) == 0);
    if (size > 0)
        ASSERT(troupe_flat_from_json(type, text, written, again, size - 1, &again_size, NULL) ==
               TROUPE_TOO_LARGE);
    free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const troupe_type *type = wire_types[data[0] % WIRE_TYPE_COUNT];
    size_t text_size = size - 1;
    char *text = block(text_size);
    memcpy(text, data + 1, text_size);
    size_t enough = troupe_flat_from_json_size_max(type, text_size);
    void *body = block(enough);
    troupe_json_error error = {.offset = SIZE_MAX};
    size_t body_size;
    troupe_status status = troupe_flat_from_json(type, text, text_size, body, enough, &body_size, &error);
    if (status == TROUPE_OK) {
        ASSERT(body_size <= enough && troupe_flat_check(type, body, body_size) == TROUPE_OK);
        check_round_trip(type, body, body_size);
    } else {
        ASSERT(status == TROUPE_MALFORMED && error.offset <= text_size);
        size_t len = strnlen(error.text, sizeof error.text);
        ASSERT(len > 0 && len < sizeof error.text);
    }
    free(body);
    free(text);
    return 0;
}
