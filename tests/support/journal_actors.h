/* SPDX-License-Identifier: MIT */
/*
 * journal_actors.h: what the tests of the journal's writer share: a simulated system, a writer in it, and
 * appends that an actor asks for. One thread starts them.
 */
#ifndef SUPPORT_JOURNAL_ACTORS_H
#define SUPPORT_JOURNAL_ACTORS_H

#include <troupe.h>

#include "journal/journal.h"
#include "journal/writer.h"

/** How long an ask of a test may take, in milliseconds. */
#define TEST_TIMEOUT_MS 60000

/** Starts a simulated system; the test fails when it cannot be. */
troupe_system *test_start_simulated(uint64_t seed);

/** Spawns the writer of a journal. */
troupe_ref test_spawn_writer(troupe_system *system, struct journal *journal);

/**
 * Asks the writer to append `count` records, with the bodies of test_body. The status is that of troupe_ask.
 */
troupe_status test_ask_append(troupe_self *self, const char *stream, uint64_t expected_seq, uint32_t count,
                              troupe_reply_handler on_reply, void *context);

/** Receives nothing: for actors that only ask. */
troupe_status test_refuse(troupe_self *self, const troupe_message *message);

#endif
