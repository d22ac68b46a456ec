/* SPDX-License-Identifier: MIT */
/*
 * Facts about cli/text: other people's text made safe, and times in words. One thread; the time zone is set
 * by the test.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cli/text.h"

#define SECOND ((int64_t)1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

/* 2024-02-29T12:00:00Z */
#define NOW_MS ((int64_t)1709208000000)

static void check_clean(const char *text, bool keep_lines, const char *expected)
{
    char *clean = text_clean(text, keep_lines);
    assert_string_equal(clean, expected);
    free(clean);
}

static void control_characters_become_visible(void **state)
{
    (void)state;
    check_clean("a\033[31mb\007", false, "a\\x1b[31mb\\x07");
    check_clean("\x7f", false, "\\x7f");
    check_clean("\xc2\x9b"
                "2J",
                true, "\\x9b2J");
    check_clean("\xe2\x80\xae"
                "abc",
                false, "\\u202eabc");
    check_clean("\xe2\x81\xa6\xe2\x81\xa9", false, "\\u2066\\u2069");
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    check_clean("", false, "");
    check_clean("Grüße, 世界 🎭", false, "Grüße, 世界 🎭");
    check_clean("back\\slash", false, "back\\slash");
}

static void line_ends_stay_in_a_body_and_become_spaces_in_a_cell(void **state)
{
    (void)state;
    check_clean("a\n\tb\r\nc", true, "a\n\tb\nc");
    check_clean("a\n\tb", false, "a  b");
    check_clean("a\rb", true, "a\\x0db");
}

static void broken_utf8_is_shown_byte_by_byte(void **state)
{
    (void)state;
    check_clean("\xff\xc3", false, "\\xff\\xc3");
    check_clean("\xc0\xaf", false, "\\xc0\\xaf");
    check_clean("\xe0\x80\xaf", false, "\\xe0\\x80\\xaf");
    check_clean("\xed\xa0\x80", false, "\\xed\\xa0\\x80");
    check_clean("\xf4\x90\x80\x80", false, "\\xf4\\x90\\x80\\x80");
    check_clean("\xe2\x82", false, "\\xe2\\x82");
}

static void width_counts_columns_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("Grüße"), 5);
    assert_int_equal(text_width("世界"), 4);
    assert_int_equal(text_width("e\xcc\x81"), 1);
}

static void fitting_never_cuts_a_character(void **state)
{
    (void)state;
    assert_int_equal(text_fitting("Grüße", 3), 4);
    assert_int_equal(text_fitting("世界", 3), 3);
    assert_int_equal(text_fitting("abc", 10), 3);
    assert_int_equal(text_fitting("abc", 0), 0);
}

static void duration_takes_the_largest_unit(void **state)
{
    (void)state;
    char text[TEXT_TIME_MAX];
    assert_string_equal(text_duration(0, text), "0 ms");
    assert_string_equal(text_duration(999, text), "999 ms");
    assert_string_equal(text_duration(1000, text), "1 s");
    assert_string_equal(text_duration(60 * SECOND - 1, text), "59 s");
    assert_string_equal(text_duration(60 * SECOND, text), "1 min");
    assert_string_equal(text_duration(HOUR, text), "1 h");
    assert_string_equal(text_duration(DAY, text), "1 d");
    assert_string_equal(text_duration(-5, text), "0 ms");
}

static void age_is_told_both_ways_and_by_date_when_far(void **state)
{
    (void)state;
    char text[TEXT_TIME_MAX];
    assert_string_equal(text_ago(NOW_MS, NOW_MS, text), "now");
    assert_string_equal(text_ago(NOW_MS, NOW_MS - 3 * HOUR, text), "3 h ago");
    assert_string_equal(text_ago(NOW_MS, NOW_MS + 2 * DAY, text), "in 2 d");
    assert_string_equal(text_ago(NOW_MS, NOW_MS - 30 * DAY, text), "30 d ago");
    assert_string_equal(text_ago(NOW_MS, NOW_MS - 31 * DAY, text), "2024-01-29");
    assert_string_equal(text_ago(NOW_MS, 0, text), "1970-01-01");
}

static void time_to_come_is_rounded_and_time_gone_is_not(void **state)
{
    (void)state;
    char text[TEXT_TIME_MAX];
    assert_string_equal(text_ago(NOW_MS, NOW_MS + 2 * DAY - 5, text), "in 2 d");
    assert_string_equal(text_ago(NOW_MS, NOW_MS + 2 * DAY - 31 * 60 * SECOND, text), "in 1 d");
    assert_string_equal(text_ago(NOW_MS, NOW_MS + 3 * HOUR - 20 * SECOND, text), "in 3 h");
    assert_string_equal(text_ago(NOW_MS, NOW_MS + 60 * SECOND - 300, text), "in 1 min");
    assert_string_equal(text_ago(NOW_MS, NOW_MS + 45 * SECOND - 700, text), "in 44 s");
    assert_string_equal(text_ago(NOW_MS, NOW_MS - 2 * DAY + 5, text), "1 d ago");
}

