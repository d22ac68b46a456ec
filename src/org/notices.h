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
    const struct org_hours *hours; /* NULL: every moment is good */
    const struct org_zone *zone;   /* that shows the minute of a digest; NULL: UTC */
};

/** What waits for somebody, in all roles whose messages they may take. */
struct org_notice_waiting {
    uint64_t queued;   /* of every class */
    int64_t oldest_at; /* when the oldest of them came */
    uint64_t urgent;   /* urgent ones of which no notice told yet */
    int64_t urgent_at; /* when the oldest of those came */
};

/** What is to be done now, and when to look next if nothing changes before. */
struct org_notice_look {
    enum org_notices due; /* the notice that goes out now; ORG_NOTICES_NONE for none */
    int64_t again_at;     /* INT64_MAX: when something comes, or a choice or a calendar changes */
};

/**
 * When a notice of a message of this class that came at a time goes out: at once, or when the hours begin, or
 * with the next digest, which waits for the hours too. INT64_MAX: never.
 */
int64_t org_notice_at(const struct org_notice_choice *choice, enum org_class message_class, int64_t at_ms);

/**
 * Which notice is due. A digest tells of all that waits, once a day on the person's clock, and only when
 * something came before its hour; `digest_at` is when the last one went out, 0 for never. An urgent message
 * is told of once. What could not go out in time, because nobody was there to look, goes out when the hours
 * are open and the person is there: `away_until` is when an absence that covers now ends, INT64_MAX when
 * nobody knows, 0 for none. An absence that begins later is seen at the next look.
 */
struct org_notice_look org_notice_look(const struct org_notice_choice *choice,
                                       const struct org_notice_waiting *waiting, int64_t digest_at,
                                       int64_t away_until, int64_t now_ms);

#endif
