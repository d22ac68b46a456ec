/* SPDX-License-Identifier: MIT */
/*
 * fleet.h: many requests under way at once, on kept connections, from one thread. Each slot of the fleet is
 * one transfer with what is to happen when it ends.
 *
 *     free --fleet_start--> under way --fleet_run--> (done is called) --> free
 *                               |
 *                               +----fleet_forget----> free (done is not called)
 *
 * Place: under `troupe replay` and `troupe work`, on transfer.h and libcurl's multi interface. One thread;
 * only fleet_run blocks.
 *
 * Invariants
 *   1. busy counts the slots under way; done is called exactly once for each fleet_start, unless it was
 *      forgotten.
 *   2. A slot is free again before its done is called, so that done may start the next request.
 */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include <stdbool.h>

#include "cli/settings.h"
#include "cli/transfer.h"

enum {
    FLEET_SLOTS_MAX = 32, /* requests under way at once, each on a connection of its own */
};

/** Called when a request has ended in any way. The answer's json is released after it returns. */
typedef void fleet_done(void *context, const struct client_answer *answer);

struct fleet;

/** A fleet of free slots; the settings outlive it. Out of memory ends the program. */
struct fleet *fleet_new(const struct settings *settings);

/** Forgets what is under way and frees everything; NULL is fine. */
void fleet_free(struct fleet *fleet);

/** How many requests are under way. */
int fleet_busy(const struct fleet *fleet);

/** Starts a request; fewer than FLEET_SLOTS_MAX are under way. The request is copied. */
void fleet_start(struct fleet *fleet, const struct client_request *request, fleet_done *done, void *context);

/** Waits at most `wait_ms` for something to happen and calls done for each request that ended. */
void fleet_run(struct fleet *fleet, int wait_ms);

/** The same, and comes back as well when one of these other descriptors is ready, which says so in it. */
void fleet_run_beside(struct fleet *fleet, struct curl_waitfd *fds, unsigned count, int wait_ms);

/**
 * Drops every request under way with its connection, calling nobody: what became of them at the server is not
 * known.
 */
void fleet_forget(struct fleet *fleet);

#endif
