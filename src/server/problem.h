/* SPDX-License-Identifier: MIT */
/*
 * problem.h: what a caller of the HTTP interface is told when something cannot be done:
 * application/problem+json (RFC 9457). One list makes the kinds, their HTTP statuses, the last part of their
 * URN and their titles, as docs/http-api.md states them, so that no handler can pair a status with another's
 * type.
 *
 * Place on a message's way: the last step back out of a refusal: org's refusal -> problem -> json. A plain
 * value; any thread.
 */
#ifndef SERVER_PROBLEM_H
#define SERVER_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#include <troupe.h>

#include "server/json_writer.h"

/** The list: X(NAME, http status, "last part of the type", "title"). The order is no promise. */
#define PROBLEM_LIST(X)                                                                                      \
    X(NONE, 200, "none", "There is no problem")                                                              \
    X(MALFORMED, 400, "malformed", "The request is not well formed")                                         \
    X(UNAUTHORIZED, 401, "unauthorized", "No valid token came with the request")                             \
    X(FORBIDDEN, 403, "forbidden", "This is not yours to do")                                                \
    X(NOT_FOUND, 404, "not-found", "There is no such thing")                                                 \
    X(METHOD, 405, "method-not-allowed", "The path does not know this method")                               \
    X(CONFLICT, 409, "conflict", "The state does not allow it")                                              \
    X(TOO_LARGE, 413, "too-large", "It is over a limit")                                                     \
    X(FULL, 429, "full", "The mailbox is full")                                                              \
    X(UNAVAILABLE, 503, "unavailable", "The server cannot do it now")

/** The kinds of problem; PROBLEM_NONE is 0. */
enum problem_kind {
#define PROBLEM_ENUM(name, http, type, title) PROBLEM_##name,
    PROBLEM_LIST(PROBLEM_ENUM)
#undef PROBLEM_ENUM
        PROBLEM_KIND_COUNT
};

/** How much of a detail is kept, in bytes without the NUL. */
#define PROBLEM_DETAIL_MAX 511

/** One problem. All zeros is "no problem". */
struct problem {
    enum problem_kind kind;
    uint64_t retry_after_ms; /**< 0: not known */
    char detail[PROBLEM_DETAIL_MAX + 1];
};

/** The HTTP status of a kind. */
unsigned problem_http_status(enum problem_kind kind);

/** States a problem. The detail is cut at PROBLEM_DETAIL_MAX, between characters. */
void problem_set(struct problem *problem, enum problem_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Writes the problem as a JSON object. */
void problem_write(const struct problem *problem, struct json_writer *out);

/**
 * Whether an actor that was asked has ended, for whatever reason, or had no room: it is asked again, since
 * every command may be repeated. False: nothing is gained by that.
 */
bool problem_will_pass(troupe_status status);

/** States why the runtime could not carry a question or bring back its answer: always PROBLEM_UNAVAILABLE. */
void problem_from_status(struct problem *problem, troupe_status status, const char *what);

/** States what a `denied` says; any other message is one that `what` should not have answered. */
void problem_from_message(struct problem *problem, const troupe_message *message, const char *what);

#endif
