/* SPDX-License-Identifier: MIT */
/*
 * http.c: the actor of http.h: its daemon, its connections, its stop. What happens to one request is in
 * intake.c.
 *
 * libmicrohttpd calls back only from inside MHD_run, MHD_resume_connection's next run and MHD_stop_daemon,
 * all of which happen in this actor's handlers: its callbacks run on the same worker and need no locks.
 */
#include "server/http.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/intake.h"

enum http_tag { HTTP_TAG_SWEEP = 1, HTTP_TAG_STOP, HTTP_TAG_SHORT };

/*
 * How often one batch lets the daemon run when it says that more is ready; what is left waits for the next
 * batch.
 */
#define HTTP_RUNS_MAX 8

/* How long the daemon itself lets a silent client be, in seconds; the sweep is the stricter of the two. */
#define HTTP_SILENCE_S 60

TROUPE_MESSAGE_EMPTY(http_again)

/* One connection, as long as the client stays. */
struct http_connection {
    struct http_connection *next;
    struct http_connection *previous;
    struct MHD_Connection *connection;
    uint64_t deadline_ns; /* of whatever it is doing; 0: it is we who take the time */
};

static uint64_t now_ns(struct http *http)
{
    return troupe_now_ns(http->self);
}

/* --- connections ------------------------------------------------------------------------------ */

static void connection_allow(struct http *http, struct MHD_Connection *connection, uint64_t ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *entry = info != NULL ? info->socket_context : NULL;
    if (entry != NULL)
        entry->deadline_ns = ms > 0 ? now_ns(http) + ms * 1000000u : 0;
}

static void connection_forget(struct http *http, struct http_connection *entry)
{
    if (entry->previous != NULL)
        entry->previous->next = entry->next;
    else
        http->connections = entry->next;
    if (entry->next != NULL)
        entry->next->previous = entry->previous;
    free(entry);
}

/*
 * The daemon's callback for the begin and end of a connection. Without memory for the entry only the daemon's
 * own limit holds.
 */
static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*socket_context != NULL)
            connection_forget(http, *socket_context);
        *socket_context = NULL;
        return;
    }
    struct http_connection *entry = calloc(1, sizeof *entry);
    *socket_context = entry;
    if (entry == NULL)
        return;
    http->is_short = false;
    entry->connection = connection;
    entry->deadline_ns = now_ns(http) + (uint64_t)http->idle_ms * 1000000u;
    entry->next = http->connections;
    if (entry->next != NULL)
        entry->next->previous = entry;
    http->connections = entry;
}

/*
 * The daemon's log. Of what it says one thing is of interest: that accept() failed for want of descriptors or
 * memory. With other connections it stops accepting until one of them ends; without any it would try for
 * ever, as fast as it can.
 */
__attribute__((format(printf, 2, 0))) static void on_log(void *context, const char *format, va_list arguments)
{
    (void)arguments;
    struct http *http = context;
    if (strstr(format, "system resource limit") == NULL)
        return;
    http->is_short = true;
    http->quiet_count = 0;
    if (now_ns(http) < http->said_after_ns)
        return;
    http->said_after_ns = now_ns(http) + (uint64_t)HTTP_SHORT_SAID_MS * 1000000u;
    fprintf(stderr, "troupe serve: no new connections: %s; open ones go on, new ones wait\n",
            strerror(errno));
}

/*
 * Disconnects who is over the time. The daemon sees the end of the connection on its next run and cleans up.
 */
static void sweep_connections(struct http *http)
{
    uint64_t now = now_ns(http);
    for (struct http_connection *entry = http->connections; entry != NULL; entry = entry->next) {
        if (entry->deadline_ns == 0 || entry->deadline_ns > now)
            continue;
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(entry->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info != NULL)
            shutdown(info->connect_fd, SHUT_RDWR);
        entry->deadline_ns = 0;
    }
}

static void check_requests(const struct http *http)
{
    uint32_t waiting = 0;
    size_t bytes = 0;
    for (const struct request *request = http->requests; request != NULL; request = request->next) {
        waiting += request->is_suspended;
        bytes += request->body.capacity;
    }
    assert(waiting == http->waiting_count);
    assert(bytes == http->body_bytes);
}

/* --- requests --------------------------------------------------------------------------------- */

