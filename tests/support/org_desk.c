/* SPDX-License-Identifier: MIT */
/*
 * org_desk.c: roles for tests; org_desk.h says how. One thread.
 */
#include "support/org_desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "org/id.h"

/* --- both are well, and the same ----------------------------------------------------------------- */

static void check_role(const struct org_role *role)
{
    const char *reason = "";
    if (!org_role_check(role, &reason))
        fail_msg("%s", reason);
}

enum { LIST_MAX = 512, COMMANDS_BETWEEN_SLEEPS = 7 };

static void check_same_list(const struct desk *desk, enum org_state state)
{
    static const struct org_message *a[LIST_MAX];
    static const struct org_message *b[LIST_MAX];
    size_t count = org_role_list(desk->role, state, desk->now_ms, a, LIST_MAX);
    assert_int_equal(org_role_list(desk->mirror, state, desk->now_ms, b, LIST_MAX), count);
    for (size_t i = 0; i < count; i++) {
        assert_true(a[i]->id == b[i]->id);
        assert_int_equal(a[i]->attempts, b[i]->attempts);
        assert_int_equal(a[i]->cause, b[i]->cause);
        assert_string_equal(a[i]->holder == NULL ? "" : a[i]->holder,
                            b[i]->holder == NULL ? "" : b[i]->holder);
        assert_string_equal(a[i]->assigned == NULL ? "" : a[i]->assigned,
                            b[i]->assigned == NULL ? "" : b[i]->assigned);
        assert_true(a[i]->lease_until == b[i]->lease_until);
        assert_true(a[i]->parked_until == b[i]->parked_until);
    }
}

static void check_mirror(const struct desk *desk)
{
    struct org_counts a = org_role_counts(desk->role);
    struct org_counts b = org_role_counts(desk->mirror);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_true(org_role_due_ms(desk->role) == org_role_due_ms(desk->mirror));
    check_same_list(desk, ORG_QUEUED);
    check_same_list(desk, ORG_HELD);
    check_same_list(desk, ORG_PARKED);
    check_same_list(desk, ORG_QUARANTINED);
}

/* --- a desk -------------------------------------------------------------------------------------- */

void desk_init(struct desk *desk, const char *name, uint8_t place)
{
    memset(desk, 0, sizeof(*desk));
    assert_int_equal(org_role_new(name, &desk->role), TROUPE_OK);
    assert_int_equal(org_role_new(name, &desk->mirror), TROUPE_OK);
    snprintf(desk->stream, sizeof(desk->stream), "role/%s", name);
    desk->now_ms = DESK_START_MS;
    desk->last_id = org_id_next(0, DESK_START_MS, place);
}

void desk_open(struct desk *desk, const char *name, uint8_t place, const char *holders)
{
    desk_init(desk, name, place);
    desk_configure(desk, (struct org_configure){.seed = {1, place}}, holders);
    assert_int_equal(desk->answer.kind, ORG_ANSWER_OK);
}

void desk_configure(struct desk *desk, struct org_configure configure, const char *holders)
{
    char text[1024];
    const char *names[ORG_SUCCESSION_MAX + 1];
    if (holders != NULL) {
        snprintf(text, sizeof(text), "%s", holders);
        configure.holders = names;
        configure.holder_count = 0;
        for (char *at = text; *at != '\0';) {
            size_t len = strcspn(at, " ");
            names[configure.holder_count++] = at;
            bool is_last = at[len] == '\0';
            at[len] = '\0';
            at += len + !is_last;
        }
    }
    struct org_command command = {.kind = ORG_CONFIGURE, .who = {"admin", NULL}, .configure = configure};
    desk_do(desk, &command);
}

void desk_done(struct desk *desk)
{
    org_role_free(desk->role);
    org_role_free(desk->mirror);
    record_batch_done(&desk->journal);
}

