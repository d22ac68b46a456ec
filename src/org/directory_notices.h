/* SPDX-License-Identifier: MIT */
/*
 * directory_notices.h: notices that go out: which one is due to an actor, and what the last ones told. That
 * one goes out is commanded as ORG_NOTICE (directory.h).
 *
 * Place: between org/directory.h and the directory's actor, which knows what waits. One thread.
 */
#ifndef ORG_DIRECTORY_NOTICES_H
#define ORG_DIRECTORY_NOTICES_H

#include "org/directory.h"

/** What is due of what waits for an actor, by its choice and its absences, and when to look next. */
struct org_notice_look org_directory_notice_look(const struct org_directory *directory,
                                                 const struct org_notice *notice, int64_t now_ms);

/** A notice that went out. Texts live until the next fold. */
struct org_notice_view {
    uint64_t number; /* of its actor's: 1 is the first */
    int64_t at;
    enum org_notices kind;
    const char *roles; /* for org_notice_next_role */
};

/** How many notices went out to an actor: the number of the last. */
uint64_t org_directory_notice_last(const struct org_directory *directory, const char *name);

/**
 * The first notice to an actor after a number, of the ORG_NOTICES_KEPT last ones; false when there is none.
 */
bool org_directory_notice(const struct org_directory *directory, const char *name, uint64_t after,
                          struct org_notice_view *ret_notice);

#endif
