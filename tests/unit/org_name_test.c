/* SPDX-License-Identifier: MIT */
/*
 * Facts about org/name and org/id: what things are called. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "org/id.h"
#include "org/name.h"

static void role_names_are_parts_between_slashes(void **state)
{
    (void)state;
    assert_true(org_name_is_role("docs"));
    assert_true(org_name_is_role("payments/oncall"));
    assert_true(org_name_is_role("a.b_c-d/0/9"));
    assert_true(org_name_is_role("..a"));
    assert_false(org_name_is_role(""));
    assert_false(org_name_is_role("/docs"));
    assert_false(org_name_is_role("docs/"));
    assert_false(org_name_is_role("a//b"));
    assert_false(org_name_is_role("Docs"));
    assert_false(org_name_is_role("a b"));
    assert_false(org_name_is_role("@ann"));
    assert_false(org_name_is_role("caf\xc3\xa9"));
}

static void parts_of_only_dots_are_refused(void **state)
{
    (void)state;
    assert_false(org_name_is_role("."));
    assert_false(org_name_is_role("a/../b"));
    assert_false(org_name_is_actor("..."));
}

static void names_end_at_their_limit(void **state)
{
    (void)state;
    char name[ORG_NAME_LEN_MAX + 2];
    memset(name, 'a', sizeof(name));
    name[ORG_NAME_LEN_MAX] = '\0';
    assert_true(org_name_is_role(name));
    assert_false(org_name_is_actor(name));
    name[ORG_NAME_LEN_MAX] = 'a';
    name[ORG_NAME_LEN_MAX + 1] = '\0';
    assert_false(org_name_is_role(name));
    name[ORG_ACTOR_NAME_LEN_MAX] = '\0';
    assert_true(org_name_is_actor(name));
}

static void actor_names_have_one_part_and_personal_roles_an_at(void **state)
{
    (void)state;
    char name[ORG_NAME_LEN_MAX + 1];
    assert_true(org_name_is_actor("ann"));
    assert_false(org_name_is_actor("a/b"));
    assert_false(org_name_is_actor("@ann"));
    org_name_personal("ann", name);
    assert_string_equal(name, "@ann");
    assert_true(org_name_is_address("@ann"));
    assert_true(org_name_is_address("payments/oncall"));
    assert_false(org_name_is_address("@"));
    assert_false(org_name_is_address("@a/b"));
    assert_false(org_name_is_address(""));
}

static void slug_keeps_letters_digits_dots_and_joins_the_rest_by_dashes(void **state)
{
    (void)state;
    char slug[ORG_NAME_LEN_MAX + 1];
    assert_int_equal(org_name_slug("3C59X NETWORK DRIVER", ORG_NAME_LEN_MAX, slug), 20);
    assert_string_equal(slug, "3c59x-network-driver");
    org_name_slug("3WARE SAS/SATA-RAID SCSI DRIVERS (3W-XXXX, 3W-9XXX, 3W-SAS)", ORG_NAME_LEN_MAX, slug);
    assert_string_equal(slug, "3ware-sas-sata-raid-scsi-drivers-3w-xxxx-3w-9xxx-3w-sas");
    org_name_slug("802.11 (including CFG80211/NL80211)", ORG_NAME_LEN_MAX, slug);
    assert_string_equal(slug, "802.11-including-cfg80211-nl80211");
    org_name_slug("  --a_b--  ", ORG_NAME_LEN_MAX, slug);
    assert_string_equal(slug, "a_b");
}

static void slug_of_nothing_usable_is_empty(void **state)
{
    (void)state;
    char slug[ORG_NAME_LEN_MAX + 1];
    assert_int_equal(org_name_slug("", ORG_NAME_LEN_MAX, slug), 0);
    assert_int_equal(org_name_slug("---", ORG_NAME_LEN_MAX, slug), 0);
    assert_int_equal(org_name_slug("..", ORG_NAME_LEN_MAX, slug), 0);
    assert_string_equal(slug, "");
}

static void slug_is_cut_without_a_dash_at_its_end(void **state)
{
    (void)state;
    char slug[ORG_NAME_LEN_MAX + 1];
    assert_int_equal(org_name_slug("abcd efgh", 4, slug), 4);
    assert_string_equal(slug, "abcd");
    assert_int_equal(org_name_slug("abcd efgh", 5, slug), 4);
    assert_string_equal(slug, "abcd");
    assert_int_equal(org_name_slug("abcd efgh", 6, slug), 6);
    assert_string_equal(slug, "abcd-e");
}

static void ids_grow_with_time_and_within_a_millisecond(void **state)
{
    (void)state;
    int64_t now_ms = ORG_ID_EPOCH_MS + 1000;
    uint64_t first = org_id_next(0, now_ms, 3);
    uint64_t second = org_id_next(first, now_ms, 3);
    uint64_t third = org_id_next(second, now_ms + 1, 3);
    assert_true(first < second && second < third);
    assert_true(org_id_time_ms(first) == now_ms);
    assert_true(org_id_time_ms(second) == now_ms);
    assert_true(org_id_time_ms(third) == now_ms + 1);
}

static void ids_do_not_repeat_when_the_clock_goes_back(void **state)
{
    (void)state;
    int64_t now_ms = ORG_ID_EPOCH_MS + 1000000;
    uint64_t last = org_id_next(0, now_ms, 0);
    for (int i = 0; i < 100000; i++) { /* more than a millisecond's counter holds */
        uint64_t next = org_id_next(last, now_ms - 5000, 0);
        assert_true(next > last);
        last = next;
    }
    assert_true(org_id_time_ms(last) > now_ms);
}

