/* SPDX-License-Identifier: MIT */
/*
 * webhook_sign.h: the signature of Standard Webhooks, by which whoever gets a message knows who sent it, that
 * nobody changed it, and when that was.
 *
 *     secret     "whsec_" and 24 to 64 random bytes in base64; several, with spaces between them, while one
 *                takes the place of the other
 *     signed     ID.TIMESTAMP.BODY, the bytes as they are sent
 *     signature  "v1," and their HMAC-SHA256 in base64; one for each secret, with spaces between them
 *
 * Source: https://github.com/standard-webhooks/standard-webhooks, the specification, version 1.0.0.
 *
 * Place: under `troupe webhook`. Pure; any one thread.
 */
#ifndef CLI_WEBHOOK_SIGN_H
#define CLI_WEBHOOK_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEBHOOK_SECRETS_MAX = 4,
    WEBHOOK_SECRET_SIZE_MIN = 24, /* bytes, of what is behind "whsec_" when it is read */
    WEBHOOK_SECRET_SIZE_MAX = 64,
    WEBHOOK_SIGNATURE_LEN = 47, /* "v1," and 32 bytes in base64 */
    WEBHOOK_SIGNATURES_SIZE = WEBHOOK_SECRETS_MAX * (WEBHOOK_SIGNATURE_LEN + 1), /* with spaces and a NUL */
};

/** The secrets that a message is signed with, the newest first as they were written. */
struct webhook_secrets {
    size_t count;
    struct {
        unsigned char bytes[WEBHOOK_SECRET_SIZE_MAX];
        size_t size;
    } each[WEBHOOK_SECRETS_MAX];
};

/** Reads secrets; NULL when all is well, else what is wrong, in words that do not tell the secret. */
const char *webhook_read_secrets(const char *text, struct webhook_secrets *ret_secrets);

/** Writes the signatures of a message, one for each secret. */
void webhook_sign(const struct webhook_secrets *secrets, const char *id, int64_t timestamp_s,
                  const void *body, size_t size, char ret_signatures[WEBHOOK_SIGNATURES_SIZE]);

#endif
