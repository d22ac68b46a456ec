/* SPDX-License-Identifier: MIT */
/*
 * notices.h: when somebody is told that something waits. Nothing interrupts: it is each one's choice whether
 * there are notices at all, of urgent messages alone, or a digest at a set hour; and none goes out outside
 * their hours or on a day off. Who is away gets none: that the caller knows, by the calendar.
 *
 * Place: asked by whoever sends notices, and for what whoami shows. Pure; any thread.
 */
#ifndef ORG_NOTICES_H
#define ORG_NOTICES_H

#include <stdint.h>

#include "org/events.h"
#include "org/hours.h"

/** What somebody chose. Stored. */
enum org_notices {
    ORG_NOTICES_NONE = 0,   /* the default: one looks when one wants to */
    ORG_NOTICES_URGENT = 1, /* of each urgent message, and of no other */
    ORG_NOTICES_DIGEST = 2, /* of all that waits, at one time of each working day */
};

/** The whole choice. */
struct org_notice_choice {
    enum org_notices kind;
    uint16_t digest_minute;        /* of the day, with ORG_NOTICES_DIGEST */
    const struct org_hours *hours; /* NULL: every moment is good, and clocks show UTC */
};

/**
 * When a notice of a message of this class that came at a time goes out: at once, or when the hours begin, or
 * with the next digest, which waits for the hours too. INT64_MAX: never.
 */
int64_t org_notice_at(const struct org_notice_choice *choice, enum org_class message_class, int64_t at_ms);

#endif
