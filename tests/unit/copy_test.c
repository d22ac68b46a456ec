/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/copy: as many bytes as said are copied, none beside them is touched. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/copy.h"

enum { SIZE_MOST = 2 * COPY_SHORT_MAX + 3, GUARD = 8 };

static void every_size_is_copied_whole_and_nothing_else(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZE_MOST; size++) {
        /* Memory of exactly that size, so that the sanitizer sees every step outside it. */
        unsigned char *from = malloc(size + 1);
        assert_non_null(from);
        unsigned char *source = from + 1; /* not aligned */
        unsigned char to[SIZE_MOST + 2 * GUARD];
        for (size_t i = 0; i < size; i++)
            source[i] = (unsigned char)(i + 1);
        memset(to, 0xA5, sizeof to);
        copy_bytes(to + GUARD, source, size);
        assert_memory_equal(to + GUARD, source, size);
        for (size_t i = 0; i < sizeof to; i++)
            assert_true((i >= GUARD && i < GUARD + size) || to[i] == 0xA5);
        free(from);
    }
}

static void no_bytes_may_come_from_nowhere(void **state)
{
    (void)state;
    char to = 'x';
    copy_bytes(&to, NULL, 0);
    assert_int_equal(to, 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_copied_whole_and_nothing_else),
        cmocka_unit_test(no_bytes_may_come_from_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
