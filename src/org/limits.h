/* SPDX-License-Identifier: MIT */
/*
 * limits.h: every bound of the organisation in one place, with what happens at it. A test stands at the edge
 * of each, but for those that a million of something would be needed for.
 *
 * Place: read by all of org and by whoever shows a limit to people. Lengths are bytes of UTF-8 without the
 * final NUL; times are milliseconds. What is beyond a limit is refused with a reason, never cut.
 */
#ifndef ORG_LIMITS_H
#define ORG_LIMITS_H

#include <stdint.h>

#define ORG_SECOND_MS ((int64_t)1000)
#define ORG_MINUTE_MS (60 * ORG_SECOND_MS)
#define ORG_HOUR_MS (60 * ORG_MINUTE_MS)
#define ORG_DAY_MS (24 * ORG_HOUR_MS)

/*
 * The last moment that is one: in the year 142,000. Times of records lie between 0 and this, so that spans
 * never overflow.
 */
#define ORG_TIME_MAX_MS ((int64_t)1 << 52)

/* Names and texts. */
enum {
    ORG_NAME_LEN_MAX = 128,       /* a role, a domain, or "@" and an actor */
    ORG_ACTOR_NAME_LEN_MAX = 127, /* an actor: "@" and its name are the name of its personal role */
    ORG_DISPLAY_LEN_MAX = 256,    /* what people read: a person's name, a section's title */
    ORG_MAIL_LEN_MAX = 254,       /* an address: the longest that RFC 5321 lets through */
    ORG_SUBJECT_LEN_MAX = 500,
    ORG_REASON_LEN_MAX = 4096, /* why something was declined, failed or deferred */
    ORG_OUTPUT_LEN_MAX = 4096, /* the last lines of a program that died */
    ORG_SIGNAL_LEN_MAX = 32,   /* the name of the signal that ended it */
    ORG_EXIT_STATUS_MAX = 255,
    ORG_KEY_LEN_MAX = 128, /* an idempotency key */
    ORG_ATTACHMENTS_LEN_MAX = 4096,
    ORG_NOTE_LEN_MAX = 1024, /* what a domain's list says beside its patterns: status, mailing lists */
};

/* The largest body of a message, and of a reply. */
#define ORG_BODY_LEN_MAX ((size_t)256 << 10)

/*
 * How much one tick writes before it leaves the rest to the next: an escalation has its message's body with
 * it, and ORG_DUE_MAX of those are more than a journal takes at once.
 */
#define ORG_DUE_BYTES_MAX ((size_t)1 << 20)

/* A message's way. */
enum {
    ORG_HOPS_MAX = 16,    /* forwards of one message; the next is refused to whoever holds it */
    ORG_ATTEMPTS_MAX = 3, /* failures of one message; at the third it is quarantined and escalated */
    ORG_FAILERS_MAX = 16, /* who have failed a message and its escalations, and get none: the last ones */
};

/* A role. */
enum {
    ORG_SUCCESSION_MAX = 64,             /* holders of one role, deputies included */
    ORG_CAPACITY_PERSON = 20,            /* default for a role held by people */
    ORG_CAPACITY_PROGRAM = 1000,         /* default for a role held by programs */
    ORG_CAPACITY_MAX = 10 * 1000 * 1000, /* the most that can be configured */
    ORG_WIP_LIMIT_DEFAULT = 1,
    ORG_WIP_LIMIT_MAX = 1000,
    ORG_COMPLETIONS_KEPT = 128, /* the role's own recent completions that an expected wait is taken from */
    ORG_COMPLETIONS_MIN = 5,    /* with fewer of them no wait is stated */
    ORG_DUE_MAX = 64,           /* messages that one tick moves; more are due again at once */
    ORG_SHED_LOOK_MAX = 64,     /* messages looked at for one to push out */
    ORG_WAITING_LOOK_MAX = 64,  /* urgent messages that came back, looked at for the newest */
};
#define ORG_BYTES_DEFAULT ((uint64_t)64 << 20)
#define ORG_BYTES_MAX ((uint64_t)16 << 30)

/*
 * Times of a role: defaults. A day is a working day of whoever works (hours.h); who has stated no hours works
 * every day.
 */
#define ORG_LEASE_PERSON_MS (3 * ORG_DAY_MS)
#define ORG_LEASE_PROGRAM_MS (10 * ORG_MINUTE_MS)
#define ORG_LEASE_MAX_MS (366 * ORG_DAY_MS)
#define ORG_AGEING_MS (5 * ORG_DAY_MS)
#define ORG_AGEING_MAX_MS (366 * ORG_DAY_MS)
#define ORG_BACKOFF_FIRST_MS ORG_SECOND_MS /* doubled at each further attempt */
#define ORG_DEFER_MAX_MS (366 * ORG_DAY_MS)

/* Trouble of a role as a whole. More than so many in the period is an occurrence, told to its supervisor. */
enum {
    ORG_TALLY_MAX = 100,        /* the most that can be configured of the two below */
    ORG_REFUSALS_MAX = 10,      /* senders refused because the mailbox is full */
    ORG_FAILURES_MAX = 5,       /* failures under one supervisor, of people and of programs each */
    ORG_NOTICE_LIST_MAX = 20,   /* messages that a notice lists of those that wait */
    ORG_FAILURE_RULES_MAX = 32, /* rules of one supervisor */
};
#define ORG_REFUSALS_PERIOD_MS ORG_DAY_MS
#define ORG_FAILURES_PERIOD_PERSON_MS ORG_DAY_MS
#define ORG_FAILURES_PERIOD_PROGRAM_MS (5 * ORG_MINUTE_MS)
#define ORG_PERIOD_MAX_MS (366 * ORG_DAY_MS)

/* Path patterns. */
enum {
    ORG_PATTERN_LEN_MAX = 512,
    ORG_PATTERN_PARTS_MAX = 64,   /* components of one pattern */
    ORG_PATTERN_REPEAT_MAX = 64,  /* the n of {n} in a regular expression */
    ORG_PATTERN_NESTING_MAX = 16, /* parentheses within parentheses in a regular expression */
    ORG_PATH_LEN_MAX = 4096,
    ORG_PATH_PARTS_MAX = 128,
    ORG_DOMAIN_PATTERNS_MAX = 4096, /* patterns of one domain */
};

/* The organisation as a whole. */
enum {
    ORG_ROLES_MAX = 1000 * 1000,
    ORG_ACTORS_MAX = 1000 * 1000,
    ORG_DOMAINS_MAX = 1000 * 1000,
    ORG_TOKENS_MAX = 1000 * 1000,
    ORG_ABSENCES_MAX = 64,           /* of one actor, by hand; past ones dropped */
    ORG_ABSENCES_IMPORTED_MAX = 512, /* of one actor, from calendars kept elsewhere; past ones dropped */
    ORG_KEEPS_MAX = 100,             /* messages that one actor keeps while away */
    ORG_NOTICE_ROLES_MAX = 256,      /* that one notice tells of; of further ones when those are empty */
    ORG_NOTICES_KEPT = 16,           /* the last ones of an actor; the stream has all */
    ORG_DEPTH_MAX = 64,              /* of the tree: supervisors above one role */
    ORG_FIGURES_GROUP_MIN = 5,       /* people in the smallest group that figures are told of to others */
};

#endif
