/* SPDX-License-Identifier: MIT */
/*
 * assert.h: assertions for our own bugs. They stay on in every build: a broken invariant ends the process
 * at the place where it is seen, before it can be acknowledged, sent or written. The world's failures are
 * statuses, never assertions.
 */
#ifndef TROUPE_BASE_ASSERT_H
#define TROUPE_BASE_ASSERT_H

#include <stdio.h>
#include <stdlib.h>

/** Ends the process when `condition` does not hold, naming file, line and condition on standard error. */
#define ASSERT(condition)                                                                                    \
    do {                                                                                                     \
        if (__builtin_expect(!(condition), 0))                                                               \
            assert_fail(__FILE__, __LINE__, #condition);                                                     \
    } while (0)

/** Tells the compiler what is seldom true. */
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define LIKELY(condition) __builtin_expect(!!(condition), 1)

__attribute__((noreturn, cold, unused)) static void assert_fail(const char *file, int line,
                                                                const char *condition)
{
    fprintf(stderr, "%s:%d: this must hold but does not: %s\n", file, line, condition);
    abort();
}

#endif
