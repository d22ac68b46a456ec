/* SPDX-License-Identifier: MIT */
/*
 * org_model.c: a second opinion on how a role behaves; org_model.h says why. Everything is a search through
 * the whole list.
 */
#include "support/org_model.h"

#include <stdlib.h>

const char *const model_actors[MODEL_ACTORS] = {"ann", "ben", "cyd", "dan", "eve", "fay",
                                                "gil", "hal", "ida", "jim", "kai", "lea"};
const char *const model_senders[2] = {"zoe", "yan"};

/* --- looking ------------------------------------------------------------------------------------- */

static struct model_message *find(struct model *model, uint64_t id)
{
    for (size_t i = 0; i < model->count; i++) {
        if (model->messages[i].id == id)
            return &model->messages[i];
    }
    return NULL;
}

uint64_t model_in(const struct model *model, enum org_state state)
{
    uint64_t count = 0;
    for (size_t i = 0; i < model->count; i++)
        count += model->messages[i].state == state;
    return count;
}

static bool is_in_succession(const struct model *model, int actor)
{
    for (int i = 0; i < model->holder_count; i++) {
        if (model->holders[i] == actor)
            return true;
    }
    return false;
}

static int active(const struct model *model)
{
    for (int i = 0; i < model->holder_count; i++) {
        if (!model->is_absent[model->holders[i]])
            return model->holders[i];
    }
    return MODEL_NOBODY;
}

/* The first present one behind `actor` in the succession. */
static int next_after(const struct model *model, int actor)
{
    bool is_behind = false;
    for (int i = 0; i < model->holder_count; i++) {
        if (is_behind && !model->is_absent[model->holders[i]])
            return model->holders[i];
        is_behind = is_behind || model->holders[i] == actor;
    }
    return MODEL_NOBODY;
}

static uint64_t occupied(const struct model *model)
{
    uint64_t parked = model_in(model, ORG_PARKED);
    uint64_t extra = parked > model->capacity ? parked - model->capacity : 0;
    return model_in(model, ORG_QUEUED) + model_in(model, ORG_HELD) + model_in(model, ORG_QUARANTINED) + extra;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* The root, rounded down, by trying. */
static int64_t root_of(uint64_t number)
{
    int64_t root = 0;
    while ((uint64_t)(root + 1) * (uint64_t)(root + 1) <= number)
        root++;
    return root;
}

/*
 * From the paces of the last completions, sorted: so many of them as are before the message, and its own. The
 * mean of their sum is certain only as far as so few can say.
 */
static void expect_wait(const struct model *model, struct model_message *message)
{
    int64_t sorted[ORG_COMPLETIONS_KEPT];
    int64_t sum = 0;
    size_t count = model->pace_count < ORG_COMPLETIONS_KEPT ? model->pace_count : ORG_COMPLETIONS_KEPT;
    message->wait_median_ms = -1;
    message->wait_p95_ms = -1;
    if (count < ORG_COMPLETIONS_MIN)
        return;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = model->paces[model->pace_count - count + i];
        sum += sorted[i];
    }
    qsort(sorted, count, sizeof(sorted[0]), compare_times);
    uint64_t n = message->position + model_in(model, ORG_HELD);
    int64_t mean = sum / (int64_t)count;
    size_t at = 0;
    while ((at + 1) * 2 < count) /* half of them are not longer */
        at++;
    message->wait_median_ms = mean * (int64_t)(n - 1) + sorted[at];
    at = 0;
    while ((at + 1) * 100 < count * 95) /* 95 of 100 are not longer */
        at++;
    int64_t above = sorted[at] > mean ? sorted[at] - mean : 0;
    int64_t spread = root_of((n + n * (n - 1) / count) * 65536);
    message->wait_p95_ms = mean * (int64_t)n + above * spread / 256;
    if (message->wait_p95_ms < message->wait_median_ms)
        message->wait_p95_ms = message->wait_median_ms;
}

static int64_t due_of(const struct model_message *message)
{
    int64_t deadline = message->deadline == 0 ? INT64_MAX : message->deadline;
    if (message->state == ORG_QUEUED)
        return deadline;
    if (message->state == ORG_HELD)
        return message->lease_until;
    if (message->state == ORG_PARKED)
        return deadline < message->parked_until ? deadline : message->parked_until;
    return INT64_MAX;
}

static bool is_absence_due(const struct model *model)
{
    bool is_told = model->is_absence_told && model->on_absent != ORG_ACTION_DECLINE;
    return model->on_absent != ORG_ACTION_RETRY && !is_told && active(model) == MODEL_NOBODY &&
           model_in(model, ORG_QUEUED) > 0;
}

