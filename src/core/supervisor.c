/* SPDX-License-Identifier: MIT */
/*
 * supervisor.c: the rules of OTP's supervisor (stdlib, supervisor(3)), as an actor. It watches each child
 * with a monitor and acts on five things: a child has started, a child has ended, a timer, a shutdown
 * request, and what others ask of it (supervisor_requests.c).
 *
 * Starting and stopping go in sequence, one child at a time, by two agendas: stop the youngest that is to be
 * stopped, wait for its end; when there is none left, start the eldest that is to be started, wait for its
 * start; when there is none left, take the next request. One function, proceed(), does the next thing that
 * can be done, so an end that comes in the middle of a sequence needs no special case. OTP's supervisor does
 * not look at its mailbox during a sequence; ours does, but keeps the requests for afterwards.
 *
 * A simple supervisor's children have nothing to do with each other: each is started and stopped at once.
 *
 *   phase:  BEGINNING --all are up--> STEADY --restart--> STEADY
 *               \-- a start fails: give_up(its reason)         \-- intensity, shutdown: give_up(reason)
 *           GIVING_UP --all are down--> ended with `reason`
 *
 * Invariants
 *   1. at most one child is STOPPING and one STARTING, but for a simple supervisor's
 *   2. children are started in the order of their specs and stopped in the reverse order
 *   3. restarts within the period never exceed the intensity: the one that would ends the supervisor
 */
#include "core/supervisor.h"

#include "base/assert.h"
#include "base/plant.h"
#include "core/extras.h"
#include "core/monitor.h"
#include "core/relief.h"
#include "core/post.h"

enum {
    NS_PER_MS = 1000000,
};

static const uint64_t tag_of_all = UINT64_MAX; /* of the timer that is no single child's */

static struct supervisor *state_of(troupe_self *self)
{
    return *(struct supervisor **)troupe_state(self);
}

static bool is_one_for_one(const struct supervisor *supervisor)
{
    return supervisor->spec.strategy == TROUPE_ONE_FOR_ONE || supervisor_is_simple(supervisor);
}

static bool is_normal(troupe_status reason)
{
    if (TROUPE_PLANTED(escalation_lost) && reason == TROUPE_INTENSITY)
        return true;
    return reason == TROUPE_OK || reason == TROUPE_SHUTDOWN;
}

static void timer_clear(troupe_self *self, struct child *child)
{
    if (child->timer != 0)
        troupe_timer_cancel(self, child->timer);
    child->timer = 0;
}

static troupe_status supervisor_spawn(troupe_context *from, const troupe_supervisor_spec *spec,
                                      const struct actor_options *above, troupe_ref *ret_ref);

/* A child is there again: told by its spec, as it may run elsewhere already. */
static void restarted_tell(troupe_self *self, struct worker *worker, const troupe_child_spec *spec,
                           troupe_ref ref)
{
    struct actor *actor = system_find(self->context.system, ref);
    const struct occurrence occurrence = {
        .kind = TROUPE_EVENT_RESTARTED,
        .who = ref,
        .supervisor = troupe_self_ref(self),
        .created = actor == NULL ? 0 : load_relaxed(&actor->created),
        .behaviour = spec->supervisor != NULL ? "supervisor" : spec->behaviour->name,
        .name = spec->supervisor != NULL ? spec->supervisor->name : spec->options.name,
        .child = spec->id,
    };
    events_tell(worker, &occurrence);
}

static void gave_up_tell(troupe_self *self)
{
    RUNTIME_SCOPE(self);
    events_tell_of(worker, TROUPE_EVENT_GAVE_UP, self->actor, actor_ref(self->actor), TROUPE_INTENSITY);
}

/*
 * Starts a child; when that cannot even begin, it counts as an end. The monitor is there before the child
 * runs: whether it is restarted depends on the reason it ends with.
 */
