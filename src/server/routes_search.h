/* SPDX-License-Identifier: MIT */
/*
 * routes_search.h: the routes that list and find messages, also those that have ended, without waking a role.
 *
 * Place on a message's way: routes -> here -> the directory (whose messages may be read?) -> the journal's
 * writer (journal_find) -> the answer. Runs in the http actor.
 */
#ifndef SERVER_ROUTES_SEARCH_H
#define SERVER_ROUTES_SEARCH_H

#include "server/request.h"

/** By words, and whatever else is said. */
void route_search(troupe_self *self, struct call *call);

/** By whatever is said; all that may be read when nothing is. */
void route_messages(troupe_self *self, struct call *call);

#endif
