/* SPDX-License-Identifier: MIT */
/*
 * journal.h: the port. A journal holds streams of records, append-only; whatever the organisation knows is
 * the fold of them.
 *
 * Place on a message's way: org decides and writes a batch of records -> journal/writer receives it as a
 * message -> this port -> a driver (memory.c, sqlite.c) -> the receipt goes back. Before the actors start and
 * after they have stopped, whoever opened the journal may call the port directly; in between the writer alone
 * does.
 *
 * A stream is named by text ("organisation", "role/payments/oncall") and belongs to one owner. Its records
 * are numbered 1, 2, 3...; an append says which number it believes to be the last, and is refused with
 * TROUPE_CONFLICT when that is not so: a stale owner cannot write.
 *
 *           journal_open          journal_begin               journal_stage
 *   (none) --------------> idle ----------------> transaction <------------+ any number,
 *                           ^  |                    |      +---------------+ or keep, put
 *                           |  | scan, recall, list,| journal_commit
 *                           |  | find, upkeep       |
 *                           |  +-->(idle)           |
 *                           +-----------------------+ TROUPE_OK: all of it is durable, and not before
 *                                                   |
 *                                                   +--> failed: all but error and close answer TROUPE_IO
 *
 * Invariants
 *   1. A batch is stored whole or not at all, and so is a transaction; its records lie in a row, byte for
 *      byte as given.
 *   2. After journal_commit has answered TROUPE_OK, what was staged survives the end of the process and of
 *      the machine.
 *   3. Failed is for ever: after an I/O error nothing is written, synced or acknowledged through this handle
 *      again. A disk that failed an fsync may have dropped the data and would report the next fsync as fine
 *      (Rebello and others, "Can Applications Recover from fsync Failures?", USENIX ATC 2020), so the only
 *      way on is a new process that reads what is really there.
 *   4. Damage is reported, never read over: a record that fails its checksum, or is not where the ones around
 *      it say, is TROUPE_CORRUPT with its place in journal_error. Other streams go on.
 *
 * Threads: one at a time, and a handle may move from one to another. Calls may block on the disk.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/record.h"
#include "journal/card.h"
#include <troupe/status.h>

/**
 * The longest name of a stream in bytes, without the ending NUL: a role's name with room for a prefix and a
 * suffix.
 */
#define JOURNAL_STREAM_LEN_MAX 191

/** The largest append in bytes, headers included, so that it fits one message. */
#define JOURNAL_APPEND_SIZE_MAX ((size_t)15 << 20)

/** The largest snapshot in bytes. An owner with a larger state is read from its first record. */
#define JOURNAL_SNAPSHOT_SIZE_MAX ((size_t)14 << 20)

/** The longest text of an error, with its NUL: room for a path or two. */
#define JOURNAL_ERROR_SIZE 1280

/** Why something failed, in one line for people, without an ending stop. Empty when nothing did. */
struct journal_error {
    char text[JOURNAL_ERROR_SIZE];
};

/** One record as read. Everything borrowed is good until the visitor returns. */
struct journal_entry {
    uint64_t position; /**< its place among all records of the journal, from 1 */
    uint64_t seq;      /**< its place in its stream, from 1 */
    struct record record;
};

/** One stream as listed. The name is NUL-terminated and good until the visitor returns. */
struct journal_stream {
    const char *name;
    uint64_t last_seq;
};

/**
 * Sees one record. Any status but TROUPE_OK ends the scan, which then answers it. A visitor does not call the
 * journal.
 */
typedef troupe_status journal_visit_entry(void *context, const struct journal_entry *entry);

/**
 * Sees one stream. Any status but TROUPE_OK ends the list, which then answers it. A visitor does not call the
 * journal.
 */
typedef troupe_status journal_visit_stream(void *context, const struct journal_stream *stream);

/** One summary as visited. Everything borrowed is good until the visitor returns. */
struct journal_summary {
    uint64_t place; /**< where it stands among all of them; to go on after it */
    const char *stream;
    uint64_t seq; /**< of the record that it follows */
    const void *bytes;
    size_t size;
};

/** Sees one summary; otherwise as journal_visit_entry. */
typedef troupe_status journal_visit_summary(void *context, const struct journal_summary *summary);

/**
 * Sees one card that was found: all of it but its text, borrowed until it returns. TROUPE_END: that is
 * enough, and the next journal_find goes on with this one; any other status ends it too.
 */
typedef troupe_status journal_visit_card(void *context, const journal_card_fields *card);

