/* SPDX-License-Identifier: MIT */
/*
 * calendars.h: the actor that reads iCalendar files. Reading takes as long as it takes, and libical keeps
 * state of its own: so there is one reader, with a thread of its own, and files wait for it in its mailbox.
 * It knows nothing and keeps nothing; whoever asks brings the person's zone and address along.
 *
 *   http --calendar_person--> directory --calendar_person_is--> http
 *        --calendar_read--> this actor --calendar_absences--> http
 *        --directory_absences--> directory, where the rule is --answered--> http
 */
#ifndef SERVER_CALENDARS_H
#define SERVER_CALENDARS_H

#include <troupe.h>

/** Files that wait, and their bytes; a further one is told to come back. */
#define CALENDARS_MAILBOX_LEN_MAX 64u
#define CALENDARS_MAILBOX_BYTES_MAX (64u << 20)

/** How the actor is started, under its name. */
troupe_spawn_options calendars_options(void);

/** The behaviour; it has no state. */
extern const troupe_behaviour calendars_behaviour;

#endif
