/* SPDX-License-Identifier: MIT */
/*
 * process.h: other programs: found, started, signalled, and how they ended. The part of the seam that only
 * the real environment has: what a program of somebody else's does cannot be simulated.
 *
 *     find -> start -> (signal) -> ended -> forget
 *
 * Place: under `troupe work`, which runs a command for each message. Called by any thread; a process is
 * started and waited for by the same one, because it dies with that thread.
 *
 * Invariants
 *   1. A program leads a process group of its own, and a signal goes to the whole group: what it has started
 *      does not outlive it unnoticed.
 *   2. It has three descriptors, those it was given, and no other one of ours; no signal is blocked or
 *      ignored.
 *   3. When the thread that started it dies in any way, it is killed: nobody would read what it says.
 */
#ifndef TROUPE_ENV_PROCESS_H
#define TROUPE_ENV_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <troupe/status.h>

/** The longest name of a program's file. */
#define ENV_PROCESS_FILE_MAX ((size_t)4096)

/** What to start. Everything is borrowed during the call. */
struct env_process_spec {
    const char *file;         /* from env_process_find */
    char *const *arguments;   /* ended by NULL; the first is the program's name */
    char *const *environment; /* ended by NULL, each NAME=VALUE */
    int fds[3];               /* which become its standard input, output and error */
};

/** How it ended: by itself with a status, or by a signal, which is 0 otherwise. */
struct env_process_end {
    int status;
    int signal;
};

/**
 * The file that a command's name stands for: itself when it has a slash, else the first of that name in the
 * folders of `path` that can be run. `ret_file` has ENV_PROCESS_FILE_MAX bytes. TROUPE_IO with errno set:
 * there is none (ENOENT), or it may not be run (EACCES); TROUPE_TOO_LARGE.
 */
TROUPE_MUST_CHECK troupe_status env_process_find(const char *name, const char *path, char *ret_file);

/**
 * Starts a program. TROUPE_IO with errno set: there are no more processes or descriptors, or the file is none
 * that can be run; nothing is left behind then.
 */
TROUPE_MUST_CHECK troupe_status env_process_start(const struct env_process_spec *spec, int *ret_id);

/** Whether a program has ended, and how. Its number is good until it is forgotten. Does not wait. */
bool env_process_ended(int id, struct env_process_end *ret_end);

/** Sends a signal to a program and all that it has started, as far as they are there. */
void env_process_signal(int id, int number);

/** Kills what is left of a program and of what it has started. Its number is good no longer. */
void env_process_forget(int id);

/** "SIGTERM" for its number, or "signal 34"; for people. */
const char *env_signal_name(int number, char ret_name[16]);

/** Two ends of a pipe that no program inherits; the reading one never blocks. TROUPE_IO with errno set. */
TROUPE_MUST_CHECK troupe_status env_pipe(int *ret_read_fd, int *ret_write_fd);

/** A descriptor to read these bytes from, as from a file. TROUPE_IO with errno set. */
TROUPE_MUST_CHECK troupe_status env_bytes_fd(const void *bytes, size_t size, int *ret_fd);

#endif
