/* SPDX-License-Identifier: MIT */
/*
 * directory_calendar.c: what a calendar that is kept elsewhere needs of the directory: the zone and address
 * of whose it is, and then, when it has been read, that these are the person's absences. Part of the
 * directory actor.
 */
#include <stdio.h>
#include <string.h>

#include "server/directory_actor.h"
#include "server/json_writer.h"

/* Whoever may not change somebody's calendar is told nothing of them either; the file need not be read. */
troupe_status directory_answer_person(troupe_self *self, struct directory_actor *directory,
                                      const troupe_message *message, const calendar_person *asked)
{
    const char *name = troupe_text(message, asked->actor);
    const char *by = troupe_text(message, asked->by);
    struct org_calendar_view calendar = {.zone = ""};
    struct org_actor_view actor = {.mail = ""};
    struct problem problem = {0};
    if (!org_directory_is_administrator(directory->org, by) && strcmp(by, name) != 0)
        problem_set(&problem, PROBLEM_FORBIDDEN, "%s: %s",
                    org_directory_refusal_text(ORG_DIRECTORY_FORBIDDEN), by);
    else if (!org_directory_actor(directory->org, name, &actor) ||
             !org_directory_calendar(directory->org, name, &calendar))
        problem_set(&problem, PROBLEM_NOT_FOUND, "%s: %s", org_directory_refusal_text(ORG_DIRECTORY_NO_ACTOR),
                    name);
    if (problem.kind != PROBLEM_NONE) {
        directory_deny(self, troupe_asker_of(message), &problem);
        return TROUPE_OK;
    }
    troupe_status status = troupe_reply(self, troupe_asker_of(message), calendar_person_is,
                                        .zone = calendar.zone, .mail = actor.mail);
    if (status != TROUPE_OK)
        troupe_refuse(self, troupe_asker_of(message), status);
    return TROUPE_OK;
}

static void write_answer(struct directory_task *task, const troupe_message *message,
                         const directory_absences *asked, size_t absence_count, bool has_changed)
{
    struct json_writer out = json_writer_to(&task->json);
    json_open(&out, NULL, '{');
    json_put_text(&out, "name", troupe_text(message, asked->person));
    if (asked->calendar.size > 0)
        json_put_text(&out, "calendar", troupe_text(message, asked->calendar));
    json_put_number(&out, "events", asked->events);
    json_put_number(&out, "away", asked->away);
    json_put_number(&out, "absences", (int64_t)absence_count);
    json_put_flag(&out, "changed", has_changed);
    json_close(&out, '}');
    if (json_writer_end(&out) != TROUPE_OK)
        problem_from_status(&task->problem, TROUPE_NO_MEMORY, "the directory");
}

troupe_status directory_begin_absences(troupe_self *self, struct directory_actor *directory,
                                       const troupe_message *message, const directory_absences *asked)
{
    troupe_bytes sources = troupe_bytes_of(message, asked->sources);
    troupe_bytes absences = troupe_bytes_of(message, asked->absences);
    struct directory_task *task = directory_task_new(self, directory, troupe_asker_of(message));
    if (task == NULL)
        return TROUPE_OK;
    struct org_directory_command command = {
        .kind = ORG_IMPORT_ABSENCES,
        .who = {troupe_text(message, asked->actor), troupe_text(message, asked->via)},
        .absences = {.actor = troupe_text(message, asked->person),
                     .sources = sources.data,
                     .source_count = sources.size / sizeof(uint64_t),
                     .absences = absences.data,
                     .absence_count = absences.size / sizeof(struct org_imported_absence)}};
    struct org_directory_answer answer;
    uint32_t before = directory->batch.count;
    snprintf(directory->changer, sizeof directory->changer, "%s", command.who.actor);
    if (directory_decide(self, directory, &command, &answer, &task->problem))
        write_answer(task, message, asked, command.absences.absence_count, directory->batch.count > before);
    task->seq = directory->seq + directory->batch.count;
    return TROUPE_OK;
}