static troupe_status child_start(troupe_self *self, struct supervisor *supervisor, struct child *child)
{
    struct worker *worker = self->context.worker;
    const troupe_child_spec *spec = &child->spec->user;
    troupe_message *watcher = NULL;
    uint64_t monitor = 0;
    troupe_ref ref;
    timer_clear(self, child);
    child->is_wanted = false;
    supervisor_child_phase(supervisor, child, CHILD_DOWN, troupe_ref_none());
    child->reserve = actor_shutdown_new(worker);
    troupe_status status =
        child->reserve == NULL ? TROUPE_NO_MEMORY : monitor_prepare(worker, self->actor, &watcher, &monitor);
    if (status != TROUPE_OK) {
        supervisor_child_reserve_free(worker, child);
        return status;
    }
    const struct actor_options options = {
        .user = spec->options,
        .parent = troupe_self_ref(self),
        .watcher = watcher,
        .child = spec->id,
        .restarts = child->starts,
        .failures = child->failures_ever,
        .restarts_in_row = child->failures,
    };
    if (spec->supervisor != NULL)
        status = supervisor_spawn(&self->context, spec->supervisor, &options, &ref);
    else
        status = actor_spawn(&self->context, spec->behaviour, &options, &ref);
    if (status != TROUPE_OK) {
        handle_drop(self->actor, monitor);
        message_dispose(worker, watcher);
        supervisor_child_reserve_free(worker, child);
        return status;
    }
    handle_find(self->actor, HANDLE_MONITOR, monitor)->u.peer = ref.bits;
    supervisor_child_phase(supervisor, child, CHILD_STARTING, ref);
    if (child->starts > 0 && system_observes(worker->self.context.system, TROUPE_EVENT_RESTARTED))
        restarted_tell(self, worker, spec, ref);
    child->starts++;
    if (!supervisor_is_simple(supervisor))
        supervisor->starting = child;
    return TROUPE_OK;
}

/*
 * Asks a live child to end; the request that was made at its start is there for when no other can be: a
 * supervisor that could not stop a child would wait for its end for ever.
 */
static void child_shutdown(troupe_self *self, struct child *child, troupe_status reason)
{
    if (troupe_shutdown(self, child->ref, reason) == TROUPE_OK || child->reserve == NULL)
        return;
    actor_shutdown_post(self->context.worker, child->ref, reason, child->reserve);
    child->reserve = NULL;
}

/* Asks a live child to stop, or kills it. */
static void child_stop(troupe_self *self, struct supervisor *supervisor, struct child *child)
{
    const troupe_child_spec *spec = &child->spec->user;
    bool is_supervisor = spec->supervisor != NULL;
    bool is_timed = !is_supervisor && !spec->is_killed && spec->shutdown_ms != TROUPE_SHUTDOWN_MS_FOREVER;
    uint32_t deadline_ms = spec->shutdown_ms != 0 ? spec->shutdown_ms : TROUPE_SHUTDOWN_MS_DEFAULT;
    timer_clear(self, child);
    if (supervisor->starting == child)
        supervisor->starting = NULL;
    if (!supervisor_is_simple(supervisor))
        supervisor->stopping = child;
    supervisor_child_phase(supervisor, child, CHILD_STOPPING, child->ref);
    child_shutdown(self, child, spec->is_killed && !is_supervisor ? TROUPE_KILLED : TROUPE_SHUTDOWN);
    if (supervisor->stop_timer != 0)
        return; /* one deadline for all of a simple supervisor's */
    if (is_timed && troupe_timer_start(self, deadline_ms, 0, child->index, &child->timer) != TROUPE_OK)
        child_shutdown(self, child, TROUPE_KILLED);
}

/* A simple supervisor stops all its children together, within one deadline, as OTP's does. */
static void all_stop(troupe_self *self, struct supervisor *supervisor)
{
    const troupe_child_spec *spec = &supervisor->pattern->user;
    uint32_t deadline_ms = spec->shutdown_ms != 0 ? spec->shutdown_ms : TROUPE_SHUTDOWN_MS_DEFAULT;
    bool is_timed = spec->supervisor == NULL && !spec->is_killed &&
                    spec->shutdown_ms != TROUPE_SHUTDOWN_MS_FOREVER && supervisor->live_count > 0;
    if (is_timed &&
        troupe_timer_start(self, deadline_ms, 0, tag_of_all, &supervisor->stop_timer) != TROUPE_OK)
        supervisor->stop_timer = 0; /* each has its own then, or is killed */
    for (struct child *child = supervisor->last; child != NULL; child = child->previous)
        if (child_is_live(child) && child->phase != CHILD_STOPPING)
            child_stop(self, supervisor, child);
}

