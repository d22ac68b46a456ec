/* SPDX-License-Identifier: MIT */
/*
 * role_actor.h: one role of the organisation as an actor. Its state is the fold of its stream "role/NAME" and
 * nothing else.
 *
 * A command's way: message -> role_commands (decides, folds at once, keeps the answer) -> at the end of the
 * batch one append with all records -> the journal's writer -> durable: the answers of that append go out,
 * and what it owes to others is delivered.
 *
 *             +--- commands meanwhile are kept ---+
 *   start --journal_read, snapshot first--> LOADING --is_end--> OPEN --append refused--> fails
 *     ^                                                   |                                |
 *     |                                                   +--idle, nothing under way--> sleeps: ends
 *     +--- the directory, when somebody has something for it or something is due
 *
 *   role: ahead of the disk          flights, oldest first                                  batch
 *   [fold of all that was decided]   [records 7..9 | 2 answers] [record 10 | 1 answer]   [record 11 | ...]
 *
 * A later command is decided on what earlier ones did, though that is not on the disk yet; so no answer may
 * overtake the flight before it. That holds for refusals and for answers without records too: they rest on
 * the same state.
 *
 * Runs on any worker, one message at a time; nothing blocks.
 *
 * Invariants
 *   1. seq is the number of the stream's last record once every flight has landed; the batch would begin at
 *      seq + 1.
 *   2. Every question is in exactly one place: kept while loading, with the open answers, with a flight, or
 *      answered.
 *   3. committed_outbox is the highest number in the outbox that is on the disk: nothing above it is
 *      delivered.
 *   4. Whoever asked is told when the actor ends (role_actor_stop), and asks again.
 *
 * One that fails is started again by the supervisor of its team (supervision.h), and knows what it is told by
 * the stream alone. One that fails again and again is barred: role_guard.c.
 */
#ifndef SERVER_ROLE_ACTOR_H
#define SERVER_ROLE_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <troupe.h>

#include "base/buffer.h"
#include "base/record.h"
#include "org/role.h"
#include "server/json_writer.h"
#include "server/ids.h"
#include "server/messages.h"
#include "server/problem.h"
#include "server/role_cards.h"

/** Commands kept while the stream is read, and their bytes; more are told to come back. */
#define ROLE_KEPT_MAX 1024
#define ROLE_KEPT_BYTES_MAX ((size_t)16 << 20)
/** An append is sent when its records have this many bytes, also in the middle of a batch. */
#define ROLE_BATCH_BYTES_MAX ((size_t)2 << 20)
/** Appends under way; more commands are told to come back. */
#define ROLE_FLIGHTS_MAX 64
/** Deliveries to other roles under way. */
#define ROLE_DELIVERIES_MAX 128
/** Desks that wait to be woken. */
#define ROLE_WAITERS_MAX 64
/**
 * A snapshot is kept when so many records came after the last one, and they are as many bytes as it is; so
 * many times as many when it is a large one. A role that falls asleep leaves one in any case, so only one
 * that is lost awake is replayed: as many bytes as it restores, or these few. For large ones that takes
 * longer, and in return little is written for snapshots beside the records.
 */
#define ROLE_SNAPSHOT_EVERY 64u
#define ROLE_SNAPSHOT_LARGE ((size_t)64 << 10)
#define ROLE_SNAPSHOT_RATIO 4u
/** A role with nothing to do is put to sleep after so long: its actor ends, its summary stays. */
#define ROLE_IDLE_MS 30000u
/** So often in a row an actor is restarted to try again; the next one refuses everything for so long. */
#define ROLE_RESTARTS_MAX 5u
#define ROLE_BARRED_MS 60000
/** Answers that are kept for the next ones, and the largest JSON of one. */
#define ROLE_SPARE_ANSWERS_MAX 256u
#define ROLE_SPARE_JSON_MAX ((size_t)4 << 10)
/** Bounds of a role actor's mailbox. */
#define ROLE_MAILBOX_LEN_MAX 4096u
#define ROLE_MAILBOX_BYTES_MAX (64u << 20)

/** An answer that waits for its append. */
struct role_answer {
    struct role_answer *next;
    troupe_asker asker;
    enum {
        ROLE_ANSWER_JSON,      /* answered */
        ROLE_ANSWER_PROBLEM,   /* denied */
        ROLE_ANSWER_TOOK,      /* role_took */
        ROLE_ANSWER_DELIVERED, /* role_delivered */
        ROLE_ANSWER_KNOWS,     /* role_knows */
        ROLE_ANSWER_ENDED,     /* role_ended; `id` is 1 when the actor may read everything */
        ROLE_ANSWER_AUDITED,   /* role_audited */
    } kind;
    uint32_t status; /* HTTP, org_answer_kind, org_refusal or org_state, by kind */
    uint64_t id;
    int64_t held_since; /* ROLE_ANSWER_TOOK */
    struct buffer json;
    struct problem problem;
};

