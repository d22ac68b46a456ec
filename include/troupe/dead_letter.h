/* SPDX-License-Identifier: MIT */
/*
 * dead_letter.h: messages that were taken but never handled, and why. Every one is counted under its reason
 * (troupe_counters.dead_letters_by) and, when it was a question, whoever asked is told the status that
 * belongs to the reason. A send that was not taken is no dead letter: its sender was told. So is the sender
 * of a malformed body within one process; the reason MALFORMED is for what comes from elsewhere, and 0 until
 * then.
 */
#ifndef TROUPE_DEAD_LETTER_H
#define TROUPE_DEAD_LETTER_H

#include <troupe/message.h>
#include <troupe/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The list: X(NAME, number, status for whoever asked, "text"). Numbers are stable; new ones at the end. */
#define TROUPE_DEAD_LIST(X)                                                                                  \
    X(NO_ACTOR, 0, TROUPE_NO_ACTOR, "there was no such actor when it was sent")                              \
    X(ENDED, 1, TROUPE_NO_ACTOR, "the actor ended before it came to it")                                     \
    X(UNEXPECTED, 2, TROUPE_UNEXPECTED, "the actor did not understand it")                                   \
    X(DROPPED_OLDEST, 3, TROUPE_FULL, "the oldest of a full mailbox, for a newer one")                       \
    X(DROPPED_NEWEST, 4, TROUPE_FULL, "the newest for a full mailbox")                                       \
    X(SHED, 5, TROUPE_FULL, "of the lowest class in a full mailbox")                                         \
    X(EXPIRED, 6, TROUPE_EXPIRED, "its deadline had passed")                                                 \
    X(CANCELLED, 7, TROUPE_NO_ACTOR, "the timer, watch, monitor or subscription was cancelled meanwhile")    \
    X(LATE, 8, TROUPE_UNEXPECTED, "the question that it answers was over")                                   \
    X(MALFORMED, 9, TROUPE_MALFORMED, "its bytes are not a body of its type")                                \
    X(STASH_FULL, 10, TROUPE_FULL, "as many are kept for later as may be")                                   \
    X(NO_MEMORY, 11, TROUPE_NO_MEMORY, "there was no memory to keep it")

/** Why a message was never handled. */
typedef enum troupe_dead_reason {
#define TROUPE_DEAD_ENUM(name, number, status, text) TROUPE_DEAD_##name = number,
    TROUPE_DEAD_LIST(TROUPE_DEAD_ENUM)
#undef TROUPE_DEAD_ENUM
} troupe_dead_reason;

/** How many reasons there are. */
#define TROUPE_DEAD_COUNT 12

/** What a subscriber to TROUPE_EVENT_DEAD_LETTER is told: see events.h. */
#define TROUPE_DEAD_LETTER_FIELDS(F)                                                                         \
    F(u32, reason)        /* a troupe_dead_reason */                                                         \
    F(u32, type)          /* id of its type */                                                               \
    F(u32, size)          /* of its body, in bytes */                                                        \
    F(u32, message_class) /* a troupe_class */                                                               \
    F(ref, sender)        /* none: a thread outside, or the runtime */                                       \
    F(ref, target)        /* whom it was for */                                                              \
    F(u64, at_ns)         /* the system's clock */                                                           \
    F(u64, missed)        /* events not told since the last one that was */                                  \
    F(text, type_name)    /* "" when no part of the program declares it */
TROUPE_MESSAGE(troupe_dead_letter, TROUPE_DEAD_LETTER_FIELDS)

/** The text of a reason in English, never NULL; an unknown number has a text that says so. Any thread. */
TROUPE_API const char *troupe_dead_text(troupe_dead_reason reason);

#ifdef __cplusplus
}
#endif

#endif
