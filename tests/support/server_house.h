/* SPDX-License-Identifier: MIT */
/*
 * server_house.h: the server's actors in a simulated system, over a journal in memory or on a simulated disk
 * (house_journal.h) and without HTTP, for tests that ask them directly. A crash takes the actors and leaves
 * the journal, as the end of a process does. One thread.
 */
#ifndef TESTS_SERVER_HOUSE_H
#define TESTS_SERVER_HOUSE_H

#include <troupe.h>

#include "server/ids.h"
#include "server/messages.h"
#include "support/house_journal.h"

/** How long anything may take here, in virtual time. */
#define HOUSE_TIMEOUT_MS 120000

/** A house. */
struct house {
    troupe_system *system;
    struct journal *journal; /* the one in `store` */
    struct house_journal store;
    struct ids ids;
    uint64_t seed;
    uint64_t start_reads;     /* how many are good in the start after a crash, after which one fails */
    troupe_simulation faults; /* of the runtime: none, unless a test says so; off until troupe_sim_faults */
    bool is_ready;
    bool has_failed; /* the tree of supervisors has ended, upon which a server ends: time for a crash */
    uint32_t failed_starts; /* that met a failure of the journal */
    uint64_t trace_hash;    /* of all lives but this one */
};

/** Opens a house with an empty journal and waits until the directory serves. */
void house_open(struct house *house, uint64_t seed);

/** The same on a disk. */
void house_open_on_disk(struct house *house, uint64_t seed);

/** Ends it. */
void house_close(struct house *house);

/**
 * The actors are gone in the middle of whatever they did: nothing more is committed, nothing more is
 * acknowledged. After `down_ms` they start anew on what the journal has; should it fail meanwhile, once more.
 */
void house_crash(struct house *house, int64_t down_ms);

/** What the clock on the wall shows. It goes on over crashes. */
int64_t house_now(const struct house *house);

/** Imports an organisation as the first administrator "root"; the test fails when it is refused. */
void house_import(struct house *house, const char *json);

/** The hash of the token of "root", who may act as anybody. */
extern const unsigned char house_token_hash[32];

/** The desk of an actor. */
troupe_ref house_desk(struct house *house, const char *actor);

/**
 * Asks somebody; the answer is freed by troupe_message_free. The test fails when none comes.
 */
#define house_ask(house, who, TYPE, ...)                                                                     \
    house_ask_fields((house), (who), &TYPE##_type, &(TYPE##_fields){__VA_ARGS__})
troupe_message *house_ask_fields(struct house *house, troupe_ref who, const troupe_type *type,
                                 const void *fields);

/** The status of an `answered`, or the problem's kind below zero; frees the answer. */
int house_status(struct house *house, troupe_message *reply);

/** The actor of a role, woken when it sleeps. */
troupe_ref house_role(struct house *house, const char *role);

/** A named actor of the house. */
troupe_ref house_actor(struct house *house, const char *name);

#endif
