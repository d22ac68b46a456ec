/* SPDX-License-Identifier: MIT */
/*
 * request.c: how calls end and become one HTTP answer; request.h has the states. Runs in the http actor;
 * nothing blocks.
 */
#include "server/request.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http.h"
#include "server/json.h"
#include "server/json_writer.h"
#include "server/messages.h"
#include "server/routes.h"

#define CONTENT_JSON "application/json"
#define CONTENT_PROBLEM "application/problem+json"

/*
 * What a browser is allowed to do with our pages: run our own script and style, talk to us, and nothing else.
 * Nobody may frame the page, and what it shows of untrusted messages cannot load anything.
 */
static const char *const common_headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

bool request_add_headers(struct MHD_Response *response)
{
    for (size_t i = 0; i < sizeof common_headers / sizeof common_headers[0]; i++) {
        if (MHD_add_response_header(response, common_headers[i][0], common_headers[i][1]) != MHD_YES)
            return false;
    }
    return true;
}

/* --- a response ------------------------------------------------------------------------------- */

static bool add_json_headers(struct MHD_Response *response, unsigned status, uint64_t retry_after_ms)
{
    bool is_good = request_add_headers(response) &&
                   MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") == MHD_YES;
    if (status != MHD_HTTP_NO_CONTENT) {
        const char *type = status >= 400 ? CONTENT_PROBLEM : CONTENT_JSON;
        is_good = is_good && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES;
    }
    if (status == MHD_HTTP_UNAUTHORIZED)
        is_good = is_good && MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                                     "Bearer realm=\"troupe\"") == MHD_YES;
    if (retry_after_ms > 0) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%" PRIu64, (retry_after_ms + 999) / 1000);
        is_good =
            is_good && MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds) == MHD_YES;
    }
    return is_good;
}

/*
 * The answer as a response, whose bytes are taken over; NULL when out of memory: the connection is then
 * closed without one.
 */
struct MHD_Response *request_json_response(struct buffer *json, unsigned status, uint64_t retry_after_ms)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        json->size, json->bytes, json->bytes != NULL ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        buffer_done(json);
        return NULL;
    }
    *json = (struct buffer){0};
    if (!add_json_headers(response, status, retry_after_ms)) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

static void become_ready(struct request *request)
{
    assert(request->calls_open == 0);
    request->phase = REQUEST_READY;
    if (request->is_suspended)
        http_resume(request);
}

/* --- calls ------------------------------------------------------------------------------------ */

/*
 * The answer of a batch: each call's own status and answer, in order; it is 200 itself, since it was carried
 * out.
 */
