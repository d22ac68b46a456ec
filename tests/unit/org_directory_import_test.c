/* SPDX-License-Identifier: MIT */
/*
 * Facts about importing a MAINTAINERS file into the organisation's tree, and about who owns a path then. The
 * kernel's own list is used where it is at hand (TROUPE_SHARED, or ../shared beside the source), else those
 * tests are skipped and say so. One thread.
 */
#include "org_directory_support.h"

#include <time.h>

static struct organisation org;

static void set_up_admin(void)
{
    struct org_directory_command command = {.kind = ORG_SET_ACTOR,
                                            .who = {.actor = "root-user"},
                                            .actor = {.name = "root-user", .is_administrator = true}};
    organisation_do(&org, &command);
    organisation_expect_done(&org, 1);
}

static int open_org(void **state)
{
    (void)state;
    organisation_init(&org);
    set_up_admin();
    return 0;
}

static int close_org(void **state)
{
    (void)state;
    organisation_done(&org);
    return 0;
}

static struct org_maintainers *read_text(const char *bytes, size_t size)
{
    struct org_maintainers *file;
    assert_int_equal(org_maintainers_read(bytes, size, &file), TROUPE_OK);
    return file;
}

static void import_file(const struct org_maintainers *file, const char *team)
{
    struct org_directory_command command = {.kind = ORG_IMPORT_MAINTAINERS,
                                            .who = {.actor = "root-user"},
                                            .import = {.maintainers = file, .team = team}};
    organisation_do(&org, &command);
}

static void import_text(const char *text)
{
    struct org_maintainers *file = read_text(text, strlen(text));
    import_file(file, "linux");
    org_maintainers_free(file);
}

static const char small[] = "NET DRIVER\n"
                            "M:\tAnn One <ann@example.org>\n"
                            "M:\tBen Two <ben@example.org>\n"
                            "R:\tCid Three <cid@example.org>\n"
                            "L:\tnetdev@example.org\n"
                            "S:\tMaintained\n"
                            "F:\tdrivers/net/\n"
                            "X:\tdrivers/net/old/\n"
                            "N:\t[^a-z]tegra\n"
                            "\n"
                            "OLD DRIVER\n"
                            "M:\tAnn One <Ann@Example.org>\n"
                            "S:\tOrphan\n"
                            "F:\tdrivers/net/old/a.c\n"
                            "\n"
                            "DOCS\n"
                            "S:\tMaintained\n"
                            "F:\tDocumentation/*.rst\n";

static void section_becomes_a_role_and_a_domain_below_the_team(void **state)
{
    (void)state;
    struct org_directory_role role;
    struct org_domain_view domain;
    import_text(small);
    /* root, team, three people, three roles, three domains */
    organisation_expect_done(&org, 11);
    assert_true(org_directory_role(org.directory, "linux/net-driver", &role));
    assert_string_equal(role.title, "NET DRIVER");
    assert_string_equal(role.parent, "linux");
    assert_string_equal(role.supervisor, "linux");
    assert_int_equal(role.holder_count, 2);
    assert_string_equal(org_directory_holder(org.directory, "linux/net-driver", 0), "ann");
    assert_string_equal(org_directory_holder(org.directory, "linux/net-driver", 1), "ben");
    assert_null(org_directory_holder(org.directory, "linux/net-driver", 2));
    assert_true(org_directory_domain(org.directory, "linux/net-driver", &domain));
    assert_string_equal(domain.owner, "linux/net-driver");
    assert_string_equal(domain.patterns, "F 7 drivers/net/\nF! 8 drivers/net/old/\nN 9 [^a-z]tegra");
    assert_non_null(strstr(domain.note, "netdev@example.org"));
    assert_non_null(strstr(domain.note, "Maintained"));
}

static void team_and_root_are_made_when_they_are_missing_and_held_by_who_imports(void **state)
{
    (void)state;
    struct org_directory_role role;
    import_text(small);
    assert_string_equal(org_directory_root(org.directory), "root");
    assert_string_equal(org_directory_holder(org.directory, "root", 0), "root-user");
    assert_true(org_directory_role(org.directory, "linux", &role));
    assert_true(role.is_team);
    assert_string_equal(role.parent, "root");
    assert_string_equal(org_directory_holder(org.directory, "linux", 0), "root-user");
}

static void orphan_and_section_without_owner_are_vacant(void **state)
{
    (void)state;
    import_text(small);
    assert_null(org_directory_holder(org.directory, "linux/old-driver", 0));
    assert_null(org_directory_holder(org.directory, "linux/docs", 0));
    assert_int_equal(org.answer.import.vacant, 2);
    assert_int_equal(org_directory_counts(org.directory).vacant, 2);
}

