/* SPDX-License-Identifier: MIT */
/*
 * dead_letter.h: where a message's way ends that nobody handles: it is counted under its reason, and whoever
 * subscribed is told. Any worker, or outside within context_enter; off the common way of a message.
 *
 * Invariant: each message is noted here at most once, and then never counted as handled.
 */
#ifndef TROUPE_CORE_DEAD_LETTER_H
#define TROUPE_CORE_DEAD_LETTER_H

#include "core/system.h"

/* Counts a message that will never be handled by `to`. The message stays the caller's. */
void dead_letter_note(struct worker *worker, troupe_ref to, const troupe_message *message,
                      troupe_dead_reason reason);

/* What whoever asked with such a message is told. */
troupe_status dead_letter_status(troupe_dead_reason reason);

#endif
