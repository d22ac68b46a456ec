/* SPDX-License-Identifier: MIT */
/*
 * request.h: one HTTP request from its headers to its answer, and the calls that it consists of: one, or for
 * a batch one for each element of the array. A call is what a route handles; it ends exactly once, with a
 * JSON answer or a problem, at once or in a later continuation. When its last call has ended the request is
 * answered.
 *
 * Place on a message's way: http -> request -> routes (decode, ask actors) -> call_answer / call_fail ->
 * http. Everything here runs in the http actor.
 *
 *   NEW --headers--> CHECKING --token is good--> CHECKED --resumed--> RECEIVING --body complete--> WORKING
 *    |  public route: RECEIVING at once                                                              |
 *    +--refused, at any point--> READY <-------------------------------------------last call ended---+
 *                                  +--queued--> SENT
 *
 * The connection is suspended in CHECKING and in WORKING, unless the last call ended at once.
 *
 * Invariants
 *   1. calls_open is the number of calls that have not ended; READY means it is 0.
 *   2. is_suspended is true exactly between MHD_suspend_connection and MHD_resume_connection.
 *   3. http->body_bytes is the sum of body.capacity over the requests that live.
 *   4. A request is not freed while a continuation may still run with it: it is suspended then, and
 *      libmicrohttpd completes no suspended connection.
 */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <microhttpd.h>

#include <troupe.h>

#include "base/buffer.h"
#include "org/limits.h"
#include "server/problem.h"

/** How long a request for work may wait. */
#define NEXT_WAIT_MAX_MS 60000
/** A request's body, and the calls of one batch. */
#define REQUEST_BODY_MAX ((size_t)8 << 20)
#define REQUEST_CALLS_MAX 100
/** Bytes of all bodies that are held at once; a request that finds no room is told to come back. */
#define REQUEST_BODIES_MAX ((size_t)64 << 20)
/** Room for what a route keeps of one call while it waits for an actor. */
#define CALL_SCRATCH_SIZE 320
/** How often an actor that was not there is asked again, and the time between. */
#define CALL_TRIES_MAX 200
#define CALL_RETRY_MS 50

struct http;
struct request;
struct route;

/** Where a request is. */
enum request_phase {
    REQUEST_NEW = 0,
    REQUEST_CHECKING,
    REQUEST_CHECKED,
    REQUEST_RECEIVING,
    REQUEST_WORKING,
    REQUEST_READY,
    REQUEST_SENT,
};

/** Who asks, as the directory established it. */
struct caller {
    char actor[ORG_ACTOR_NAME_LEN_MAX + 1];   /**< for whom this is done */
    char through[ORG_ACTOR_NAME_LEN_MAX + 1]; /**< whose token it was, when that is another; else empty */
    bool is_administrator;                    /**< whether the token's owner is one */
    bool is_program;
    uint8_t scopes;     /**< what the token is good for: scope.h */
    uint32_t wip_limit; /**< of `actor`, over all its roles */
};

/** One call. Lives as long as its request. */
struct call {
    struct request *request;
    const json_t *body; /**< an object or, in a batch, any element; NULL for routes without a body */
    uint32_t index;     /**< in the batch */
    bool has_ended;
    unsigned status;                                     /**< HTTP, once ended */
    struct buffer answer;                                /**< JSON, once ended; empty: no content */
    void (*again)(troupe_self *self, struct call *call); /**< what call_again runs */
    uint32_t tries;
    _Alignas(max_align_t) unsigned char scratch[CALL_SCRATCH_SIZE]; /**< zeros; the route's own */
};

/** One request. */
struct request {
    struct http *http;
    struct MHD_Connection *connection;
    const struct route *route;
    struct request *next;
    struct request *previous;
    struct buffer body;
    json_t *document;
    struct call *calls;
    uint32_t call_count;
    uint32_t calls_open;
    enum request_phase phase;
    bool is_batch;
    bool is_suspended;
    struct caller caller;
    char *path; /**< of the URL, without what follows a "?" */
    unsigned status;
    uint64_t retry_after_ms;
    struct MHD_Response *response;
    bool has_own_response; /**< made by call_respond */
};

/** Ends a call with JSON, copied; without any when `size` is 0. */
void call_answer(struct call *call, unsigned status, const void *json, size_t size);

/** Ends a call with what a writer wrote to `buffer`, which is taken over and cleared. */
void call_answer_written(struct call *call, unsigned status, const struct json_writer *out,
                         struct buffer *buffer);

/**
 * Ends a call with what an actor answered: an `answered`, or the problem that anything else is. `what` names
 * the actor.
 */
void call_end(struct call *call, troupe_status status, const troupe_message *reply, const char *what);

/** Runs call->again a little later; ends the call with `why` when that was done too often. */
void call_again(troupe_self *self, struct call *call, troupe_status why, const char *what);

/** Runs call->again at once when what it needed was just woken, else as call_again. */
void call_woken(troupe_self *self, struct call *call, bool is_awake);

/** Ends a call with a problem. */
void call_fail(struct call *call, const struct problem *problem);

/**
 * Ends the only call of a request with a response of its own, taken over; NULL: out of memory, the connection
 * is closed.
 */
void call_respond(struct call *call, unsigned status, struct MHD_Response *response);

/**
 * The tag of the version that the client says it has: its If-None-Match, borrowed; "" when it says nothing.
 */
const char *call_known_tag(const struct call *call);

/** The value of a query argument, borrowed; NULL when it is absent. */
const char *call_argument(const struct call *call, const char *name);

/** Answers a whole request with a problem, before its calls exist. */
void request_fail(struct request *request, const struct problem *problem);

/**
 * Makes the calls of a request whose body is complete. False: the request has been answered with a problem.
 */
bool request_open_calls(struct request *request);

/** Queues the response of a READY request. */
enum MHD_Result request_send(struct request *request);

/** Frees what a request owns, and the request. */
void request_free(struct request *request);

/** Adds the headers that every answer carries. False when out of memory. */
bool request_add_headers(struct MHD_Response *response);

/** A JSON response, whose bytes are taken over; NULL when out of memory. */
struct MHD_Response *request_json_response(struct buffer *json, unsigned status, uint64_t retry_after_ms);

#endif
