/* SPDX-License-Identifier: MIT */
/*
 * sqlite.h: the SQLite driver, private to sqlite.c (transactions), sqlite_open.c (the file), sqlite_schema.c
 * (its tables, from each version to the next), sqlite_read.c (rows and scans), sqlite_snapshot.c and
 * sqlite_cards.c.
 *
 * The file. Rows are laid so that a commit writes as few pages as it can: 128 records for 128 streams go to
 * the end of one table.
 *
 *   record   position (the key: 1, 2, 3... over all streams),
 *            stream, seq, previous, type, version, checksum, body
 *   stream   id, name, last_seq, last_position, checksum     its end, written down now and then: invariant 3
 *   mark     (stream, seq) -> position                       for every MARK_EVERY-th record of a stream
 *   state    heads_position, checksum, has_cards             one row
 *   snapshot stream, seq, checksum, body                     the newest one of each stream that has any
 *   summary  stream, seq, checksum, body                     the same
 *   card     id, stream, ..., and card_text, their words     sqlite_cards.c
 *
 * An index on (stream, seq) would put each record of a group on a page of its own, and each page into the log
 * at each commit. In its place each record points to the one before it in its stream, `previous`, and the
 * marks let a reader begin anywhere:
 *
 *     stream 7:   1 <- 2 <- 3 <- ... <- 64 <- 65 <- ... <- 128 <- 129 <- 130
 *                                       mark               mark          last_position
 *
 * To read from n, take the first mark at or after n (or the end), walk back to n, give out what was walked
 * over in order, go on with the next mark: at most MARK_EVERY places, and KEPT_MAX bytes of the records there
 * and one record more, in memory, however long the stream is.
 *
 * Invariants
 *   1. Positions have no gaps: the last one is the number of records. A gap is damage.
 *   2. A record's checksum covers its position, stream, seq, previous, type, version and body: damaged, moved
 *      or swapped rows fail it.
 *   3. Stream rows are right for everything up to state.heads_position. What came after is found when the
 *      file is opened, by reading the records from there on: about HEADS_EVERY of them, since upkeep writes
 *      the ends down that often.
 *   4. In memory `heads` has every stream whose row is behind (is_dirty), and is never cleared while it has
 *      one.
 *   5. One connection writes, reads and checkpoints. With no second one that checkpoints, the race on
 *      resetting the log that SQLite had from 3.7.0 to 3.51.2 ("WAL-reset bug") cannot happen.
 *   6. After a failure no statement runs again, and closing neither syncs nor checkpoints: what is in doubt
 *      stays in the log, where the next start finds it or does not.
 *
 * Threads: one at a time. All calls may block on the disk.
 */
#ifndef JOURNAL_SQLITE_H
#define JOURNAL_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "journal/heads.h"
#include "journal/journal.h"

enum {
    /** "TRPE", in the head of the file, so that other programs and file(1) can tell whose it is. */
    SQLITE_APPLICATION_ID = 0x54525045,
    /** The version of the tables; a file with a higher one is refused. */
    SQLITE_SCHEMA_VERSION = 4,
    /**
     * A mark stands for every so many-th record of a stream: a read walks over at most this many for nothing.
     */
    SQLITE_MARK_EVERY = 64,
    /**
     * The ends of the streams are written down about every so many records: what an opening reads at most,
     * beyond one group.
     */
    SQLITE_HEADS_EVERY = 16384,
    /**
     * Heads kept in memory after they were written down; beyond this they are forgotten and read again when
     * needed.
     */
    SQLITE_HEADS_CACHED_MAX = 65536,
    /** Pages in the log after which upkeep copies them into the file: 16 MiB. */
    SQLITE_CHECKPOINT_PAGES = 4096,
    /** Records that are walked over are kept up to so many bytes, and one more, instead of read again. */
    SQLITE_KEPT_MAX = 256 << 10,
    /**
     * How long another program's lock on the file is waited for, when somebody looks into it with a tool of
     * their own.
     */
    SQLITE_BUSY_MS = 5000,
};

/** What the FIND statements give of a card. */
#define SQLITE_FIND                                                                                          \
    "SELECT c.id, s.name, c.thread, c.state, c.kind, c.rank, c.made_at, c.changed_at, c.author, c.holder, "  \
    "c.title "

