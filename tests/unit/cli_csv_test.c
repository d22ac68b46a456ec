/* SPDX-License-Identifier: MIT */
/*
 * Facts about cli/csv and cli/patches: a file is read strictly, and what is wrong is named with its line. One
 * thread, files in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/csv.h"
#include "cli/patches.h"

#define HEADER "sent_unix,done_unix,sender,integrator,files,first_path\n"

static struct csv csv;
static struct patches patches;

static FILE *file_of(const char *text, size_t size)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, size, "r");
    assert_non_null(file);
    return file;
}

/* Reads one record of `text` and expects these fields. */
static void check_fields(const char *text, size_t count, const char *const *fields)
{
    FILE *file = file_of(text, strlen(text));
    csv_start(&csv, file);
    assert_int_equal(csv_next(&csv), TROUPE_OK);
    assert_int_equal(csv.field_count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(csv.fields[i], fields[i]);
    fclose(file);
}

#define CHECK_FIELDS(text, ...)                                                                              \
    check_fields(text, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),                          \
                 (const char *const[]){__VA_ARGS__})

static void check_malformed(const char *text, size_t size, int64_t line, const char *trouble)
{
    FILE *file = file_of(text, size);
    troupe_status status;
    csv_start(&csv, file);
    do {
        status = csv_next(&csv);
    } while (status == TROUPE_OK);
    assert_int_equal(status, TROUPE_MALFORMED);
    assert_string_equal(csv.trouble, trouble);
    assert_int_equal(csv.line, line);
    fclose(file);
}

static void fields_are_split_at_commas(void **state)
{
    (void)state;
    CHECK_FIELDS("a,b,c\n", "a", "b", "c");
    CHECK_FIELDS(",,\n", "", "", "");
    CHECK_FIELDS("\n", "");
    CHECK_FIELDS("a b, c\n", "a b", " c");
}

static void quotes_hold_commas_quotes_and_line_ends(void **state)
{
    (void)state;
    CHECK_FIELDS("\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\n", "a,b", "say \"x\"", "two\nlines");
    CHECK_FIELDS("\"\",x\n", "", "x");
}

static void last_line_may_lack_its_end(void **state)
{
    (void)state;
    CHECK_FIELDS("a,b", "a", "b");
    CHECK_FIELDS("a,", "a", "");
    CHECK_FIELDS("\"a\"", "a");
    CHECK_FIELDS("a,b\r\n", "a", "b");
}

static void lines_are_counted_also_within_quotes(void **state)
{
    (void)state;
    static const char text[] = "a\n\"x\ny\nz\"\nb\n";
    FILE *file = file_of(text, strlen(text));
    static const int64_t lines[] = {1, 2, 5};
    csv_start(&csv, file);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        assert_int_equal(csv_next(&csv), TROUPE_OK);
        assert_int_equal(csv.line, lines[i]);
    }
    assert_int_equal(csv_next(&csv), TROUPE_END);
    assert_int_equal(csv_next(&csv), TROUPE_END);
    fclose(file);
}

static void what_is_not_csv_is_refused_with_its_line(void **state)
{
    (void)state;
    check_malformed("a\nb\"c\n", 6, 2, "a quote inside a field that is not quoted");
    check_malformed("a\n\"b\"c\n", 7, 2, "something stands after a closing quote");
    check_malformed("a\n\"b\n\nc", 7, 4, "a quote is not closed before the end of the file");
    check_malformed("a\nb\0c\n", 6, 2, "a NUL byte");
    check_malformed("a\rb\n", 4, 1, "a carriage return without a line feed");
}

static void record_holds_as_many_bytes_as_the_limit_says(void **state)
{
    (void)state;
    static char text[CSV_RECORD_MAX + 2];
    memset(text, 'x', sizeof(text));
    text[CSV_RECORD_MAX - 1] = '\n';
    FILE *file = file_of(text, CSV_RECORD_MAX);
    csv_start(&csv, file);
    assert_int_equal(csv_next(&csv), TROUPE_OK);
    assert_int_equal(strlen(csv.fields[0]), CSV_RECORD_MAX - 1);
    fclose(file);
    text[CSV_RECORD_MAX - 1] = 'x';
    text[CSV_RECORD_MAX] = '\n';
    check_malformed(text, CSV_RECORD_MAX + 1, 1, "the record is too long");
}

static void record_has_as_many_fields_as_the_limit_says(void **state)
{
    (void)state;
    char text[CSV_FIELDS_MAX + 2];
    memset(text, ',', sizeof(text));
    text[CSV_FIELDS_MAX - 1] = '\n';
    FILE *file = file_of(text, CSV_FIELDS_MAX);
    csv_start(&csv, file);
    assert_int_equal(csv_next(&csv), TROUPE_OK);
    assert_int_equal(csv.field_count, CSV_FIELDS_MAX);
    fclose(file);
    text[CSV_FIELDS_MAX - 1] = ',';
    text[CSV_FIELDS_MAX] = '\n';
    check_malformed(text, CSV_FIELDS_MAX + 1, 1, "too many fields");
}

