/* SPDX-License-Identifier: MIT */
/*
 * directory_decode.c: the decoders of directory_decode.h. What a name or a number may be is the
 * organisation's to say; here only the kinds of members are checked, and that none is unknown.
 */
#include "server/directory_decode.h"

#include <stdio.h>
#include <string.h>

#include "server/json.h"
#include "server/role_words.h"

/* Beyond every limit of the organisation, which says itself what is too long. */
#define TEXT_MAX ((size_t)4096)

static const char *const kinds[] = {"person", "program"};

/* An array of texts. */
static size_t take_texts(struct json_reader *in, const char *name, enum json_presence presence,
                         const char **ret_texts, size_t limit)
{
    const json_t *array = NULL;
    json_take_array(in, name, presence, limit, &array);
    size_t count = array != NULL ? json_array_size(array) : 0;
    char where[64];
    snprintf(where, sizeof where, "%s%s", in->where, name);
    for (size_t i = 0; i < count; i++)
        ret_texts[i] = json_element_text(array, i, where, TEXT_MAX, in->problem);
    return count;
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
    json_take_text(&in, "name", JSON_REQUIRED, 1, TEXT_MAX, &actor->name);
    if (actor->name != NULL && org_directory_actor(directory, actor->name, &known)) {
        actor->display = known.display;
        actor->mail = known.mail[0] != '\0' ? known.mail : NULL;
        actor->team = decode_known_team(directory, &known);
        actor->is_administrator = known.is_administrator;
        wip_limit = known.wip_limit;
    }
    json_take_choice(&in, "kind", JSON_REQUIRED, kinds, 2, &kind);
    json_take_text(&in, "display", JSON_OPTIONAL, 1, TEXT_MAX, &actor->display);
    json_take_text(&in, "mail", JSON_OPTIONAL, 1, TEXT_MAX, &actor->mail);
    json_take_text(&in, "team", JSON_OPTIONAL, 1, TEXT_MAX, &actor->team);
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
    json_take_text(&in, "name", JSON_REQUIRED, 1, TEXT_MAX, &role->name);
    json_take_text(&in, "title", JSON_OPTIONAL, 1, TEXT_MAX, &role->title);
    json_take_text(&in, "parent", JSON_OPTIONAL, 1, TEXT_MAX, &role->parent);
    json_take_text(&in, "supervisor", JSON_OPTIONAL, 1, TEXT_MAX, &role->supervisor);
    json_take_flag(&in, "team", JSON_OPTIONAL, &role->is_team);
    role->holder_count = take_texts(&in, "holders", JSON_OPTIONAL, room->holders, ORG_SUCCESSION_MAX);
    role_words_take_bounds(&in, 1, role);
    role_words_take_rules(&in, 1, role);
    return json_reader_end(&in);
}

/* A text that is said anew; "" takes it away. */
static void take_again(struct json_reader *in, const char *name, const char **ret_text)
{
    json_take_text(in, name, JSON_OPTIONAL, 0, TEXT_MAX, ret_text);
    if (*ret_text != NULL && **ret_text == '\0')
        *ret_text = NULL;
}

bool decode_role_again(const struct org_directory *directory, const json_t *value, struct decode_room *room,
                       struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_set_role *role = &ret_command->role;
    const char *name = NULL;
    struct json_reader in = json_reader_of(value, "", problem);
    ret_command->kind = ORG_SET_ROLE;
    json_take_text(&in, "name", JSON_REQUIRED, 1, TEXT_MAX, &name);
    if (name == NULL)
        return false;
    if (!org_directory_role_as_set(directory, name, room->holders, role)) {
        problem_set(problem, PROBLEM_NOT_FOUND, "there is no role %s", name);
        return false;
    }
    take_again(&in, "title", &role->title);
    json_take_text(&in, "parent", JSON_OPTIONAL, 1, TEXT_MAX, &role->parent);
    take_again(&in, "supervisor", &role->supervisor);
    json_take_flag(&in, "team", JSON_OPTIONAL, &role->is_team);
    size_t holder_count = take_texts(&in, "holders", JSON_OPTIONAL, room->holders, ORG_SUCCESSION_MAX);
    if (json_is_array(json_object_get(value, "holders")))
        role->holder_count = holder_count;
    role_words_take_bounds(&in, 0, role);
    role_words_take_rules(&in, 0, role);
    return json_reader_end(&in);
}

bool decode_domain(const json_t *value, const char *where, struct decode_room *room,
                   struct org_directory_command *ret_command, struct problem *problem)
{
    struct org_claim_domain *claim = &ret_command->claim;
    const char *patterns[DECODE_PATTERNS_MAX];
    struct json_reader in = json_reader_of(value, where, problem);
    ret_command->kind = ORG_CLAIM_DOMAIN;
    ret_command->is_create = true;
    *claim = (struct org_claim_domain){.rules = room->rules};
    json_take_text(&in, "name", JSON_REQUIRED, 1, TEXT_MAX, &claim->name);
    json_take_text(&in, "title", JSON_OPTIONAL, 1, TEXT_MAX, &claim->title);
    json_take_text(&in, "owner", JSON_REQUIRED, 1, TEXT_MAX, &claim->owner);
    claim->rule_count = take_texts(&in, "patterns", JSON_REQUIRED, patterns, DECODE_PATTERNS_MAX);
    if (!json_reader_end(&in))
        return false;
    for (size_t i = 0; i < claim->rule_count; i++) {
        bool is_exclude = patterns[i][0] == '!';
        room->rules[i] = (struct org_rule){
            .kind = ORG_PATTERN_OWNERS, .is_exclude = is_exclude, .text = patterns[i] + (is_exclude ? 1 : 0)};
    }
    return true;
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
    json_take_text(&in, "actor", JSON_REQUIRED, 1, TEXT_MAX, &token->actor);
    json_take_text(&in, "label", JSON_OPTIONAL, 1, TEXT_MAX, &token->label);
    json_take_number(&in, "expires_at", JSON_OPTIONAL, 1, INT64_MAX, &token->expires_at);
    scope_to_words(take_scopes(&in, scopes), room->scopes);
    token->scopes = room->scopes;
    return json_reader_end(&in);
}
