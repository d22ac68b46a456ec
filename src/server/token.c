/* SPDX-License-Identifier: MIT */
/*
 * token.c: making and hashing tokens; token.h says why so. Stateless; any thread after sodium_init.
 */
#include "server/token.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#define TOKEN_PREFIX "troupe_"

enum {
    TOKEN_SECRET_SIZE = 32,
    TOKEN_PREFIX_LEN = sizeof TOKEN_PREFIX - 1,
};

_Static_assert(TOKEN_PREFIX_LEN + sodium_base64_ENCODED_LEN(TOKEN_SECRET_SIZE,
                                                            sodium_base64_VARIANT_URLSAFE_NO_PADDING) ==
                   TOKEN_TEXT_SIZE,
               "a token's text is its prefix and its secret in base64");

void token_make(char ret_text[TOKEN_TEXT_SIZE])
{
    unsigned char secret[TOKEN_SECRET_SIZE];
    randombytes_buf(secret, sizeof secret);
    memcpy(ret_text, TOKEN_PREFIX, TOKEN_PREFIX_LEN);
    sodium_bin2base64(ret_text + TOKEN_PREFIX_LEN, TOKEN_TEXT_SIZE - TOKEN_PREFIX_LEN, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(secret, sizeof secret);
}

void token_hash(const char *text, size_t size, unsigned char ret_hash[TOKEN_HASH_SIZE])
{
    int result = crypto_generichash(ret_hash, TOKEN_HASH_SIZE, (const unsigned char *)text,
                                    (unsigned long long)size, NULL, 0);
    assert(result == 0);
    (void)result;
}

const char *token_of_header(const char *value)
{
    static const char scheme[] = "Bearer ";
    if (value == NULL || strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return NULL;
    value += sizeof scheme - 1;
    while (*value == ' ')
        value++;
    size_t size = strnlen(value, TOKEN_TEXT_LEN_MAX + 1);
    return size > 0 && size <= TOKEN_TEXT_LEN_MAX ? value : NULL;
}
