/* SPDX-License-Identifier: MIT */
/*
 * ledger.h: what `troupe replay` knows of each row, and the proof at the end that every row was handled
 * exactly once. Of each row it keeps the id of its message and four facts; the server's answers are entered
 * as they come, in any order, also twice.
 *
 *     unknown --accepted--> (accepted) --taken--> (taken) --handled--> (handled)
 *        |                      |
 *        +-----duplicate--------+------------found done (handled before, or by somebody else)
 *
 * Place: beside the two pumps of a replay. One thread; memory: LEDGER_ROW_SIZE bytes a row, fixed at the
 * start.
 *
 * Invariants
 *   1. A row has at most one id. A second one, from a receipt or from a message taken, is a row that is in
 *      the mailbox twice: it is counted in `doubled` and never forgotten.
 *   2. missing = rows that are neither handled nor found done; exactly once means missing = 0 and doubled =
 *      0.
 */
#ifndef CLI_LEDGER_H
#define CLI_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LEDGER_ID_MAX = 14, /* bytes of a message's id: 13, with room for one more */
    LEDGER_ROW_SIZE = 16,
};

/** Facts about a row. */
enum ledger_fact {
    LEDGER_ACCEPTED = 1,   /* this run's send made the message */
    LEDGER_DUPLICATE = 2,  /* the server had it already */
    LEDGER_TAKEN = 4,      /* this run took it */
    LEDGER_HANDLED = 8,    /* this run finished it */
    LEDGER_FOUND_DONE = 16 /* it was done, and this run did not do it */
};

struct ledger_row {
    char id[LEDGER_ID_MAX];
    uint8_t facts;
};

/** The ledger of rows 1 to row_count. */
struct ledger {
    struct ledger_row *rows;
    int64_t row_count;
    int64_t doubled;
};

/** A ledger of that many unknown rows. Out of memory ends the program. */
void ledger_init(struct ledger *ledger, int64_t row_count);

/** Frees the rows. */
void ledger_done(struct ledger *ledger);

/** Whether this can be the id of a message. */
bool ledger_is_id(const char *id);

/**
 * Enters a fact about the message `id` of a row in [1, row_count]. True when it is new; false when it was
 * known, or when the row has another id, which counts as doubled.
 */
bool ledger_enter(struct ledger *ledger, int64_t row, const char *id, enum ledger_fact fact);

/** The row's id, LEDGER_ID_MAX bytes and ended by a NUL only if shorter; empty while it is unknown. */
const char *ledger_id(const struct ledger *ledger, int64_t row);

/** Whether a fact was entered. */
bool ledger_has(const struct ledger *ledger, int64_t row, enum ledger_fact fact);

/** Whether the row is handled or found done. */
bool ledger_is_complete(const struct ledger *ledger, int64_t row);

/** How many rows have the fact. */
int64_t ledger_count(const struct ledger *ledger, enum ledger_fact fact);

/** How many rows are neither handled nor found done. */
int64_t ledger_missing(const struct ledger *ledger);

#endif
