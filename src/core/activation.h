/* SPDX-License-Identifier: MIT */
/*
 * activation.h: one turn of one actor: start it if need be, give it its messages one at a time, flush, and
 * end it if it is to end.
 */
#ifndef TROUPE_CORE_ACTIVATION_H
#define TROUPE_CORE_ACTIVATION_H

#include "core/system.h"

/*
 * Runs a turn of at most ACTIVATION_MESSAGES_MAX messages. On return the actor waits, is in `ready` again,
 * or is gone.
 */
void activation_run(struct worker *worker, struct actor *actor);

#endif
