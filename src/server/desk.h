/* SPDX-License-Identifier: MIT */
/*
 * desk.h: the place where one person or program works, as an actor. A desk sees all roles that its actor may
 * take messages from, and keeps to the one rule that no role can keep alone: at most wip_limit messages at a
 * time, over all of them.
 *
 * A desk has no stream. What its actor holds is asked of the roles anew each time, so there is nothing here
 * that could be wrong after a restart. What makes it right is that everything one actor takes goes through
 * its one desk. One that fails is started again by its supervisor, #desks, under its name; whoever asked it
 * asks again, with the same `asking`, by which a take that was carried out is found.
 *
 *   desk_next --> waiting --round: look at all roles, pick the best, role_next to each--> answered
 *                   ^  |                                                         |
 *                   |  +-- nothing there: until a role stirs, or its time is over|
 *                   +-- somebody else was quicker, a role was started anew <-----+
 *
 *   desk_about --> errand: which role has it? --> role_about --> answered
 *   desk_inbox --> gather: look at all roles --> answered
 *
 * All requests for work that came together are served in one round, and their takes are on the disk with one
 * commit.
 *
 * Place: between http, whose requests it carries out, and the roles. Runs on any worker; nothing blocks.
 *
 * Invariants
 *   1. At most one round is under way, so no two picks are made on the same sight.
 *   2. A request is in exactly one place: waiting, in the round (is_picked), with an errand or a gather, or
 *      answered.
 *   3. Everything that an ask points to is in a list of the desk and freed with it at the latest.
 */
#ifndef SERVER_DESK_H
#define SERVER_DESK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <troupe.h>

#include "base/buffer.h"
#include "org/limits.h"
#include "org/zone.h"
#include "org/role.h"
#include "server/ids.h"
#include "server/messages.h"
#include "server/problem.h"

/** Requests of one desk that are not answered yet, of each sort. */
#define DESK_REQUESTS_MAX 1000
/** Messages whose role a desk remembers; of others it asks around. */
#define DESK_PLACES_MAX 256
/** The longest time that a request for work may wait. */
#define DESK_WAIT_MAX_MS 60000u
/** How often something that failed on the way is tried, and the time between. */
#define DESK_TRIES_MAX 100
#define DESK_RETRY_MS 50

struct desk;

/** What one role showed. */
struct desk_sight {
    struct desk_gather *gather;
    const char *role;
    uint64_t total;
    struct buffer entries; /* of struct sight_entry */
    struct buffer json;
    uint32_t picked; /* in the round under way */
    bool is_quiet;   /* the directory says that it sleeps, with nothing in it to see */
    bool is_known;   /* of a search: the message is here */
    bool is_barred;  /* it refuses everything: there is nothing to see, and it keeps nobody from the others */
};

/** One question put to all roles of the actor, or to one. */
struct desk_gather {
    struct desk_gather *next;
    struct desk *desk;
    char *names; /* the text that `sights` point into */
    struct desk_sight *sights;
    uint32_t count;
    uint32_t pending;
    uint32_t tries;
    uint64_t search; /* the id that is looked for; 0: a look */
    uint32_t limit;
    bool all;
    bool with_json;
    bool wants_wake;
    bool has_failed;
    char only[ORG_NAME_LEN_MAX + 1]; /* the one role to ask; "": all */
    struct problem barred;           /* why a role refused; PROBLEM_NONE: none did */
    troupe_status (*on_done)(troupe_self *self, struct desk_gather *gather, troupe_status status);
    void *context;
};

/** A request for work. */
struct desk_request {
    struct desk_request *next;
    struct desk *desk;
    troupe_asker asker;
    char via[ORG_ACTOR_NAME_LEN_MAX + 1];
    char role[ORG_NAME_LEN_MAX + 1]; /* "": any */
    uint64_t asking;
    uint32_t wip_limit;
    uint64_t deadline_ns; /* 0: does not wait */
    uint32_t tries;
    bool is_picked;    /* a role_next is out for it */
    bool is_lost;      /* one was, and nobody knows what came of it */
    int64_t picked_at; /* when the last one went out */
    char picked_role[ORG_NAME_LEN_MAX + 1];
    struct buffer outcome; /* what stands before the messages, when it follows a `done` */
};

/** One message and what is to be done with it. */
struct desk_errand {
    struct desk_errand *next;
    struct desk *desk;
    troupe_asker asker;
    desk_about_fields about; /* texts in `texts` */
    char *texts;
    uint32_t tries;
    char role[ORG_NAME_LEN_MAX + 1]; /* "": not known yet */
};

/** Where a message was last seen. */
struct desk_place {
    uint64_t id;
    int64_t held_since; /* since when, as it was given out here; 0: it was only looked for */
    char role[ORG_NAME_LEN_MAX + 1];
};

/** The actor's state. A spawner fills in `actor` and `ids`. */
struct desk {
    char actor[ORG_ACTOR_NAME_LEN_MAX + 1];
    struct ids *ids;

