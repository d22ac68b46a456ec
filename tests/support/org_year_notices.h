/* SPDX-License-Identifier: MIT */
/*
 * org_year_notices.h: in some years of org_year.h some choose to be told of what waits, and at its end the
 * events say whether they were: what they were told is held against what waited in each role at each moment,
 * which another fold of the same events finds. One thread.
 *
 *   never in quiet hours, on days off or during an absence
 *   none twice      one digest a day, and of each urgent message once
 *   none made up    something waited for whoever was told
 *   none missing    what waited for days while its holder was there was told of
 */
#ifndef TESTS_ORG_YEAR_NOTICES_H
#define TESTS_ORG_YEAR_NOTICES_H

#include <stdbool.h>
#include <stdint.h>

/** In every so many-th seed's year some choose. */
#define YEAR_NOTICES_EVERY 5

/** Whether anybody chooses in the year of a seed. */
static inline bool year_has_notices(uint64_t seed)
{
    return seed % YEAR_NOTICES_EVERY == 4;
}

/** Some choose, before anything happens. */
void year_choose_notices(void);

/** At the end: what has to hold of all notices of the year does. */
void year_check_notices(void);

#endif
