/* SPDX-License-Identifier: MIT */
/*
 * routes_calendar.c: importing a calendar, in three questions: whose it is (the directory), what the file
 * says (calendars.c), and that this is so from now on (the directory again, whose rule it is). Runs in the
 * http actor; the only waiting is in continuations.
 */
#include "server/routes_calendar.h"

#include <string.h>

#include "server/http.h"
#include "server/messages.h"

#define DIRECTORY_TIMEOUT_MS 30000
/* Other files may be before this one, and roles are set up after it. */
#define READ_TIMEOUT_MS 300000

#define THE_DIRECTORY "the directory"
#define THE_READER "the reader of calendars"

/* The arguments, borrowed from the request; for whom it is when nobody is named. */
static const char *person_of(const struct call *call)
{
    const char *actor = call_argument(call, "actor");
    return actor != NULL && actor[0] != '\0' ? actor : call->request->caller.actor;
}

static void ask(troupe_self *self, struct call *call, const char *name, troupe_reply_handler on_reply,
                const troupe_type *type, const void *fields)
{
    bool is_directory = strcmp(name, NAME_DIRECTORY) == 0;
    troupe_status status = troupe_ask_fields(self, troupe_whereis(self, name),
                                             is_directory ? DIRECTORY_TIMEOUT_MS : READ_TIMEOUT_MS, on_reply,
                                             call, type, fields);
    if (status != TROUPE_OK)
        call_end(call, status, NULL, is_directory ? THE_DIRECTORY : THE_READER);
}

static troupe_status on_set(troupe_self *self, troupe_status status, const troupe_message *reply,
                            void *context)
{
    (void)self;
    call_end(context, status, reply, THE_DIRECTORY);
    return TROUPE_OK;
}

static troupe_status on_read(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    struct call *call = context;
    const calendar_absences *read = status == TROUPE_OK ? calendar_absences_of(reply) : NULL;
    if (read == NULL) {
        call_end(call, status, reply, THE_READER);
        return TROUPE_OK;
    }
    directory_absences_fields fields = {.sources = troupe_bytes_of(reply, read->sources),
                                        .absences = troupe_bytes_of(reply, read->absences),
                                        .actor = call->request->caller.actor,
                                        .via = call->request->caller.through,
                                        .person = person_of(call),
                                        .calendar = troupe_text(reply, read->calendar),
                                        .events = read->events,
                                        .away = read->away};
    ask(self, call, NAME_DIRECTORY, on_set, &directory_absences_type, &fields);
    return TROUPE_OK;
}

static troupe_status on_person(troupe_self *self, troupe_status status, const troupe_message *reply,
                               void *context)
{
    struct call *call = context;
    const calendar_person_is *person = status == TROUPE_OK ? calendar_person_is_of(reply) : NULL;
    if (person == NULL) {
        call_end(call, status, reply, THE_DIRECTORY);
        return TROUPE_OK;
    }
    const struct buffer *body = &call->request->body;
    calendar_read_fields fields = {.file = {body->bytes, body->size},
                                   .zone = troupe_text(reply, person->zone),
                                   .mail = troupe_text(reply, person->mail),
                                   .calendar = call_argument(call, "calendar")};
    ask(self, call, NAME_CALENDARS, on_read, &calendar_read_type, &fields);
    return TROUPE_OK;
}

void route_import_calendar(troupe_self *self, struct call *call)
{
    const struct caller *caller = &call->request->caller;
    calendar_person_fields fields = {.actor = person_of(call),
                                     .by = caller->through[0] != '\0' ? caller->through : caller->actor};
    ask(self, call, NAME_DIRECTORY, on_person, &calendar_person_type, &fields);
}
