/* SPDX-License-Identifier: MIT */
/*
 * args.c: see args.h. One walk over the arguments; an option is looked up in the verb's table first, then in
 * the shared one. getopt_long is not used because it abbreviates names and knows no verbs in its error texts.
 */
#include "cli/args.h"

#include <stdio.h>
#include <string.h>

enum {
    SHARED_JSON,
    SHARED_AS,
    SHARED_HELP,
    SHARED_COUNT,
};

const struct cli_option args_shared_options[] = {
    [SHARED_JSON] = {"json", 0, NULL, "print the server's answer as one JSON document"},
    [SHARED_AS] = {"as", 0, "NAME", "act for NAME, as an administrator"},
    [SHARED_HELP] = {"help", 'h', NULL, "say what this verb does, and end"},
    [SHARED_COUNT] = {0},
};

/* What one walk knows. shared[] is for the shared options what cli->values is for the verb's. */
struct walk {
    struct cli *cli;
    int count;
    char *const *arguments;
    int at;
    const char *shared[SHARED_COUNT];
    char *trouble;
};

static enum cli_exit wrong(struct walk *walk, const char *what, const char *shown, const char *more)
{
    snprintf(walk->trouble, ARGS_TROUBLE_MAX, "%s%s%s", what, shown, more);
    return CLI_USAGE;
}

/*
 * The option called `name` (of `length` bytes) or `letter` and the place of its value; NULL when there is
 * none.
 */
static const struct cli_option *find(const struct cli_option *table, const char **values, const char *name,
                                     size_t length, char letter, const char ***ret_value)
{
    for (size_t i = 0; table != NULL && table[i].name != NULL; i++) {
        bool same = name != NULL ? strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0
                                 : table[i].letter == letter;
        if (same) {
            *ret_value = &values[i];
            return &table[i];
        }
    }
    return NULL;
}

/* One argument that begins with '-' and is more than that. */
static enum cli_exit read_option(struct walk *walk)
{
    const char *argument = walk->arguments[walk->at];
    bool is_long = argument[1] == '-';
    const char *name = is_long ? argument + 2 : NULL;
    size_t length = is_long ? strcspn(name, "=") : 1;
    const char *attached = is_long ? name + length : argument + 2;
    const char **value = NULL;
    const struct cli_option *option =
        find(walk->cli->verb->options, walk->cli->values, name, length, argument[1], &value);
    if (option == NULL)
        option = find(args_shared_options, walk->shared, name, length, argument[1], &value);
    char shown[64];
    int shown_length = (int)(is_long ? length + 2 : 2);
    snprintf(shown, sizeof shown, "%.*s", shown_length, argument);
    if (option == NULL || (!is_long && option->letter == 0))
        return wrong(walk, "there is no option ", shown, "");
    if (*value != NULL)
        return wrong(walk, shown, " is given twice", "");
    if (option->argument == NULL) {
        if (*attached != '\0')
            return wrong(walk, shown, " takes no value", "");
        *value = "";
        return CLI_OK;
    }
    if (*attached != '\0') {
        *value = is_long ? attached + 1 : attached;
        return CLI_OK;
    }
    if (walk->at + 1 >= walk->count)
        return wrong(walk, shown, " needs a value: ", option->argument);
    *value = walk->arguments[++walk->at];
    return CLI_OK;
}

static enum cli_exit read_operand(struct walk *walk)
{
    struct cli *cli = walk->cli;
    const char *operand = walk->arguments[walk->at];
    if (cli->operand_count >= cli->verb->operand_count_max)
        return wrong(walk, "one operand too many: '", operand, "'");
    cli->operands[cli->operand_count++] = operand;
    return CLI_OK;
}

enum cli_exit args_read(struct cli *cli, int count, char *const *arguments, bool *ret_help, char *ret_trouble)
{
    struct walk walk = {.cli = cli, .count = count, .arguments = arguments, .trouble = ret_trouble};
    bool options_ended = false;
    for (walk.at = 0; walk.at < count; walk.at++) {
        const char *argument = arguments[walk.at];
        enum cli_exit ending;
        if (!options_ended && strcmp(argument, "--") == 0) {
            options_ended = true;
            if (cli->verb->takes_command && walk.at + 1 < count)
                cli->command = arguments + walk.at + 1;
            if (cli->verb->takes_command)
                break;
            continue;
        }
        if (!options_ended && argument[0] == '-' && argument[1] != '\0')
            ending = read_option(&walk);
        else
            ending = read_operand(&walk);
        if (ending != CLI_OK)
            return ending;
    }
    cli->json = walk.shared[SHARED_JSON] != NULL;
    cli->as = walk.shared[SHARED_AS];
    *ret_help = walk.shared[SHARED_HELP] != NULL;
    if (!*ret_help && cli->operand_count < cli->verb->operand_count_min)
        return wrong(&walk, "too few operands; it takes ", cli->verb->operands, "");
    if (!*ret_help && cli->verb->takes_command && cli->command == NULL)
        return wrong(&walk, "there is no command; it stands behind --", "", "");
    return CLI_OK;
}
