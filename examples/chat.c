/* SPDX-License-Identifier: MIT */
/*
 * chat.c: a TCP chat server on watched descriptors. One actor listens, one actor stands for each
 * connection, one is the room. A line that a client writes goes to all others. Nobody blocks: an actor
 * waits for its descriptor by waiting for a message.
 *
 *   chat PORT      serves on 127.0.0.1 until the process is ended (try: nc 127.0.0.1 PORT)
 *   chat           serves on a free port, lets two clients of its own talk, and ends
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <troupe.h>
#include <unistd.h>

#define ENTER(F) F(ref, who)
TROUPE_MESSAGE(enter, ENTER)
#define SAY(F) F(ref, who) F(text, line)
TROUPE_MESSAGE(say, SAY)
#define HEAR(F) F(text, line)
TROUPE_MESSAGE(hear, HEAR)

enum {
    MEMBERS_MAX = 64,
    LINE_MAX_SIZE = 512, /* a longer line ends the connection */
    BACKLOG = 16,
};

/* The room: who is in it. It monitors its members, so that whoever leaves is forgotten, however it left. */
struct room {
    troupe_ref members[MEMBERS_MAX];
    uint32_t member_count;
};

static void room_remove(struct room *room, troupe_ref who)
{
    for (uint32_t i = 0; i < room->member_count; i++)
        if (troupe_ref_equal(room->members[i], who))
            room->members[i--] = room->members[--room->member_count];
}

static troupe_status room_receive(troupe_self *self, const troupe_message *message)
{
    struct room *room = troupe_state(self);
    const enter *e = enter_of(message);
    const say *s = say_of(message);
    const troupe_down *down = troupe_down_of(message);
    uint64_t monitor;
    if (e != NULL && room->member_count == MEMBERS_MAX) {
        troupe_shutdown(self, e->who, TROUPE_LIMIT);
    } else if (e != NULL) {
        room->members[room->member_count++] = e->who;
        return troupe_monitor(self, e->who, &monitor);
    } else if (s != NULL) {
        for (uint32_t i = 0; i < room->member_count; i++) /* a member too slow to hear misses the line */
            if (!troupe_ref_equal(room->members[i], s->who))
                (void)troupe_send(self, room->members[i], hear, .line = troupe_text(message, s->line));
    } else if (down != NULL) {
        room_remove(room, down->who);
    } else {
        return TROUPE_UNEXPECTED;
    }
    return TROUPE_OK;
}

static const troupe_behaviour room_behaviour = {
    .name = "room", .state_size = sizeof(struct room), .receive = room_receive};

/* A connection: a descriptor and the beginning of a line. */
struct connection {
    int fd;
    troupe_ref room;
    uint32_t used;
    char line[LINE_MAX_SIZE];
};

static troupe_status connection_start(troupe_self *self)
{
    struct connection *connection = troupe_state(self);
    troupe_status status = troupe_watch(self, connection->fd, TROUPE_READY_READ);
    return status != TROUPE_OK ? status
                               : troupe_send(self, connection->room, enter, .who = troupe_self_ref(self));
}

/* Tells the room every whole line that has come. */
static troupe_status lines_say(troupe_self *self, struct connection *connection)
{
    char *end;
    while ((end = memchr(connection->line, '\n', connection->used)) != NULL) {
        *end = '\0';
        (void)troupe_send(self, connection->room, say, .who = troupe_self_ref(self),
                          .line = connection->line);
        connection->used -= (uint32_t)(end + 1 - connection->line);
        memmove(connection->line, end + 1, connection->used);
    }
    return connection->used == LINE_MAX_SIZE ? troupe_fail(self, TROUPE_TOO_LARGE, "a line without end")
                                             : TROUPE_OK;
}

static troupe_status connection_read(troupe_self *self, struct connection *connection)
{
    ssize_t got = read(connection->fd, connection->line + connection->used, LINE_MAX_SIZE - connection->used);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        troupe_exit(self);
        return TROUPE_OK;
    }
    connection->used += got > 0 ? (uint32_t)got : 0;
    troupe_status status = lines_say(self, connection);
    return status != TROUPE_OK ? status : troupe_watch(self, connection->fd, TROUPE_READY_READ);
}

static troupe_status connection_receive(troupe_self *self, const troupe_message *message)
{
    struct connection *connection = troupe_state(self);
    const hear *h = hear_of(message);
    if (troupe_ready_of(message) != NULL)
        return connection_read(self, connection);
    if (h == NULL)
        return TROUPE_UNEXPECTED;
    char line[LINE_MAX_SIZE + 1];
    int size = snprintf(line, sizeof line, "%s\n", troupe_text(message, h->line));
    if (send(connection->fd, line, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) != size)
        troupe_exit(self); /* it does not read what it is told */
    return TROUPE_OK;
}

static void connection_stop(troupe_self *self, troupe_status reason)
{
    struct connection *connection = troupe_state(self);
    (void)reason;
    troupe_unwatch(self, connection->fd);
    close(connection->fd);
}

static const troupe_behaviour connection_behaviour = {
    .name = "connection",
    .state_size = sizeof(struct connection),
    .start = connection_start,
    .receive = connection_receive,
    .stop = connection_stop,
};

/* The listener: takes connections and makes an actor of each. */
struct listener {
    int fd;
    troupe_ref room;
};

static troupe_status listener_start(troupe_self *self)
{
    struct listener *listener = troupe_state(self);
    return troupe_watch(self, listener->fd, TROUPE_READY_READ);
}

static troupe_status listener_receive(troupe_self *self, const troupe_message *message)
{
    struct listener *listener = troupe_state(self);
    if (troupe_ready_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    int fd;
    while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection state = {.fd = fd, .room = listener->room};
        if (troupe_ref_is_none(
                troupe_spawn(self, &connection_behaviour, &(troupe_spawn_options){.state = &state})))
            close(fd);
    }
    return troupe_watch(self, listener->fd, TROUPE_READY_READ);
}

static const troupe_behaviour listener_behaviour = {
    .name = "listener",
    .state_size = sizeof(struct listener),
    .start = listener_start,
    .receive = listener_receive,
};

/* A socket on 127.0.0.1 that listens; port 0 takes a free one, which is written back. -1: not to be had. */
static int listen_on(uint16_t *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/*
 * Two clients: each says a line until the other has heard one, since the second may enter after the first
 * has spoken.
 */
static int talk(uint16_t port)
{
    int anna = connect_to(port);
    int ben = connect_to(port);
    char heard[LINE_MAX_SIZE] = "";
    struct timeval patience = {.tv_usec = 20000};
    if (anna < 0 || ben < 0)
        return 1;
    setsockopt(ben, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (int i = 0; i < 250 && heard[0] == '\0'; i++) {
        if (write(anna, "good morning\n", 13) != 13)
            return 1;
        ssize_t got = read(ben, heard, 13);
        heard[got > 0 ? got : 0] = '\0';
    }
    printf("ben hears: %s", heard);
    close(anna);
    close(ben);
    return heard[0] == '\0';
}

int main(int argc, char **argv)
{
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0;
    struct listener state = {.fd = listen_on(&port)};
    troupe_system *system;
    if (state.fd < 0 || troupe_start(&system, NULL) != TROUPE_OK) {
        fprintf(stderr, "chat: cannot listen on port %u\n", port);
        return 1;
    }
    state.room = troupe_spawn(system, &room_behaviour, NULL);
    troupe_spawn(system, &listener_behaviour, &(troupe_spawn_options){.state = &state});
    while (argc > 1)
        pause();
    int failed = talk(port);
    troupe_stop(&system);
    close(state.fd);
    return failed;
}
