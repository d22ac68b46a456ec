/* SPDX-License-Identifier: MIT */
/*
 * Facts about org/maintainers and org/text: reading a registry of ownership. The made-up file is
 * tests/data/maintainers-small; the kernel's own list is used where it is at hand (TROUPE_SHARED, or
 * ../shared beside the source), else that test is skipped and says so. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "org/maintainers.h"
#include "org/text.h"

static struct org_maintainers *read_text(const char *text)
{
    struct org_maintainers *result;
    assert_int_equal(org_maintainers_read(text, strlen(text), &result), TROUPE_OK);
    return result;
}

/* The contents of a file, or NULL when it cannot be opened. */
static char *read_whole(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *bytes = malloc(ORG_MAINTAINERS_SIZE_MAX);
    assert_non_null(bytes);
    *ret_size = fread(bytes, 1, ORG_MAINTAINERS_SIZE_MAX, file);
    fclose(file);
    return bytes;
}

static void expect_problem(const char *text, uint32_t line, const char *reason)
{
    struct org_maintainers *result = read_text(text);
    assert_int_equal(result->problem_count, 1);
    assert_int_equal(result->problems[0].line, line);
    assert_string_equal(result->problems[0].reason, reason);
    org_maintainers_free(result);
}

/* --- sections ------------------------------------------------------------------------------------ */

static void small_file_is_read_whole_and_in_order(void **state)
{
    (void)state;
    const char *source = getenv("TROUPE_SOURCE_DIR");
    char path[4096];
    size_t size = 0;
    struct org_maintainers *result;
    snprintf(path, sizeof(path), "%s/tests/data/maintainers-small", source == NULL ? "." : source);
    char *bytes = read_whole(path, &size);
    assert_non_null(bytes);
    assert_int_equal(org_maintainers_read(bytes, size, &result), TROUPE_OK);
    memset(bytes, 'x', size); /* the result lives on its own */
    free(bytes);

    assert_int_equal(result->problem_count, 0);
    assert_int_equal(result->section_count, 4);
    assert_int_equal(result->line_count, 21);
    assert_int_equal(result->person_count, 3);

    const struct org_maintainers_section *boats = &result->sections[0];
    assert_string_equal(boats->title, "BOATS (rowing/sailing)");
    assert_string_equal(boats->name, "boats-rowing-sailing");
    assert_string_equal(boats->status, "Maintained");
    assert_int_equal(boats->line, 14);
    assert_int_equal(boats->line_count, 9);
    assert_false(boats->is_vacant);

    static const char letters[] = "MMRLSFFXK";
    for (uint32_t i = 0; i < boats->line_count; i++) {
        const struct org_maintainers_line *line = &result->lines[boats->first_line + i];
        assert_int_equal(line->letter, letters[i]);
        assert_int_equal(line->line, 15 + i);
        assert_true((line->person != ORG_PERSON_NONE) == (i < 3));
    }
    assert_string_equal(result->lines[boats->first_line + 5].value, "boats/");
    assert_string_equal(result->people[result->lines[0].person].display, "Ann Oar");
    assert_string_equal(result->people[result->lines[1].person].name, "ben");

    assert_true(result->sections[1].is_vacant);
    assert_string_equal(result->sections[2].name, "boats-rowing-sailing-2");
    assert_string_equal(result->sections[3].title, "THE REST");
    org_maintainers_free(result);
}

static void section_is_vacant_without_owner_or_when_orphaned(void **state)
{
    (void)state;
    struct org_maintainers *result = read_text("A\nR:\tAnn <ann@x.org>\nF:\ta\n\n"
                                               "B\nM:\tAnn <ann@x.org>\nS:\tOrphan\n\n"
                                               "C\nM:\tAnn <ann@x.org>\nS:\tOrphan / Obsolete\n\n"
                                               "D\nM:\tAnn <ann@x.org>\nS:\tMaintained\nS:\tOrphan\n");
    assert_int_equal(result->problem_count, 0);
    assert_true(result->sections[0].is_vacant);
    assert_true(result->sections[1].is_vacant);
    assert_true(result->sections[2].is_vacant);
    assert_false(result->sections[3].is_vacant);
    assert_string_equal(result->sections[3].status, "Maintained");
    org_maintainers_free(result);
}

