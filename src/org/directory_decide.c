/* SPDX-License-Identifier: MIT */
/*
 * directory_decide.c: the rules of the organisation's tree, one function for each command: who may, what is
 * refused, and the record that says it. What would change nothing writes nothing.
 *
 * Place: between the directory's actor and the fold. directory.h says who may what. One thread.
 */
#include "base/buffer.h"
#include "org/directory_decision.h"
#include "org/text.h"

/* The succession as it is stored: names, one a line. */
enum { HOLDERS_LEN_MAX = ORG_SUCCESSION_MAX * (ORG_ACTOR_NAME_LEN_MAX + 1) };

/* --- who may -------------------------------------------------------------------------------------- */

/* Whose right counts. */
static const char *right_of(const struct directory_decision *d)
{
    return *d->via != '\0' ? d->via : d->by;
}

static bool is_by_administrator(const struct directory_decision *d)
{
    return org_directory_is_administrator(d->directory, right_of(d));
}

/* Whether something is written for a thing that is there: not when it was to be made. */
static bool may_change(struct directory_decision *d, enum directory_written written, const char *name)
{
    if (written == DIRECTORY_CHANGED && d->command->is_create)
        return directory_refuse(d, ORG_DIRECTORY_TAKEN, name);
    return written != DIRECTORY_NOT;
}

/* --- actors --------------------------------------------------------------------------------------- */

bool org_is_mail(const char *mail)
{
    const char *at = strchr(mail, '@');
    return at != NULL && at != mail && at[1] != '\0' && strpbrk(mail, " \t") == NULL;
}

static bool check_actor(struct directory_decision *d, const struct org_set_actor *set, uint32_t known)
{
    const struct org_directory *directory = d->directory;
    const char *mail = directory_text(set->mail);
    if (!directory_check_line(d, set->display, ORG_DISPLAY_LEN_MAX) ||
        !directory_check_line(d, mail, ORG_MAIL_LEN_MAX))
        return false;
    if (*mail != '\0' && !org_is_mail(mail))
        return directory_refuse(d, ORG_DIRECTORY_BAD_TEXT, mail);
    uint32_t owner = *mail == '\0' ? MAP_NONE : directory_find_mail(directory, mail);
    if (owner != MAP_NONE && owner != known) {
        d->answer->reason = actor_name(&directory->actors[owner]);
        return directory_refuse(d, ORG_DIRECTORY_MAIL_TAKEN, mail);
    }
    if (set->team != NULL && directory_find_role(directory, set->team) == MAP_NONE)
        return directory_refuse(d, ORG_DIRECTORY_NO_ROLE, set->team);
    if ((unsigned)set->kind > ORG_PROGRAM || set->wip_limit > ORG_WIP_LIMIT_MAX)
        return directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, NULL);
    if (known == MAP_NONE && directory->actor_count >= ORG_ACTORS_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, NULL);
    if (directory->administrator_count <= 1 && !set->is_administrator && known != MAP_NONE &&
        directory->actors[known].set->is_administrator)
        return directory_refuse(d, ORG_DIRECTORY_LAST_ADMINISTRATOR, set->name);
    return true;
}

static void decide_actor(struct directory_decision *d)
{
    const struct org_set_actor *set = &d->command->actor;
    const char *name = directory_text(set->name);
    if (!org_name_is_actor(name)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_NAME, set->name);
        return;
    }
    uint32_t known = directory_find_actor(d->directory, name);
    if (!check_actor(d, set, known))
        return;
    org_actor_set_fields fields = {
        .at = d->now_ms,
        .by = d->by,
        .via = d->via,
        .name = name,
        .display = set->display == NULL || *set->display == '\0' ? name : set->display,
        .mail = directory_text(set->mail),
        .team = directory_text(set->team),
        .wip_limit = set->wip_limit == 0 ? ORG_WIP_LIMIT_DEFAULT : set->wip_limit,
        .kind = (uint8_t)set->kind,
        .is_administrator = set->is_administrator,
    };
    const void *old = known == MAP_NONE ? NULL : d->directory->actors[known].set;
    (void)may_change(d, directory_write(d, &org_actor_set_type, &fields, old), name);
}