static void give_up(troupe_self *self, struct supervisor *supervisor, troupe_status reason)
{
    if (supervisor->phase == SUPERVISOR_GIVING_UP)
        return;
    supervisor->phase = SUPERVISOR_GIVING_UP;
    supervisor->reason = reason;
    for (struct child *child = supervisor->last; child != NULL; child = child->previous) {
        child->is_wanted = false;
        agenda_remove(child);
        if (child->phase == CHILD_WAITING) {
            timer_clear(self, child);
            supervisor_child_phase(supervisor, child, CHILD_DOWN, troupe_ref_none());
        }
        if (!supervisor_is_simple(supervisor) && child_is_live(child) && child->phase != CHILD_STOPPING)
            agenda_add(&supervisor->stops, child);
    }
    if (supervisor_is_simple(supervisor))
        all_stop(self, supervisor);
}

/* Notes a restart; false when it is one too many (OTP's add_restart). */
static bool restart_is_borne(struct supervisor *supervisor, uint64_t now_ms)
{
    if (TROUPE_PLANTED(restart_uncounted) && !is_one_for_one(supervisor))
        return true;
    uint32_t room = supervisor->spec.intensity + 1;
    supervisor->restarts_ms[supervisor->restart_next] = now_ms;
    supervisor->restart_next = (supervisor->restart_next + 1) % room;
    if (supervisor->restart_count < room)
        supervisor->restart_count++;
    uint64_t oldest_ms = supervisor->restarts_ms[supervisor->restart_next];
    return supervisor->restart_count < room || now_ms - oldest_ms > supervisor->spec.period_ms;
}

static uint32_t backoff_ms(const struct supervisor *supervisor, const struct child *child)
{
    uint64_t ms = supervisor->spec.backoff_min_ms;
    for (uint32_t i = 1; i < child->failures && ms < supervisor->spec.backoff_max_ms; i++)
        ms *= 2;
    return ms < supervisor->spec.backoff_max_ms ? (uint32_t)ms : supervisor->spec.backoff_max_ms;
}

/* Wants those back that are restarted with a child: all of them, also who had ended; temporary ones end. */
static void siblings_want(struct supervisor *supervisor, struct child *failed)
{
    struct child *first = supervisor->spec.strategy == TROUPE_ONE_FOR_ALL ? supervisor->first : failed;
    for (struct child *child = first; child != NULL; child = child->next) {
        bool is_temporary = child->spec->user.restart == TROUPE_RESTART_TEMPORARY;
        child->is_leaving = is_temporary;
        child->is_wanted = !is_temporary;
        if (child->phase == CHILD_DOWN && child->is_wanted && child->agenda == NULL)
            agenda_add(&supervisor->starts, child);
    }
    for (struct child *child = supervisor->last; child != NULL; child = child->previous) {
        if ((child->phase == CHILD_STARTING || child->phase == CHILD_UP) && child->agenda == NULL)
            agenda_add(&supervisor->stops, child);
        if (child == first)
            break;
    }
}

/* Wants the child back, and with it whom the strategy names. */
static void restart(troupe_self *self, struct supervisor *supervisor, struct child *child)
{
    uint64_t now_ms = troupe_now_ns(self) / NS_PER_MS;
    if (!restart_is_borne(supervisor, now_ms)) {
        if (system_observes(self->context.system, TROUPE_EVENT_GAVE_UP))
            gave_up_tell(self);
        give_up(self, supervisor, TROUPE_INTENSITY);
        return;
    }
    counter_add(&self->context.worker->counters.restarts, 1);
    child->failures++;
    child->is_wanted = true;
    agenda_remove(child);
    uint32_t delay_ms = backoff_ms(supervisor, child);
    if (delay_ms > 0 && troupe_timer_start(self, delay_ms, 0, child->index, &child->timer) == TROUPE_OK)
        supervisor_child_phase(supervisor, child, CHILD_WAITING, troupe_ref_none());
    else
        agenda_add(&supervisor->starts, child);
    if (!is_one_for_one(supervisor))
        siblings_want(supervisor, child);
}

