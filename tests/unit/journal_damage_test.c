/* SPDX-License-Identifier: MIT */
/*
 * Facts about damage to a journal's file: whatever byte changes, nobody is given a record that was not
 * written. One thread.
 *
 * The file is small: two streams, one of them long enough for a mark. Each case takes a fresh copy, changes
 * it, and reads all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/journal.h"
#include "support/journal_support.h"

enum {
    PAGE_SIZE = 4096,
    LONG_COUNT = 70,
    SHORT_COUNT = 3,
    BODY_SIZE = 12,
    CELLS_MAX = 400,
};

/* The pristine file, in memory. */
struct pristine {
    struct test_folder folder;
    unsigned char *bytes;
    size_t size;
};

/* What reading a copy came to. */
struct outcome {
    troupe_status open;
    troupe_status list;
    troupe_status scans[2];
    const char *wrong; /* what was given that is not true, or NULL */
    struct journal_error error;
};

static const char *const names[2] = {"role/long", "role/short"};
static const uint64_t counts[2] = {LONG_COUNT, SHORT_COUNT};

static void body_of(size_t stream, uint64_t seq, unsigned char body[BODY_SIZE + 1])
{
    snprintf((char *)body, BODY_SIZE + 1, "%c:%010d", stream == 0 ? 'L' : 'S', (int)seq);
}

static void append(struct journal *journal, size_t stream, uint64_t expected_seq)
{
    struct record_batch batch = {0};
    unsigned char body[BODY_SIZE + 1];
    uint64_t seq;
    body_of(stream, expected_seq + 1, body);
    assert_int_equal(record_batch_append(&batch, TEST_RECORD_TYPE, 3, body, BODY_SIZE), TROUPE_OK);
    assert_int_equal(journal_stage(journal, names[stream], strlen(names[stream]), expected_seq,
                                   batch.bytes.bytes, batch.bytes.size, &seq),
                     TROUPE_OK);
    record_batch_done(&batch);
}

static int make_pristine(void **state)
{
    struct pristine *pristine = calloc(1, sizeof(*pristine));
    test_folder_make(&pristine->folder);
    struct journal *journal = test_open(&journal_sqlite, pristine->folder.journal);
    assert_int_equal(journal_begin(journal), TROUPE_OK);
    for (uint64_t i = 0; i < LONG_COUNT; i++) {
        append(journal, 0, i);
        if (i < SHORT_COUNT)
            append(journal, 1, i);
    }
    assert_int_equal(journal_commit(journal), TROUPE_OK);
    assert_int_equal(journal_close(&journal), TROUPE_OK);

    FILE *file = fopen(pristine->folder.journal, "rb");
    assert_non_null(file);
    pristine->size = test_file_size(pristine->folder.journal);
    pristine->bytes = malloc(pristine->size);
    assert_int_equal(fread(pristine->bytes, 1, pristine->size, file), pristine->size);
    fclose(file);
    *state = pristine;
    return 0;
}

static int drop_pristine(void **state)
{
    struct pristine *pristine = *state;
    test_folder_remove(&pristine->folder);
    free(pristine->bytes);
    free(pristine);
    return 0;
}

static void write_copy(const struct pristine *pristine)
{
    char log[TEST_PATH_SIZE + 8];
    snprintf(log, sizeof(log), "%s-wal", pristine->folder.journal);
    unlink(log);
    snprintf(log, sizeof(log), "%s-shm", pristine->folder.journal);
    unlink(log);
    FILE *file = fopen(pristine->folder.journal, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(pristine->bytes, 1, pristine->size, file), pristine->size);
    fclose(file);
}

struct check {
    size_t stream;
    uint64_t count;
    bool is_wrong;
};

static troupe_status check_entry(void *context, const struct journal_entry *entry)
{
    struct check *check = context;
    unsigned char body[BODY_SIZE + 1];
    body_of(check->stream, entry->seq, body);
    check->count++;
    check->is_wrong = entry->seq != check->count || entry->record.type != TEST_RECORD_TYPE ||
                      entry->record.version != 3 || entry->record.size != BODY_SIZE ||
                      memcmp(entry->record.body, body, BODY_SIZE) != 0;
    return check->is_wrong ? TROUPE_END : TROUPE_OK;
}

static troupe_status check_stream(void *context, const struct journal_stream *stream)
{
    struct check *check = context;
    check->is_wrong = check->count > 1 || strcmp(stream->name, names[check->count]) != 0 ||
                      stream->last_seq != counts[check->count];
    check->count++;
    return check->is_wrong ? TROUPE_END : TROUPE_OK;
}

/*
 * Opens the file and reads all of it. What is given must be right; what is missing must have been reported.
 */
