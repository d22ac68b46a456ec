/* SPDX-License-Identifier: MIT */
/*
 * supervisor.c: the rules of OTP's supervisor (stdlib, supervisor(3)), as an actor. It watches each child
 * with a monitor and acts on four things: a child has started, a child has ended, a timer, a shutdown
 * request.
 *
 * Starting and stopping go in sequence, one child at a time: stop the highest that is up, wait for its end;
 * when none of the sequence is up, start the lowest that is wanted, wait for its start. One function,
 * proceed(), finds the next thing to do from the phases of the children, so an end that comes in the middle
 * of a sequence needs no special case.
 *
 *   phase:  BEGINNING --all are up--> STEADY --restart--> STEADY
 *               \-- a start fails: give_up(its reason)         \-- intensity, shutdown: give_up(reason)
 *           GIVING_UP --all are down--> ended with `reason`
 *
 * Invariants
 *   1. at most one child is STOPPING, but for one-for-one children that a shutdown stops
 *   2. children are started in the order of their specs and stopped in the reverse order
 *   3. restarts within the period never exceed the intensity: the one that would ends the supervisor
 */
#include "core/supervisor.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "core/extras.h"
#include "core/monitor.h"
#include "core/post.h"

enum supervisor_phase {
    BEGINNING,
    STEADY,
    GIVING_UP,
};

enum {
    BACKOFF_MAX_TIMES = 60, /* the default ceiling of the backoff, in times of its least */
    NS_PER_MS = 1000000,
};

struct supervisor {
    troupe_supervisor_spec spec;
    struct child **children;
    uint32_t child_count;
    uint32_t child_capacity;
    uint64_t *restarts_ms; /* ring of the last `intensity` + 1 restarts */
    uint32_t restart_next;
    uint32_t restart_count;
    uint32_t phase; /* a supervisor_phase */
    troupe_status reason;
};

void supervisor_child_free(struct child *child)
{
    if (child == NULL)
        return;
    free(child->state);
    free(child->name);
    free(child->group);
    free(child);
}

troupe_status supervisor_child_new(const troupe_child_spec *spec, struct child **ret_child)
{
    size_t id_len = spec->id == NULL ? 0 : strnlen(spec->id, TROUPE_CHILD_ID_LEN_MAX + 1);
    if (id_len == 0 || id_len > TROUPE_CHILD_ID_LEN_MAX ||
        (spec->behaviour == NULL) == (spec->supervisor == NULL) || spec->restart > TROUPE_RESTART_TEMPORARY)
        return TROUPE_INVALID;
    struct child *child = calloc(1, sizeof *child);
    if (child == NULL)
        return TROUPE_NO_MEMORY;
    memcpy(child->id, spec->id, id_len);
    child->spec = *spec;
    child->spec.id = child->id;
    child->spec.options.ret_status = NULL;
    if (spec->behaviour != NULL && spec->options.state != NULL) {
        child->state = malloc(spec->behaviour->state_size + 1);
        if (child->state != NULL)
            memcpy(child->state, spec->options.state, spec->behaviour->state_size);
        child->spec.options.state = child->state;
    }
    if (spec->options.name != NULL)
        child->spec.options.name = child->name = strdup(spec->options.name);
    if (spec->options.group != NULL)
        child->spec.options.group = child->group = strdup(spec->options.group);
    if ((spec->options.state != NULL && spec->behaviour != NULL && child->state == NULL) ||
        (spec->options.name != NULL && child->name == NULL) ||
        (spec->options.group != NULL && child->group == NULL)) {
        supervisor_child_free(child);
        return TROUPE_NO_MEMORY;
    }
    *ret_child = child;
    return TROUPE_OK;
}

static struct supervisor *state_of(troupe_self *self)
{
    return *(struct supervisor **)troupe_state(self);
}

static bool is_one_for_one(const struct supervisor *supervisor)
{
    return supervisor->spec.strategy == TROUPE_ONE_FOR_ONE;
}

