/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/plain: whatever the length of a text, one byte in it that is not plain is seen at every
 * place, and plain ones never are. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/plain.h"

/* More than two steps of the widest kind, and a rest. */
enum { SIZE_MOST = 2 * sizeof(plain_vector) + 9 };

static bool is_escaped(unsigned char byte)
{
    return byte == '"' || byte == '\\' || byte == '<';
}

/* Every length, place and byte, between neighbours that subtract and borrow. */
static void check_all(unsigned char neighbour)
{
    for (size_t size = 1; size <= SIZE_MOST; size++) {
        /* Memory of exactly that size, so that the sanitizer sees every step outside it. */
        unsigned char *text = malloc(size);
        assert_non_null(text);
        memset(text, neighbour, size);
        for (size_t place = 0; place < size; place++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                text[place] = (unsigned char)byte;
                bool is_plain = plain_is((unsigned char)byte);
                if (plain_all(text, size, false) != is_plain ||
                    plain_all(text, size, true) != (is_plain && !is_escaped((unsigned char)byte)))
                    fail_msg("byte %u at %zu of %zu", byte, place, size);
                assert_int_equal(plain_run(text, size), is_plain ? size : place);
            }
            text[place] = neighbour;
        }
        free(text);
    }
}

static void a_byte_is_seen_at_every_place_of_every_length(void **state)
{
    (void)state;
    check_all('a');
    check_all(' '); /* the first that is plain */
    check_all('~'); /* the last */
    check_all('!'); /* one less than a quote */
    check_all('=');
}

static void words_say_of_each_byte_what_it_is(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (unsigned other = 0; other < 256; other++) {
            unsigned char text[8] = {'a', (unsigned char)byte, (unsigned char)other, 'a', 'a', 'a', 'a', 'a'};
            uint64_t word = plain_word(text);
            bool is_plain = plain_is((unsigned char)byte) && plain_is((unsigned char)other);
            bool has_escaped = is_escaped((unsigned char)byte) || is_escaped((unsigned char)other);
            assert_true((plain_others(word) == 0) == is_plain);
            assert_true((plain_escaped(word) == 0) == (is_plain && !has_escaped));
        }
    }
}

static void an_empty_text_is_plain(void **state)
{
    (void)state;
    assert_true(plain_all(NULL, 0, true));
    assert_true(plain_all("\x01", 0, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_byte_is_seen_at_every_place_of_every_length),
        cmocka_unit_test(words_say_of_each_byte_what_it_is),
        cmocka_unit_test(an_empty_text_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
