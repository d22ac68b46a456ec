/* SPDX-License-Identifier: MIT */
/*
 * intake.c: headers, token, body, in that order; intake.h says why. Runs in the http actor; the only waiting
 * is for the directory.
 */
#include "server/intake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http.h"
#include "server/messages.h"
#include "server/routes.h"
#include "server/scope.h"
#include "server/token.h"

/* How long the directory may take to look up a token. */
#define CHECK_TIMEOUT_MS 10000

static const char *header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* --- headers ---------------------------------------------------------------------------------- */

/* Refuses what is too large before it is sent, where the client says so beforehand. */
static bool length_is_good(const struct request *request, struct problem *problem)
{
    const char *text = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (text == NULL)
        return true;
    char *end;
    unsigned long long length = strtoull(text, &end, 10);
    if (*end != '\0' || length > REQUEST_BODY_MAX) {
        problem_set(problem, PROBLEM_TOO_LARGE, "the body has %s bytes; %zu are the most", text,
                    REQUEST_BODY_MAX);
        return false;
    }
    return true;
}

static void no_route(struct request *request, const struct problem *problem, const char *allow)
{
    request_fail(request, problem);
    if (allow != NULL && request->response != NULL &&
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_ALLOW, allow) != MHD_YES) {
        MHD_destroy_response(request->response);
        request->response = NULL;
    }
}

static troupe_status on_checked(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context);

/* Asks the directory who this is. */
static void check(troupe_self *self, struct request *request, struct problem *problem)
{
    const char *token = token_of_header(header(request, MHD_HTTP_HEADER_AUTHORIZATION));
    if (token == NULL) {
        problem_set(problem, PROBLEM_UNAUTHORIZED, "send the header Authorization: Bearer TOKEN");
        return;
    }
    unsigned char hash[TOKEN_HASH_SIZE];
    token_hash(token, strlen(token), hash);
    const char *as = header(request, "Troupe-As");
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), CHECK_TIMEOUT_MS, on_checked, request,
                   caller_check, .hash = {hash, sizeof hash}, .as = as != NULL ? as : "");
    if (status == TROUPE_OK)
        request->phase = REQUEST_CHECKING;
    else
        problem_from_status(problem, status, "the directory");
}

void intake_begin(troupe_self *self, struct request *request, const char *method, const char *url)
{
    struct problem problem = {0};
    const char *allow = NULL;
    request->path = strdup(url);
    request->route = route_find(method, url, &problem, &allow);
    if (request->route == NULL) {
        no_route(request, &problem, allow);
        return;
    }
    if (request->path == NULL)
        problem_set(&problem, PROBLEM_UNAVAILABLE, "out of memory");
    else if (request->http->is_stopping)
        problem_set(&problem, PROBLEM_UNAVAILABLE, "the server is stopping");
    else if (length_is_good(request, &problem) && request->route->access != ROUTE_PUBLIC)
        check(self, request, &problem);
    else
        request->phase = REQUEST_RECEIVING;
    if (problem.kind != PROBLEM_NONE)
        request_fail(request, &problem);
}

/* --- the token's owner ------------------------------------------------------------------------ */

static bool copy_name(const char *name, char *ret_name)
{
    size_t size = strlen(name);
    if (size > ORG_ACTOR_NAME_LEN_MAX)
        return false;
    memcpy(ret_name, name, size + 1);
    return true;
}

/* What the directory said about the caller, against what the route asks for. */
static void admit(struct request *request, const troupe_message *reply, struct problem *problem)
{
    const caller_known *known = caller_known_of(reply);
    if (known == NULL) {
        problem_from_message(problem, reply, "the directory");
        return;
    }
    struct caller *caller = &request->caller;
    bool is_whole = copy_name(troupe_text(reply, known->actor), caller->actor) &&
                    copy_name(troupe_text(reply, known->through), caller->through);
    assert(is_whole);
    (void)is_whole;
    caller->is_administrator = known->is_administrator;
    caller->is_program = known->is_program;
    caller->scopes = known->scopes;
    caller->wip_limit = known->wip_limit;
    if ((caller->scopes & request->route->scopes) == 0) {
        char missing[SCOPE_TEXT_SIZE];
        scope_to_text(request->route->scopes, missing);
        problem_set(problem, PROBLEM_FORBIDDEN, "the token lacks the scope %s", missing);
    } else if (request->route->access == ROUTE_ADMINISTRATOR && !caller->is_administrator) {
        problem_set(problem, PROBLEM_FORBIDDEN, "only an administrator may do this");
    }
}

static troupe_status on_checked(troupe_self *self, troupe_status status, const troupe_message *reply,
                                void *context)
{
    (void)self;
    struct request *request = context;
    struct problem problem = {0};
    if (status != TROUPE_OK)
        problem_from_status(&problem, status, "the directory");
    else
        admit(request, reply, &problem);
    if (problem.kind != PROBLEM_NONE) {
        request_fail(request, &problem);
        return TROUPE_OK;
    }
    request->phase = REQUEST_CHECKED;
    http_resume(request);
    return TROUPE_OK;
}

/* --- the body --------------------------------------------------------------------------------- */

static bool has_room(struct request *request, size_t size, struct problem *problem)
{
    if (request->route->body == ROUTE_NO_BODY) {
        problem_set(problem, PROBLEM_MALFORMED, "%s %s takes no body", request->route->method,
                    request->route->path);
    } else if (request->body.size + size > REQUEST_BODY_MAX) {
        problem_set(problem, PROBLEM_TOO_LARGE, "the body has more than %zu bytes", REQUEST_BODY_MAX);
    } else if (request->http->body_bytes + size > REQUEST_BODIES_MAX) {
        problem_set(problem, PROBLEM_UNAVAILABLE, "too many large requests at once");
        problem->retry_after_ms = 1000;
    } else {
        return true;
    }
    return false;
}

void intake_receive(struct request *request, const void *bytes, size_t size)
{
    struct problem problem = {0};
    size_t capacity = request->body.capacity;
    if (has_room(request, size, &problem) && buffer_append(&request->body, bytes, size) != TROUPE_OK)
        problem_set(&problem, PROBLEM_UNAVAILABLE, "out of memory");
    request->http->body_bytes += request->body.capacity - capacity;
    if (problem.kind != PROBLEM_NONE)
        request_fail(request, &problem);
}

void intake_go_on(troupe_self *self, struct request *request)
{
    if (request->phase == REQUEST_CHECKED) {
        request->phase = REQUEST_RECEIVING;
    } else if (request->phase == REQUEST_RECEIVING && request_open_calls(request)) {
        /* A route may end its call at once, and the last one to end makes the request READY. */
        for (uint32_t i = 0; i < request->call_count; i++)
            request->route->run(self, &request->calls[i]);
    }
}
