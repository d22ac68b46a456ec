/* SPDX-License-Identifier: MIT */
/*
 * address.c: from the text of an address to a listening socket. Main thread, once at the start.
 */
#include "server/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HOST_LEN_MAX = 128,
    PORT_LEN_MAX = 5,
};

/* Cuts "HOST:PORT" or "[HOST]:PORT". */
static bool split(const char *text, char host[HOST_LEN_MAX + 1], char port[PORT_LEN_MAX + 1])
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    size_t host_len = (size_t)(colon - text);
    if (host_len >= 2 && text[0] == '[' && colon[-1] == ']') {
        text++;
        host_len -= 2;
    } else if (memchr(text, ':', host_len) != NULL) {
        return false;
    }
    size_t port_len = strlen(colon + 1);
    if (host_len == 0 || host_len > HOST_LEN_MAX || port_len == 0 || port_len > PORT_LEN_MAX)
        return false;
    if (strspn(colon + 1, "0123456789") != port_len || strtoul(colon + 1, NULL, 10) > UINT16_MAX)
        return false;
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    memcpy(port, colon + 1, port_len + 1);
    return true;
}

static int listen_at(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    /* A server that starts again must not wait for the last one's connections to be forgotten. */
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, ADDRESS_BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* The URL, with the port that the system gave when 0 was asked for. */
static bool write_url(int fd, char *ret_url)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[INET6_ADDRSTRLEN];
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return false;
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
        if (inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host) == NULL)
            return false;
        snprintf(ret_url, ADDRESS_TEXT_SIZE, "http://[%s]:%u", host, (unsigned)ntohs(six->sin6_port));
    } else {
        const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
        if (inet_ntop(AF_INET, &four->sin_addr, host, sizeof host) == NULL)
            return false;
        snprintf(ret_url, ADDRESS_TEXT_SIZE, "http://%s:%u", host, (unsigned)ntohs(four->sin_port));
    }
    return true;
}

troupe_status address_listen(const char *text, int *ret_fd, char *ret_url, char *ret_why)
{
    char host[HOST_LEN_MAX + 1];
    char port[PORT_LEN_MAX + 1];
    if (!split(text, host, port)) {
        snprintf(ret_why, ADDRESS_TEXT_SIZE, "\"%.80s\" is not an address like 127.0.0.1:7373", text);
        return TROUPE_INVALID;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        snprintf(ret_why, ADDRESS_TEXT_SIZE, "\"%s\" cannot be listened at: %s", host, gai_strerror(error));
        return TROUPE_INVALID;
    }
    int fd = listen_at(found);
    freeaddrinfo(found);
    if (fd < 0 || !write_url(fd, ret_url)) {
        const char *hint = errno == EADDRINUSE ? "; is another server running?" : "";
        snprintf(ret_why, ADDRESS_TEXT_SIZE, "cannot listen at %s: %s%s", text, strerror(errno), hint);
        if (fd >= 0)
            close(fd);
        return TROUPE_IO;
    }
    *ret_fd = fd;
    return TROUPE_OK;
}
