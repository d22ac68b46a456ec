/* SPDX-License-Identifier: MIT */
/*
 * backup.h: a copy of a journal's file as it is at one moment, while a server may be using it.
 *
 * The copy is made by a connection of its own that only reads and never checkpoints, so the server's rules
 * (sqlite.h, invariant 5) hold. What was acknowledged before the copy began is in it; what came after is not.
 * Place: used by the command line. Blocks on the disk for as long as it takes.
 */
#ifndef JOURNAL_BACKUP_H
#define JOURNAL_BACKUP_H

#include "journal/journal.h"

/**
 * Copies the journal at `from` to `to`, which must not exist; it appears complete and on the disk, or not at
 * all. TROUPE_CONFLICT (there is something at `to`, or the log of a file that was there), TROUPE_INVALID
 * (`from` is no journal), TROUPE_NOT_FOUND, TROUPE_IO; `error` says why.
 */
TROUPE_MUST_CHECK troupe_status journal_backup(const char *from, const char *to, struct journal_error *error);

#endif
