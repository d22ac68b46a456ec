/* SPDX-License-Identifier: MIT */
/*
 * verify.c: goes through all streams of a journal; verify.h says what for. One thread.
 *
 *   list of streams -> each: its snapshot, its summary, all its records folded, a piece at a time, and the
 *   cards of each piece -> the fold against both, and at the end the cards against the catalogue
 *
 * A rebuild makes and keeps what a check compares; it is restartable at any moment, since the catalogue says
 * that it is not whole from before the first change until after the last.
 */
#include "server/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/buffer.h"
#include "org/directory.h"
#include "org/id.h"
#include "org/role.h"
#include "server/catalogue.h"
#include "server/messages.h"
#include "server/role_cards.h"
#include "server/role_summary.h"

/* Cards are made of so many bytes of records at once: what is in memory of a stream, beside its fold. */
#define PIECE_SIZE ((size_t)1 << 20)

struct pass {
    struct journal *journal;
    journal_report *report;
    void *context;
    struct verify_counts counts;
    struct buffer names;      /* of all streams, one after the other, each with its NUL */
    struct buffer unreadable; /* those that could not be read, the same way */
    struct catalogue catalogue;
    struct role_cards cards;
    bool is_rebuild;
    bool has_cards; /* there are some to be made, or to be compared with */
};

/* One role while its stream is read. */
struct reading {
    struct org_role *role;
    struct buffer snapshot;
    struct buffer summary;
    uint64_t snapshot_seq;
    uint64_t summary_seq;
    uint64_t seq;
    struct record_batch piece; /* what came since cards were made last */
    bool is_snapshot_right;
};

