/* SPDX-License-Identifier: MIT */
/* sim.h: what of the simulator the rest of the core needs: steps in virtual time. See sim.c. */
#ifndef TROUPE_CORE_SIM_H
#define TROUPE_CORE_SIM_H

#include "core/system.h"

/* One step of one worker that has work, chosen by the seed; false when none has. */
bool sim_step(struct troupe_system *system);

#endif