static void read_all(const struct pristine *pristine, struct outcome *ret_outcome)
{
    struct journal *journal = NULL;
    memset(ret_outcome, 0, sizeof(*ret_outcome));
    ret_outcome->open =
        journal_open(&journal_sqlite, pristine->folder.journal, &journal, &ret_outcome->error);
    if (ret_outcome->open != TROUPE_OK) {
        if (ret_outcome->error.text[0] == '\0')
            ret_outcome->wrong = "a refusal without a reason";
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        struct check check = {.stream = i};
        ret_outcome->scans[i] = journal_scan(journal, names[i], strlen(names[i]), 0, check_entry, &check);
        if (check.is_wrong)
            ret_outcome->wrong = "a record that was not written";
        if (ret_outcome->scans[i] == TROUPE_OK && check.count != counts[i])
            ret_outcome->wrong = "fewer records than were written";
        if (ret_outcome->scans[i] != TROUPE_OK)
            snprintf(ret_outcome->error.text, sizeof(ret_outcome->error.text), "%s", journal_error(journal));
    }
    struct check check = {0};
    ret_outcome->list = journal_list(journal, "", check_stream, &check);
    if (check.is_wrong || (ret_outcome->list == TROUPE_OK && check.count != 2))
        ret_outcome->wrong = "a wrong list of streams";
    journal_close(&journal);
}

static bool is_seen(const struct outcome *outcome)
{
    return outcome->wrong == NULL &&
           (outcome->open == TROUPE_CORRUPT || outcome->scans[0] == TROUPE_CORRUPT ||
            outcome->scans[1] == TROUPE_CORRUPT);
}

static size_t read_varint(const unsigned char *bytes, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t size = 0;
    do
        number = number << 7 | (bytes[size] & 0x7f);
    while (bytes[size++] >= 0x80 && size < 8);
    *ret_number = number;
    return size;
}

/* The rows of `record` in the file: the cells of the table leaves that hold a body of ours. */
static size_t find_rows(const struct pristine *pristine, size_t starts[CELLS_MAX], size_t ends[CELLS_MAX])
{
    size_t count = 0;
    for (size_t page = PAGE_SIZE; page < pristine->size; page += PAGE_SIZE) {
        const unsigned char *bytes = pristine->bytes + page;
        if (bytes[0] != 13)
            continue;
        size_t cells = (size_t)bytes[3] << 8 | bytes[4];
        for (size_t i = 0; i < cells; i++) {
            size_t at = (size_t)bytes[8 + 2 * i] << 8 | bytes[9 + 2 * i];
            uint64_t payload;
            uint64_t position;
            size_t start = page + at;
            size_t after = start + read_varint(pristine->bytes + start, &payload);
            after += read_varint(pristine->bytes + after, &position);
            const unsigned char *end = pristine->bytes + after + payload;
            if (payload < BODY_SIZE || (end[-BODY_SIZE] != 'L' && end[-BODY_SIZE] != 'S') ||
                end[1 - BODY_SIZE] != ':')
                continue;
            assert_in_range(count, 0, CELLS_MAX - 1);
            starts[count] = start;
            ends[count] = after + payload;
            count++;
        }
    }
    return count;
}

static void every_changed_byte_of_a_record_is_reported(void **state)
{
    struct pristine *pristine = *state;
    static size_t starts[CELLS_MAX];
    static size_t ends[CELLS_MAX];
    size_t count = find_rows(pristine, starts, ends);
    assert_int_equal(count, LONG_COUNT + SHORT_COUNT);

    /* The first, the last, and some between; every byte of each, every single bit and all of them. */
    for (size_t row = 0; row < count; row += 24) {
        for (size_t at = starts[row]; at < ends[row]; at++) {
            for (unsigned change = 1; change <= 256; change *= 4) {
                unsigned char flip = change == 256 ? 0xff : (unsigned char)change;
                struct outcome outcome;
                pristine->bytes[at] ^= flip;
                write_copy(pristine);
                pristine->bytes[at] ^= flip;
                read_all(pristine, &outcome);
                if (!is_seen(&outcome))
                    fail_msg("row %zu, byte %zu of the row, xor %02x: nobody noticed (%d, %d, %d: %s)", row,
                             at - starts[row], flip, (int)outcome.open, (int)outcome.scans[0],
                             (int)outcome.scans[1], outcome.error.text);
            }
        }
    }
}

static void no_changed_byte_of_the_file_makes_a_wrong_record(void **state)
{
    struct pristine *pristine = *state;
    size_t tried = 0;
    for (size_t at = 0; at < pristine->size; at++) {
        if (pristine->bytes[at] == 0)
            continue; /* for the most part, the free middle of a page */
        struct outcome outcome;
        pristine->bytes[at] ^= 0xff;
        write_copy(pristine);
        pristine->bytes[at] ^= 0xff;
        read_all(pristine, &outcome);
        if (outcome.wrong != NULL)
            fail_msg("byte %zu of page %zu: %s", at % PAGE_SIZE, at / PAGE_SIZE + 1, outcome.wrong);
        tried++;
    }
    assert_in_range(tried, 1000, 100000);
}

