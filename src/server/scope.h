/* SPDX-License-Identifier: MIT */
/*
 * scope.h: what a token is good for. A token without scopes may do whatever its owner may; one with scopes
 * only what they name, so that a program that answers mail cannot change the tree, should its token leak.
 *
 *     read    looking: the tree, owners, mailboxes, figures
 *     send    sending messages, and seeing what became of them
 *     work    taking messages and ending them, and the owner's own comings and goings
 *     admin   changing the organisation, and acting for others
 *
 * They are stored as words with a blank between. A word that is not known here (a later version's) allows
 * nothing. Place: the directory reads a token's scopes, intake holds them against the route's. Pure; any
 * thread.
 */
#ifndef SERVER_SCOPE_H
#define SERVER_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

/** The scopes, as bits of a set. */
enum scope {
    SCOPE_READ = 1u << 0,
    SCOPE_SEND = 1u << 1,
    SCOPE_WORK = 1u << 2,
    SCOPE_ADMIN = 1u << 3,
    SCOPE_ALL = (1u << 4) - 1,
};

enum { SCOPE_COUNT = 4, SCOPE_TEXT_SIZE = 64 };

/** Their names, in the order of the bits. */
extern const char *const scope_names[SCOPE_COUNT];

/** The set that stored words stand for; "" is all of them. */
unsigned scope_of_words(const char *words);

/** The words of a set, as they are stored: "" for all. `ret_words` has SCOPE_TEXT_SIZE bytes. */
void scope_to_words(unsigned scopes, char *ret_words);

/** The names of a set in a sentence: `"read" or "send"`. `ret_text` has SCOPE_TEXT_SIZE bytes. */
void scope_to_text(unsigned scopes, char *ret_text);

#endif
