/* SPDX-License-Identifier: MIT */
/*
 * routes_role.h: the calls that go to one role by its name, whether it sleeps or not; docs/http-api.md
 * describes them to callers. Run in the http actor.
 */
#ifndef SERVER_ROUTES_ROLE_H
#define SERVER_ROUTES_ROLE_H

#include "server/request.h"

void route_message(troupe_self *self, struct call *call);
void route_role(troupe_self *self, struct call *call);
void route_hand_over(troupe_self *self, struct call *call);
void route_settle(troupe_self *self, struct call *call);

#endif