/* The mirror goes on from a snapshot of itself, as an actor that slept. */
static void sleep_and_wake(struct desk *desk)
{
    struct buffer first = {0};
    struct buffer second = {0};
    struct org_role *woken = NULL;
    assert_int_equal(org_role_save(desk->mirror, &first), TROUPE_OK);
    assert_int_equal(org_role_restore(org_role_view(desk->mirror).name, first.bytes, first.size, &woken),
                     TROUPE_OK);
    assert_int_equal(org_role_save(woken, &second), TROUPE_OK);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.bytes, second.bytes, first.size);
    buffer_done(&first);
    buffer_done(&second);
    org_role_free(desk->mirror);
    desk->mirror = woken;
}

const struct org_answer *desk_do(struct desk *desk, const struct org_command *command)
{
    if (++desk->commands % COMMANDS_BETWEEN_SLEEPS == 0)
        sleep_and_wake(desk);
    size_t before = desk->journal.bytes.size;
    uint32_t count = desk->journal.count;
    struct record record;
    memset(&desk->answer, 0, sizeof(desk->answer));
    assert_int_equal(org_role_decide(desk->role, command, desk->now_ms, &desk->journal, &desk->answer),
                     TROUPE_OK);
    org_role_fold_batch(desk->role, &desk->journal, before);
    struct record_cursor cursor = record_cursor_of(&desk->journal);
    cursor.offset = before;
    while (record_next(&cursor, &record) == TROUPE_OK)
        assert_int_equal(org_role_replay(desk->mirror, &record), TROUPE_OK);
    desk->records = desk->journal.count - count;
    bool is_recorded = desk->answer.kind == ORG_ANSWER_REFUSED && desk->answer.refusal == ORG_REFUSED_FULL;
    if (desk->answer.kind == ORG_ANSWER_REFUSED || desk->answer.is_duplicate)
        assert_int_equal(desk->records, is_recorded);
    check_role(desk->role);
    check_role(desk->mirror);
    check_mirror(desk);
    return &desk->answer;
}

uint64_t desk_id(struct desk *desk)
{
    desk->last_id = org_id_next(desk->last_id, desk->now_ms, (uint8_t)(desk->last_id >> ORG_ID_COUNTER_BITS));
    return desk->last_id;
}

uint64_t desk_send_with(struct desk *desk, const char *actor, struct org_send send)
{
    if (send.id == 0)
        send.id = desk_id(desk);
    struct org_command command = {.kind = ORG_SEND, .who = {actor, NULL}, .send = send};
    desk_do(desk, &command);
    return desk->answer.kind == ORG_ANSWER_ACCEPTED ? desk->answer.id : 0;
}

uint64_t desk_send(struct desk *desk, const char *actor, enum org_class message_class, const char *subject)
{
    char sender[ORG_NAME_LEN_MAX + 1];
    snprintf(sender, sizeof(sender), "@%s", actor);
    return desk_send_with(
        desk, actor,
        (struct org_send){
            .sender = sender, .message_class = message_class, .subject = subject, .body = "body"});
}

uint64_t desk_next(struct desk *desk, const char *actor, uint32_t wip)
{
    struct org_command command = {.kind = ORG_NEXT, .who = {actor, NULL}, .next = {.wip_limit = wip}};
    desk_do(desk, &command);
    return desk->answer.kind == ORG_ANSWER_TAKEN ? desk->answer.id : 0;
}

const struct org_answer *desk_about(struct desk *desk, enum org_command_kind kind, const char *actor,
                                    struct org_about about)
{
    struct org_command command = {.kind = kind, .who = {actor, NULL}, .about = about};
    return desk_do(desk, &command);
}

void desk_wait(struct desk *desk, int64_t ms)
{
    int64_t until = desk->now_ms + ms;
    struct org_command command = {.kind = ORG_TICK};
    while (org_role_due_ms(desk->role) <= until) {
        if (org_role_due_ms(desk->role) > desk->now_ms)
            desk->now_ms = org_role_due_ms(desk->role);
        desk_do(desk, &command);
        assert_true(desk->records > 0);
    }
    desk->now_ms = until;
}