/** The statements, each prepared once. */
#define SQLITE_STATEMENTS(X)                                                                                 \
    X(BEGIN_READING, "BEGIN")                                                                                \
    X(END_READING, "ROLLBACK")                                                                               \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                              \
    X(COMMIT, "COMMIT")                                                                                      \
    X(ADD_RECORD, "INSERT INTO record VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")                                      \
    X(ADD_STREAM, "INSERT INTO stream VALUES(?1,?2,?3,?4,?5)")                                               \
    X(ADD_MARK, "INSERT INTO mark VALUES(?1,?2,?3)")                                                         \
    X(SET_STREAM, "UPDATE stream SET last_seq=?2, last_position=?3, checksum=?4 WHERE id=?1")                \
    X(SET_STATE, "UPDATE state SET heads_position=?1, checksum=?2")                                          \
    X(GET_STATE, "SELECT heads_position, checksum FROM state")                                               \
    X(GET_LAST, "SELECT (SELECT max(position) FROM record), (SELECT max(id) FROM stream)")                   \
    X(GET_STREAM, "SELECT id, name, last_seq, last_position, checksum FROM stream WHERE name=?1")            \
    X(GET_STREAM_BY_ID, "SELECT id, name, last_seq, last_position, checksum FROM stream WHERE id=?1")        \
    X(LIST_STREAMS,                                                                                          \
      "SELECT id, name, last_seq, last_position, checksum FROM stream WHERE name>=?1 ORDER BY name")         \
    X(CHECK_STREAMS, "SELECT id, name, last_seq, last_position, checksum FROM stream ORDER BY id")           \
    X(GET_MARK, "SELECT seq, position FROM mark WHERE stream=?1 AND seq>=?2 ORDER BY seq LIMIT 1")           \
    X(GET_LINK, "SELECT stream, seq, previous FROM record WHERE position=?1")                                \
    X(GET_RECORD, "SELECT position, stream, seq, previous, type, version, checksum, body FROM record WHERE " \
                  "position=?1")                                                                             \
    X(SET_SNAPSHOT, "INSERT OR REPLACE INTO snapshot VALUES(?1,?2,?3,?4)")                                   \
    X(GET_SNAPSHOT, "SELECT seq, checksum, body FROM snapshot WHERE stream=?1")                              \
    X(SET_SUMMARY, "INSERT OR REPLACE INTO summary VALUES(?1,?2,?3,?4)")                                     \
    X(GET_SUMMARY, "SELECT seq, checksum, body FROM summary WHERE stream=?1")                                \
    X(LIST_SUMMARIES, "SELECT m.seq, m.checksum, m.body, s.id, s.name, s.last_seq FROM summary m JOIN "      \
                      "stream s ON s.id=m.stream WHERE m.stream>?1 ORDER BY m.stream")                       \
    X(ADD_CARD, "INSERT OR IGNORE INTO card VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)")                     \
    X(ADD_WORDS, "INSERT INTO card_text(rowid, title, text) VALUES(?1,?2,?3)")                               \
    X(CHANGE_CARD, "UPDATE card SET state=?3, changed_at=?4, holder=CASE ?5 WHEN '' THEN holder ELSE ?5 "    \
                   "END WHERE id=?1 AND stream=?2")                                                          \
    X(HAS_CARDS, "SELECT has_cards FROM state")                                                              \
    X(FIND_ALL, SQLITE_FIND "FROM card c JOIN stream s ON s.id=c.stream WHERE c.id<?1 ORDER BY c.id DESC")   \
    X(FIND_STREAM, SQLITE_FIND "FROM card c JOIN stream s ON s.id=c.stream WHERE c.stream=?2 AND c.id<?1 "   \
                               "ORDER BY c.id DESC")                                                         \
    X(FIND_AUTHOR, SQLITE_FIND "FROM card c JOIN stream s ON s.id=c.stream WHERE c.author=?2 AND c.id<?1 "   \
                               "ORDER BY c.id DESC")                                                         \
    X(FIND_WORDS, SQLITE_FIND "FROM card_text t CROSS JOIN card c ON c.id=t.rowid CROSS JOIN stream s ON "   \
                              "s.id=c.stream WHERE card_text MATCH ?2 AND t.rowid<?1 ORDER BY t.rowid DESC") \
    X(LIST_RECORDS,                                                                                          \
      "SELECT position, stream, seq, previous, type, version, checksum, body FROM record WHERE "             \
      "position>?1 ORDER BY position")

