/* SPDX-License-Identifier: MIT */
/*
 * work.h: the state of one `troupe work`, between the file that decides what happens next (work.c) and the
 * one that asks the server and waits (work_ask.c). One thread; everything that may happen meanwhile (an
 * answer, a word or the end of the command, a signal, time) ends one wait, in work_pump.
 *
 * Place: under the verb `work`, on fleet.h, child.h and the signals of env. Nothing else waits.
 *
 * Invariants
 *   1. At most one request and one renewal are under way.
 *   2. What the server did not answer is asked again, until it does: every request here has the same effect
 *      once and twice. What it refused is not.
 */
#ifndef CLI_WORK_H
#define CLI_WORK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/child.h"
#include "cli/cli.h"
#include "cli/fleet.h"
#include "env/env.h"

enum {
    WORK_POLL_MS = 5000,         /* how long one request for a message waits: a stop waits for its end */
    WORK_BACKOFF_FIRST_MS = 100, /* between requests that are not answered, doubled each time up to */
    WORK_BACKOFF_MAX_MS = 5000,
    WORK_GIVE_BACK_MS = 5000, /* how long a server that is away is tried when there is no time left */
    WORK_DETAIL_MAX = CLI_PROBLEM_MAX,
};

/** What the server said. */
struct work_answer {
    long status;
    json_t *json;                 /* NULL for none; whoever has the answer releases it */
    char detail[WORK_DETAIL_MAX]; /* of a refusal, why */
};

/** One message in hand, borrowed from the answer that it came in. */
struct work_letter {
    const json_t *message;
    const char *id;
    int64_t held_since;
    int64_t attempts;
    int64_t lease_ms; /* 0: not known */
};

/** The whole. */
struct work {
    const struct cli *cli;
    const char *role;
    char file[ENV_PROCESS_FILE_MAX]; /* of the command */
    int64_t timeout_ms;
    int64_t grace_ms;
    struct settings settings;
    struct fleet *fleet;
    struct env *env;
    struct env_signals *signals;
    unsigned stops; /* signals that said to end */
    enum cli_exit ending;
    bool is_over;        /* it cannot go on; ending says how */
    bool is_away;        /* the server did not answer the last time */
    bool is_doubtful;    /* an answer may be lost: there may be a message that we do not know of */
    struct child *child; /* the command that runs; NULL: none */

    bool is_asking;             /* a request is under way */
    struct client_answer asked; /* what came of the last one */

    const struct work_letter *held; /* the message whose lease is looked after; NULL: none */
    bool is_renewing;               /* its renewal is under way */
    int64_t renew_ms;               /* when it is to be renewed */
    int64_t lease_ms;               /* how long the lease is, as far as known */
    char lost[WORK_DETAIL_MAX];     /* why it is held no longer; "" while it is */
};

/**
 * When a request is given up: by how many signals while it is under way, and while it waits to be repeated.
 */
struct work_patience {
    unsigned stops_asking;
    unsigned stops_waiting;
    int64_t end_ms;       /* INT64_MAX: never */
    bool has_end_of_wait; /* the first signal makes the server answer at once */
};

/** Milliseconds of a clock that only goes forward. */
int64_t work_now_ms(const struct work *work);

/** Waits until something happens, at most until that moment, and sees to it. */
void work_pump(struct work *work, int64_t until_ms);

/**
 * Asks until the server answers with what is no mere "later". False: it was given up, or `work` is over, as
 * its token or the whole server is not good; that has been said. The caller releases the answer's JSON.
 */
bool work_ask(struct work *work, const struct client_request *request, const struct work_patience *patience,
              struct work_answer *ret_answer);

/** Begins to look after a message's lease; when its length is not known, that is asked at once. */
void work_lease_begin(struct work *work, const struct work_letter *letter);

/** Ends that; a renewal under way is dropped. */
void work_lease_end(struct work *work);

/** Work cannot go on. */
void work_end(struct work *work, enum cli_exit ending);

#endif
