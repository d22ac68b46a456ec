/* SPDX-License-Identifier: MIT */
/*
 * directory_decode.c: the decoders of directory_decode.h. What a name or a number may be is the
 * organisation's to say; here only the kinds of members are checked, and that none is unknown.
 */
#include "server/directory_decode.h"

#include <stdio.h>
#include <string.h>

#include "org/text.h"
#include "server/json.h"
#include "server/members.h"
#include "server/role_words.h"

/* Beyond every limit of the organisation, which says itself what is too long. */
#define TEXT_MAX ((size_t)4096)

static const char *const kinds[] = {"person", "program"};

/* What the organisation says of an address, and a little more: that there is one. */
static void take_mail(struct json_reader *in, const char **ret_mail)
{
    member_take_line(in, "mail", JSON_OPTIONAL, 1, ORG_MAIL_LEN_MAX, ret_mail);
    if (*ret_mail != NULL && in->problem->kind == PROBLEM_NONE && !org_is_mail(*ret_mail))
        problem_set(in->problem, PROBLEM_MALFORMED, "\"%smail\" must be a mail address", in->where);
}

const char *decode_known_team(const struct org_directory *directory, const struct org_actor_view *known)
{
    const char *root = org_directory_root(directory);
    return known->team[0] == '\0' || (root != NULL && strcmp(root, known->team) == 0) ? NULL : known->team;
}

bool decode_actor(const struct org_directory *directory, const json_t *value, const char *where,
                  struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_set_actor *actor = &ret_command->actor;
    unsigned kind = ORG_PERSON;
    int64_t wip_limit = 0;
    struct org_actor_view known;
    struct json_reader in = json_reader_of(value, where, problem);
    ret_command->kind = ORG_SET_ACTOR;
    ret_command->is_create = true;
    *actor = (struct org_set_actor){0};
    member_take_actor(&in, "name", JSON_REQUIRED, &actor->name);
    if (actor->name != NULL && org_directory_actor(directory, actor->name, &known)) {
        actor->display = known.display;
        actor->mail = known.mail[0] != '\0' ? known.mail : NULL;
        actor->team = decode_known_team(directory, &known);
        actor->is_administrator = known.is_administrator;
        wip_limit = known.wip_limit;
    }
    json_take_choice(&in, "kind", JSON_REQUIRED, kinds, 2, &kind);
    member_take_line(&in, "display", JSON_OPTIONAL, 1, ORG_DISPLAY_LEN_MAX, &actor->display);
    take_mail(&in, &actor->mail);
    member_take_tree_role(&in, "team", JSON_OPTIONAL, &actor->team);
    json_take_number(&in, "wip_limit", JSON_OPTIONAL, 1, ORG_WIP_LIMIT_MAX, &wip_limit);
    json_take_flag(&in, "administrator", JSON_OPTIONAL, &actor->is_administrator);
    actor->kind = (enum org_holder_kind)kind;
    actor->wip_limit = (uint32_t)wip_limit;
    return json_reader_end(&in);
}

bool decode_role(const json_t *value, const char *where, struct decode_room *room,
                 struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_set_role *role = &ret_command->role;
    struct json_reader in = json_reader_of(value, where, problem);
    ret_command->kind = ORG_SET_ROLE;
    ret_command->is_create = true;
    *role = (struct org_set_role){.holders = room->holders};
    member_take_tree_role(&in, "name", JSON_REQUIRED, &role->name);
    member_take_line(&in, "title", JSON_OPTIONAL, 1, ORG_DISPLAY_LEN_MAX, &role->title);
    member_take_tree_role(&in, "parent", JSON_OPTIONAL, &role->parent);
    member_take_tree_role(&in, "supervisor", JSON_OPTIONAL, &role->supervisor);
    json_take_flag(&in, "team", JSON_OPTIONAL, &role->is_team);
    role->holder_count =
        member_take_actors(&in, "holders", JSON_OPTIONAL, ORG_SUCCESSION_MAX, room->holders, NULL);
    role_words_take_bounds(&in, 1, role);
    role_words_take_rules(&in, 1, role);
    role_words_take_failure_rules(&in, room->failure_rules, role);
    return json_reader_end(&in);
}

/* "" takes away what was said. */
static void may_be_empty(const char **text)
{
    if (*text != NULL && **text == '\0')
        *text = NULL;
}

/* The same of the name of a role. */
static void take_supervisor_again(struct json_reader *in, const json_t *value, const char **ret_supervisor)
{
    const char *said = json_string_value(json_object_get(value, "supervisor"));
    if (said != NULL && *said == '\0')
        json_take_text(in, "supervisor", JSON_OPTIONAL, 0, 0, ret_supervisor);
    else
        member_take_tree_role(in, "supervisor", JSON_OPTIONAL, ret_supervisor);
    may_be_empty(ret_supervisor);
}

