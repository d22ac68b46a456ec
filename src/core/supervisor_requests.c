/* SPDX-License-Identifier: MIT */
/*
 * supervisor_requests.c: what others ask of a supervisor, as OTP's supervisor:start_child/2 and its sisters:
 * ordinary questions, answered when the supervisor comes to them. They are kept while a sequence of starts
 * and stops goes on, so that each finds all children at rest, as in OTP. Whoever asked is never left waiting
 * by the end of the supervisor: a question that it kept is answered with its end.
 *
 *   question --at rest--> acted on --its child started, ended: supervisor.c--> answer
 *       \--busy--> requests --the sequence is over--^
 */
#include <stdlib.h>
#include <string.h>

#include "core/ask.h"
#include "core/post.h"
#include "core/relief.h"
#include "core/supervisor.h"

enum request_kind {
    REQUEST_WHICH,
    REQUEST_COUNT,
    REQUEST_SPEC,
    REQUEST_START,
    REQUEST_TERMINATE,
    REQUEST_RESTART,
    REQUEST_DELETE,
};

struct request {
    struct request *next;
    enum request_kind kind;
    troupe_asker asker;
    troupe_ref who;
    struct child_spec *spec; /* START: owned */
    char id[TROUPE_CHILD_ID_LEN_MAX + 1];
};

/* How a child stands in a list: its id follows, with its NUL, and then up to the next multiple of 8. */
struct entry {
    troupe_ref who;
    uint8_t phase;
    uint8_t restart;
    uint8_t is_supervisor;
    uint8_t id_len;
};

void supervisor_requests_done(struct supervisor *supervisor)
{
    while (supervisor->requests != NULL) {
        struct request *request = supervisor->requests;
        supervisor->requests = request->next;
        supervisor_spec_unref(request->spec);
        free(request);
    }
}

static const char *id_of(const struct child *child)
{
    return child->spec->id == NULL ? "" : child->spec->id;
}

/* Describes a child to who asked. */
static void describe(troupe_self *self, const struct child *child, troupe_asker asker)
{
    const troupe_child_spec *spec = &child->spec->user;
    uint32_t shutdown_ms = spec->shutdown_ms != 0 ? spec->shutdown_ms : TROUPE_SHUTDOWN_MS_DEFAULT;
    troupe_status status =
        troupe_reply(self, asker, troupe_child, .id = id_of(child), .who = child->ref, .phase = child->phase,
                     .restart = (uint32_t)spec->restart, .shutdown_ms = shutdown_ms,
                     .failures = child->failures, .is_supervisor = spec->supervisor != NULL,
                     .is_significant = spec->is_significant, .is_killed = spec->is_killed,
                     .behaviour = spec->supervisor != NULL ? "supervisor" : spec->behaviour->name);
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
}

void supervisor_child_answer(troupe_self *self, struct child *child, troupe_status status)
{
    troupe_asker asker = child->asker;
    child->asker.ask = 0;
    if (asker.ask == 0)
        return;
    if (status == TROUPE_OK)
        describe(self, child, asker);
    else
        troupe_refuse(self, asker, status);
}

/* -- lists and counts ------------------------------------------------------------------------------------ */

static size_t entry_size(size_t id_len)
{
    return (sizeof(struct entry) + id_len + 1 + 7) / 8 * 8;
}

static void list(troupe_self *self, const struct supervisor *supervisor, troupe_asker asker)
{
    size_t size = 0;
    for (const struct child *child = supervisor->first; child != NULL; child = child->next)
        size += entry_size(strlen(id_of(child)));
    char *bytes = size > TROUPE_BODY_SIZE_MAX ? NULL : calloc(1, size + 1);
    if (bytes == NULL) {
        troupe_refuse(self, asker, size > TROUPE_BODY_SIZE_MAX ? TROUPE_TOO_LARGE : TROUPE_NO_MEMORY);
        return;
    }
    size_t at = 0;
    for (const struct child *child = supervisor->first; child != NULL; child = child->next) {
        size_t id_len = strlen(id_of(child));
        const struct entry entry = {.who = child->ref,
                                    .phase = child->phase,
                                    .restart = (uint8_t)child->spec->user.restart,
                                    .is_supervisor = child->spec->user.supervisor != NULL,
                                    .id_len = (uint8_t)id_len};
        memcpy(bytes + at, &entry, sizeof entry);
        memcpy(bytes + at + sizeof entry, id_of(child), id_len);
        at += entry_size(id_len);
    }
    troupe_status status =
        troupe_reply(self, asker, troupe_children, .count = supervisor->child_count, .list = {bytes, size});
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
    free(bytes);
}