/*
 * A child could not be started. In the beginning that ends the supervisor; when somebody asked for it, it is
 * the answer; later it is a failure like any other.
 */
static void start_failed(troupe_self *self, struct supervisor *supervisor, struct child *child,
                         troupe_status reason)
{
    troupe_status why = reason == TROUPE_OK ? TROUPE_FAILED : reason;
    bool is_temporary = child->spec->user.restart == TROUPE_RESTART_TEMPORARY;
    if (supervisor->phase == SUPERVISOR_BEGINNING) {
        give_up(self, supervisor, why);
    } else if (child->is_requested) {
        supervisor_child_answer(self, child, why);
        child->is_requested = false;
        if (child->is_new)
            supervisor_child_remove(supervisor, child);
    } else if (is_temporary) {
        supervisor_child_remove(supervisor, child);
    } else {
        restart(self, supervisor, child);
    }
}

void supervisor_child_want(troupe_self *self, struct supervisor *supervisor, struct child *child)
{
    child->is_wanted = true;
    if (!supervisor_is_simple(supervisor)) {
        agenda_add(&supervisor->starts, child);
        return;
    }
    troupe_status status = child_start(self, supervisor, child);
    if (status != TROUPE_OK)
        start_failed(self, supervisor, child, status);
}

/* A child that is down for good: most are kept, to be restarted on request. */
static void child_settled(struct supervisor *supervisor, struct child *child)
{
    const troupe_child_spec *spec = &child->spec->user;
    bool is_forgotten = spec->is_forgotten || spec->restart == TROUPE_RESTART_TEMPORARY;
    if (child->is_leaving || is_forgotten || supervisor_is_simple(supervisor))
        supervisor_child_remove(supervisor, child);
}

void supervisor_child_terminate(troupe_self *self, struct supervisor *supervisor, struct child *child,
                                troupe_asker asker)
{
    supervisor_child_answer(self, child, TROUPE_SHUTDOWN); /* whoever waits for its start waits in vain */
    child->is_wanted = child->is_requested = false;
    child->asker = asker;
    if (child_is_live(child)) {
        child->is_expected = true;
        if (!supervisor_is_simple(supervisor))
            agenda_add(&supervisor->stops, child);
        else
            child_stop(self, supervisor, child);
        return;
    }
    timer_clear(self, child);
    agenda_remove(child);
    supervisor_child_phase(supervisor, child, CHILD_DOWN, troupe_ref_none());
    supervisor_child_answer(self, child, TROUPE_OK);
    child_settled(supervisor, child);
}

/* The next step of a sequence; false when there is none to take now. */
static bool step(troupe_self *self, struct supervisor *supervisor)
{
    if (supervisor->stopping != NULL)
        return false;
    struct child *child =
        TROUPE_PLANTED(siblings_misordered) ? supervisor->stops.last : supervisor->stops.first;
    if (child != NULL) {
        agenda_remove(child);
        child_stop(self, supervisor, child);
        return false;
    }
    if (supervisor->starting != NULL && !TROUPE_PLANTED(start_unawaited))
        return false;
    /* A restart of several that waits for its backoff keeps all of them from starting, not the requests. */
    bool is_waiting = !is_one_for_one(supervisor) && supervisor->waiting_count > 0;
    child = is_waiting ? NULL : supervisor->starts.first;
    if (child != NULL) {
        agenda_remove(child);
        troupe_status status = child_start(self, supervisor, child);
        if (status != TROUPE_OK)
            start_failed(self, supervisor, child, status);
        return true;
    }
    if (supervisor->phase == SUPERVISOR_BEGINNING) {
        supervisor->phase = SUPERVISOR_STEADY;
        actor_started(self->context.worker, self->actor);
    }
    return supervisor->phase == SUPERVISOR_STEADY && supervisor_request_next(self, supervisor);
}

/* Whether requests have to wait for their turn. */
static bool is_busy(const struct supervisor *supervisor)
{
    return supervisor->phase != SUPERVISOR_STEADY || supervisor->requests != NULL ||
           supervisor->stopping != NULL || supervisor->starting != NULL || supervisor->stops.first != NULL;
}

