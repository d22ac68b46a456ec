/* SPDX-License-Identifier: MIT */
/*
 * routes_calendar.h: the call that brings a calendar along, as routes.c calls it. docs/http-api.md has what
 * it means to callers. Runs in the http actor; the call is its, and ends when it is answered.
 */
#ifndef SERVER_ROUTES_CALENDAR_H
#define SERVER_ROUTES_CALENDAR_H

#include "server/request.h"

void route_import_calendar(troupe_self *self, struct call *call);

#endif