enum sqlite_statement {
#define SQLITE_STATEMENT_ENUM(name, text) SQLITE_##name##_STATEMENT,
    SQLITE_STATEMENTS(SQLITE_STATEMENT_ENUM)
#undef SQLITE_STATEMENT_ENUM
        SQLITE_STATEMENT_COUNT
};

/** The three statements that put a card: into the catalogue, where they follow each other, or aside. */
enum sqlite_put { SQLITE_PUT_ADD, SQLITE_PUT_WORDS, SQLITE_PUT_CHANGE, SQLITE_PUT_COUNT };

_Static_assert(SQLITE_ADD_WORDS_STATEMENT == SQLITE_ADD_CARD_STATEMENT + SQLITE_PUT_WORDS &&
                   SQLITE_CHANGE_CARD_STATEMENT == SQLITE_ADD_CARD_STATEMENT + SQLITE_PUT_CHANGE,
               "the statements that put a card follow each other");

/** An open file. */
struct sqlite_journal {
    struct journal base;
    sqlite3 *db;
    sqlite3_stmt *statements[SQLITE_STATEMENT_COUNT];
    sqlite3_stmt *expected[SQLITE_PUT_COUNT]; /**< while cards are expected; else NULL */
    struct heads heads;
    struct buffer body;        /**< the body of the record being read, at a multiple of 8 */
    struct buffer kept;        /**< those of a stretch that was walked back */
    uint64_t position;         /**< the last one given, committed or not */
    uint64_t stream_id;        /**< the last one given */
    uint64_t heads_position;   /**< invariant 3 */
    uint32_t log_pages;        /**< in the log after the last commit; 0 right after a checkpoint */
    uint32_t checkpoint_pages; /**< the next checkpoint is due at so many */
    int lock;                  /**< of file_lock, or -1 */
};

/**
 * A row of `record` as read and verified. The body is borrowed from `sqlite->body` until the next row is
 * read.
 */
struct sqlite_row {
    uint64_t position;
    uint64_t stream;
    uint64_t seq;
    uint64_t previous;
    struct record record;
};

/** The driver's part of a handle. */
static inline struct sqlite_journal *sqlite_of(struct journal *journal)
{
    return (struct sqlite_journal *)(void *)journal;
}

/* --- sqlite.c --- */

/** The checksum that a record's row must have. */
uint32_t sqlite_record_checksum(const struct sqlite_row *row);

/** The checksum that a stream's row must have. */
uint32_t sqlite_stream_checksum(uint64_t id, const char *name, size_t name_len, uint64_t last_seq,
                                uint64_t last_position);

/** The checksum that the row of `state` must have. */
uint32_t sqlite_state_checksum(uint64_t heads_position);

/**
 * Runs a statement that gives no rows, its parameters bound. The result is SQLite's; the statement is ready
 * again.
 */
int sqlite_run(struct sqlite_journal *sqlite, enum sqlite_statement statement);

/** Says why SQLite could not do `what` and that the journal has failed for ever. Answers TROUPE_IO. */
troupe_status sqlite_fail(struct sqlite_journal *sqlite, const char *what);

/** Writes down the ends of all streams and closes the log's tail: invariant 3. A transaction of its own. */
TROUPE_MUST_CHECK troupe_status sqlite_write_heads(struct sqlite_journal *sqlite);

/* --- sqlite_open.c --- */

/** The driver's `open`, `finish` and `close`. */
troupe_status sqlite_open(const char *where, struct journal **ret_journal, struct journal_error *error);
troupe_status sqlite_finish(struct journal *journal);
void sqlite_close(struct journal *journal);

/* --- sqlite_schema.c --- */

/** Runs statements whose rows do not matter; `what` completes "cannot ...". */
TROUPE_MUST_CHECK troupe_status sqlite_script(sqlite3 *db, const char *script, const char *what,
                                              struct journal_error *error);