/* --- roles ---------------------------------------------------------------------------------------- */

/* Writes the succession to `ret_text`, of HOLDERS_LEN_MAX + 1 bytes. */
static bool join_holders(struct directory_decision *d, const char *const *holders, size_t count,
                         char *ret_text)
{
    size_t at = 0;
    if (count > ORG_SUCCESSION_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *name = directory_text(holders[i]);
        if (directory_find_actor(d->directory, name) == MAP_NONE)
            return directory_refuse(d, ORG_DIRECTORY_NO_ACTOR, holders[i]);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(holders[j], name) == 0)
                return directory_refuse(d, ORG_DIRECTORY_HOLDER_TWICE, name);
        }
        size_t len = strlen(name);
        if (i > 0)
            ret_text[at++] = '\n';
        memcpy(ret_text + at, name, len);
        at += len;
    }
    ret_text[at] = '\0';
    return true;
}

/* Its own values, without its succession and its place. */
static struct org_configure configure_of(const struct org_set_role *set)
{
    return (struct org_configure){
        .capacity = set->capacity,
        .bytes_max = set->bytes_max,
        .lease_ms = set->lease_ms,
        .ageing_ms = set->ageing_ms,
        .overflow = set->overflow,
        .redirect_to = set->redirect_to,
        .on_fail = set->on_fail,
        .on_lapse = set->on_lapse,
        .on_crash = set->on_crash,
        .on_absent = set->on_absent,
        .on_overflow = set->on_overflow,
        .refusals_max = set->refusals_max,
        .refusals_period_ms = set->refusals_period_ms,
        .failures_max = set->failures_max,
        .failures_period_ms = set->failures_period_ms,
        .is_readable = set->is_readable,
    };
}

static bool check_role_values(struct directory_decision *d, const struct org_set_role *set)
{
    const struct org_configure configure = configure_of(set);
    const char *redirect_to = directory_text(set->redirect_to);
    if (!org_configure_is_valid(set->name, &configure))
        return directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, set->name);
    if (*redirect_to != '\0' && !directory_has_address(d->directory, redirect_to))
        return directory_refuse(d, ORG_DIRECTORY_NO_ROLE, redirect_to);
    if (!org_failure_rules_are_valid(directory_text(set->failure_rules)))
        return directory_refuse(d, ORG_DIRECTORY_BAD_RULES, set->name);
    return directory_check_line(d, set->title, ORG_DISPLAY_LEN_MAX);
}

/* What stands beside the role itself; nothing is written while all of it is as it is without. */
static enum directory_written write_rules(struct directory_decision *d, const struct org_set_role *set,
                                          const org_role_ruled *old)
{
    org_role_ruled_fields fields = {
        .at = d->now_ms,
        .refusals_period_ms = set->refusals_period_ms,
        .failures_period_ms = set->failures_period_ms,
        .by = d->by,
        .via = d->via,
        .name = set->name,
        .refusals_max = set->refusals_max,
        .failures_max = set->failures_max,
        .on_absent = (uint8_t)set->on_absent,
        .on_overflow = (uint8_t)set->on_overflow,
        .is_readable = set->is_readable,
    };
    bool is_default = set->refusals_period_ms == 0 && set->failures_period_ms == 0 &&
                      set->refusals_max == 0 && set->failures_max == 0 && set->on_absent == 0 &&
                      set->on_overflow == 0 && !set->is_readable;
    if (old == NULL && is_default)
        return DIRECTORY_SAME;
    enum directory_written written = directory_write(d, &org_role_ruled_type, &fields, old);
    return written == DIRECTORY_MADE ? DIRECTORY_CHANGED : written;
}

