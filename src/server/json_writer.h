/* SPDX-License-Identifier: MIT */
/*
 * json_writer.h: JSON, written straight into a buffer. jansson reads what others send (json.h); it does not
 * write here, because an answer is put together from values that other actors have rendered already, which a
 * tree of nodes cannot hold, and because the tree of an organisation with thousands of roles would be a
 * hundred thousand allocations.
 *
 *     struct json_writer out = json_writer_to(&buffer);
 *     json_open(&out, NULL, '{');
 *     json_put_text(&out, "role", name);
 *     json_close(&out, '}');
 *     if (json_writer_end(&out) != TROUPE_OK)    looked at once, at the end
 *
 * A name is given inside an object and NULL inside an array or at the top; it is the program's own and needs
 * no escape. Texts from anywhere are escaped; bytes that are not UTF-8 become U+FFFD, so an answer is always
 * valid. Any one thread at a time.
 *
 * Invariants
 *   1. After a failure nothing more is written and the failure stays.
 *   2. depth is the number of opened and not closed objects and arrays; json_writer_end asserts that it is 0.
 */
#ifndef SERVER_JSON_WRITER_H
#define SERVER_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include <troupe/status.h>

/** A text under way. */
struct json_writer {
    struct buffer *buffer;
    unsigned depth;
    bool needs_comma;
    troupe_status status;
};

/** A writer to the end of `buffer`, which it does not own. */
struct json_writer json_writer_to(struct buffer *buffer);

/** TROUPE_OK, or why the text is not whole. */
TROUPE_MUST_CHECK troupe_status json_writer_end(const struct json_writer *writer);

/** Opens an object '{' or an array '['. */
void json_open(struct json_writer *writer, const char *name, char bracket);

/** Closes the innermost one, with its '}' or ']'. */
void json_close(struct json_writer *writer, char bracket);

/** A text; NULL is written as null. */
void json_put_text(struct json_writer *writer, const char *name, const char *text);

/** A text of `size` bytes. */
void json_put_text_sized(struct json_writer *writer, const char *name, const char *text, size_t size);

/** A whole number. */
void json_put_number(struct json_writer *writer, const char *name, int64_t number);

/** true or false. */
void json_put_flag(struct json_writer *writer, const char *name, bool flag);

/** A value that is JSON already. */
void json_put_raw(struct json_writer *writer, const char *name, const void *json, size_t size);

#endif
