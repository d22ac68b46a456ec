/* SPDX-License-Identifier: MIT */
/*
 * replay.h: the inside of `troupe replay`: sends each row of a file as a message to one bounded mailbox and,
 * at the same time and as the program that holds it, takes and finishes them. One thread turns three pumps,
 * each with its requests under way on the fleet:
 *
 *     replay_feed.c    rows of the file --POST /v1/send--> accepted; refused rows wait and are sent again
 *     replay_take.c    --POST /v1/next--> in hand --POST /v1/done (and the next)--> handled
 *     replay_verify.c  at the end: --GET /v1/message--> what became of the rows that this run did not finish
 *
 * The run as a whole (replay.c):
 *
 *     running --everything sent--> draining --mailbox empty--> verifying --every row known--> finished
 *        ^                                                        |
 *        |                          a row still waits ------------+
 *        +--- recovering <--- the connection was lost (from any phase)
 *
 * Exactly once, whatever is lost on the way: a row's key (file name and number) makes a repeated send the
 * same message; what is in hand is asked from the server after each loss, never remembered across one; and a
 * row counts as handled only when the server said so. So the same command, run again after any end, takes up
 * where it was.
 *
 * Invariants
 *   1. Memory is bounded: FEED_BATCHES and TAKE_BATCHES times BATCH_MAX rows or messages, and the ledger's 16
 *      bytes a row.
 *   2. in hand + asked for <= the program's WIP limit, so that `next` always gives new messages and never the
 *      held ones.
 *   3. ending is set once, by the first thing that cannot be mended, and ends the loop.
 */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/fleet.h"
#include "cli/ledger.h"
#include "cli/patches.h"
#include "cli/waits.h"

enum {
    BATCH_MAX = 100,     /* requests in one array: the server's limit */
    FEED_BATCHES = 4,    /* arrays of sends under way at once */
    TAKE_BATCHES = 4,    /* arrays of takes and finishes under way at once */
    VERIFY_REQUESTS = 8, /* look-ups under way at once */
    RETRY_MS_MIN = 5,    /* a refused row waits as long as the server says, but within these bounds */
    RETRY_MS_MAX = 1000,
    ROLE_NAME_MAX = 128,
    FILE_NAME_MAX = 100, /* bytes; with ":" and a row's number it is a key, of at most 128 */
};

_Static_assert(FEED_BATCHES + TAKE_BATCHES + VERIFY_REQUESTS <= FLEET_SLOTS_MAX,
               "every pump finds a free slot");

struct replay;

/** Where the run as a whole is. */
enum replay_phase { REPLAY_RUNNING, REPLAY_DRAINING, REPLAY_VERIFYING, REPLAY_FINISHED };

/** A row that is on its way to the mailbox: `message` is the body of its send. */
struct feed_row {
    int64_t number;
    int64_t sent_unix;
    json_t *message;
};

/** Rows that are sent together; those that were refused stay in it. */
struct feed_batch {
    struct replay *replay;
    struct feed_row rows[BATCH_MAX];
    int row_count;
    int sent_count; /* the first so many are under way */
    bool is_under_way;
};

/**
 * The sending side. `ahead` is the row that was read but is not due yet; its message is NULL when there is
 * none.
 */
struct feed {
    struct feed_batch batches[FEED_BATCHES];
    struct feed_row ahead;
    bool is_read; /* the file has ended */
    bool is_full; /* rows were refused: the oldest go first, `window` at a time, not before not_before_ms */
    int window;
    int64_t not_before_ms;
    bool has_origin;
    int64_t origin_unix; /* the row that is due at origin_ms */
    int64_t origin_ms;
};

/** A message in hand; row 0 is somebody else's. */
struct take_message {
    char id[LEDGER_ID_MAX + 1];
    int64_t row;
};

/** Messages that are taken and finished together. `asked` are those that the request under way asks for. */
struct take_batch {
    struct replay *replay;
    struct take_message messages[BATCH_MAX];
    int count;
    int asked;
    bool is_under_way;
};

/**
 * The handling side. `waiting` is what the mailbox holds beyond what was asked for, as far as this run knows;
 * is_doubtful says that it knows wrong: nothing more is asked for until a sweep has put it right.
 */
