/* SPDX-License-Identifier: MIT */
/*
 * calendar.c: `troupe calendar`: brings along a calendar that is kept elsewhere, an iCalendar file. The
 * server reads it and says which of its events mean that one is away.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    CALENDAR_NAME,
    CALENDAR_COUNT,
};

static const struct cli_option options[] = {
    [CALENDAR_NAME] = {"name", 'n', "NAME", "the calendar's name; when not given, the one in the file"},
    [CALENDAR_COUNT] = {0},
};

static int64_t count_of(const json_t *answer, const char *name)
{
    return json_integer_value(json_object_get(answer, name));
}

/* "ann, from Work: 3 of 25 events mean away; 12 absences ahead". */
static enum cli_exit print_answer(const struct cli *cli, const json_t *answer)
{
    (void)cli;
    const char *name = json_string_value(json_object_get(answer, "name"));
    const char *calendar = json_string_value(json_object_get(answer, "calendar"));
    char away[TEXT_TIME_MAX];
    char events[TEXT_TIME_MAX];
    char absences[TEXT_TIME_MAX];
    output_cleaned(OUTPUT_PLAIN, name != NULL ? name : "");
    if (calendar != NULL) {
        printf(", from ");
        output_cleaned(OUTPUT_PLAIN, calendar);
    }
    printf(": %s of %s events mean away; %s absences ahead%s\n", text_number(count_of(answer, "away"), away),
           text_number(count_of(answer, "events"), events),
           text_number(count_of(answer, "absences"), absences),
           json_is_true(json_object_get(answer, "changed")) ? "" : ", as before");
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    char *bytes;
    size_t size;
    json_t *answer = NULL;
    enum cli_exit ending = cli_read_input(cli, cli->operands[0], CLI_INPUT_MAX, &bytes, &size);
    if (ending != CLI_OK)
        return ending;
    char *path = transfer_path("/v1/calendar/import", "calendar", cli->values[CALENDAR_NAME], NULL);
    struct client_request request = {.method = "POST", .path = path, .text = bytes, .text_size = size};
    ending = cli_call(cli, &request, &answer);
    free(path);
    free(bytes);
    return ending == CLI_OK ? cli_show(cli, answer, print_answer) : ending;
}

const struct cli_verb verb_calendar = {
    .name = "calendar",
    .operands = "FILE",
    .summary = "bring along your absences from a calendar kept elsewhere",
    .details =
        "FILE is iCalendar, as Outlook, Google and Apple export it; - reads standard input.\n"
        "Away means: out of office, or whole days that are not shown as free. The same calendar again\n"
        "replaces what came from it before; absences by hand stay.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};
