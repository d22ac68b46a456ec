/* SPDX-License-Identifier: MIT */
/*
 * routes.c: the table of routes, and finding one. Stateless; runs in the http actor.
 */
#include "server/routes.h"

#include <string.h>

#include "server/assets.h"
#include "server/routes_audit.h"
#include "server/routes_calendar.h"
#include "server/routes_mail.h"
#include "server/routes_notices.h"
#include "server/routes_organisation.h"
#include "server/routes_role.h"
#include "server/routes_search.h"
#include "server/scope.h"

static void asset(troupe_self *self, struct call *call)
{
    (void)self;
    assets_answer(call, call->request->path);
}

static const struct route asset_route = {"GET", "", ROUTE_PUBLIC, 0, ROUTE_NO_BODY, false, asset};

static const struct route routes[] = {
    {"POST", "/v1/send", ROUTE_ACTOR, SCOPE_SEND, ROUTE_JSON, true, route_send},
    {"POST", "/v1/next", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, true, route_next},
    {"POST", "/v1/done", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, true, route_done},
    {"POST", "/v1/decline", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_decline},
    {"POST", "/v1/forward", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_forward},
    {"POST", "/v1/renew", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_renew},
    {"POST", "/v1/defer", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_defer},
    {"POST", "/v1/fail", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_fail},
    {"POST", "/v1/resolve", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_resolve},
    {"POST", "/v1/settle", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_settle},
    {"POST", "/v1/handover", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_hand_over},
    {"GET", "/v1/inbox", ROUTE_ACTOR, SCOPE_READ | SCOPE_WORK, ROUTE_NO_BODY, false, route_inbox},
    {"GET", "/v1/message", ROUTE_ACTOR, SCOPE_READ | SCOPE_SEND | SCOPE_WORK, ROUTE_NO_BODY, false,
     route_message},
    {"GET", "/v1/messages", ROUTE_ACTOR, SCOPE_READ | SCOPE_WORK, ROUTE_NO_BODY, false, route_messages},
    {"GET", "/v1/search", ROUTE_ACTOR, SCOPE_READ | SCOPE_WORK, ROUTE_NO_BODY, false, route_search},

    {"GET", "/v1/whoami", ROUTE_ACTOR, SCOPE_ALL, ROUTE_NO_BODY, false, route_whoami},
    {"GET", "/v1/tree", ROUTE_ACTOR, SCOPE_READ, ROUTE_NO_BODY, false, route_tree},
    {"GET", "/v1/role", ROUTE_ACTOR, SCOPE_READ, ROUTE_NO_BODY, false, route_role},
    {"GET", "/v1/owner", ROUTE_ACTOR, SCOPE_READ, ROUTE_NO_BODY, false, route_owner},
    {"GET", "/v1/actors", ROUTE_ADMINISTRATOR, SCOPE_READ, ROUTE_NO_BODY, false, route_actors},
    {"GET", "/v1/figures", ROUTE_ACTOR, SCOPE_READ, ROUTE_NO_BODY, false, route_figures},
    {"GET", "/v1/audit", ROUTE_ADMINISTRATOR, SCOPE_READ, ROUTE_NO_BODY, false, route_audit},
    {"POST", "/v1/actors", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false, route_new_actor},
    {"POST", "/v1/tokens", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false, route_new_token},
    {"POST", "/v1/roles", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false, route_new_role},
    {"POST", "/v1/roles/change", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false, route_role_again},
    {"POST", "/v1/domains", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false, route_new_domain},
    {"POST", "/v1/holders", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false, route_holders},
    {"POST", "/v1/domains/transfer", ROUTE_ACTOR, SCOPE_ADMIN, ROUTE_BYTES, false, route_transfer},
    {"POST", "/v1/tokens/revoke", ROUTE_ACTOR, SCOPE_ALL, ROUTE_BYTES, false, route_revoke},
    {"POST", "/v1/presence", ROUTE_ACTOR, SCOPE_WORK, ROUTE_JSON, false, route_presence},
    {"POST", "/v1/calendar", ROUTE_ACTOR, SCOPE_WORK, ROUTE_BYTES, false, route_calendar},
    {"POST", "/v1/calendar/import", ROUTE_ACTOR, SCOPE_WORK, ROUTE_BYTES, false, route_import_calendar},
    {"GET", "/v1/notices", ROUTE_ACTOR, SCOPE_READ | SCOPE_WORK, ROUTE_NO_BODY, false, route_notices_after},
    {"POST", "/v1/notices", ROUTE_ACTOR, SCOPE_WORK, ROUTE_BYTES, false, route_notices},
    {"POST", "/v1/leave", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false, route_leave},
    {"POST", "/v1/import/maintainers", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false,
     route_import_maintainers},
    {"POST", "/v1/import/organisation", ROUTE_ADMINISTRATOR, SCOPE_ADMIN, ROUTE_BYTES, false,
     route_import_organisation},
    {"GET", "/v1/health", ROUTE_PUBLIC, 0, ROUTE_NO_BODY, false, route_health},
    {"GET", "/v1/health/organisation", ROUTE_ACTOR, SCOPE_READ, ROUTE_NO_BODY, false,
     route_organisation_health},
    {"GET", "/v1/check", ROUTE_ACTOR, SCOPE_READ, ROUTE_NO_BODY, false, route_check},
};

static bool is_method(const char *wanted, const char *method)
{
    return strcmp(wanted, method) == 0 || (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

const struct route *route_find(const char *method, const char *path, struct problem *problem,
                               const char **ret_allow)
{
    const struct route *other = assets_have(path) ? &asset_route : NULL;
    if (other != NULL && is_method("GET", method))
        return other;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        if (is_method(routes[i].method, method))
            return &routes[i];
        other = &routes[i];
    }
    if (other == NULL) {
        problem_set(problem, PROBLEM_NOT_FOUND, "there is nothing at %.200s", path);
    } else {
        problem_set(problem, PROBLEM_METHOD, "%.200s takes %s", path, other->method);
        *ret_allow = other->method;
    }
    return NULL;
}
