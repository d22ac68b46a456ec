/* SPDX-License-Identifier: MIT */
/*
 * directory_decision.h: one decision on its way: the command, what was written for it and the answer. Private
 * to directory_decide.c, which has the rules of single things, and directory_import.c. One thread.
 */
#ifndef ORG_DIRECTORY_DECISION_H
#define ORG_DIRECTORY_DECISION_H

#include "org/directory_state.h"

/** A decision. Once `status` is not TROUPE_OK or the answer a refusal, nothing more is written. */
struct directory_decision {
    struct org_directory *directory;
    const struct org_directory_command *command;
    const char *by;
    const char *via;
    int64_t now_ms;
    struct record_batch *batch;
    struct org_directory_answer *answer;
    troupe_status status;
};

/** What became of a thing that was to be written. */
enum directory_written {
    DIRECTORY_SAME, /* it is so already, nothing was written */
    DIRECTORY_MADE,
    DIRECTORY_CHANGED,
    DIRECTORY_NOT, /* out of memory, or refused */
};

/** NULL as "". */
static inline const char *directory_text(const char *text)
{
    return text == NULL ? "" : text;
}

/** Refuses, once: the first reason stays. `subject` may be NULL; always false, for returning it. */
bool directory_refuse(struct directory_decision *d, enum org_directory_refusal refusal, const char *subject);

/** Whether a text is one line (or lines) of text, and no longer than its limit; else refuses. */
bool directory_check_line(struct directory_decision *d, const char *text, size_t len_max);
bool directory_check_lines(struct directory_decision *d, const char *text, size_t len_max);

/** Whether a pattern can be used; else refuses, with the reason, or runs out of memory. */
bool directory_check_rule(struct directory_decision *d, const struct org_rule *rule);

/** Adds a rule as a line of a domain's patterns. */
troupe_status directory_add_rule(struct buffer *patterns, const struct org_rule *rule);

/**
 * Writes a record unless `old`, the body that set the thing before or NULL, says the same, whoever said it
 * and when.
 */
enum directory_written directory_write(struct directory_decision *d, const troupe_type *type,
                                       const void *fields, const void *old);

/** What sets a role as it is, to change something of it; its texts are the role's. */
org_role_set_fields directory_role_fields(const struct directory_role *role);

/** directory_calendar.c */
void directory_decide_calendar(struct directory_decision *d);
void directory_decide_presence(struct directory_decision *d);
void directory_decide_notices(struct directory_decision *d);
void directory_decide_leave(struct directory_decision *d);

/** directory_notices.c */
void directory_decide_notice(struct directory_decision *d);

/**
 * The actor whose calendar is meant, if whoever commands may change it: it itself, or an administrator.
 * MAP_NONE after refusing.
 */
uint32_t directory_actor_meant(struct directory_decision *d, const char *name, bool *ret_by_administrator);

/** directory_imported.c: an import, and the end of what covers now, because the actor is back. */
void directory_decide_import_absences(struct directory_decision *d);
void directory_end_imported(struct directory_decision *d, uint32_t index);

/** Decides ORG_IMPORT_MAINTAINERS. */
void directory_decide_import(struct directory_decision *d);

#endif
