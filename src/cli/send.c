/* SPDX-License-Identifier: MIT */
/*
 * send.c: `troupe send`: puts a message into a role's mailbox and prints the receipt. The beginning of a
 * message's way.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    SUBJECT_MAX = 500, /* bytes: the server's limit */
    KEY_MAX = 128,     /* bytes: the server's limit */
    NAME_MAX_SIZE = 128,
};

enum {
    SEND_SUBJECT,
    SEND_CLASS,
    SEND_DEADLINE,
    SEND_KEY,
    SEND_INSIST,
    SEND_IN_REPLY_TO,
    SEND_ATTACH,
    SEND_NO_REPLY,
    SEND_COUNT,
};

static const struct cli_option options[] = {
    [SEND_SUBJECT] = {"subject", 's', "SUBJECT", "what it is about, in one line"},
    [SEND_CLASS] = {"class", 'c', "CLASS", "urgent, normal (the default) or bulk"},
    [SEND_DEADLINE] = {"deadline", 0, "WHEN",
                       "when it is no longer needed: 2h, 3d, 2026-01-31, 2026-01-31T17:00"},
    [SEND_KEY] = {"key", 0, "KEY", "sent again with the same key it is still one message"},
    [SEND_INSIST] = {"insist", 0, NULL, "send although the mailbox is full; for people"},
    [SEND_IN_REPLY_TO] = {"in-reply-to", 0, "ID", "the message that this one answers"},
    [SEND_ATTACH] = {"attach", 'a', "REFERENCES", "what goes along: addresses or paths, one a line"},
    [SEND_NO_REPLY] = {"no-reply", 0, NULL, "nobody is told how it ends"},
    [SEND_COUNT] = {0},
};

static enum cli_exit fill_body(const struct cli *cli, json_t *body)
{
    const struct cli_text texts[] = {
        {"to", "the role", cli->operands[0], false, NAME_MAX_SIZE},
        {"subject", "the subject", cli->values[SEND_SUBJECT], false, SUBJECT_MAX},
        {"body", "the body", cli->operands[1], true, CLI_BODY_MAX},
        {"class", "the class", cli->values[SEND_CLASS], false, NAME_MAX_SIZE},
        {"in_reply_to", "--in-reply-to", cli->values[SEND_IN_REPLY_TO], false, NAME_MAX_SIZE},
        {"key", "the key", cli->values[SEND_KEY], false, KEY_MAX},
        {"attachments", "--attach", cli->values[SEND_ATTACH], false, CLI_NOTE_MAX},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        enum cli_exit ending = cli_set_text(cli, body, texts[i].name, texts[i].what, texts[i].text,
                                            texts[i].may_read, texts[i].size_max);
        if (ending != CLI_OK)
            return ending;
    }
    const char *when = cli->values[SEND_DEADLINE];
    int64_t deadline_ms;
    if (when != NULL && !text_read_time(when, cli->now_ms, &deadline_ms))
        return cli_fail(cli, CLI_USAGE,
                        "--deadline '%s': write 45m, 2h, 3d, 1w, 2026-01-31 or 2026-01-31T17:00", when);
    if (when != NULL)
        json_object_set_new(body, "deadline", json_integer(deadline_ms));
    if (cli->values[SEND_INSIST] != NULL)
        json_object_set_new(body, "insist", json_true());
    if (cli->values[SEND_NO_REPLY] != NULL)
        json_object_set_new(body, "reply", json_false());
    return CLI_OK;
}

/* Who would take it: a name, or that nobody is there. */
static void print_holder(const char *holder, const char *availability)
{
    if (holder != NULL) {
        output_print(OUTPUT_PLAIN, ", held by ");
        output_cleaned(OUTPUT_PLAIN, holder);
    } else {
        bool is_absent = availability != NULL && strcmp(availability, "absent") == 0;
        output_print(OUTPUT_ALARM, is_absent ? ", whose holders are all away" : ", held by nobody");
    }
}

static enum cli_exit print_receipt(const struct cli *cli, const json_t *receipt)
{
    struct fields fields = {0};
    const char *id = fields_text(&fields, receipt, "id");
    const char *role = fields_text(&fields, receipt, "role");
    const char *state = fields_text(&fields, receipt, "state");
    const char *holder = fields_text_or_null(&fields, receipt, "holder");
    const char *availability = fields_text_or_null(&fields, receipt, "availability");
    int64_t position = fields_number_or(&fields, receipt, "position", 0);
    bool is_duplicate = fields_flag(&fields, receipt, "duplicate");
    const json_t *wait = json_object_get(receipt, "wait");
    int64_t median_ms = fields_number_or(&fields, wait, "median_ms", -1);
    int64_t p95_ms = fields_number_or(&fields, wait, "p95_ms", -1);
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    char time[TEXT_TIME_MAX];
    output_cleaned(OUTPUT_STRONG, id);
    output_cleaned(OUTPUT_PLAIN, is_duplicate ? " was sent before: " : " ");
    output_cleaned(OUTPUT_PLAIN, state);
    output_cleaned(OUTPUT_PLAIN, " by ");
    output_cleaned(OUTPUT_PLAIN, role);
    if (position > 0)
        printf(", position %s", text_number(position, time));
    print_holder(holder, availability);
    putchar('\n');
    if (median_ms >= 0)
        printf("done after %s by experience", text_duration(median_ms, time));
    if (median_ms >= 0 && p95_ms >= 0)
        printf(", in 95 of 100 cases within %s", text_duration(p95_ms, time));
    if (median_ms >= 0)
        putchar('\n');
    return CLI_OK;
}

/* A full mailbox names another one. Nothing was taken in: whether it is to go there is for who sends. */
static enum cli_exit end_redirected(const struct cli *cli, json_t *answer)
{
    struct fields fields = {0};
    const char *role = fields_text(&fields, answer, "role");
    const char *other = fields_text(&fields, answer, "redirect_to");
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending == CLI_OK)
        ending = cli_fail(cli, CLI_AGAIN, "%s is full and asks to send to %s instead", role, other);
    if (cli->json)
        cli_print_json(answer);
    json_decref(answer);
    return ending;
}

static enum cli_exit post(const struct cli *cli, const json_t *body, json_t **ret_receipt)
{
    bool is_insisted = cli->values[SEND_INSIST] != NULL;
    const struct client_request request = {.method = "POST",
                                           .path = "/v1/send",
                                           .body = body,
                                           .if_full = is_insisted ? NULL : "people may --insist"};
    return cli_call(cli, &request, ret_receipt);
}

static bool is_redirected(const json_t *answer)
{
    const char *state = json_string_value(json_object_get(answer, "state"));
    return state != NULL && strcmp(state, "redirected") == 0;
}

static enum cli_exit run(struct cli *cli)
{
    if (cli->values[SEND_SUBJECT] == NULL)
        return cli_fail(cli, CLI_USAGE, "-s SUBJECT is missing");
    json_t *body = text_must(json_object());
    json_t *receipt = NULL;
    enum cli_exit ending = fill_body(cli, body);
    if (ending == CLI_OK)
        ending = post(cli, body, &receipt);
    json_decref(body);
    if (ending != CLI_OK)
        return ending;
    return is_redirected(receipt) ? end_redirected(cli, receipt) : cli_show(cli, receipt, print_receipt);
}

const struct cli_verb verb_send = {
    .name = "send",
    .operands = "ROLE [BODY | -]",
    .summary = "send a message to a role",
    .details =
        "BODY is Markdown; - reads it from standard input. The receipt says where the message stands in the\n"
        "queue. A full mailbox refuses, or names another one: exit status 75.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 2,
    .run = run,
};
