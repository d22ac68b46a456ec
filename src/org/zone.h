/* SPDX-License-Identifier: MIT */
/*
 * zone.h: a time zone: what clocks on the wall show at an instant, and when they show something. Read from
 * the bytes of a file of the system's zoneinfo (TZif, RFC 9636, versions 2 to 4): its transitions and, after
 * the last of them, its rule for all years to come. libc knows only the one zone of the process, and setting
 * another is not for programs with threads; so the file, which is data, is read here, and nothing else.
 *
 * Place: hours.h reckons with it; the server reads the file. Pure; a zone never changes once it is read, so
 * any number of threads may use it.
 */
#ifndef ORG_ZONE_H
#define ORG_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include <troupe/status.h>

enum {
    ORG_ZONE_NAME_LEN_MAX = 64, /* "America/Argentina/ComodRivadavia" has 32 */
    ORG_ZONE_TRANSITIONS_MAX = 4096,
    ORG_ZONE_FILE_SIZE_MAX = 256 << 10,
};

/** A time zone. */
struct org_zone;

/**
 * Reads one. TROUPE_MALFORMED when the bytes are none that can be used, TROUPE_TOO_LARGE beyond the limits
 * above, TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status org_zone_read(const void *bytes, size_t size, struct org_zone **ret_zone);

/** Frees it; NULL is good. */
void org_zone_free(struct org_zone *zone);

/** How far clocks are ahead of UTC at an instant, in seconds. NULL is UTC. */
int32_t org_zone_offset_s(const struct org_zone *zone, int64_t unix_s);

/**
 * The instant at which clocks show a local time, both in seconds from 1970. Where they show it twice, the
 * first; where they leap over it, the instant of the leap.
 */
int64_t org_zone_instant_s(const struct org_zone *zone, int64_t local_s);

#endif