static void give_up(struct supervisor *supervisor, troupe_status reason)
{
    if (supervisor->phase == GIVING_UP)
        return;
    supervisor->phase = GIVING_UP;
    supervisor->reason = reason;
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        supervisor->children[i]->is_wanted = false;
        if (supervisor->children[i]->phase == CHILD_WAITING)
            supervisor->children[i]->phase = CHILD_DOWN;
    }
}

static void timer_clear(troupe_self *self, struct child *child)
{
    if (child->timer != 0)
        troupe_timer_cancel(self, child->timer);
    child->timer = 0;
}

static troupe_status supervisor_spawn(troupe_context *from, const troupe_supervisor_spec *spec,
                                      troupe_ref parent, troupe_message *watcher, troupe_ref *ret_ref);

/*
 * Starts a child; when that cannot even begin, it counts as an end. The monitor is there before the child
 * runs: whether it is restarted depends on the reason it ends with.
 */
static troupe_status child_start(troupe_self *self, struct child *child)
{
    struct worker *worker = self->context.worker;
    troupe_message *watcher = NULL;
    uint64_t monitor = 0;
    timer_clear(self, child);
    child->is_wanted = false;
    child->phase = CHILD_DOWN;
    troupe_status status = monitor_prepare(worker, self->actor, &watcher, &monitor);
    if (status != TROUPE_OK)
        return status;
    if (child->spec.supervisor != NULL) {
        status = supervisor_spawn(&self->context, child->spec.supervisor, troupe_self_ref(self), watcher,
                                  &child->ref);
    } else {
        const struct actor_options options = {
            .user = child->spec.options, .parent = troupe_self_ref(self), .watcher = watcher};
        status = actor_spawn(&self->context, child->spec.behaviour, &options, &child->ref);
    }
    if (status != TROUPE_OK) {
        handle_drop(self->actor, monitor);
        message_dispose(worker, watcher);
        return status;
    }
    handle_find(self->actor, HANDLE_MONITOR, monitor)->u.peer = child->ref.bits;
    child->phase = CHILD_STARTING;
    return TROUPE_OK;
}

static void child_stop(troupe_self *self, struct child *child, uint32_t index)
{
    bool is_supervisor = child->spec.supervisor != NULL;
    uint32_t deadline_ms =
        child->spec.shutdown_ms != 0 ? child->spec.shutdown_ms : TROUPE_SHUTDOWN_MS_DEFAULT;
    timer_clear(self, child);
    child->phase = CHILD_STOPPING;
    troupe_shutdown(self, child->ref, TROUPE_SHUTDOWN);
    if (!is_supervisor && troupe_timer_start(self, deadline_ms, 0, index, &child->timer) != TROUPE_OK)
        troupe_shutdown(self, child->ref, TROUPE_KILLED);
}