/* --- changing ------------------------------------------------------------------------------------ */

static void tell_sender(struct model *model, const struct model_message *message)
{
    model->owed += message->wants_answer;
}

static void queue_again(struct model_message *message, int assigned, bool is_first)
{
    message->state = ORG_QUEUED;
    message->assigned = assigned;
    message->is_first = is_first;
    message->is_resolved = false;
    message->awaits = 0;
}

static void overflow_may_end(struct model *model)
{
    if (!model->is_overflow_told || occupied(model) > model->capacity / 2)
        return;
    model->is_overflow_told = false;
    model->refusal_count = 0;
}

/* Those that await the end of this one, unless time itself brings them now. */
static void wake(struct model *model, uint64_t ended)
{
    overflow_may_end(model); /* before they are back */
    for (size_t i = 0; i < model->count; i++) {
        struct model_message *message = &model->messages[i];
        if (message->state == ORG_PARKED && message->awaits == ended && due_of(message) > model->now_ms)
            queue_again(message, MODEL_NOBODY, true);
    }
}

static void complete(struct model *model, struct model_message *message, enum org_state state)
{
    message->state = state;
    int64_t from = model->pace_count > 0 && model->ended_at > message->accepted_at ? model->ended_at
                                                                                   : message->accepted_at;
    model->paces[model->pace_count++] = model->now_ms - from;
    model->ended_at = model->now_ms;
    if (state == ORG_FORWARDED)
        model->owed++;
    else
        tell_sender(model, message);
    wake(model, message->id);
}

/* What was kept comes back to whoever kept it, or else to the queue, first in its class. */
static void give_back(const struct model *model, struct model_message *message)
{
    int keeper = message->holder;
    bool is_there = is_in_succession(model, keeper) && !model->is_absent[keeper];
    queue_again(message, is_there ? keeper : MODEL_NOBODY, !is_there);
}

/* What this actor kept while away comes back; what is due by itself does so then. */
static void give_all_back(struct model *model, int actor)
{
    for (size_t i = 0; i < model->count; i++) {
        struct model_message *message = &model->messages[i];
        if (message->state == ORG_PARKED && message->parked_for == ORG_CAUSE_ABSENCE &&
            message->holder == actor && due_of(message) > model->now_ms)
            give_back(model, message);
    }
}

static void somebody_may_be_there(struct model *model)
{
    if (active(model) != MODEL_NOBODY)
        model->is_absence_told = false;
}

/* What an actor has to do with the role ends: what it holds or was to get is anybody's. */
static void let_go(struct model *model, int actor)
{
    for (size_t i = 0; i < model->count; i++) {
        struct model_message *message = &model->messages[i];
        if (message->state == ORG_HELD && message->holder == actor)
            queue_again(message, MODEL_NOBODY, false);
        if (message->state == ORG_QUEUED && message->assigned == actor)
            message->assigned = MODEL_NOBODY;
    }
}

static void fail_message(struct model *model, struct model_message *message, enum org_cause cause)
{
    message->attempts++;
    if (message->attempts < 3 && cause != ORG_CAUSE_FAIL)
        model->owed += model->has_supervisor; /* what is not escalated is reported */
    if (message->attempts >= 3 || cause == ORG_CAUSE_FAIL) {
        message->state = ORG_QUARANTINED;
        message->quarantined_for = cause;
        model->owed += model->has_supervisor;
    } else if (cause == ORG_CAUSE_CRASH) {
        message->state = ORG_PARKED;
        message->parked_for = cause;
        message->parked_until = model->now_ms + (message->attempts == 1 ? 1000 : 2000);
    } else {
        queue_again(message, next_after(model, message->holder), false);
    }
}

/* --- commands ------------------------------------------------------------------------------------ */

static struct expected refused(enum org_refusal refusal)
{
    return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = refusal};
}

static struct expected fine(uint64_t id)
{
    return (struct expected){.kind = ORG_ANSWER_OK, .id = id};
}

struct expected model_configure(struct model *model, const int *holders, int count)
{
    bool is_same = count == model->holder_count;
    for (int i = 0; i < count; i++)
        is_same = is_same && model->holders[i] == holders[i];
    if (is_same)
        return (struct expected){.kind = ORG_ANSWER_OK, .is_duplicate = true};
    for (int i = 0; i < count; i++)
        model->holders[i] = holders[i];
    model->holder_count = count;
    for (int actor = 0; actor < MODEL_ACTORS; actor++) {
        if (!is_in_succession(model, actor)) {
            let_go(model, actor);
            give_all_back(model, actor);
        }
    }
    somebody_may_be_there(model);
    return fine(0);
}

