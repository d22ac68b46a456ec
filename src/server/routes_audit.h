/* SPDX-License-Identifier: MIT */
/*
 * routes_audit.h: the audit log; docs/http-api.md describes the call. Runs in the http actor.
 */
#ifndef SERVER_ROUTES_AUDIT_H
#define SERVER_ROUTES_AUDIT_H

#include "server/request.h"

void route_audit(troupe_self *self, struct call *call);

#endif
