/* SPDX-License-Identifier: MIT */
/*
 * name.h: what things are called. A name is 1 to 128 bytes of a-z 0-9 - _ . and, between its parts, a slash;
 * a part is never empty and never only dots, so that a name is also a safe path of a URL or a file. An
 * actor's name has one part; "@" and an actor's name are the name of its personal role.
 *
 *     payments/oncall   a role or a domain        ann   an actor        @ann   its personal role
 *
 * Place: a leaf of org; everything that takes a name from outside asks here first. Pure functions, any
 * thread.
 */
#ifndef ORG_NAME_H
#define ORG_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "org/limits.h"

/** Whether a text is the name of a role or domain, personal roles not included. */
bool org_name_is_role(const char *text);

/** Whether a text is the name of an actor. */
bool org_name_is_actor(const char *text);

/** Whether a text is an address: the name of a role or of an actor's personal role. */
bool org_name_is_address(const char *text);

/**
 * Makes one part of a name from any text: letters become small, each run of other bytes than a-z 0-9 _ .
 * becomes one "-", and there is none at the ends. What is longer than `len_max` is cut there. Writes at most
 * len_max + 1 bytes and returns the length; 0 when nothing of the text can stand in a name.
 */
size_t org_name_slug(const char *text, size_t len_max, char *ret_slug);

/**
 * Makes the name of an actor's personal role. `ret_name` has ORG_NAME_LEN_MAX + 1 bytes; the actor's name is
 * a good one.
 */
void org_name_personal(const char *actor, char *ret_name);

/** Whether a name is one of a list's, one a line. */
bool org_name_is_in(const char *name, const char *lines);

/** The first name of a list, "" of an empty one. `ret_name` has ORG_NAME_LEN_MAX + 1 bytes. */
void org_name_first(const char *lines, char *ret_name);

#endif
