/* SPDX-License-Identifier: MIT */
/*
 * intake.h: the way of a request from its headers to its route: which route, whose token, the body, and off
 * it goes. The token is checked before a byte of the body is taken, so strangers cannot make the server hold
 * anything for them.
 *
 * Place on a message's way: http -> intake -> directory (whose token?) -> intake -> routes. Runs in the http
 * actor.
 */
#ifndef SERVER_INTAKE_H
#define SERVER_INTAKE_H

#include <stddef.h>

#include <troupe.h>

#include "server/request.h"

/** The headers have come: phase NEW -> CHECKING, RECEIVING or READY. */
void intake_begin(troupe_self *self, struct request *request, const char *method, const char *url);

/** A piece of the body has come: stays RECEIVING, or becomes READY with a problem. */
void intake_receive(struct request *request, const void *bytes, size_t size);

/** The daemon asks again: after the check of the token, or because the body is complete. */
void intake_go_on(troupe_self *self, struct request *request);

#endif
