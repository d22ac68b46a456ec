/* SPDX-License-Identifier: MIT */
/*
 * server.h: `troupe serve` as a function: from an empty or a known data folder to a served organisation, and
 * back in order.
 *
 * Place: called by the command line; everything else of src/server is started from here. server.c draws the
 * actors.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stdint.h>

#include <troupe/status.h>

/** Where the server listens when it is not told. */
#define SERVER_LISTEN_DEFAULT "127.0.0.1:7373"

/** What to serve, and where. Everything is borrowed until server_run returns. */
struct server_options {
    const char *data_dir;  /**< made when it is missing */
    const char *listen;    /**< NULL: SERVER_LISTEN_DEFAULT */
    const char *sample;    /**< NULL: none; as for POST /v1/import/organisation, for an empty journal */
    uint32_t workers;      /**< 0: one a processor */
    uint32_t role_idle_ms; /**< a role with nothing to do sleeps after so long; 0: the default */
};

/**
 * Serves until the process is told to end (SIGTERM, SIGINT) or a failure that must not be outlived, as of the
 * journal. Prints the address and how to sign in on standard output, and on standard error, in one line, why
 * it ended if that was a failure.
 *
 * TROUPE_OK: it ended as told, and everything acknowledged is on the disk. Otherwise why it could not start
 * or go on. Blocks; to be called on the main thread, before there are others: it decides which thread gets
 * signals.
 */
TROUPE_MUST_CHECK troupe_status server_run(const struct server_options *options);

#endif
