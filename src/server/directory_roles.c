/* SPDX-License-Identifier: MIT */
/*
 * directory_roles.c: sees to it that every role of the organisation has an actor, and that each is set up as
 * the tree says. Part of the directory actor; nothing blocks.
 *
 *   made --supervisor--> reads its stream --role_load--> is_open --role_configure--> is_settled
 *                                                           ^                           |
 *                                                           +--- the tree changes ------+
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/array.h"
#include "server/directory_actor.h"
#include "server/role_actor.h"

#define CONFIGURE_TIMEOUT_MS 60000

static bool is_entry(const void *context, uint32_t index, const void *key)
{
    const struct directory_actor *directory = context;
    return strcmp(directory->entries[index]->name, key) == 0;
}

static uint64_t hash_of(const struct directory_actor *directory, const char *name)
{
    return hash_bytes(&directory->hash_key, name, strlen(name));
}

struct directory_entry *directory_entry_find(const struct directory_actor *directory, const char *name)
{
    uint32_t index = map_find(&directory->entry_map, hash_of(directory, name), is_entry, directory, name);
    return index != MAP_NONE ? directory->entries[index] : NULL;
}

/* After every change of an entry: is it settled now? */
static void recount(struct directory_entry *entry)
{
    bool is_settled = entry->is_open && !entry->needs_configure && !entry->is_configuring;
    if (is_settled && !entry->is_settled)
        entry->directory->unsettled--;
    else if (!is_settled && entry->is_settled)
        entry->directory->unsettled++;
    entry->is_settled = is_settled;
}

static struct directory_entry *entry_new(struct directory_actor *directory, const char *name)
{
    if (array_reserve(&directory->entries, &directory->entry_capacity, directory->entry_count + 1,
                      sizeof *directory->entries) != TROUPE_OK)
        return NULL;
    struct directory_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL || map_add(&directory->entry_map, hash_of(directory, name),
                                 (uint32_t)directory->entry_count) != TROUPE_OK) {
        free(entry);
        return NULL;
    }
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->directory = directory;
    directory->entries[directory->entry_count++] = entry;
    directory->unsettled++;
    return entry;
}

/*
 * The id of a role's child spec follows from its name, so that a directory that was started anew never makes
 * a second one.
 */
static void child_id(const char *name, char ret_id[TROUPE_CHILD_ID_LEN_MAX + 1])
{
    unsigned char hash[16];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)name, strlen(name), NULL, 0);
    memcpy(ret_id, "role-", 5);
    sodium_bin2hex(ret_id + 5, TROUPE_CHILD_ID_LEN_MAX + 1 - 5, hash, sizeof hash);
}

/* Makes the actor, unless one is there: then it says how loaded it is. */
static troupe_status start_actor(troupe_self *self, struct directory_actor *directory, const char *name)
{
    troupe_ref known = troupe_whereis(self, name);
    if (!troupe_ref_is_none(known))
        return troupe_send(self, known, role_report) == TROUPE_OK ? TROUPE_OK
                                                                  : directory_try_later(self, directory);
    char id[TROUPE_CHILD_ID_LEN_MAX + 1];
    struct role_actor initial = {.ids = directory->ids};
    snprintf(initial.name, sizeof initial.name, "%s", name);
    child_id(name, id);
    troupe_child_spec spec = {
        .id = id,
        .behaviour = &role_behaviour,
        .options = {.state = &initial,
                    .name = name,
                    .mailbox_len_max = ROLE_MAILBOX_LEN_MAX,
                    .mailbox_bytes_max = ROLE_MAILBOX_BYTES_MAX},
    };
    troupe_status status = troupe_supervisor_add(self, troupe_whereis(self, NAME_ROLES), &spec);
    return status == TROUPE_OK ? TROUPE_OK : troupe_fail(self, status, "a role's actor could not be made");
}

troupe_status directory_role_changed(troupe_self *self, struct directory_actor *directory, const char *name)
{
    struct directory_entry *entry = directory_entry_find(directory, name);
    bool is_new = entry == NULL;
    if (is_new)
        entry = entry_new(directory, name);
    if (entry == NULL)
        return troupe_fail(self, TROUPE_NO_MEMORY, "no memory for a role");
    if (!entry->needs_configure) {
        entry->needs_configure = true;
        directory->to_configure++;
    }
    recount(entry);
    directory->version++;
    return is_new ? start_actor(self, directory, entry->name) : TROUPE_OK;
}

/*
 * Before anybody has changed anything here, what is still to be set up is set up by the first actor of all.
 */
static void name_changer(struct directory_actor *directory)
{
    struct org_actor_view first;
    if (org_directory_actor_at(directory->org, 0, &first))
        snprintf(directory->changer, sizeof directory->changer, "%s", first.name);
}

troupe_status directory_roles_start(troupe_self *self, struct directory_actor *directory)
{
    name_changer(directory);
    troupe_status status = TROUPE_OK;
    const char *role = NULL;
    while (status == TROUPE_OK && (role = org_directory_next_role(directory->org, role)) != NULL)
        status = directory_role_changed(self, directory, role);
    struct org_actor_view actor;
    for (size_t i = 0; status == TROUPE_OK && org_directory_actor_at(directory->org, i, &actor); i++) {
        char personal[ORG_NAME_LEN_MAX + 1];
        org_name_personal(actor.name, personal);
        status = directory_role_changed(self, directory, personal);
    }
    return status;
}