static void spaces_after_the_colon_and_at_the_end_do_not_count(void **state)
{
    (void)state;
    struct org_maintainers *result = read_text("TITLE  \r\nF:      a/b \t\r\nF:a/c\r\n");
    assert_string_equal(result->sections[0].title, "TITLE");
    assert_string_equal(result->lines[0].value, "a/b");
    /* without a space or tab it is no entry */
    assert_int_equal(result->problem_count, 1);
    assert_int_equal(result->problems[0].line, 3);
    org_maintainers_free(result);
}

static void tabs_within_a_line_become_spaces(void **state)
{
    (void)state;
    struct org_maintainers *result = read_text("HPET:\tTimers\nL:\ta@x.org\t(moderated)\n");
    assert_int_equal(result->problem_count, 0);
    assert_string_equal(result->sections[0].title, "HPET: Timers");
    assert_string_equal(result->sections[0].name, "hpet-timers");
    assert_string_equal(result->lines[0].value, "a@x.org (moderated)");
    org_maintainers_free(result);
}

static void empty_file_has_no_sections(void **state)
{
    (void)state;
    struct org_maintainers *result = read_text("\n\n \n");
    assert_int_equal(result->section_count, 0);
    assert_int_equal(result->problem_count, 0);
    org_maintainers_free(result);
    assert_int_equal(org_maintainers_read(NULL, 0, &result), TROUPE_OK);
    org_maintainers_free(result);
    org_maintainers_free(NULL);
}

/* --- names and people ---------------------------------------------------------------------------- */

