/* SPDX-License-Identifier: MIT */
/*
 * trace.h: a file that Perfetto (ui.perfetto.dev) and chrome://tracing open: what each worker did when, and
 * which message led to what.
 *
 *   - a track a worker, and one for the threads outside
 *   - a slice for each turn of an actor, named after it, and in it one for each message it took, named after
 *     the message's type
 *   - an arrow from each send to the taking of that message
 *   - a mark for each actor that is born, ends, or is started again, and for each supervisor that gives up
 *
 * The form is the Trace Event Format's (JSON object, "traceEvents"), times in microseconds of the system's
 * clock. Each worker notes into a buffer of its own and never waits; a thread beside them writes the file.
 * When a buffer is full, what comes next is left out and counted: otherData.lost in the file says how much.
 * An arrow is drawn only when both of its ends are known, so the file is whole whatever was lost.
 *
 * A simulated system notes virtual time, each note at least 1 ns after the one before, loses nothing, and
 * makes the same file, byte for byte, from the same seed and calls.
 *
 * While no trace is made it costs nothing where messages are sent and handled; while one is, a few hundred
 * nanoseconds a message.
 */
#ifndef TROUPE_TRACE_H
#define TROUPE_TRACE_H

#include <stdint.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How many notes of one worker wait to be written, at most. */
#define TROUPE_TRACE_NOTES_MAX 65536u

/**
 * Begins a trace in the file `path`, which is made or emptied. Workers join it at the end of the turn that
 * they are in. From threads outside. Errors: TROUPE_CONFLICT (one is being made), TROUPE_IO (the file, or the
 * thread that writes it), TROUPE_NO_MEMORY, TROUPE_IN_HANDLER.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_trace_start(troupe_system *system, const char *path);

/**
 * Ends the trace and closes the file; troupe_stop does so for one that still goes on. Writes how many notes
 * were lost; `ret_lost` may be NULL. From threads outside. Errors: TROUPE_NOT_FOUND (there is none),
 * TROUPE_IO (the file is not whole), TROUPE_IN_HANDLER.
 */
TROUPE_API troupe_status troupe_trace_stop(troupe_system *system, uint64_t *ret_lost);

#ifdef __cplusplus
}
#endif

#endif