/* The same of what it does about the failures of those it supervises. */
static enum directory_written write_failure_rules(struct directory_decision *d,
                                                  const struct org_set_role *set,
                                                  const org_failure_rules_set *old)
{
    org_failure_rules_set_fields fields = {.at = d->now_ms,
                                           .by = d->by,
                                           .via = d->via,
                                           .name = set->name,
                                           .rules = directory_text(set->failure_rules)};
    if (old == NULL && *fields.rules == '\0')
        return DIRECTORY_SAME;
    enum directory_written written = directory_write(d, &org_failure_rules_set_type, &fields, old);
    return written == DIRECTORY_MADE ? DIRECTORY_CHANGED : written;
}

/* A place in the tree: `ret_parent` is the parent's name, "" for the root. */
static bool check_role_place(struct directory_decision *d, const struct org_set_role *set, uint32_t known,
                             const char **ret_parent)
{
    const struct org_directory *directory = d->directory;
    const char *supervisor = directory_text(set->supervisor);
    uint32_t parent = MAP_NONE;
    uint32_t above = MAP_NONE;
    bool is_root = directory->role_count == 0 || known == 0;
    *ret_parent = "";
    if (is_root && (set->parent != NULL || *supervisor != '\0'))
        return directory_refuse(d, ORG_DIRECTORY_NO_ROOT, set->parent);
    if (is_root)
        return true;
    *ret_parent = set->parent == NULL ? org_directory_root(directory) : set->parent;
    parent = directory_find_role(directory, *ret_parent);
    if (parent == MAP_NONE)
        return directory_refuse(
            d, strcmp(*ret_parent, set->name) == 0 ? ORG_DIRECTORY_CYCLE : ORG_DIRECTORY_NO_ROLE,
            *ret_parent);
    if (*supervisor != '\0' && (above = directory_find_role(directory, supervisor)) == MAP_NONE)
        return directory_refuse(
            d, strcmp(supervisor, set->name) == 0 ? ORG_DIRECTORY_CYCLE : ORG_DIRECTORY_NO_ROLE, supervisor);
    switch (directory_chains_fit(directory, known, parent, above)) {
    case DIRECTORY_CHAINS_CYCLE:
        return directory_refuse(d, ORG_DIRECTORY_CYCLE, set->name);
    case DIRECTORY_CHAINS_DEEP:
        return directory_refuse(d, ORG_DIRECTORY_DEPTH, set->name);
    default:
        return true;
    }
}

static void decide_role(struct directory_decision *d)
{
    const struct org_set_role *set = &d->command->role;
    char holders[HOLDERS_LEN_MAX + 1];
    const char *parent;
    if (set->name == NULL || !org_name_is_role(set->name)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_NAME, set->name);
        return;
    }
    uint32_t known = directory_find_role(d->directory, set->name);
    if (known == MAP_NONE && d->directory->role_count >= ORG_ROLES_MAX) {
        directory_refuse(d, ORG_DIRECTORY_TOO_MANY, NULL);
        return;
    }
    if (!check_role_values(d, set) || !check_role_place(d, set, known, &parent) ||
        !join_holders(d, set->holders, set->holder_count, holders))
        return;
    org_role_set_fields fields = {
        .at = d->now_ms,
        .bytes_max = set->bytes_max,
        .lease_ms = set->lease_ms,
        .ageing_ms = set->ageing_ms,
        .by = d->by,
        .via = d->via,
        .name = set->name,
        .title = directory_text(set->title),
        .parent = parent,
        .supervisor = directory_text(set->supervisor),
        .holders = holders,
        .redirect_to = directory_text(set->redirect_to),
        .capacity = set->capacity,
        .overflow = (uint8_t)set->overflow,
        .on_fail = (uint8_t)set->on_fail,
        .on_lapse = (uint8_t)set->on_lapse,
        .on_crash = (uint8_t)set->on_crash,
        .is_team = set->is_team,
    };
    const struct directory_role *old = known == MAP_NONE ? NULL : &d->directory->roles[known];
    enum directory_written written =
        directory_write(d, &org_role_set_type, &fields, old != NULL ? old->set : NULL);
    if (!may_change(d, written, set->name))
        return;
    enum directory_written ruled = write_rules(d, set, old != NULL ? role_rules(old) : NULL);
    if (written != DIRECTORY_MADE && !may_change(d, ruled, set->name))
        return;
    ruled = write_failure_rules(d, set, old != NULL ? role_failure_rules(old) : NULL);
    if (written != DIRECTORY_MADE)
        (void)may_change(d, ruled, set->name);
}

