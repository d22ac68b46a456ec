/* SPDX-License-Identifier: MIT */
/*
 * role.c: `troupe role`: how one mailbox is doing: who answers for it, who may take what waits, what it has
 * to do and has done, whom it turned away and who insisted. Figures that are not for whoever asks are not in
 * the answer, and not printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

/* One figure of a line: "3 done". */
struct figure {
    const char *name;
    const char *words;
};

static const struct figure waiting[] = {
    {"queued", "queued"}, {"held", "held"}, {"parked", "parked"}, {"quarantined", "failed"}, {NULL, NULL}};
static const struct figure ended[] = {{"done", "done"},           {"declined", "declined"},
                                      {"forwarded", "forwarded"}, {"expired", "expired"},
                                      {"shed", "pushed out"},     {NULL, NULL}};
static const struct figure senders[] = {
    {"refused", "refused"}, {"insisted", "insisted and got in"}, {NULL, NULL}};
static const struct figure failures[] = {{"failures", "in the roles that it supervises"}, {NULL, NULL}};

static void print_title(const char *title)
{
    output_print(OUTPUT_FAINT, "%-12s", title);
}

/* The figures that the answer has, in a line; nothing where it has none of them. */
static void print_figures(struct fields *fields, const json_t *role, const char *title,
                          const struct figure *figures)
{
    bool is_first = true;
    for (; figures->name != NULL; figures++) {
        char text[TEXT_TIME_MAX];
        int64_t count = fields_number_or(fields, role, figures->name, -1);
        if (count < 0)
            continue;
        if (is_first)
            print_title(title);
        printf("%s%s %s", is_first ? "" : ", ", text_number(count, text), figures->words);
        is_first = false;
    }
    if (!is_first)
        putchar('\n');
}

static void print_holders(struct fields *fields, const json_t *role)
{
    const json_t *holders = fields_list(fields, role, "holders");
    const char *holder = fields_text_or_null(fields, role, "holder");
    print_title("Held by");
    if (holder != NULL)
        output_cleaned(OUTPUT_STRONG, holder);
    else
        output_print(OUTPUT_ALARM, json_array_size(holders) == 0 ? "nobody" : "nobody: all are away");
    putchar('\n');
    for (size_t i = 0; i < json_array_size(holders); i++) {
        const json_t *one = json_array_get(holders, i);
        print_title(i == 0 ? "Succession" : "");
        output_cleaned(OUTPUT_PLAIN, fields_text(fields, one, "name"));
        output_print(OUTPUT_FAINT, fields_flag(fields, one, "present") ? "\n" : ", away\n");
    }
}

static void print_bounds(struct fields *fields, const json_t *role)
{
    char occupied_text[TEXT_TIME_MAX];
    char capacity_text[TEXT_TIME_MAX];
    const char *other = fields_text_or_null(fields, role, "redirect_to");
    int64_t capacity = fields_number(fields, role, "capacity");
    int64_t occupied = fields_number_or(fields, role, "occupied", -1);
    text_number(capacity, capacity_text);
    print_title("Room");
    if (occupied < 0)
        printf("%s", capacity_text);
    else
        output_print(occupied < capacity ? OUTPUT_PLAIN : OUTPUT_ALARM, "%s of %s",
                     text_number(occupied, occupied_text), capacity_text);
    output_cleaned(OUTPUT_PLAIN, "; when full: ");
    output_cleaned(OUTPUT_PLAIN, fields_text(fields, role, "overflow"));
    output_cleaned(OUTPUT_PLAIN, other != NULL ? " to " : "");
    output_cleaned(OUTPUT_PLAIN, other != NULL ? other : "");
    putchar('\n');
}

static bool is_among(const json_t *kinds, const char *kind)
{
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const char *one = json_string_value(json_array_get(kinds, i));
        if (one != NULL && strcmp(one, kind) == 0)
            return true;
    }
    return false;
}

/* What is done about failures here, and whether the role has rules for those it supervises. */
static void print_failing(struct fields *fields, const json_t *role, const char *name)
{
    static const char *const kinds[] = {"fail", "lapse", "crash", "absent", "overflow"};
    const json_t *own = json_object_get(role, "own");
    size_t rules = json_array_size(json_object_get(role, "rules"));
    bool is_first = true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char member[32];
        snprintf(member, sizeof member, "on_%s", kinds[i]);
        const char *action = fields_text_or_null(fields, role, member);
        if (action == NULL)
            continue;
        if (is_first)
            print_title("Failing");
        printf("%s%s ", is_first ? "" : ", ", kinds[i]);
        output_cleaned(OUTPUT_PLAIN, action);
        output_print(OUTPUT_FAINT, is_among(own, kinds[i]) ? " (its own)" : "");
        is_first = false;
    }
    if (!is_first)
        putchar('\n');
    if (rules == 0)
        return;
    print_title("Rules");
    printf("%zu for the roles below: troupe rules ", rules);
    output_cleaned(OUTPUT_PLAIN, name);
    putchar('\n');
}

/* What must be there is looked at before the first line is printed. */
static enum cli_exit print_role(const struct cli *cli, const json_t *role)
{
    struct fields fields = {0};
    const char *name = fields_text(&fields, role, "name");
    const char *supervisor = fields_text_or_null(&fields, role, "supervisor");
    const json_t *holders = fields_list(&fields, role, "holders");
    for (size_t i = 0; i < json_array_size(holders); i++)
        (void)fields_text(&fields, json_array_get(holders, i), "name");
    (void)fields_number(&fields, role, "capacity");
    (void)fields_text(&fields, role, "overflow");
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    print_title("Role");
    output_cleaned(OUTPUT_STRONG, name);
    putchar('\n');
    print_title("Supervisor");
    output_cleaned(OUTPUT_PLAIN, supervisor != NULL && *supervisor != '\0' ? supervisor : "-");
    putchar('\n');
    print_holders(&fields, role);
    print_bounds(&fields, role);
    print_failing(&fields, role, name);
    print_figures(&fields, role, "Now", waiting);
    print_figures(&fields, role, "Ended", ended);
    print_figures(&fields, role, "Senders", senders);
    print_figures(&fields, role, "Failures", failures);
    if (fields_flag(&fields, role, "alarm")) {
        print_title("Alarm");
        output_print(OUTPUT_ALARM, "`troupe health` says why\n");
    }
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    char *path = transfer_path("/v1/role", "name", cli->operands[0], NULL);
    json_t *answer = NULL;
    enum cli_exit ending = cli_call(cli, &(struct client_request){.method = "GET", .path = path}, &answer);
    free(path);
    return ending == CLI_OK ? cli_show(cli, answer, print_role) : ending;
}

const struct cli_verb verb_role = {
    .name = "role",
    .operands = "ROLE",
    .summary = "show who holds a role and how its mailbox is doing",
    .details =
        "Its supervisor, its succession, its room, what is done about failures, what it has to do and\n"
        "has done, how many senders were refused and how many insisted. Of somebody's own mailbox the\n"
        "figures are for that person alone.",
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};
