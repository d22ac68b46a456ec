/* SPDX-License-Identifier: MIT */
/*
 * routes_message.h: reading a message that has ended. The role knows only that it has; what it said, and what
 * became of it, is in the journal for ever. Place: behind routes_role.c, which asks the role first.
 */
#ifndef SERVER_ROUTES_MESSAGE_H
#define SERVER_ROUTES_MESSAGE_H

#include "server/messages.h"
#include "server/request.h"

/**
 * Answers a call for the message `id` of `role`, whose text outlives the call, as the role's answer says that
 * it has ended. Takes over the call's scratch.
 */
void message_read_ended(troupe_self *self, struct call *call, const char *role, uint64_t id,
                        const role_ended *ended);

#endif
