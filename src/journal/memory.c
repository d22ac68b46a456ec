/* SPDX-License-Identifier: MIT */
/*
 * memory.c: the journal in memory. A stream is one block of records as they were appended and one list that
 * says where each begins; nothing is ever copied out for a reader.
 *
 * Place: under journal.c, which has checked every call. One thread at a time.
 *
 * Invariants
 *   1. streams[i] belongs to heads.list[i], for all i < heads.count.
 *   2. committed_count <= the records of the stream = its head's seq; they differ only within a transaction,
 *      or after a failure, and then exactly for the streams in `touched`. So it is with what is staged to be
 *      kept.
 *   3. position = the records of all streams together: the last one given.
 */
#include "journal/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/assert.h"
#include "journal/heads.h"
#include "journal/memory_cards.h"

/* Where one record begins, and its place among all. */
struct placed {
    uint64_t position;
    uint64_t offset;
};

struct stream {
    struct buffer bytes;
    struct buffer places; /* struct placed, one a record */
    uint64_t committed_count;
    struct kept {
        struct buffer bytes;
        uint64_t seq; /* 0: none */
        struct buffer staged_bytes;
        uint64_t staged_seq; /* by the transaction; 0: none */
    } kept[JOURNAL_KEPT_COUNT];
};

struct memory_journal {
    struct journal base;
    struct heads heads;
    uint32_t last; /* the stream that was found last; a place in `heads` */
    struct stream *streams;
    size_t stream_capacity;
    struct memory_cards cards;
    struct buffer touched; /* uint32_t: streams changed in this transaction; one may be there twice */
    uint64_t position;
    struct failing {
        bool is_on;
        bool is_stored;
        uint64_t left; /* good ones before the one that fails */
    } failing[JOURNAL_MEMORY_CALL_COUNT];
};

static struct memory_journal *of(struct journal *journal)
{
    return (struct memory_journal *)(void *)journal;
}

static troupe_status memory_open(const char *where, struct journal **ret_journal, struct journal_error *error)
{
    (void)where;
    (void)error;
    /* Its users are tests and simulated runs, which have to be the same each time; nobody attacks them. */
    static const struct hash_key key = {{1, 2}};
    struct memory_journal *memory = calloc(1, sizeof(*memory));
    if (memory == NULL)
        return TROUPE_NO_MEMORY;
    memory->base.driver = &journal_memory;
    heads_init(&memory->heads, &key);
    *ret_journal = &memory->base;
    return TROUPE_OK;
}

static void memory_close(struct journal *journal)
{
    struct memory_journal *memory = of(journal);
    for (uint32_t i = 0; i < memory->heads.count; i++) {
        buffer_done(&memory->streams[i].bytes);
        buffer_done(&memory->streams[i].places);
        for (int k = 0; k < JOURNAL_KEPT_COUNT; k++) {
            buffer_done(&memory->streams[i].kept[k].bytes);
            buffer_done(&memory->streams[i].kept[k].staged_bytes);
        }
    }
    heads_done(&memory->heads);
    memory_cards_done(&memory->cards);
    buffer_done(&memory->touched);
    free(memory->streams);
    free(memory);
}

/* Fails when this is the call that was told to; otherwise counts it. */
static troupe_status meet_fate(struct memory_journal *memory, enum journal_memory_call call)
{
    static const char *const names[] = {"commit", "append", "snapshot", "read"};
    struct failing *failing = &memory->failing[call];
    if (!failing->is_on || failing->left-- > 0)
        return TROUPE_OK;
    failing->is_on = false;
    return journal_fail(&memory->base, TROUPE_IO, "the %s was told to fail", names[call]);
}

static troupe_status memory_begin(struct journal *journal)
{
    ASSERT(of(journal)->touched.size == 0);
    return TROUPE_OK;
}

/* For calls whose room was reserved. */
static void must(troupe_status status)
{
    ASSERT(status == TROUPE_OK);
}

static struct placed *places_of(struct stream *stream)
{
    return (struct placed *)(void *)stream->places.bytes;
}

/* The head of a stream, or NULL: mostly that of the last call, since an append is several. */
static struct head *head_of(struct memory_journal *memory, const char *name, size_t name_len)
{
    if (memory->last < memory->heads.count) {
        struct head *head = &memory->heads.list[memory->last];
        if (head->name_len == name_len && memcmp(heads_name(&memory->heads, head), name, name_len) == 0)
            return head;
    }
    struct head *head = heads_find(&memory->heads, name, name_len);
    if (head != NULL)
        memory->last = (uint32_t)(head - memory->heads.list);
    return head;
}

