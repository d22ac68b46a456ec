/* SPDX-License-Identifier: MIT */
/*
 * role_words.h: how a role is set up, in the words of the HTTP interface, both ways: as members that are read
 * and as members that are written. Place: the decoders of changes read, the role's actor writes. Pure; any
 * one thread.
 */
#ifndef SERVER_ROLE_WORDS_H
#define SERVER_ROLE_WORDS_H

#include <stdint.h>

#include "org/directory.h"
#include "server/json.h"
#include "server/json_writer.h"

/**
 * How much a role takes, for how long, and what happens when that is not enough. What is not said stays;
 * `min` is the least that may be said of a number: 1, or 0 where that stands for the default again.
 */
void role_words_take_bounds(struct json_reader *in, int64_t min, struct org_set_role *role);

/**
 * What is done about failures and about trouble of the role as a whole, and who may read it; the same. The
 * word "supervisor" stands for what the supervisor's rules say, as when nothing was said.
 */
void role_words_take_rules(struct json_reader *in, int64_t min, struct org_set_role *role);

/**
 * What a supervisor does about the failures of its children; the same. The text of the rules is in `room`,
 * which has ORG_FAILURE_RULES_SIZE bytes. A rule that is none is named by its place.
 */
void role_words_take_failure_rules(struct json_reader *in, char *room, struct org_set_role *role);

/** Those rules, as "rules", unless there are none. */
void role_words_put_failure_rules(struct json_writer *out, const char *rules);

/** A set of kinds of failure, as an array. */
void role_words_put_failures(struct json_writer *out, const char *name, unsigned kinds);

/** All of them as they are, the defaults put in. */
void role_words_put(struct json_writer *out, const struct org_role_view *view);

#endif
