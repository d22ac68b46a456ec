/* SPDX-License-Identifier: MIT */
/*
 * address.h: where the server listens: "127.0.0.1:7373", "[::1]:7373", "localhost:7373"; port 0 takes a free
 * one.
 *
 * The socket is made before anything else starts and belongs to server.c: an address in use is then a clear
 * message and not a failing actor, and an http actor that is started anew goes on listening without a gap.
 * Main thread; may block.
 */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <stddef.h>

#include <troupe/status.h>

/** Room for what goes wrong, and for the URL. */
#define ADDRESS_TEXT_SIZE 256

/** Connections that may wait to be accepted. */
#define ADDRESS_BACKLOG 512

/**
 * Listens at `text`, which is an address or a name of this machine and a port. On TROUPE_OK the descriptor is
 * the caller's to close and `ret_url` (ADDRESS_TEXT_SIZE bytes) is what to enter in a browser. Otherwise
 * `ret_why` (as large) says what is wrong, in one line: TROUPE_INVALID (not an address) or TROUPE_IO.
 */
TROUPE_MUST_CHECK troupe_status address_listen(const char *text, int *ret_fd, char *ret_url, char *ret_why);

#endif
