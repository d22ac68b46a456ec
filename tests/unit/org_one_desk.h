/* SPDX-License-Identifier: MIT */
/*
 * org_one_desk.h: what the tests of a role's rules share: one role, "docs", which Ann and after her Ben hold,
 * and to which Zoe sends. One thread.
 */
#ifndef TESTS_UNIT_ORG_ONE_DESK_H
#define TESTS_UNIT_ORG_ONE_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/org_desk.h"

static struct desk desk;

static inline int open_desk(void **state)
{
    (void)state;
    desk_open(&desk, "docs", 1, "ann ben");
    return 0;
}

static inline int close_desk(void **state)
{
    (void)state;
    desk_done(&desk);
    return 0;
}

static inline uint64_t send(const char *subject)
{
    return desk_send(&desk, "zoe", ORG_NORMAL, subject);
}

static inline const struct org_answer *finish(uint64_t id, const char *reply)
{
    return desk_about(&desk, ORG_FINISH, "ann", (struct org_about){.id = id, .text = reply});
}

static inline void expect_refusal(enum org_refusal refusal)
{
    assert_int_equal(desk.answer.kind, ORG_ANSWER_REFUSED);
    assert_int_equal(desk.answer.refusal, refusal);
    assert_int_equal(desk.records, refusal == ORG_REFUSED_FULL); /* that one is counted */
}

#endif
