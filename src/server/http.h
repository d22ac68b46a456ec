/* SPDX-License-Identifier: MIT */
/*
 * http.h: the actor that speaks HTTP. It owns a libmicrohttpd daemon that has no thread and no loop of its
 * own: the daemon's epoll descriptor is watched like any other, and each time it is ready, or a request is
 * answered, the actor lets the daemon run.
 *
 *   sockets --> epoll descriptor --troupe_ready--> MHD_run --request--asks--> directory, desks, roles
 *                                                    ^                                          |
 *                                                    +-- resumed connections <-- continuations -+
 *
 * While questions are out the connection is suspended: the daemon forgets it until http_resume. The actor
 * never waits.
 *
 * Bounds: HTTP_CONNECTIONS_MAX connections; REQUEST_BODY_MAX bytes a body and REQUEST_BODIES_MAX for all;
 * HTTP_IDLE_MS for a client to come with its request, whole; HTTP_SEND_MS for it to take the answer. A client
 * over its time is disconnected by a sweep that looks at every connection, so that one which sends a byte now
 * and then holds nothing up.
 *
 * Invariants (executable in http.c, on every sweep)
 *   1. waiting_count is the number of requests in `requests` that are suspended.
 *   2. The epoll descriptor is watched, or a troupe_ready for it is on its way, or this actor is handling
 *      one, or, with no connection and no descriptor for one, a timer runs that looks again.
 *   3. Once stopping, no request is begun, and `stopper` is answered when none is left.
 */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <troupe.h>

#include "server/ids.h"
#include "server/request.h"

#define HTTP_CONNECTIONS_MAX 1000
#define HTTP_IDLE_MS 30000
#define HTTP_SEND_MS 60000
#define HTTP_SWEEP_MS 1000
/** Bounds of the mailbox: answers come in any number, questions are few. */
#define HTTP_MAILBOX_LEN_MAX 65536u
#define HTTP_MAILBOX_BYTES_MAX (256u << 20)
/** Bytes of a request's line and headers. */
#define HTTP_HEADERS_MAX ((size_t)32 << 10)
/** While there are no descriptors for new connections, it is tried again so often. */
#define HTTP_SHORT_MS 100
/** And said at most so often. */
#define HTTP_SHORT_SAID_MS 60000
/** How long requests that are under way may take once the server stops. */
#define HTTP_STOP_MS 3000

struct http_connection;

/** The actor's state; created with `ids` and `listen_fd` filled in and the rest zero. */
struct http {
    struct ids *ids; /**< where new messages get theirs */
    int listen_fd;   /**< the owner's, who keeps it open for a successor; the actor listens on a duplicate */
    struct MHD_Daemon *daemon;
    uint32_t idle_ms; /**< 0: HTTP_IDLE_MS */
    int epoll_fd;
    bool wants_run;
    bool is_sweeping;
    bool is_short;          /**< a connection waits that cannot be had: there are no descriptors */
    bool is_trying;         /**< the timer of HTTP_SHORT_MS runs */
    uint32_t quiet_count;   /**< how often it has run since */
    uint64_t said_after_ns; /**< it may be said again then */
    bool is_stopping;
    troupe_self *self; /**< during a handler only, for the daemon's callbacks */
    struct request *requests;
    struct http_connection *connections;
    uint32_t waiting_count;
    size_t body_bytes;
    troupe_asker stopper;
};

/** The behaviour; its state is a struct http. */
extern const troupe_behaviour http_behaviour;

/**
 * Asks the actor to take no more requests; it replies http_stopped when those under way are answered or
 * HTTP_STOP_MS is over.
 */
TROUPE_MESSAGE_EMPTY(http_stop)
TROUPE_MESSAGE_EMPTY(http_stopped)

/** Lets the daemon go on with a suspended request. For request.c. */
void http_resume(struct request *request);

#endif
