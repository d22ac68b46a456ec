/* SPDX-License-Identifier: MIT */
/*
 * directory_roles.c: what is known of every role of the organisation, awake or asleep, and that each is set
 * up as the tree says. Part of the directory actor; nothing blocks.
 *
 *   is_asleep --directory_wake--> reads its stream --role_load--> is_open --role_configure--> is_settled
 *       ^                                                       ^  |                        |
 *       +------------------ role_load(is_asleep) ---------------|--+                        |
 *                                                               +--- the tree changes ------+
 */
#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/array.h"
#include "journal/writer.h"
#include "org/plant.h"
#include "server/directory_actor.h"
#include "server/role_summary.h"

#define CONFIGURE_TIMEOUT_MS 60000
#define SUMMARIES_TIMEOUT_MS 120000

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
    if (entry->is_open && !entry->needs_configure && !entry->is_configuring)
        entry->is_wanted = false; /* what was waited for is so */
    bool is_settled = !entry->is_wanted;
    if (is_settled && !entry->is_settled)
        entry->directory->unsettled--;
    else if (!is_settled && entry->is_settled)
        entry->directory->unsettled++;
    entry->is_settled = is_settled;
}

/* A role is to be set up: at once when it is open, else when it says that it is. */
static void list_configure(struct directory_actor *directory, struct directory_entry *entry)
{
    entry->needs_configure = true;
    if (entry->is_listed)
        return;
    entry->is_listed = true;
    entry->next_to_configure = NULL;
    if (directory->to_configure == NULL)
        directory->to_configure = entry;
    else
        directory->to_configure_last->next_to_configure = entry;
    directory->to_configure_last = entry;
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
    entry->is_settled = true;
    entry->number = directory->entry_count;
    heap_node_init(&entry->due_node);
    directory->entries[directory->entry_count++] = entry;
    return entry;
}

struct directory_entry *directory_entry_of(struct directory_actor *directory, const char *name)
{
    struct directory_entry *entry = directory_entry_find(directory, name);
    return entry != NULL ? entry : entry_new(directory, name);
}

/* Sees to it that there is an actor; one that is there already says how loaded it is. */
static troupe_status wake(troupe_self *self, struct directory_actor *directory, struct directory_entry *entry)
{
    troupe_ref known = troupe_whereis(self, entry->name);
    if (troupe_ref_is_none(known))
        return directory_wake(self, entry);
    return troupe_send(self, known, role_report) == TROUPE_OK ? TROUPE_OK
                                                              : directory_try_later(self, directory);
}