static void ids_of_two_places_differ(void **state)
{
    (void)state;
    int64_t now_ms = ORG_ID_EPOCH_MS + 1;
    assert_true(org_id_next(0, now_ms, 1) != org_id_next(0, now_ms, 2));
}

static void ids_before_their_epoch_and_after_their_end_stay_in_range(void **state)
{
    (void)state;
    assert_true(org_id_next(0, 0, 0) == 1);
    assert_true(org_id_time_ms(org_id_next(0, INT64_MAX, 0)) ==
                ORG_ID_EPOCH_MS + ((int64_t)1 << ORG_ID_TIME_BITS) - 1);
}

static void id_text_reads_back_and_sorts_as_the_number(void **state)
{
    (void)state;
    const uint64_t ids[] = {0, 1, 31, 32, 0x0123456789abcdef, UINT64_MAX - 1, UINT64_MAX};
    char last[ORG_ID_TEXT_LEN + 1] = "";
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[ORG_ID_TEXT_LEN + 1];
        uint64_t id = 0;
        org_id_text(ids[i], text);
        assert_int_equal(strlen(text), ORG_ID_TEXT_LEN);
        assert_int_equal(org_id_parse(text, &id), TROUPE_OK);
        assert_true(id == ids[i]);
        assert_true(strcmp(last, text) < 0);
        memcpy(last, text, sizeof(text));
    }
    assert_string_equal(last, "fzzzzzzzzzzzz");
}

static void id_text_forgives_what_crockford_forgives(void **state)
{
    (void)state;
    uint64_t id = 0;
    assert_int_equal(org_id_parse("000000000OIl1", &id), TROUPE_OK);
    assert_true(id == (1 << 10) + (1 << 5) + 1);
    assert_int_equal(org_id_parse("FZZZZZZZZZZZZ", &id), TROUPE_OK);
    assert_true(id == UINT64_MAX);
}

static void other_texts_are_no_ids(void **state)
{
    (void)state;
    uint64_t id = 42;
    const char *const texts[] = {
        "", "0", "000000000000", "00000000000000", "g000000000000", "00000000000u0", "0000000 00000"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(org_id_parse(texts[i], &id), TROUPE_INVALID);
    assert_true(id == 42);
}

static void name_is_in_a_list_by_a_whole_line(void **state)
{
    (void)state;
    assert_true(org_name_is_in("ann", "ann"));
    assert_true(org_name_is_in("ann", "lea\nann"));
    assert_true(org_name_is_in("lea", "lea\nann"));
    assert_false(org_name_is_in("an", "lea\nann"));
    assert_false(org_name_is_in("anna", "lea\nann"));
    assert_false(org_name_is_in("nn", "lea\nann"));
    assert_false(org_name_is_in("ann", ""));
}

static void first_of_a_list_is_its_first_line(void **state)
{
    (void)state;
    char name[ORG_NAME_LEN_MAX + 1];
    org_name_first("lea\nann", name);
    assert_string_equal(name, "lea");
    org_name_first("ann", name);
    assert_string_equal(name, "ann");
    org_name_first("", name);
    assert_string_equal(name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(role_names_are_parts_between_slashes),
        cmocka_unit_test(parts_of_only_dots_are_refused),
        cmocka_unit_test(names_end_at_their_limit),
        cmocka_unit_test(actor_names_have_one_part_and_personal_roles_an_at),
        cmocka_unit_test(slug_keeps_letters_digits_dots_and_joins_the_rest_by_dashes),
        cmocka_unit_test(slug_of_nothing_usable_is_empty),
        cmocka_unit_test(slug_is_cut_without_a_dash_at_its_end),
        cmocka_unit_test(name_is_in_a_list_by_a_whole_line),
        cmocka_unit_test(first_of_a_list_is_its_first_line),
        cmocka_unit_test(ids_grow_with_time_and_within_a_millisecond),
        cmocka_unit_test(ids_do_not_repeat_when_the_clock_goes_back),
        cmocka_unit_test(ids_of_two_places_differ),
        cmocka_unit_test(ids_before_their_epoch_and_after_their_end_stay_in_range),
        cmocka_unit_test(id_text_reads_back_and_sorts_as_the_number),
        cmocka_unit_test(id_text_forgives_what_crockford_forgives),
        cmocka_unit_test(other_texts_are_no_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
