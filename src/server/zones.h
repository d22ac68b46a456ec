/* SPDX-License-Identifier: MIT */
/*
 * zones.h: the time zones of the system, read when one is first asked for and kept. Any thread; the first
 * question for a zone reads a small file.
 */
#ifndef SERVER_ZONES_H
#define SERVER_ZONES_H

#include <stdbool.h>

#include "org/hours.h"

/** The most zones that are kept; a further one counts as unknown. */
#define ZONES_MAX 600

/** A zone by its name, "" for UTC, which is NULL; false when there is none of that name. */
bool zones_find(const char *name, const struct org_zone **ret_zone);

/**
 * Makes hours from what a message says of them; NULL when it says none. A zone that has gone from the system
 * counts as UTC.
 */
const struct org_hours *zones_hours(struct org_hours *hours, const char *zone, uint32_t from_minute,
                                    uint32_t to_minute, uint8_t days);

#endif