    struct desk_request *waiting; /* in the order of their coming */
    uint32_t waiting_count;
    uint32_t picks_out; /* role_next under way */
    bool is_round_on;
    bool is_stirred; /* something came meanwhile: look again */
    bool is_looking_again;
    bool is_hurried;
    uint64_t deadline_timer;

    struct desk_errand *errands;
    uint32_t errand_count;
    struct desk_gather *gathers;
    uint32_t gather_count;
    struct desk_hours {
        char zone[ORG_ZONE_NAME_LEN_MAX + 1];
        uint32_t from_minute;
        uint32_t to_minute;
        uint8_t days;
        uint8_t worker;        /* what it is, as in messages.h */
    } hours;                   /* as the directory last said */
    struct desk_place *places; /* a ring */
    uint32_t place_next;
};

/** The behaviour. */
extern const troupe_behaviour desk_behaviour;

/** The name that the desk of an actor has: no role's can be so. */
#define DESK_NAME_SIZE ((size_t)ORG_ACTOR_NAME_LEN_MAX + 2)
static inline void desk_name(const char *actor, char ret_name[DESK_NAME_SIZE])
{
    size_t len = strnlen(actor, ORG_ACTOR_NAME_LEN_MAX);
    ret_name[0] = ':';
    memcpy(ret_name + 1, actor, len);
    ret_name[len + 1] = '\0';
}

/** Tags of a desk's timers; a pointer to what is tried again is a tag too, and larger than all of these. */
enum desk_tag { DESK_TAG_LOOK = 1, DESK_TAG_DEADLINE, DESK_TAG_COUNT };

/** The points at which a desk may be lost with something half done. */
enum desk_step {
    DESK_STEP_ASKED = 0, /* a request has come, and nothing was done */
    DESK_STEP_SEEN,      /* all roles have shown what they have */
    DESK_STEP_PICKED,    /* takes are under way */
    DESK_STEP_TOOK,      /* one is carried out, and nobody was told */
    DESK_STEP_SENT,      /* a command about a message is under way */
    DESK_STEP_OUTCOME,   /* it is carried out, and nobody was told */
    DESK_STEP_ANSWERED,  /* whoever asked was told */
};

/** As desk_step, when there are faults. */
TROUPE_MUST_CHECK troupe_status desk_step_counted(troupe_self *self, struct desk *desk, enum desk_step step);

/** Fails here when that is asked for (faults.h): the status is to be returned. */
TROUPE_MUST_CHECK static inline troupe_status desk_step(troupe_self *self, struct desk *desk,
                                                        enum desk_step step)
{
    return desk->ids->desk_faults == NULL ? TROUPE_OK : desk_step_counted(self, desk, step);
}

/* --- between the desk*.c files ---------------------------------------------------------------- */

/** A new gather; NULL when there are too many or no memory is left. */
struct desk_gather *desk_gather_new(struct desk *desk);
/** Puts its question, or puts it again; on_done runs once, and the gather is freed after it. */
troupe_status desk_gather_start(troupe_self *self, struct desk_gather *gather);
void desk_gather_free(struct desk_gather *gather);

/** Looks for work if somebody waits for it and no round is on: desk_next.c. */
troupe_status desk_round(troupe_self *self, struct desk *desk);
/** Whether anybody waits until something comes. */
bool desk_has_patience(const struct desk *desk);
/** Puts a request to those that wait, and takes it over; it is answered when there are too many. */
void desk_request_add(troupe_self *self, struct desk *desk, struct desk_request *request);
/** Answers those whose time is over, and sets the timer for the next one. */
troupe_status desk_deadlines(troupe_self *self, struct desk *desk);
void desk_request_free(struct desk_request *request);

/** Takes an errand on: desk_errand.c. */
troupe_status desk_errand_new(troupe_self *self, struct desk *desk, const troupe_message *message,
                              const desk_about *about);
/** Does its next step. */
troupe_status desk_errand_go_on(troupe_self *self, struct desk_errand *errand);
void desk_errand_free(struct desk_errand *errand);

/** Remembers which role has a message, and, when it was given out, since when it is held; else 0. */
void desk_place_note(struct desk *desk, uint64_t id, const char *role, int64_t held_since);
/** Whether this taking of a message was given out: it may be taken, fail, and be taken again. */
bool desk_was_told(const struct desk *desk, uint64_t id, int64_t held_since);
/** Recalls which role has a message. */
const char *desk_place_of(const struct desk *desk, uint64_t id);

/** Says no to whoever asked. */
void desk_deny(troupe_self *self, troupe_asker asker, const struct problem *problem);
/** Says that it could not be done, and to come back. */
void desk_deny_status(troupe_self *self, troupe_asker asker, troupe_status status);
/** Hands on what a role said to whoever asked. */
void desk_pass(troupe_self *self, troupe_asker asker, const troupe_message *reply);

#endif