bool decode_role_again(const struct org_directory *directory, const json_t *value, struct decode_room *room,
                       struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_set_role *role = &ret_command->role;
    const char *name = NULL;
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_SET_ROLE;
    member_take_tree_role(&in, "name", JSON_REQUIRED, &name);
    if (name == NULL || problem->kind != PROBLEM_NONE)
        return false;
    if (!org_directory_role_as_set(directory, name, room->holders, role)) {
        problem_set(problem, PROBLEM_NOT_FOUND, "there is no role %s", name);
        return false;
    }
    role->name = name; /* the other texts are the directory's, and are gone when it has changed */
    member_take_line(&in, "title", JSON_OPTIONAL, 0, ORG_DISPLAY_LEN_MAX, &role->title);
    may_be_empty(&role->title);
    member_take_tree_role(&in, "parent", JSON_OPTIONAL, &role->parent);
    take_supervisor_again(&in, value, &role->supervisor);
    json_take_flag(&in, "team", JSON_OPTIONAL, &role->is_team);
    bool is_said;
    size_t holder_count =
        member_take_actors(&in, "holders", JSON_OPTIONAL, ORG_SUCCESSION_MAX, room->holders, &is_said);
    if (is_said)
        role->holder_count = holder_count;
    role_words_take_bounds(&in, 0, role);
    role_words_take_rules(&in, 0, role);
    role_words_take_failure_rules(&in, room->failure_rules, role);
    return json_reader_end(&in);
}

/* Patterns as in a CODEOWNERS file; "!" takes out. Each is tried. */
static size_t take_patterns(struct json_reader *in, struct decode_room *room)
{
    const json_t *array = NULL;
    char where[64];
    snprintf(where, sizeof where, "%spatterns", in->where);
    json_take_array(in, "patterns", JSON_REQUIRED, DECODE_PATTERNS_MAX, &array);
    size_t count = array != NULL ? json_array_size(array) : 0;
    for (size_t i = 0; i < count && in->problem->kind == PROBLEM_NONE; i++) {
        const char *text = json_element_text(array, i, where, ORG_PATTERN_LEN_MAX + 1, in->problem);
        if (text == NULL)
            break;
        bool is_exclude = text[0] == '!';
        struct org_pattern *pattern = NULL;
        const char *reason = "it is not a line of text";
        room->rules[i] = (struct org_rule){
            .kind = ORG_PATTERN_OWNERS, .is_exclude = is_exclude, .text = text + (is_exclude ? 1 : 0)};
        bool is_line = org_text_is_line(text, strlen(text));
        if (!is_line ||
            org_pattern_new(ORG_PATTERN_OWNERS, room->rules[i].text, &pattern, &reason) != TROUPE_OK)
            problem_set(in->problem, PROBLEM_MALFORMED, "\"%s[%zu]\" cannot be used: %s: %.200s", where, i,
                        reason, text);
        org_pattern_free(pattern);
    }
    return count;
}

bool decode_domain(const json_t *value, const char *where, struct decode_room *room,
                   struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_claim_domain *claim = &ret_command->claim;
    struct json_reader in = json_reader_of(value, where, problem);
    ret_command->kind = ORG_CLAIM_DOMAIN;
    ret_command->is_create = true;
    *claim = (struct org_claim_domain){.rules = room->rules};
    member_take_tree_role(&in, "name", JSON_REQUIRED, &claim->name);
    member_take_line(&in, "title", JSON_OPTIONAL, 1, ORG_DISPLAY_LEN_MAX, &claim->title);
    member_take_role(&in, "owner", JSON_REQUIRED, &claim->owner);
    claim->rule_count = take_patterns(&in, room);
    return json_reader_end(&in);
}

/* A set of scopes; the whole of `may` when none is named. What is beyond `may` is refused. */
static unsigned take_scopes(struct json_reader *in, unsigned may)
{
    const json_t *array = NULL;
    unsigned scopes = 0;
    json_take_array(in, "scopes", JSON_OPTIONAL, SCOPE_COUNT, &array);
    if (array == NULL)
        return may;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_element_text(array, i, "scopes", TEXT_MAX, in->problem);
        unsigned place = 0;
        while (text != NULL && place < SCOPE_COUNT && strcmp(scope_names[place], text) != 0)
            place++;
        if (text != NULL && place == SCOPE_COUNT)
            problem_set(in->problem, PROBLEM_MALFORMED, "\"scopes\" has read, send, work, admin");
        else
            scopes |= 1u << place;
    }
    if (in->problem->kind == PROBLEM_NONE && scopes == 0) {
        problem_set(in->problem, PROBLEM_MALFORMED, "\"scopes\" is empty: leave it out for all");
    } else if (in->problem->kind == PROBLEM_NONE && (scopes & ~may) != 0) {
        char missing[SCOPE_TEXT_SIZE];
        scope_to_text(scopes & ~may, missing);
        problem_set(in->problem, PROBLEM_FORBIDDEN,
                    "the token lacks the scope %s itself, so it makes none that has it", missing);
    }
    return scopes;
}

bool decode_token(const json_t *value, unsigned scopes, struct decode_room *room,
                  struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_token_command *token = &ret_command->token;
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_ADD_TOKEN;
    *token = (struct org_token_command){0};
    member_take_actor(&in, "actor", JSON_REQUIRED, &token->actor);
    member_take_line(&in, "label", JSON_OPTIONAL, 1, ORG_DISPLAY_LEN_MAX, &token->label);
    member_take_time(&in, "expires_at", JSON_OPTIONAL, &token->expires_at);
    scope_to_words(take_scopes(&in, scopes), room->scopes);
    token->scopes = room->scopes;
    return json_reader_end(&in);
}