bool troupe_children_next(const troupe_message *message, uint32_t *cursor, troupe_child_entry *ret_entry)
{
    const troupe_children *children = troupe_children_of(message);
    if (children == NULL)
        return false;
    troupe_bytes bytes = troupe_bytes_of(message, children->list);
    struct entry entry;
    if (*cursor > bytes.size || bytes.size - *cursor < sizeof entry)
        return false;
    const char *at = (const char *)bytes.data + *cursor;
    memcpy(&entry, at, sizeof entry);
    if (bytes.size - *cursor < entry_size(entry.id_len))
        return false;
    *ret_entry = (troupe_child_entry){.who = entry.who,
                                      .id = at + sizeof entry,
                                      .phase = (troupe_child_phase)entry.phase,
                                      .restart = (troupe_restart)entry.restart,
                                      .is_supervisor = entry.is_supervisor != 0};
    *cursor += (uint32_t)entry_size(entry.id_len);
    return true;
}

static void count(troupe_self *self, const struct supervisor *supervisor, troupe_asker asker)
{
    uint32_t supervisors = 0;
    for (const struct child *child = supervisor->first; child != NULL; child = child->next)
        supervisors += child->spec->user.supervisor != NULL;
    troupe_status status =
        troupe_reply(self, asker, troupe_children_count,
                     .specs = supervisor_is_simple(supervisor) ? 1 : supervisor->child_count,
                     .active = supervisor->live_count, .supervisors = supervisors,
                     .workers = supervisor->child_count - supervisors);
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
}

/* -- starting, stopping, forgetting ---------------------------------------------------------------------- */

/* Makes the spec given for a simple supervisor's child whole: all but its options is the pattern's. */
static troupe_status pattern_apply(struct supervisor *supervisor, struct child_spec **spec)
{
    struct child_spec *pattern = supervisor->pattern;
    struct child_spec *given = *spec;
    if (given == NULL) {
        pattern->users++;
        *spec = pattern;
        return TROUPE_OK;
    }
    if (given->user.behaviour != pattern->user.behaviour ||
        given->user.supervisor != pattern->user.supervisor)
        return TROUPE_INVALID;
    troupe_spawn_options options = given->user.options;
    free(given->id);
    given->id = NULL;
    given->user = pattern->user;
    given->user.options = options;
    return TROUPE_OK;
}

static void child_add(troupe_self *self, struct supervisor *supervisor, struct request *request)
{
    struct child *child = NULL;
    troupe_status status = TROUPE_OK;
    if (supervisor_is_simple(supervisor))
        status = pattern_apply(supervisor, &request->spec);
    else if (request->spec == NULL || request->spec->id == NULL)
        status = TROUPE_INVALID;
    if (status == TROUPE_OK)
        status = supervisor_child_append(supervisor, request->spec, &child);
    if (status != TROUPE_OK) {
        troupe_refuse(self, request->asker, status);
        return;
    }
    request->spec = NULL;
    child->asker = request->asker;
    child->is_requested = child->is_new = request->asker.ask != 0;
    supervisor_child_want(self, supervisor, child);
}

static void child_restart(troupe_self *self, struct supervisor *supervisor, struct child *child,
                          troupe_asker asker)
{
    child->asker = asker;
    child->is_requested = asker.ask != 0;
    supervisor_child_want(self, supervisor, child);
}