static uint64_t count_of(const struct stream *stream)
{
    return stream->places.size / sizeof(struct placed);
}

/* Finds a stream, or makes it, empty. */
static troupe_status find_or_add(struct memory_journal *memory, const struct journal_batch *batch,
                                 uint32_t *ret_index)
{
    struct head *head = head_of(memory, batch->stream, batch->stream_len);
    if (head == NULL) {
        troupe_status status = array_reserve(&memory->streams, &memory->stream_capacity,
                                             (size_t)memory->heads.count + 1, sizeof(*memory->streams));
        if (status != TROUPE_OK)
            return status;
        memset(&memory->streams[memory->heads.count], 0, sizeof(struct stream));
        status = heads_add(&memory->heads, batch->stream, batch->stream_len, &head);
        if (status != TROUPE_OK)
            return status;
    }
    *ret_index = (uint32_t)(head - memory->heads.list);
    return TROUPE_OK;
}

static troupe_status memory_append(struct journal *journal, const struct journal_batch *batch,
                                   uint64_t *ret_seq)
{
    struct memory_journal *memory = of(journal);
    troupe_status status = meet_fate(memory, JOURNAL_MEMORY_APPEND);
    if (status != TROUPE_OK)
        return status;
    const struct head *known = head_of(memory, batch->stream, batch->stream_len);
    uint64_t last = known == NULL ? 0 : known->seq;
    if (last != batch->expected_seq) {
        *ret_seq = last;
        return TROUPE_CONFLICT;
    }

    /*
     * All memory is taken before anything changes, so that a refusal leaves no trace but, at most, an empty
     * stream.
     */
    uint32_t index;
    status = find_or_add(memory, batch, &index);
    if (status != TROUPE_OK)
        return status;
    struct stream *stream = &memory->streams[index];
    status = buffer_reserve(&memory->touched, sizeof(index));
    if (status == TROUPE_OK)
        status = buffer_reserve(&stream->bytes, batch->size);
    if (status == TROUPE_OK)
        status = buffer_reserve(&stream->places, batch->count * sizeof(struct placed));
    if (status != TROUPE_OK)
        return status;

    struct record_cursor cursor = record_cursor_at(batch->records, batch->size);
    struct record record;
    uint64_t offset = stream->bytes.size;
    for (uint32_t i = 0; i < batch->count; i++) {
        struct placed placed = {.position = ++memory->position, .offset = offset + cursor.offset};
        must(buffer_append(&stream->places, &placed, sizeof(placed)));
        must(record_next(&cursor, &record));
    }
    must(buffer_append(&stream->bytes, batch->records, batch->size));
    must(buffer_append(&memory->touched, &index, sizeof(index)));
    memory->heads.list[index].seq = count_of(stream);
    *ret_seq = count_of(stream);
    return TROUPE_OK;
}

static troupe_status memory_keep(struct journal *journal, const struct journal_snapshot *snapshot,
                                 uint64_t *ret_seq)
{
    struct memory_journal *memory = of(journal);
    troupe_status status = meet_fate(memory, JOURNAL_MEMORY_KEEP);
    if (status != TROUPE_OK)
        return status;
    const struct head *head = head_of(memory, snapshot->stream, snapshot->stream_len);
    *ret_seq = head == NULL ? 0 : head->seq;
    if (*ret_seq != snapshot->seq || head == NULL)
        return TROUPE_CONFLICT;
    uint32_t index = (uint32_t)(head - memory->heads.list);
    struct kept *kept = &memory->streams[index].kept[snapshot->kind];
    status = buffer_reserve(&memory->touched, sizeof(index));
    if (status == TROUPE_OK && snapshot->size > kept->staged_bytes.size)
        status = buffer_reserve(&kept->staged_bytes, snapshot->size - kept->staged_bytes.size);
    if (status != TROUPE_OK)
        return status;
    buffer_clear(&kept->staged_bytes);
    must(buffer_append(&kept->staged_bytes, snapshot->bytes, snapshot->size));
    must(buffer_append(&memory->touched, &index, sizeof(index)));
    kept->staged_seq = snapshot->seq;
    return TROUPE_OK;
}

static troupe_status memory_recall(struct journal *journal, enum journal_kept kind, const char *name,
                                   size_t name_len, struct buffer *bytes, uint64_t *ret_seq)
{
    struct memory_journal *memory = of(journal);
    troupe_status status = meet_fate(memory, JOURNAL_MEMORY_READ);
    if (status != TROUPE_OK)
        return status;
    const struct head *head = head_of(memory, name, name_len);
    if (head == NULL)
        return TROUPE_OK;
    const struct kept *kept = &memory->streams[head - memory->heads.list].kept[kind];
    *ret_seq = kept->seq;
    return kept->seq == 0 ? TROUPE_OK : buffer_append(bytes, kept->bytes.bytes, kept->bytes.size);
}