troupe_status directory_role_changed(troupe_self *self, struct directory_actor *directory, const char *name)
{
    struct directory_entry *entry = directory_entry_of(directory, name);
    if (entry == NULL)
        return troupe_fail(self, TROUPE_NO_MEMORY, "no memory for a role");
    list_configure(directory, entry);
    entry->is_wanted = true;
    recount(entry);
    directory->version++;
    return entry->is_open && !entry->is_asleep ? TROUPE_OK : wake(self, directory, entry);
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

/* An entry for a role that there was before this directory; it is set up again when it wakes. */
static troupe_status enter(troupe_self *self, struct directory_actor *directory, const char *name)
{
    struct directory_entry *entry = directory_entry_of(directory, name);
    if (entry == NULL)
        return troupe_fail(self, TROUPE_NO_MEMORY, "no memory for a role");
    entry->is_unproved = true;
    return TROUPE_OK;
}

/* When somebody has to be awake for it; SUMMARY_NEVER when nothing happens by itself. */
static int64_t due_of(const struct directory_entry *entry, int64_t now_ms)
{
    int64_t due = entry->load.due_at;
    if (entry->load.owed > 0 && due > now_ms + DIRECTORY_OWED_MS)
        due = now_ms + DIRECTORY_OWED_MS;
    return due;
}

troupe_status directory_note_due(struct directory_actor *directory, struct directory_entry *entry,
                                 int64_t due)
{
    heap_remove(&directory->due, &entry->due_node);
    if (due == SUMMARY_NEVER)
        return TROUPE_OK;
    troupe_status status = heap_reserve(&directory->due, 1);
    if (status == TROUPE_OK)
        heap_insert(&directory->due, &entry->due_node, due, entry->number);
    return status;
}

static void note_load(struct directory_entry *entry, const role_load *load)
{
    directory_notices_load(entry, load);
    entry->load = *load;
    entry->is_unsound = !load->is_sound;
    entry->is_barred = false;
    snprintf(entry->holder, sizeof entry->holder, "%s", troupe_flat_text(load, load->holder));
    snprintf(entry->reason, sizeof entry->reason, "%s", troupe_flat_text(load, load->reason));
}

/* One summary of the journal. What is not conserved is not believed, and the role is woken to say more. */
static troupe_status take_summary(troupe_self *self, struct directory_actor *directory, const char *stream,
                                  const void *bytes, size_t size)
{
    const role_load *load = role_summary_read(bytes, size);
    struct directory_entry *entry =
        strncmp(stream, "role/", 5) == 0 ? directory_entry_find(directory, stream + 5) : NULL;
    if (load == NULL || entry == NULL)
        return TROUPE_OK;
    struct org_counts counts = {
        .accepted = load->accepted,
        .queued = load->queued,
        .held = load->held,
        .parked = load->parked,
        .quarantined = load->quarantined,
        .done = load->done,
        .declined = load->declined,
        .forwarded = load->forwarded,
        .expired = load->expired,
        .shed = load->shed,
    };
    if (!org_counts_are_conserved(&counts))
        return TROUPE_OK;
    note_load(entry, load);
    ids_raise(directory->ids, load->last_id);
    entry->is_asleep = true;
    if (ORG_PLANTED(due_forgotten))
        return TROUPE_OK;
    return directory_note_due(directory, entry, due_of(entry, troupe_unix_ms(self)));
}

static troupe_status read_summaries(troupe_self *self, struct directory_actor *directory, uint64_t after);

/*
 * The summaries are in: whoever has none is woken, and so is who was awake under a directory before this one.
 */
static troupe_status wake_unknown(troupe_self *self, struct directory_actor *directory)
{
    troupe_status status = TROUPE_OK;
    for (size_t i = 0; i < directory->entry_count && status == TROUPE_OK; i++) {
        struct directory_entry *entry = directory->entries[i];
        if (entry->is_asleep && troupe_ref_is_none(troupe_whereis(self, entry->name)))
            continue;
        entry->is_asleep = false;
        status = directory_role_changed(self, directory, entry->name);
    }
    if (status == TROUPE_OK)
        status = directory_look_who_is_there(self, directory);
    if (status == TROUPE_OK)
        status = directory_notices_start(self, directory);
    directory->is_loaded = status == TROUPE_OK;
    return status;
}

static troupe_status on_summaries(troupe_self *self, troupe_status status, const troupe_message *reply,
                                  void *context)
{
    struct directory_actor *directory = context;
    const journal_summaries_are *are = status == TROUPE_OK ? journal_summaries_are_of(reply) : NULL;
    if (are == NULL || are->status != TROUPE_OK)
        return troupe_fail(self, are != NULL ? (troupe_status)are->status : TROUPE_UNEXPECTED,
                           "the summaries of the roles could not be read");
    troupe_bytes list = troupe_bytes_of(reply, are->list);
    const char *at = list.data;
    const char *end = at + list.size;
    while (at < end && status == TROUPE_OK) {
        const struct journal_summary_head *head = (const struct journal_summary_head *)(const void *)at;
        const char *name = at + sizeof *head;
        const char *bytes = name + (head->name_size + 7u) / 8 * 8;
        status = take_summary(self, directory, name, bytes, head->size);
        at = bytes + (head->size + 7u) / 8 * 8;
    }
    if (status != TROUPE_OK)
        return troupe_fail(self, status, "no memory for the summaries of the roles");
    return are->is_end ? wake_unknown(self, directory) : read_summaries(self, directory, are->next);
}

static troupe_status read_summaries(troupe_self *self, struct directory_actor *directory, uint64_t after)
{
    troupe_status status = troupe_ask(self, troupe_whereis(self, NAME_JOURNAL), SUMMARIES_TIMEOUT_MS,
                                      on_summaries, directory, journal_summaries_ask, .after = after);
    return status == TROUPE_OK ? TROUPE_OK : troupe_fail(self, status, "the journal cannot be reached");
}

troupe_status directory_roles_start(troupe_self *self, struct directory_actor *directory)
{
    name_changer(directory);
    troupe_status status = TROUPE_OK;
    const char *role = NULL;
    while (status == TROUPE_OK && (role = org_directory_next_role(directory->org, role)) != NULL)
        status = enter(self, directory, role);
    struct org_actor_view actor;
    for (size_t i = 0; status == TROUPE_OK && org_directory_actor_at(directory->org, i, &actor); i++) {
        char personal[ORG_NAME_LEN_MAX + 1];
        org_name_personal(actor.name, personal);
        status = enter(self, directory, personal);
    }
    return status == TROUPE_OK ? read_summaries(self, directory, 0) : status;
}

/* --- time ------------------------------------------------------------------------------------- */

void directory_wake_due(troupe_self *self, struct directory_actor *directory)
{
    int64_t now_ms = troupe_unix_ms(self);
    const struct heap_entry *first;
    directory->alarm = 0;
    while ((first = heap_first(&directory->due)) != NULL && first->key <= now_ms) {
        struct directory_entry *entry =
            (struct directory_entry *)((char *)first->node - offsetof(struct directory_entry, due_node));
        /* It says itself when the next moment is; should it fail before that, it is looked after again. */
        (void)!directory_note_due(directory, entry, now_ms + (DIRECTORY_OWED_MS << entry->looks));
        if (!troupe_ref_is_none(troupe_whereis(self, entry->name))) {
            entry->looks += entry->looks < DIRECTORY_LOOKS_DOUBLED_MAX;
            directory_woken(self, entry);
            continue;
        }
        entry->looks = 0;
        if (directory_wake(self, entry) != TROUPE_OK)
            return;
    }
}

troupe_status directory_set_alarm(troupe_self *self, struct directory_actor *directory)
{
    const struct heap_entry *first = heap_first(&directory->due);
    if (directory->alarm != 0) {
        if (first != NULL && first->key == directory->alarm_at)
            return TROUPE_OK;
        troupe_timer_cancel(self, directory->alarm);
        directory->alarm = 0;
    }
    if (first == NULL)
        return TROUPE_OK;
    int64_t wait = first->key - troupe_unix_ms(self);
    directory->alarm_at = first->key;
    return troupe_timer_start(self, ids_sleep_ms(directory->ids, wait), 0, DIRECTORY_TAG_ALARM,
                              &directory->alarm);
}

troupe_status directory_role_loaded(troupe_self *self, struct directory_actor *directory,
                                    const troupe_message *message, const role_load *load)
{
    struct directory_entry *entry = directory_entry_find(directory, troupe_text(message, load->role));
    if (entry == NULL)
        return TROUPE_OK;
    note_load(entry, load);
    entry->looks = 0;
    ids_raise(directory->ids, load->last_id);
    entry->ref = load->is_asleep ? troupe_ref_none() : message->sender;
    entry->is_asleep = load->is_asleep;
    entry->is_open = !load->is_asleep;
    if (load->is_asleep && !entry->is_waking)
        entry->team = NULL; /* it may be woken under another one */
    if (entry->is_open && (entry->is_unproved || entry->needs_configure))
        list_configure(directory, entry);
    entry->is_unproved = entry->is_unproved && !entry->is_open;
    if (entry->is_unsound && entry->needs_configure) {
        /*
         * It cannot be read, and will not be set up: whoever waits for all roles is told so instead of
         * waiting.
         */
        entry->needs_configure = false;
    }
    recount(entry);
    directory->version++;
    int64_t now_ms = troupe_unix_ms(self);
    if (entry->is_asleep && entry->is_wanted) /* it is just ending: what is said to it now is lost */
        return directory_note_due(directory, entry, now_ms + DIRECTORY_WAKE_AGAIN_MS);
    return directory_note_due(directory, entry, due_of(entry, now_ms));
}

/* --- those that fail -------------------------------------------------------------------------- */

void directory_role_restarted(troupe_self *self, struct directory_actor *directory, const char *role)
{
    struct directory_entry *entry = directory_entry_find(directory, role);
    if (entry == NULL)
        return;
    entry->restarts++;
    directory->version++;
    directory_woken(self, entry);
}

/*
 * Nothing can be done with it until then: whoever waits for all roles to be set up is not kept waiting for
 * this one. When its next actor is there it is set up in any case.
 */
troupe_status directory_role_barred(struct directory_actor *directory, const troupe_message *message,
                                    const role_barred *barred)
{
    struct directory_entry *entry = directory_entry_find(directory, troupe_text(message, barred->role));
    if (entry == NULL)
        return TROUPE_OK;
    entry->ref = message->sender;
    entry->is_barred = entry->is_unsound = entry->is_unproved = entry->is_open = true;
    entry->is_asleep = entry->needs_configure = false;
    snprintf(entry->reason, sizeof entry->reason, "%s", troupe_text(message, barred->reason));
    recount(entry);
    directory->version++;
    return directory_note_due(directory, entry, barred->until + DIRECTORY_WAKE_AGAIN_MS);
}

/* --- setting up ------------------------------------------------------------------------------- */

static troupe_status on_configured(troupe_self *self, troupe_status status, const troupe_message *reply,
                                   void *context)
{
    struct directory_entry *entry = context;
    struct directory_actor *directory = entry->directory;
    directory->configuring--;
    entry->is_configuring = false;
    if (entry->needs_configure) /* it was changed again meanwhile */
        list_configure(directory, entry);
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
        list_configure(directory, entry);
        status = directory_try_later(self, directory);
        recount(entry);
        return status;
    }
    recount(entry);
    return TROUPE_OK;
}

