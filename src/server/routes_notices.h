/* SPDX-License-Identifier: MIT */
/* routes_notices.h: the route that reads notices; runs in the http actor. */
#ifndef SERVER_ROUTES_NOTICES_H
#define SERVER_ROUTES_NOTICES_H

#include "server/request.h"

/** `GET /v1/notices`. */
void route_notices_after(troupe_self *self, struct call *call);

#endif
