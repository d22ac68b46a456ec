/* SPDX-License-Identifier: MIT */
/*
 * org_year_people.h: who lives the year of org_year.h: what each remembers over the crashes of the house, and
 * what is known of every message. Private to org_year.c and org_year_people.c. One thread.
 */
#ifndef TESTS_ORG_YEAR_PEOPLE_H
#define TESTS_ORG_YEAR_PEOPLE_H

#include "org/role.h"
#include "support/org_year.h"
#include "support/server_house.h"

/** How many of everything. */
enum {
    PEOPLE = 200,
    PROGRAMS = 20,
    ALL = PEOPLE + PROGRAMS,
    TEAMS = 10,
    ROLES = 30,
    SENDS_MAX = 64, /* of one person in a year */
    HELD_MAX = 4,   /* the limit of a program; a person's is 1 */
    SEEN_MAX = 1 << 16,
    YEAR_DAYS = 365,
    ACT_MS = 14 * 24 * 3600 * 1000, /* between two acts of one person, on average */
    DRAIN_DAYS = 400,
    ALL_ROLES = TEAMS + ROLES + PROGRAMS,
};

/** Something sent, by its key. */
struct letter {
    enum { LETTER_ASKED, LETTER_ACCEPTED, LETTER_REFUSED } state;
    int role;
    uint64_t id;
    int64_t deadline;
    uint32_t notices;
};

/** What somebody holds, as far as it knows. */
struct holding {
    uint64_t id;
    uint64_t thread;
    int64_t lease_until;
    bool is_answer;
    bool is_told; /* an escalation or a notice */
    bool is_decided;
    enum org_command_kind command; /* once decided, it is said until it is answered */
    int64_t until;
    int to;
};

/** A person or a program. */
struct person {
    char name[16];
    bool is_program;
    bool is_root;
    bool is_gone;
    bool is_asking; /* a question is under way */
    bool is_soon;   /* a timer runs for what it holds */
    uint32_t limit;
    struct holding held[HELD_MAX];
    uint32_t held_count;
    struct letter letters[SENDS_MAX];
    uint32_t letter_count;
    int letter_asked; /* the one under way; -1 for none */
};

/** Every message that was taken: who has it, and who ended it. */
struct seen {
    uint64_t id;
    int holder; /* -1: nobody known */
    int64_t lease_until;
    int ended_by;  /* -1: nobody */
    bool is_noted; /* as the final notice of something */
};

/** The year. */
extern struct house year_house;
extern struct person year_people[ALL];
extern struct year_report year_report;
extern bool year_is_final; /* the load has stopped */

/** Begins the chance of a seed. */
void year_chance(uint64_t seed);
uint32_t year_below(uint32_t limit);
bool year_one_in(uint32_t n);

/** The name of a role; `ret_name` has room for 32. */
void year_role_name(int role, char *ret_name);

/** Nothing is known of any message; nobody holds anything; one gives back what it holds. */
void year_forget_all(void);
void year_let_all_go(void);
void year_let_go(int who);

/** Makes the actor of each person and program in the house. */
void year_move_in(void);

#endif