org_role_set_fields directory_role_fields(const struct directory_role *role)
{
    const org_role_set *set = role->set;
    return (org_role_set_fields){
        .bytes_max = set->bytes_max,
        .lease_ms = set->lease_ms,
        .ageing_ms = set->ageing_ms,
        .name = role_text(role, set->name),
        .title = role_text(role, set->title),
        .parent = role_text(role, set->parent),
        .supervisor = role_text(role, set->supervisor),
        .holders = role_text(role, set->holders),
        .redirect_to = role_text(role, set->redirect_to),
        .capacity = set->capacity,
        .overflow = set->overflow,
        .on_fail = set->on_fail,
        .on_lapse = set->on_lapse,
        .on_crash = set->on_crash,
        .is_team = set->is_team,
    };
}

static void decide_holders(struct directory_decision *d)
{
    const struct org_set_holders *set = &d->command->holders;
    char holders[HOLDERS_LEN_MAX + 1];
    uint32_t known = directory_find_role(d->directory, directory_text(set->role));
    if (known == MAP_NONE) {
        directory_refuse(d, ORG_DIRECTORY_NO_ROLE, set->role);
        return;
    }
    if (!join_holders(d, set->holders, set->holder_count, holders))
        return;
    org_role_set_fields fields = directory_role_fields(&d->directory->roles[known]);
    fields.at = d->now_ms;
    fields.by = d->by;
    fields.via = d->via;
    fields.holders = holders;
    (void)directory_write(d, &org_role_set_type, &fields, d->directory->roles[known].set);
}

/* --- domains -------------------------------------------------------------------------------------- */

static bool check_claim(struct directory_decision *d, const struct org_claim_domain *claim, uint32_t known)
{
    if (claim->owner == NULL || !directory_has_address(d->directory, claim->owner))
        return directory_refuse(d, ORG_DIRECTORY_NO_ROLE, claim->owner);
    if (known != MAP_NONE && strcmp(d->directory->domains[known].owner, claim->owner) != 0) {
        d->answer->reason = d->directory->domains[known].owner;
        return directory_refuse(d, ORG_DIRECTORY_OWNED, claim->name);
    }
    if (known == MAP_NONE && d->directory->domain_count >= ORG_DOMAINS_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, NULL);
    if (claim->rule_count > ORG_DOMAIN_PATTERNS_MAX)
        return directory_refuse(d, ORG_DIRECTORY_TOO_MANY, claim->name);
    for (size_t i = 0; i < claim->rule_count; i++) {
        if (!directory_check_rule(d, &claim->rules[i]))
            return false;
    }
    return directory_check_line(d, claim->title, ORG_DISPLAY_LEN_MAX) &&
           directory_check_lines(d, claim->note, ORG_NOTE_LEN_MAX);
}

static void decide_claim(struct directory_decision *d)
{
    const struct org_claim_domain *claim = &d->command->claim;
    struct buffer patterns = {0};
    if (claim->name == NULL || !org_name_is_role(claim->name)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_NAME, claim->name);
        return;
    }
    uint32_t known = directory_find_domain(d->directory, claim->name);
    if (!check_claim(d, claim, known))
        return;
    for (size_t i = 0; i < claim->rule_count && d->status == TROUPE_OK; i++)
        d->status = directory_add_rule(&patterns, &claim->rules[i]);
    org_domain_set_fields fields = {
        .at = d->now_ms,
        .by = d->by,
        .via = d->via,
        .name = claim->name,
        .title = directory_text(claim->title),
        .owner = claim->owner,
        .note = directory_text(claim->note),
        .patterns = directory_text((const char *)patterns.bytes),
    };
    enum directory_written written = DIRECTORY_NOT;
    if (d->status == TROUPE_OK)
        written = directory_write(d, &org_domain_set_type, &fields,
                                  known == MAP_NONE ? NULL : d->directory->domains[known].set);
    (void)may_change(d, written, claim->name);
    buffer_done(&patterns);
}

