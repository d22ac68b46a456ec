/* SPDX-License-Identifier: MIT */
/*
 * json_scan.h: the words of JSON text (RFC 8259), one after the other: punctuation, strings, numbers, names.
 *
 * Place: below json_read.c, which knows what may come next because a field list says so. Nothing is copied: a
 * string comes in pieces, which are the bytes of the text themselves wherever nothing is escaped.
 *
 * Invariants
 *   1. at <= size: nothing is read beyond the text
 *   2. a call that fails has said where and what it expected, and `at` no longer means anything
 *
 * Any one thread at a time.
 */
#ifndef TROUPE_WIRE_JSON_SCAN_H
#define TROUPE_WIRE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <troupe/json.h>

#include "base/utf8.h"

/** Text being read, and where to say what is wrong with it. */
struct json_scan {
    const unsigned char *text;
    size_t size;
    size_t at;
    troupe_json_error *error; /**< may be NULL */
};

/** Some bytes of a string: of the text itself, or what one escape stands for. */
struct json_piece {
    const unsigned char *bytes;
    size_t size;
    unsigned char escaped[UTF8_CHAR_SIZE_MAX];
};

/**
 * Says where reading failed and why, with the name of the member in front unless it is NULL, and gives back
 * the status.
 */
troupe_status json_scan_fail(const struct json_scan *scan, size_t offset, troupe_status status,
                             const char *member, const char *why);

/** Goes past white space. */
void json_scan_space(struct json_scan *scan);

/** Goes past this character, if it is next. */
bool json_scan_take(struct json_scan *scan, char c);

/**
 * The next piece of a string whose opening quote was taken; TROUPE_END when its closing quote was taken
 * instead. Errors: TROUPE_MALFORMED.
 */
TROUPE_MUST_CHECK troupe_status json_scan_piece(struct json_scan *scan, struct json_piece *piece);

/**
 * The rest of a string whose opening quote was taken. What is beyond `capacity` bytes is left out, and then
 * `ret_size` is above it. Errors: TROUPE_MALFORMED.
 */
TROUPE_MUST_CHECK troupe_status json_scan_string(struct json_scan *scan, char *bytes, size_t capacity,
                                                 size_t *ret_size);

/**
 * A number, true, false or null, whichever comes, and what it looks like: `ret_size` bytes of the text from
 * where `at` was; 0 when something else comes, and then nothing was taken. Errors: TROUPE_MALFORMED (a number
 * that is none, or longer than TROUPE_JSON_NUMBER_LEN_MAX).
 */
TROUPE_MUST_CHECK troupe_status json_scan_bare(struct json_scan *scan, size_t *ret_size);

#endif