static troupe_status memory_summaries(struct journal *journal, uint64_t after, journal_visit_summary *visit,
                                      void *context)
{
    struct memory_journal *memory = of(journal);
    troupe_status status = meet_fate(memory, JOURNAL_MEMORY_READ);
    for (uint64_t i = after; i < memory->heads.count && status == TROUPE_OK; i++) {
        const struct kept *kept = &memory->streams[i].kept[JOURNAL_SUMMARY];
        struct journal_summary summary = {.place = i + 1,
                                          .stream = heads_name(&memory->heads, &memory->heads.list[i]),
                                          .seq = kept->seq,
                                          .bytes = kept->bytes.bytes,
                                          .size = kept->bytes.size};
        if (kept->seq > 0)
            status = visit(context, &summary);
    }
    return status;
}

/* What was staged takes the place of what was kept, and gives it its memory. */
static void store_kept(struct kept *kept)
{
    if (kept->staged_seq == 0)
        return;
    struct buffer before = kept->bytes;
    kept->bytes = kept->staged_bytes;
    kept->seq = kept->staged_seq;
    kept->staged_bytes = before;
    kept->staged_seq = 0;
}

static void store_touched(struct memory_journal *memory)
{
    const uint32_t *touched = (const uint32_t *)(const void *)memory->touched.bytes;
    for (size_t i = 0; i < memory->touched.size / sizeof(*touched); i++) {
        struct stream *stream = &memory->streams[touched[i]];
        stream->committed_count = count_of(stream);
        for (int k = 0; k < JOURNAL_KEPT_COUNT; k++)
            store_kept(&stream->kept[k]);
    }
    buffer_clear(&memory->touched);
    memory_cards_commit(&memory->cards);
}

static troupe_status memory_commit(struct journal *journal)
{
    struct memory_journal *memory = of(journal);
    troupe_status status = meet_fate(memory, JOURNAL_MEMORY_COMMIT);
    if (status == TROUPE_OK || memory->failing[JOURNAL_MEMORY_COMMIT].is_stored)
        store_touched(memory);
    return status;
}

static troupe_status memory_read(struct journal *journal, const char *name, size_t name_len,
                                 uint64_t from_seq, journal_visit_entry *visit, void *context)
{
    struct memory_journal *memory = of(journal);
    troupe_status status = meet_fate(memory, JOURNAL_MEMORY_READ);
    if (status != TROUPE_OK)
        return status;
    const struct head *head = head_of(memory, name, name_len);
    if (head == NULL)
        return TROUPE_OK;

    struct stream *stream = &memory->streams[head - memory->heads.list];
    const struct placed *places = places_of(stream);
    for (uint64_t seq = from_seq; seq <= stream->committed_count; seq++) {
        uint64_t offset = places[seq - 1].offset;
        struct journal_entry entry = {.position = places[seq - 1].position, .seq = seq};
        struct record_cursor cursor =
            record_cursor_at(stream->bytes.bytes + offset, stream->bytes.size - offset);
        must(record_next(&cursor, &entry.record));
        status = visit(context, &entry);
        if (status != TROUPE_OK)
            return status;
    }
    return TROUPE_OK;
}

static int compare_names(const void *left, const void *right)
{
    const struct journal_stream *a = left;
    const struct journal_stream *b = right;
    return strcmp(a->name, b->name);
}

static troupe_status memory_streams(struct journal *journal, const char *prefix, size_t prefix_len,
                                    journal_visit_stream *visit, void *context)
{
    struct memory_journal *memory = of(journal);
    struct buffer found = {0};
    troupe_status status = meet_fate(memory, JOURNAL_MEMORY_READ);
    for (uint32_t i = 0; i < memory->heads.count && status == TROUPE_OK; i++) {
        const struct head *head = &memory->heads.list[i];
        struct journal_stream stream = {heads_name(&memory->heads, head), memory->streams[i].committed_count};
        if (stream.last_seq > 0 && strncmp(stream.name, prefix, prefix_len) == 0)
            status = buffer_append(&found, &stream, sizeof(stream));
    }
    struct journal_stream *list = (struct journal_stream *)(void *)found.bytes;
    size_t count = found.size / sizeof(*list);
    if (status == TROUPE_OK && count > 0)
        qsort(list, count, sizeof(*list), compare_names);
    for (size_t i = 0; i < count && status == TROUPE_OK; i++)
        status = visit(context, &list[i]);
    buffer_done(&found);
    return status;
}

