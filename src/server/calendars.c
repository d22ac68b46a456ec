/* SPDX-License-Identifier: MIT */
/*
 * calendars.c: the actor of calendars.h: a file in, its absences out. Runs on a thread of its own and blocks
 * while it reads.
 */
#include "server/calendars.h"

#include <string.h>

#include "server/icalendar.h"
#include "server/messages.h"
#include "server/problem.h"
#include "server/zones.h"

static void deny(troupe_self *self, troupe_asker asker, const struct problem *problem)
{
    troupe_status status =
        troupe_reply(self, asker, denied, .kind = (uint32_t)problem->kind, .detail = problem->detail);
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
}

static void refuse(troupe_self *self, troupe_asker asker, troupe_status status,
                   const struct icalendar_problem *wrong)
{
    struct problem problem = {0};
    enum problem_kind kind = status == TROUPE_TOO_LARGE ? PROBLEM_TOO_LARGE : PROBLEM_MALFORMED;
    if (status != TROUPE_TOO_LARGE && status != TROUPE_MALFORMED)
        problem_from_status(&problem, status, "the reader of calendars");
    else if (wrong->line > 0)
        problem_set(&problem, kind, "line %u: %s", wrong->line, wrong->reason);
    else
        problem_set(&problem, kind, "%s", wrong->reason);
    deny(self, asker, &problem);
}

static troupe_status read_file(troupe_self *self, const troupe_message *message, const calendar_read *asked)
{
    troupe_bytes file = troupe_bytes_of(message, asked->file);
    troupe_asker asker = troupe_asker_of(message);
    struct icalendar_reading reading = {.name = troupe_text(message, asked->calendar),
                                        .mail = troupe_text(message, asked->mail),
                                        .now_ms = troupe_unix_ms(self),
                                        .find_zone = zones_find};
    struct icalendar calendar;
    struct icalendar_problem wrong;
    (void)zones_find(troupe_text(message, asked->zone), &reading.zone);
    troupe_status status = icalendar_read(file.data, file.size, &reading, &calendar, &wrong);
    if (status != TROUPE_OK) {
        refuse(self, asker, status, &wrong);
        return TROUPE_OK;
    }
    status = troupe_reply(self, asker, calendar_absences,
                          .sources = {calendar.sources, calendar.source_count * sizeof *calendar.sources},
                          .absences = {calendar.absences, calendar.absence_count * sizeof *calendar.absences},
                          .calendar = calendar.name, .events = (uint32_t)calendar.event_count,
                          .away = (uint32_t)calendar.away_count);
    if (status != TROUPE_OK)
        troupe_refuse(self, asker, status);
    icalendar_done(&calendar);
    return TROUPE_OK;
}

static troupe_status calendars_receive(troupe_self *self, const troupe_message *message)
{
    const calendar_read *asked = calendar_read_of(message);
    return asked != NULL ? read_file(self, message, asked) : TROUPE_UNEXPECTED;
}

const troupe_behaviour calendars_behaviour = {.name = "calendars", .receive = calendars_receive};

troupe_spawn_options calendars_options(void)
{
    return (troupe_spawn_options){.name = NAME_CALENDARS,
                                  .mailbox_len_max = CALENDARS_MAILBOX_LEN_MAX,
                                  .mailbox_bytes_max = CALENDARS_MAILBOX_BYTES_MAX,
                                  .own_thread = true};
}
