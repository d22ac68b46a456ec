/* SPDX-License-Identifier: MIT */
/*
 * token.h: the secrets that callers show. A token is 32 random bytes, written "troupe_" and 43 characters of
 * URL-safe base64. The server keeps only its BLAKE2b hash: a token is as random as a key, so a fast hash is
 * enough (there is nothing to guess), and whoever reads the journal cannot act with it. Looking a hash up may
 * take as long as it takes: what its time could tell is about the hash, of which no token follows.
 *
 * Place: auth, before anything else on a request's way. Randomness comes from the system's generator through
 * libsodium: a secret must never follow from a seed. Any thread after sodium_init.
 */
#ifndef SERVER_TOKEN_H
#define SERVER_TOKEN_H

#include <stddef.h>

/** Bytes of a token's hash. */
#define TOKEN_HASH_SIZE 32
/** Characters of a token, without and with the ending NUL. */
#define TOKEN_TEXT_LEN 50
#define TOKEN_TEXT_SIZE (TOKEN_TEXT_LEN + 1)
/** The longest text after "Bearer " that is looked at; longer ones are unknown tokens. */
#define TOKEN_TEXT_LEN_MAX 256

/** A new token, unlike every other. */
void token_make(char ret_text[TOKEN_TEXT_SIZE]);

/** The hash of what a caller showed, whatever it is. */
void token_hash(const char *text, size_t size, unsigned char ret_hash[TOKEN_HASH_SIZE]);

/**
 * The token in the value of an Authorization header: "Bearer TOKEN", the scheme in any case. NULL: there is
 * none.
 */
const char *token_of_header(const char *value);

#endif
