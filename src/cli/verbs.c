/* SPDX-License-Identifier: MIT */
/*
 * verbs.c: the table of verbs. A new verb is a new file and one entry here; `troupe help` and main read this
 * table only.
 */
#include <stddef.h>
#include <string.h>

#include "cli/cli.h"

const struct cli_verb *const cli_verbs[] = {
    &verb_serve,  &verb_send,   &verb_next,    &verb_done,   &verb_decline, &verb_forward,  &verb_defer,
    &verb_fail,   &verb_renew,  &verb_resolve, &verb_work,   &verb_webhook, &verb_inbox,    &verb_notices,
    &verb_search, &verb_owner,  &verb_tree,    &verb_role,   &verb_health,  &verb_away,     &verb_back,
    &verb_note,   &verb_give,   &verb_rules,   &verb_settle, &verb_import,  &verb_calendar, &verb_replay,
    &verb_backup, &verb_verify, &verb_rebuild, &verb_export, &verb_restore, &verb_help,     NULL,
};

const struct cli_verb *cli_find_verb(const char *name)
{
    for (size_t i = 0; cli_verbs[i] != NULL; i++)
        if (strcmp(cli_verbs[i]->name, name) == 0)
            return cli_verbs[i];
    return NULL;
}