/** An append under way, and who waits for it. */
struct role_flight {
    struct role_flight *next;
    struct role_actor *actor;
    struct role_answer *answers;
    uint64_t outbox_last; /* the highest number it adds to the outbox; 0 for none */
    uint64_t seq;         /* of its last record */
};

/** A command that came while the stream was read. */
struct role_kept {
    struct role_kept *next;
    _Alignas(max_align_t) unsigned char message[];
};

/** An entry of the outbox on its way. */
struct role_delivery {
    struct role_actor *actor;
    struct role_delivery *next; /* of the free ones */
    uint64_t number;            /* 0: the slot is free */
};

/** The actor's state. A spawner fills in `name` and `ids`. */
struct role_actor {
    char name[ORG_NAME_LEN_MAX + 1];
    struct ids *ids;

    char stream[ORG_NAME_LEN_MAX + sizeof "role/"];
    struct org_role *role;
    bool is_open;
    uint64_t seq;
    uint64_t snapshot_seq; /* of the newest snapshot */
    size_t snapshot_size;
    size_t size_since;  /* of the records after it */
    uint64_t last_id;   /* the greatest of all messages that ever were here */
    uint64_t active_ns; /* when something was last asked of it, before this batch */
    bool is_active;     /* something was in this batch */
    int64_t now_ms;     /* the time of this batch; 0: not looked at yet */
    struct record_batch batch;
    struct buffer summary;       /* of the append that is being sent */
    struct role_cards cards;     /* the same */
    struct role_answer *answers; /* of the batch, and those that came after it */
    struct role_answer **answers_end;
    struct role_answer *spare_answers; /* gone out, to be used again */
    uint32_t spare_count;
    struct role_flight *flights;
    struct role_flight **flights_end;
    uint32_t flight_count;

    struct role_kept *kept;
    struct role_kept **kept_end;
    uint32_t kept_count;
    size_t kept_bytes;

    uint64_t tick_timer; /* 0: none */
    int64_t tick_at;
    bool is_retrying; /* a timer for another try of whatever could not be sent is running */

    uint64_t committed_outbox;
    uint64_t read_outbox;    /* as it was when the stream was read */
    uint64_t batch_outbox;   /* the highest number that the batch adds */
    uint64_t delivered_upto; /* everything owed up to here is under way */
    uint64_t again_upto;     /* was under way once, before all that is owed was gone through again */
    uint32_t delivery_count;
    struct role_delivery *deliveries;
    struct role_delivery *free_delivery;

    char barred[128]; /* why it refuses everything; "": it does not */
    uint64_t barred_until_ns;
    bool is_counted;          /* among the roles that are barred */
    struct faults *faults;    /* those of `ids` */
    struct role_takes *takes; /* NULL: none yet */

    troupe_ref waiters[ROLE_WAITERS_MAX];
    uint32_t waiter_count;
    bool is_stirred;
    bool is_load_told;
};

/** The behaviour. The child spec that starts it also gives it the role's name as its registered name. */
extern const troupe_behaviour role_behaviour;

/** Tags of a role's timers. */
enum role_tag { ROLE_TAG_TICK = 1, ROLE_TAG_RETRY, ROLE_TAG_IDLE, ROLE_TAG_BARRED };

/* --- between the role_*.c files --------------------------------------------------------------- */

/** Handles a message when the stream has been read: role_commands.c. */
troupe_status role_command(troupe_self *self, struct role_actor *actor, const troupe_message *message);

/** Handles it when it only looks, and changes nothing; false: it does not. role_looks.c. */
bool role_looked(troupe_self *self, struct role_actor *actor, const troupe_message *message,
                 troupe_status *ret_status);

/** A decision that can be looked at after its fold: the texts of the answer lie here. */
struct role_decision {
    struct org_answer answer;
    char holder[ORG_NAME_LEN_MAX + 1];
    char redirect_to[ORG_NAME_LEN_MAX + 1];
};

/**
 * The time: one for all that is done in a batch of messages, which takes a millisecond at most, since looking
 * at the clock takes longer than some commands.
 */
static inline int64_t role_now_ms(troupe_self *self, struct role_actor *actor)
{
    if (actor->now_ms == 0)
        actor->now_ms = troupe_unix_ms(self);
    return actor->now_ms;
}

/**
 * Decides and folds; the records are in the batch. Any failure is one of memory or of a limit, and then
 * nothing happened.
 */
troupe_status role_decide(troupe_self *self, struct role_actor *actor, const struct org_command *command,
                          struct role_decision *ret_decision);

/**
 * A new answer for whoever asked, at the end of the open ones; NULL when out of memory: the asker has been
 * refused then.
 */
struct role_answer *role_answer_new(troupe_self *self, struct role_actor *actor, troupe_asker asker);

