/* SPDX-License-Identifier: MIT */
/*
 * Facts about cli/webhook_sign: which secrets are some, and that signatures are those of Standard Webhooks.
 * The first is the example of the specification's own libraries. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/webhook_sign.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define TIMESTAMP 1614265330

static void sign(const char *secrets, const char *id, int64_t timestamp_s, const char *body,
                 char ret_text[WEBHOOK_SIGNATURES_SIZE])
{
    struct webhook_secrets read;
    assert_null(webhook_read_secrets(secrets, &read));
    webhook_sign(&read, id, timestamp_s, body, strlen(body), ret_text);
}

static void signature_is_that_of_the_specification(void **state)
{
    (void)state;
    char text[WEBHOOK_SIGNATURES_SIZE];
    sign(SECRET, ID, TIMESTAMP, BODY, text);
    assert_string_equal(text, SIGNATURE);
}

static void id_time_and_body_are_all_signed(void **state)
{
    (void)state;
    char text[WEBHOOK_SIGNATURES_SIZE];
    sign(SECRET, ID "x", TIMESTAMP, BODY, text);
    assert_string_not_equal(text, SIGNATURE);
    sign(SECRET, ID, TIMESTAMP + 1, BODY, text);
    assert_string_not_equal(text, SIGNATURE);
    sign(SECRET, ID, TIMESTAMP, BODY " ", text);
    assert_string_not_equal(text, SIGNATURE);
}

static void each_secret_signs(void **state)
{
    (void)state;
    char text[WEBHOOK_SIGNATURES_SIZE];
    sign(SECRET "  " SECRET " " SECRET " " SECRET " ", ID, TIMESTAMP, BODY, text);
    assert_string_equal(text, SIGNATURE " " SIGNATURE " " SIGNATURE " " SIGNATURE);
    assert_int_equal(strlen(text), WEBHOOK_SIGNATURES_SIZE - 1);
}

static void secrets_end_at_their_limits(void **state)
{
    (void)state;
    static const char *const good[] = {
        SECRET, /* 24 bytes */
        /* 64 bytes */
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
    };
    static const char *const bad[] = {
        "",
        " ",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ=", /* 23 bytes */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        /* 65 bytes */
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A=",
        SECRET " " SECRET " " SECRET " " SECRET " " SECRET,
        SECRET " whsec_",
    };
    struct webhook_secrets secrets;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_null(webhook_read_secrets(good[i], &secrets));
    assert_int_equal(secrets.each[0].size, WEBHOOK_SECRET_SIZE_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        secrets = (struct webhook_secrets){.count = 7};
        assert_non_null(webhook_read_secrets(bad[i], &secrets));
        assert_int_equal(secrets.count, 7); /* nothing is written */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_is_that_of_the_specification),
        cmocka_unit_test(id_time_and_body_are_all_signed),
        cmocka_unit_test(each_secret_signs),
        cmocka_unit_test(secrets_end_at_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
