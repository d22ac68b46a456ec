/* SPDX-License-Identifier: MIT */
/*
 * search.c: `troupe search`: finds messages by their words, or lists them, also those that have ended. The
 * server answers a page at a time; as many are asked for as it takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    SEARCH_ROLE,
    SEARCH_FROM,
    SEARCH_HOLDER,
    SEARCH_STATE,
    SEARCH_THREAD,
    SEARCH_BEFORE,
    SEARCH_LIMIT,
    SEARCH_COUNT,
};

enum {
    LIMIT_DEFAULT = 20,
    LIMIT_MAX = 10000,
    PAGE_MAX = 200, /* the server's limit */
    WORDS_MAX = 16,
};

static const struct cli_option options[] = {
    [SEARCH_ROLE] = {"role", 'r', "ROLE", "in this mailbox"},
    [SEARCH_FROM] = {"from", 'f', "NAME", "sent by NAME"},
    [SEARCH_HOLDER] = {"holder", 'H', "NAME", "held by NAME, now or last"},
    [SEARCH_STATE] = {"state", 's', "STATE", "queued, held, parked, quarantined, done, declined, ..."},
    [SEARCH_THREAD] = {"thread", 't', "ID", "in the thread of message ID"},
    [SEARCH_BEFORE] = {"before", 'b', "ID", "older than ID: where an earlier search ended"},
    [SEARCH_LIMIT] = {"limit", 'n', "COUNT", "at most so many, 20 when not given"},
    [SEARCH_COUNT] = {0},
};

static const struct output_column columns[] = {
    {"ID", false}, {"STATE", false}, {"ROLE", false}, {"FROM", false}, {"SENT", false}, {"SUBJECT", false},
};

enum {
    COLUMN_COUNT = sizeof columns / sizeof *columns,
};

static enum cli_exit print_found(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    struct output_table *table = output_table_new(columns, COLUMN_COUNT);
    const json_t *messages = fields_list(&fields, answer, "messages");
    const char *next = fields_text_or_null(&fields, answer, "next");
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        char time[TEXT_TIME_MAX];
        const char *cells[COLUMN_COUNT] = {
            fields_text(&fields, message, "id"),
            fields_text(&fields, message, "state"),
            fields_text(&fields, message, "role"),
            fields_text(&fields, message, "from"),
            text_ago(cli->now_ms, fields_number(&fields, message, "sent"), time),
            fields_text(&fields, message, "subject"),
        };
        output_table_add(table, OUTPUT_PLAIN, cells);
    }
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK) {
        output_table_free(table);
        return ending;
    }
    if (json_array_size(messages) == 0)
        output_print(OUTPUT_STRONG, "nothing found\n");
    output_table_end(table);
    if (next != NULL) {
        output_print(OUTPUT_FAINT, "there may be more: --before ");
        output_cleaned(OUTPUT_FAINT, next);
        output_print(OUTPUT_FAINT, "\n");
    }
    return CLI_OK;
}

/* The words in one text with blanks between; NULL when there are none. The caller frees it. */
static char *join_words(const struct cli *cli)
{
    char *words = NULL;
    size_t size = 0;
    if (cli->operand_count == 0)
        return NULL;
    FILE *stream = text_must(open_memstream(&words, &size));
    for (int i = 0; i < cli->operand_count; i++)
        fprintf(stream, "%s%s", i > 0 ? " " : "", cli->operands[i]);
    if (fclose(stream) != 0)
        text_must(NULL);
    return words;
}

static enum cli_exit ask_page(const struct cli *cli, const char *words, const char *before, int64_t limit,
                              json_t **ret_page)
{
    char limit_text[24];
    snprintf(limit_text, sizeof limit_text, "%d", (int)(limit < PAGE_MAX ? limit : PAGE_MAX));
    char *path = transfer_path(words != NULL ? "/v1/search" : "/v1/messages", "q", words, "role",
                               cli->values[SEARCH_ROLE], "from", cli->values[SEARCH_FROM], "holder",
                               cli->values[SEARCH_HOLDER], "state", cli->values[SEARCH_STATE], "thread",
                               cli->values[SEARCH_THREAD], "before", before, "limit", limit_text, NULL);
    enum cli_exit ending =
        strlen(path) < TRANSFER_PATH_MAX
            ? cli_call(cli, &(struct client_request){.method = "GET", .path = path}, ret_page)
            : cli_fail(cli, CLI_USAGE, "that is too much to look for");
    free(path);
    return ending;
}

/* Adds a page to what was found. False: it is no answer of a search. */
static bool add_page(json_t *found, const json_t *page)
{
    const json_t *messages = json_object_get(page, "messages");
    json_t *next = json_object_get(page, "next");
    return json_is_array(messages) && (json_is_string(next) || json_is_null(next)) &&
           json_array_extend(json_object_get(found, "messages"), (json_t *)messages) == 0 &&
           json_object_set(found, "next", next) == 0;
}

static enum cli_exit run(struct cli *cli)
{
    int64_t limit = LIMIT_DEFAULT;
    const char *limit_text = cli->values[SEARCH_LIMIT];
    if (limit_text != NULL && !text_read_number(limit_text, 1, LIMIT_MAX, &limit))
        return cli_fail(cli, CLI_USAGE, "--limit takes a whole number from 1 to %d", LIMIT_MAX);
    char *words = join_words(cli);
    json_t *found = text_must(json_pack("{s:[], s:n}", "messages", "next"));
    const char *before = cli->values[SEARCH_BEFORE];
    enum cli_exit ending;
    do {
        json_t *page = NULL;
        ending = ask_page(cli, words, before, limit, &page);
        if (ending == CLI_OK && !add_page(found, page))
            ending = cli_fail(cli, CLI_PROTOCOL, "the server gave no usable answer");
        limit -= (int64_t)json_array_size(json_object_get(page, "messages"));
        json_decref(page);
        before = json_string_value(json_object_get(found, "next"));
    } while (ending == CLI_OK && before != NULL && limit > 0);
    free(words);
    if (ending == CLI_OK)
        return cli_show(cli, found, print_found);
    json_decref(found);
    return ending;
}

const struct cli_verb verb_search = {
    .name = "search",
    .operands = "[WORD...]",
    .summary = "find messages by their words, also old ones",
    .details =
        "All the words must be in subject or body, in any order; WORD* stands for all that begin so. Case\n"
        "and accents do not matter. Without words: all, the newest first. You find what you may read:\n"
        "what you sent or held, what is in your mailboxes, and in those that are open.",
    .options = options,
    .operand_count_max = WORDS_MAX,
    .run = run,
};
