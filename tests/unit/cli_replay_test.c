/* SPDX-License-Identifier: MIT */
/*
 * Facts about what a replay reckons with: cli/waits, the histogram, and cli/ledger, the proof of "exactly
 * once". One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/ledger.h"
#include "cli/waits.h"

static void quantiles_of_nothing_are_unknown(void **state)
{
    (void)state;
    static struct waits waits;
    assert_int_equal(waits_quantile(&waits, 50), -1);
}

static void short_waits_are_exact_to_the_millisecond(void **state)
{
    (void)state;
    static struct waits waits;
    for (int64_t wait_ms = 1; wait_ms <= 100; wait_ms++)
        waits_add(&waits, wait_ms);
    assert_int_equal(waits_quantile(&waits, 1), 1);
    assert_int_equal(waits_quantile(&waits, 50), 50);
    assert_int_equal(waits_quantile(&waits, 95), 95);
    assert_int_equal(waits_quantile(&waits, 100), 100);
}

static void long_waits_are_off_by_one_part_in_the_steps(void **state)
{
    (void)state;
    static const int64_t lengths[] = {127, 128, 129, 255, 256, 1000, 12345, 3600000, 86400000, 31536000000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        static struct waits waits;
        memset(&waits, 0, sizeof(waits));
        waits_add(&waits, lengths[i]);
        int64_t told_ms = waits_quantile(&waits, 50);
        assert_true(told_ms <= lengths[i]);
        assert_true(lengths[i] - told_ms <= lengths[i] / (WAITS_STEPS / 2));
    }
}

static void waits_beyond_every_bound_are_still_counted(void **state)
{
    (void)state;
    static struct waits waits;
    waits_add(&waits, INT64_MAX);
    waits_add(&waits, INT64_MIN);
    assert_int_equal(waits.count, 2);
    assert_int_equal(waits_quantile(&waits, 50), 0);
    assert_true(waits_quantile(&waits, 100) > 0);
}

/* The same waits sorted tell what the histogram should say. */
static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void quantiles_agree_with_sorted_waits(void **state)
{
    (void)state;
    enum { COUNT = 1001 };
    static struct waits waits;
    static int64_t sorted[COUNT];
    uint64_t seed = 42;
    for (size_t i = 0; i < COUNT; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        sorted[i] = (int64_t)(seed >> 44);
        waits_add(&waits, sorted[i]);
    }
    qsort(sorted, COUNT, sizeof(*sorted), compare);
    for (unsigned percent = 1; percent <= 100; percent++) {
        int64_t exact = sorted[(COUNT * percent + 99) / 100 - 1];
        int64_t told = waits_quantile(&waits, percent);
        assert_true(told <= exact && exact - told <= exact / (WAITS_STEPS / 2));
    }
}

static void fact_is_new_once_and_known_ever_after(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger, 2);
    assert_true(ledger_enter(&ledger, 1, "0000000000001", LEDGER_ACCEPTED));
    assert_false(ledger_enter(&ledger, 1, "0000000000001", LEDGER_ACCEPTED));
    assert_true(ledger_enter(&ledger, 1, "0000000000001", LEDGER_HANDLED));
    assert_true(ledger_has(&ledger, 1, LEDGER_HANDLED));
    assert_false(ledger_has(&ledger, 2, LEDGER_HANDLED));
    assert_int_equal(ledger.doubled, 0);
    assert_string_equal(ledger_id(&ledger, 1), "0000000000001");
    ledger_done(&ledger);
}

static void row_with_a_second_id_counts_as_doubled(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger, 1);
    ledger_enter(&ledger, 1, "0000000000001", LEDGER_ACCEPTED);
    assert_false(ledger_enter(&ledger, 1, "0000000000002", LEDGER_TAKEN));
    assert_int_equal(ledger.doubled, 1);
    assert_false(ledger_has(&ledger, 1, LEDGER_TAKEN));
    assert_string_equal(ledger_id(&ledger, 1), "0000000000001");
    ledger_done(&ledger);
}

static void row_is_missing_until_handled_or_found_done(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger, 3);
    ledger_enter(&ledger, 1, "a", LEDGER_ACCEPTED);
    ledger_enter(&ledger, 1, "a", LEDGER_TAKEN);
    assert_int_equal(ledger_missing(&ledger), 3);
    ledger_enter(&ledger, 1, "a", LEDGER_HANDLED);
    ledger_enter(&ledger, 2, "b", LEDGER_FOUND_DONE);
    assert_int_equal(ledger_missing(&ledger), 1);
    assert_true(ledger_is_complete(&ledger, 2));
    assert_false(ledger_is_complete(&ledger, 3));
    assert_int_equal(ledger_count(&ledger, LEDGER_FOUND_DONE), 1);
    ledger_done(&ledger);
}

static void only_short_words_can_be_ids(void **state)
{
    (void)state;
    assert_true(ledger_is_id("01hxyz0000abc"));
    assert_true(ledger_is_id("12345678901234"));
    assert_false(ledger_is_id("123456789012345"));
    assert_false(ledger_is_id(""));
    assert_false(ledger_is_id("a/b"));
    assert_false(ledger_is_id("a b"));
}

static void longest_id_is_told_apart_by_its_last_byte(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger, 1);
    assert_true(ledger_enter(&ledger, 1, "12345678901234", LEDGER_ACCEPTED));
    assert_false(ledger_enter(&ledger, 1, "12345678901235", LEDGER_TAKEN));
    assert_int_equal(ledger.doubled, 1);
    ledger_done(&ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_of_nothing_are_unknown),
        cmocka_unit_test(short_waits_are_exact_to_the_millisecond),
        cmocka_unit_test(long_waits_are_off_by_one_part_in_the_steps),
        cmocka_unit_test(waits_beyond_every_bound_are_still_counted),
        cmocka_unit_test(quantiles_agree_with_sorted_waits),
        cmocka_unit_test(fact_is_new_once_and_known_ever_after),
        cmocka_unit_test(row_with_a_second_id_counts_as_doubled),
        cmocka_unit_test(row_is_missing_until_handled_or_found_done),
        cmocka_unit_test(only_short_words_can_be_ids),
        cmocka_unit_test(longest_id_is_told_apart_by_its_last_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