static struct request *request_begin(struct http *http, struct MHD_Connection *connection)
{
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return NULL;
    request->http = http;
    request->connection = connection;
    request->next = http->requests;
    if (request->next != NULL)
        request->next->previous = request;
    http->requests = request;
    return request;
}

static void suspend(struct http *http, struct request *request)
{
    connection_allow(http, request->connection, 0);
    request->is_suspended = true;
    http->waiting_count++;
    MHD_suspend_connection(request->connection);
}

/*
 * The daemon's callback when a request has come: with its headers, with each piece of its body, when that is
 * complete, and again after each resume. A response can be queued at any of these but the pieces: what comes
 * after a refusal is let pass.
 */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **request_context)
{
    (void)version;
    struct http *http = context;
    struct request *request = *request_context;
    if (request != NULL && *upload_data_size > 0) {
        if (request->phase == REQUEST_RECEIVING)
            intake_receive(request, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return MHD_YES;
    }
    if (request == NULL) {
        request = request_begin(http, connection);
        if (request == NULL)
            return MHD_NO;
        *request_context = request;
        intake_begin(http->self, request, method, url);
    } else {
        intake_go_on(http->self, request);
    }
    switch (request->phase) {
    case REQUEST_READY:
        connection_allow(http, connection, HTTP_SEND_MS);
        return request_send(request);
    case REQUEST_CHECKING:
    case REQUEST_WORKING:
        suspend(http, request);
        return MHD_YES;
    case REQUEST_RECEIVING:
        connection_allow(http, connection, http->idle_ms);
        return MHD_YES;
    default:
        return MHD_NO;
    }
}

/* The daemon's callback when a request is over, however it ended. */
static void on_completed(void *context, struct MHD_Connection *connection, void **request_context,
                         enum MHD_RequestTerminationCode code)
{
    (void)code;
    struct http *http = context;
    struct request *request = *request_context;
    *request_context = NULL;
    connection_allow(http, connection, http->idle_ms);
    if (request == NULL)
        return;
    assert(!request->is_suspended);
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        http->requests = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    http->body_bytes -= request->body.capacity;
    request_free(request);
}

void http_resume(struct request *request)
{
    struct http *http = request->http;
    assert(request->is_suspended && http->waiting_count > 0);
    request->is_suspended = false;
    http->waiting_count--;
    http->wants_run = true;
    MHD_resume_connection(request->connection);
}

/* --- the actor -------------------------------------------------------------------------------- */

static struct MHD_Daemon *daemon_start(struct http *http, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEADERS_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, http, MHD_OPTION_END);
}

static troupe_status http_start(troupe_self *self)
{
    struct http *http = troupe_state(self);
    http->self = self;
    if (http->idle_ms == 0)
        http->idle_ms = HTTP_IDLE_MS;
    int fd = dup(http->listen_fd);
    if (fd < 0)
        return troupe_fail(self, TROUPE_IO, "the listening socket could not be duplicated");
    http->daemon = daemon_start(http, fd);
    if (http->daemon == NULL) {
        close(fd);
        return troupe_fail(self, TROUPE_IO, "libmicrohttpd could not start");
    }
    http->epoll_fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    http->wants_run = true;
    return TROUPE_OK;
}

/* Takes no more connections. The listening socket is a duplicate: closing it leaves the owner's alone. */
static void quiesce(struct http *http)
{
    int fd = MHD_quiesce_daemon(http->daemon);
    if (fd >= 0)
        close(fd);
}

static void answer_stopper(troupe_self *self, struct http *http)
{
    if (http->stopper.ask != 0)
        troupe_reply(self, http->stopper, http_stopped);
    http->stopper = (troupe_asker){0};
}

static troupe_status begin_to_stop(troupe_self *self, struct http *http, const troupe_message *message)
{
    if (http->is_stopping) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_STOPPING);
        return TROUPE_OK;
    }
    http->is_stopping = true;
    http->stopper = troupe_asker_of(message);
    http->wants_run = true;
    quiesce(http);
    return troupe_timer_start(self, HTTP_STOP_MS, 0, HTTP_TAG_STOP, NULL);
}

