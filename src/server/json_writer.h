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
#include <string.h>

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

/*
 * What the functions below call: with the length of the name, which the compiler knows where they are called,
 * 0 for none; a `text` is escaped, a `string` is one that ends in NUL, or NULL; `raw` stands as it is,
 * `quoted` is put between quotes as it is.
 */
void json_writer_open(struct json_writer *writer, const char *name, size_t name_len, char bracket);
void json_writer_text(struct json_writer *writer, const char *name, size_t name_len, const char *text,
                      size_t size);
void json_writer_string(struct json_writer *writer, const char *name, size_t name_len, const char *text);
void json_writer_quoted(struct json_writer *writer, const char *name, size_t name_len, const char *text,
                        size_t size);
void json_writer_raw(struct json_writer *writer, const char *name, size_t name_len, const void *json,
                     size_t size);
void json_writer_number(struct json_writer *writer, const char *name, size_t name_len, int64_t number);

static inline size_t json_writer_name_len(const char *name)
{
    return name == NULL ? 0 : strlen(name);
}

/** Opens an object '{' or an array '['. */
static inline void json_open(struct json_writer *writer, const char *name, char bracket)
{
    json_writer_open(writer, name, json_writer_name_len(name), bracket);
}

/** Closes the innermost one, with its '}' or ']'. */
void json_close(struct json_writer *writer, char bracket);

/** A value that is JSON already. */
static inline void json_put_raw(struct json_writer *writer, const char *name, const void *json, size_t size)
{
    json_writer_raw(writer, name, json_writer_name_len(name), json, size);
}

/** A text of `size` bytes. */
static inline void json_put_text_sized(struct json_writer *writer, const char *name, const char *text,
                                       size_t size)
{
    json_writer_text(writer, name, json_writer_name_len(name), text, size);
}

/** A text; NULL is written as null. */
static inline void json_put_text(struct json_writer *writer, const char *name, const char *text)
{
    json_writer_string(writer, name, json_writer_name_len(name), text);
}

/**
 * A text of `size` bytes in which nothing needs an escape: a word of the program's own, or an id. Nobody
 * looks at it.
 */
static inline void json_put_word(struct json_writer *writer, const char *name, const char *word, size_t size)
{
    json_writer_quoted(writer, name, json_writer_name_len(name), word, size);
}

/** A whole number. */
static inline void json_put_number(struct json_writer *writer, const char *name, int64_t number)
{
    json_writer_number(writer, name, json_writer_name_len(name), number);
}

/** true or false. */
static inline void json_put_flag(struct json_writer *writer, const char *name, bool flag)
{
    json_put_raw(writer, name, flag ? "true" : "false", flag ? 4 : 5);
}

#endif
