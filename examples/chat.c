/* SPDX-License-Identifier: MIT */
/*
 * chat.c: a TCP chat server on watched descriptors. One actor listens, one stands for each connection, and
 * all connections are the group "room": a line that one client writes is broadcast to the others. Nobody
 * blocks: an actor waits for its descriptor by waiting for a message, and keeps what a slow client is told
 * for when it reads on. A connection that fails takes nobody with it. Signals are messages, too.
 *
 *   chat PORT      serves on 127.0.0.1 until SIGINT (Ctrl-C) or SIGTERM; port 0 takes a free one
 *   nc 127.0.0.1 PORT
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <troupe.h>
#include <unistd.h>

#define HEAR(F) F(text, line)
TROUPE_MESSAGE(hear, HEAR)
TROUPE_MESSAGE_EMPTY(until_over)

enum { LINE_SIZE_MAX = 512, BACKLOG = 16 };

struct connection {
    int fd;
    uint32_t used;
    uint32_t untold;
    char line[LINE_SIZE_MAX];     /* the beginning of a line, until its end has come */
    char told[LINE_SIZE_MAX + 1]; /* what its client has not taken yet of the line it is being told */
};

static troupe_status connection_start(troupe_self *self)
{
    struct connection *connection = troupe_state(self);
    troupe_status status = troupe_own_fd(self, connection->fd); /* closed at its end, however it ends */
    if (status != TROUPE_OK)
        close(connection->fd);
    return status == TROUPE_OK ? troupe_watch(self, connection->fd, TROUPE_READY_READ) : status;
}

/* Reads what there is, and tells the room every whole line. */
static troupe_status connection_read(troupe_self *self, struct connection *connection)
{
    char *line = connection->line, *end;
    size_t got;
    troupe_status status =
        troupe_fd_read(self, connection->fd, line + connection->used, LINE_SIZE_MAX - connection->used, &got);
    if (status == TROUPE_END)
        troupe_exit(self);
    if (status != TROUPE_OK)
        return status == TROUPE_END ? TROUPE_OK : status;
    connection->used += (uint32_t)got;
    while ((end = memchr(line, '\n', connection->used)) != NULL) {
        *end = '\0';
        troupe_broadcast(self, "room", hear, .line = line); /* who is too slow to hear it misses it */
        connection->used -= (uint32_t)(end + 1 - line);
        memmove(line, end + 1, connection->used);
    }
    return connection->used < LINE_SIZE_MAX ? TROUPE_OK
                                            : troupe_fail(self, TROUPE_TOO_LARGE, "a line without end");
}

/* Writes as much as the client takes; the lines that wait for the whole of it are looked at again then. */
static troupe_status connection_write(troupe_self *self, struct connection *connection)
{
    size_t written = 0;
    troupe_status status = TROUPE_OK;
    if (connection->untold > 0)
        status = troupe_fd_write(self, connection->fd, connection->told, connection->untold, &written);
    connection->untold -= (uint32_t)written;
    memmove(connection->told, connection->told + written, connection->untold);
    if (connection->untold == 0)
        troupe_unstash(self);
    return status;
}

static troupe_status connection_receive(troupe_self *self, const troupe_message *message)
{
    struct connection *connection = troupe_state(self);
    const troupe_ready *ready = troupe_ready_of(message);
    const hear *m = hear_of(message);
    if (ready == NULL && m == NULL)
        return TROUPE_UNEXPECTED;
    if (m != NULL && troupe_ref_equal(message->sender, troupe_self_ref(self)))
        return TROUPE_OK;
    if (m != NULL && connection->untold > 0)
        return TROUPE_STASHED; /* one line at a time; the stash is bounded as the mailbox is */
    if (m != NULL)
        connection->untold = (uint32_t)snprintf(connection->told, sizeof connection->told, "%s\n",
                                                troupe_text(message, m->line));
    troupe_status status = connection_write(self, connection);
    if (status == TROUPE_OK && ready != NULL)
        status = connection_read(self, connection);
    if (status != TROUPE_OK || (ready == NULL && connection->untold == 0))
        return status;
    return troupe_watch(self, connection->fd,
                        TROUPE_READY_READ | (connection->untold > 0 ? TROUPE_READY_WRITE : 0));
}

static const troupe_behaviour connection_behaviour = {.name = "connection",
                                                      .state_size = sizeof(struct connection),
                                                      .start = connection_start,
                                                      .receive = connection_receive};

struct listener {
    int fd;
    uint16_t port;
    bool is_over;
    troupe_asker host; /* main, waiting for the end */
};

static troupe_status listener_start(troupe_self *self)
{
    const struct listener *listener = troupe_state(self);
    troupe_status status = troupe_signal_watch(self, SIGINT);
    if (status == TROUPE_OK)
        status = troupe_signal_watch(self, SIGTERM);
    if (status == TROUPE_OK)
        status = troupe_watch(self, listener->fd, TROUPE_READY_READ);
    printf("listening on port %u\n", listener->port);
    fflush(stdout);
    return status;
}

/* Takes every connection there is and makes an actor of each. */
static troupe_status listener_accept(troupe_self *self, int fd)
{
    struct connection state = {.fd = 0};
    troupe_spawn_options options = {.state = &state, .group = "room"};
    while ((state.fd = accept(fd, NULL, NULL)) >= 0)
        if (fcntl(state.fd, F_SETFL, O_NONBLOCK) != 0 ||
            troupe_ref_is_none(troupe_spawn(self, &connection_behaviour, &options)))
            close(state.fd);
    return troupe_watch(self, fd, TROUPE_READY_READ);
}

static troupe_status listener_receive(troupe_self *self, const troupe_message *message)
{
    struct listener *listener = troupe_state(self);
    if (troupe_ready_of(message) != NULL)
        return listener_accept(self, listener->fd);
    if (troupe_signal_of(message) != NULL)
        listener->is_over = true;
    else if (until_over_of(message) != NULL)
        listener->host = troupe_asker_of(message);
    else
        return TROUPE_UNEXPECTED;
    return listener->is_over ? troupe_reply(self, listener->host, until_over) : TROUPE_OK;
}

static const troupe_behaviour listener_behaviour = {.name = "listener",
                                                    .state_size = sizeof(struct listener),
                                                    .start = listener_start,
                                                    .receive = listener_receive};

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    troupe_system *system;
    address.sin_port = htons(argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0 ||
        troupe_start(&system, NULL) != TROUPE_OK) {
        perror("chat");
        return 1;
    }
    struct listener state = {.fd = fd, .port = ntohs(address.sin_port)};
    troupe_ref listener = troupe_spawn(system, &listener_behaviour, &(troupe_spawn_options){.state = &state});
    troupe_message *over = NULL;
    while (troupe_call(system, listener, TROUPE_ASK_TIMEOUT_MS_MAX, &over, until_over) == TROUPE_TIMEOUT)
        continue;
    troupe_message_free(system, &over);
    int result = troupe_stop(&system);
    close(fd);
    return result;
}
