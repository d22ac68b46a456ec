/* SPDX-License-Identifier: MIT */
/*
 * json.c: the strict reader of json.h, on jansson's parser. jansson refuses by itself what is not UTF-8, a
 * NUL inside a text, nesting deeper than 2048 and, as asked for here, a member given twice. Runs where the
 * request is handled; nothing blocks.
 */
#include "server/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

json_t *json_parse(const void *bytes, size_t size, struct problem *problem)
{
    json_error_t error;
    json_t *value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
    if (value != NULL)
        return value;
    if (json_error_code(&error) == json_error_out_of_memory)
        problem_set(problem, PROBLEM_UNAVAILABLE, "out of memory");
    else if (size == 0)
        problem_set(problem, PROBLEM_MALFORMED, "the request has no body; a JSON object is expected");
    else
        problem_set(problem, PROBLEM_MALFORMED, "not JSON: line %d, column %d: %s", error.line, error.column,
                    error.text);
    return NULL;
}

struct json_reader json_reader_of(const json_t *value, const char *where, struct problem *problem)
{
    struct json_reader reader = {.object = value, .where = where, .problem = problem};
    if (problem->kind == PROBLEM_NONE && !json_is_object(value)) {
        int length = (int)strlen(where);
        if (length > 0)
            problem_set(problem, PROBLEM_MALFORMED, "%.*s must be an object", length - 1, where);
        else
            problem_set(problem, PROBLEM_MALFORMED, "the body must be a JSON object");
    }
    return reader;
}

static bool was_asked(const struct json_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->asked_count; i++) {
        if (strcmp(reader->asked[i], name) == 0)
            return true;
    }
    return false;
}

bool json_reader_end(struct json_reader *reader)
{
    if (reader->problem->kind != PROBLEM_NONE)
        return false;
    /* The iterator's type is not const in jansson's interface; the walk changes nothing. */
    json_t *object = (json_t *)(uintptr_t)reader->object;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (!was_asked(reader, name)) {
            problem_set(reader->problem, PROBLEM_MALFORMED, "\"%s%s\" is not a member that is known here",
                        reader->where, name);
            return false;
        }
    }
    return true;
}

/* The member, or NULL when there is none to look at: it is absent, or an error came before. */
static const json_t *take(struct json_reader *reader, const char *name, enum json_presence presence)
{
    if (reader->problem->kind != PROBLEM_NONE)
        return NULL;
    assert(reader->asked_count < JSON_MEMBERS_MAX);
    reader->asked[reader->asked_count++] = name;
    const json_t *value = json_object_get(reader->object, name);
    if (value != NULL && !json_is_null(value))
        return value;
    if (presence == JSON_REQUIRED)
        problem_set(reader->problem, PROBLEM_MALFORMED, "\"%s%s\" is missing", reader->where, name);
    return NULL;
}

static void wrong_kind(struct json_reader *reader, const char *name, const char *expected)
{
    problem_set(reader->problem, PROBLEM_MALFORMED, "\"%s%s\" must be %s", reader->where, name, expected);
}

void json_take_text(struct json_reader *reader, const char *name, enum json_presence presence,
                    size_t size_min, size_t size_max, const char **ret_text)
{
    const json_t *value = take(reader, name, presence);
    if (value == NULL)
        return;
    if (!json_is_string(value)) {
        wrong_kind(reader, name, "a text");
    } else if (json_string_length(value) > size_max) {
        problem_set(reader->problem, PROBLEM_TOO_LARGE, "\"%s%s\" has %zu bytes; %zu are the most",
                    reader->where, name, json_string_length(value), size_max);
    } else if (json_string_length(value) < size_min) {
        wrong_kind(reader, name, "a text that is not empty");
    } else {
        *ret_text = json_string_value(value);
    }
}

void json_take_number(struct json_reader *reader, const char *name, enum json_presence presence, int64_t min,
                      int64_t max, int64_t *ret_number)
{
    const json_t *value = take(reader, name, presence);
    if (value == NULL)
        return;
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
        problem_set(reader->problem, PROBLEM_MALFORMED,
                    "\"%s%s\" must be a whole number from %" PRId64 " to %" PRId64, reader->where, name, min,
                    max);
    else
        *ret_number = json_integer_value(value);
}

void json_take_flag(struct json_reader *reader, const char *name, enum json_presence presence, bool *ret_flag)
{
    const json_t *value = take(reader, name, presence);
    if (value == NULL)
        return;
    if (!json_is_boolean(value))
        wrong_kind(reader, name, "true or false");
    else
        *ret_flag = json_is_true(value);
}

void json_take_choice(struct json_reader *reader, const char *name, enum json_presence presence,
                      const char *const *choices, size_t choice_count, unsigned *ret_index)
{
    const json_t *value = take(reader, name, presence);
    if (value == NULL)
        return;
    const char *text = json_string_value(value);
    for (size_t i = 0; text != NULL && i < choice_count; i++) {
        if (strcmp(choices[i], text) == 0) {
            *ret_index = (unsigned)i;
            return;
        }
    }
    char expected[128] = "one of";
    for (size_t i = 0; i < choice_count; i++) {
        size_t used = strlen(expected);
        snprintf(expected + used, sizeof expected - used, "%s %s", i > 0 ? "," : "", choices[i]);
    }
    wrong_kind(reader, name, expected);
}

void json_take_array(struct json_reader *reader, const char *name, enum json_presence presence,
                     size_t count_max, const json_t **ret_array)
{
    const json_t *value = take(reader, name, presence);
    if (value == NULL)
        return;
    if (!json_is_array(value))
        wrong_kind(reader, name, "an array");
    else if (json_array_size(value) > count_max)
        problem_set(reader->problem, PROBLEM_TOO_LARGE, "\"%s%s\" has %zu elements; %zu are the most",
                    reader->where, name, json_array_size(value), count_max);
    else
        *ret_array = value;
}

const char *json_element_text(const json_t *array, size_t index, const char *name, size_t size_max,
                              struct problem *problem)
{
    if (problem->kind != PROBLEM_NONE)
        return NULL;
    const json_t *value = json_array_get(array, index);
    if (!json_is_string(value) || json_string_length(value) == 0)
        problem_set(problem, PROBLEM_MALFORMED, "\"%s[%zu]\" must be a text that is not empty", name, index);
    else if (json_string_length(value) > size_max)
        problem_set(problem, PROBLEM_TOO_LARGE, "\"%s[%zu]\" has %zu bytes; %zu are the most", name, index,
                    json_string_length(value), size_max);
    else
        return json_string_value(value);
    return NULL;
}
