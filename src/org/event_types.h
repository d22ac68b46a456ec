/* SPDX-License-Identifier: MIT */
/*
 * event_types.h: from a stored event's number or name to its type, for those who show events or read them in
 * without knowing which they are: export and restore. Pure; any thread.
 */
#ifndef ORG_EVENT_TYPES_H
#define ORG_EVENT_TYPES_H

#include <stdint.h>

#include <troupe/message.h>

/** The type of events with this number, or NULL. */
const troupe_type *org_event_type(uint32_t id);

/** The type of events with this name, or NULL. */
const troupe_type *org_event_type_named(const char *name);

#endif