/* The newest of the lowest class below this one that nobody has had yet. */
static struct model_message *victim(struct model *model, enum org_class message_class)
{
    struct model_message *found = NULL;
    for (size_t i = 0; i < model->count; i++) {
        struct model_message *message = &model->messages[i];
        if (message->state == ORG_QUEUED && !message->was_taken && message->message_class < message_class &&
            (found == NULL || message->message_class <= found->message_class))
            found = message;
    }
    return found;
}

struct expected model_send(struct model *model, struct model_message message, bool is_person,
                           bool is_insisted)
{
    for (size_t i = 0; i < model->count && message.key != MODEL_NOBODY; i++) {
        const struct model_message *old = &model->messages[i];
        if (old->sender != message.sender || old->key != message.key)
            continue;
        if (old->content != message.content || old->message_class != message.message_class ||
            old->deadline != message.deadline || old->wants_answer != message.wants_answer)
            return (struct expected){.kind = ORG_ANSWER_REFUSED,
                                     .refusal = ORG_REFUSED_KEY_REUSED,
                                     .is_duplicate = true,
                                     .id = old->id};
        return (struct expected){
            .kind = ORG_ANSWER_ACCEPTED, .is_duplicate = true, .id = old->id, .message = old};
    }
    if (message.deadline != 0 && message.deadline <= model->now_ms)
        return refused(ORG_REFUSED_TIME);
    struct model_message *pushed = NULL;
    if (occupied(model) >= model->capacity && !(is_person && is_insisted)) {
        if (model->overflow == ORG_OVERFLOW_SHED && occupied(model) == model->capacity)
            pushed = victim(model, message.message_class);
        if (pushed == NULL) {
            model->refused++;
            model->refusals[model->refusal_count++] = model->now_ms;
            if (model->refusal_count > model->refusals_max && !model->is_overflow_told &&
                model->now_ms - model->refusals[model->refusal_count - 1 - model->refusals_max] <
                    model->refusals_period_ms)
                model->is_overflow_due = true;
            return refused(ORG_REFUSED_FULL);
        }
        pushed->state = ORG_SHED;
        tell_sender(model, pushed);
        overflow_may_end(model);
    }
    message.position = 1;
    for (size_t i = 0; i < model->count; i++)
        message.position += model->messages[i].state == ORG_QUEUED &&
                            model->messages[i].message_class >= message.message_class;
    expect_wait(model, &message);
    if (pushed != NULL)
        wake(model, pushed->id);
    message.state = ORG_QUEUED;
    message.accepted_at = model->now_ms;
    message.holder = MODEL_NOBODY;
    message.assigned = MODEL_NOBODY;
    model->messages[model->count] = message;
    return (struct expected){
        .kind = ORG_ANSWER_ACCEPTED, .id = message.id, .message = &model->messages[model->count++]};
}

static int class_of(const struct model *model, const struct model_message *message)
{
    int message_class = (int)message->message_class;
    if (model->now_ms - message->accepted_at >= model->ageing_ms && message_class < (int)ORG_URGENT)
        message_class++;
    return message_class;
}

static bool goes_before(const struct model *model, const struct model_message *a,
                        const struct model_message *b)
{
    if (class_of(model, a) != class_of(model, b))
        return class_of(model, a) > class_of(model, b);
    if (a->is_first != b->is_first)
        return a->is_first;
    return a < b; /* the list is in order of acceptance */
}

struct expected model_next(struct model *model, int actor, int wip)
{
    int held = 0;
    const struct model_message *first_held = NULL;
    struct model_message *best = NULL;
    for (size_t i = 0; i < model->count; i++) {
        struct model_message *message = &model->messages[i];
        if (message->state == ORG_HELD && message->holder == actor) {
            held++;
            if (first_held == NULL || message->taken_order < first_held->taken_order)
                first_held = message;
        }
        bool is_for_actor =
            message->assigned == actor || (message->assigned == MODEL_NOBODY && active(model) == actor);
        if (message->state == ORG_QUEUED && is_for_actor &&
            (best == NULL || goes_before(model, message, best)))
            best = message;
    }
    if (held >= wip)
        return (struct expected){.kind = ORG_ANSWER_HELD, .id = first_held->id};
    if (best == NULL)
        return active(model) == actor ? (struct expected){.kind = ORG_ANSWER_NOTHING}
                                      : refused(ORG_REFUSED_NOT_ACTIVE);
    best->state = ORG_HELD;
    best->holder = actor;
    best->assigned = MODEL_NOBODY;
    best->was_taken = true;
    best->is_first = false;
    best->taken_order = model->takes++;
    best->lease_until = model->now_ms + model->lease_ms;
    return (struct expected){.kind = ORG_ANSWER_TAKEN, .id = best->id};
}

