/* SPDX-License-Identifier: MIT */
/*
 * hours.h: when somebody works: days of the week, hours of the day, on the clocks of a time zone. Leases and
 * ageing are given in working time: a whole day of it is one working day, however long that is, and what is
 * left over is working hours. "Three working days" from Wednesday 14:00 are over on Monday 14:00, also when
 * clocks change between.
 *
 * Place: commands carry the hours of the actor that gives them, as they carry the time; role_work.c reckons
 * with them. Pure; any thread.
 */
#ifndef ORG_HOURS_H
#define ORG_HOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "org/zone.h"

enum {
    ORG_DAY_MINUTES = 24 * 60,
    ORG_ALL_DAYS = 0x7f,
};

/** Working hours. A bit a day, Monday the lowest; minutes of the day, `from` below `to`, at most 24:00. */
struct org_hours {
    const struct org_zone *zone; /* NULL: UTC */
    uint8_t days;
    uint16_t from_minute;
    uint16_t to_minute;
};

/** Whether they can be worked with: some day, some time of it. */
bool org_hours_are_valid(const struct org_hours *hours);

/** Whether this instant lies in them. NULL: always. */
bool org_hours_is_open(const struct org_hours *hours, int64_t at_ms);

/**
 * The instant at which `span_ms` have been worked since `at_ms`. NULL: every moment is worked. A span of 0 is
 * over at once.
 */
int64_t org_hours_after(const struct org_hours *hours, int64_t at_ms, int64_t span_ms);

/** The latest instant from which `span_ms` have been worked until `at_ms`. */
int64_t org_hours_before(const struct org_hours *hours, int64_t at_ms, int64_t span_ms);

#endif
