/* SPDX-License-Identifier: MIT */
/*
 * health.c: `troupe health`: what troubles the organisation, or soon may, one matter a line.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

static const struct output_column columns[] = {{"WHAT", false}, {"WHERE", false}, {"MORE", false}};

enum {
    COLUMN_COUNT = sizeof columns / sizeof *columns,
    MORE_MAX = 512,
};

/* A list of the answer: what its matters are called, where they are, and which member says more. */
struct matter {
    const char *list;
    const char *what;
    const char *where;
    const char *before; /* the word before what `more` says; NULL: there is no more */
    const char *more;
};

static const struct matter matters[] = {
    {"alarms", "alarm", "role", "", "reason"},
    {"vacant", "vacant", "role", NULL, NULL},
    {"unowned", "no owner", "domain", "its owner is vacant: ", "owner"},
    {"full", "full", "role", NULL, NULL},
    {"late", "late", "role", "message ", "id"},
    {"alone", "no deputy", "role", "held by nobody but ", "holder"},
    {"redirects", "in a circle", "role", "when full it redirects to ", "to"},
    {"unheard", "unheard", "role", "nobody above would hear of what fails but ", "holder"},
};

enum {
    MATTER_COUNT = sizeof matters / sizeof *matters,
};

/* What is more to say of one: the word and the member, or numbers of its own. */
static void write_more(struct fields *fields, const struct matter *matter, const json_t *one, char *ret_more)
{
    ret_more[0] = '\0';
    if (strcmp(matter->list, "full") == 0)
        snprintf(ret_more, MORE_MAX, "%lld of %lld", (long long)fields_number(fields, one, "occupied"),
                 (long long)fields_number(fields, one, "capacity"));
    else if (matter->more != NULL)
        snprintf(ret_more, MORE_MAX, "%s%s", matter->before, fields_text(fields, one, matter->more));
}

static enum cli_exit print_health(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    struct output_table *table = output_table_new(columns, COLUMN_COUNT);
    size_t count = 0;
    for (size_t i = 0; i < MATTER_COUNT; i++) {
        const json_t *list = fields_list(&fields, answer, matters[i].list);
        for (size_t j = 0; j < json_array_size(list); j++, count++) {
            const json_t *one = json_array_get(list, j);
            char more[MORE_MAX];
            write_more(&fields, &matters[i], one, more);
            const char *cells[COLUMN_COUNT] = {matters[i].what, fields_text(&fields, one, matters[i].where),
                                               more};
            output_table_add(table, i == 0 ? OUTPUT_ALARM : OUTPUT_PLAIN, cells);
        }
    }
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK) {
        output_table_free(table);
        return ending;
    }
    if (count == 0)
        output_print(OUTPUT_STRONG, "nothing troubles this organisation\n");
    output_table_end(table);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    json_t *answer = NULL;
    enum cli_exit ending =
        cli_call(cli, &(struct client_request){.method = "GET", .path = "/v1/health/organisation"}, &answer);
    return ending == CLI_OK ? cli_show(cli, answer, print_health) : ending;
}

const struct cli_verb verb_health = {
    .name = "health",
    .operands = "",
    .summary = "say what troubles the organisation, or soon may",
    .details =
        "Alarms; vacant roles and domains whose owner is vacant; full mailboxes; messages held or failed\n"
        "beyond their deadline; roles with one holder and no deputy; mailboxes that redirect in a circle;\n"
        "and roles whose failures nobody above would hear of but whoever failed.",
    .run = run,
};
