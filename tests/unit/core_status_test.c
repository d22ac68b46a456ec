/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/status: names and texts of the codes. Pure functions. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <troupe/status.h>

enum {
    TEXT_SIZE_MAX = 100,
};

#define COUNT(name, number, text) +1
static const int status_count = 0 TROUPE_STATUS_LIST(COUNT);

static void every_status_has_its_own_name_and_text(void **state)
{
    (void)state;
    for (int i = 0; i < status_count; i++) { /* numbers without a gap: new ones come at the end */
        const char *name = troupe_status_name((troupe_status)i);
        const char *text = troupe_status_text((troupe_status)i);
        assert_int_equal(strncmp(name, "TROUPE_", 7), 0);
        assert_string_not_equal(name, "TROUPE_?");
        assert_in_range(strlen(text), 2, TEXT_SIZE_MAX);
        for (int other = 0; other < i; other++) {
            assert_string_not_equal(name, troupe_status_name((troupe_status)other));
            assert_string_not_equal(text, troupe_status_text((troupe_status)other));
        }
    }
    assert_string_equal(troupe_status_name(TROUPE_FULL), "TROUPE_FULL");
    assert_string_equal(troupe_status_text(TROUPE_FULL), "the mailbox is full");
    assert_int_equal(TROUPE_OK, 0);
}

static void unknown_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    const char *unknown = troupe_status_text((troupe_status)status_count);
    assert_string_equal(unknown, "an unknown status");
    assert_string_equal(troupe_status_text((troupe_status)-1), unknown);
    assert_string_equal(troupe_status_text((troupe_status)100000), unknown);
    assert_string_equal(troupe_status_name((troupe_status)-1), "TROUPE_?");
    for (int i = 0; i < status_count; i++)
        assert_string_not_equal(troupe_status_text((troupe_status)i), unknown);
}

/* Codes that have been given out stay: they are in journals and in programs. */
static void numbers_of_the_statuses_stand(void **state)
{
    (void)state;
    assert_int_equal(TROUPE_NO_MEMORY, 1);
    assert_int_equal(TROUPE_NO_ACTOR, 4);
    assert_int_equal(TROUPE_TIMEOUT, 6);
    assert_int_equal(TROUPE_IN_HANDLER, 10);
    assert_int_equal(TROUPE_SHUTDOWN, 15);
    assert_int_equal(TROUPE_KILLED, 16);
    assert_int_equal(TROUPE_FAILED, 17);
    assert_int_equal(TROUPE_INTENSITY, 18);
    assert_int_equal(TROUPE_END, 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_name_and_text),
        cmocka_unit_test(unknown_status_has_a_name_and_a_text),
        cmocka_unit_test(numbers_of_the_statuses_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