static void number_has_its_thousands_apart(void **state)
{
    (void)state;
    char text[TEXT_TIME_MAX];
    assert_string_equal(text_number(0, text), "0");
    assert_string_equal(text_number(999, text), "999");
    assert_string_equal(text_number(15594, text), "15,594");
    assert_string_equal(text_number(-1234567, text), "-1,234,567");
    assert_string_equal(text_number(-123, text), "-123");
    assert_string_equal(text_number(INT64_MIN, text), "-9,223,372,036,854,775,808");
}

static void number_is_read_strictly_within_its_bounds(void **state)
{
    (void)state;
    int64_t number = 7;
    assert_true(text_read_number("10", 0, 10, &number));
    assert_int_equal(number, 10);
    static const char *const wrong[] = {
        "", "11", "-1", "+1", " 1", "1 ", "0x1", "1e1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_false(text_read_number(wrong[i], 0, 10, &number));
    assert_int_equal(number, 10);
}

static void check_time(const char *text, int64_t expected_ms)
{
    int64_t time_ms = 0;
    assert_true(text_read_time(text, NOW_MS, &time_ms));
    assert_int_equal(time_ms, expected_ms);
}

static void relative_time_counts_from_now(void **state)
{
    (void)state;
    check_time("30s", NOW_MS + 30 * SECOND);
    check_time("45m", NOW_MS + 45 * 60 * SECOND);
    check_time("45min", NOW_MS + 45 * 60 * SECOND);
    check_time("2h", NOW_MS + 2 * HOUR);
    check_time("3d", NOW_MS + 3 * DAY);
    check_time("1w", NOW_MS + 7 * DAY);
}

static void date_lasts_until_its_day_ends(void **state)
{
    (void)state;
    check_time("2024-02-29", NOW_MS + 12 * HOUR - SECOND);
}

static void time_of_day_is_local_unless_it_says_otherwise(void **state)
{
    (void)state;
    check_time("2024-02-29T12:00", NOW_MS);
    check_time("2024-02-29 12:00:30", NOW_MS + 30 * SECOND);
    check_time("2024-02-29T12:00Z", NOW_MS);
    check_time("2024-02-29T14:00:00+02:00", NOW_MS);
    check_time("2024-02-29T06:30-05:30", NOW_MS);
    setenv("TZ", "XYZ-2", 1);
    tzset();
    check_time("2024-02-29T14:00", NOW_MS);
    check_time("2024-02-29T12:00Z", NOW_MS);
    setenv("TZ", "UTC0", 1);
    tzset();
}

static void what_is_not_in_the_calendar_is_refused(void **state)
{
    (void)state;
    int64_t time_ms;
    static const char *const wrong[] = {
        "",
        "h",
        "2 h",
        "2x",
        "-2h",
        "2024-02-30",
        "2023-02-29",
        "2024-13-01",
        "24-1-1",
        "2024-02-29T",
        "2024-02-29T25:00",
        "2024-02-29T12",
        "tomorrow",
        "2024-02-29T12:00+2",
        "2024-02-29T12:00+99:00",
        "2024-02-29T12:00:61Z",
        "2024-02-29x",
        "9999999999h",
        "99999999999999999999d",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (text_read_time(wrong[i], NOW_MS, &time_ms))
            fail_msg("'%s' was read as a time", wrong[i]);
}

static int use_utc_and_utf8(void **state)
{
    (void)state;
    setenv("TZ", "UTC0", 1);
    tzset();
    return setlocale(LC_ALL, "C.UTF-8") == NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_become_visible),
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(line_ends_stay_in_a_body_and_become_spaces_in_a_cell),
        cmocka_unit_test(broken_utf8_is_shown_byte_by_byte),
        cmocka_unit_test(width_counts_columns_not_bytes),
        cmocka_unit_test(fitting_never_cuts_a_character),
        cmocka_unit_test(duration_takes_the_largest_unit),
        cmocka_unit_test(age_is_told_both_ways_and_by_date_when_far),
        cmocka_unit_test(time_to_come_is_rounded_and_time_gone_is_not),
        cmocka_unit_test(number_has_its_thousands_apart),
        cmocka_unit_test(number_is_read_strictly_within_its_bounds),
        cmocka_unit_test(relative_time_counts_from_now),
        cmocka_unit_test(date_lasts_until_its_day_ends),
        cmocka_unit_test(time_of_day_is_local_unless_it_says_otherwise),
        cmocka_unit_test(what_is_not_in_the_calendar_is_refused),
    };
    return cmocka_run_group_tests(tests, use_utc_and_utf8, NULL);
}
