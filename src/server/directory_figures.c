/* SPDX-License-Identifier: MIT */
/*
 * directory_figures.c: how much people have to do, by their personal mailboxes. Figures about one person are
 * for that person; anybody else is told of groups alone, of those who hold a role in some team, and only of
 * ones that are large enough that nobody in them can be made out. Part of the directory actor; what is told
 * is what the roles last said.
 */
#include "server/directory_actor.h"
#include "server/json_writer.h"

/* The sums of a group. */
struct figures {
    uint64_t people;
    uint64_t queued;
    uint64_t held;
    uint64_t parked;
    uint64_t done;
    uint64_t declined;
    uint64_t forwarded;
    uint64_t expired;
};

static void add_person(struct figures *figures, const struct directory_actor *directory, const char *actor)
{
    char personal[ORG_NAME_LEN_MAX + 1];
    org_name_personal(actor, personal);
    const struct directory_entry *entry = directory_entry_find(directory, personal);
    figures->people++;
    if (entry == NULL)
        return;
    figures->queued += entry->load.queued;
    figures->held += entry->load.held;
    figures->parked += entry->load.parked;
    figures->done += entry->load.done;
    figures->declined += entry->load.declined;
    figures->forwarded += entry->load.forwarded;
    figures->expired += entry->load.expired;
}

static void add_team(struct figures *figures, const struct directory_actor *directory, const char *team)
{
    struct org_actor_view actor;
    for (size_t i = 0; org_directory_actor_at(directory->org, i, &actor); i++) {
        if (actor.kind == ORG_PERSON && org_directory_works_below(directory->org, actor.name, team))
            add_person(figures, directory, actor.name);
    }
}

static troupe_status answer(troupe_self *self, troupe_asker asker, const struct figures *figures)
{
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    json_open(&out, NULL, '{');
    json_put_number(&out, "people", (int64_t)figures->people);
    json_put_number(&out, "queued", (int64_t)figures->queued);
    json_put_number(&out, "held", (int64_t)figures->held);
    json_put_number(&out, "parked", (int64_t)figures->parked);
    json_put_number(&out, "done", (int64_t)figures->done);
    json_put_number(&out, "declined", (int64_t)figures->declined);
    json_put_number(&out, "forwarded", (int64_t)figures->forwarded);
    json_put_number(&out, "expired", (int64_t)figures->expired);
    json_close(&out, '}');
    troupe_status status = json_writer_end(&out);
    if (status == TROUPE_OK)
        status = troupe_reply(self, asker, answered, .status = 200, .json = {json.bytes, json.size});
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
    buffer_done(&json);
    return TROUPE_OK;
}

troupe_status directory_answer_figures(troupe_self *self, struct directory_actor *directory,
                                       const troupe_message *message, const directory_figures *asked)
{
    troupe_asker asker = troupe_asker_of(message);
    const char *team = troupe_text(message, asked->team);
    struct org_directory_role role;
    struct figures figures = {0};
    struct problem problem = {0};
    if (team[0] == '\0') {
        add_person(&figures, directory, troupe_text(message, asked->actor));
    } else if (!org_directory_role(directory->org, team, &role)) {
        problem_set(&problem, PROBLEM_NOT_FOUND, "there is no role %s", team);
    } else {
        add_team(&figures, directory, team);
        if (figures.people < ORG_FIGURES_GROUP_MIN)
            problem_set(&problem, PROBLEM_FORBIDDEN,
                        "figures of fewer than %d people are for each of them alone", ORG_FIGURES_GROUP_MIN);
    }
    if (problem.kind == PROBLEM_NONE)
        return answer(self, asker, &figures);
    directory_deny(self, asker, &problem);
    return TROUPE_OK;
}
