/* SPDX-License-Identifier: MIT */
/*
 * notices.h: when somebody is told that something waits. Nothing interrupts: it is each one's choice whether
 * there are notices at all, of urgent messages alone, or a digest at a set hour; and none goes out outside
 * their hours or on a day off. Who is away gets none: that the caller knows, by the calendar.
 *
 * Place: the directory (directory_notices.h) asks for the time of each notice, and whoami shows the next one.
 * Pure; any thread.
 */
#ifndef ORG_NOTICES_H
#define ORG_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
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

/* --- a notice of several roles -------------------------------------------------------------------- */

/** What waits in a role for its active holder, whom a notice tells of it. */
struct org_notice_role {
    const char *role;
    uint64_t queued;
    int64_t oldest_at;    /* when the oldest of them came */
    uint64_t urgent;      /* urgent ones among them */
    uint64_t urgent_last; /* the number of the newest of those, as in org_role_waiting; 0 for none */
};

/**
 * ORG_NOTICE: by the actor itself, which is to say the server. Tells it of all that waits in the roles it is
 * the active holder of, if org_directory_notice_look says so, else does nothing. At most ORG_NOTICE_ROLES_MAX
 * roles, each once, none of them without a message.
 */
struct org_notice {
    const char *actor;
    const struct org_hours *hours; /* when it may be told; NULL: always */
    const struct org_zone *zone;   /* that shows the minute of a digest; NULL: UTC */
    const struct org_notice_role *roles;
    size_t role_count;
};

/**
 * Reads the next role that a notice tells of, and moves on; its name is in `ret_name`, of
 * ORG_NAME_LEN_MAX + 1 bytes. False at the end.
 */
bool org_notice_next_role(const char **cursor, char *ret_name, struct org_notice_role *ret_role);

#endif