static void import_says_what_it_found_and_made(void **state)
{
    (void)state;
    import_text(small);
    const struct org_import_counts *counts = &org.answer.import;
    assert_int_equal(counts->domains, 3);
    assert_int_equal(counts->roles, 3);
    assert_int_equal(counts->people, 3);
    assert_int_equal(counts->patterns, 5);
    assert_int_equal(counts->actors_made, 3);
    assert_int_equal(counts->roles_made, 5);
    assert_int_equal(counts->domains_made, 3);
    assert_int_equal(counts->roles_changed, 0);
    assert_int_equal(org_directory_counts(org.directory).patterns, 5);
}

static void same_file_again_changes_nothing(void **state)
{
    (void)state;
    import_text(small);
    import_text(small);
    organisation_expect_done(&org, 0);
    assert_int_equal(org.answer.import.domains, 3);
    assert_int_equal(org.answer.import.domains_made, 0);
}

static void other_line_numbers_are_no_change(void **state)
{
    (void)state;
    char moved[sizeof(small) + 4];
    import_text(small);
    snprintf(moved, sizeof(moved), "\n\n%s", small);
    import_text(moved);
    organisation_expect_done(&org, 0);
}

static void other_file_changes_what_differs_and_takes_nothing_away(void **state)
{
    (void)state;
    import_text(small);
    import_text("NET DRIVER\n"
                "M:\tBen Two <ben@example.org>\n"
                "L:\tnetdev@example.org\n"
                "S:\tMaintained\n"
                "F:\tdrivers/net/\n"
                "X:\tdrivers/net/old/\n"
                "N:\t[^a-z]tegra\n");
    organisation_expect_done(&org, 1);
    assert_int_equal(org.answer.import.roles_changed, 1);
    assert_string_equal(org_directory_holder(org.directory, "linux/net-driver", 0), "ben");
    assert_int_equal(org_directory_counts(org.directory).domains, 3);
    assert_null(org_directory_held(org.directory, "ann", 0));
    assert_string_equal(org_directory_held(org.directory, "ben", 0), "linux/net-driver");
}

static void import_keeps_settings_of_a_role_and_the_owner_of_a_domain(void **state)
{
    (void)state;
    struct org_directory_role role;
    struct org_domain_view domain;
    const char *holders[] = {"ann"};
    import_text(small);
    struct org_directory_command set = {.kind = ORG_SET_ROLE,
                                        .who = {.actor = "root-user"},
                                        .role = {.name = "linux/net-driver",
                                                 .parent = "linux",
                                                 .holders = holders,
                                                 .holder_count = 1,
                                                 .capacity = 7}};
    organisation_do(&org, &set);
    organisation_expect_done(&org, 1);
    struct org_directory_command transfer = {.kind = ORG_TRANSFER_DOMAIN,
                                             .who = {.actor = "root-user"},
                                             .transfer = {.name = "linux/docs", .owner = "linux"}};
    organisation_do(&org, &transfer);
    import_text(small);
    organisation_expect_done(&org, 1);
    assert_true(org_directory_role(org.directory, "linux/net-driver", &role));
    assert_int_equal(role.capacity, 7);
    assert_int_equal(role.holder_count, 2);
    assert_true(org_directory_domain(org.directory, "linux/docs", &domain));
    assert_string_equal(domain.owner, "linux");
    import_text("DOCS\nS:\tMaintained\nF:\tDocumentation/*.txt\n");
    organisation_expect_done(&org, 1);
    assert_true(org_directory_domain(org.directory, "linux/docs", &domain));
    assert_string_equal(domain.owner, "linux");
    assert_string_equal(domain.patterns, "F 3 Documentation/*.txt");
}

static void person_who_stands_twice_in_a_section_is_one_holder(void **state)
{
    (void)state;
    import_text(
        "A\nM:\tAnn <ann@example.org>\nM:\tBen <ben@example.org>\nM:\tAnn <ANN@example.org>\nF:\ta\n");
    assert_int_equal(org.answer.import.people, 2);
    assert_string_equal(org_directory_holder(org.directory, "linux/a", 0), "ann");
    assert_string_equal(org_directory_holder(org.directory, "linux/a", 1), "ben");
    assert_null(org_directory_holder(org.directory, "linux/a", 2));
}

static void section_has_as_many_holders_as_a_succession(void **state)
{
    (void)state;
    char text[64 * (ORG_SUCCESSION_MAX + 4)] = "A\nF:\ta\n";
    size_t len = strlen(text);
    for (int i = 0; i < ORG_SUCCESSION_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "M:\tP <p%d@example.org>\n", i);
    import_text(text);
    assert_non_null(org_directory_holder(org.directory, "linux/a", ORG_SUCCESSION_MAX - 1));
    snprintf(text + len, sizeof(text) - len, "M:\tP <one-more@example.org>\n");
    import_text(text);
    organisation_expect_refusal(&org, ORG_DIRECTORY_TOO_MANY);
    assert_int_equal(org_directory_counts(org.directory).actors, ORG_SUCCESSION_MAX + 1);
}

