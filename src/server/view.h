/* SPDX-License-Identifier: MIT */
/*
 * view.h: what the organisation's state looks like as JSON, in one place, so that a message is written the
 * same way wherever it appears. docs/http-api.md has the members.
 *
 * Place: role actors render what they know, http what lists say. Pure; any one thread.
 */
#ifndef SERVER_VIEW_H
#define SERVER_VIEW_H

#include <stdbool.h>

#include "journal/card.h"
#include "org/role.h"
#include "server/json_writer.h"
#include "server/problem.h"

/** How a message ended; texts may be NULL or "". */
struct view_end {
    int64_t at;     /**< 0: not known */
    const char *by; /**< whoever ended it; a message that expired was ended by nobody */
    const char *text;
    const char *forwarded_to;
    uint64_t forwarded_id; /**< 0: it has not arrived there */
};

/** A message that has ended, whole. Of `message` only what it is, its id and its state count. */
void view_ended(struct json_writer *out, const char *role, const struct org_message *message,
                const struct view_end *end);

/** Writes a message that has not ended. `with_body`: its texts too, beside the subject. */
void view_message(struct json_writer *out, const char *role, const struct org_message *message,
                  bool with_body);

/** Writes the receipt for a message that was accepted, or the answer for one that belongs elsewhere. */
void view_receipt(struct json_writer *out, const char *role, const struct org_answer *answer);

/**
 * Writes what became of a message: its id, the role and a state; where it is not 0, until when it is held,
 * and how long that is from now; where it is not NULL, which role it was forwarded to.
 */
void view_outcome(struct json_writer *out, const char *role, uint64_t id, enum org_state state,
                  int64_t lease_until, int64_t now_ms, const char *forwarded_to);

/** States why a role refused. */
void view_refusal(struct problem *problem, const char *role, const struct org_answer *answer, int64_t now_ms);

/** Writes a message as lists show it, also one that has ended: what is on its card. */
void view_card(struct json_writer *out, const journal_card *card);

/** The names of the classes, in the order of enum org_class. */
extern const char *const view_classes[ORG_CLASS_COUNT];

/** Whether anybody is there to take what is sent: the words, in the order of enum org_availability. */
extern const char *const view_availabilities[ORG_VACANT + 1];

#endif
