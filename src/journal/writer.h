/* SPDX-License-Identifier: MIT */
/*
 * writer.h: the journal as an actor. Owners of streams send it their appends; it commits many of them at once
 * and answers each when, and only when, it is durable.
 *
 * Place on a message's way: org/role decides and asks the writer with its records -> the writer stages them
 * -> one commit for all that came meanwhile -> journal_appended to every asker -> org/role folds what it
 * decided and answers its own sender.
 *
 *   mailbox:   a  b  c | d  e  f  g | h ...
 *              stage     stage        stage         each as it is received, in one open transaction
 *                    commit       commit            when the mailbox was emptied (flush), or a cap is reached
 *                    a b c told   d e f g told      nobody before
 *
 * While a commit waits for the disk, the next group queues in the mailbox: the slower the disk, the larger
 * the groups.
 *
 * Reading, when an owner wakes up. The writer reads too, and answers in pieces: the owner asks for its stream
 * from 1, gets at most `size_max` bytes of records, and asks again from `next_seq` until `is_end`. Why so and
 * not otherwise:
 *   - A read by the owner itself, on its worker, would block the worker on the disk, and on a second
 *     connection; and two connections are what the driver avoids (sqlite.h, invariant 5).
 *   - The writer has the ends of all streams in memory; another reader would have to find them in the file,
 *     behind the writer's back.
 *   - A read that is queued behind an append sees it. So an owner that was restarted while its last append
 *     was still on its way reads a state that has it, or learns by TROUPE_CONFLICT that somebody else wrote;
 *     it never folds half.
 *   - Pieces are pulled, one reply for one ask, so no mailbox fills, and commits of others go between the
 *     pieces.
 * It costs about 4 us a record of the writer's time: 5,000 roles with 60,000 records wake up in 0.27 s on two
 * cores (bench/journal.c).
 *
 * Failure. When the journal fails, everybody who waits is told TROUPE_IO, and the actor fails with the
 * journal's own words. It never commits again: a restarted writer finds the journal failed and does not
 * start, so its supervisor gives up, as it should. What is on the disk is known only after a new process has
 * opened the file. Whoever watches the writer ends the process.
 *
 * Threads: the writer runs on a thread of its own, since it waits for the disk; anybody may send to it.
 */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H

#include <troupe.h>

#include "journal/journal.h"

/** The name the writer is registered under. */
#define JOURNAL_WRITER_NAME "journal"

enum {
    /** A group is committed when it has this many records, or... */
    JOURNAL_GROUP_RECORDS_MAX = 128,
    /** ...when its first append has waited this long, in microseconds, or... */
    JOURNAL_GROUP_US_MAX = 2000,
    /** ...when this many wait for an answer. */
    JOURNAL_GROUP_WAITING_MAX = 128,
    /**
     * A smaller one waits at most so long, in microseconds, for as many as were answered with the group
     * before.
     */
    JOURNAL_GATHER_US_MAX = 200,
    /** Appends and reads that can be queued. */
    JOURNAL_WRITER_MAILBOX_LEN_MAX = 65536,
    /** And their bytes. */
    JOURNAL_WRITER_MAILBOX_BYTES_MAX = 256 << 20,
    /** The piece that a read gives when it asks for 0 bytes. */
    JOURNAL_READ_SIZE_DEFAULT = 256 << 10,
    /** The most cards of one answer. */
    JOURNAL_FOUND_MAX = 200,
    /** The largest piece. A single record that is larger than the piece asked for comes alone. */
    JOURNAL_READ_SIZE_MAX = 8 << 20,
};

/**
 * Appends `records` (base/record.h) to `stream`, whose last number is believed to be `expected_seq`; see
 * journal_stage. The answer is journal_appended. TROUPE_NO_ACTOR, TROUPE_TIMEOUT or no answer: it is not
 * known whether the records are stored; read again. A `summary` that is given is kept with them, as that
 * after the last of them, and `cards` (journal/card.h) are put: all become durable, or none.
 */
#define JOURNAL_APPEND_FIELDS(F)                                                                             \
    F(u64, expected_seq) F(bytes, records) F(bytes, cards) F(bytes, summary) F(text, stream)
TROUPE_MESSAGE(journal_append, JOURNAL_APPEND_FIELDS)

/**
 * The answer to journal_append. `status` is a troupe_status: TROUPE_OK (durable; `seq` is the number of the
 * last record), TROUPE_CONFLICT (nothing is stored; `seq` is the true last number), TROUPE_IO (not
 * acknowledged, and never will be: the writer ends), or what else journal_stage answers when it refuses
 * (nothing is stored).
 */
#define JOURNAL_APPENDED_FIELDS(F) F(u64, seq) F(u32, status)
TROUPE_MESSAGE(journal_appended, JOURNAL_APPENDED_FIELDS)

/**
 * Keeps `state` as the snapshot of `stream` after its record `seq`, and `summary` as its summary, either of
 * which may be left out; see journal_keep. It becomes durable with the group that it is in. An ask is
 * answered as journal_append is; a plain send is not answered.
 */
