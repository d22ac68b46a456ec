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

/** What is done about failures and about trouble of the role as a whole, and who may read it; the same. */
void role_words_take_rules(struct json_reader *in, int64_t min, struct org_set_role *role);

/** All of them as they are, the defaults put in. */
void role_words_put(struct json_writer *out, const struct org_role_view *view);

#endif
