/* SPDX-License-Identifier: MIT */
/*
 * work_verdict.h: what the end of a command means for its message, as the request that says so to the server.
 *
 *     exit status 0                 done: standard output is the reply
 *     65 (EX_DATAERR)               declined: standard output is the reason, or the last lines of errors
 *     75 (EX_TEMPFAIL)              deferred: standard output may begin with a line that says until when
 *     126, 127                      the command itself is at fault: back in the queue, and work ends
 *     anything else, a signal       crashed: what follows is the role's rule for it
 *     0 or 65 with an answer that is none (too long, not UTF-8)      failed: again would be the same
 *
 * Place: between child.h and work.c. Pure but for the memory of the JSON. One thread.
 */
#ifndef CLI_WORK_VERDICT_H
#define CLI_WORK_VERDICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/child.h"

enum {
    WORK_DECLINE = 65,
    WORK_DEFER = 75,
    WORK_NO_EXEC = 126, /* what a shell says of a command that it cannot run */
    WORK_NOT_FOUND = 127,
    WORK_WORDS_MAX = 256,
};

/** A request about a message, and in a few words why; "" where there is nothing to be said. */
struct work_verdict {
    const char *path;
    json_t *body;
    char words[WORK_WORDS_MAX];
    bool uses_delay;  /* it is deferred, and the command did not say until when */
    bool is_failure;  /* the command did not do what it is there for */
    bool is_hopeless; /* and would not do it for any other message */
};

/**
 * Judges a command that is over. `delay_ms` is for how long it is deferred when the command does not say. The
 * caller releases the body.
 */
struct work_verdict work_judge(const char *id, const struct child *child, int64_t now_ms, int64_t delay_ms);

/** The command could not be started, for the reason in errno `why`. */
struct work_verdict work_judge_unstarted(const char *id, int why);

/** It was taken, or worked on, while work was told to stop: it goes back, first in its class. */
struct work_verdict work_judge_stopped(const char *id);

/** The server does not take what the command answered, for this reason. */
struct work_verdict work_judge_unfit(const char *id, const char *detail);

#endif