/* Changes a closed journal with a tool of its own, as a careless person would, and reads it. */
static void change(const struct pristine *pristine, const char *script, struct outcome *ret_outcome)
{
    sqlite3 *db;
    char *error = NULL;
    write_copy(pristine);
    assert_int_equal(sqlite3_open(pristine->folder.journal, &db), SQLITE_OK);
    if (sqlite3_exec(db, script, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", script, error);
    sqlite3_close(db);
    read_all(pristine, ret_outcome);
}

static void moved_swapped_and_missing_rows_are_reported(void **state)
{
    struct pristine *pristine = *state;
    static const char *const scripts[] = {
        "DELETE FROM record WHERE position = 1",
        "DELETE FROM record WHERE position = 20",
        "DELETE FROM record WHERE position = (SELECT max(position) FROM record)",
        "DELETE FROM record",
        "UPDATE record SET position = 1000 WHERE position = 20",
        "UPDATE record SET stream = 3 - stream WHERE position = 20",
        "UPDATE record SET seq = seq + 1 WHERE position = 73",
        "UPDATE record SET previous = previous - 1 WHERE position = 30",
        "UPDATE record SET version = 4 WHERE position = 30",
        "UPDATE record SET type = 78 WHERE position = 30",
        "UPDATE record SET body = x'' WHERE position = 30",
        "UPDATE record SET body = (SELECT body FROM record WHERE position = 31) WHERE position = 30",
        "UPDATE record SET (stream, seq, previous, type, version, checksum, body) = (SELECT stream, seq,"
        " previous, type, version, checksum, body FROM record WHERE position = 31) WHERE position = 30",
        "INSERT INTO record SELECT position + 1, stream, seq + 1, position, type, version, checksum, body"
        " FROM record ORDER BY position DESC LIMIT 1",
        "DELETE FROM mark",
        "UPDATE mark SET seq = 63",
        "UPDATE mark SET position = position + 1",
        "UPDATE stream SET last_seq = last_seq - 1",
        "UPDATE stream SET name = 'role/other' WHERE name = 'role/long'",
        "UPDATE state SET heads_position = heads_position - 1",
        "DELETE FROM state",
        "DELETE FROM stream WHERE id = 1",
    };
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct outcome outcome;
        change(pristine, scripts[i], &outcome);
        if (!is_seen(&outcome))
            fail_msg("%s: nobody noticed", scripts[i]);
    }
}

static void damage_names_its_position_and_spares_other_streams(void **state)
{
    struct pristine *pristine = *state;
    struct outcome outcome;
    change(pristine, "UPDATE record SET body = zeroblob(12) WHERE position = 20", &outcome);
    assert_int_equal(outcome.open, TROUPE_OK);
    assert_int_equal(outcome.scans[0], TROUPE_CORRUPT);
    assert_int_equal(outcome.scans[1], TROUPE_OK);
    assert_int_equal(outcome.list, TROUPE_OK);
    assert_string_equal(outcome.error.text, "the record at position 20 fails its checksum");
}

static void page_that_is_malformed_spares_appends_to_other_streams(void **state)
{
    struct pristine *pristine = *state;
    static size_t starts[CELLS_MAX];
    static size_t ends[CELLS_MAX];
    assert_true(find_rows(pristine, starts, ends) > 0);
    pristine->bytes[starts[0]] ^= 1; /* the length of a row: SQLite itself finds this */
    write_copy(pristine);
    pristine->bytes[starts[0]] ^= 1;

    struct journal *journal = test_open(&journal_sqlite, pristine->folder.journal);
    struct check check = {0};
    assert_int_equal(journal_scan(journal, names[0], strlen(names[0]), 0, check_entry, &check),
                     TROUPE_CORRUPT);
    assert_false(journal_is_failed(journal));
    assert_int_equal(test_append(journal, "role/new", 0, 5), TROUPE_OK);
    struct test_seen seen;
    assert_int_equal(test_scan(journal, "role/new", 0, &seen), TROUPE_OK);
    assert_int_equal(seen.count, 5);
    assert_int_equal(journal_close(&journal), TROUPE_OK);
}

static void whole_file_reads_right_after_all_that(void **state)
{
    struct pristine *pristine = *state;
    struct outcome outcome;
    write_copy(pristine);
    read_all(pristine, &outcome);
    assert_int_equal(outcome.open, TROUPE_OK);
    assert_int_equal(outcome.scans[0], TROUPE_OK);
    assert_int_equal(outcome.scans[1], TROUPE_OK);
    assert_int_equal(outcome.list, TROUPE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_changed_byte_of_a_record_is_reported),
        cmocka_unit_test(no_changed_byte_of_the_file_makes_a_wrong_record),
        cmocka_unit_test(moved_swapped_and_missing_rows_are_reported),
        cmocka_unit_test(damage_names_its_position_and_spares_other_streams),
        cmocka_unit_test(page_that_is_malformed_spares_appends_to_other_streams),
        cmocka_unit_test(whole_file_reads_right_after_all_that),
    };
    return cmocka_run_group_tests(tests, make_pristine, drop_pristine);
}
