/* SPDX-License-Identifier: MIT */
/*
 * server_token_test.c: tokens differ, hash alike, and are read from a header as RFC 6750 writes it.
 * One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "server/token.h"

static void tokens_differ_and_have_the_stated_length(void **state)
{
    (void)state;
    char one[TOKEN_TEXT_SIZE];
    char two[TOKEN_TEXT_SIZE];
    token_make(one);
    token_make(two);
    assert_int_equal(strlen(one), TOKEN_TEXT_LEN);
    assert_string_not_equal(one, two);
    assert_int_equal(strncmp(one, "troupe_", 7), 0);
    assert_int_equal(strspn(one, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                     TOKEN_TEXT_LEN);
}

static void a_hash_is_blake2b_and_tells_tokens_apart(void **state)
{
    (void)state;
    unsigned char hash[TOKEN_HASH_SIZE];
    unsigned char other[TOKEN_HASH_SIZE];
    /* BLAKE2b-256 of "abc", from the reference implementation. */
    static const unsigned char expected[TOKEN_HASH_SIZE] = {
        0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef, 0x3f, 0xee, 0x98, 0x57, 0x9b,
        0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb, 0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    token_hash("abc", 3, hash);
    assert_memory_equal(hash, expected, sizeof hash);
    token_hash("abd", 3, other);
    assert_memory_not_equal(hash, other, sizeof hash);
}

static void a_header_is_read_with_its_scheme_in_any_case(void **state)
{
    (void)state;
    assert_string_equal(token_of_header("Bearer abc"), "abc");
    assert_string_equal(token_of_header("bearer   abc"), "abc");
    assert_null(token_of_header(NULL));
    assert_null(token_of_header(""));
    assert_null(token_of_header("Bearer "));
    assert_null(token_of_header("Basic YTpi"));
}

static void a_token_longer_than_the_limit_is_none(void **state)
{
    (void)state;
    char value[sizeof "Bearer " + TOKEN_TEXT_LEN_MAX + 1] = "Bearer ";
    memset(value + 7, 'a', TOKEN_TEXT_LEN_MAX);
    assert_non_null(token_of_header(value));
    value[7 + TOKEN_TEXT_LEN_MAX] = 'a';
    assert_null(token_of_header(value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_differ_and_have_the_stated_length),
        cmocka_unit_test(a_hash_is_blake2b_and_tells_tokens_apart),
        cmocka_unit_test(a_header_is_read_with_its_scheme_in_any_case),
        cmocka_unit_test(a_token_longer_than_the_limit_is_none),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
