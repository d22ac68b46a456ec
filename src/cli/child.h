/* SPDX-License-Identifier: MIT */
/*
 * child.h: a command while it runs: what it is given, what it says, how long it may take, and how it ends.
 *
 *     start -> running --it ends-----------------------------> ended --its output is at an end--> over
 *                 |                                              ^       (or its grace is)
 *                 +--too slow, says too much, stopped--> TERM ---+
 *                                                         +-- after the grace: KILL
 *
 * Place: under `troupe work`, between a message and its answer, on env/process.h. One thread; nothing here
 * blocks but writing to standard error.
 *
 * Invariants
 *   1. Of what the command says no more is kept than CHILD_OUTPUT_MAX and CHILD_ERRORS_MAX bytes; it is read
 *      to its end all the same, so that nobody waits for a reader.
 *   2. When it is over, nothing of its process group is left.
 */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/cli.h"
#include "env/process.h"

enum {
    CHILD_OUTPUT_MAX = CLI_BODY_MAX, /* bytes of standard output: a reply has no more */
    CHILD_ERRORS_MAX = 2048,         /* bytes of the last lines, for whoever has to find out what happened */
    CHILD_LINES_MAX = 20,            /* and how many lines those are at most */
    CHILD_LINGER_MS = 1000, /* how long what it has started may go on writing when it has ended itself */
};

/** Why a command ended. */
enum child_cause {
    CHILD_ENDED,    /* by itself, or by a signal of somebody else's */
    CHILD_TOO_SLOW, /* it took longer than it may */
    CHILD_TOO_LONG, /* it said more than CHILD_OUTPUT_MAX bytes */
    CHILD_STOPPED,  /* by child_stop */
};

/** A command: its file and its words, and what it is given. Borrowed during the call that starts it. */
struct child_spec {
    const char *file;
    char *const *arguments;
    char *const *environment;
    const void *input;
    size_t input_size;
    int64_t timeout_ms; /* 0: it takes as long as it takes */
    int64_t grace_ms;   /* between TERM and KILL */
};

/** One run of a command. */
struct child {
    int id;
    int output_fd; /* -1: at its end */
    int errors_fd;
    bool has_ended;
    bool is_killed;
    enum child_cause cause;
    struct env_process_end end;
    struct buffer output;
    struct buffer errors; /* the last of them, up to twice CHILD_ERRORS_MAX */
    int64_t timeout_ms;
    int64_t grace_ms;
    int64_t due_ms; /* the next moment at which time does something; INT64_MAX: never */
};

/**
 * Starts a command at this moment of a monotonic clock. TROUPE_IO with errno set: it cannot be started.
 * Whatever comes of it, child_done is called once.
 */
troupe_status child_start(struct child *child, const struct child_spec *spec, int64_t now_ms);

/** Reads what it has said, sees whether it has ended, and does what is due. */
void child_step(struct child *child, int64_t now_ms);

/** Ends it, with time to end by itself; asked again, without. */
void child_stop(struct child *child, enum child_cause cause, int64_t now_ms);

/** Whether there is nothing more to wait for. */
bool child_is_over(const struct child *child);

/** Kills what is left of it and frees everything. */
void child_done(struct child *child);

/**
 * The last lines that it wrote to standard error, or to standard output when there are none, as text that may
 * be shown anywhere; "" for nothing. The caller frees it.
 */
char *child_last_lines(const struct child *child);

#endif
