/* SPDX-License-Identifier: MIT */
/*
 * routes_organisation.h: the routes about the organisation itself: who, which roles, who owns what, and the
 * changes that administrators make. docs/http-api.md has their members and answers.
 *
 * Place: routes -> here -> the directory, which decodes the bodies of changes itself. Runs in the http actor.
 */
#ifndef SERVER_ROUTES_ORGANISATION_H
#define SERVER_ROUTES_ORGANISATION_H

#include "server/request.h"

void route_whoami(troupe_self *self, struct call *call);
void route_tree(troupe_self *self, struct call *call);
void route_owner(troupe_self *self, struct call *call);
void route_actors(troupe_self *self, struct call *call);
void route_new_actor(troupe_self *self, struct call *call);
void route_new_token(troupe_self *self, struct call *call);
void route_new_role(troupe_self *self, struct call *call);
void route_holders(troupe_self *self, struct call *call);
void route_role_again(troupe_self *self, struct call *call);
void route_transfer(troupe_self *self, struct call *call);
void route_revoke(troupe_self *self, struct call *call);
void route_presence(troupe_self *self, struct call *call);
void route_calendar(troupe_self *self, struct call *call);
void route_notices(troupe_self *self, struct call *call);
void route_leave(troupe_self *self, struct call *call);
void route_new_domain(troupe_self *self, struct call *call);
void route_import_maintainers(troupe_self *self, struct call *call);
void route_import_organisation(troupe_self *self, struct call *call);
void route_health(troupe_self *self, struct call *call);
void route_organisation_health(troupe_self *self, struct call *call);
void route_figures(troupe_self *self, struct call *call);
void route_check(troupe_self *self, struct call *call);

#endif