void desk_present(struct desk *desk, const char *actor, bool is_present)
{
    struct org_command command = {
        .kind = ORG_PRESENT, .who = {actor, NULL}, .present = {.actor = actor, .is_present = is_present}};
    desk_do(desk, &command);
}

enum org_state desk_state(const struct desk *desk, uint64_t id)
{
    enum org_state state;
    assert_true(org_role_state_of(desk->role, id, &state));
    return state;
}

struct org_counts desk_counts(const struct desk *desk)
{
    return org_role_counts(desk->role);
}

/* --- between desks ------------------------------------------------------------------------------- */

static bool deliver_one(struct desk *from, struct desk *to, const org_sent *sent, size_t size)
{
    char stream[sizeof(from->stream)];
    uint64_t number = sent->number;
    memcpy(stream, from->stream, sizeof(stream));
    struct org_command command = {
        .kind = ORG_DELIVER, .deliver = {.id = desk_id(to), .source = stream, .sent = sent, .size = size}};
    desk_do(to, &command);
    if (to->answer.kind != ORG_ANSWER_ACCEPTED)
        fail_msg("a delivery was refused: %s", org_refusal_text(to->answer.refusal));
    uint64_t id = to->answer.id;
    command.deliver.id = desk_id(to);
    desk_do(to, &command);
    assert_int_equal(to->answer.kind, ORG_ANSWER_ACCEPTED);
    assert_true(to->answer.is_duplicate);
    assert_true(to->answer.id == id);
    struct org_command acknowledge = {.kind = ORG_ACKNOWLEDGE, .acknowledge = {.number = number, .id = id}};
    desk_do(from, &acknowledge);
    assert_int_equal(from->answer.kind, ORG_ANSWER_OK);
    return true;
}

static size_t deliver_from(struct desk *from, struct desk *const *desks, size_t count)
{
    size_t arrived = 0;
    uint64_t number = 0;
    size_t size;
    const org_sent *sent;
    while ((sent = org_role_outbox_after(from->role, number, &size)) != NULL) {
        number = sent->number;
        for (size_t i = 0; i < count; i++) {
            const char *name = org_role_view(desks[i]->role).name;
            if (strcmp(name, owed_text(sent, sent->to)) == 0 && !org_role_outbox_waits(from->role, number)) {
                arrived += deliver_one(from, desks[i], sent, size);
                break;
            }
        }
    }
    return arrived;
}

size_t desks_deliver(struct desk *const *desks, size_t count)
{
    size_t arrived = 0;
    for (;;) {
        size_t before = arrived;
        for (size_t i = 0; i < count; i++)
            arrived += deliver_from(desks[i], desks, count);
        if (arrived == before)
            return arrived;
    }
}

const org_sent *desk_owed(const struct desk *desk)
{
    size_t size;
    const org_sent *sent = org_role_outbox_after(desk->role, 0, &size);
    assert_int_equal(org_role_counts(desk->role).owed, 1);
    assert_non_null(sent);
    return sent;
}

const org_sent *desk_owed_last(const struct desk *desk, size_t count)
{
    size_t size;
    const org_sent *last = NULL;
    const org_sent *sent = org_role_outbox_after(desk->role, 0, &size);
    assert_int_equal(org_role_counts(desk->role).owed, count);
    for (; sent != NULL; sent = org_role_outbox_after(desk->role, sent->number, &size))
        last = sent;
    assert_non_null(last);
    return last;
}

const char *owed_text(const org_sent *sent, troupe_span span)
{
    return troupe_flat_text(sent, span);
}

size_t desk_recorded(const struct desk *desk, const troupe_type *type)
{
    struct record record;
    struct record_cursor cursor = record_cursor_of(&desk->journal);
    size_t count = 0;
    while (record_next(&cursor, &record) == TROUPE_OK)
        count += record.type == type->id;
    return count;
}
