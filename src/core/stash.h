/* SPDX-License-Identifier: MIT */
/*
 * stash.h: messages that an actor keeps for later. They are neither handled nor dead letters until they are
 * given back to the mailbox, or the actor ends.
 */
#ifndef TROUPE_CORE_STASH_H
#define TROUPE_CORE_STASH_H

#include "core/extras.h"

/*
 * Keeps a message that a handler answered with TROUPE_STASHED; one that cannot be kept is a dead letter.
 * Takes it.
 */
void stash_keep(struct worker *worker, struct actor *actor, troupe_message *message);

/* Makes dead letters of what is kept: the actor ends. */
void stash_bury(struct worker *worker, struct actor *actor);

#endif
