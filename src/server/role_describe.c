/* SPDX-License-Identifier: MIT */
/*
 * role_describe.c: what a role says of itself: how it is set up, who holds it, what it has to do, and, to
 * those in its succession, the last hand-over note and what failed there. Part of the role actor; nothing
 * blocks.
 *
 * How loaded a role is everybody may see. A personal role is one person's: its figures are for that person.
 */
#include <string.h>

#include "org/id.h"
#include "server/role_actor.h"
#include "server/role_words.h"
#include "server/view.h"

/* Messages listed of those that failed. */
#define FAILED_MAX 100
/* And of those that are late. */
#define LATE_MAX 100

bool role_has_in_succession(const struct role_actor *actor, const char *who)
{
    const char *holder;
    for (size_t i = 0; (holder = org_role_holder(actor->role, i, NULL)) != NULL; i++) {
        if (strcmp(holder, who) == 0)
            return true;
    }
    return false;
}

static void put_holders(struct json_writer *out, const struct org_role *role)
{
    bool is_absent;
    const char *holder;
    json_open(out, "holders", '[');
    for (size_t i = 0; (holder = org_role_holder(role, i, &is_absent)) != NULL; i++) {
        json_open(out, NULL, '{');
        json_put_text(out, "name", holder);
        json_put_flag(out, "present", !is_absent);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void put_counts(struct json_writer *out, const struct org_counts *counts)
{
    json_put_number(out, "occupied", (int64_t)counts->occupied);
    json_put_number(out, "queued", (int64_t)counts->queued);
    json_put_number(out, "held", (int64_t)counts->held);
    json_put_number(out, "parked", (int64_t)counts->parked);
    json_put_number(out, "quarantined", (int64_t)counts->quarantined);
    json_put_number(out, "done", (int64_t)counts->done);
    json_put_number(out, "declined", (int64_t)counts->declined);
    json_put_number(out, "forwarded", (int64_t)counts->forwarded);
    json_put_number(out, "expired", (int64_t)counts->expired);
    json_put_number(out, "shed", (int64_t)counts->shed);
    json_put_number(out, "refused", (int64_t)counts->refused);
    json_put_number(out, "insisted", (int64_t)counts->insisted);
    json_put_number(out, "failures", (int64_t)counts->reported);
}

/* For those who hold the role, or will: what the last one left them, and what waits for a decision. */
static void put_inside(struct json_writer *out, const struct role_actor *actor,
                       const struct org_role_view *view, int64_t now_ms)
{
    if (view->note[0] != '\0') {
        json_open(out, "note", '{');
        json_put_text(out, "text", view->note);
        json_put_text(out, "by", view->note_by);
        json_put_number(out, "at", view->note_at);
        json_close(out, '}');
    }
    const struct org_message *list[FAILED_MAX];
    size_t count = org_role_list(actor->role, ORG_QUARANTINED, now_ms, list, FAILED_MAX);
    json_open(out, "failed", '[');
    for (size_t i = 0; i < count; i++)
        view_message(out, actor->name, list[i], false);
    json_close(out, ']');
}

void role_late_to(struct json_writer *out, const struct role_actor *actor, int64_t now_ms)
{
    const struct org_message *list[LATE_MAX];
    size_t count = org_role_list_late(actor->role, now_ms, list, LATE_MAX);
    json_open(out, NULL, '[');
    for (size_t i = 0; i < count; i++) {
        char id[ORG_ID_TEXT_LEN + 1];
        org_id_text(list[i]->id, id);
        json_open(out, NULL, '{');
        json_put_text(out, "role", actor->name);
        json_put_text(out, "id", id);
        json_put_text(out, "state", org_state_text(list[i]->state));
        json_put_number(out, "deadline", list[i]->accepted->deadline);
        json_put_text(out, "holder", list[i]->state == ORG_HELD ? list[i]->holder : NULL);
        json_close(out, '}');
    }
    json_close(out, ']');
}

void role_describe_to(struct json_writer *out, const struct role_actor *actor, const troupe_message *message,
                      const role_describe *describe, int64_t now_ms)
{
    struct org_role_view view = org_role_view(actor->role);
    struct org_counts counts = org_role_counts(actor->role);
    bool is_inside = role_has_in_succession(actor, troupe_text(message, describe->actor));
    json_open(out, NULL, '{');
    json_put_text(out, "name", view.name);
    json_put_text(out, "supervisor", view.supervisor[0] != '\0' ? view.supervisor : NULL);
    put_holders(out, actor->role);
    json_put_text(out, "holder", view.holder);
    json_put_text(out, "availability", view_availabilities[view.availability]);
    role_words_put(out, &view);
    role_words_put_failures(out, "own", describe->own);
    role_words_put_failure_rules(out, troupe_text(message, describe->rules));
    json_put_flag(out, "alarm", view.has_alarm);
    if (view.name[0] != '@' || is_inside)
        put_counts(out, &counts);
    if (is_inside || describe->is_administrator)
        put_inside(out, actor, &view, now_ms);
    json_close(out, '}');
}