#define JOURNAL_SNAPSHOT_FIELDS(F) F(u64, seq) F(bytes, state) F(bytes, summary) F(text, stream)
TROUPE_MESSAGE(journal_snapshot_kept, JOURNAL_SNAPSHOT_FIELDS)

/**
 * Reads a stream from number `from_seq` on, up to about `size_max` bytes; 0: the default. With
 * `with_snapshot` the newest snapshot comes first, if there is one, and the records after it; `from_seq` does
 * not matter then. The answer is journal_records.
 */
#define JOURNAL_READ_FIELDS(F) F(u64, from_seq) F(u32, size_max) F(bool, with_snapshot) F(text, stream)
TROUPE_MESSAGE(journal_read, JOURNAL_READ_FIELDS)

/**
 * The answer to journal_read: records as they were appended, to be walked with record_cursor_at; they begin
 * at a multiple of 8. `status` is a troupe_status; unless it is TROUPE_OK there are none, and `reason` says
 * why. `next_seq` is where to read on; with `is_end` there is no more, and next_seq - 1 is the stream's last
 * number. `snapshot` begins at a multiple of 8 too and is the state after record `snapshot_seq`; 0: there is
 * none, or it was damaged (`is_snapshot_damaged`) and the records begin at 1.
 */
#define JOURNAL_RECORDS_FIELDS(F)                                                                            \
    F(u64, from_seq)                                                                                         \
    F(u64, next_seq)                                                                                         \
    F(u64, snapshot_seq)                                                                                     \
    F(u32, status)                                                                                           \
    F(bool, is_end) F(bool, is_snapshot_damaged) F(bytes, records) F(bytes, snapshot) F(text, reason)
TROUPE_MESSAGE(journal_records, JOURNAL_RECORDS_FIELDS)

/**
 * The summaries of all streams after place `after`, 0 to begin with, about JOURNAL_READ_SIZE_DEFAULT bytes of
 * them. The answer is journal_summaries_are: struct journal_summary_head, the stream's name with its NUL and
 * the summary, each at a multiple of 8, again and again; to go on, ask after `next`.
 */
#define JOURNAL_SUMMARIES_ASK_FIELDS(F) F(u64, after)
TROUPE_MESSAGE(journal_summaries_ask, JOURNAL_SUMMARIES_ASK_FIELDS)
#define JOURNAL_SUMMARIES_ARE_FIELDS(F) F(u64, next) F(u32, status) F(bool, is_end) F(bytes, list)
TROUPE_MESSAGE(journal_summaries_are, JOURNAL_SUMMARIES_ARE_FIELDS)

/**
 * Looks for cards, as a journal_query says; `readable` (in order) and `reader` count unless `sees_all`. The
 * answer is journal_found: at most `limit` of the newest ones, in `cards` as journal_card_next reads them,
 * each with its stream. `status` is a troupe_status: TROUPE_INVALID with a reason when the words are none.
 * Ask on with `before` = `next`, until that is 0; an answer may have few cards, or none, and still not be the
 * last one.
 */
#define JOURNAL_FIND_FIELDS(F)                                                                               \
    F(u64, before)                                                                                           \
    F(u64, thread)                                                                                           \
    F(u32, state)                                                                                            \
    F(u32, limit)                                                                                            \
    F(text, words)                                                                                           \
    F(text, stream) F(text, author) F(text, holder) F(text, readable) F(text, reader) F(bool, sees_all)
TROUPE_MESSAGE(journal_find_ask, JOURNAL_FIND_FIELDS)
#define JOURNAL_FOUND_FIELDS(F) F(u64, next) F(u32, status) F(u32, count) F(bytes, cards) F(text, reason)
TROUPE_MESSAGE(journal_found, JOURNAL_FOUND_FIELDS)

/** What stands before each summary in the list. */
struct journal_summary_head {
    uint64_t seq;
    uint32_t name_size; /**< with the NUL */
    uint32_t size;
};

_Static_assert(sizeof(journal_append) % RECORD_ALIGNMENT == 0,
               "the records, first of what varies, lie aligned");
_Static_assert(sizeof(journal_found) % RECORD_ALIGNMENT == 0, "the cards, first of what varies, lie aligned");
_Static_assert(sizeof(journal_summaries_are) % RECORD_ALIGNMENT == 0,
               "the list, first of what varies, lies aligned");
_Static_assert(sizeof(journal_records) % RECORD_ALIGNMENT == 0,
               "the records, first of what varies, lie aligned");

struct journal_group;

/** The writer's state. A spawner sets `journal`, which it keeps and closes after the system has stopped. */
struct journal_writer_state {
    struct journal *journal;
    struct journal_group *group; /**< private */
};

/** The behaviour, for child specs; the options of journal_writer_options go with it. */
extern const troupe_behaviour journal_writer;

/**
 * How to spawn a writer with this state, which is copied when it is spawned: name, bounds, a thread of its
 * own.
 */
troupe_spawn_options journal_writer_options(const struct journal_writer_state *state);

#endif
