/* SPDX-License-Identifier: MIT */
/*
 * notices.c: `troupe notices`: what went out to you of what waits, and each notice as it goes out; or the
 * choice of which are to go out at all.
 *
 *   GET /v1/notices --print--> --follow: the same again with the last number, until somebody ends it
 *
 * Each notice is printed once, also over a server that is away for a while: the number of the last one that
 * was printed goes with every call.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    NOTICES_FOLLOW,
    NOTICES_AFTER,
    NOTICES_WAIT,
    NOTICES_OPTION_COUNT,
};

enum {
    REQUEST_WAIT_S = 60, /* the server's limit of one long poll */
    REACH_AGAIN_S = 2,   /* until a server that is away is tried again */
    CHOICE_SIZE_MAX = 16,
    NUMBER_SIZE = 24,
};

static const struct cli_option options[] = {
    [NOTICES_FOLLOW] = {"follow", 'f', NULL, "go on, and print each one as it goes out"},
    [NOTICES_AFTER] = {"after", 'a', "NUMBER", "only those after this one"},
    [NOTICES_WAIT] = {"wait", 'w', "SECONDS", "wait so long for one, when there is none"},
    [NOTICES_OPTION_COUNT] = {0},
};

/* --- showing ---------------------------------------------------------------------------------- */

static void print_role(const struct cli *cli, struct fields *fields, const json_t *role)
{
    char queued[TEXT_TIME_MAX];
    char oldest[TEXT_TIME_MAX];
    char urgent[TEXT_TIME_MAX];
    int64_t queued_count = fields_number(fields, role, "queued");
    int64_t urgent_count = fields_number(fields, role, "urgent");
    text_number(queued_count, queued);
    text_number(urgent_count, urgent);
    text_ago(cli->now_ms, fields_number(fields, role, "oldest"), oldest);
    output_print(OUTPUT_PLAIN, "  ");
    output_cleaned(OUTPUT_PLAIN, fields_text(fields, role, "role"));
    output_print(OUTPUT_PLAIN, ": %s %s", queued, queued_count == 1 ? "waits" : "wait");
    if (urgent_count > 0)
        output_print(OUTPUT_STRONG, ", %s urgent", urgent);
    output_print(OUTPUT_PLAIN, queued_count == 1 ? ", sent %s\n" : ", the oldest sent %s\n", oldest);
}

/* The number as --after takes it. */
static void print_notice(const struct cli *cli, struct fields *fields, const json_t *notice)
{
    const json_t *roles = fields_list(fields, notice, "roles");
    char at[TEXT_TIME_MAX];
    text_ago(cli->now_ms, fields_number(fields, notice, "at"), at);
    output_print(OUTPUT_STRONG, "%" PRId64 " ", fields_number(fields, notice, "number"));
    output_cleaned(OUTPUT_STRONG, fields_text(fields, notice, "kind"));
    output_print(OUTPUT_PLAIN, ", %s\n", at);
    for (size_t i = 0; i < json_array_size(roles); i++)
        print_role(cli, fields, json_array_get(roles, i));
}

/* Whether all that print_notice will want is there. */
static enum cli_exit check_notices(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const json_t *notices = fields_list(&fields, answer, "notices");
    (void)fields_number(&fields, answer, "last");
    for (size_t i = 0; i < json_array_size(notices); i++) {
        const json_t *notice = json_array_get(notices, i);
        const json_t *roles = fields_list(&fields, notice, "roles");
        (void)fields_number(&fields, notice, "number");
        (void)fields_number(&fields, notice, "at");
        (void)fields_text(&fields, notice, "kind");
        for (size_t j = 0; j < json_array_size(roles); j++) {
            static const char *const numbers[] = {"queued", "urgent", "oldest"};
            (void)fields_text(&fields, json_array_get(roles, j), "role");
            for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
                (void)fields_number(&fields, json_array_get(roles, j), numbers[k]);
        }
    }
    return fields_check(cli, &fields);
}

static enum cli_exit print_notices(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    enum cli_exit ending = check_notices(cli, answer);
    if (ending != CLI_OK)
        return ending;
    const json_t *notices = fields_list(&fields, answer, "notices");
    if (json_array_size(notices) == 0)
        output_print(OUTPUT_STRONG, "no notices\n");
    for (size_t i = 0; i < json_array_size(notices); i++)
        print_notice(cli, &fields, json_array_get(notices, i));
    return CLI_OK;
}

/* --- asking ----------------------------------------------------------------------------------- */

