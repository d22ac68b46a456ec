/* SPDX-License-Identifier: MIT */
/* observe.c: reads the counters that workers write: relaxed loads, nothing is stopped for them. */
#include "core/system.h"

static void add(troupe_counters *sum, const struct worker_counters *counters)
{
    sum->actors_spawned += load_relaxed(&counters->actors_spawned);
    sum->actors_ended += load_relaxed(&counters->actors_ended);
    sum->actors_failed += load_relaxed(&counters->actors_failed);
    sum->restarts += load_relaxed(&counters->restarts);
    sum->sent += load_relaxed(&counters->sent);
    sum->handled += load_relaxed(&counters->handled);
    sum->refused += load_relaxed(&counters->refused);
    for (uint32_t i = 0; i < TROUPE_DEAD_COUNT; i++) {
        uint64_t count = load_relaxed(&counters->dead_letters_by[i]);
        sum->dead_letters_by[i] += count;
        sum->dead_letters += count;
    }
    sum->activations += load_relaxed(&counters->activations);
    sum->moved += load_relaxed(&counters->moved);
    sum->relieved += load_relaxed(&counters->relieved);
    sum->sleeps += load_relaxed(&counters->sleeps);
}

void troupe_system_counters(troupe_system *system, troupe_counters *ret_counters)
{
    uint32_t count = load_acquire(&system->worker_count_all);
    *ret_counters = (troupe_counters){0};
    for (uint32_t i = 0; i < count; i++)
        add(ret_counters, &system->workers[i]->counters);
    add(ret_counters, &system->outside->counters);
}

uint32_t troupe_worker_count(troupe_system *system)
{
    return load_acquire(&system->worker_count_all);
}

troupe_status troupe_worker_counters(troupe_system *system, uint32_t worker, troupe_worker_info *ret_info)
{
    struct worker *of = system->outside;
    if (worker != TROUPE_WORKER_OUTSIDE) {
        if (worker >= load_acquire(&system->worker_count_all))
            return TROUPE_NOT_FOUND;
        of = system->workers[worker];
    }
    uint64_t now_ns = env_now_ns(system->env);
    uint64_t asleep_ns = load_relaxed(&of->asleep_since_ns);
    *ret_info = (troupe_worker_info){
        .is_own_thread = of->is_pinned,
        .up_ns = now_ns - of->began_ns,
        .idle_ns = load_relaxed(&of->idle_ns),
    };
    if (asleep_ns != 0 && asleep_ns < now_ns)
        ret_info->idle_ns += now_ns - asleep_ns;
    if (ret_info->idle_ns > ret_info->up_ns) /* it rose between the two readings */
        ret_info->idle_ns = ret_info->up_ns;
    add(&ret_info->counters, &of->counters);
    return TROUPE_OK;
}

troupe_status troupe_actor_inspect(troupe_system *system, troupe_ref who, troupe_actor_info *ret_info)
{
    struct actor *actor = system_find(system, who);
    if (actor == NULL)
        return TROUPE_NO_ACTOR;
    uint64_t load = load_relaxed(&actor->load) + load_relaxed(&actor->arrived_load);
    troupe_actor_info info = {
        .behaviour = load_relaxed(&actor->behaviour)->name,
        .created = load_relaxed(&actor->created),
        .handled = load_relaxed(&actor->handled),
        .depth = (uint32_t)load,
        .bytes = (uint32_t)(load >> 32),
        .worker = load_relaxed(&actor->home),
    };
    if (system_find(system, who) == NULL) /* it ended meanwhile: what was read may be another's */
        return TROUPE_NO_ACTOR;
    *ret_info = info;
    return TROUPE_OK;
}
