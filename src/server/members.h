/* SPDX-License-Identifier: MIT */
/*
 * members.h: members of JSON objects that are things of the organisation: names, ids, texts that a person
 * reads. Each is looked at here, where its member can be named; the organisation looks again and is the one
 * that decides.
 *
 * Place: between json.h and those who decode a request. Pure; any one thread.
 */
#ifndef SERVER_MEMBERS_H
#define SERVER_MEMBERS_H

#include <stdint.h>

#include "server/json.h"

/** The longest name that is looked at; none is as long. */
#define MEMBER_NAME_MAX ((size_t)4096)

/** A text of `size_min` to `size_max` bytes on one line, or with line ends and tabs. */
void member_take_line(struct json_reader *in, const char *name, enum json_presence presence, size_t size_min,
                      size_t size_max, const char **ret_text);
void member_take_lines(struct json_reader *in, const char *name, enum json_presence presence, size_t size_min,
                       size_t size_max, const char **ret_text);

/** The name of a role of the tree, of a role or "@" and an actor, or of an actor. */
void member_take_tree_role(struct json_reader *in, const char *name, enum json_presence presence,
                           const char **ret_role);
void member_take_role(struct json_reader *in, const char *name, enum json_presence presence,
                      const char **ret_role);
void member_take_actor(struct json_reader *in, const char *name, enum json_presence presence,
                       const char **ret_actor);

/**
 * An array of at most `limit` actors' names, written to `ret_actors`; gives how many. Whether it was said at
 * all is `ret_is_said`, which may be NULL.
 */
size_t member_take_actors(struct json_reader *in, const char *name, enum json_presence presence, size_t limit,
                          const char **ret_actors, bool *ret_is_said);

/** The id of a message in `text`; else the problem names the member. */
bool member_parse_id(const char *name, const char *text, uint64_t *ret_id, struct problem *problem);

/** A member that is the id of a message. */
void member_take_id(struct json_reader *in, const char *name, enum json_presence presence, uint64_t *ret_id);

/** A moment. */
void member_take_time(struct json_reader *in, const char *name, enum json_presence presence,
                      int64_t *ret_time_ms);

#endif