/* Notes a restart; false when it is one too many (OTP's add_restart). */
static bool restart_is_borne(struct supervisor *supervisor, uint64_t now_ms)
{
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
static void siblings_want(struct supervisor *supervisor, uint32_t index)
{
    uint32_t first = supervisor->spec.strategy == TROUPE_ONE_FOR_ALL ? 0 : index;
    for (uint32_t i = first; i < supervisor->child_count; i++) {
        struct child *child = supervisor->children[i];
        bool is_temporary = child->spec.restart == TROUPE_RESTART_TEMPORARY;
        child->is_leaving = is_temporary;
        child->is_wanted = !is_temporary;
    }
}

/* Wants the child back, and with it whom the strategy names. */
static void restart(troupe_self *self, struct supervisor *supervisor, uint32_t index)
{
    struct child *child = supervisor->children[index];
    uint64_t now_ms = troupe_now_ns(self) / NS_PER_MS;
    if (!restart_is_borne(supervisor, now_ms)) {
        give_up(supervisor, TROUPE_INTENSITY);
        return;
    }
    counter_add(&self->context.worker->counters.restarts, 1);
    child->failures++;
    child->is_wanted = true;
    if (!is_one_for_one(supervisor))
        siblings_want(supervisor, index);
    uint32_t delay_ms = backoff_ms(supervisor, child);
    if (delay_ms > 0 && troupe_timer_start(self, delay_ms, 0, index, &child->timer) == TROUPE_OK)
        child->phase = CHILD_WAITING;
}

static bool is_up(const struct child *child)
{
    return child->phase == CHILD_STARTING || child->phase == CHILD_UP;
}

/* A child that is up and wanted is to be stopped first; in giving up, every one that is up is. */
static bool is_to_stop(const struct supervisor *supervisor, const struct child *child)
{
    return is_up(child) && (child->is_wanted || child->is_leaving || supervisor->phase == GIVING_UP);
}

/* Whether a restart of several waits for its backoff: then none of them starts. */
static bool is_waiting(const struct supervisor *supervisor)
{
    for (uint32_t i = 0; i < supervisor->child_count && !is_one_for_one(supervisor); i++)
        if (supervisor->children[i]->phase == CHILD_WAITING)
            return true;
    return false;
}

/*
 * A child could not be started. In the beginning that ends the supervisor; later it is a failure like any
 * other.
 */
static void start_failed(troupe_self *self, struct supervisor *supervisor, uint32_t index,
                         troupe_status reason)
{
    if (supervisor->phase == BEGINNING)
        give_up(supervisor, reason);
    else if (supervisor->children[index]->spec.restart != TROUPE_RESTART_TEMPORARY)
        restart(self, supervisor, index);
}

/* The next step of a sequence; false when there is none to take now. */
static bool step(troupe_self *self, struct supervisor *supervisor)
{
    for (uint32_t i = supervisor->child_count; i-- > 0;) {
        struct child *child = supervisor->children[i];
        if (child->phase == CHILD_STOPPING)
            return false;
        if (is_to_stop(supervisor, child)) {
            child_stop(self, child, i);
            return false;
        }
    }
    if (is_waiting(supervisor))
        return false;
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = supervisor->children[i];
        if (child->phase == CHILD_STARTING)
            return false;
        if (child->phase != CHILD_DOWN || !child->is_wanted)
            continue;
        troupe_status status = child_start(self, child);
        if (status != TROUPE_OK)
            start_failed(self, supervisor, i, status);
        return status != TROUPE_OK;
    }
    if (supervisor->phase == BEGINNING) {
        supervisor->phase = STEADY;
        actor_started(self->context.worker, self->actor);
    }
    return false;
}

/* Takes every step that can be taken now, and ends when giving up is complete. */
static troupe_status proceed(troupe_self *self, struct supervisor *supervisor)
{
    while (step(self, supervisor)) {
    }
    if (supervisor->phase != GIVING_UP)
        return TROUPE_OK;
    for (uint32_t i = 0; i < supervisor->child_count; i++)
        if (supervisor->children[i]->phase != CHILD_DOWN)
            return TROUPE_OK;
    if (supervisor->reason == TROUPE_OK || supervisor->reason == TROUPE_SHUTDOWN) {
        actor_ending(self->actor, supervisor->reason);
        return TROUPE_OK;
    }
    return troupe_fail(self, supervisor->reason, "the supervisor gave up");
}

static struct child *child_by_ref(struct supervisor *supervisor, troupe_ref ref, uint32_t *ret_index)
{
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        if (supervisor->children[i]->phase != CHILD_DOWN &&
            troupe_ref_equal(supervisor->children[i]->ref, ref)) {
            *ret_index = i;
            return supervisor->children[i];
        }
    }
    return NULL;
}

static void child_remove(struct supervisor *supervisor, uint32_t index)
{
    supervisor_child_free(supervisor->children[index]);
    supervisor->child_count--;
    memmove(&supervisor->children[index], &supervisor->children[index + 1],
            (supervisor->child_count - index) * sizeof supervisor->children[0]);
}