/* Whether the last thing that was done with a message, which is not held, was this, by the same actor. */
static bool is_repeated(const struct model_message *message, enum org_command_kind kind, int actor,
                        int64_t until, uint64_t awaits, bool is_crash)
{
    enum org_cause cause = is_crash ? ORG_CAUSE_CRASH : ORG_CAUSE_FAIL;
    bool is_parked = message->state == ORG_PARKED;
    if (message->holder != actor)
        return false;
    if (kind == ORG_FAIL && message->state == ORG_QUARANTINED)
        return message->quarantined_for == cause;
    if (kind == ORG_FAIL)
        return is_parked && message->parked_for == cause;
    return kind == ORG_DEFER && is_parked && message->parked_for == ORG_CAUSE_DEFER &&
           message->awaits == awaits && (message->parked_until == until || (until == 0 && awaits != 0));
}

struct expected model_about(struct model *model, enum org_command_kind kind, int actor, uint64_t id,
                            int64_t until, uint64_t awaits, bool is_crash)
{
    struct model_message *message = find(model, id);
    const struct model_message *awaited = find(model, awaits);
    if (message == NULL)
        return refused(ORG_REFUSED_UNKNOWN);
    if (message->state >= ORG_DONE) /* the test never gives the same command twice: its texts differ */
        return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_ENDED, .id = id};
    if (message->state != ORG_HELD && is_repeated(message, kind, actor, until, awaits, is_crash))
        return (struct expected){.kind = ORG_ANSWER_OK, .is_duplicate = true, .id = id};
    if (message->state != ORG_HELD)
        return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_NOT_HELD, .id = id};
    if (message->holder != actor)
        return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_NOT_HOLDER, .id = id};
    switch (kind) {
    case ORG_RENEW:
        message->lease_until = model->now_ms + model->lease_ms;
        break;
    case ORG_FINISH:
        complete(model, message, ORG_DONE);
        break;
    case ORG_DECLINE:
        complete(model, message, ORG_DECLINED);
        break;
    case ORG_FORWARD:
        complete(model, message, ORG_FORWARDED);
        break;
    case ORG_DEFER:
        if (until == 0 && awaits != 0)
            until = model->now_ms + ORG_DEFER_MAX_MS;
        if (until <= model->now_ms)
            return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_TIME, .id = id};
        if (awaited != NULL && (awaited == message || awaited->state >= ORG_DONE))
            return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_AWAITED, .id = id};
        message->awaits = awaits;
        message->state = ORG_PARKED;
        message->parked_for = ORG_CAUSE_DEFER;
        message->parked_until = until;
        break;
    default:
        fail_message(model, message, is_crash ? ORG_CAUSE_CRASH : ORG_CAUSE_FAIL);
        break;
    }
    overflow_may_end(model);
    return fine(id);
}

struct expected model_settle(struct model *model, uint64_t id, enum org_action action)
{
    struct model_message *message = find(model, id);
    if (message == NULL)
        return refused(ORG_REFUSED_UNKNOWN);
    if (message->state >= ORG_DONE)
        return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_ENDED, .id = id};
    bool is_queued_again = action == ORG_ACTION_RETRY || action == ORG_ACTION_REASSIGN;
    if (message->state == ORG_QUEUED && message->is_resolved && is_queued_again)
        return (struct expected){.kind = ORG_ANSWER_OK, .is_duplicate = true, .id = id};
    if (message->state != ORG_QUARANTINED)
        return (struct expected){
            .kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_NOT_QUARANTINED, .id = id};
    if (action == ORG_ACTION_ESCALATE)
        return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_ACTION, .id = id};
    if (action == ORG_ACTION_DONE || action == ORG_ACTION_DECLINE) {
        complete(model, message, action == ORG_ACTION_DONE ? ORG_DONE : ORG_DECLINED);
        overflow_may_end(model);
        return fine(id);
    }
    message->attempts = 0;
    queue_again(message, action == ORG_ACTION_REASSIGN ? next_after(model, message->holder) : MODEL_NOBODY,
                false);
    message->is_resolved = true;
    return fine(id);
}

