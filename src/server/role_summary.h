/* SPDX-License-Identifier: MIT */
/*
 * role_summary.h: what is known of a role without waking it: its counters, its holder, when something is due.
 * The role's actor writes it with each append, in the same transaction; the directory reads all of them when
 * it starts, and hears of changes by role_load, which has the same fields.
 *
 * A summary is a projection: it says nothing that the stream does not. One that is missing, or that another
 * version wrote, only means that the role is woken once. Pure; any thread.
 */
#ifndef SERVER_ROLE_SUMMARY_H
#define SERVER_ROLE_SUMMARY_H

#include <troupe.h>

#include "base/buffer.h"
#include "org/role.h"
#include "server/messages.h"

/** Nothing is due, ever. */
#define SUMMARY_NEVER INT64_MAX

/** The figures of a role; the texts are borrowed from it until it changes. `last_id` is the caller's. */
role_load_fields role_summary_of(const struct org_role *role, uint64_t last_id);

/** Adds the stored form to a buffer, at a multiple of 8. TROUPE_NO_MEMORY. */
TROUPE_MUST_CHECK troupe_status role_summary_write(const role_load_fields *fields, struct buffer *bytes);

/** What was stored, borrowed from the bytes, which lie at a multiple of 8; NULL when it is none of ours. */
const role_load *role_summary_read(const void *bytes, size_t size);

#endif
