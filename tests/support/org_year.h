/* SPDX-License-Identifier: MIT */
/*
 * org_year.h: an organisation of 200 people and 20 programs lives a year in virtual time on the server's own
 * actors and the journal in memory, without HTTP. Everybody works at random: sends, takes, answers, declines,
 * forwards, defers, fails, lets leases lapse; people are away and leave; roles get other holders; mailboxes
 * are full; actors of roles are killed, and the server crashes at random steps and is down for a while. Then
 * the load stops. One seed makes it all.
 *
 * The oracle: nothing acknowledged is lost, whoever sent something gets one final notice of it and no more,
 * nothing is done twice, nobody holds more than the limit, no two hold the same, and at the end every mailbox
 * is empty and every count is right.
 */
#ifndef TESTS_ORG_YEAR_H
#define TESTS_ORG_YEAR_H

#include <stdint.h>

/** What a year had in it. */
struct year_report {
    uint64_t accepted;
    uint64_t refused;
    uint64_t notices;
    uint64_t crashes;
    uint64_t killed;
    uint64_t failures;
};

/** Lives the year of a seed. What does not hold fails the test that runs, or ends the process. */
void year_live(uint64_t seed, struct year_report *ret_report);

#endif
