/* SPDX-License-Identifier: MIT */
/*
 * rules.c: `troupe rules`: what a supervisor does about the failures of the roles below it, shown or set
 * whole. A rule is KINDS=ACTION or KINDS=ACTION:ROLES; what the words may be is the server's to say.
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
    RULES_NONE,
    RULES_OPTION_COUNT,
};

enum {
    NAME_SIZE_MAX = 128,
    RULES_MAX = 32, /* the server's limit */
};

_Static_assert(RULES_MAX + 1 <= CLI_OPERANDS_MAX, "a role and all its rules are operands of one verb");

static const struct cli_option options[] = {
    [RULES_NONE] = {"none", 'n', NULL, "take its rules away: the defaults count"},
    [RULES_OPTION_COUNT] = {0},
};

static const struct output_column columns[] = {{"ON", false}, {"DO", false}, {"ROLES", false}};

enum {
    COLUMN_COUNT = sizeof columns / sizeof *columns,
};

/* --- showing ---------------------------------------------------------------------------------- */

/* The kinds of one rule with commas between them; the caller frees it. */
static char *join(struct fields *fields, const json_t *kinds)
{
    char *joined = NULL;
    size_t size = 0;
    FILE *stream = text_must(open_memstream(&joined, &size));
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const char *kind = json_string_value(json_array_get(kinds, i));
        if (kind == NULL)
            fields->wrong = "on";
        fprintf(stream, "%s%s", i > 0 ? "," : "", kind != NULL ? kind : "");
    }
    if (fclose(stream) != 0)
        text_must(NULL);
    return joined;
}

/* What is done about the failures of the role itself, whoever says so. */
static void print_itself(struct fields *fields, const json_t *role)
{
    static const char *const kinds[] = {"fail", "lapse", "crash", "absent", "overflow"};
    output_cleaned(OUTPUT_STRONG, fields_text(fields, role, "name"));
    output_print(OUTPUT_PLAIN, " itself:");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char member[32];
        snprintf(member, sizeof member, "on_%s", kinds[i]);
        output_print(OUTPUT_PLAIN, "%s %s ", i > 0 ? "," : "", kinds[i]);
        output_cleaned(OUTPUT_PLAIN, fields_text(fields, role, member));
    }
    output_print(OUTPUT_PLAIN, "\n");
}

static enum cli_exit print_rules(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const json_t *rules = json_object_get(answer, "rules");
    struct output_table *table = output_table_new(columns, COLUMN_COUNT);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        char *kinds = join(&fields, fields_list(&fields, rule, "on"));
        const char *roles = fields_text_or_null(&fields, rule, "roles");
        const char *cells[COLUMN_COUNT] = {kinds, fields_text(&fields, rule, "do"),
                                           roles != NULL ? roles : "*"};
        output_table_add(table, OUTPUT_PLAIN, cells);
        free(kinds);
    }
    if (fields.wrong == NULL)
        print_itself(&fields, answer);
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK) {
        output_table_free(table);
        return ending;
    }
    if (json_array_size(rules) == 0)
        output_print(OUTPUT_PLAIN, "no rules for the roles below: the defaults count\n");
    output_table_end(table);
    return CLI_OK;
}

static enum cli_exit show(const struct cli *cli)
{
    char *path = transfer_path("/v1/role", "name", cli->operands[0], NULL);
    json_t *answer = NULL;
    enum cli_exit ending = cli_call(cli, &(struct client_request){.method = "GET", .path = path}, &answer);
    free(path);
    return ending == CLI_OK ? cli_show(cli, answer, print_rules) : ending;
}

/* --- setting ---------------------------------------------------------------------------------- */

/* The words of `text` up to `end`, with commas between them. */
static json_t *split(const char *text, const char *end)
{
    json_t *words = text_must(json_array());
    while (text <= end) {
        size_t length = strcspn(text, ",");
        if (text + length > end)
            length = (size_t)(end - text);
        text_must(json_array_append_new(words, text_must(json_stringn(text, length))) == 0 ? words : NULL);
        text += length + 1;
    }
    return words;
}

static enum cli_exit add_rule(const struct cli *cli, json_t *rules, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!text_is_utf8(text) || equals == NULL)
        return cli_fail(cli, CLI_USAGE, "'%s' is no rule: it has the form KINDS=ACTION or KINDS=ACTION:ROLES",
                        text);
    size_t length = strcspn(equals + 1, ":");
    const char *roles = equals[1 + length] == ':' ? equals + 2 + length : NULL;
    json_t *rule = text_must(json_object());
    bool is_whole = json_object_set_new(rule, "on", split(text, equals)) == 0 &&
                    json_object_set_new(rule, "do", json_stringn(equals + 1, length)) == 0 &&
                    (roles == NULL || json_object_set_new(rule, "roles", json_string(roles)) == 0) &&
                    json_array_append_new(rules, rule) == 0;
    text_must(is_whole ? rules : NULL);
    return CLI_OK;
}

static enum cli_exit print_set(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *name = fields_text(&fields, answer, "name");
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    int count = cli->operand_count - 1;
    output_cleaned(OUTPUT_STRONG, name);
    output_print(OUTPUT_PLAIN, " has %d %s\n", count, count == 1 ? "rule" : "rules");
    return CLI_OK;
}

static enum cli_exit set(const struct cli *cli)
{
    json_t *body = text_must(json_object());
    json_t *rules = text_must(json_array());
    const struct cli_text name = {"name", "the role", cli->operands[0], false, NAME_SIZE_MAX};
    enum cli_exit ending = CLI_OK;
    for (int i = 1; ending == CLI_OK && i < cli->operand_count; i++)
        ending = add_rule(cli, rules, cli->operands[i]);
    text_must(json_object_set_new(body, "rules", rules) == 0 ? body : NULL);
    if (ending == CLI_OK)
        return cli_post(cli, "/v1/roles/change", body, &name, 1, print_set);
    json_decref(body);
    return ending;
}

static enum cli_exit run(struct cli *cli)
{
    bool is_none = cli->values[RULES_NONE] != NULL;
    if (is_none && cli->operand_count > 1)
        return cli_fail(cli, CLI_USAGE, "--none goes without rules");
    return is_none || cli->operand_count > 1 ? set(cli) : show(cli);
}

const struct cli_verb verb_rules = {
    .name = "rules",
    .operands = "ROLE [KINDS=ACTION[:ROLES]...]",
    .summary = "show or set what a supervisor does about failures",
    .details =
        "KINDS are some of fail, lapse, crash, absent and overflow, with commas between them. ACTION is\n"
        "retry, reassign, escalate or decline; wait, escalate or decline for absent; ignore or escalate\n"
        "for overflow. ROLES is a name in which * stands for anything; without it the rule is for all\n"
        "roles that ROLE supervises. The first rule that fits counts, unless the role itself says what\n"
        "is done. They are set whole, by an administrator.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = RULES_MAX + 1,
    .run = run,
};
