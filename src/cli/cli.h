/* SPDX-License-Identifier: MIT */
/*
 * cli.h: what the verbs of the `troupe` program share. A verb is one file with one constant table entry: its
 * name, its options, and the function that runs it. main.c finds the verb, args.c reads the command line into
 * a struct cli, run() does the work with the calls below and returns how the program ends.
 *
 * Place on a message's way: the very beginning and the very end, outside the server. `troupe send` turns
 * words into one request (transfer.h, client.h); the receipt comes back the same way. One thread; everything
 * here may block.
 *
 * Invariants
 *   1. Standard output carries the result and nothing else; with --json it is one JSON document in one line,
 *      whenever the server answered, also when the answer is a problem (`work`: one for each message;
 *      `notices --follow`: one for each answer). What went wrong is said on standard error.
 *   2. Bytes that somebody else wrote reach a terminal through output.h only, which makes control characters
 *      visible.
 *   3. values[i] is NULL where option i of the verb's table was not given; a flag that was given has the
 *      value "".
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/exit.h"

enum {
    CLI_OPTIONS_MAX = 16,  /* options of one verb, the shared ones included */
    CLI_OPERANDS_MAX = 33, /* operands of one verb */
    CLI_INPUT_MAX =
        8388608,           /* bytes read from a file or standard input: the server's own limit of a request */
    CLI_PROBLEM_MAX = 512, /* bytes of one explanation on standard error */
    CLI_BODY_MAX = 262144, /* bytes of a body: the server's limit */
    CLI_NOTE_MAX = 4096,   /* bytes of a reason or a note: the server's limit */
};

struct cli;
struct client_request;

/** One option of a verb. `argument` is NULL for a flag. A table of options ends with a NULL name. */
struct cli_option {
    const char *name;
    char letter;
    const char *argument;
    const char *help;
};

/**
 * One verb. `details` is what `troupe help VERB` says beyond the options. One that takes a command has its
 * words behind "--", where other verbs have operands that begin with a dash.
 */
struct cli_verb {
    const char *name;
    const char *operands;
    const char *summary;
    const char *details;
    const struct cli_option *options;
    int operand_count_min;
    int operand_count_max;
    bool takes_command;
    enum cli_exit (*run)(struct cli *cli);
};

/** One run of the program. */
struct cli {
    const struct cli_verb *verb;
    const char *values[CLI_OPTIONS_MAX];
    const char *operands[CLI_OPERANDS_MAX];
    int operand_count;
    char *const *command; /* ended by NULL; of a verb that takes one */
    bool json;
    const char *as;
    int64_t now_ms;
};

/** The verbs in the order that `troupe help` shows them, ended by NULL. */
extern const struct cli_verb *const cli_verbs[];

extern const struct cli_verb verb_serve;
extern const struct cli_verb verb_send;
extern const struct cli_verb verb_next;
extern const struct cli_verb verb_done;
extern const struct cli_verb verb_decline;
extern const struct cli_verb verb_forward;
extern const struct cli_verb verb_defer;
extern const struct cli_verb verb_fail;
extern const struct cli_verb verb_renew;
extern const struct cli_verb verb_resolve;
extern const struct cli_verb verb_work;
extern const struct cli_verb verb_webhook;
extern const struct cli_verb verb_inbox;
extern const struct cli_verb verb_notices;
extern const struct cli_verb verb_search;
extern const struct cli_verb verb_owner;
extern const struct cli_verb verb_tree;
extern const struct cli_verb verb_role;
extern const struct cli_verb verb_health;
extern const struct cli_verb verb_away;
extern const struct cli_verb verb_back;
extern const struct cli_verb verb_note;
extern const struct cli_verb verb_give;
extern const struct cli_verb verb_rules;
extern const struct cli_verb verb_settle;
extern const struct cli_verb verb_import;
extern const struct cli_verb verb_calendar;
extern const struct cli_verb verb_replay;
extern const struct cli_verb verb_verify;
extern const struct cli_verb verb_rebuild;
extern const struct cli_verb verb_export;
extern const struct cli_verb verb_restore;
extern const struct cli_verb verb_backup;
extern const struct cli_verb verb_help;

/** The verb of that name, or NULL. */
const struct cli_verb *cli_find_verb(const char *name);

/** Says on standard error "troupe VERB: ..." and gives `ending` back, so that a verb can return it. */
enum cli_exit cli_fail(const struct cli *cli, enum cli_exit ending, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Says something in the same way that is no failure of the verb. */
void cli_say(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Asks the server and waits for the answer. CLI_OK gives the answer (NULL for 204), which the caller releases
 * with json_decref. Anything else has been said on standard error and, with --json, a problem document
 * printed.
 */
enum cli_exit cli_call(const struct cli *cli, const struct client_request *request, json_t **ret_answer);

/**
 * Puts an answer of 400 and above into words (`ret_text` has CLI_PROBLEM_MAX bytes) and says how the program
 * should end.
 */
enum cli_exit cli_explain_problem(const json_t *problem, long status, char *ret_text);

/** Prints an answer, which it releases: as JSON with --json, else as `print` does. */
enum cli_exit cli_show(const struct cli *cli, json_t *answer,
                       enum cli_exit (*print)(const struct cli *cli, const json_t *answer));

/** Prints one JSON document in one line on standard output. */
void cli_print_json(const json_t *document);

/**
 * Sets a member of `body` to a text from the command line; `text` NULL leaves it out, and "-" (where
 * `may_read`) takes the text from standard input. `what` names it in what is said when it is not UTF-8, or
 * longer than `size_max` bytes.
 */
enum cli_exit cli_set_text(const struct cli *cli, json_t *body, const char *name, const char *what,
                           const char *text, bool may_read, size_t size_max);

/** A text member of a request, with the arguments that cli_set_text wants for it. */
struct cli_text {
    const char *name;
    const char *what;
    const char *text;
    bool may_read;
    size_t size_max;
};

/**
 * Asks the server by POST to do what `body`, which it releases, and these texts of the command line say, and
 * prints the answer as cli_show does.
 */
enum cli_exit cli_post(const struct cli *cli, const char *path, json_t *body, const struct cli_text *texts,
                       size_t count, enum cli_exit (*print)(const struct cli *cli, const json_t *answer));

/**
 * Reads a whole file, or standard input when `path` is "-". CLI_OK gives a NUL-terminated block that the
 * caller frees; at most `size_max` bytes. Anything else has been said on standard error.
 */
enum cli_exit cli_read_input(const struct cli *cli, const char *path, size_t size_max, char **ret_bytes,
                             size_t *ret_size);

/** What an input is called when something is said of it: its path, or "standard input" for "-". */
const char *cli_input_name(const char *path);

/** How a verb's usage goes on behind its options. */
const char *cli_command_usage(const struct cli_verb *verb);

/** Prints what `troupe help VERB` prints. */
void cli_print_verb_help(const struct cli_verb *verb);

/** Prints the table of verbs and of exit statuses. */
void cli_print_help(void);

#endif
