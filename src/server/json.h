/* SPDX-License-Identifier: MIT */
/*
 * json.h: reads the members of a JSON object strictly, and says in words what is wrong with the first one
 * that is.
 *
 * A reader walks one object. Each call takes one member by name, of one kind, within its limit; the last call
 * refuses members that nobody asked for, so a misspelt "dedline" is an error and not a message without a
 * deadline. After the first error every call does nothing: a handler reads all members in a row and looks
 * once, at json_reader_end.
 *
 *     struct json_reader in = json_reader_of(body, "", &problem);
 *     json_take_text(&in, "subject", JSON_REQUIRED, SUBJECT_MAX, &subject);
 *     json_take_flag(&in, "insist", JSON_OPTIONAL, &insist);
 *     if (!json_reader_end(&in))
 *         return problem;
 *
 * Place: the first step of a request after its bytes are complete. What is taken is borrowed from the parsed
 * document. Any one thread at a time.
 *
 * Invariants
 *   1. problem->kind is PROBLEM_NONE until the first error and is never changed after it.
 *   2. An output is written only when its member is there and right.
 *   3. No text that is taken contains a NUL: the parser refuses them, so C text and JSON text are the same.
 */
#ifndef SERVER_JSON_H
#define SERVER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "server/problem.h"

/** The most members that one reader asks for. */
#define JSON_MEMBERS_MAX 24

/** Whether a member must be there. A member that is null counts as absent. */
enum json_presence { JSON_OPTIONAL, JSON_REQUIRED };

/** A walk over one object. */
struct json_reader {
    const json_t *object;
    const char *where; /**< prefix of names in errors: "", or "roles[3]." */
    struct problem *problem;
    const char *asked[JSON_MEMBERS_MAX]; /**< names, which are literals */
    size_t asked_count;
};

/**
 * Parses the bytes of a request. The answer is an object or an array, for the caller to json_decref; NULL
 * when they are not JSON (the problem then says at which line and column) or out of memory.
 */
json_t *json_parse(const void *bytes, size_t size, struct problem *problem);

/** A walk over `value`, which must be an object, or the problem says so. `where` is borrowed. */
struct json_reader json_reader_of(const json_t *value, const char *where, struct problem *problem);

/** Whether nothing was wrong, nor anything left over. */
bool json_reader_end(struct json_reader *reader);

/** A text of `size_min` to `size_max` bytes. Longer ones are PROBLEM_TOO_LARGE. */
void json_take_text(struct json_reader *reader, const char *name, enum json_presence presence,
                    size_t size_min, size_t size_max, const char **ret_text);

/** A whole number from `min` to `max`. */
void json_take_number(struct json_reader *reader, const char *name, enum json_presence presence, int64_t min,
                      int64_t max, int64_t *ret_number);

/** true or false. */
void json_take_flag(struct json_reader *reader, const char *name, enum json_presence presence,
                    bool *ret_flag);

/** One of the `choice_count` words; writes its index. */
void json_take_choice(struct json_reader *reader, const char *name, enum json_presence presence,
                      const char *const *choices, size_t choice_count, unsigned *ret_index);

/** An array of at most `count_max` elements, of any kind. */
void json_take_array(struct json_reader *reader, const char *name, enum json_presence presence,
                     size_t count_max, const json_t **ret_array);

/**
 * The text of element `index` of an array, 1 to `size_max` bytes; NULL and the problem when it is something
 * else.
 */
const char *json_element_text(const json_t *array, size_t index, const char *name, size_t size_max,
                              struct problem *problem);

#endif
