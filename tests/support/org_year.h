/* SPDX-License-Identifier: MIT */
/*
 * org_year.h: an organisation of 200 people and 20 programs lives a year in virtual time on the server's own
 * actors, without HTTP: on the journal in memory, and every tenth year, by its seed, on SQLite over a
 * simulated disk, of whose unsynced writes a crash leaves all, none or some, torn (house_journal.h).
 * Everybody works at random: sends, takes, answers, declines, forwards, defers, fails, lets leases lapse;
 * people are away, leave and arrive; roles get other holders; some days everybody writes to one role, or
 * everything fails; actors of roles are killed; the server crashes at random steps and is down for a while;
 * the journal fails in a commit, an append, a snapshot or a read, and the server ends. Then the load stops.
 * One seed makes it all.
 *
 * What has to hold is in org_year_oracle.h; and at the end every mailbox is empty and every count is right.
 */
#ifndef TESTS_ORG_YEAR_H
#define TESTS_ORG_YEAR_H

#include <stdbool.h>
#include <stdint.h>

/** Every so many-th seed's year is lived on a disk; with TROUPE_YEAR_ON_DISK in the environment every one. */
#define YEAR_ON_DISK_EVERY 10

/** What a year had in it: X(name). */
#define YEAR_REPORT(X)                                                                                       \
    X(accepted) /* letters */                                                                                \
    X(refused)                                                                                               \
    X(repeated)    /* sent again with their keys, long after they were accepted */                           \
    X(notices)     /* final ones */                                                                          \
    X(told)        /* notices of what waits, to those who chose to be told */                                \
    X(due)         /* held against what waited: it had to be told of, and was */                             \
    X(escalations) /* given to somebody */                                                                   \
    X(failures)    /* said by holders */                                                                     \
    X(storms)      /* of failures */                                                                         \
    X(rushes)      /* of letters to one role */                                                              \
    X(absences)                                                                                              \
    X(leavers)                                                                                               \
    X(arrivals)                                                                                              \
    X(holders)      /* changes of a role's */                                                                \
    X(killed)       /* actors of roles */                                                                    \
    X(role_faults)  /* the same, in the middle of a step */                                                  \
    X(crashes)      /* of the server, at a random step */                                                    \
    X(lost_commits) /* failures of the journal, upon each of which the server ended: */                      \
    X(told_commits) /* this one had stored what it said it had not */                                        \
    X(lost_appends)                                                                                          \
    X(lost_snapshots)                                                                                        \
    X(lost_reads)                                                                                            \
    X(failed_starts) /* the same, before the server was up */                                                \
    X(gave_up)       /* the server, for want of memory */

struct year_report {
#define YEAR_REPORT_FIELD(name) uint64_t name;
    YEAR_REPORT(YEAR_REPORT_FIELD)
#undef YEAR_REPORT_FIELD
    uint64_t trace_hash; /* the same for the same seed */
};

/** Whether the year of a seed is lived on a disk. */
bool year_is_on_disk(uint64_t seed);

/** Lives the year of a seed. What does not hold fails the test that runs, or ends the process. */
void year_live(uint64_t seed, struct year_report *ret_report);

#endif
