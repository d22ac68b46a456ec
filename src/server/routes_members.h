/* SPDX-License-Identifier: MIT */
/*
 * routes_members.h: members and arguments that several calls have: ids of messages and names of roles. Pure;
 * any one thread.
 */
#ifndef SERVER_ROUTES_MEMBERS_H
#define SERVER_ROUTES_MEMBERS_H

#include <stdint.h>

#include "server/json.h"
#include "server/request.h"

/** The id of a message in `text`; else the problem names the member. */
bool member_parse_id(const char *name, const char *text, uint64_t *ret_id, struct problem *problem);

/** A member that is the id of a message. */
void member_take_id(struct json_reader *in, const char *name, enum json_presence presence, uint64_t *ret_id);

/** A member that is the name of a role or, with "@", of an actor's own. */
void member_take_role(struct json_reader *in, const char *name, enum json_presence presence,
                      const char **ret_role);

/** Whether nothing was wrong, nor anything left over; else the call has ended. */
bool member_end(struct call *call, struct json_reader *in);

/**
 * A query argument that names a role; NULL when it is absent. False: it is no name, and the call has ended.
 */
bool argument_role(struct call *call, const char *name, const char **ret_role);

#endif