/* Whether the actor holds the domain's owner, or what supervises that. */
static bool is_by_owner(const struct directory_decision *d, uint32_t domain)
{
    const struct org_directory *directory = d->directory;
    const char *owner = directory->domains[domain].owner;
    struct org_directory_role role;
    return directory_is_holder(directory, owner, right_of(d)) ||
           (org_directory_role(directory, owner, &role) && *role.supervisor != '\0' &&
            directory_is_holder(directory, role.supervisor, right_of(d)));
}

static void decide_transfer(struct directory_decision *d)
{
    const struct org_transfer_domain *transfer = &d->command->transfer;
    uint32_t known = directory_find_domain(d->directory, directory_text(transfer->name));
    if (known == MAP_NONE) {
        directory_refuse(d, ORG_DIRECTORY_NO_DOMAIN, transfer->name);
        return;
    }
    const char *owner = d->directory->domains[known].owner;
    if (!is_by_administrator(d) && !is_by_owner(d, known)) {
        d->answer->reason = owner;
        directory_refuse(d, ORG_DIRECTORY_NOT_OWNER, transfer->name);
        return;
    }
    if (transfer->owner == NULL || !directory_has_address(d->directory, transfer->owner)) {
        directory_refuse(d, ORG_DIRECTORY_NO_ROLE, transfer->owner);
        return;
    }
    if (strcmp(owner, transfer->owner) == 0)
        return;
    org_domain_transferred_fields fields = {
        .at = d->now_ms, .by = d->by, .via = d->via, .name = transfer->name, .owner = transfer->owner};
    (void)directory_write(d, &org_domain_transferred_type, &fields, NULL);
}

/* --- tokens --------------------------------------------------------------------------------------- */

static void decide_add_token(struct directory_decision *d)
{
    const struct org_token_command *token = &d->command->token;
    org_token_added_fields fields = {
        .at = d->now_ms,
        .expires_at = token->expires_at,
        .by = d->by,
        .via = d->via,
        .actor = directory_text(token->actor),
        .scopes = directory_text(token->scopes),
        .label = directory_text(token->label),
    };
    memcpy(fields.hash, token->hash, sizeof(fields.hash));
    if (directory_find_actor(d->directory, fields.actor) == MAP_NONE) {
        directory_refuse(d, ORG_DIRECTORY_NO_ACTOR, token->actor);
        return;
    }
    if (token->expires_at < 0 || (token->expires_at != 0 && token->expires_at <= d->now_ms)) {
        directory_refuse(d, ORG_DIRECTORY_BAD_VALUE, NULL);
        return;
    }
    if (!directory_check_line(d, token->scopes, ORG_DISPLAY_LEN_MAX) ||
        !directory_check_line(d, token->label, ORG_DISPLAY_LEN_MAX))
        return;
    uint32_t known = directory_find_token(d->directory, token->hash);
    if (known == MAP_NONE && d->directory->token_count >= ORG_TOKENS_MAX) {
        directory_refuse(d, ORG_DIRECTORY_TOO_MANY, NULL);
        return;
    }
    const struct directory_token *old = known == MAP_NONE ? NULL : &d->directory->tokens[known];
    enum directory_written written =
        directory_write(d, &org_token_added_type, &fields, old == NULL ? NULL : old->added);
    if (written == DIRECTORY_CHANGED || (written == DIRECTORY_SAME && old->is_revoked))
        directory_refuse(d, ORG_DIRECTORY_TOKEN_TAKEN, NULL);
}

