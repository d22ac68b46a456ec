/* SPDX-License-Identifier: MIT */
/*
 * Absences that came from calendars kept elsewhere, beside those by hand. One thread.
 */
#include "org_directory_house.h"

#include "org/directory_events.h"

/* Imports what came from these sources. */
static void import(const char *actor, const uint64_t *sources, size_t source_count,
                   const struct org_imported_absence *absences, size_t count)
{
    command((struct org_directory_command){.kind = ORG_IMPORT_ABSENCES,
                                           .absences = {.actor = actor,
                                                        .sources = sources,
                                                        .source_count = source_count,
                                                        .absences = absences,
                                                        .absence_count = count}});
}

static void set_calendar(struct org_set_calendar calendar)
{
    command((struct org_directory_command){.kind = ORG_SET_CALENDAR, .calendar = calendar});
}

static void come_back(const char *actor)
{
    command((struct org_directory_command){.kind = ORG_SET_PRESENCE,
                                           .presence = {.actor = actor, .is_present = true}});
}

static bool is_present(const char *actor)
{
    bool is_there = org_directory_is_present(org.directory, actor, org.now_ms);
    assert_int_equal(org_directory_is_present(org.mirror, actor, org.now_ms), is_there);
    return is_there;
}

static void imported_absences_stand_beside_those_by_hand(void **state)
{
    (void)state;
    const uint64_t source = 7;
    int64_t now = org.now_ms;
    const struct org_absence by_hand = {now + 100, now + 200};
    const struct org_imported_absence imported = {now + 300, now + 400, 7};
    set_calendar((struct org_set_calendar){.actor = "ben", .absences = &by_hand, .absence_count = 1});
    import("ben", &source, 1, &imported, 1);
    organisation_expect_done(&org, 1);
    assert_true(org_directory_presence_due(org.directory, now) == now + 100);
    assert_true(org_directory_presence_due(org.directory, now + 200) == now + 300);
    assert_true(org_directory_presence_due(org.mirror, now + 300) == now + 400);
    assert_true(org_directory_comes_or_goes(org.mirror, "ben", now + 250, now + 350));
    set_calendar((struct org_set_calendar){.actor = "ben"}); /* replaces those by hand alone */
    org.now_ms = now + 150;
    assert_true(is_present("ben"));
    org.now_ms = now + 350;
    assert_false(is_present("ben"));
    org.now_ms = now + 400;
    assert_true(is_present("ben"));
}

static void import_replaces_what_came_from_its_sources(void **state)
{
    (void)state;
    const uint64_t sources[] = {7, 9};
    int64_t now = org.now_ms;
    const struct org_imported_absence first[] = {{now + 300, now + 400, 9}, {now + 100, now + 200, 7}};
    const struct org_imported_absence second[] = {{now + 500, now + 600, 7}};
    import("ben", sources, 2, first, 2);
    organisation_expect_done(&org, 1);
    import("ben", sources, 2, first, 2); /* the same again */
    organisation_expect_done(&org, 0);
    import("ben", &sources[1], 1, &first[0], 1); /* of one source alone: neither */
    organisation_expect_done(&org, 0);
    import("ben", &sources[0], 1, second, 1);
    organisation_expect_done(&org, 1);
    struct org_calendar_view view;
    assert_true(org_directory_calendar(org.mirror, "ben", &view));
    char expected[128];
    snprintf(expected, sizeof(expected), "%lld %lld 0000000000000009\n%lld %lld 0000000000000007",
             (long long)now + 300, (long long)now + 400, (long long)now + 500, (long long)now + 600);
    assert_string_equal(view.imported, expected);
    import("ben", sources, 2, NULL, 0);
    organisation_expect_done(&org, 1);
    assert_true(org_directory_presence_due(org.directory, now) == INT64_MAX);
    import("ben", sources, 2, NULL, 0);
    organisation_expect_done(&org, 0);
}

