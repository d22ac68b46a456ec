/* SPDX-License-Identifier: MIT */
/*
 * directory_decode.h: from the JSON of an actor, a role, a domain or a token to the organisation's command.
 * The same for a single call and for an element of an import; `where` stands before the names of members in
 * errors ("roles[3].").
 *
 * Texts in commands are borrowed from the document, lists lie in the room. Pure; any one thread.
 */
#ifndef SERVER_DIRECTORY_DECODE_H
#define SERVER_DIRECTORY_DECODE_H

#include <stdbool.h>

#include <jansson.h>

#include "org/directory.h"
#include "server/problem.h"
#include "server/scope.h"

/** Patterns of one domain that can be given at once. */
#define DECODE_PATTERNS_MAX 1000

/** Room for the lists of one command. */
struct decode_room {
    const char *holders[ORG_SUCCESSION_MAX];
    struct org_rule rules[DECODE_PATTERNS_MAX];
    struct org_absence absences[ORG_ABSENCES_MAX];
    char scopes[SCOPE_TEXT_SIZE];
    uint64_t keeps[ORG_KEEPS_MAX];
    char failure_rules[ORG_FAILURE_RULES_SIZE];
};

/** The team of an actor as it was said when it was made: the view names the root where nothing was. */
const char *decode_known_team(const struct org_directory *directory, const struct org_actor_view *known);

/** An actor, to be made. Not saying something of one that is there already is not saying something else. */
bool decode_actor(const struct org_directory *directory, const json_t *value, const char *where,
                  struct org_directory_command *ret_command, struct problem *problem);

/** A role, to be made. What is not said takes its default. */
bool decode_role(const json_t *value, const char *where, struct decode_room *room,
                 struct org_directory_command *ret_command, struct problem *problem);

/** A role that is there, with other values: what is not said of it stays. */
bool decode_role_again(const struct org_directory *directory, const json_t *value, struct decode_room *room,
                       struct org_directory_command *ret_command, struct problem *problem);

/** A domain, to be made, with patterns as in a CODEOWNERS file; "!" takes out. */
bool decode_domain(const json_t *value, const char *where, struct decode_room *room,
                   struct org_directory_command *ret_command, struct problem *problem);

/**
 * Whose token, for what and until when; the hash is left to the caller. Nobody makes a token that is good for
 * more than the one it is made with, which has `scopes`. The words of the new one's lie in the room.
 */
bool decode_token(const json_t *value, unsigned scopes, struct decode_room *room,
                  struct org_directory_command *ret_command, struct problem *problem);

/* --- directory_decode_more.c: changes of what is there ------------------------------------------ */

/** A role's new succession. */
bool decode_holders(const json_t *value, struct decode_room *room, struct org_directory_command *ret_command,
                    struct problem *problem);

/** A domain's new owner. */
bool decode_transfer(const json_t *value, struct org_directory_command *ret_command, struct problem *problem);

/** A token that is good no longer. */
bool decode_revoke(const json_t *value, const char **ret_token, struct problem *problem);

/** Whether somebody is there; `own` is who is meant when nobody is named. */
bool decode_presence(const json_t *value, const char *own, struct decode_room *room,
                     struct org_directory_command *ret_command, struct problem *problem);

/** When somebody works and is away; the time zone must be one of the system's. */
bool decode_calendar(const json_t *value, const char *own, struct decode_room *room,
                     struct org_directory_command *ret_command, struct problem *problem);

/** Which notices somebody wants. */
bool decode_notices(const json_t *value, const char *own, struct org_directory_command *ret_command,
                    struct problem *problem);

/** The words of that choice, by org_notices. */
extern const char *const decode_notice_words[ORG_NOTICES_DIGEST + 1];

/** Who leaves for good. */
bool decode_leave(const json_t *value, struct org_directory_command *ret_command, struct problem *problem);

#endif