static void patch_rows_are_typed_and_numbered(void **state)
{
    (void)state;
    static const char text[] = HEADER "10,20,p1,p2,3,a/b.c\n20,20,p3,,0,\n";
    FILE *file = file_of(text, strlen(text));
    struct patch patch;
    assert_int_equal(patches_start(&patches, file), TROUPE_OK);
    assert_int_equal(patches_next(&patches, &patch), TROUPE_OK);
    assert_int_equal(patch.number, 1);
    assert_int_equal(patch.sent_unix, 10);
    assert_int_equal(patch.done_unix, 20);
    assert_string_equal(patch.sender, "p1");
    assert_string_equal(patch.integrator, "p2");
    assert_int_equal(patch.files, 3);
    assert_string_equal(patch.first_path, "a/b.c");
    assert_int_equal(patches_next(&patches, &patch), TROUPE_OK);
    assert_int_equal(patch.number, 2);
    assert_int_equal(patches_next(&patches, &patch), TROUPE_END);
    assert_int_equal(patches_start(&patches, file), TROUPE_OK);
    assert_int_equal(patches_next(&patches, &patch), TROUPE_OK);
    assert_int_equal(patch.number, 1);
    fclose(file);
}

static void check_wrong_row(const char *row, const char *trouble)
{
    char text[2048];
    struct patch patch;
    snprintf(text, sizeof(text), HEADER "1,2,a,b,1,p\n%s\n", row);
    FILE *file = file_of(text, strlen(text));
    assert_int_equal(patches_start(&patches, file), TROUPE_OK);
    assert_int_equal(patches_next(&patches, &patch), TROUPE_OK);
    assert_int_equal(patches_next(&patches, &patch), TROUPE_MALFORMED);
    assert_string_equal(patches.csv.trouble, trouble);
    assert_int_equal(patches.csv.line, 3);
    fclose(file);
}

static void wrong_patch_row_is_named_by_column_and_line(void **state)
{
    (void)state;
    check_wrong_row("x,2,a,b,1,p", "sent_unix is 'x': not a whole number, or out of bounds");
    check_wrong_row("-1,2,a,b,1,p", "sent_unix is '-1': not a whole number, or out of bounds");
    check_wrong_row("1,253402300800,a,b,1,p",
                    "done_unix is '253402300800': not a whole number, or out of bounds");
    check_wrong_row("2,1,a,b,1,p", "done_unix is '1': before it was sent");
    check_wrong_row("1,2,,b,1,p", "sender is '': a row has a sender");
    check_wrong_row("1,2,a,b,1.5,p", "files is '1.5': not a whole number, or out of bounds");
    check_wrong_row("1,2,a,b,1,\xff", "first_path is '\xff': not UTF-8");
    check_wrong_row("1,2,a,b,1", "5 fields instead of 6");
    check_wrong_row("", "1 fields instead of 6");
    check_wrong_row("1,2,a,b,1,p,q", "7 fields instead of 6");
}

static void patch_texts_end_at_their_limits(void **state)
{
    (void)state;
    char row[1024];
    char trouble[CSV_TROUBLE_MAX];
    static const struct {
        const char *format;
        int size_max;
        const char *column;
    } limits[] = {
        {"1,2,%s,b,1,p", PATCHES_NAME_MAX, "sender"},
        {"1,2,a,%s,1,p", PATCHES_NAME_MAX, "integrator"},
        {"1,2,a,b,1,%s", PATCHES_PATH_MAX, "first_path"},
    };
    char long_text[PATCHES_PATH_MAX + 2];
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        const char *comma = strchr(limits[i].format, '%');
        int before = (int)(comma - limits[i].format);
        memset(long_text, 'x', sizeof(long_text));
        long_text[limits[i].size_max + 1] = '\0';
        snprintf(row, sizeof(row), "%.*s%s%s", before, limits[i].format, long_text, comma + 2);
        snprintf(trouble, sizeof(trouble), "%s is '%.40s': too long", limits[i].column, long_text);
        check_wrong_row(row, trouble);
        long_text[limits[i].size_max] = '\0';
        char text[2048];
        struct patch patch;
        snprintf(text, sizeof(text), HEADER "%.*s%s%s\n", before, limits[i].format, long_text, comma + 2);
        FILE *file = file_of(text, strlen(text));
        assert_int_equal(patches_start(&patches, file), TROUPE_OK);
        assert_int_equal(patches_next(&patches, &patch), TROUPE_OK);
        fclose(file);
    }
}

static void file_without_the_header_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"\n", "1,2,a,b,1,p\n",
                                        "sent_unix,done_unix,sender,integrator,files\n",
                                        "done_unix,sent_unix,sender,integrator,files,first_path\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        FILE *file = file_of(texts[i], strlen(texts[i]));
        assert_int_equal(patches_start(&patches, file), TROUPE_MALFORMED);
        assert_int_equal(patches.csv.line, 1);
        fclose(file);
    }
    FILE *empty = fopen("/dev/null", "r");
    assert_non_null(empty);
    assert_int_equal(patches_start(&patches, empty), TROUPE_MALFORMED);
    fclose(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_split_at_commas),
        cmocka_unit_test(quotes_hold_commas_quotes_and_line_ends),
        cmocka_unit_test(last_line_may_lack_its_end),
        cmocka_unit_test(lines_are_counted_also_within_quotes),
        cmocka_unit_test(what_is_not_csv_is_refused_with_its_line),
        cmocka_unit_test(record_holds_as_many_bytes_as_the_limit_says),
        cmocka_unit_test(record_has_as_many_fields_as_the_limit_says),
        cmocka_unit_test(patch_rows_are_typed_and_numbered),
        cmocka_unit_test(wrong_patch_row_is_named_by_column_and_line),
        cmocka_unit_test(patch_texts_end_at_their_limits),
        cmocka_unit_test(file_without_the_header_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