/** Makes all tables in an empty file, in one transaction. */
TROUPE_MUST_CHECK troupe_status sqlite_schema_make(sqlite3 *db, struct journal_error *error);

/** Brings the tables of an older version up to this one, in one transaction. */
TROUPE_MUST_CHECK troupe_status sqlite_schema_migrate(sqlite3 *db, struct journal_error *error);

/* --- sqlite_snapshot.c --- */

/** The driver's `keep`, `recall` and `summaries`. */
troupe_status sqlite_keep(struct journal *journal, const struct journal_snapshot *snapshot,
                          uint64_t *ret_seq);
troupe_status sqlite_recall(struct journal *journal, enum journal_kept kind, const char *stream,
                            size_t stream_len, struct buffer *bytes, uint64_t *ret_seq);
troupe_status sqlite_summaries(struct journal *journal, uint64_t after, journal_visit_summary *visit,
                               void *context);

/* --- sqlite_cards.c --- */

/** The driver's `put`, `move`, `forget_cards`, `complete_cards`, `has_cards` and `find`. */
troupe_status sqlite_put(struct journal *journal, enum journal_shelf shelf, const char *stream,
                         size_t stream_len, const journal_card *card);
troupe_status sqlite_move(struct journal *journal, enum journal_shelf shelf, const char *stream,
                          size_t stream_len, const journal_card_moved *moved);
troupe_status sqlite_forget_cards(struct journal *journal);
troupe_status sqlite_complete_cards(struct journal *journal);
bool sqlite_has_cards(struct journal *journal);
troupe_status sqlite_find(struct journal *journal, const struct journal_query *query,
                          const struct journal_words *words, journal_visit_card *visit, void *context,
                          uint64_t *ret_next);

/* --- sqlite_cards_compare.c --- */

/** Makes the tables that expected cards are put into, and sqlite->expected, unless they are there. */
TROUPE_MUST_CHECK troupe_status sqlite_expect_cards(struct sqlite_journal *sqlite);

/** Ends the statements of sqlite->expected. */
void sqlite_drop_expected(struct sqlite_journal *sqlite);

/** The driver's `compare_cards`. */
troupe_status sqlite_compare_cards(struct journal *journal, journal_report_card *report_to, void *context);

/* --- sqlite_verify.c --- */

/** The driver's `verify`. */
troupe_status sqlite_verify(struct journal *journal, journal_report *report_to, void *context);

/* --- sqlite_read.c --- */

/** Reads the row a statement stands on. TROUPE_CORRUPT, explained, when it is not what was written. */
TROUPE_MUST_CHECK troupe_status sqlite_read_row(struct sqlite_journal *sqlite, sqlite3_stmt *statement,
                                                struct sqlite_row *ret_row);

/**
 * Reads and checks the row of every stream. TROUPE_CORRUPT, explained, when one is not whole or is missing.
 */
TROUPE_MUST_CHECK troupe_status sqlite_check_streams(struct sqlite_journal *sqlite);

/**
 * The result of a step that gave no row: TROUPE_OK when it is the end, else explained; a failed read of the
 * disk fails the journal.
 */
TROUPE_MUST_CHECK troupe_status sqlite_check_end(struct sqlite_journal *sqlite, int result, const char *what);

/** The head of a stream, from memory or the file; NULL when there is no such stream. */
TROUPE_MUST_CHECK troupe_status sqlite_find_head(struct sqlite_journal *sqlite, const char *name,
                                                 size_t name_len, struct head **ret_head);

/** The head of the stream with this number. TROUPE_CORRUPT when there is none: a record names it. */
TROUPE_MUST_CHECK troupe_status sqlite_find_head_by_id(struct sqlite_journal *sqlite, uint64_t id,
                                                       struct head **ret_head);

/** The driver's `read` and `streams`. */
troupe_status sqlite_read(struct journal *journal, const char *stream, size_t stream_len, uint64_t from_seq,
                          journal_visit_entry *visit, void *context);
troupe_status sqlite_streams(struct journal *journal, const char *prefix, size_t prefix_len,
                             journal_visit_stream *visit, void *context);

#endif
