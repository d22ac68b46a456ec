/* SPDX-License-Identifier: MIT */
/*
 * memory.h: what the memory driver can do beyond the port: fail on demand, and lose what a dead process would
 * have lost. For tests and for the simulated system, where the journal is the one thing that outlives a
 * server's crash. One thread at a time.
 */
#ifndef JOURNAL_MEMORY_H
#define JOURNAL_MEMORY_H

#include <stdint.h>

#include "journal/journal.h"

/**
 * The commit that comes after `commits` further good ones fails, as an fsync fails: it may or may not have
 * stored its records.
 */
void journal_memory_fail_after(struct journal *journal, uint64_t commits, bool is_stored);

/** As a crash and a new start: what was not committed is gone, and a failure is over. */
void journal_memory_restart(struct journal *journal);

#endif