/* Those of the holders who are away now, one a line; there is room for all. */
static void list_absent(const struct directory_actor *directory, const struct org_configure *configure,
                        int64_t now_ms, char *ret_lines)
{
    size_t size = 0;
    ret_lines[0] = '\0';
    for (size_t i = 0; i < configure->holder_count; i++) {
        const char *holder = configure->holders[i];
        if (org_directory_is_present(directory->org, holder, now_ms))
            continue;
        size_t len = strlen(holder);
        if (size > 0)
            ret_lines[size++] = '\n';
        memcpy(ret_lines + size, holder, len + 1);
        size += len;
    }
}

/* What those who are away keep for themselves. TROUPE_NO_MEMORY. */
static troupe_status list_kept(const struct directory_actor *directory, const struct org_configure *configure,
                               int64_t now_ms, struct buffer *ret_lines)
{
    troupe_status status = buffer_terminate(ret_lines);
    for (size_t i = 0; i < configure->holder_count && status == TROUPE_OK; i++) {
        int64_t until;
        const char *ids = org_directory_kept(directory->org, configure->holders[i], now_ms, &until);
        while (*ids != '\0' && status == TROUPE_OK) {
            char line[64];
            int id_len = (int)strcspn(ids, "\n");
            int len = snprintf(line, sizeof line, "%.*s %" PRId64 "\n", id_len, ids, until);
            status = buffer_append(ret_lines, line, (size_t)len);
            ids += id_len + (ids[id_len] == '\n');
        }
    }
    return status == TROUPE_OK ? buffer_terminate(ret_lines) : status;
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
    char absent[sizeof lines];
    list_absent(directory, &configure, troupe_unix_ms(self), absent);
    struct buffer keeps = {0};
    troupe_status status = list_kept(directory, &configure, troupe_unix_ms(self), &keeps);
    role_configure_fields fields = {
        .bytes_max = configure.bytes_max,
        .lease_ms = configure.lease_ms,
        .ageing_ms = configure.ageing_ms,
        .actor = directory->changer,
        .supervisor = configure.supervisor,
        .holders = lines,
        .absent = absent,
        .keeps = (const char *)keeps.bytes,
        .redirect_to = configure.redirect_to,
        .capacity = configure.capacity,
        .holder_kind = (uint8_t)configure.holder_kind,
        .overflow = (uint8_t)configure.overflow,
        .on_fail = (uint8_t)configure.on_fail,
        .on_lapse = (uint8_t)configure.on_lapse,
        .on_crash = (uint8_t)configure.on_crash,
        .on_absent = (uint8_t)configure.on_absent,
        .on_overflow = (uint8_t)configure.on_overflow,
        .refusals_max = configure.refusals_max,
        .refusals_period_ms = configure.refusals_period_ms,
        .failures_max = configure.failures_max,
        .failures_period_ms = configure.failures_period_ms,
        .is_readable = configure.is_readable,
    };
    randombytes_buf(fields.seed, sizeof fields.seed);
    if (status == TROUPE_OK)
        status = troupe_ask_fields(self, entry->ref, CONFIGURE_TIMEOUT_MS, on_configured, entry,
                                   &role_configure_type, &fields);
    buffer_done(&keeps);
    return status;
}

