/* SPDX-License-Identifier: MIT */
/*
 * catalogue.h: projections of many streams on their way into the journal, in few transactions: a commit waits
 * for the disk, so one for each of 100,000 roles takes minutes, and one for all of them has no bound.
 *
 * Place: between the walk over all streams (verify.c, rebuild.c) and the journal's port. No actors: the file
 * is nobody else's. One thread; blocks on the disk.
 *
 *   walk: role a, role b, ... --catalogue_add--> pending --enough, or catalogue_flush--> one transaction
 */
#ifndef SERVER_CATALOGUE_H
#define SERVER_CATALOGUE_H

#include "base/buffer.h"
#include "journal/journal.h"

enum {
    /** A transaction is made when so many things are pending, or... */
    CATALOGUE_COUNT_MAX = 4096,
    /** ...when they have so many bytes. */
    CATALOGUE_BYTES_MAX = 4 << 20,
};

/** What can be added; the first two are kept, cards are put. */
enum catalogue_kind { CATALOGUE_SNAPSHOT, CATALOGUE_SUMMARY, CATALOGUE_CARDS };

/** A catalogue on its way. A caller fills in the first four and leaves the rest zeros. */
struct catalogue {
    struct journal *journal;
    enum journal_shelf shelf; /**< of the cards */
    journal_report *report;   /**< hears of a card that another stream has already */
    void *context;
    struct buffer pending; /**< private */
    uint32_t count;        /**< private */
};

/**
 * Adds a copy of what belongs to a stream, as of its record `seq`. Errors of the journal, whose transaction
 * it may make; TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status catalogue_add(struct catalogue *catalogue, enum catalogue_kind kind,
                                              const char *stream, uint64_t seq, const void *bytes,
                                              size_t size);

/** Makes what is pending durable. Errors of the journal. */
TROUPE_MUST_CHECK troupe_status catalogue_flush(struct catalogue *catalogue);

/** Forgets what is pending, and frees everything. */
void catalogue_done(struct catalogue *catalogue);

#endif
