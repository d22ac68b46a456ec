/* SPDX-License-Identifier: MIT */
/*
 * transfer.h: one request and its answer on one libcurl handle. Used one at a time by client.c (a verb asks
 * and waits) and many at once by fleet.c (replay). Both see the same three outcomes: the server answered
 * (with any status), it could not be reached, or what came back is no answer of a troupe server.
 *
 *     idle --transfer_begin--> under way (libcurl owns the pace) --transfer_end--> idle
 *
 * Place: the outermost step on the client's side; on the other end stands server/http. One thread; nothing
 * here blocks.
 *
 * Invariants
 *   1. Only http and https, no redirects: a token never travels to an address that the user did not name.
 *   2. An answer of more than TRANSFER_ANSWER_MAX bytes is refused while it arrives, not after.
 *   3. A JSON answer is one document in strict JSON; 204 and an empty body give NULL.
 */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/exit.h"
#include "cli/settings.h"

enum {
    TRANSFER_ANSWER_MAX = 64 << 20,
    TRANSFER_CONNECT_MS = 5000,
    TRANSFER_ANSWER_MS =
        30000, /* how long an answer may take beyond what the request asks the server to wait */
    TRANSFER_PATH_MAX = 4096,
    TRANSFER_TROUBLE_MAX = 2048,
};

/**
 * One request. Body is JSON, or `text` of `text_size` bytes, or neither. `as` NULL takes that of the
 * settings.
 */
struct client_request {
    const char *method;
    const char *path;
    const json_t *body;
    const char *text;
    size_t text_size;
    const char *as;
    int64_t wait_ms;
    const char *if_full; /* what else to do about a full mailbox, said with its refusal; NULL: nothing */
    bool is_known_away;  /* it has been said that the server does not answer: once is enough */
};

/**
 * What came of it: CLI_OK with status and json, or CLI_UNREACHABLE or CLI_PROTOCOL with the reason in words.
 */
struct client_answer {
    enum cli_exit outcome;
    long status;
    json_t *json;
    bool is_new_connection; /* libcurl may have sent it twice: once on a kept one that broke */
    char trouble[TRANSFER_TROUBLE_MAX];
};

struct transfer;

/** A new idle transfer for these settings, which outlive it. Out of memory ends the program (text_must). */
struct transfer *transfer_new(const struct settings *settings);

/** Frees it, under way or not; NULL is fine. It must not be in a multi handle any more. */
void transfer_free(struct transfer *transfer);

/**
 * Loads a request, whose path is shorter than TRANSFER_PATH_MAX, copying what it needs, and gives the handle
 * to perform; CURLOPT_PRIVATE of it is the transfer.
 */
CURL *transfer_begin(struct transfer *transfer, const struct client_request *request);

/** Reads the outcome of a handle that has been performed. The caller releases ret_answer->json. */
void transfer_end(struct transfer *transfer, CURLcode code, struct client_answer *ret_answer);

/**
 * The path with a query of (name, value) pairs, percent-encoded, ended by a NULL name; pairs with a NULL
 * value are left out. The caller frees it.
 */
char *transfer_path(const char *path, ...) __attribute__((sentinel));

#endif