troupe_status directory_configure_some(troupe_self *self, struct directory_actor *directory)
{
    if (directory->seq_durable < directory->seq)
        return TROUPE_OK; /* roles follow what is on the disk, never ahead of it */
    while (directory->to_configure != NULL && directory->configuring < DIRECTORY_WINDOW) {
        struct directory_entry *entry = directory->to_configure;
        bool can_be = entry->needs_configure && entry->is_open && !entry->is_asleep && !entry->is_configuring;
        if (can_be && troupe_ref_is_none(troupe_whereis(self, entry->name))) {
            /* Its actor has failed, and nobody has asked for it since: a new one says when it is open. */
            troupe_status status = wake(self, directory, entry);
            if (status != TROUPE_OK)
                return status;
            entry->is_open = false;
            can_be = false;
        }
        if (can_be && configure(self, directory, entry) != TROUPE_OK)
            return directory_try_later(self, directory);
        directory->to_configure = entry->next_to_configure;
        entry->is_listed = false;
        if (!can_be)
            continue; /* it comes again when it is open, or when it has answered */
        entry->needs_configure = false;
        entry->is_configuring = true;
        directory->configuring++;
        recount(entry);
    }
    return TROUPE_OK;
}

void directory_roles_done(troupe_self *self, struct directory_actor *directory)
{
    for (size_t i = 0; i < directory->entry_count; i++) {
        directory_wakers_done(self, directory->entries[i]);
        free(directory->entries[i]);
    }
    free(directory->entries);
    heap_done(&directory->due);
    map_done(&directory->entry_map);
}