troupe_status directory_role_loaded(troupe_self *self, struct directory_actor *directory,
                                    const troupe_message *message, const role_load *load)
{
    (void)self;
    struct directory_entry *entry = directory_entry_find(directory, troupe_text(message, load->role));
    if (entry == NULL)
        return TROUPE_OK;
    entry->ref = message->sender;
    entry->is_open = true;
    entry->is_unsound = !load->is_sound;
    entry->load = *load;
    snprintf(entry->holder, sizeof entry->holder, "%s", troupe_text(message, load->holder));
    snprintf(entry->reason, sizeof entry->reason, "%s", troupe_text(message, load->reason));
    if (entry->is_unsound && entry->needs_configure) {
        /*
         * It cannot be read, and will not be set up: whoever waits for all roles is told so instead of
         * waiting.
         */
        entry->needs_configure = false;
        directory->to_configure--;
    }
    recount(entry);
    directory->version++;
    return TROUPE_OK;
}

/* --- setting up ------------------------------------------------------------------------------- */

static troupe_status on_configured(troupe_self *self, troupe_status status, const troupe_message *reply,
                                   void *context)
{
    struct directory_entry *entry = context;
    struct directory_actor *directory = entry->directory;
    directory->configuring--;
    entry->is_configuring = false;
    const denied *no = status == TROUPE_OK ? denied_of(reply) : NULL;
    if (no != NULL) {
        entry->is_unsound = true;
        snprintf(entry->reason, sizeof entry->reason, "it cannot be set up: %s",
                 troupe_text(reply, no->detail));
        for (struct directory_task *task = directory->tasks; task != NULL; task = task->next) {
            if (task->problem.kind == PROBLEM_NONE)
                problem_set(&task->problem, PROBLEM_CONFLICT, "%s: %s", entry->name, entry->reason);
        }
    } else if (status != TROUPE_OK && !entry->needs_configure) {
        entry->needs_configure = true;
        directory->to_configure++;
        status = directory_try_later(self, directory);
        recount(entry);
        return status;
    }
    recount(entry);
    return TROUPE_OK;
}

static troupe_status configure(troupe_self *self, struct directory_actor *directory,
                               struct directory_entry *entry)
{
    const char *holders[ORG_SUCCESSION_MAX];
    struct org_configure configure;
    if (!org_directory_configure(directory->org, entry->name, holders, &configure))
        return TROUPE_NOT_FOUND;
    char lines[ORG_SUCCESSION_MAX * (ORG_ACTOR_NAME_LEN_MAX + 1) + 1];
    size_t size = 0;
    for (size_t i = 0; i < configure.holder_count; i++) {
        int written =
            snprintf(lines + size, sizeof lines - size, "%s%s", i > 0 ? "\n" : "", configure.holders[i]);
        size += (size_t)written;
    }
    lines[size] = '\0';
    role_configure_fields fields = {
        .bytes_max = configure.bytes_max,
        .lease_ms = configure.lease_ms,
        .ageing_ms = configure.ageing_ms,
        .actor = directory->changer,
        .supervisor = configure.supervisor,
        .holders = lines,
        .redirect_to = configure.redirect_to,
        .capacity = configure.capacity,
        .holder_kind = (uint8_t)configure.holder_kind,
        .overflow = (uint8_t)configure.overflow,
        .on_fail = (uint8_t)configure.on_fail,
        .on_lapse = (uint8_t)configure.on_lapse,
        .on_crash = (uint8_t)configure.on_crash,
    };
    randombytes_buf(fields.seed, sizeof fields.seed);
    return troupe_ask_fields(self, entry->ref, CONFIGURE_TIMEOUT_MS, on_configured, entry,
                             &role_configure_type, &fields);
}

troupe_status directory_configure_some(troupe_self *self, struct directory_actor *directory)
{
    if (directory->seq_durable < directory->seq)
        return TROUPE_OK; /* roles follow what is on the disk, never ahead of it */
    for (size_t seen = 0; directory->to_configure > 0 && directory->configuring < DIRECTORY_WINDOW &&
                          seen < directory->entry_count;
         seen++) {
        directory->configure_next %= directory->entry_count;
        struct directory_entry *entry = directory->entries[directory->configure_next++];
        if (!entry->needs_configure || !entry->is_open || entry->is_configuring)
            continue;
        if (configure(self, directory, entry) != TROUPE_OK)
            return directory_try_later(self, directory);
        entry->needs_configure = false;
        entry->is_configuring = true;
        directory->to_configure--;
        directory->configuring++;
        recount(entry);
    }
    return TROUPE_OK;
}

void directory_roles_done(struct directory_actor *directory)
{
    for (size_t i = 0; i < directory->entry_count; i++)
        free(directory->entries[i]);
    free(directory->entries);
    map_done(&directory->entry_map);
}