static enum cli_exit ask(const struct cli *cli, int64_t after, int64_t wait_s, bool is_known_away,
                         json_t **ret_answer)
{
    int64_t wait_ms = wait_s * 1000;
    char after_text[NUMBER_SIZE];
    char wait_text[NUMBER_SIZE];
    snprintf(after_text, sizeof after_text, "%" PRId64, after);
    snprintf(wait_text, sizeof wait_text, "%" PRId64, wait_ms);
    char *path = transfer_path("/v1/notices", "after", after_text, "wait_ms", wait_text, NULL);
    const struct client_request request = {
        .method = "GET", .path = path, .wait_ms = wait_ms, .is_known_away = is_known_away};
    enum cli_exit ending = cli_call(cli, &request, ret_answer);
    free(path);
    return ending;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Only what is new is printed; gives the last number that is known now. */
static enum cli_exit print_new(struct cli *cli, json_t *answer, int64_t *after)
{
    struct fields fields = {0};
    int64_t last = fields_number(&fields, answer, "last");
    bool has_some = json_array_size(fields_list(&fields, answer, "notices")) > 0;
    enum cli_exit ending = fields_check(cli, &fields);
    cli->now_ms = wall_ms();
    if (ending == CLI_OK && has_some) {
        ending = cli_show(cli, answer, print_notices);
        if (fflush(stdout) != 0)
            return cli_fail(cli, CLI_FAILED, "standard output cannot be written to");
    } else {
        json_decref(answer);
    }
    *after = last;
    return ending;
}

static enum cli_exit follow(struct cli *cli, int64_t after)
{
    bool is_reached = false;
    bool is_away = false;
    for (;;) {
        json_t *answer = NULL;
        bool was_away = is_away;
        enum cli_exit ending = ask(cli, after, is_reached ? REQUEST_WAIT_S : 0, was_away, &answer);
        is_away = is_reached && (ending == CLI_UNREACHABLE || ending == CLI_AGAIN);
        if (was_away != is_away)
            cli_say(cli, is_away ? "trying again until it answers" : "the server answers again");
        if (ending == CLI_OK)
            ending = print_new(cli, answer, &after);
        if (ending != CLI_OK && !is_away)
            return ending;
        is_reached = true;
        if (is_away)
            (void)nanosleep(&(struct timespec){.tv_sec = REACH_AGAIN_S}, NULL);
    }
}

static enum cli_exit show(const struct cli *cli, int64_t after, int64_t wait_s)
{
    json_t *answer = NULL;
    enum cli_exit ending = ask(cli, after, wait_s, false, &answer);
    return ending == CLI_OK ? cli_show(cli, answer, print_notices) : ending;
}

/* --- choosing --------------------------------------------------------------------------------- */

static enum cli_exit print_choice(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *name = fields_text(&fields, answer, "name");
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    output_cleaned(OUTPUT_STRONG, name);
    if (strcmp(cli->operands[0], "none") == 0)
        output_print(OUTPUT_PLAIN, " is told of nothing\n");
    else if (cli->operand_count == 1)
        output_print(OUTPUT_PLAIN, " is told of urgent messages\n");
    else
        output_print(OUTPUT_PLAIN, " is told at %s of what waits\n", cli->operands[1]);
    return CLI_OK;
}

/* What the words may be is the server's to say. */
static enum cli_exit choose(const struct cli *cli)
{
    json_t *body = text_must(json_object());
    json_t *answer = NULL;
    enum cli_exit ending =
        cli_set_text(cli, body, "choice", "the choice", cli->operands[0], false, CHOICE_SIZE_MAX);
    if (ending == CLI_OK)
        ending = cli_set_text(cli, body, "at", "the time", cli->operands[1], false, CHOICE_SIZE_MAX);
    if (ending == CLI_OK)
        ending = cli_call(
            cli, &(struct client_request){.method = "POST", .path = "/v1/notices", .body = body}, &answer);
    json_decref(body);
    return ending == CLI_OK ? cli_show(cli, answer, print_choice) : ending;
}

static enum cli_exit run(struct cli *cli)
{
    const char *after_text = cli->values[NOTICES_AFTER];
    const char *wait_text = cli->values[NOTICES_WAIT];
    bool is_follow = cli->values[NOTICES_FOLLOW] != NULL;
    int64_t after = 0;
    int64_t wait_s = 0;
    if (cli->operand_count > 0 && (is_follow || after_text != NULL || wait_text != NULL))
        return cli_fail(cli, CLI_USAGE, "the options are for reading, not for choosing");
    if (is_follow && wait_text != NULL)
        return cli_fail(cli, CLI_USAGE, "--follow waits for ever, and --wait for some time: not both");
    if (after_text != NULL && !text_read_number(after_text, 0, INT64_MAX, &after))
        return cli_fail(cli, CLI_USAGE, "--after '%s': write the number of a notice", after_text);
    if (wait_text != NULL && !text_read_number(wait_text, 0, REQUEST_WAIT_S, &wait_s))
        return cli_fail(cli, CLI_USAGE, "--wait '%s': write whole seconds, at most %d", wait_text,
                        REQUEST_WAIT_S);
    if (cli->operand_count > 0)
        return choose(cli);
    return is_follow ? follow(cli, after) : show(cli, after, wait_s);
}

const struct cli_verb verb_notices = {
    .name = "notices",
    .operands = "[none | urgent | digest TIME]",
    .summary = "read what waits when it is time, or choose when that is",
    .details = "Prints the notices that went out to you, and with --follow each one as it goes out. With a\n"
               "choice: no notices; one for each urgent message; or one a day at TIME (09:00) of all that\n"
               "waits. None goes out outside the hours of your calendar, or while you are away.",
    .options = options,
    .operand_count_max = 2,
    .run = run,
};
