/* SPDX-License-Identifier: MIT */
/*
 * Facts about cli/args: the command line of one verb. One thread, no input or output.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/args.h"

enum {
    SAMPLE_SUBJECT,
    SAMPLE_SPEED,
    SAMPLE_INSIST,
    SAMPLE_COUNT,
};

static const struct cli_option options[] = {
    [SAMPLE_SUBJECT] = {"subject", 's', "SUBJECT", "a value and a letter"},
    [SAMPLE_SPEED] = {"speed", 0, "FACTOR", "a value without a letter"},
    [SAMPLE_INSIST] = {"insist", 'i', NULL, "a flag"},
    [SAMPLE_COUNT] = {0},
};

static const struct cli_verb sample = {
    .name = "sample",
    .operands = "ROLE [BODY]",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 2,
};

static char trouble[ARGS_TROUBLE_MAX];
static bool has_help;

/* Reads the arguments up to the NULL. */
static enum cli_exit read_arguments(struct cli *cli, const char *const *arguments)
{
    int count = 0;
    while (arguments[count] != NULL)
        count++;
    *cli = (struct cli){.verb = &sample};
    trouble[0] = '\0';
    return args_read(cli, count, (char *const *)arguments, &has_help, trouble);
}

#define READ(cli, ...) read_arguments(cli, (const char *const[]){__VA_ARGS__, NULL})

static void options_and_operands_stand_in_any_order(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "--speed", "max", "docs", "-s", "Hello", "--json", "the body"), CLI_OK);
    assert_string_equal(cli.values[SAMPLE_SPEED], "max");
    assert_string_equal(cli.values[SAMPLE_SUBJECT], "Hello");
    assert_null(cli.values[SAMPLE_INSIST]);
    assert_int_equal(cli.operand_count, 2);
    assert_string_equal(cli.operands[0], "docs");
    assert_string_equal(cli.operands[1], "the body");
    assert_true(cli.json);
    assert_null(cli.as);
    assert_false(has_help);
}

static void values_may_be_attached_to_their_option(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "-sHello", "--speed=", "--as=ann"), CLI_OK);
    assert_string_equal(cli.values[SAMPLE_SUBJECT], "Hello");
    assert_string_equal(cli.values[SAMPLE_SPEED], "");
    assert_string_equal(cli.as, "ann");
}

static void flag_has_the_empty_value_and_takes_none(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "--insist"), CLI_OK);
    assert_string_equal(cli.values[SAMPLE_INSIST], "");
    assert_int_equal(READ(&cli, "docs", "--insist=yes"), CLI_USAGE);
    assert_string_equal(trouble, "--insist takes no value");
    assert_int_equal(READ(&cli, "docs", "-ix"), CLI_USAGE);
}

static void value_may_look_like_an_option(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "-s", "--speed"), CLI_OK);
    assert_string_equal(cli.values[SAMPLE_SUBJECT], "--speed");
    assert_null(cli.values[SAMPLE_SPEED]);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "--", "--insist"), CLI_OK);
    assert_string_equal(cli.operands[1], "--insist");
    assert_null(cli.values[SAMPLE_INSIST]);
    assert_int_equal(READ(&cli, "--", "--"), CLI_OK);
    assert_string_equal(cli.operands[0], "--");
}

static void one_dash_alone_is_an_operand(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "-"), CLI_OK);
    assert_string_equal(cli.operands[1], "-");
}

static void unknown_option_is_named_without_its_value(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "--nothing=7"), CLI_USAGE);
    assert_string_equal(trouble, "there is no option --nothing");
    assert_int_equal(READ(&cli, "docs", "-zzz"), CLI_USAGE);
    assert_string_equal(trouble, "there is no option -z");
}

static void names_are_never_abbreviated(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "--spee", "max"), CLI_USAGE);
    assert_string_equal(trouble, "there is no option --spee");
    assert_int_equal(READ(&cli, "docs", "--speeds", "max"), CLI_USAGE);
}

static void option_without_its_value_is_refused(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "--subject"), CLI_USAGE);
    assert_string_equal(trouble, "--subject needs a value: SUBJECT");
}

static void option_given_twice_is_refused(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "docs", "-s", "a", "--subject", "b"), CLI_USAGE);
    assert_string_equal(trouble, "--subject is given twice");
    assert_int_equal(READ(&cli, "docs", "--json", "--json"), CLI_USAGE);
}

static void operands_are_counted_at_both_ends(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "--insist"), CLI_USAGE);
    assert_string_equal(trouble, "too few operands; it takes ROLE [BODY]");
    assert_int_equal(READ(&cli, "a", "b"), CLI_OK);
    assert_int_equal(READ(&cli, "a", "b", "c"), CLI_USAGE);
    assert_string_equal(trouble, "one operand too many: 'c'");
}

static void help_is_read_without_operands(void **state)
{
    (void)state;
    struct cli cli;
    assert_int_equal(READ(&cli, "--help"), CLI_OK);
    assert_true(has_help);
    assert_int_equal(READ(&cli, "-h"), CLI_OK);
    assert_true(has_help);
}

static void long_unknown_option_is_cut_in_the_text(void **state)
{
    (void)state;
    struct cli cli;
    char name[1000] = "--";
    memset(name + 2, 'x', sizeof(name) - 3);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(READ(&cli, "docs", name), CLI_USAGE);
    assert_true(strlen(trouble) < ARGS_TROUBLE_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_stand_in_any_order),
        cmocka_unit_test(values_may_be_attached_to_their_option),
        cmocka_unit_test(flag_has_the_empty_value_and_takes_none),
        cmocka_unit_test(value_may_look_like_an_option),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(one_dash_alone_is_an_operand),
        cmocka_unit_test(unknown_option_is_named_without_its_value),
        cmocka_unit_test(names_are_never_abbreviated),
        cmocka_unit_test(option_without_its_value_is_refused),
        cmocka_unit_test(option_given_twice_is_refused),
        cmocka_unit_test(operands_are_counted_at_both_ends),
        cmocka_unit_test(help_is_read_without_operands),
        cmocka_unit_test(long_unknown_option_is_cut_in_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