static void decide_revoke_token(struct directory_decision *d)
{
    const struct org_token_command *token = &d->command->token;
    uint32_t known = directory_find_token(d->directory, token->hash);
    if (known == MAP_NONE) {
        directory_refuse(d, ORG_DIRECTORY_NO_TOKEN, NULL);
        return;
    }
    const struct directory_token *meant = &d->directory->tokens[known];
    const char *owner = troupe_flat_text(meant->added, meant->added->actor);
    if (!is_by_administrator(d) && strcmp(owner, right_of(d)) != 0) {
        directory_refuse(d, ORG_DIRECTORY_FORBIDDEN, right_of(d));
        return;
    }
    if (meant->is_revoked)
        return;
    org_token_revoked_fields fields = {.at = d->now_ms, .by = d->by, .via = d->via};
    memcpy(fields.hash, token->hash, sizeof(fields.hash));
    (void)directory_write(d, &org_token_revoked_type, &fields, NULL);
}

/* --- a command ------------------------------------------------------------------------------------ */

static const struct rule {
    void (*decide)(struct directory_decision *d);
    bool is_for_administrators;
} rules[] = {
    [ORG_SET_ACTOR] = {decide_actor, true},
    [ORG_SET_ROLE] = {decide_role, true},
    [ORG_SET_HOLDERS] = {decide_holders, true},
    [ORG_CLAIM_DOMAIN] = {decide_claim, true},
    [ORG_TRANSFER_DOMAIN] = {decide_transfer, false},
    [ORG_ADD_TOKEN] = {decide_add_token, true},
    [ORG_REVOKE_TOKEN] = {decide_revoke_token, false},
    [ORG_SET_CALENDAR] = {directory_decide_calendar, false},
    [ORG_SET_PRESENCE] = {directory_decide_presence, false},
    [ORG_SET_NOTICES] = {directory_decide_notices, false},
    [ORG_NOTICE] = {directory_decide_notice, false},
    [ORG_LEAVE] = {directory_decide_leave, true},
    [ORG_IMPORT_ABSENCES] = {directory_decide_import_absences, false},
    [ORG_IMPORT_MAINTAINERS] = {directory_decide_import, true},
};

/* The first command of all: somebody makes the first administrator. */
static bool is_first(const struct directory_decision *d)
{
    return d->directory->actor_count == 0 && d->command->kind == ORG_SET_ACTOR &&
           d->command->actor.is_administrator;
}

static void apply_rule(struct directory_decision *d)
{
    const struct rule *rule = &rules[d->command->kind];
    if (!org_name_is_actor(d->by))
        directory_refuse(d, ORG_DIRECTORY_BAD_NAME, d->command->who.actor);
    else if (*d->via != '\0' && !org_name_is_actor(d->via))
        directory_refuse(d, ORG_DIRECTORY_BAD_NAME, d->via);
    else if (rule->is_for_administrators && !is_by_administrator(d) && !is_first(d))
        directory_refuse(d, ORG_DIRECTORY_FORBIDDEN, right_of(d));
    else
        rule->decide(d);
}

troupe_status org_directory_decide(struct org_directory *directory,
                                   const struct org_directory_command *command, int64_t now_ms,
                                   struct record_batch *batch, struct org_directory_answer *ret_answer)
{
    struct org_directory_answer answer = {0};
    uint32_t count = batch->count;
    size_t size = batch->bytes.size;
    struct directory_decision d = {
        .directory = directory,
        .command = command,
        .by = directory_text(command->who.actor),
        .via = directory_text(command->who.via),
        .now_ms = now_ms,
        .batch = batch,
        .answer = &answer,
        .status = TROUPE_OK,
    };
    ASSERT((size_t)command->kind < sizeof(rules) / sizeof(rules[0]));
    directory_drop_reserved(directory);
    apply_rule(&d);
    if (d.status == TROUPE_OK && !answer.is_refused && batch->count > count) {
        struct record_cursor cursor = record_cursor_of(batch);
        cursor.offset = size;
        d.status = directory_reserve(directory, cursor);
    }
    if (d.status != TROUPE_OK || answer.is_refused)
        record_batch_truncate(batch, count, size);
    if (d.status != TROUPE_OK)
        return d.status;
    answer.is_duplicate = !answer.is_refused && batch->count == count;
    *ret_answer = answer;
    return TROUPE_OK;
}