static void taken_names_get_the_first_free_number(void **state)
{
    (void)state;
    struct org_maintainers *result =
        read_text("A B\nF:\tx\n\nA-B 2\nF:\tx\n\nA/B\nF:\tx\n\nA.B\nF:\tx\n\na b\nF:\tx\n");
    static const char *const names[] = {"a-b", "a-b-2", "a-b-3", "a.b", "a-b-4"};
    assert_int_equal(result->section_count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(result->sections[i].name, names[i]);
    org_maintainers_free(result);
}

static void person_is_known_by_the_address_whatever_its_capitals(void **state)
{
    (void)state;
    struct org_maintainers *result = read_text("A\n"
                                               "M:\tAnn Oar <Ann.Oar@X.org>\n"
                                               "M:\tAnn O. <ann.oar@x.ORG>\n"
                                               "M:\tAnother Ann <ann.oar@y.org>\n"
                                               "M:\tbare@z.org\n"
                                               "M:\t\"Quoted, Jr.\" <q@z.org> (sometimes)\n");
    assert_int_equal(result->problem_count, 0);
    assert_int_equal(result->person_count, 4);
    assert_int_equal(result->lines[0].person, result->lines[1].person);
    assert_string_equal(result->people[0].name, "ann.oar");
    assert_string_equal(result->people[0].display, "Ann Oar");
    assert_string_equal(result->people[0].mail, "Ann.Oar@X.org");
    assert_int_equal(result->people[0].line, 2);
    assert_string_equal(result->people[1].name, "ann.oar-2");
    assert_string_equal(result->people[2].display, "bare@z.org");
    assert_string_equal(result->people[3].display, "Quoted, Jr.");
    org_maintainers_free(result);
}

static void malformed_people_are_problems(void **state)
{
    (void)state;
    expect_problem("A\nM:\tAnn <ann@x.org\n", 2, "not a person: NAME <ADDRESS>");
    expect_problem("A\nM:\tAnn <ann@x.org> and Ben\n", 2, "not a person: NAME <ADDRESS>");
    expect_problem("A\nM:\tAnn Oar\n", 2, "not a person: NAME <ADDRESS>");
    expect_problem("A\nM:\tAnn\n", 2, "not a mail address");
    expect_problem("A\nR:\tAnn <ann@>\n", 2, "not a mail address");
    expect_problem("A\nR:\tAnn <a@b@c>\n", 2, "not a mail address");
}

/* --- what is wrong ------------------------------------------------------------------------------- */

static void each_malformed_line_is_a_problem_with_its_number(void **state)
{
    (void)state;
    expect_problem("\nF:\tx\n", 2, "it belongs to no section");
    expect_problem("A\nF:\tx\nnonsense\n", 3, "neither \"X: value\" nor the empty line that ends a section");
    expect_problem("A\n\nB\nF:\tx\n", 1, "a section with a title and nothing else");
    expect_problem("A\nF:\n", 2, "nothing behind the colon");
    expect_problem("A\nZ:\tx\n", 2, "a letter that has no meaning in this format");
    expect_problem(" A\n", 1, "a title that begins with a space");
    expect_problem("A\nF:\t/x\n", 2, "it begins with a slash");
    expect_problem("A\nN:\t(x\n", 2, "a ( without its )");
    expect_problem("A\nF:\tx\nX:\t[x\n", 3, "a [ without its ]");
    expect_problem("A\nS:\t\xff\n", 2, "bytes that are not text in UTF-8");
    expect_problem("???\nF:\tx\n", 1, "the title has nothing that can stand in a name");
}

static void byte_of_zero_is_a_problem(void **state)
{
    (void)state;
    struct org_maintainers *result;
    static const char text[] = "A\nF:\tx\0y\n";
    assert_int_equal(org_maintainers_read(text, sizeof(text) - 1, &result), TROUPE_OK);
    assert_int_equal(result->problem_count, 1);
    assert_int_equal(result->problems[0].line, 2);
    org_maintainers_free(result);
}

static void lines_end_at_their_limit(void **state)
{
    (void)state;
    static char text[ORG_MAINTAINERS_LINE_LEN_MAX + 16];
    memcpy(text, "A\nS:\t", 5);
    memset(text + 5, 'x', ORG_MAINTAINERS_LINE_LEN_MAX - 3);
    struct org_maintainers *result = read_text(text);
    assert_int_equal(result->problem_count, 0);
    org_maintainers_free(result);
    text[strlen(text)] = 'x';
    expect_problem(text, 2, "longer than the limit");
}

static void problems_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    static char text[(ORG_MAINTAINERS_PROBLEMS_MAX + 7) * 4 + 8];
    for (int i = 0; i < ORG_MAINTAINERS_PROBLEMS_MAX + 7; i++)
        memcpy(text + i * 4, "F:x\n", 5);
    memcpy(text, "F: \n", 4);
    struct org_maintainers *result = read_text(text);
    assert_int_equal(result->section_count, 1);
    assert_int_equal(result->problem_count, ORG_MAINTAINERS_PROBLEMS_MAX);
    assert_true(result->problems_beyond > 0);
    org_maintainers_free(result);
}

static void preface_and_note_of_the_kernels_file_are_not_sections(void **state)
{
    (void)state;
    struct org_maintainers *result =
        read_text("List of maintainers\n===\n\nM: *Mail* patches to\n\n"
                  "Maintainers List\n----------------\n\n"
                  ".. note:: Look for the most precise areas\n          first.\n\n"
                  "A\nF:\tx\n");
    assert_int_equal(result->problem_count, 0);
    assert_int_equal(result->section_count, 1);
    assert_int_equal(result->sections[0].line, 12);
    org_maintainers_free(result);
}

static void file_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct org_maintainers *result;
    char byte = '\n';
    assert_int_equal(org_maintainers_read(&byte, (size_t)ORG_MAINTAINERS_SIZE_MAX + 1, &result),
                     TROUPE_TOO_LARGE);
}

/* --- text ---------------------------------------------------------------------------------------- */