static void on_timeout(troupe_self *self, struct http *http, uint64_t tag)
{
    if (tag == HTTP_TAG_STOP) {
        answer_stopper(self, http);
        return;
    }
    if (tag == HTTP_TAG_SHORT) {
        /*
         * Nobody waits any more when the daemon has looked twice: the first time it begins to listen again.
         */
        if (http->connections == NULL && http->quiet_count++ == 2)
            http->is_short = false;
        http->is_trying = false;
        http->wants_run = true;
        return;
    }
    if (tag != HTTP_TAG_SWEEP) {
        struct call *call = (struct call *)(uintptr_t)tag;
        call->again(self, call);
        return;
    }
    http->is_sweeping = false;
    http->wants_run = true;
    sweep_connections(http);
    check_requests(http);
}

static troupe_status http_receive(troupe_self *self, const troupe_message *message)
{
    struct http *http = troupe_state(self);
    http->self = self;
    const troupe_timeout *timeout = troupe_timeout_of(message);
    if (troupe_ready_of(message) != NULL || http_again_of(message) != NULL) {
        http->wants_run = true;
    } else if (timeout != NULL) {
        on_timeout(self, http, timeout->tag);
    } else if (http_stop_of(message) != NULL) {
        return begin_to_stop(self, http, message);
    } else {
        return TROUPE_UNEXPECTED;
    }
    return TROUPE_OK;
}

/* Lets the daemon do what is ready. True: it could go on at once. */
static bool run_daemon(struct http *http)
{
    for (int i = 0; i < HTTP_RUNS_MAX; i++) {
        http->wants_run = false;
        if (MHD_run(http->daemon) != MHD_YES)
            return false;
        MHD_UNSIGNED_LONG_LONG timeout_ms;
        if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES || timeout_ms > 0) {
            if (!http->wants_run)
                return false;
        }
    }
    return true;
}

/* Whether the daemon's descriptor says that somebody waits, whom it cannot let in. */
static bool is_deaf(const struct http *http)
{
    return http->is_short && http->connections == NULL;
}

/*
 * The daemon's descriptor is watched, unless it would be ready at once and for nothing: then it is looked at
 * by the clock. The clock goes on as long as somebody waits, because the daemon accepts again only in the run
 * after the one in which a connection ended.
 */
static troupe_status wait_for_more(troupe_self *self, struct http *http)
{
    troupe_status status = TROUPE_OK;
    if (http->is_short && !http->is_trying) {
        status = troupe_timer_start(self, HTTP_SHORT_MS, 0, HTTP_TAG_SHORT, NULL);
        http->is_trying = status == TROUPE_OK;
    }
    if (status == TROUPE_OK && !is_deaf(http))
        status = troupe_watch(self, http->epoll_fd, TROUPE_READY_READ);
    return status;
}

/* After each batch of messages: many answered requests cost one run. */
static troupe_status http_flush(troupe_self *self)
{
    struct http *http = troupe_state(self);
    http->self = self;
    if (http->wants_run) {
        bool has_more = run_daemon(http) && !is_deaf(http);
        if (has_more && troupe_send(self, troupe_self_ref(self), http_again) != TROUPE_OK)
            return troupe_fail(self, TROUPE_FULL, "the http actor's own mailbox is full");
        troupe_status status = wait_for_more(self, http);
        if (status != TROUPE_OK)
            return troupe_fail(self, status, "the daemon's descriptor could not be watched");
    }
    if (http->is_stopping && http->requests == NULL)
        answer_stopper(self, http);
    if (http->connections != NULL && !http->is_sweeping) {
        troupe_status status = troupe_timer_start(self, HTTP_SWEEP_MS, 0, HTTP_TAG_SWEEP, NULL);
        if (status != TROUPE_OK)
            return status;
        http->is_sweeping = true;
    }
    http->self = NULL;
    return TROUPE_OK;
}

/*
 * The daemon may not be stopped while a connection is suspended: they are resumed, and end without an answer.
 */
static void http_end(troupe_self *self, troupe_status reason)
{
    (void)reason;
    struct http *http = troupe_state(self);
    http->self = self;
    troupe_unwatch(self, http->epoll_fd);
    for (struct request *request = http->requests; request != NULL; request = request->next) {
        if (request->is_suspended) {
            request->phase = REQUEST_SENT;
            http_resume(request);
        }
    }
    if (!http->is_stopping)
        quiesce(http);
    MHD_stop_daemon(http->daemon);
}

const troupe_behaviour http_behaviour = {
    .name = "http",
    .state_size = sizeof(struct http),
    .start = http_start,
    .receive = http_receive,
    .flush = http_flush,
    .stop = http_end,
};