static troupe_status write_batch(const struct request *request, struct buffer *ret_json)
{
    struct json_writer out = json_writer_to(ret_json);
    json_open(&out, NULL, '[');
    for (uint32_t i = 0; i < request->call_count; i++) {
        const struct call *call = &request->calls[i];
        json_open(&out, NULL, '{');
        json_put_number(&out, "status", call->status);
        if (call->answer.size > 0)
            json_put_raw(&out, "answer", call->answer.bytes, call->answer.size);
        else
            json_put_text(&out, "answer", NULL);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    return json_writer_end(&out);
}

static void finish(struct request *request)
{
    if (request->is_batch) {
        struct buffer json = {0};
        request->status = MHD_HTTP_OK;
        if (write_batch(request, &json) == TROUPE_OK)
            request->response = request_json_response(&json, MHD_HTTP_OK, 0);
        else
            buffer_done(&json);
    } else {
        struct call *call = &request->calls[0];
        request->status = call->status;
        if (!request->has_own_response && (call->answer.size > 0 || call->status == MHD_HTTP_NO_CONTENT))
            request->response = request_json_response(&call->answer, call->status, request->retry_after_ms);
    }
    become_ready(request);
}

static void end_call(struct call *call, unsigned status)
{
    struct request *request = call->request;
    assert(!call->has_ended);
    call->has_ended = true;
    call->status = status;
    request->calls_open--;
    if (request->calls_open == 0)
        finish(request);
}

static void call_out_of_memory(struct call *call)
{
    struct problem problem = {0};
    problem_set(&problem, PROBLEM_UNAVAILABLE, "out of memory");
    call_fail(call, &problem);
}

void call_answer(struct call *call, unsigned status, const void *json, size_t size)
{
    if (size > 0 && buffer_append(&call->answer, json, size) != TROUPE_OK)
        call_out_of_memory(call);
    else
        end_call(call, status);
}

void call_answer_written(struct call *call, unsigned status, const struct json_writer *out,
                         struct buffer *buffer)
{
    if (json_writer_end(out) != TROUPE_OK) {
        buffer_done(buffer);
        call_out_of_memory(call);
        return;
    }
    call->answer = *buffer;
    *buffer = (struct buffer){0};
    end_call(call, status);
}

void call_end(struct call *call, troupe_status status, const troupe_message *reply, const char *what)
{
    const answered *yes = status == TROUPE_OK ? answered_of(reply) : NULL;
    if (yes != NULL) {
        troupe_bytes json = troupe_bytes_of(reply, yes->json);
        call_answer(call, yes->status, json.data, json.size);
        return;
    }
    struct problem problem = {0};
    if (status == TROUPE_OK)
        problem_from_message(&problem, reply, what);
    else
        problem_from_status(&problem, status, what);
    call_fail(call, &problem);
}

void call_again(troupe_self *self, struct call *call, troupe_status why, const char *what)
{
    /* The tag is the call, which lives as long as it has not ended. */
    if (++call->tries < CALL_TRIES_MAX && !call->request->http->is_stopping &&
        troupe_timer_start(self, CALL_RETRY_MS, 0, (uint64_t)(uintptr_t)call, NULL) == TROUPE_OK)
        return;
    call_end(call, why, NULL, what);
}

void call_woken(troupe_self *self, struct call *call, bool is_awake)
{
    if (is_awake && ++call->tries < CALL_TRIES_MAX)
        call->again(self, call);
    else
        call_again(self, call, TROUPE_NO_ACTOR, "a role");
}

void call_fail(struct call *call, const struct problem *problem)
{
    assert(problem->kind != PROBLEM_NONE);
    struct json_writer out = json_writer_to(&call->answer);
    problem_write(problem, &out);
    if (json_writer_end(&out) != TROUPE_OK)
        buffer_clear(&call->answer);
    call->request->retry_after_ms = problem->retry_after_ms;
    end_call(call, problem_http_status(problem->kind));
}

void call_respond(struct call *call, unsigned status, struct MHD_Response *response)
{
    struct request *request = call->request;
    assert(!request->is_batch && request->response == NULL);
    request->response = response;
    request->has_own_response = true;
    end_call(call, status);
}

const char *call_known_tag(const struct call *call)
{
    const char *known = MHD_lookup_connection_value(call->request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_IF_NONE_MATCH);
    return known != NULL ? known : "";
}

const char *call_argument(const struct call *call, const char *name)
{
    return MHD_lookup_connection_value(call->request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* --- requests --------------------------------------------------------------------------------- */

void request_fail(struct request *request, const struct problem *problem)
{
    assert(request->response == NULL && problem->kind != PROBLEM_NONE);
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    problem_write(problem, &out);
    request->status = problem_http_status(problem->kind);
    if (json_writer_end(&out) == TROUPE_OK)
        request->response = request_json_response(&json, request->status, problem->retry_after_ms);
    else
        buffer_done(&json);
    become_ready(request);
}

static bool parse_body(struct request *request, struct problem *problem)
{
    request->document = json_parse(request->body.bytes, request->body.size, problem);
    if (request->document == NULL)
        return false;
    request->is_batch = json_is_array(request->document);
    request->call_count = request->is_batch ? (uint32_t)json_array_size(request->document) : 1;
    if (request->is_batch && !request->route->takes_batch)
        problem_set(problem, PROBLEM_MALFORMED, "the body must be a JSON object");
    else if (request->call_count == 0)
        problem_set(problem, PROBLEM_MALFORMED, "the array is empty");
    else if (request->call_count > REQUEST_CALLS_MAX)
        problem_set(problem, PROBLEM_TOO_LARGE, "the array has %zu elements; %d are the most",
                    json_array_size(request->document), REQUEST_CALLS_MAX);
    return problem->kind == PROBLEM_NONE;
}

bool request_open_calls(struct request *request)
{
    struct problem problem = {0};
    request->call_count = 1;
    bool is_good = request->route->body != ROUTE_JSON || parse_body(request, &problem);
    if (is_good) {
        request->calls = calloc(request->call_count, sizeof *request->calls);
        if (request->calls == NULL)
            problem_set(&problem, PROBLEM_UNAVAILABLE, "out of memory");
    }
    if (problem.kind != PROBLEM_NONE) {
        request->call_count = 0;
        request_fail(request, &problem);
        return false;
    }
    for (uint32_t i = 0; i < request->call_count; i++) {
        struct call *call = &request->calls[i];
        call->request = request;
        call->index = i;
        call->body = request->is_batch ? json_array_get(request->document, i) : request->document;
    }
    request->calls_open = request->call_count;
    request->phase = REQUEST_WORKING;
    return true;
}

enum MHD_Result request_send(struct request *request)
{
    assert(request->phase == REQUEST_READY);
    request->phase = REQUEST_SENT;
    if (request->response == NULL)
        return MHD_NO;
    return MHD_queue_response(request->connection, request->status, request->response);
}

void request_free(struct request *request)
{
    for (uint32_t i = 0; i < request->call_count; i++)
        buffer_done(&request->calls[i].answer);
    free(request->calls);
    json_decref(request->document);
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    buffer_done(&request->body);
    free(request->path);
    free(request);
}