/** Hears of one finding of journal_compare_cards: a card, and `what` completes "the card of ...". */
typedef void journal_report_card(void *context, const char *stream, uint64_t id, const char *what);

/** Hears of one finding of journal_verify: a line for people, good until it returns. */
typedef void journal_report(void *context, const char *finding);

struct journal;

/** What may be kept beside the records of a stream: one of each sort, the newest. */
enum journal_kept {
    JOURNAL_SNAPSHOT = 0, /**< its owner's whole state, for when it wakes */
    JOURNAL_SUMMARY = 1,  /**< a few figures of it, for those who look without waking it */
    JOURNAL_KEPT_COUNT,
};

/** Where cards are put. */
enum journal_shelf {
    JOURNAL_CARDS = 0,          /**< in the catalogue, where they are found */
    JOURNAL_EXPECTED_CARDS = 1, /**< aside, for journal_compare_cards: as they should be */
    JOURNAL_SHELF_COUNT,
};

/** A snapshot or a summary as a driver gets it: checked by journal_keep. */
struct journal_snapshot {
    enum journal_kept kind;
    const char *stream;
    size_t stream_len;
    uint64_t seq;
    const void *bytes;
    size_t size;
};

/** An append as a driver gets it: checked by journal_stage. */
struct journal_batch {
    const char *stream;
    size_t stream_len;
    uint64_t expected_seq;
    const void *records;
    size_t size;
    uint32_t count;
};

/**
 * What a driver must be able to do; journal.c holds what they have in common and calls them only in the
 * states of the drawing above. A driver that meets a failure after which the journal cannot be trusted says
 * so with journal_fail.
 */
struct journal_driver {
    const char *name;
    troupe_status (*open)(const char *where, struct journal **ret_journal, struct journal_error *error);
    troupe_status (*begin)(struct journal *journal);
    troupe_status (*append)(struct journal *journal, const struct journal_batch *batch, uint64_t *ret_seq);
    troupe_status (*keep)(struct journal *journal, const struct journal_snapshot *snapshot,
                          uint64_t *ret_seq);
    troupe_status (*put)(struct journal *journal, enum journal_shelf shelf, const char *stream,
                         size_t stream_len, const journal_card *card);
    troupe_status (*move)(struct journal *journal, enum journal_shelf shelf, const char *stream,
                          size_t stream_len, const journal_card_moved *moved);
    troupe_status (*forget_cards)(struct journal *journal);
    troupe_status (*complete_cards)(struct journal *journal);
    bool (*has_cards)(struct journal *journal);
    troupe_status (*compare_cards)(struct journal *journal, journal_report_card *report, void *context);
    troupe_status (*find)(struct journal *journal, const struct journal_query *query,
                          const struct journal_words *words, journal_visit_card *visit, void *context,
                          uint64_t *ret_next);
    troupe_status (*commit)(struct journal *journal);
    troupe_status (*recall)(struct journal *journal, enum journal_kept kind, const char *stream,
                            size_t stream_len, struct buffer *bytes, uint64_t *ret_seq);
    troupe_status (*summaries)(struct journal *journal, uint64_t after, journal_visit_summary *visit,
                               void *context);
    troupe_status (*read)(struct journal *journal, const char *stream, size_t stream_len, uint64_t from_seq,
                          journal_visit_entry *visit, void *context);
    troupe_status (*streams)(struct journal *journal, const char *prefix, size_t prefix_len,
                             journal_visit_stream *visit, void *context);
    troupe_status (*verify)(struct journal *journal, journal_report *report, void *context);
    troupe_status (*upkeep)(struct journal *journal);
    troupe_status (*finish)(struct journal *journal);
    void (*close)(struct journal *journal);
};

/**
 * In memory: for tests and the simulated system. `where` is ignored. See memory.h for how it loses and fails.
 */
extern const struct journal_driver journal_memory;

/**
 * One SQLite file; `where` is its path. See sqlite.h for the format and docs/journal.md for the guarantees.
 */
extern const struct journal_driver journal_sqlite;

/** What every driver's journal begins with. Private to journal.c and the drivers. */
struct journal {
    const struct journal_driver *driver;
    bool is_in_transaction;
    bool is_finished; /**< the file is in order, and nothing was begun since */
    bool is_visiting;
    troupe_status failure; /**< TROUPE_OK, or why it failed for ever */
    struct journal_error error;
};

