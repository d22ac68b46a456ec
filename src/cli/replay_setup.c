/* SPDX-License-Identifier: MIT */
/*
 * replay_setup.c: before a replay begins: the role it sends to, the team above it, and the program that holds
 * it. What exists is used as it is; what does not is made. A role that a person holds is left alone: a replay
 * takes and finishes whatever waits there.
 */
#include "cli/replay.h"

#include <stdio.h>
#include <string.h>

#include "cli/text.h"

enum {
    WIP_LIMIT_NEW = TAKE_BATCHES * BATCH_MAX, /* of a program that is made here: every batch can be full */
};

/* Asks, and says what is wrong when there is no good answer. The caller releases *ret_json. */
static enum cli_exit ask(struct replay *replay, const char *method, const char *path, json_t *body,
                         const char *as, json_t **ret_json)
{
    struct client_answer answer;
    replay_ask(replay, &(struct client_request){.method = method, .path = path, .body = body, .as = as},
               &answer);
    json_decref(body);
    *ret_json = answer.json;
    if (answer.outcome != CLI_OK)
        return cli_fail(replay->cli, answer.outcome, "%s", answer.trouble);
    if (answer.status < 300)
        return CLI_OK;
    char text[CLI_PROBLEM_MAX];
    enum cli_exit ending = cli_explain_problem(answer.json, answer.status, text);
    return cli_fail(replay->cli, ending, "%s %s: %s", method, path, text);
}

static const json_t *find_role(const json_t *roles, const char *name)
{
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const json_t *role = json_array_get(roles, i);
        const char *role_name = json_string_value(json_object_get(role, "name"));
        if (role_name != NULL && strcmp(role_name, name) == 0)
            return role;
    }
    return NULL;
}

/* Makes one role below `parent` (NULL: wherever the server puts it). */
static enum cli_exit make_role(struct replay *replay, const char *name, const char *parent,
                               const char *holder)
{
    json_t *answer = NULL;
    json_t *body = text_must(json_pack("{s:s}", "name", name));
    if (parent != NULL)
        json_object_set_new(body, "parent", json_string(parent));
    if (holder != NULL)
        json_object_set_new(body, "holders", json_pack("[s]", holder));
    else
        json_object_set_new(body, "team", json_true());
    enum cli_exit ending = ask(replay, "POST", "/v1/roles", body, NULL, &answer);
    json_decref(answer);
    return ending;
}

static enum cli_exit make_program(struct replay *replay)
{
    json_t *answer = NULL;
    json_t *body = text_must(
        json_pack("{s:s, s:s, s:i}", "name", replay->program, "kind", "program", "wip_limit", WIP_LIMIT_NEW));
    enum cli_exit ending = ask(replay, "POST", "/v1/actors", body, NULL, &answer);
    json_decref(answer);
    return ending;
}

/*
 * The teams above the role, by the parts of its name, the program, and the role: whatever of it is missing.
 */
static enum cli_exit make_missing(struct replay *replay, const json_t *roles)
{
    char part[ROLE_NAME_MAX + 1];
    char parent[ROLE_NAME_MAX + 1] = "";
    enum cli_exit ending = CLI_OK;
    for (const char *slash = strchr(replay->role, '/'); slash != NULL && ending == CLI_OK;
         slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(slash - replay->role), replay->role);
        if (find_role(roles, part) == NULL)
            ending = make_role(replay, part, *parent != '\0' ? parent : NULL, NULL);
        memcpy(parent, part, sizeof(parent));
    }
    if (ending == CLI_OK)
        ending = make_program(replay);
    if (ending == CLI_OK)
        ending = make_role(replay, replay->role, *parent != '\0' ? parent : NULL, replay->program);
    return ending;
}

/* The program is the role's active holder, and a program; how much it may hold is its own WIP limit. */
static enum cli_exit check_program(struct replay *replay)
{
    json_t *who = NULL;
    enum cli_exit ending = ask(replay, "GET", "/v1/whoami", NULL, replay->program, &who);
    if (ending == CLI_OK) {
        const char *kind = json_string_value(json_object_get(who, "kind"));
        const json_t *wip_limit = json_object_get(who, "wip_limit");
        if (kind == NULL || !json_is_integer(wip_limit) || json_integer_value(wip_limit) < 1)
            ending = cli_fail(replay->cli, CLI_PROTOCOL, "whoami has no usable \"kind\" and \"wip_limit\"");
        else if (strcmp(kind, "program") != 0)
            ending =
                cli_fail(replay->cli, CLI_FAILED,
                         "%s is held by %s, who is not a program; a replay finishes whatever waits there, so "
                         "choose another role",
                         replay->role, replay->program);
        replay->take.wip_limit = json_integer_value(wip_limit);
    }
    json_decref(who);
    return ending;
}

/* "git/integration" is held by "git-integration", when it is made here and no other name was given. */
static void name_program(struct replay *replay)
{
    if (replay->program[0] != '\0')
        return;
    snprintf(replay->program, sizeof(replay->program), "%s", replay->role);
    for (char *at = replay->program; *at != '\0'; at++)
        if (*at == '/')
            *at = '-';
}

enum cli_exit replay_setup(struct replay *replay)
{
    json_t *tree = NULL;
    enum cli_exit ending = ask(replay, "GET", "/v1/tree", NULL, NULL, &tree);
    if (ending == CLI_OK) {
        const json_t *roles = json_object_get(tree, "roles");
        const json_t *role = find_role(roles, replay->role);
        const char *holder = json_string_value(json_object_get(role, "holder"));
        name_program(replay);
        if (role == NULL)
            ending = make_missing(replay, roles);
        else if (holder == NULL)
            ending = cli_fail(replay->cli, CLI_FAILED, "nobody holds %s", replay->role);
        else
            snprintf(replay->program, sizeof(replay->program), "%s", holder);
    }
    json_decref(tree);
    return ending == CLI_OK ? check_program(replay) : ending;
}
