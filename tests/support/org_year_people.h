/* SPDX-License-Identifier: MIT */
/*
 * org_year_people.h: who lives the year of org_year.h: what each remembers over the crashes of the house.
 * Private to org_year*.c. One thread.
 */
#ifndef TESTS_ORG_YEAR_PEOPLE_H
#define TESTS_ORG_YEAR_PEOPLE_H

#include "org/role.h"
#include "support/org_year.h"
#include "support/server_house.h"

/** How many of everything. */
enum {
    PEOPLE = 200,
    NEWCOMERS = 10, /* of the people: they arrive in the course of the year */
    PROGRAMS = 20,
    ALL = PEOPLE + PROGRAMS,
    TEAMS = 10,
    ROLES = 30,
    SENDS_MAX = 64, /* of one person in a year */
    HELD_MAX = 4,   /* the limit of a program; a person's is 1 */
    YEAR_DAYS = 365,
    ACT_MS = 14 * 24 * 3600 * 1000, /* between two acts of one person, on average */
    DRAIN_DAYS = 240,               /* twice what it takes */
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
    bool is_answer;
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
    bool is_here;  /* has arrived */
    bool is_gone;  /* has left for good */
    bool is_going; /* goes away, or leaves: what it holds may be given to another before it hears of it */
    enum asking {
        ASKING_NOTHING,
        ASKING_LETTER,
        ASKING_ABOUT,
        ASKING_NEXT,
        ASKING_DESK
    } asking;         /* what is under way */
    bool is_doubtful; /* its answer is not to be believed */
    bool is_soon;     /* a timer runs for what it holds */
    int64_t away_until;
    uint32_t limit;
    struct holding held[HELD_MAX];
    uint32_t held_count;
    struct letter letters[SENDS_MAX];
    uint32_t letter_count;
    int letter_asked; /* the last one */
    troupe_ref persona;
};

/** The year. */
extern struct house year_house;
extern struct person year_people[ALL];
extern struct year_report year_report;
extern bool year_is_final;       /* the load has stopped */
extern int64_t year_storm_until; /* until then whatever is taken fails */

/** Begins the chance of a seed. */
void year_chance(uint64_t seed);
uint32_t year_below(uint32_t limit);
bool year_one_in(uint32_t n);

/** The name of a role; `ret_name` has room for 32. */
void year_role_name(int role, char *ret_name);

/** Everybody may have to give back what it holds; one does. */
void year_let_all_go(void);
void year_let_go(int who);

/** Makes the actor of each person and program in the house; of one. */
void year_move_in(void);
void year_move_in_one(int who);

/** Somebody writes a letter to a role now; somebody does what there is to do. */
void year_write(int who, int role);
void year_stir(int who);

/* --- org_year_fate.c ------------------------------------------------------------------------------ */

/** Time goes on; a server that ends is started again. */
void year_pass(uint64_t ms);

/** Some days, and then something that happens. */
void year_live_some_days(void);

/** Which faults of the runtime there are in this year; before the house is opened. */
void year_draw_faults(void);

/** One of each thing that can happen, so that no year is without it. */
void year_have_one_of_each(void);

/** The journal may fail, and the runtime with it, from now on; not any more. */
void year_begin_faults(void);
void year_end_faults(void);

/** Makes a change, again and again until it is told how that went: a status as house_status gives. */
int year_change(enum directory_change_kind kind, const char *json);

/** The next newcomer arrives, if there is one. */
void year_arrive(void);

#endif