static void child_ended(troupe_self *self, struct supervisor *supervisor, uint32_t index,
                        troupe_status reason)
{
    struct child *child = supervisor->children[index];
    bool was_starting = child->phase == CHILD_STARTING;
    uint64_t now_ms = troupe_now_ns(self) / NS_PER_MS;
    bool was_to_stop = child->phase == CHILD_STOPPING || is_to_stop(supervisor, child);
    bool is_normal = reason == TROUPE_OK || reason == TROUPE_SHUTDOWN;
    if (child->phase == CHILD_UP && now_ms - child->up_ms > supervisor->spec.period_ms)
        child->failures = 0;
    timer_clear(self, child);
    child->phase = CHILD_DOWN;
    child->ref = troupe_ref_none();
    if (child->is_leaving)
        child_remove(supervisor, index);
    if (was_to_stop)
        return; /* expected, if not in this way; if it is wanted again the sequence starts it */
    if (was_starting && supervisor->phase == BEGINNING) {
        give_up(supervisor, is_normal ? TROUPE_FAILED : reason);
        return;
    }
    if (child->spec.restart == TROUPE_RESTART_TEMPORARY)
        child_remove(supervisor, index);
    else if (child->spec.restart == TROUPE_RESTART_PERMANENT || !is_normal)
        restart(self, supervisor, index);
}

static void timer_came(troupe_self *self, struct supervisor *supervisor, uint64_t timer)
{
    for (uint32_t i = 0; i < supervisor->child_count; i++) {
        struct child *child = supervisor->children[i];
        if (child->timer != timer)
            continue;
        child->timer = 0;
        if (child->phase == CHILD_STOPPING)
            troupe_shutdown(self, child->ref, TROUPE_KILLED);
        else if (child->phase == CHILD_WAITING)
            child->phase = CHILD_DOWN;
        return;
    }
}

/* Appends a child, which it takes; a second one of the same id is dropped. */
static troupe_status child_append(struct supervisor *supervisor, struct child *child)
{
    bool is_refused = supervisor->child_count == TROUPE_CHILDREN_MAX;
    for (uint32_t i = 0; i < supervisor->child_count; i++)
        is_refused = is_refused || strcmp(supervisor->children[i]->id, child->id) == 0;
    if (!is_refused && supervisor->child_count == supervisor->child_capacity) {
        uint32_t capacity = supervisor->child_capacity * 2 + 8;
        struct child **children = realloc(supervisor->children, capacity * sizeof(struct child *));
        is_refused = children == NULL;
        if (children != NULL) {
            supervisor->children = children;
            supervisor->child_capacity = capacity;
        }
    }
    if (is_refused) {
        supervisor_child_free(child);
        return TROUPE_INVALID;
    }
    child->is_wanted = true;
    supervisor->children[supervisor->child_count++] = child;
    return TROUPE_OK;
}

static troupe_status supervisor_receive(troupe_self *self, const troupe_message *message)
{
    struct supervisor *supervisor = state_of(self);
    uint32_t index;
    const troupe_started *started = troupe_started_of(message);
    const troupe_down *down = troupe_down_of(message);
    const troupe_timeout *timeout = troupe_timeout_of(message);
    const troupe_shutdown_request *shutdown = troupe_shutdown_request_of(message);
    if (started != NULL) {
        struct child *child = child_by_ref(supervisor, started->who, &index);
        if (child != NULL && child->phase == CHILD_STARTING) {
            child->phase = CHILD_UP;
            child->up_ms = troupe_now_ns(self) / NS_PER_MS;
        }
    } else if (down != NULL) {
        if (child_by_ref(supervisor, down->who, &index) != NULL)
            child_ended(self, supervisor, index, (troupe_status)down->reason);
    } else if (timeout != NULL) {
        timer_came(self, supervisor, timeout->timer);
    } else if (shutdown != NULL) {
        give_up(supervisor, (troupe_status)shutdown->reason);
    } else if (message->flags == MESSAGE_CHILD) {
        struct child **child = (struct child **)(uintptr_t)troupe_body(message);
        if (supervisor->phase != GIVING_UP)
            (void)child_append(supervisor, *child);
        else
            supervisor_child_free(*child);
        *child = NULL;
    } else {
        return TROUPE_UNEXPECTED;
    }
    return proceed(self, supervisor);
}

static void supervisor_free(struct supervisor *supervisor)
{
    if (supervisor == NULL)
        return;
    for (uint32_t i = 0; i < supervisor->child_count; i++)
        supervisor_child_free(supervisor->children[i]);
    free(supervisor->children);
    free(supervisor->restarts_ms);
    free(supervisor);
}