struct take {
    struct take_batch batches[TAKE_BATCHES];
    int64_t waiting;
    int64_t wip_limit;
    bool is_doubtful;
    int64_t swept_ms;
};

/** One look-up under way. */
struct verify_request {
    struct replay *replay;
    int64_t row; /* 0 while it is free */
};

/** The look-ups at the end: a walk over the ledger. */
struct verify {
    struct verify_request requests[VERIFY_REQUESTS];
    int64_t next_row;
    int64_t open_count; /* rows found queued or held: not over yet */
};

/** What the report counts beside the ledger. */
struct replay_counts {
    int64_t sent;
    int64_t duplicates;
    int64_t refused;
    int64_t handled;
    int64_t others; /* messages finished that were not rows of this file */
    int64_t outages;
};

/** One run. */
struct replay {
    const struct cli *cli;
    struct settings settings;
    struct fleet *fleet;
    struct transfer *transfer; /* for the questions that are asked one at a time */

    const char *path;
    const char *file_name;
    const char *role;
    char program[ROLE_NAME_MAX + 1];
    double factor; /* 0: as fast as it goes */
    int64_t patience_ms;

    enum replay_phase phase;
    enum cli_exit ending;
    bool is_lost;
    int64_t progress_ms; /* when something last moved */
    int64_t swept_ms;    /* progress_ms at the last sweep while draining */
    int64_t start_ms;

    struct patches patches;
    struct feed feed;
    struct take take;
    struct verify verify;
    struct ledger ledger;
    struct waits waits;
    struct replay_counts counts;
};

/* replay.c */

/** Milliseconds on the steady clock. */
int64_t replay_now_ms(void);

/** Says what cannot be mended and ends the run with it, unless it is ending already. */
void replay_end(struct replay *replay, enum cli_exit ending, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * Whether a request ended with status 200 to 299. Otherwise it has noted that the connection is lost, or
 * ended the run.
 */
bool replay_is_answered(struct replay *replay, const struct client_answer *answer);

/**
 * Whether one item of an array's answer has a status of 200 to 299. Otherwise it has noted that the server is
 * stopping, or ended the run with `what` and the reason.
 */
bool replay_is_item_good(struct replay *replay, const json_t *item, const char *what);

/** Asks one question and waits. The caller releases ret_answer->json. */
void replay_ask(struct replay *replay, const struct client_request *request,
                struct client_answer *ret_answer);

/* replay_setup.c */

/** Finds the role and its program, or makes them. CLI_OK, or what went wrong, said. */
enum cli_exit replay_setup(struct replay *replay);

/* replay_feed.c */

/** Starts what can be sent now. Gives when to look again, at most `wait_ms` from now. */
int64_t replay_feed_step(struct replay *replay, int64_t now_ms, int64_t wait_ms);

/** Whether a row was sent, or is due, and not taken in by the server yet. */
bool replay_feed_has_rows(const struct replay *replay);

/** Whether every row has been taken in by the server. */
bool replay_feed_is_over(const struct replay *replay);

/** After a loss: what was under way will be sent again. */
void replay_feed_restart(struct replay *replay);

/** Frees the rows. */
void replay_feed_done(struct replay *replay);

/* replay_take.c */

/** Starts what can be taken and finished now; sweeps before, where that is due. */
void replay_take_step(struct replay *replay);

/** Whether nothing is in hand, asked for, or known to wait. */
bool replay_take_is_idle(const struct replay *replay);

/** After a loss: forgets what is in hand. replay_take_sweep then learns it again. */
void replay_take_restart(struct replay *replay);

/**
 * Asks what is held and what waits, and takes it over. False when the server did not answer. `ret_left` is
 * how many.
 */
bool replay_take_sweep(struct replay *replay, int64_t *ret_left);

/* replay_verify.c */

/** Begins the walk over the ledger. */
void replay_verify_start(struct replay *replay);

/** Starts the look-ups that there is room for. */
void replay_verify_step(struct replay *replay);

/** Whether the walk is over. */
bool replay_verify_is_over(const struct replay *replay);

/* replay_report.c */

/** Asks the server for its own check, prints the report, and says how the program ends. */
enum cli_exit replay_report(struct replay *replay);

/** One line on standard error, where that is a terminal: how far it is. */
void replay_show_progress(const struct replay *replay);

#endif