struct expected model_hand_over(struct model *model, int actor)
{
    return is_in_succession(model, actor) ? fine(0) : refused(ORG_REFUSED_NOT_IN_SUCCESSION);
}

struct expected model_present(struct model *model, int actor, bool is_present, uint64_t keeps, int64_t until)
{
    if (model->is_absent[actor] == !is_present)
        return (struct expected){.kind = ORG_ANSWER_OK, .is_duplicate = true};
    struct model_message *kept = find(model, keeps);
    if (keeps != 0 && (is_present || (until != 0 && until <= model->now_ms)))
        return refused(ORG_REFUSED_TIME);
    if (keeps != 0 && (kept == NULL || kept->state >= ORG_DONE))
        return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_UNKNOWN, .id = keeps};
    if (keeps != 0 && (kept->state != ORG_HELD || kept->holder != actor))
        return (struct expected){.kind = ORG_ANSWER_REFUSED, .refusal = ORG_REFUSED_NOT_HELD, .id = keeps};
    model->is_absent[actor] = !is_present;
    if (keeps != 0) {
        kept->state = ORG_PARKED;
        kept->parked_for = ORG_CAUSE_ABSENCE;
        kept->parked_until = until != 0 ? until : model->now_ms + ORG_DEFER_MAX_MS;
    }
    if (is_present)
        give_all_back(model, actor);
    else
        let_go(model, actor);
    somebody_may_be_there(model);
    overflow_may_end(model);
    return fine(0);
}

/* --- time ---------------------------------------------------------------------------------------- */

int64_t model_due(const struct model *model)
{
    int64_t due = INT64_MAX;
    if (model->is_overflow_due || is_absence_due(model))
        return 0;
    for (size_t i = 0; i < model->count; i++) {
        if (due_of(&model->messages[i]) < due)
            due = due_of(&model->messages[i]);
    }
    return due;
}

static void be_due(struct model *model, struct model_message *message)
{
    if (message->state == ORG_HELD) {
        fail_message(model, message, ORG_CAUSE_LAPSE);
    } else if (message->deadline != 0 && message->deadline <= model->now_ms) {
        message->state = ORG_EXPIRED;
        tell_sender(model, message);
        wake(model, message->id);
    } else if (message->parked_for == ORG_CAUSE_ABSENCE) {
        give_back(model, message);
    } else {
        queue_again(message, MODEL_NOBODY, message->parked_for == ORG_CAUSE_DEFER);
    }
    overflow_may_end(model);
}

/* Nobody is there: what does not end by itself now is declined, or the supervisor is told. */
static void be_absent(struct model *model, const bool *is_waiting)
{
    if (model->on_absent != ORG_ACTION_DECLINE) {
        model->is_absence_told = true;
        model->owed += model->has_supervisor;
        return;
    }
    for (size_t i = 0; i < model->count; i++) {
        if (!is_waiting[i])
            continue;
        model->messages[i].state = ORG_DECLINED;
        tell_sender(model, &model->messages[i]);
        wake(model, model->messages[i].id);
    }
}

static void move_due(struct model *model);

/* A tick looks at what there is before it does anything. */
void model_tick(struct model *model)
{
    bool is_waiting[MODEL_MESSAGES_MAX] = {false};
    bool is_absence = is_absence_due(model);
    bool is_overflow = model->is_overflow_due;
    for (size_t i = 0; i < model->count; i++)
        is_waiting[i] = model->messages[i].state == ORG_QUEUED && due_of(&model->messages[i]) > model->now_ms;
    move_due(model);
    if (is_overflow) {
        model->is_overflow_due = false;
        model->is_overflow_told = true;
        model->refusal_count = 0;
        model->owed += model->has_supervisor && model->on_overflow != ORG_ACTION_RETRY;
        overflow_may_end(model);
    }
    if (is_absence)
        be_absent(model, is_waiting);
    overflow_may_end(model);
}

static void move_due(struct model *model)
{
    bool was_done[MODEL_MESSAGES_MAX] = {false}; /* one tick moves a message once */
    for (int moved = 0; moved < ORG_DUE_MAX; moved++) {
        struct model_message *first = NULL;
        for (size_t i = 0; i < model->count; i++) {
            struct model_message *message = &model->messages[i];
            if (!was_done[i] && due_of(message) <= model->now_ms &&
                (first == NULL || due_of(message) < due_of(first)))
                first = message;
        }
        if (first == NULL)
            return;
        was_done[first - model->messages] = true;
        be_due(model, first);
    }
}
