/* SPDX-License-Identifier: MIT */
/*
 * chat.c: a TCP chat server on watched descriptors. One actor listens, one stands for each connection, and
 * all connections are the group "room": a line that one client writes is broadcast to the others. Nobody
 * blocks: an actor waits for its descriptor by waiting for a message. A connection that fails takes nobody
 * with it.
 *
 *   chat PORT      serves on 127.0.0.1 until its input ends (Ctrl-D); port 0 takes a free one
 *   nc 127.0.0.1 PORT
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <troupe.h>
#include <unistd.h>

#define HEAR(F) F(text, line)
TROUPE_MESSAGE(hear, HEAR)

enum { LINE_SIZE_MAX = 512, BACKLOG = 16 };

struct connection {
    int fd;
    uint32_t used;
    char line[LINE_SIZE_MAX]; /* the beginning of a line, until its end has come */
};

static troupe_status connection_start(troupe_self *self)
{
    struct connection *connection = troupe_state(self);
    troupe_status status = troupe_own_fd(self, connection->fd); /* closed at its end, however it ends */
    if (status != TROUPE_OK)
        close(connection->fd);
    return status == TROUPE_OK ? troupe_watch(self, connection->fd, TROUPE_READY_READ) : status;
}

/* Reads what there is, tells the room every whole line, and watches again. */
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
    if (connection->used == LINE_SIZE_MAX)
        return troupe_fail(self, TROUPE_TOO_LARGE, "a line without end");
    return troupe_watch(self, connection->fd, TROUPE_READY_READ);
}

static troupe_status connection_receive(troupe_self *self, const troupe_message *message)
{
    struct connection *connection = troupe_state(self);
    const hear *m = hear_of(message);
    if (troupe_ready_of(message) != NULL)
        return connection_read(self, connection);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    if (troupe_ref_equal(message->sender, troupe_self_ref(self)))
        return TROUPE_OK;
    char line[LINE_SIZE_MAX + 1];
    size_t written, size = (size_t)snprintf(line, sizeof line, "%s\n", troupe_text(message, m->line));
    troupe_status status = troupe_fd_write(self, connection->fd, line, size, &written);
    if (status == TROUPE_OK && written < size)
        return troupe_fail(self, TROUPE_FULL, "it does not read what it is told");
    return status;
}

static const troupe_behaviour connection_behaviour = {.name = "connection",
                                                      .state_size = sizeof(struct connection),
                                                      .start = connection_start,
                                                      .receive = connection_receive};

static troupe_status listener_start(troupe_self *self)
{
    const int *fd = troupe_state(self);
    return troupe_watch(self, *fd, TROUPE_READY_READ);
}

/* Takes every connection there is and makes an actor of each. */
static troupe_status listener_receive(troupe_self *self, const troupe_message *message)
{
    const int *fd = troupe_state(self);
    struct connection state = {.fd = 0};
    troupe_spawn_options options = {.state = &state, .group = "room"};
    if (troupe_ready_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    while ((state.fd = accept(*fd, NULL, NULL)) >= 0)
        if (fcntl(state.fd, F_SETFL, O_NONBLOCK) != 0 ||
            troupe_ref_is_none(troupe_spawn(self, &connection_behaviour, &options)))
            close(state.fd);
    return troupe_watch(self, *fd, TROUPE_READY_READ);
}

static const troupe_behaviour listener_behaviour = {
    .name = "listener", .state_size = sizeof(int), .start = listener_start, .receive = listener_receive};

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
    troupe_spawn(system, &listener_behaviour, &(troupe_spawn_options){.state = &fd});
    printf("listening on port %u\n", ntohs(address.sin_port));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    int result = troupe_stop(&system);
    close(fd);
    return result;
}
