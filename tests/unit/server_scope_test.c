/* SPDX-License-Identifier: MIT */
/*
 * server_scope_test.c: what a token is good for, as words and as a set. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/scope.h"

static void every_set_of_scopes_reads_back_from_its_words(void **state)
{
    (void)state;
    for (unsigned scopes = 1; scopes <= SCOPE_ALL; scopes++) {
        char words[SCOPE_TEXT_SIZE];
        scope_to_words(scopes, words);
        assert_int_equal(scope_of_words(words), scopes);
    }
}

static void a_token_without_words_is_good_for_everything(void **state)
{
    (void)state;
    char words[SCOPE_TEXT_SIZE];
    assert_int_equal(scope_of_words(""), SCOPE_ALL);
    scope_to_words(SCOPE_ALL, words);
    assert_string_equal(words, "");
}

static void a_word_that_is_not_known_allows_nothing(void **state)
{
    (void)state;
    assert_int_equal(scope_of_words("everything"), 0);
    assert_int_equal(scope_of_words("rea reads send"), SCOPE_SEND);
    assert_int_equal(scope_of_words(" "), 0);
}

static void a_set_is_named_in_a_sentence(void **state)
{
    (void)state;
    char text[SCOPE_TEXT_SIZE];
    scope_to_text(SCOPE_SEND, text);
    assert_string_equal(text, "\"send\"");
    scope_to_text(SCOPE_ALL, text);
    assert_string_equal(text, "\"read\" or \"send\" or \"work\" or \"admin\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set_of_scopes_reads_back_from_its_words),
        cmocka_unit_test(a_token_without_words_is_good_for_everything),
        cmocka_unit_test(a_word_that_is_not_known_allows_nothing),
        cmocka_unit_test(a_set_is_named_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
