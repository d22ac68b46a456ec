/* SPDX-License-Identifier: MIT */
/*
 * supervision.c: the tree of supervision.h. Called from the main thread before the server serves; what it
 * starts runs on the workers.
 */
#include "server/supervision.h"

#include "journal/writer.h"
#include "server/directory_actor.h"
#include "server/messages.h"

/* How long one of them may take to start: none waits for anybody then. */
#define START_TIMEOUT_MS 60000

const troupe_supervisor_spec supervision_team = {
    .strategy = TROUPE_ONE_FOR_ONE,
    .intensity = TEAM_INTENSITY,
    .period_ms = TEAM_PERIOD_MS,
    .backoff_min_ms = TEAM_BACKOFF_MIN_MS,
    .backoff_max_ms = TEAM_BACKOFF_MAX_MS,
    .auto_shutdown = TROUPE_AUTO_SHUTDOWN_ALL,
};

static const troupe_supervisor_spec teams = {
    .name = NAME_TEAMS,
    .strategy = TROUPE_ONE_FOR_ONE,
    .intensity = TEAMS_INTENSITY,
    .period_ms = TEAMS_PERIOD_MS,
};

static const troupe_supervisor_spec desks = {
    .name = NAME_DESKS,
    .strategy = TROUPE_ONE_FOR_ONE,
    .intensity = DESKS_INTENSITY,
    .period_ms = DESKS_PERIOD_MS,
    .backoff_min_ms = DESKS_BACKOFF_MIN_MS,
    .backoff_max_ms = DESKS_BACKOFF_MAX_MS,
};

static const troupe_child_spec first_of_top[] = {{.id = "teams", .supervisor = &teams},
                                                 {.id = "desks", .supervisor = &desks}};

static const troupe_supervisor_spec top = {
    .name = NAME_TOP,
    .strategy = TROUPE_REST_FOR_ONE,
    .intensity = 10,
    .period_ms = 60000,
    .backoff_min_ms = 20,
    .children = first_of_top,
    .child_count = sizeof first_of_top / sizeof first_of_top[0],
};

static const troupe_supervisor_spec root = {
    .name = NAME_SERVER,
    .strategy = TROUPE_ONE_FOR_ONE,
    .intensity_none = true,
};

static troupe_status start(troupe_system *system, troupe_ref supervisor, const troupe_child_spec *child)
{
    troupe_ref who;
    return troupe_call_start_child(system, supervisor, child, START_TIMEOUT_MS, &who);
}

troupe_status supervision_add(troupe_system *system, const troupe_child_spec *child)
{
    return start(system, troupe_whereis(system, NAME_TOP), child);
}

troupe_status supervision_start(troupe_system *system, struct journal *journal, struct ids *ids,
                                troupe_ref *ret_root)
{
    struct journal_writer_state writer = {.journal = journal};
    struct directory_actor directory = {.ids = ids};
    troupe_child_spec writer_spec = {
        .id = "journal", .behaviour = &journal_writer, .options = journal_writer_options(&writer)};
    troupe_child_spec directory_spec = {.id = "directory",
                                        .behaviour = &directory_behaviour,
                                        .options = {.state = &directory,
                                                    .name = NAME_DIRECTORY,
                                                    .mailbox_len_max = DIRECTORY_MAILBOX_LEN_MAX,
                                                    .mailbox_bytes_max = DIRECTORY_MAILBOX_BYTES_MAX}};
    troupe_status status;
    writer_spec.options.name = NAME_JOURNAL;
    *ret_root = troupe_supervisor_start(system, &root, &status);
    if (status == TROUPE_OK)
        status = start(system, *ret_root, &writer_spec);
    if (status == TROUPE_OK)
        status = start(system, *ret_root, &(troupe_child_spec){.id = "top", .supervisor = &top});
    if (status == TROUPE_OK)
        status = supervision_add(system, &directory_spec);
    return status;
}
