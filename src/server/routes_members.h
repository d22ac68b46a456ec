/* SPDX-License-Identifier: MIT */
/*
 * routes_members.h: what several routes do with the members of a body and with query arguments. Runs in the
 * http actor.
 */
#ifndef SERVER_ROUTES_MEMBERS_H
#define SERVER_ROUTES_MEMBERS_H

#include "server/json.h"
#include "server/members.h"
#include "server/request.h"

/** Whether nothing was wrong, nor anything left over; else the call has ended. */
bool member_end(struct call *call, struct json_reader *in);

/**
 * A query argument that names a role; NULL when it is absent. False: it is no name, and the call has ended.
 */
bool argument_role(struct call *call, const char *name, const char **ret_role);

/**
 * A query argument that is a whole number between two, `otherwise` when it is absent. False: it is none, and
 * the call has ended.
 */
bool argument_number(struct call *call, const char *name, uint64_t otherwise, uint64_t min, uint64_t max,
                     uint64_t *ret_number);

#endif
