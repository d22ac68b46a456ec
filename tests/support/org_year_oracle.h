/* SPDX-License-Identifier: MIT */
/*
 * org_year_oracle.h: what has to hold in the year of org_year.h, told to it as it happens. It knows only what
 * people and programs were told: who was given which message, what was acknowledged, which notices came. It
 * outlives the crashes of the house, as they do. Whatever does not hold fails the test that runs. One thread.
 *
 *   nothing acknowledged is lost    a sent message ends in a notice; what was acknowledged as ended is given
 *                                   to nobody again
 *   nothing is done twice           two never hold or end the same; a key gives the same message for ever
 *   one final notice                of each message accepted, to its sender, and none of anything else
 *   nobody is over the limit        of messages held at one time
 *   no escalation in a circle       from the message that failed upwards no role comes twice, and no
 *                                   escalation is given to whoever failed
 *   the holder is present           what is taken anew is taken by nobody who is away
 *   time goes on                    nobody holds anything long after its lease has ended
 */
#ifndef TESTS_ORG_YEAR_ORACLE_H
#define TESTS_ORG_YEAR_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

/** A message as it is shown to whoever holds it. The texts are borrowed. */
struct oracle_message {
    uint64_t id;
    uint64_t thread;
    uint64_t origin; /* of an escalation: what failed; 0: nothing did */
    int64_t lease_until;
    const char *kind;
    const char *role;
    const char *from; /* of an escalation: who failed */
};

/** Begins a year: nothing is known of any message. */
void oracle_begin(void);

/** Somebody was shown what it holds, `count` messages; this is one of them. */
void oracle_shown(int who, uint64_t count);
void oracle_shown_one(int who, const struct oracle_message *message, int64_t now_ms);

/** Somebody was given a message that it did not know it held. */
void oracle_taken(int who, const struct oracle_message *message, int64_t now_ms);

/** It was acknowledged that somebody ended a message, or gave it back. */
void oracle_ended(int who, uint64_t id);
void oracle_returned(int who, uint64_t id);

/** Somebody asks to give it back: another may be given it before the answer comes. */
void oracle_returning(int who, uint64_t id);

/** Whether somebody still holds a message, as far as it can know. */
bool oracle_may_hold(int who, uint64_t id, int64_t now_ms);

/** A letter was acknowledged as accepted, for the first time or again. */
void oracle_accepted(int who, int letter, uint64_t id);

/** One gives back what it holds; everybody may have to. */
void oracle_let_go(int who);
void oracle_let_all_go(void);

/** At the end: every letter has its answer, and every one accepted its notice. */
void oracle_check_letters(void);

#endif
