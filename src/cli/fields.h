/* SPDX-License-Identifier: MIT */
/*
 * fields.h: reading the members of an answer without trusting it. Each call gives a value that can be used in
 * any case and remembers the first member that was missing or of the wrong kind; the verb looks once, before
 * it prints.
 *
 * Place: between an answer and the readable form. Pure. One thread.
 */
#ifndef CLI_FIELDS_H
#define CLI_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"

/** What is wrong with an answer so far. All zeros is nothing. */
struct fields {
    const char *wrong;
};

/** A text that must be there; "" otherwise. Borrowed from the object. */
const char *fields_text(struct fields *fields, const json_t *object, const char *name);

/** A text that may be null or absent: NULL then. Borrowed from the object. */
const char *fields_text_or_null(struct fields *fields, const json_t *object, const char *name);

/** An integer that must be there; 0 otherwise. */
int64_t fields_number(struct fields *fields, const json_t *object, const char *name);

/** An integer that may be null or absent: `otherwise` then. */
int64_t fields_number_or(struct fields *fields, const json_t *object, const char *name, int64_t otherwise);

/** A truth value that may be null or absent: false then. */
bool fields_flag(struct fields *fields, const json_t *object, const char *name);

/** An array that must be there; NULL otherwise, which jansson's array calls take as empty. Borrowed. */
const json_t *fields_list(struct fields *fields, const json_t *object, const char *name);

/** CLI_OK, or CLI_PROTOCOL after saying which member was wrong. */
enum cli_exit fields_check(const struct cli *cli, const struct fields *fields);

#endif
