/* SPDX-License-Identifier: MIT */
/*
 * role_fold.h: what the files that fold records share. Private to role_fold.c and role_fold_role.c.
 */
#ifndef ORG_ROLE_FOLD_H
#define ORG_ROLE_FOLD_H

#include "org/role_state.h"

/** Counts a record that does not fit the state. */
static inline void fold_misfit(struct org_role *role)
{
    role->counts.misfits++;
}

/** Whether a time of a record is one. */
static inline bool fold_is_time(int64_t ms)
{
    return ms >= 0 && ms <= ORG_TIME_MAX_MS;
}

/** Notes the last entry that came from another stream; nothing for "". */
void fold_source(struct org_role *role, const char *text, uint64_t number, uint64_t id);

/** role_fold_role.c */
void fold_opened(struct org_role *role, const struct record *record);
void fold_configured(struct org_role *role, const struct record *record);
void fold_rules(struct org_role *role, const struct record *record);
void fold_readable(struct org_role *role, const struct record *record);
void fold_presence(struct org_role *role, const struct record *record);
void fold_handed_over(struct org_role *role, const struct record *record);
void fold_refused(struct org_role *role, const struct record *record);
void fold_reported(struct org_role *role, const struct record *record);
void fold_troubled(struct org_role *role, const struct record *record);

#endif