/**
 * Opens a journal, or makes it when there is nothing at `where`. On TROUPE_OK it belongs to the caller, who
 * ends it with journal_close. Otherwise `error` (may be NULL) says why: TROUPE_CONFLICT (another process has
 * it open), TROUPE_INVALID (it belongs to another application or a newer version), TROUPE_CORRUPT, TROUPE_IO,
 * TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status journal_open(const struct journal_driver *driver, const char *where,
                                             struct journal **ret_journal, struct journal_error *error);

/** Begins a transaction. Errors: TROUPE_IO. */
TROUPE_MUST_CHECK troupe_status journal_begin(struct journal *journal);

/**
 * Adds one append to the transaction: `size` bytes of records (base/record.h) to the end of `stream`, whose
 * last number must be `expected_seq` (0: the stream is new). Later appends of the transaction see it. Writes
 * the stream's last number to `ret_seq` on TROUPE_OK, and also on TROUPE_CONFLICT, where it is the one that
 * was not expected.
 *
 * Nothing of it is stored, and the transaction goes on, after TROUPE_CONFLICT, TROUPE_INVALID (the name is
 * empty, too long or holds a NUL; there are no records), TROUPE_MALFORMED (the bytes are not records, or one
 * has flags), TROUPE_TOO_LARGE (over JOURNAL_APPEND_SIZE_MAX), TROUPE_CORRUPT (the stream's own entry is
 * damaged), TROUPE_NO_MEMORY. After TROUPE_IO the journal has failed.
 */
TROUPE_MUST_CHECK troupe_status journal_stage(struct journal *journal, const char *stream, size_t stream_len,
                                              uint64_t expected_seq, const void *records, size_t size,
                                              uint64_t *ret_seq);

/**
 * Keeps `size` bytes as the state (or its summary) of `stream` after its record `seq`, in the place of any
 * that was kept, as part of the transaction: who reads the stream later begins with them. `seq` must be the
 * stream's last number, appends of the same transaction included: TROUPE_CONFLICT when it is not, with the
 * true one in `ret_seq` (also written on TROUPE_OK), so a stale owner keeps nothing. Snapshots are never the
 * truth; one that is lost, damaged or not understood costs time and nothing else.
 *
 * Other errors, after which the transaction goes on: TROUPE_INVALID (the name, number 0, or no bytes),
 * TROUPE_TOO_LARGE (over JOURNAL_SNAPSHOT_SIZE_MAX), TROUPE_NO_MEMORY, TROUPE_CORRUPT. After TROUPE_IO the
 * journal has failed.
 */
TROUPE_MUST_CHECK troupe_status journal_keep(struct journal *journal, enum journal_kept kind,
                                             const char *stream, size_t stream_len, uint64_t seq,
                                             const void *bytes, size_t size, uint64_t *ret_seq);

/**
 * Adds the snapshot (or summary) of a stream to the end of `bytes`, and writes the number of the record that
 * it follows; 0 and no bytes when none is kept. Not within a transaction. TROUPE_CORRUPT when it fails its
 * checksum or is ahead of its stream: then the stream is to be read from 1. Otherwise errors as journal_scan.
 */
TROUPE_MUST_CHECK troupe_status journal_recall(struct journal *journal, enum journal_kept kind,
                                               const char *stream, size_t stream_len, struct buffer *bytes,
                                               uint64_t *ret_seq);

/**
 * Visits the summaries of all streams that have one and begin after place `after` (0: all), in an order that
 * stays the same. One that is damaged, or of a record that is not there, is left out: its stream has to be
 * read. Not within a transaction. Errors as journal_list.
 */
TROUPE_MUST_CHECK troupe_status journal_summaries(struct journal *journal, uint64_t after,
                                                  journal_visit_summary *visit, void *context);

/**
 * Puts the cards (journal/card.h) of an append to `stream`, which has records, as part of the transaction:
 * cards that journal_card_add and _move made, or journal_check_cards took. TROUPE_CONFLICT when one was new
 * and its id has a card already, which stays; all others were put. After any other error the journal has
 * failed.
 */
TROUPE_MUST_CHECK troupe_status journal_put(struct journal *journal, enum journal_shelf shelf,
                                            const char *stream, size_t stream_len, const void *cards,
                                            size_t size);

/**
 * Whether bytes that came from elsewhere are cards that journal_put takes: TROUPE_OK or TROUPE_MALFORMED. Any
 * time.
 */
TROUPE_MUST_CHECK troupe_status journal_check_cards(const void *cards, size_t size);

/**
 * As part of the transaction: takes all cards out of the catalogue, which is not whole from then on; whoever
 * does it puts those of all streams, over as many transactions as it likes, and ends with
 * journal_complete_cards. After an error the journal has failed.
 */
