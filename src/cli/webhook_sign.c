/* SPDX-License-Identifier: MIT */
/*
 * webhook_sign.c: see webhook_sign.h. Both directions of base64, and the hash, are libsodium's; secrets stay
 * in the struct that they were read into.
 */
#include "cli/webhook_sign.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    TIMESTAMP_SIZE = 24,
    BASE64_SIZE = sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES, sodium_base64_VARIANT_ORIGINAL),
};

static const char secret_prefix[] = "whsec_";
static const char version_prefix[] = "v1,";

_Static_assert(sizeof(version_prefix) - 1 + BASE64_SIZE - 1 == WEBHOOK_SIGNATURE_LEN,
               "there is room for each signature");

static const char *read_secret(const char *text, size_t length, struct webhook_secrets *secrets)
{
    size_t prefix = sizeof(secret_prefix) - 1;
    size_t size;
    if (secrets->count == WEBHOOK_SECRETS_MAX)
        return "there are more than four secrets";
    if (length < prefix || memcmp(text, secret_prefix, prefix) != 0)
        return "a secret does not begin with whsec_";
    unsigned char *bytes = secrets->each[secrets->count].bytes;
    const char *end;
    if (sodium_base642bin(bytes, WEBHOOK_SECRET_SIZE_MAX, text + prefix, length - prefix, NULL, &size, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text + length)
        return "a secret is not whsec_ and at most 64 bytes in base64";
    if (size < WEBHOOK_SECRET_SIZE_MIN)
        return "a secret has fewer than 24 bytes";
    secrets->each[secrets->count++].size = size;
    return NULL;
}

const char *webhook_read_secrets(const char *text, struct webhook_secrets *ret_secrets)
{
    struct webhook_secrets secrets = {0};
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        const char *problem = length == 0 ? NULL : read_secret(text, length, &secrets);
        if (problem != NULL)
            return problem;
        text += length + (text[length] == ' ');
    }
    if (secrets.count == 0)
        return "there is no secret";
    *ret_secrets = secrets;
    return NULL;
}

void webhook_sign(const struct webhook_secrets *secrets, const char *id, int64_t timestamp_s,
                  const void *body, size_t size, char ret_signatures[WEBHOOK_SIGNATURES_SIZE])
{
    char timestamp[TIMESTAMP_SIZE];
    size_t at = 0;
    snprintf(timestamp, sizeof(timestamp), ".%" PRId64 ".", timestamp_s);
    ret_signatures[0] = '\0';
    for (size_t i = 0; i < secrets->count; i++) {
        crypto_auth_hmacsha256_state state;
        unsigned char hash[crypto_auth_hmacsha256_BYTES];
        char text[BASE64_SIZE];
        crypto_auth_hmacsha256_init(&state, secrets->each[i].bytes, secrets->each[i].size);
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)id, strlen(id));
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)timestamp, strlen(timestamp));
        crypto_auth_hmacsha256_update(&state, body, size);
        crypto_auth_hmacsha256_final(&state, hash);
        sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
        at += (size_t)snprintf(ret_signatures + at, WEBHOOK_SIGNATURES_SIZE - at, "%s%s%s", i > 0 ? " " : "",
                               version_prefix, text);
    }
}
