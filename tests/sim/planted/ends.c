/* SPDX-License-Identifier: MIT */
/*
 * ends.c: watchers spawn mortals with names and in a group, watch them, sometimes too late, and have them end
 * in every way there is.
 *
 * Oracles: down (each monitor is answered once), name (free once its holder's end has been told, and given to
 * the next), address (an old ref finds nobody), group (its members are those who live).
 */
#include "world.h"

#include <stdio.h>

enum {
    WATCHERS = 2,
    MORTALS = 4, /* of each watcher, at once */
    OLD_MAX = 8,
    LOOKS = 3, /* in other directions, each round */
    NAME_SIZE = 16,
};

/* How a mortal ends. */
enum mortal_end {
    END_EXIT = 0,
    END_FAIL,
    END_START, /* it never begins */
    END_SHUTDOWN,
    END_KILLED,
    END_COUNT,
};

#define MORTAL_FIELDS(F) F(u64, to) F(u32, how)
TROUPE_MESSAGE(planted_die, MORTAL_FIELDS)
TROUPE_MESSAGE_EMPTY(planted_live)
TROUPE_MESSAGE_EMPTY(planted_look_away)

struct mortal_state {
    uint32_t how;
};

struct charge {
    troupe_ref ref;
    uint64_t monitor; /* 0: not watched yet */
    uint32_t how;
    bool is_dying;
};

struct watcher {
    uint32_t index;
    struct charge charges[MORTALS];
    troupe_ref old[OLD_MAX];
    uint32_t old_count;
};

static troupe_ref watchers[WATCHERS];
static uint32_t living;  /* mortals that have begun and not ended */
static uint32_t awaited; /* ends that are watched and certain, and have not been told */
static uint32_t downs;

static troupe_status mortal_start(troupe_self *self)
{
    const struct mortal_state *mortal = troupe_state(self);
    if (mortal->how == END_START)
        return TROUPE_LIMIT;
    living++;
    return TROUPE_OK;
}

static void mortal_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    living--;
}

static troupe_status mortal_receive(troupe_self *self, const troupe_message *message)
{
    const planted_die *die = planted_die_of(message);
    if (die == NULL)
        return TROUPE_UNEXPECTED;
    MUST(die->to == troupe_self_ref(self).bits, "address", "a mortal has a message for another");
    if (die->how == END_FAIL)
        return TROUPE_IO;
    if (die->how == END_EXIT)
        troupe_exit(self);
    return TROUPE_OK;
}

static const troupe_behaviour mortal = {
    .name = "mortal",
    .state_size = sizeof(struct mortal_state),
    .start = mortal_start,
    .receive = mortal_receive,
    .stop = mortal_stop,
};

static void name_of(const struct watcher *watcher, uint32_t index, char *ret_name)
{
    snprintf(ret_name, NAME_SIZE, "mortal-%u-%u", watcher->index, index);
}

static void mortal_new(troupe_self *self, struct watcher *watcher, uint32_t index)
{
    struct charge *charge = &watcher->charges[index];
    char name[NAME_SIZE];
    name_of(watcher, index, name);
    const struct mortal_state state = {.how = draw_in(self, END_COUNT)};
    troupe_status status;
    charge->ref = troupe_spawn(
        self, &mortal,
        &(troupe_spawn_options){.state = &state, .name = name, .group = "mortals", .ret_status = &status});
    MUST(status == TROUPE_OK, "name", "the last holder of %s has ended, yet: %s", name,
         troupe_status_name(status));
    charge->how = state.how;
    charge->monitor = 0;
    charge->is_dying = state.how == END_START;
}

static void mortal_watch(troupe_self *self, struct charge *charge)
{
    if (troupe_monitor(self, charge->ref, &charge->monitor) == TROUPE_OK)
        awaited += charge->is_dying;
}

static void mortal_doom(troupe_self *self, struct charge *charge)
{
    charge->is_dying = true;
    awaited += charge->monitor != 0;
    if (charge->how == END_SHUTDOWN || charge->how == END_KILLED)
        troupe_shutdown(self, charge->ref, charge->how == END_KILLED ? TROUPE_KILLED : TROUPE_SHUTDOWN);
    else
        (void)troupe_send(self, charge->ref, planted_die, .to = charge->ref.bits, .how = charge->how);
}

/* Looks away from some that are about to end, to look again later: what is on its way must not be told. */
static void look_away(troupe_self *self, struct watcher *watcher)
{
    for (uint32_t i = 0; i < MORTALS; i++) {
        struct charge *charge = &watcher->charges[i];
        if (charge->monitor == 0 || !charge->is_dying || draw_in(self, 2) == 0)
            continue;
        troupe_demonitor(self, charge->monitor);
        charge->monitor = 0;
        awaited--;
    }
}