static troupe_status memory_put(struct journal *journal, enum journal_shelf shelf, const char *stream,
                                size_t stream_len, const journal_card *card)
{
    return memory_cards_put(&of(journal)->cards, shelf, stream, stream_len, card);
}

static troupe_status memory_move(struct journal *journal, enum journal_shelf shelf, const char *stream,
                                 size_t stream_len, const journal_card_moved *moved)
{
    return memory_cards_move(&of(journal)->cards, shelf, stream, stream_len, moved);
}

static troupe_status memory_forget_cards(struct journal *journal)
{
    memory_cards_forget(&of(journal)->cards);
    return TROUPE_OK;
}

static troupe_status memory_complete_cards(struct journal *journal)
{
    of(journal)->cards.is_incomplete = false;
    return TROUPE_OK;
}

static bool memory_has_cards(struct journal *journal)
{
    return !of(journal)->cards.is_incomplete;
}

static troupe_status memory_compare_cards(struct journal *journal, journal_report_card *report, void *context)
{
    return memory_cards_compare(&of(journal)->cards, report, context);
}

static troupe_status memory_find(struct journal *journal, const struct journal_query *query,
                                 const struct journal_words *words, journal_visit_card *visit, void *context,
                                 uint64_t *ret_next)
{
    return memory_cards_find(&of(journal)->cards, query, words, visit, context, ret_next);
}

/* Invariants 2 and 3. */
static troupe_status memory_verify(struct journal *journal, journal_report *report, void *context)
{
    struct memory_journal *memory = of(journal);
    uint64_t records = 0;
    for (uint32_t i = 0; i < memory->heads.count; i++) {
        records += count_of(&memory->streams[i]);
        if (memory->streams[i].committed_count != count_of(&memory->streams[i]) ||
            memory->heads.list[i].seq != count_of(&memory->streams[i])) {
            report(context, "a stream does not end where its records do");
            return TROUPE_CORRUPT;
        }
    }
    if (records == memory->position)
        return TROUPE_OK;
    report(context, "there are not as many records as positions");
    return TROUPE_CORRUPT;
}

static troupe_status memory_upkeep(struct journal *journal)
{
    (void)journal;
    return TROUPE_OK;
}

void journal_memory_fail(struct journal *journal, enum journal_memory_call call, uint64_t count,
                         bool is_stored)
{
    struct memory_journal *memory = of(journal);
    ASSERT(journal->driver == &journal_memory);
    memory->failing[call] =
        (struct failing){.is_on = count != JOURNAL_MEMORY_NEVER, .is_stored = is_stored, .left = count};
}

void journal_memory_restart(struct journal *journal)
{
    struct memory_journal *memory = of(journal);
    ASSERT(journal->driver == &journal_memory);
    ASSERT(!journal->is_visiting);
    buffer_clear(&memory->touched);
    memory_cards_drop(&memory->cards);
    memory->position = 0;
    for (uint32_t i = 0; i < memory->heads.count; i++) {
        struct stream *stream = &memory->streams[i];
        if (stream->committed_count < count_of(stream))
            buffer_truncate(&stream->bytes, places_of(stream)[stream->committed_count].offset);
        buffer_truncate(&stream->places, stream->committed_count * sizeof(struct placed));
        for (int k = 0; k < JOURNAL_KEPT_COUNT; k++)
            stream->kept[k].staged_seq = 0;
        memory->heads.list[i].seq = stream->committed_count;
        memory->position += stream->committed_count;
    }
    journal->is_in_transaction = false;
    journal->failure = TROUPE_OK;
    journal->error.text[0] = '\0';
}

const struct journal_driver journal_memory = {
    .name = "memory",
    .open = memory_open,
    .begin = memory_begin,
    .append = memory_append,
    .keep = memory_keep,
    .put = memory_put,
    .move = memory_move,
    .forget_cards = memory_forget_cards,
    .complete_cards = memory_complete_cards,
    .has_cards = memory_has_cards,
    .compare_cards = memory_compare_cards,
    .find = memory_find,
    .commit = memory_commit,
    .recall = memory_recall,
    .summaries = memory_summaries,
    .read = memory_read,
    .streams = memory_streams,
    .verify = memory_verify,
    .upkeep = memory_upkeep,
    .finish = memory_upkeep, /* there is nothing to do either */
    .close = memory_close,
};
