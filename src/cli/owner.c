/* SPDX-License-Identifier: MIT */
/*
 * owner.c: `troupe owner`: who owns a path, by the domains' patterns; the most precise pattern wins.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

enum {
    OWNER_ALL,
    OWNER_COUNT,
};

static const struct cli_option options[] = {
    [OWNER_ALL] = {"all", 'a', NULL, "every domain that matches, the most precise first"},
    [OWNER_COUNT] = {0},
};

static const struct output_column columns[] = {
    {"DOMAIN", false}, {"ROLE", false}, {"HOLDER", false}, {"DEPUTIES", false}, {"PATTERN", false},
};

enum {
    COLUMN_COUNT = sizeof columns / sizeof *columns,
};

/* The names of an array of texts with ", " between them; the caller frees it. */
static char *join(struct fields *fields, const json_t *names)
{
    char *joined = NULL;
    size_t size = 0;
    FILE *stream = text_must(open_memstream(&joined, &size));
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *name = json_array_get(names, i);
        if (!json_is_string(name))
            fields->wrong = "deputies";
        else
            fprintf(stream, "%s%s", i > 0 ? ", " : "", json_string_value(name));
    }
    if (fclose(stream) != 0)
        text_must(NULL);
    return joined;
}

static enum cli_exit print_owners(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const json_t *owners = fields_list(&fields, answer, "owners");
    struct output_table *table = output_table_new(columns, COLUMN_COUNT);
    for (size_t i = 0; i < json_array_size(owners); i++) {
        const json_t *owner = json_array_get(owners, i);
        char *deputies = join(&fields, fields_list(&fields, owner, "deputies"));
        const char *holder = fields_text_or_null(&fields, owner, "holder");
        const char *domain = fields_text(&fields, owner, "domain");
        const char *title = fields_text_or_null(&fields, owner, "title");
        const char *cells[COLUMN_COUNT] = {
            title != NULL ? title : domain,         fields_text(&fields, owner, "role"),
            holder != NULL ? holder : "vacant",     *deputies != '\0' ? deputies : "-",
            fields_text(&fields, owner, "pattern"),
        };
        output_table_add(table, holder != NULL ? OUTPUT_PLAIN : OUTPUT_ALARM, cells);
        free(deputies);
    }
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending == CLI_OK)
        output_table_end(table);
    else
        output_table_free(table);
    return ending;
}

static enum cli_exit run(struct cli *cli)
{
    const char *all = cli->values[OWNER_ALL] != NULL ? "1" : NULL;
    char *path = transfer_path("/v1/owner", "path", cli->operands[0], "all", all, NULL);
    json_t *answer = NULL;
    enum cli_exit ending = cli_call(cli, &(struct client_request){.method = "GET", .path = path}, &answer);
    free(path);
    if (ending != CLI_OK)
        return ending;
    bool is_owned = json_array_size(json_object_get(answer, "owners")) > 0;
    if (is_owned || cli->json)
        ending = cli_show(cli, answer, print_owners);
    else
        json_decref(answer);
    return is_owned || ending != CLI_OK ? ending
                                        : cli_fail(cli, CLI_FAILED, "nobody owns %s", cli->operands[0]);
}

const struct cli_verb verb_owner = {
    .name = "owner",
    .operands = "PATH",
    .summary = "say who owns a path",
    .details =
        "The domain whose pattern is the most precise wins: most path components, then the longest, regular\n"
        "expressions last. Exit status 1: nobody owns it.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};