__attribute__((format(printf, 2, 3))) static void report(struct pass *pass, const char *format, ...)
{
    char text[JOURNAL_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pass->counts.findings++;
    pass->report(pass->context, text);
}

/* A finding of the journal itself. */
static void pass_on(void *context, const char *finding)
{
    report(context, "%s", finding);
}

static troupe_status note_name(void *context, const struct journal_stream *stream)
{
    struct pass *pass = context;
    pass->counts.streams++;
    return buffer_append(&pass->names, stream->name, strlen(stream->name) + 1);
}

/* --- roles ------------------------------------------------------------------------------------ */

/* Here the fold must be what the snapshot says; another version's cannot be compared, and is not used. */
static troupe_status compare_snapshot(struct reading *reading)
{
    struct org_role *restored = NULL;
    troupe_status status = org_role_restore(org_role_view(reading->role).name, reading->snapshot.bytes,
                                            reading->snapshot.size, &restored);
    if (status == TROUPE_UNEXPECTED) {
        reading->is_snapshot_right = true;
    } else if (status == TROUPE_OK) {
        struct org_counts a = org_role_counts(reading->role);
        struct org_counts b = org_role_counts(restored);
        reading->is_snapshot_right = memcmp(&a, &b, sizeof a) == 0 &&
                                     org_role_due_ms(reading->role) == org_role_due_ms(restored) &&
                                     org_role_last_id(reading->role) == org_role_last_id(restored) &&
                                     org_role_outbox_last(reading->role) == org_role_outbox_last(restored);
    }
    org_role_free(restored);
    return status == TROUPE_NO_MEMORY ? status : TROUPE_OK;
}

static troupe_status fold_entry(void *context, const struct journal_entry *entry)
{
    struct reading *reading = context;
    if (reading->piece.bytes.size >= PIECE_SIZE)
        return TROUPE_END;
    troupe_status status = org_role_replay(reading->role, &entry->record);
    if (status == TROUPE_OK)
        status = record_batch_append(&reading->piece, entry->record.type, entry->record.version,
                                     entry->record.body, entry->record.size);
    if (status != TROUPE_OK)
        return status;
    reading->seq = entry->seq;
    return entry->seq == reading->snapshot_seq ? compare_snapshot(reading) : TROUPE_OK;
}

/* Makes the cards of what was read and sends them on their way. */
static troupe_status pass_cards(struct pass *pass, const char *stream, struct reading *reading)
{
    troupe_status status = TROUPE_OK;
    if (pass->has_cards)
        status = role_cards_make(&pass->cards, reading->piece.bytes.bytes, reading->piece.bytes.size);
    if (status == TROUPE_OK && pass->has_cards && pass->cards.cards.count > 0)
        status = catalogue_add(&pass->catalogue, CATALOGUE_CARDS, stream, reading->seq,
                               pass->cards.cards.bytes.bytes, pass->cards.cards.bytes.size);
    record_batch_clear(&reading->piece);
    return status;
}

/* Folds a whole stream, a piece at a time: the journal takes nothing while it is read. */
static troupe_status fold_stream(struct pass *pass, const char *stream, struct reading *reading)
{
    troupe_status status;
    do {
        status = journal_scan(pass->journal, stream, strlen(stream), reading->seq + 1, fold_entry, reading);
        troupe_status passed = pass_cards(pass, stream, reading);
        if (passed != TROUPE_OK)
            return passed;
    } while (status == TROUPE_END);
    return status;
}

static troupe_status recall(struct pass *pass, struct reading *reading, enum journal_kept kind,
                            const char *stream)
{
    bool is_snapshot = kind == JOURNAL_SNAPSHOT;
    troupe_status status = journal_recall(pass->journal, kind, stream, strlen(stream),
                                          is_snapshot ? &reading->snapshot : &reading->summary,
                                          is_snapshot ? &reading->snapshot_seq : &reading->summary_seq);
    if (status != TROUPE_CORRUPT)
        return status;
    if (!pass->is_rebuild)
        report(pass, "%s: %s", stream, journal_error(pass->journal));
    return TROUPE_OK;
}

static void check_role(struct pass *pass, const char *stream, const struct reading *reading)
{
    const char *reason = "";
    if (!org_role_check(reading->role, &reason))
        report(pass, "%s: %s", stream, reason);
    if (reading->snapshot_seq > 0) {
        pass->counts.snapshots++;
        if (!reading->is_snapshot_right)
            report(pass, "%s: its snapshot after record %llu is not what the records say", stream,
                   (unsigned long long)reading->snapshot_seq);
    }
    if (reading->summary_seq == 0)
        return;
    role_load_fields fields = role_summary_of(reading->role, org_role_last_id(reading->role));
    struct buffer expected = {0};
    fields.is_asleep = true;
    pass->counts.summaries++;
    if (reading->summary_seq != reading->seq || role_summary_write(&fields, &expected) != TROUPE_OK ||
        (role_summary_read(reading->summary.bytes, reading->summary.size) != NULL &&
         (expected.size != reading->summary.size ||
          memcmp(expected.bytes, reading->summary.bytes, expected.size) != 0)))
        report(pass, "%s: its summary is not what the records say; `troupe rebuild` makes it anew", stream);
    buffer_done(&expected);
}

static troupe_status rebuild_role(struct pass *pass, const char *stream, const struct reading *reading)
{
    struct buffer summary = {0};
    struct buffer snapshot = {0};
    role_load_fields fields = role_summary_of(reading->role, org_role_last_id(reading->role));
    fields.is_asleep = true;
    troupe_status status = role_summary_write(&fields, &summary);
    if (status == TROUPE_OK)
        status = org_role_save(reading->role, &snapshot);
    if (status == TROUPE_OK)
        status = catalogue_add(&pass->catalogue, CATALOGUE_SUMMARY, stream, reading->seq, summary.bytes,
                               summary.size);
    if (status == TROUPE_OK && snapshot.size <= JOURNAL_SNAPSHOT_SIZE_MAX)
        status = catalogue_add(&pass->catalogue, CATALOGUE_SNAPSHOT, stream, reading->seq, snapshot.bytes,
                               snapshot.size);
    buffer_done(&summary);
    buffer_done(&snapshot);
    pass->counts.summaries++;
    pass->counts.snapshots++;
    return status;
}

/* What a stream alone cannot be read for is told, and the others go on. */
static bool is_findable(troupe_status status)
{
    return status == TROUPE_CORRUPT || status == TROUPE_MALFORMED || status == TROUPE_UNEXPECTED ||
           status == TROUPE_LIMIT;
}

static troupe_status pass_role(struct pass *pass, const char *stream)
{
    struct reading reading = {0};
    troupe_status status = org_role_new(stream + strlen(ROLE_STREAM_PREFIX), &reading.role);
    if (status == TROUPE_INVALID) {
        report(pass, "%s: that is no name of a role", stream);
        return TROUPE_OK;
    }
    if (status == TROUPE_OK)
        status = recall(pass, &reading, JOURNAL_SNAPSHOT, stream);
    if (status == TROUPE_OK)
        status = recall(pass, &reading, JOURNAL_SUMMARY, stream);
    if (status == TROUPE_OK)
        status = fold_stream(pass, stream, &reading);
    pass->counts.roles++;
    pass->counts.records += reading.seq;
    if (status == TROUPE_OK && pass->is_rebuild) {
        status = rebuild_role(pass, stream, &reading);
    } else if (status == TROUPE_OK) {
        check_role(pass, stream, &reading);
    } else if (is_findable(status)) {
        report(pass, "%s: record %llu cannot be read: %s", stream, (unsigned long long)reading.seq + 1,
               journal_error(pass->journal)[0] != '\0' ? journal_error(pass->journal)
                                                       : troupe_status_text(status));
        status = buffer_append(&pass->unreadable, stream, strlen(stream) + 1);
    }
    if (reading.role != NULL)
        pass->counts.messages += org_role_counts(reading.role).accepted;
    org_role_free(reading.role);
    buffer_done(&reading.snapshot);
    buffer_done(&reading.summary);
    record_batch_done(&reading.piece);
    return status;
}

/* --- the organisation ------------------------------------------------------------------------- */

struct organisation {
    struct org_directory *directory;
    uint64_t seq;
};

static troupe_status fold_directory(void *context, const struct journal_entry *entry)
{
    struct organisation *organisation = context;
    organisation->seq = entry->seq;
    return org_directory_replay(organisation->directory, &entry->record);
}

static troupe_status pass_organisation(struct pass *pass, const char *stream)
{
    struct organisation organisation = {0};
    struct hash_key key;
    const char *reason = "";
    randombytes_buf(&key, sizeof key);
    troupe_status status = org_directory_new(&key, &organisation.directory);
    if (status == TROUPE_OK)
        status = journal_scan(pass->journal, stream, strlen(stream), 0, fold_directory, &organisation);
    pass->counts.records += organisation.seq;
    if (is_findable(status)) {
        report(pass, "%s: %s", stream,
               journal_error(pass->journal)[0] != '\0' ? journal_error(pass->journal)
                                                       : troupe_status_text(status));
        status = TROUPE_OK;
    } else if (status == TROUPE_OK && !org_directory_check(organisation.directory, &reason)) {
        report(pass, "%s: %s", stream, reason);
    }
    org_directory_free(organisation.directory);
    return status;
}

/* --- all -------------------------------------------------------------------------------------- */

static bool is_unreadable(const struct pass *pass, const char *stream)
{
    for (size_t at = 0; at < pass->unreadable.size;
         at += strlen((const char *)pass->unreadable.bytes + at) + 1) {
        if (strcmp((const char *)pass->unreadable.bytes + at, stream) == 0)
            return true;
    }
    return false;
}

/* A card that is not as it should be. What should be is not known of a stream that could not be read. */
static void report_card(void *context, const char *stream, uint64_t id, const char *what)
{
    struct pass *pass = context;
    char text[ORG_ID_TEXT_LEN + 1];
    org_id_text(id, text);
    if (!is_unreadable(pass, stream))
        report(pass, "%s: in the lists message %s %s; `troupe rebuild` makes them anew",
               stream[0] != '\0' ? stream : "no role", text, what);
}

static troupe_status pass_streams(struct pass *pass)
{
    troupe_status status = journal_list(pass->journal, "", note_name, pass);
    size_t at = 0;
    while (status == TROUPE_OK && at < pass->names.size) {
        const char *stream = (const char *)pass->names.bytes + at;
        at += strlen(stream) + 1;
        if (strncmp(stream, ROLE_STREAM_PREFIX, strlen(ROLE_STREAM_PREFIX)) == 0)
            status = pass_role(pass, stream);
        else if (strcmp(stream, "organisation") == 0)
            status = pass->is_rebuild ? TROUPE_OK : pass_organisation(pass, stream);
        else
            report(pass, "%s: nobody owns this stream", stream);
    }
    return status == TROUPE_OK ? catalogue_flush(&pass->catalogue) : status;
}

static troupe_status pass_all(struct pass *pass)
{
    pass->catalogue.journal = pass->journal;
    pass->catalogue.report = pass_on;
    pass->catalogue.context = pass;
    troupe_status status = pass_streams(pass);
    if (status == TROUPE_OK && pass->has_cards && !pass->is_rebuild)
        status = journal_compare_cards(pass->journal, report_card, pass);
    buffer_done(&pass->names);
    buffer_done(&pass->unreadable);
    catalogue_done(&pass->catalogue);
    role_cards_done(&pass->cards);
    return status;
}

troupe_status verify_journal(struct journal *journal, journal_report *report_to, void *context,
                             struct verify_counts *ret_counts)
{
    struct pass pass = {.journal = journal,
                        .report = report_to,
                        .context = context,
                        .catalogue.shelf = JOURNAL_EXPECTED_CARDS};
    troupe_status status = journal_verify(journal, pass_on, &pass);
    pass.has_cards = journal_has_cards(journal);
    if (status == TROUPE_OK || status == TROUPE_CORRUPT)
        status = pass_all(&pass);
    *ret_counts = pass.counts;
    return status;
}

/* A transaction that changes the catalogue as a whole. */
static troupe_status change_cards(struct journal *journal, troupe_status (*change)(struct journal *journal))
{
    troupe_status status = journal_begin(journal);
    if (status == TROUPE_OK)
        status = change(journal);
    return status == TROUPE_OK ? journal_commit(journal) : status;
}

troupe_status rebuild_journal(struct journal *journal, journal_report *report_to, void *context,
                              struct verify_counts *ret_counts)
{
    struct pass pass = {.journal = journal,
                        .report = report_to,
                        .context = context,
                        .is_rebuild = true,
                        .has_cards = true,
                        .catalogue.shelf = JOURNAL_CARDS};
    troupe_status status = change_cards(journal, journal_forget_cards);
    if (status == TROUPE_OK)
        status = pass_all(&pass);
    if (status == TROUPE_OK)
        status = change_cards(journal, journal_complete_cards);
    *ret_counts = pass.counts;
    return status;
}