static void coming_back_ends_an_imported_absence_too(void **state)
{
    (void)state;
    const uint64_t source = 7;
    int64_t now = org.now_ms;
    const struct org_imported_absence absences[] = {{now - 5, now + 100, 7}, {now + 200, now + 300, 7}};
    import("ben", &source, 1, absences, 2);
    assert_false(is_present("ben"));
    come_back("ben");
    organisation_expect_done(&org, 1);
    assert_true(is_present("ben"));
    assert_true(org_directory_presence_due(org.directory, now) == now + 200);
    come_back("ben");
    organisation_expect_done(&org, 0);
}

static void imports_values_end_at_their_limits(void **state)
{
    (void)state;
    static struct org_imported_absence absences[ORG_ABSENCES_IMPORTED_MAX + 1];
    const uint64_t source = 7;
    for (size_t i = 0; i <= ORG_ABSENCES_IMPORTED_MAX; i++)
        absences[i] = (struct org_imported_absence){ORG_TIME_MAX_MS - 1000 + (int64_t)i, ORG_TIME_MAX_MS, 7};
    import("ben", &source, 1, absences, ORG_ABSENCES_IMPORTED_MAX + 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOO_MANY);
    absences[0] =
        (struct org_imported_absence){1, org.now_ms, 7}; /* what is over is neither counted nor kept */
    import("ben", &source, 1, absences, ORG_ABSENCES_IMPORTED_MAX + 1);
    organisation_expect_done(&org, 1);
    const uint64_t other = 8;
    const struct org_imported_absence more = {org.now_ms, org.now_ms + 1, 8};
    import("ben", &other, 1, &more, 1); /* of one actor in all */
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOO_MANY);
    const struct org_imported_absence bad[] = {
        {5, 5, 7}, {-1, 5, 7}, {1, 0, 7}, {1, ORG_TIME_MAX_MS + 1, 7}, {1, 2, 8},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        import("ben", &source, 1, &bad[i], 1);
        organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
    }
    const uint64_t twice[] = {7, 7};
    import("ben", twice, 2, NULL, 0);
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_VALUE);
}

static void import_is_for_its_actor_and_administrators(void **state)
{
    (void)state;
    const uint64_t source = 7;
    const struct org_imported_absence absence = {org.now_ms, org.now_ms + 1, 7};
    who.actor = "ben";
    import("cid", &source, 1, &absence, 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_FORBIDDEN);
    import("ben", &source, 1, &absence, 1);
    organisation_expect_done(&org, 1);
    who.actor = "ada";
    import("cid", &source, 1, &absence, 1);
    organisation_expect_done(&org, 1);
    import("nobody", &source, 1, &absence, 1);
    organisation_expect_refusal(&org, ORG_DIRECTORY_NO_ACTOR);
}

static void record_of_imported_absences_is_checked_when_it_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *actor;
        const char *absences;
    } bad[] = {
        {"nobody", ""},
        {"ben", "1 2"},
        {"ben", "1 2 00000000000000ff\n3"},
        {"ben", "1 2 00000000000000fg"},
        {"ben", "1 2 ff"},
        {"ben", "-1 2 00000000000000ff"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        org_absences_imported_fields fields = {.at = 1, .actor = bad[i].actor, .absences = bad[i].absences};
        _Alignas(8) unsigned char body[256];
        size_t size = troupe_flat_size(&org_absences_imported_type, &fields);
        assert_in_range(size, 1, sizeof(body));
        troupe_flat_write(&org_absences_imported_type, &fields, body, size);
        const struct record record = {.type = org_absences_imported_type.id,
                                      .version = org_absences_imported_type.version,
                                      .size = (uint32_t)size,
                                      .body = body};
        assert_int_equal(org_directory_replay(org.mirror, &record), TROUPE_CORRUPT);
    }
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)
    const struct CMUnitTest tests[] = {
        FACT(imported_absences_stand_beside_those_by_hand),
        FACT(import_replaces_what_came_from_its_sources),
        FACT(coming_back_ends_an_imported_absence_too),
        FACT(imports_values_end_at_their_limits),
        FACT(import_is_for_its_actor_and_administrators),
        FACT(record_of_imported_absences_is_checked_when_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