/** It is a problem; what could not even be decided, for memory or a limit; or what was written. */
void role_answer_problem(struct role_answer *answer, enum problem_kind kind, const char *detail);
void role_answer_failure(struct role_answer *answer, troupe_status status);
void role_answer_json(struct role_answer *answer, uint32_t status, const struct json_writer *out);

/** Answers all of them, in order; they rest on what is on the disk now. */
void role_answers_send(troupe_self *self, struct role_actor *actor, struct role_answer *answers);

/** Refuses all of them: whoever waits asks again, since the records may be on the disk or not. */
void role_answers_refuse(troupe_self *self, struct role_actor *actor, struct role_answer *answers);

/** Frees the spare ones. */
void role_answers_done(struct role_actor *actor);

/** Whether an actor holds the role or is a deputy: role_describe.c. */
bool role_has_in_succession(const struct role_actor *actor, const char *who);

/** Writes what the role says of itself to whoever asks: role_describe.c. */
void role_describe_to(struct json_writer *out, const struct role_actor *actor, const troupe_message *message,
                      const role_describe *describe, int64_t now_ms);

/** Writes an array of the messages that are beyond their deadline: role_describe.c. */
void role_late_to(struct json_writer *out, const struct role_actor *actor, int64_t now_ms);

/** At its start: is it a restart, and one too many? Then it is barred: role_guard.c. */
TROUPE_MUST_CHECK troupe_status role_note_start(troupe_self *self, struct role_actor *actor);

/** Refuses everything from now on, with the reason: role_guard.c. */
TROUPE_MUST_CHECK troupe_status role_bar(troupe_self *self, struct role_actor *actor, const char *reason);
static inline bool role_is_barred(const struct role_actor *actor)
{
    return actor->barred[0] != '\0';
}
/** What a barred role does with a message. */
troupe_status role_barred_receive(troupe_self *self, const struct role_actor *actor,
                                  const troupe_message *message);
/** At its end. */
void role_unbar(const struct role_actor *actor);

/** The points at which a role's actor may be lost with something half done. */
enum role_step {
    ROLE_STEP_READ = 0,  /* a piece of its stream has come */
    ROLE_STEP_COMMAND,   /* a message has come, and nothing was done */
    ROLE_STEP_DECIDED,   /* decided and folded, not sent */
    ROLE_STEP_SENT,      /* the append is under way */
    ROLE_STEP_DURABLE,   /* it is on the disk, and nobody was told */
    ROLE_STEP_ANSWERED,  /* whoever asked was told */
    ROLE_STEP_DELIVER,   /* an entry of the outbox is to be carried to its role */
    ROLE_STEP_DELIVERED, /* that role has it, and nothing of it is noted */
    ROLE_STEP_TIME,      /* something is due */
    ROLE_STEP_SLEEP,     /* the summary is written, and it has not ended */
};

/** As role_step, when there are faults. */
TROUPE_MUST_CHECK troupe_status role_step_counted(troupe_self *self, struct role_actor *actor,
                                                  enum role_step step);

/** Fails here when that is asked for (faults.h): the status is to be returned. */
TROUPE_MUST_CHECK static inline troupe_status role_step(troupe_self *self, struct role_actor *actor,
                                                        enum role_step step)
{
    return actor->faults == NULL ? TROUPE_OK : role_step_counted(self, actor, step);
}

/** What was given out for which asking (0: none), for a desk that asks again: role_takes.c. */
void role_take_note(struct role_actor *actor, uint64_t asking, uint64_t id);
/** The message of an asking, or the asking of a message; 0: not known. */
uint64_t role_take_of(const struct role_actor *actor, uint64_t asking);
uint64_t role_take_asking(const struct role_actor *actor, uint64_t id);
void role_takes_done(struct role_actor *actor);

/** Tells those who look on that there may be something new; they are forgotten: role_sleep.c. */
void role_tell_waiters(troupe_self *self, struct role_actor *actor);

/** Notes when something was last asked of the role. */
void role_note_activity(troupe_self *self, struct role_actor *actor);

/** Looks after ROLE_IDLE_MS whether the role may sleep; then role_sleep_if_idle runs. */
TROUPE_MUST_CHECK troupe_status role_sleep_later(troupe_self *self, const struct role_actor *actor);

/** Puts the role to sleep when nothing was asked for so long and nothing is under way; else looks later. */
troupe_status role_sleep_if_idle(troupe_self *self, struct role_actor *actor);

/** Delivers what is owed and on the disk: role_outbox.c. */
troupe_status role_deliver_owed(troupe_self *self, struct role_actor *actor);

/** Starts over with what is owed, after something went wrong on its way. */
void role_outbox_again(struct role_actor *actor);

/** Asks for another try of what could not be sent, a little later. */
troupe_status role_try_later(troupe_self *self, struct role_actor *actor);

#endif