static void person_known_by_mail_is_that_actor_and_others_get_a_free_name(void **state)
{
    (void)state;
    struct org_actor_view actor;
    struct org_directory_command zoe = {.kind = ORG_SET_ACTOR,
                                        .who = {.actor = "root-user"},
                                        .actor = {.name = "zoe", .mail = "ANN@example.org"}};
    struct org_directory_command ben = {.kind = ORG_SET_ACTOR,
                                        .who = {.actor = "root-user"},
                                        .actor = {.name = "ben", .mail = "ben@elsewhere.example"}};
    organisation_do(&org, &zoe);
    organisation_do(&org, &ben);
    import_text(small);
    assert_string_equal(org_directory_holder(org.directory, "linux/net-driver", 0), "zoe");
    assert_string_equal(org_directory_holder(org.directory, "linux/net-driver", 1), "ben-2");
    assert_false(org_directory_actor(org.directory, "ann", &actor));
    assert_true(org_directory_actor(org.directory, "ben-2", &actor));
    assert_string_equal(actor.mail, "ben@example.org");
    import_text(small);
    organisation_expect_done(&org, 0);
}

static void file_with_problems_is_refused_with_the_line(void **state)
{
    (void)state;
    import_text("A\nM:\tnobody\nF:\ta\n");
    organisation_expect_refusal(&org, ORG_DIRECTORY_PROBLEMS);
    assert_string_equal(org.answer.subject, "line 2");
    assert_non_null(org.answer.reason);
}

static void bad_pattern_refuses_the_whole_file(void **state)
{
    (void)state;
    import_text("A\nS:\tMaintained\nN:\t(\n");
    organisation_expect_refusal(&org, ORG_DIRECTORY_PROBLEMS);
    assert_string_equal(org.answer.subject, "line 3");
    assert_int_equal(org_directory_counts(org.directory).domains, 0);
}

static void name_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    char team[ORG_NAME_LEN_MAX + 1];
    struct org_maintainers *file = read_text("ABC\nF:\ta\n", strlen("ABC\nF:\ta\n"));
    memset(team, 'a', sizeof(team));
    team[ORG_NAME_LEN_MAX - 4] = '\0'; /* with "/abc" it is exactly as long as it may be */
    import_file(file, team);
    assert_false(org.answer.is_refused);
    team[ORG_NAME_LEN_MAX - 4] = 'a';
    team[ORG_NAME_LEN_MAX - 3] = '\0';
    import_file(file, team);
    organisation_expect_refusal(&org, ORG_DIRECTORY_BAD_NAME);
    org_maintainers_free(file);
}

/* --- the kernel's own list ------------------------------------------------------------------------ */

static struct org_maintainers *read_kernel(void)
{
    const char *shared = getenv("TROUPE_SHARED");
    const char *source = getenv("TROUPE_SOURCE_DIR");
    char path[4096];
    if (shared != NULL)
        snprintf(path, sizeof(path), "%s/data/linux-6.1-MAINTAINERS", shared);
    else
        snprintf(path, sizeof(path), "%s/../shared/data/linux-6.1-MAINTAINERS",
                 source == NULL ? "." : source);
    FILE *stream = fopen(path, "rb");
    if (stream == NULL) {
        print_message("skipped: %s is not there; TROUPE_SHARED names its folder's parent\n", path);
        return NULL;
    }
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    size_t size = fread(bytes, 1, 1 << 20, stream);
    fclose(stream);
    struct org_maintainers *file = read_text(bytes, size);
    free(bytes);
    return file;
}

static double ms_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) * 1e3 + (double)(now.tv_nsec - start->tv_nsec) / 1e6;
}

