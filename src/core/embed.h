/* SPDX-License-Identifier: MIT */
/*
 * embed.h: what the rest of the core needs of an embedded system: going on until something is so. See
 * embed.c.
 */
#ifndef TROUPE_CORE_EMBED_H
#define TROUPE_CORE_EMBED_H

#include "core/system.h"

/* Whether this system is embedded and this is the thread that steps it. */
bool embed_is_host(struct troupe_system *system);

/* Steps, and waits where a host would, until `is_over(context)`. The host's thread. */
void embed_run_until(struct troupe_system *system, bool (*is_over)(void *context), void *context);

#endif
