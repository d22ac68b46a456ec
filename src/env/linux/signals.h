/* SPDX-License-Identifier: MIT */
/* signals.h: the members of env_ops for signals, for linux.c's table. */
#ifndef TROUPE_ENV_LINUX_SIGNALS_H
#define TROUPE_ENV_LINUX_SIGNALS_H

#include "env/env.h"

troupe_status linux_signals_new(struct env *env, struct env_signals **ret_signals);
void linux_signals_free(struct env_signals *signals);
int linux_signals_fd(struct env_signals *signals);
troupe_status linux_signals_listen(struct env_signals *signals, int number);
void linux_signals_unlisten(struct env_signals *signals, int number);
bool linux_signals_read(struct env_signals *signals, struct env_signal *ret_signal);

#endif
