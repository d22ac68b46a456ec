/* SPDX-License-Identifier: MIT */
/*
 * routes.h: which function handles which method and path, and what it needs before it runs. docs/http-api.md
 * describes each route to callers; the table in routes.c is in the same order.
 *
 * Place on a message's way: between http, which has the bytes, and the actors, which decide. Runs in the http
 * actor.
 */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include <stdbool.h>

#include <troupe.h>

#include "server/request.h"

/** What kind of body a route takes. */
enum route_body { ROUTE_NO_BODY, ROUTE_JSON, ROUTE_BYTES };

/** Who may call it. */
enum route_access { ROUTE_PUBLIC, ROUTE_ACTOR, ROUTE_ADMINISTRATOR };

/** One route. */
struct route {
    const char *method;
    const char *path;
    enum route_access access;
    unsigned scopes; /**< one of these the token must have (scope.h); of a public one none */
    enum route_body body;
    bool takes_batch; /**< an array of up to REQUEST_CALLS_MAX bodies too */
    void (*run)(troupe_self *self, struct call *call);
};

/**
 * The route for a method (HEAD is taken for GET) and a path. NULL when there is none; the problem then tells
 * whether the path is unknown or only the method, and `ret_allow` (may come back NULL) which one it knows.
 */
const struct route *route_find(const char *method, const char *path, struct problem *problem,
                               const char **ret_allow);

#endif