static troupe_status supervisor_start(troupe_self *self)
{
    return proceed(self, state_of(self));
}

void supervisor_done(void *state)
{
    supervisor_free(*(struct supervisor **)state);
}

/* Copies the spec with its defaults. */
static troupe_status supervisor_new(const troupe_supervisor_spec *spec, struct supervisor **ret_supervisor)
{
    if (spec->strategy > TROUPE_REST_FOR_ONE || spec->intensity > TROUPE_INTENSITY_MAX ||
        spec->child_count > TROUPE_CHILDREN_MAX || (spec->intensity_none && spec->intensity != 0))
        return TROUPE_INVALID;
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    if (supervisor == NULL)
        return TROUPE_NO_MEMORY;
    supervisor->spec = *spec;
    if (spec->intensity == 0 && !spec->intensity_none)
        supervisor->spec.intensity = TROUPE_INTENSITY_DEFAULT;
    if (spec->period_ms == 0)
        supervisor->spec.period_ms = TROUPE_PERIOD_MS_DEFAULT;
    if (spec->backoff_max_ms == 0) {
        uint64_t max_ms = (uint64_t)spec->backoff_min_ms * BACKOFF_MAX_TIMES;
        supervisor->spec.backoff_max_ms = max_ms < UINT32_MAX ? (uint32_t)max_ms : UINT32_MAX;
    }
    supervisor->restarts_ms = calloc(supervisor->spec.intensity + 1, sizeof(uint64_t));
    troupe_status status = supervisor->restarts_ms == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
    for (uint32_t i = 0; i < spec->child_count && status == TROUPE_OK; i++) {
        struct child *child;
        status = supervisor_child_new(&spec->children[i], &child);
        if (status == TROUPE_OK)
            status = child_append(supervisor, child);
    }
    if (status == TROUPE_OK)
        *ret_supervisor = supervisor;
    else
        supervisor_free(supervisor);
    return status;
}

static troupe_status supervisor_spawn(troupe_context *from, const troupe_supervisor_spec *spec,
                                      troupe_ref parent, troupe_message *watcher, troupe_ref *ret_ref)
{
    static const troupe_behaviour behaviour = {
        .name = "supervisor",
        .state_size = sizeof(struct supervisor *),
        .start = supervisor_start,
        .receive = supervisor_receive,
    };
    struct supervisor *supervisor = NULL;
    troupe_status status = supervisor_new(spec, &supervisor);
    if (status == TROUPE_OK) {
        struct actor_options options = {
            .user = {.state = &supervisor, .name = spec->name, .mailbox_len_max = TROUPE_MAILBOX_LEN_MAX},
            .parent = parent,
            .watcher = watcher,
            .is_supervisor = true,
        };
        status = actor_spawn(from, &behaviour, &options, ret_ref);
        if (status != TROUPE_OK)
            supervisor_free(supervisor);
    }
    return status;
}

troupe_ref troupe_context_supervisor(troupe_context *from, const troupe_supervisor_spec *spec,
                                     troupe_status *ret_status)
{
    troupe_ref ref = troupe_ref_none();
    troupe_status status = supervisor_spawn(from, spec, troupe_ref_none(), NULL, &ref);
    if (ret_status != NULL)
        *ret_status = status;
    return ref;
}

troupe_status troupe_context_supervisor_add(troupe_context *from, troupe_ref to,
                                            const troupe_child_spec *spec)
{
    static const troupe_type type = {.name = "troupe_child", .id = 1, .version = 1};
    struct child *child;
    troupe_status status = supervisor_child_new(spec, &child);
    if (status != TROUPE_OK)
        return status;
    struct worker *worker = context_enter(from);
    struct actor *actor = system_find(from->system, to);
    troupe_message *message = actor == NULL ? NULL : message_new(worker, &type, sizeof child);
    if (message != NULL) {
        message->flags = MESSAGE_CHILD;
        memcpy(message + 1, &child, sizeof child);
        post_unbounded(worker, to, message);
    } else {
        supervisor_child_free(child);
        status = actor == NULL ? TROUPE_NO_ACTOR : TROUPE_NO_MEMORY;
    }
    context_leave(from);
    return status;
}
