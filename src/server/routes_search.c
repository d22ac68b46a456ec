/* SPDX-License-Identifier: MIT */
/*
 * routes_search.c: routes_search.h. Runs in the http actor; the only waiting is in continuations.
 *
 *   arguments -> directory_readable -> journal_find_ask -> cards? --yes, or nothing is left--> answer
 *                        ^                                   |
 *                        +--- none yet, at most ROUNDS_MAX --+
 *
 * The journal looks at so many cards and no more; a page of a search that few of them fit may come after many
 * looks. Between two of them others are served.
 */
#include "server/routes_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/writer.h"
#include "org/id.h"
#include "org/name.h"
#include "org/role.h"
#include "server/http.h"
#include "server/messages.h"
#include "server/routes_members.h"
#include "server/view.h"

#define TIMEOUT_MS 30000
#define LIMIT_DEFAULT 50
#define LIMIT_MAX JOURNAL_FOUND_MAX
/* Looks for one call: 64,000 cards. Then the answer is a page with nothing on it, and where to go on. */
#define ROUNDS_MAX 64
#define THE_DIRECTORY "the directory"
#define THE_JOURNAL "the journal"

/* What is looked for; the texts lie in the request, but that of the stream. */
struct searching {
    journal_find_ask_fields fields;
    const char *role; /* NULL: any */
    char stream[ORG_NAME_LEN_MAX + sizeof ROLE_STREAM_PREFIX];
    uint32_t rounds;
};

_Static_assert(sizeof(struct searching) <= CALL_SCRATCH_SIZE, "a call has room for what a route keeps");

static struct searching *searching_of(struct call *call)
{
    return (struct searching *)(void *)call->scratch;
}

static void search_now(troupe_self *self, struct call *call);

/* --- the answer ------------------------------------------------------------------------------- */

static void fail(struct call *call, enum problem_kind kind, const char *detail)
{
    struct problem problem = {0};
    problem_set(&problem, kind, "%s", detail);
    call_fail(call, &problem);
}

static void answer(struct call *call, const troupe_message *reply, const journal_found *found)
{
    struct buffer json = {0};
    struct json_writer out = json_writer_to(&json);
    troupe_bytes cards = troupe_bytes_of(reply, found->cards);
    struct record_cursor cursor = record_cursor_at(cards.data, cards.size);
    struct journal_card_put found_card;
    json_open(&out, NULL, '{');
    json_open(&out, "messages", '[');
    while (journal_card_next(&cursor, &found_card) == TROUPE_OK && found_card.card != NULL)
        view_card(&out, found_card.card);
    json_close(&out, ']');
    char next[ORG_ID_TEXT_LEN + 1];
    org_id_text(found->next, next);
    json_put_text(&out, "next", found->next != 0 ? next : NULL);
    json_close(&out, '}');
    call_answer_written(call, 200, &out, &json);
}

static troupe_status on_found(troupe_self *self, troupe_status status, const troupe_message *reply,
                              void *context)
{
    struct call *call = context;
    struct searching *searching = searching_of(call);
    const journal_found *found = status == TROUPE_OK ? journal_found_of(reply) : NULL;
    if (found == NULL) {
        call_end(call, status, reply, THE_JOURNAL);
    } else if (found->status == TROUPE_INVALID) {
        fail(call, PROBLEM_MALFORMED, troupe_text(reply, found->reason));
    } else if (found->status != TROUPE_OK) {
        call_end(call, (troupe_status)found->status, NULL, THE_JOURNAL);
    } else if (found->count == 0 && found->next != 0 && ++searching->rounds < ROUNDS_MAX) {
        searching->fields.before = found->next;
        search_now(self, call);
    } else {
        answer(call, reply, found);
    }
    return TROUPE_OK;
}

/* --- looking ---------------------------------------------------------------------------------- */