TROUPE_MUST_CHECK troupe_status journal_forget_cards(struct journal *journal);
TROUPE_MUST_CHECK troupe_status journal_complete_cards(struct journal *journal);

/**
 * Whether the catalogue is whole. It is not in a file of a version that had none, and where making it anew
 * was not completed; then nobody may look into it before it is made anew. False also when that cannot be
 * read, and the journal has failed.
 */
bool journal_has_cards(struct journal *journal);

/**
 * Compares the catalogue with the expected cards, which must be those of all streams, and forgets them: each
 * card, and each word it is found by. TROUPE_OK when everything was gone through, whatever was found. Not
 * within a transaction. Errors as journal_scan.
 */
TROUPE_MUST_CHECK troupe_status journal_compare_cards(struct journal *journal, journal_report_card *report,
                                                      void *context);

/**
 * Visits the committed cards that fit a query, the newest (with the greatest id) first. At most
 * JOURNAL_LOOKED_MAX are looked at in one call; `ret_next` says where the next one goes on (its `before`), 0
 * when that was all. Not within a transaction. TROUPE_INVALID, explained, when words are asked for and there
 * is none in them, or they are longer than JOURNAL_WORDS_SIZE_MAX; otherwise as journal_scan.
 */
TROUPE_MUST_CHECK troupe_status journal_find(struct journal *journal, const struct journal_query *query,
                                             journal_visit_card *visit, void *context, uint64_t *ret_next);

/**
 * Makes the transaction durable. Only after TROUPE_OK may anything in it be acknowledged; any other status:
 * it failed, for ever.
 */
TROUPE_MUST_CHECK troupe_status journal_commit(struct journal *journal);

/**
 * Visits the records of a stream in order, from number `from_seq` (0 is as 1) to the last committed one; none
 * when there is no such stream. Each has passed its checksum, and its body lies at a multiple of 8. Not
 * within a transaction. Errors: TROUPE_CORRUPT, TROUPE_IO, TROUPE_NO_MEMORY, TROUPE_INVALID (the name), and
 * whatever the visitor answered.
 */
TROUPE_MUST_CHECK troupe_status journal_scan(struct journal *journal, const char *stream, size_t stream_len,
                                             uint64_t from_seq, journal_visit_entry *visit, void *context);

/**
 * Visits the streams whose names begin with `prefix`, in the order of their bytes. Otherwise as journal_scan.
 */
TROUPE_MUST_CHECK troupe_status journal_list(struct journal *journal, const char *prefix,
                                             journal_visit_stream *visit, void *context);

/**
 * Goes through everything that is stored, each thing against the others, and reports all that is not as it
 * should be: damage, gaps, wrong order, wrong ends. TROUPE_CORRUPT when there was any. What the records mean
 * is not looked at; snapshots and summaries are checked by journal_recall. Not within a transaction. Errors:
 * TROUPE_IO, TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status journal_verify(struct journal *journal, journal_report *report,
                                               void *context);

/**
 * What has to be done now and then and need not keep anybody waiting, as copying the log into the file. To be
 * called after each commit, when the answers are out; returns at once when there is nothing to do. Errors:
 * TROUPE_IO, and the journal has failed.
 */
TROUPE_MUST_CHECK troupe_status journal_upkeep(struct journal *journal);

/** Whether the journal has failed for ever. */
bool journal_is_failed(const struct journal *journal);

/** Why the last call failed, one line for people; "" when none did. Good until the next call. */
const char *journal_error(const struct journal *journal);

/**
 * Leaves the file in order, with an empty log: what an ending does last, so that the next start has nothing
 * to catch up with. journal_close does it too, but cannot say why it failed. Nothing is done within a
 * transaction, which closing loses. Errors: TROUPE_IO, and the journal has failed; what was acknowledged is
 * in the log all the same.
 */
TROUPE_MUST_CHECK troupe_status journal_finish(struct journal *journal);

/**
 * Ends a journal, clears the pointer and frees everything, whatever is answered. An open transaction is lost.
 * NULL is fine.
 */
troupe_status journal_close(struct journal **journal);

/** For drivers: writes the error's text and answers `status`. */
__attribute__((format(printf, 3, 4))) troupe_status journal_explain(struct journal *journal,
                                                                    troupe_status status, const char *format,
                                                                    ...);

/** For drivers: as journal_explain, and the journal has failed for ever. The first reason is kept. */
__attribute__((format(printf, 3, 4))) troupe_status journal_fail(struct journal *journal,
                                                                 troupe_status status, const char *format,
                                                                 ...);

#endif