/* Takes every step that can be taken now, and ends when giving up is complete. */
static troupe_status proceed(troupe_self *self, struct supervisor *supervisor)
{
    while (step(self, supervisor)) {
    }
    bool has_children = supervisor->live_count > 0 && !TROUPE_PLANTED(children_left);
    if (supervisor->phase != SUPERVISOR_GIVING_UP || has_children)
        return TROUPE_OK;
    if (is_normal(supervisor->reason)) {
        actor_ending(self->actor, supervisor->reason);
        return TROUPE_OK;
    }
    return troupe_fail(self, supervisor->reason, "the supervisor gave up");
}

/* A significant child has ended by itself, for good; see troupe_auto_shutdown. */
static void significant_ended(troupe_self *self, struct supervisor *supervisor)
{
    bool is_last = true;
    for (struct child *child = supervisor->first; child != NULL && is_last; child = child->next)
        is_last = !child->spec->user.is_significant || (child->phase == CHILD_DOWN && !child->is_wanted);
    if (is_last || supervisor->spec.auto_shutdown == TROUPE_AUTO_SHUTDOWN_ANY)
        give_up(self, supervisor, TROUPE_SHUTDOWN);
}

/* It ended on its own account, after it had started. */
static void child_ended_itself(troupe_self *self, struct supervisor *supervisor, struct child *child,
                               troupe_status reason)
{
    bool is_significant = child->spec->user.is_significant;
    troupe_restart type = child->spec->user.restart;
    bool is_failure = !is_normal(reason) || TROUPE_PLANTED(transient_returns);
    if (type == TROUPE_RESTART_PERMANENT || (type == TROUPE_RESTART_TRANSIENT && is_failure)) {
        restart(self, supervisor, child);
        return;
    }
    child_settled(supervisor, child);
    if (is_significant)
        significant_ended(self, supervisor);
}

/* The end of a live child, for whatever reason. */
static void child_ended(troupe_self *self, struct supervisor *supervisor, struct child *child,
                        troupe_status reason)
{
    bool was_starting = child->phase == CHILD_STARTING;
    bool was_to_stop = child->phase == CHILD_STOPPING || child->agenda == &supervisor->stops;
    uint64_t now_ms = troupe_now_ns(self) / NS_PER_MS;
    if (child->phase == CHILD_UP && now_ms - child->up_ms > supervisor->spec.period_ms)
        child->failures = 0;
    child->failures_ever += !is_normal(reason);
    timer_clear(self, child);
    supervisor_child_reserve_free(self->context.worker, child);
    agenda_remove(child);
    supervisor->starting = supervisor->starting == child ? NULL : supervisor->starting;
    supervisor->stopping = supervisor->stopping == child ? NULL : supervisor->stopping;
    supervisor_child_phase(supervisor, child, CHILD_DOWN, troupe_ref_none());
    if (!was_to_stop) { /* it was expected otherwise, if not in this way */
        if (was_starting)
            start_failed(self, supervisor, child, reason);
        else
            child_ended_itself(self, supervisor, child, reason);
        return;
    }
    bool is_settled = child->is_leaving || child->is_expected;
    if (is_settled) /* one that was wanted and is stopped with its group has not started */
        supervisor_child_answer(self, child, child->is_expected ? TROUPE_OK : TROUPE_SHUTDOWN);
    child->is_expected = false;
    if (child->is_wanted)
        agenda_add(&supervisor->starts, child);
    else if (is_settled)
        child_settled(supervisor, child);
}

static void child_started(troupe_self *self, struct supervisor *supervisor, struct child *child)
{
    supervisor_child_phase(supervisor, child, CHILD_UP, child->ref);
    child->up_ms = troupe_now_ns(self) / NS_PER_MS;
    if (supervisor->starting == child)
        supervisor->starting = NULL;
    supervisor_child_answer(self, child, TROUPE_OK);
    child->is_requested = child->is_new = false;
}

