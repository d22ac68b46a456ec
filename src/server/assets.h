/* SPDX-License-Identifier: MIT */
/*
 * assets.h: the page and what it needs, as the build embedded it: the server is one file and serves nothing
 * from the disk, so no path can lead anywhere else.
 *
 * Place: a route like the others, without a token. Runs in the http actor; the bytes are constants.
 */
#ifndef SERVER_ASSETS_H
#define SERVER_ASSETS_H

#include <stdbool.h>

#include "server/request.h"

/** Whether there is an asset at this path; "/" is the page. */
bool assets_have(const char *path);

/** Ends a call with the asset at the path, or with 304 when the client has it already. */
void assets_answer(struct call *call, const char *path);

#endif