static void kernels_list_is_imported_whole(void **state)
{
    (void)state;
    struct org_maintainers *file = read_kernel();
    if (file == NULL)
        skip();
    struct timespec start;
    struct org_directory_command command = {.kind = ORG_IMPORT_MAINTAINERS,
                                            .who = {.actor = "root-user"},
                                            .import = {.maintainers = file, .team = "linux"}};
    size_t before = org.journal.bytes.size;
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(org_directory_decide(org.directory, &command, org.now_ms, &org.journal, &org.answer),
                     TROUPE_OK);
    double decided_ms = ms_since(&start);
    org_directory_fold_batch(org.directory, &org.journal, before);
    print_message("decided in %.1f ms, folded in %.1f ms, %u records in %zu bytes\n", decided_ms,
                  ms_since(&start) - decided_ms, org.journal.count, org.journal.bytes.size);
    struct org_directory_counts counts = org_directory_counts(org.directory);
    assert_int_equal(counts.domains, 2614);
    assert_int_equal(counts.roles, 2616);
    assert_int_equal(counts.actors, 1822);
    assert_int_equal(counts.patterns, 6941 + 35 + 92);
    assert_int_equal(org.answer.import.vacant, counts.vacant);

    struct org_owners owners = {0};
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(org_directory_owners(org.directory, "drivers/net/ethernet/3com/3c59x.c", &owners),
                     TROUPE_OK);
    double indexed_ms = ms_since(&start);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(org_directory_owners(org.directory, "drivers/net/ethernet/3com/3c59x.c", &owners),
                         TROUPE_OK);
    print_message("the first look at a path took %.1f ms, a further one %.4f ms\n", indexed_ms,
                  ms_since(&start) / 1000);
    assert_true(owners.count >= 2);
    assert_string_equal(owners.items[0].domain.name, "linux/3c59x-network-driver");
    assert_string_equal(owners.items[0].role.name, "linux/3c59x-network-driver");
    assert_string_equal(owners.items[0].pattern, "drivers/net/ethernet/3com/3c59x.c");
    assert_int_equal(owners.items[0].kind, ORG_PATTERN_FILES);
    assert_non_null(org_directory_holder(org.directory, owners.items[0].role.name, 0));
    org_owners_done(&owners);

    before = org.journal.bytes.size;
    assert_int_equal(org_directory_decide(org.directory, &command, org.now_ms, &org.journal, &org.answer),
                     TROUPE_OK);
    assert_true(org.answer.is_duplicate);
    assert_int_equal(org.journal.bytes.size, before);
    org_maintainers_free(file);

    struct record record;
    struct record_cursor cursor = record_cursor_of(&org.journal);
    org_directory_free(org.mirror);
    assert_int_equal(org_directory_new(&organisation_key, &org.mirror), TROUPE_OK);
    while (record_next(&cursor, &record) == TROUPE_OK)
        assert_int_equal(org_directory_replay(org.mirror, &record), TROUPE_OK);
    organisation_check(&org);
}

static void nobody_owns_a_path_without_a_domain_and_a_wrong_path_is_said_so(void **state)
{
    (void)state;
    struct org_owners owners = {0};
    import_text(small);
    assert_int_equal(org_directory_owners(org.directory, "kernel/fork.c", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 0);
    assert_int_equal(org_directory_owners(org.directory, "/kernel", &owners), TROUPE_INVALID);
    org_owners_done(&owners);
}

static void owners_follow_a_change_of_patterns(void **state)
{
    (void)state;
    struct org_owners owners = {0};
    import_text(small);
    assert_int_equal(org_directory_owners(org.directory, "Documentation/a.rst", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 1);
    assert_string_equal(owners.items[0].domain.name, "linux/docs");
    import_text("DOCS\nS:\tMaintained\nF:\tDocumentation/*.txt\n");
    organisation_expect_done(&org, 1);
    assert_int_equal(org_directory_owners(org.directory, "Documentation/a.rst", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 0);
    assert_int_equal(org_directory_owners(org.directory, "drivers/net/old/a.c", &owners), TROUPE_OK);
    assert_int_equal(owners.count, 1);
    assert_string_equal(owners.items[0].domain.name, "linux/old-driver");
    org_owners_done(&owners);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, open_org, close_org)
    const struct CMUnitTest tests[] = {
        FACT(section_becomes_a_role_and_a_domain_below_the_team),
        FACT(team_and_root_are_made_when_they_are_missing_and_held_by_who_imports),
        FACT(orphan_and_section_without_owner_are_vacant),
        FACT(import_says_what_it_found_and_made),
        FACT(same_file_again_changes_nothing),
        FACT(other_line_numbers_are_no_change),
        FACT(other_file_changes_what_differs_and_takes_nothing_away),
        FACT(import_keeps_settings_of_a_role_and_the_owner_of_a_domain),
        FACT(person_who_stands_twice_in_a_section_is_one_holder),
        FACT(section_has_as_many_holders_as_a_succession),
        FACT(person_known_by_mail_is_that_actor_and_others_get_a_free_name),
        FACT(file_with_problems_is_refused_with_the_line),
        FACT(bad_pattern_refuses_the_whole_file),
        FACT(name_beyond_the_limit_is_refused),
        FACT(kernels_list_is_imported_whole),
        FACT(nobody_owns_a_path_without_a_domain_and_a_wrong_path_is_said_so),
        FACT(owners_follow_a_change_of_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