static void child_forget(troupe_self *self, struct supervisor *supervisor, struct child *child,
                         troupe_asker asker)
{
    describe(self, child, asker);
    supervisor_child_remove(supervisor, child);
}

static bool is_down(const struct child *child)
{
    return child->phase == CHILD_DOWN && !child->is_wanted;
}

/* What concerns one child that is there. */
static void act_on_child(troupe_self *self, struct supervisor *supervisor, const struct request *request)
{
    bool is_kept = request->kind == REQUEST_RESTART || request->kind == REQUEST_DELETE;
    struct child *child = request->id[0] != '\0' ? supervisor_child_by_id(supervisor, request->id)
                                                 : supervisor_child_by_ref(supervisor, request->who);
    if (is_kept && supervisor_is_simple(supervisor))
        troupe_refuse(self, request->asker, TROUPE_INVALID);
    else if (child == NULL || (request->kind == REQUEST_TERMINATE && child->is_expected))
        troupe_refuse(self, request->asker, TROUPE_NOT_FOUND);
    else if (is_kept && !is_down(child))
        troupe_refuse(self, request->asker, TROUPE_RUNNING);
    else if (request->kind == REQUEST_SPEC)
        describe(self, child, request->asker);
    else if (request->kind == REQUEST_TERMINATE)
        supervisor_child_terminate(self, supervisor, child, request->asker);
    else if (request->kind == REQUEST_RESTART)
        child_restart(self, supervisor, child, request->asker);
    else
        child_forget(self, supervisor, child, request->asker);
}

/* Acts on a request; whatever is left of it is the caller's to free. */
static void act(troupe_self *self, struct supervisor *supervisor, struct request *request)
{
    if (request->kind == REQUEST_WHICH)
        list(self, supervisor, request->asker);
    else if (request->kind == REQUEST_COUNT)
        count(self, supervisor, request->asker);
    else if (request->kind == REQUEST_START)
        child_add(self, supervisor, request);
    else
        act_on_child(self, supervisor, request);
}

static void child_named(struct request *request, const troupe_message *message, enum request_kind kind)
{
    const troupe_get_childspec *named = troupe_body(message); /* all four have these fields */
    const char *id = troupe_text(message, named->id);
    request->kind = kind;
    request->who = named->who;
    if (named->id.size <= TROUPE_CHILD_ID_LEN_MAX) /* else there is no such child */
        memcpy(request->id, id, named->id.size);
    else
        request->who = troupe_ref_none();
}

/* Reads a request out of a message, and takes out of it what it owns; false: it is none. */
static bool request_read(const troupe_message *message, struct request *ret_request)
{
    *ret_request = (struct request){.asker = troupe_asker_of(message)};
    if (message->flags == MESSAGE_CHILD) {
        struct child_spec **spec = (struct child_spec **)(uintptr_t)troupe_body(message);
        ret_request->kind = REQUEST_START;
        ret_request->spec = *spec;
        *spec = NULL;
    } else if (troupe_which_children_of(message) != NULL) {
        ret_request->kind = REQUEST_WHICH;
    } else if (troupe_count_children_of(message) != NULL) {
        ret_request->kind = REQUEST_COUNT;
    } else if (troupe_get_childspec_of(message) != NULL) {
        child_named(ret_request, message, REQUEST_SPEC);
    } else if (troupe_terminate_child_of(message) != NULL) {
        child_named(ret_request, message, REQUEST_TERMINATE);
    } else if (troupe_restart_child_of(message) != NULL) {
        child_named(ret_request, message, REQUEST_RESTART);
    } else if (troupe_delete_child_of(message) != NULL) {
        child_named(ret_request, message, REQUEST_DELETE);
    } else {
        return false;
    }
    return true;
}