static void timer_came(troupe_self *self, struct supervisor *supervisor, const troupe_timeout *timeout)
{
    if (timeout->tag == tag_of_all) {
        for (struct child *child = supervisor->first; child != NULL; child = child->next)
            child_shutdown(self, child, TROUPE_KILLED);
        return;
    }
    struct child *child = timeout->tag < supervisor->place_count ? supervisor->places[timeout->tag] : NULL;
    if (child == NULL || child->timer != timeout->timer)
        return;
    child->timer = 0;
    if (child->phase == CHILD_STOPPING) {
        child_shutdown(self, child, TROUPE_KILLED);
    } else if (child->phase == CHILD_WAITING) {
        supervisor_child_phase(supervisor, child, CHILD_DOWN, troupe_ref_none());
        agenda_add(&supervisor->starts, child);
    }
}

static troupe_status supervisor_receive(troupe_self *self, const troupe_message *message)
{
    RUNTIME_SCOPE(self); /* it works on the worker from within: it is not to be relieved */
    (void)worker;
    struct supervisor *supervisor = state_of(self);
    struct child *child;
    const troupe_started *started = troupe_started_of(message);
    const troupe_down *down = troupe_down_of(message);
    const troupe_timeout *timeout = troupe_timeout_of(message);
    const troupe_shutdown_request *shutdown = troupe_shutdown_request_of(message);
    if (started != NULL) {
        child = supervisor_child_by_ref(supervisor, started->who);
        if (child != NULL && child->phase == CHILD_STARTING)
            child_started(self, supervisor, child);
    } else if (down != NULL) {
        child = supervisor_child_by_ref(supervisor, down->who);
        if (child != NULL)
            child_ended(self, supervisor, child, (troupe_status)down->reason);
    } else if (timeout != NULL) {
        timer_came(self, supervisor, timeout);
    } else if (shutdown != NULL) {
        give_up(self, supervisor, (troupe_status)shutdown->reason);
    } else {
        troupe_status status = supervisor_request(self, supervisor, message, is_busy(supervisor));
        if (status != TROUPE_OK)
            return status;
    }
    return proceed(self, supervisor);
}

static troupe_status supervisor_start(troupe_self *self)
{
    RUNTIME_SCOPE(self); /* it works on the worker from within: it is not to be relieved */
    (void)worker;
    troupe_trap_exits(self, true); /* who links to a supervisor does not end it */
    return proceed(self, state_of(self));
}

/* Ended out of order, with children: they do not outlive it. */
static void supervisor_stop(troupe_self *self, troupe_status reason)
{
    struct supervisor *supervisor = state_of(self);
    (void)reason;
    for (struct child *child = supervisor->last; child != NULL && supervisor->live_count > 0;
         child = child->previous)
        if (child_is_live(child))
            child_shutdown(self, child, TROUPE_KILLED);
}

/* `above`: what a supervisor above says of it as its child; NULL: there is none. */
static troupe_status supervisor_spawn(troupe_context *from, const troupe_supervisor_spec *spec,
                                      const struct actor_options *above, troupe_ref *ret_ref)
{
    static const troupe_behaviour behaviour = {
        .name = "supervisor",
        .state_size = sizeof(struct supervisor *),
        .start = supervisor_start,
        .receive = supervisor_receive,
        .stop = supervisor_stop,
    };
    struct supervisor *supervisor = NULL;
    troupe_status status = supervisor_new(spec, &supervisor);
    if (status != TROUPE_OK)
        return status;
    struct actor_options options = {
        .user = {.state = &supervisor,
                 .name = spec->name,
                 .mailbox_len_max = TROUPE_MAILBOX_LEN_MAX,
                 .mailbox_bytes_max = TROUPE_MAILBOX_BYTES_MAX},
        .is_supervisor = true,
    };
    if (above != NULL) {
        options.parent = above->parent;
        options.watcher = above->watcher;
        options.child = above->child;
        options.restarts = above->restarts;
        options.failures = above->failures;
        options.restarts_in_row = above->restarts_in_row;
    }
    status = actor_spawn(from, &behaviour, &options, ret_ref);
    if (status != TROUPE_OK)
        supervisor_done(NULL, &supervisor);
    return status;
}

troupe_ref troupe_context_supervisor(troupe_context *from, const troupe_supervisor_spec *spec,
                                     troupe_status *ret_status)
{
    troupe_ref ref = troupe_ref_none();
    troupe_status status = supervisor_spawn(from, spec, NULL, &ref);
    if (ret_status != NULL)
        *ret_status = status;
    return ref;
}