static troupe_status on_readable(troupe_self *self, troupe_status status, const troupe_message *reply,
                                 void *context)
{
    struct call *call = context;
    struct searching *searching = searching_of(call);
    const readable_are *are = status == TROUPE_OK ? readable_are_of(reply) : NULL;
    if (are == NULL) {
        call_end(call, status, reply, THE_DIRECTORY);
        return TROUPE_OK;
    }
    if (!are->is_known) {
        struct problem problem = {0};
        problem_set(&problem, PROBLEM_NOT_FOUND, "there is no role %s", searching->role);
        call_fail(call, &problem);
        return TROUPE_OK;
    }
    journal_find_ask_fields fields = searching->fields;
    fields.readable = troupe_text(reply, are->streams);
    fields.stream = searching->role != NULL ? searching->stream : NULL;
    status = troupe_ask_fields(self, troupe_whereis(self, NAME_JOURNAL), TIMEOUT_MS, on_found, call,
                               &journal_find_ask_type, &fields);
    if (status != TROUPE_OK)
        call_end(call, status, NULL, THE_JOURNAL);
    return TROUPE_OK;
}

static void search_now(troupe_self *self, struct call *call)
{
    const struct searching *searching = searching_of(call);
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), TIMEOUT_MS, on_readable, call,
                   directory_readable, .actor = call->request->caller.actor, .role = searching->role);
    if (status != TROUPE_OK)
        call_again(self, call, status, THE_DIRECTORY);
}

/* --- arguments -------------------------------------------------------------------------------- */

static void take_state(struct call *call, struct problem *problem, uint32_t *ret_state)
{
    const char *text = call_argument(call, "state");
    if (text == NULL)
        return;
    for (uint32_t state = ORG_QUEUED; state <= ORG_SHED; state++) {
        if (strcmp(org_state_text((enum org_state)state), text) == 0)
            *ret_state = state;
    }
    if (*ret_state == 0)
        problem_set(problem, PROBLEM_MALFORMED, "\"state\" must be the state of a message, as \"queued\"");
}

static void take_id(struct call *call, const char *name, struct problem *problem, uint64_t *ret_id)
{
    const char *text = call_argument(call, name);
    if (text != NULL && problem->kind == PROBLEM_NONE)
        (void)member_parse_id(name, text, ret_id, problem);
}

static void take_limit(struct call *call, struct problem *problem, uint32_t *ret_limit)
{
    const char *text = call_argument(call, "limit");
    char *rest = NULL;
    unsigned long limit = text != NULL ? strtoul(text, &rest, 10) : LIMIT_DEFAULT;
    if (text != NULL && (*rest != '\0' || rest == text || limit < 1 || limit > LIMIT_MAX))
        problem_set(problem, PROBLEM_MALFORMED, "\"limit\" must be a whole number from 1 to %d", LIMIT_MAX);
    else
        *ret_limit = (uint32_t)limit;
}

/* Everything but the words. False: the call has ended. */
static bool take_arguments(struct call *call)
{
    struct searching *searching = searching_of(call);
    struct problem problem = {0};
    if (!argument_role(call, "role", &searching->role))
        return false;
    if (searching->role != NULL)
        snprintf(searching->stream, sizeof searching->stream, ROLE_STREAM_PREFIX "%s", searching->role);
    const char *from = call_argument(call, "from");
    searching->fields.author = from != NULL && from[0] == '@' ? from + 1 : from;
    searching->fields.holder = call_argument(call, "holder");
    searching->fields.reader = call->request->caller.actor;
    take_state(call, &problem, &searching->fields.state);
    take_id(call, "thread", &problem, &searching->fields.thread);
    take_id(call, "before", &problem, &searching->fields.before);
    if (problem.kind == PROBLEM_NONE)
        take_limit(call, &problem, &searching->fields.limit);
    if (problem.kind != PROBLEM_NONE)
        call_fail(call, &problem);
    return problem.kind == PROBLEM_NONE;
}

void route_messages(troupe_self *self, struct call *call)
{
    if (!take_arguments(call))
        return;
    call->again = search_now;
    search_now(self, call);
}

void route_search(troupe_self *self, struct call *call)
{
    const char *words = call_argument(call, "q");
    if (words == NULL || words[0] == '\0') {
        fail(call, PROBLEM_MALFORMED, "\"q\" is missing: the words to look for");
        return;
    }
    searching_of(call)->fields.words = words;
    route_messages(self, call);
}
