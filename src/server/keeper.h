/* SPDX-License-Identifier: MIT */
/*
 * keeper.h: the actor that knows when the server is to begin and to end, and tells the main thread, which
 * only waits. It hears of signals, of the directory's being ready, and of the end of what nothing outlives:
 * the journal's writer (after a failed write only a new process knows what is on the disk) and the supervisor
 * of everything else (it has given up).
 *
 *   STARTING --keeper_ready--> SERVING --SIGTERM, SIGINT--> ENDING (in order)
 *       \---- a signal, a down, something unsound ---> ENDING, with the reason
 *
 * SIGUSR1 is a wish to see the tree, which the main thread is told in place of an end: it alone may block for
 * a snapshot.
 *
 * Invariant: each keeper_await is answered once, with what is the case when its stage is reached or can no
 * longer be.
 */
#ifndef SERVER_KEEPER_H
#define SERVER_KEEPER_H

#include <stdbool.h>

#include <troupe.h>

/** The name it is registered under. */
#define NAME_KEEPER "#keeper"

/** Room for a reason. */
#define KEEPER_WHY_SIZE 512

/** What the main thread waits for. */
enum keeper_stage { KEEPER_READY = 0, KEEPER_ENDED, KEEPER_STAGE_COUNT };

/**
 * Tell me when that stage is reached. Answer: keeper_told; `status` is a troupe_status, TROUPE_OK with an end
 * in order.
 */
#define KEEPER_AWAIT(F) F(u32, stage)
TROUPE_MESSAGE(keeper_await, KEEPER_AWAIT)
/** With `is_to_show` nothing has come yet: the main thread is to show the tree, and to ask again. */
#define KEEPER_TOLD(F) F(u32, status) F(bool, is_to_show) F(text, why)
TROUPE_MESSAGE(keeper_told, KEEPER_TOLD)

/** From the directory: everything is read. `why` says what does not hold; "" when all does. */
#define KEEPER_IS_READY(F) F(text, why)
TROUPE_MESSAGE(keeper_is_ready, KEEPER_IS_READY)

/** Whose end ends the server: an actor, and how to name it. */
#define KEEPER_WATCH(F) F(ref, who) F(text, name)
TROUPE_MESSAGE(keeper_watch, KEEPER_WATCH)

/** What is watched, at most. */
#define KEEPER_WATCHED_MAX 4
#define KEEPER_NAME_SIZE 32

/** The state; a spawner gives the descriptor of the signals, a signalfd that does not block. */
struct keeper {
    int signal_fd;
    bool is_ready;
    bool is_ending;
    bool is_to_show; /* SIGUSR1 came, and nobody was told */
    troupe_status status;
    char why[KEEPER_WHY_SIZE];
    troupe_asker askers[KEEPER_STAGE_COUNT];
    struct {
        uint64_t monitor;
        char name[KEEPER_NAME_SIZE];
    } watched[KEEPER_WATCHED_MAX];
    uint32_t watched_count;
};

/** The behaviour. */
extern const troupe_behaviour keeper_behaviour;

#endif
