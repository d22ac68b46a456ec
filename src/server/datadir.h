/* SPDX-License-Identifier: MIT */
/*
 * datadir.h: the folder that a server keeps everything in, for its own user only (mode 0700):
 *
 *     DIR/troupe.db    the journal (and SQLite's files beside it)
 *     DIR/token        the token of the server's own user, an administrator; mode 0600, written once
 *
 * The token stands in the file before its hash is in the journal: a start that is cut off in between finds
 * the file and goes on. Main thread, before the actors; may block.
 */
#ifndef SERVER_DATADIR_H
#define SERVER_DATADIR_H

#include <limits.h>

#include "server/token.h"
#include <troupe/status.h>

/** The longest path of a data folder. */
#define DATADIR_PATH_MAX (PATH_MAX - 64)

/** Room for what goes wrong. */
#define DATADIR_WHY_SIZE (PATH_MAX + 256)

/** A data folder. */
struct datadir {
    char journal_path[PATH_MAX];
    char token_path[PATH_MAX];
    char token[TOKEN_TEXT_SIZE];
};

/**
 * Makes the folder and the token where they are missing, and reads the token. Otherwise `ret_why`
 * (DATADIR_WHY_SIZE bytes) says in one line what is wrong: TROUPE_INVALID (the path is too long, the token's
 * file holds something else), TROUPE_IO.
 */
TROUPE_MUST_CHECK troupe_status datadir_open(const char *path, struct datadir *ret_datadir, char *ret_why);

#endif
