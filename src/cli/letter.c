/* SPDX-License-Identifier: MIT */
/*
 * letter.c: see letter.h. The members are read once into a struct, which is checked before the first line is
 * printed.
 */
#include "cli/letter.h"

#include <stdio.h>
#include <string.h>

#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"

struct letter {
    const char *id;
    const char *role;
    const char *from;
    const char *subject;
    const char *body;
    const char *note;
    const char *attachments;
    const char *message_class;
    const char *kind; /* NULL from a server that does not say it */
    const char *outcome;
    const char *origin_role;
    const char *origin_id;
    const char *in_reply_to;
    int64_t sent_ms;
    int64_t lease_until_ms;
    int64_t deadline_ms;
    int64_t attempts;
    bool is_insisted;
};

static struct letter read_letter(struct fields *fields, const json_t *message)
{
    const json_t *origin = json_object_get(message, "origin");
    return (struct letter){
        .id = fields_text(fields, message, "id"),
        .role = fields_text(fields, message, "role"),
        .from = fields_text(fields, message, "from"),
        .subject = fields_text(fields, message, "subject"),
        .body = fields_text_or_null(fields, message, "body"),
        .note = fields_text_or_null(fields, message, "note"),
        .attachments = fields_text_or_null(fields, message, "attachments"),
        .message_class = fields_text(fields, message, "class"),
        .kind = fields_text_or_null(fields, message, "kind"),
        .outcome = fields_text_or_null(fields, message, "outcome"),
        .origin_role = origin == NULL ? NULL : fields_text(fields, origin, "role"),
        .origin_id = origin == NULL ? NULL : fields_text_or_null(fields, origin, "id"),
        .in_reply_to = fields_text_or_null(fields, message, "in_reply_to"),
        .sent_ms = fields_number(fields, message, "sent"),
        .lease_until_ms = fields_number_or(fields, message, "lease_until", -1),
        .deadline_ms = fields_number_or(fields, message, "deadline", -1),
        .attempts = fields_number_or(fields, message, "attempts", 0),
        .is_insisted = fields_flag(fields, message, "insisted"),
    };
}

static void print_line(const char *name, enum output_style style, const char *text, const char *more)
{
    output_print(OUTPUT_FAINT, "%-12s", name);
    output_cleaned(style, text);
    output_cleaned(OUTPUT_PLAIN, more);
    putchar('\n');
}

/* What it is about, where it is not simply a message: how something ended, or what failed where. */
static void print_origin(const struct letter *letter)
{
    static const struct {
        const char *kind;
        const char *line;
    } lines[] = {{"message", "Came from"}, {"answer", "Answers"}, {"escalation", "Failed in"}};
    if (letter->kind == NULL || letter->origin_id == NULL)
        return;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (strcmp(letter->kind, lines[i].kind) != 0)
            continue;
        output_print(OUTPUT_FAINT, "%-12s", lines[i].line);
        output_cleaned(OUTPUT_PLAIN, letter->origin_role);
        output_cleaned(OUTPUT_PLAIN, " ");
        output_cleaned(OUTPUT_PLAIN, letter->origin_id);
        if (letter->outcome != NULL) {
            output_cleaned(OUTPUT_PLAIN, ": ");
            output_cleaned(OUTPUT_STRONG, letter->outcome);
        }
        putchar('\n');
    }
}

/* Its lines under a title; nothing where there are none. */
static void print_block(const char *title, const char *text)
{
    if (text == NULL || *text == '\0')
        return;
    putchar('\n');
    if (title != NULL)
        output_print(OUTPUT_FAINT, "%s\n", title);
    output_body(text);
}

static void print_letter(const struct cli *cli, const struct letter *letter)
{
    char time[TEXT_TIME_MAX];
    char more[TEXT_TIME_MAX + 2];
    snprintf(more, sizeof more, ", %s", text_ago(cli->now_ms, letter->sent_ms, time));
    print_line("Message", OUTPUT_STRONG, letter->id, "");
    print_line("To", OUTPUT_PLAIN, letter->role, "");
    print_line("From", OUTPUT_PLAIN, letter->from, more);
    print_line("Subject", OUTPUT_STRONG, letter->subject, "");
    print_origin(letter);
    if (strcmp(letter->message_class, "normal") != 0)
        print_line("Class", strcmp(letter->message_class, "urgent") == 0 ? OUTPUT_ALARM : OUTPUT_PLAIN,
                   letter->message_class, "");
    if (letter->deadline_ms >= 0)
        print_line("Deadline", letter->deadline_ms < cli->now_ms ? OUTPUT_ALARM : OUTPUT_PLAIN,
                   text_ago(cli->now_ms, letter->deadline_ms, time), "");
    if (letter->lease_until_ms >= 0)
        print_line("Yours until", OUTPUT_PLAIN, text_ago(cli->now_ms, letter->lease_until_ms, time), "");
    if (letter->in_reply_to != NULL)
        print_line("In reply to", OUTPUT_PLAIN, letter->in_reply_to, "");
    if (letter->attempts > 0)
        print_line("Failures", OUTPUT_PLAIN, text_number(letter->attempts, time), "");
    if (letter->is_insisted)
        print_line("Insisted", OUTPUT_PLAIN, "sent although the mailbox was full", "");
    bool is_escalation = letter->kind != NULL && strcmp(letter->kind, "escalation") == 0;
    print_block(is_escalation ? "Why it failed:" : "A note:", letter->note);
    print_block("Attached:", letter->attachments);
    print_block(NULL, letter->body);
}

enum cli_exit letter_print_all(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const json_t *messages = fields_list(&fields, answer, "messages");
    size_t count = json_array_size(messages);
    for (size_t i = 0; i < count; i++)
        read_letter(&fields, json_array_get(messages, i));
    enum cli_exit ending = fields_check(cli, &fields);
    for (size_t i = 0; ending == CLI_OK && i < count; i++) {
        if (i > 0)
            putchar('\n');
        struct letter letter = read_letter(&fields, json_array_get(messages, i));
        print_letter(cli, &letter);
    }
    return ending;
}
