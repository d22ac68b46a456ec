/* SPDX-License-Identifier: MIT */
/*
 * routes_mail.h: the routes about messages: sending, taking, finishing, looking. docs/http-api.md has their
 * members and answers.
 *
 * Place on a message's way: routes -> here, where the members are decoded -> a role, or the caller's desk.
 * Runs in the http actor.
 */
#ifndef SERVER_ROUTES_MAIL_H
#define SERVER_ROUTES_MAIL_H

#include "server/request.h"

void route_send(troupe_self *self, struct call *call);
void route_next(troupe_self *self, struct call *call);
void route_done(troupe_self *self, struct call *call);
void route_decline(troupe_self *self, struct call *call);
void route_forward(troupe_self *self, struct call *call);
void route_renew(troupe_self *self, struct call *call);
void route_defer(troupe_self *self, struct call *call);
void route_fail(troupe_self *self, struct call *call);
void route_resolve(troupe_self *self, struct call *call);
void route_inbox(troupe_self *self, struct call *call);

#endif