troupe_status supervisor_request(troupe_self *self, struct supervisor *supervisor,
                                 const troupe_message *message, bool is_busy)
{
    struct request request;
    if (!request_read(message, &request))
        return TROUPE_UNEXPECTED;
    if (!is_busy) {
        act(self, supervisor, &request);
        supervisor_spec_unref(request.spec);
        return TROUPE_OK;
    }
    struct request *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        supervisor_spec_unref(request.spec);
        troupe_refuse(self, request.asker, TROUPE_NO_MEMORY);
        return TROUPE_OK;
    }
    *kept = request;
    if (supervisor->requests == NULL)
        supervisor->requests = kept;
    else
        supervisor->requests_last->next = kept;
    supervisor->requests_last = kept;
    return TROUPE_OK;
}

bool supervisor_request_next(troupe_self *self, struct supervisor *supervisor)
{
    struct request *request = supervisor->requests;
    if (request == NULL)
        return false;
    supervisor->requests = request->next;
    act(self, supervisor, request);
    supervisor_spec_unref(request->spec);
    free(request);
    return true;
}

/* -- what cannot be said with a message: a spec ---------------------------------------------------------- */

/* Sends a spec, which it takes in any case. */
static troupe_status spec_post(struct worker *worker, troupe_ref to, struct child_spec *spec, uint64_t ask)
{
    static const troupe_type type = {.name = "troupe_child_spec", .id = 1, .version = 1};
    struct actor *actor = system_find(worker->self.context.system, to);
    troupe_message *message = actor == NULL ? NULL : message_new(worker, &type, sizeof spec);
    if (message == NULL) {
        supervisor_spec_unref(spec);
        return actor == NULL ? TROUPE_NO_ACTOR : TROUPE_NO_MEMORY;
    }
    message->flags = MESSAGE_CHILD;
    message->sender = worker->self.ref;
    message->ask = ask;
    memcpy(message + 1, &spec, sizeof spec);
    post_unbounded(worker, to, message);
    return TROUPE_OK;
}

troupe_status troupe_context_supervisor_add(troupe_context *from, troupe_ref to,
                                            const troupe_child_spec *user)
{
    struct child_spec *spec = NULL;
    troupe_status status = user == NULL ? TROUPE_OK : supervisor_spec_new(user, true, &spec);
    if (status != TROUPE_OK)
        return status;
    struct worker *worker = context_enter(from);
    status = spec_post(worker, to, spec, 0);
    context_leave(from);
    return status;
}

troupe_status troupe_start_child(troupe_self *self, troupe_ref supervisor, const troupe_child_spec *child,
                                 uint32_t timeout_ms, troupe_reply_handler on_reply, void *context)
{
    RUNTIME_SCOPE(self);
    struct child_spec *spec = NULL;
    uint64_t ask;
    troupe_status status = on_reply == NULL ? TROUPE_INVALID : TROUPE_OK;
    if (status == TROUPE_OK && child != NULL)
        status = supervisor_spec_new(child, child->id != NULL, &spec);
    if (status == TROUPE_OK)
        status = ask_begin(worker, self->actor, supervisor, timeout_ms, on_reply, context, &ask);
    if (status != TROUPE_OK) {
        supervisor_spec_unref(spec);
        return status;
    }
    status = spec_post(worker, supervisor, spec, ask);
    if (status != TROUPE_OK)
        ask_undo(worker, self->actor, ask);
    return status;
}

static troupe_status call_start_child(troupe_self *self, const struct call *call,
                                      troupe_reply_handler on_reply)
{
    return troupe_start_child(self, call->to, call->fields, call->timeout_ms, on_reply, NULL);
}

troupe_status troupe_call_start_child(troupe_system *system, troupe_ref supervisor,
                                      const troupe_child_spec *child, uint32_t timeout_ms,
                                      troupe_ref *ret_ref)
{
    troupe_message *reply;
    struct call call = {.ask = call_start_child, .to = supervisor, .timeout_ms = timeout_ms, .fields = child};
    troupe_status status = call_run(system, &call, &reply);
    if (status != TROUPE_OK)
        return status;
    *ret_ref = troupe_child_of(reply)->who;
    troupe_message_free(system, &reply);
    return TROUPE_OK;
}