static void text_is_utf8_without_control_characters(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool is_line;
        bool is_lines;
    } cases[] = {
        {"", true, true},
        {"plain", true, true},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9b\xb6", true, true},
        {"two\nlines\twide\r\n", false, true},
        {"bell\a", false, false},
        {"escape\x1b[31m", false, false},
        {"delete\x7f", false, false},
        {"c1 \xc2\x9b", false, false},
        {"overlong \xc0\xaf", false, false},
        {"overlong \xe0\x80\xaf", false, false},
        {"surrogate \xed\xa0\x80", false, false},
        {"too far \xf4\x90\x80\x80", false, false},
        {"last \xf4\x8f\xbf\xbf", true, true},
        {"cut \xe2\x82", false, false},
        {"stray \x80", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(org_text_is_line(cases[i].bytes, strlen(cases[i].bytes)), cases[i].is_line);
        assert_int_equal(org_text_is_lines(cases[i].bytes, strlen(cases[i].bytes)), cases[i].is_lines);
    }
    assert_false(org_text_is_line("a\0b", 3));
    assert_false(org_text_is_lines("a\0b", 3));
    for (unsigned byte = 0; byte < 0x80; byte++) { /* they are looked at sixteen at a time, and eight */
        for (size_t place = 0; place < 43; place++) {
            char text[43];
            memset(text, 'a', sizeof(text));
            text[place] = (char)byte;
            bool is_printable = byte >= 0x20 && byte != 0x7f;
            assert_int_equal(org_text_is_line(text, sizeof(text)), is_printable);
            assert_int_equal(org_text_is_lines(text, sizeof(text)),
                             is_printable || byte == '\t' || byte == '\r' || byte == '\n');
        }
    }
}

/* --- the kernel's own list ----------------------------------------------------------------------- */

static void kernels_list_gives_its_sections_people_and_vacancies(void **state)
{
    (void)state;
    const char *shared = getenv("TROUPE_SHARED");
    const char *source = getenv("TROUPE_SOURCE_DIR");
    char path[4096];
    size_t size;
    if (shared != NULL)
        snprintf(path, sizeof(path), "%s/data/linux-6.1-MAINTAINERS", shared);
    else
        snprintf(path, sizeof(path), "%s/../shared/data/linux-6.1-MAINTAINERS",
                 source == NULL ? "." : source);
    char *bytes = read_whole(path, &size);
    if (bytes == NULL) {
        print_message("skipped: %s is not there; TROUPE_SHARED names its folder's parent\n", path);
        skip();
    }
    struct org_maintainers *result;
    assert_int_equal(org_maintainers_read(bytes, size, &result), TROUPE_OK);
    free(bytes);

    size_t vacant = 0;
    size_t counts[256] = {0};
    for (size_t i = 0; i < result->section_count; i++)
        vacant += result->sections[i].is_vacant;
    for (size_t i = 0; i < result->line_count; i++)
        counts[(unsigned char)result->lines[i].letter]++;
    assert_int_equal(result->problem_count, 0);
    assert_int_equal(result->section_count, 2614);
    assert_int_equal(result->person_count, 1821);
    assert_int_equal(counts['M'], 3420);
    assert_int_equal(counts['R'], 418);
    assert_int_equal(counts['F'], 6941);
    assert_int_equal(counts['X'], 35);
    assert_int_equal(counts['N'], 92);
    assert_int_equal(counts['K'], 35);
    assert_int_equal(counts['L'], 2418);
    assert_int_equal(counts['S'], 2590);
    assert_true(vacant > 0);
    assert_string_equal(result->sections[0].name, "3c59x-network-driver");
    org_maintainers_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_file_is_read_whole_and_in_order),
        cmocka_unit_test(section_is_vacant_without_owner_or_when_orphaned),
        cmocka_unit_test(spaces_after_the_colon_and_at_the_end_do_not_count),
        cmocka_unit_test(tabs_within_a_line_become_spaces),
        cmocka_unit_test(empty_file_has_no_sections),
        cmocka_unit_test(taken_names_get_the_first_free_number),
        cmocka_unit_test(person_is_known_by_the_address_whatever_its_capitals),
        cmocka_unit_test(malformed_people_are_problems),
        cmocka_unit_test(each_malformed_line_is_a_problem_with_its_number),
        cmocka_unit_test(byte_of_zero_is_a_problem),
        cmocka_unit_test(lines_end_at_their_limit),
        cmocka_unit_test(problems_beyond_the_limit_are_counted),
        cmocka_unit_test(preface_and_note_of_the_kernels_file_are_not_sections),
        cmocka_unit_test(file_beyond_the_limit_is_refused),
        cmocka_unit_test(text_is_utf8_without_control_characters),
        cmocka_unit_test(kernels_list_gives_its_sections_people_and_vacancies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