/* One thing to each charge: begin it, watch it, doom it, the latter two in any order. */
static void live(troupe_self *self, struct watcher *watcher)
{
    for (uint32_t i = 0; i < MORTALS; i++) {
        struct charge *charge = &watcher->charges[i];
        if (troupe_ref_is_none(charge->ref))
            mortal_new(self, watcher, i);
        else if (charge->monitor == 0 && (charge->is_dying || draw_in(self, 2) == 0))
            mortal_watch(self, charge);
        else if (!charge->is_dying)
            mortal_doom(self, charge);
    }
    for (uint32_t i = 0; i < watcher->old_count && i < OLD_MAX; i++) {
        troupe_ref old = watcher->old[i];
        troupe_status status = troupe_send(self, old, planted_die, .to = old.bits, .how = END_FAIL);
        MUST(status == TROUPE_NO_ACTOR, "address", "a send to who has ended says %s",
             troupe_status_name(status));
    }
}

static void down_came(troupe_self *self, struct watcher *watcher, const troupe_down *down)
{
    for (uint32_t i = 0; i < MORTALS; i++) {
        struct charge *charge = &watcher->charges[i];
        char name[NAME_SIZE];
        if (charge->monitor == 0 || charge->monitor != down->monitor)
            continue;
        MUST(troupe_ref_equal(down->who, charge->ref), "down", "of another than was watched");
        MUST(charge->is_dying, "down", "of one who lives");
        name_of(watcher, i, name);
        MUST(!troupe_ref_equal(troupe_whereis(self, name), charge->ref), "name",
             "%s is kept by who has ended", name);
        watcher->old[watcher->old_count++ % OLD_MAX] = charge->ref;
        *charge = (struct charge){0};
        downs++;
        awaited--;
        return;
    }
    MUST(false, "down", "a monitor is answered twice, or was never made");
}

static troupe_status watcher_receive(troupe_self *self, const troupe_message *message)
{
    struct watcher *watcher = troupe_state(self);
    if (troupe_down_of(message) != NULL)
        down_came(self, watcher, troupe_down_of(message));
    else if (planted_live_of(message) != NULL)
        live(self, watcher);
    else if (planted_look_away_of(message) != NULL)
        look_away(self, watcher);
    else
        return TROUPE_UNEXPECTED;
    return TROUPE_OK;
}

static const troupe_behaviour watcher_behaviour = {
    .name = "watcher", .state_size = sizeof(struct watcher), .receive = watcher_receive};

static void begin(void)
{
    living = awaited = downs = 0;
    for (uint32_t i = 0; i < WATCHERS; i++) {
        struct watcher state;
        memset(&state, 0, sizeof state);
        state.index = i;
        watchers[i] =
            troupe_spawn(world.system, &watcher_behaviour, &(troupe_spawn_options){.state = &state});
    }
}

static void act(uint32_t round)
{
    for (uint32_t i = 0; i < WATCHERS; i++)
        (void)troupe_send(world.system, watchers[i], planted_live);
    for (uint32_t n = 0; n < LOOKS && round < ROUNDS; n++) {
        troupe_sim_advance(world.system, draw(DELAY_MS));
        for (uint32_t i = 0; i < WATCHERS; i++)
            (void)troupe_send(world.system, watchers[i], planted_look_away);
    }
}

static void group_check(void)
{
    uint32_t size = troupe_group_size(world.system, "mortals");
    MUST(size == living, "group", "it has %u members, and %u live", size, living);
}

/* Three more rounds: begin, watch or doom, the other; then all that were begun before have ended. */
static void check(void)
{
    group_check();
    for (uint32_t i = 0; i < 3; i++) {
        act(ROUNDS);
        troupe_sim_advance(world.system, PROMPT_MS);
        group_check();
    }
    MUST(downs > 0 && awaited == 0, "down", "%u ends were told, %u were not", downs, awaited);
}

static void end(void)
{
    for (uint32_t i = 0; i < WATCHERS; i++)
        troupe_shutdown(world.system, watchers[i], TROUPE_SHUTDOWN);
    troupe_sim_advance(world.system, PROMPT_MS);
    for (uint32_t i = 0; i < WATCHERS; i++)
        for (uint32_t j = 0; j < MORTALS; j++) {
            char name[NAME_SIZE];
            const struct watcher watcher = {.index = i};
            name_of(&watcher, j, name);
            troupe_shutdown(world.system, troupe_whereis(world.system, name), TROUPE_KILLED);
        }
}

const struct scene scene_ends = {.name = "ends", .begin = begin, .act = act, .check = check, .end = end};
