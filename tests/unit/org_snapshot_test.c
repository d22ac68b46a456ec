/* SPDX-License-Identifier: MIT */
/*
 * Facts about a role's snapshot that the desks of the other tests, which sleep and wake all the time, do not
 * show: what is no snapshot is refused, whatever is wrong with it, and memory that runs out loses nothing.
 * One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "support/org_desk.h"

/* A role with something in every part of its state. */
static struct buffer save_full(struct desk *desk)
{
    struct buffer bytes = {0};
    desk_open(desk, "docs", 1, "ann bob");
    for (int i = 0; i < 12; i++)
        desk_send_with(desk, "eve",
                       (struct org_send){.sender = "@eve",
                                         .key = i % 2 ? "k" : NULL,
                                         .subject = "s",
                                         .body = "b",
                                         .message_class = (enum org_class)(i % 3)});
    for (int i = 0; i < 6; i++)
        desk_next(desk, "ann", 10);
    const struct org_message *held[8];
    size_t count = org_role_held_by(desk->role, "ann", held, 8);
    assert_true(count >= 4);
    uint64_t ids[8];
    for (size_t i = 0; i < count; i++)
        ids[i] = held[i]->id;
    desk_about(desk, ORG_FINISH, "ann", (struct org_about){.id = ids[0], .text = "ok"});
    desk_about(desk, ORG_DEFER, "ann", (struct org_about){.id = ids[1], .until = desk->now_ms + 1000});
    desk_about(desk, ORG_FAIL, "ann", (struct org_about){.id = ids[2], .text = "no"});
    desk_about(desk, ORG_FORWARD, "ann", (struct org_about){.id = ids[3], .to = "other"});
    assert_int_equal(org_role_save(desk->role, &bytes), TROUPE_OK);
    return bytes;
}

static void another_version_is_refused_as_unexpected(void **state)
{
    (void)state;
    struct desk desk;
    struct buffer bytes = save_full(&desk);
    struct org_role *role = NULL;
    uint32_t version = ORG_SNAPSHOT_VERSION + 1;
    memcpy(bytes.bytes, &version, sizeof(version));
    assert_int_equal(org_role_restore("docs", bytes.bytes, bytes.size, &role), TROUPE_UNEXPECTED);
    buffer_done(&bytes);
    desk_done(&desk);
}

static void a_snapshot_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    struct desk desk;
    struct buffer bytes = save_full(&desk);
    for (size_t size = 0; size + 8 <= bytes.size; size += 8) {
        struct org_role *role = NULL;
        assert_int_not_equal(org_role_restore("docs", bytes.bytes, size, &role), TROUPE_OK);
    }
    buffer_done(&bytes);
    desk_done(&desk);
}

/* A checksum stands before this; should it ever be passed, what comes out is refused or can be freed. */
static void any_damaged_byte_is_refused_or_harmless(void **state)
{
    (void)state;
    struct desk desk;
    struct buffer bytes = save_full(&desk);
    for (size_t at = 0; at < bytes.size; at++) {
        struct org_role *role = NULL;
        unsigned char before = bytes.bytes[at];
        bytes.bytes[at] = (unsigned char)(before ^ (1u << (hash_number(at) % 8)));
        if (org_role_restore("docs", bytes.bytes, bytes.size, &role) == TROUPE_OK)
            org_role_free(role);
        bytes.bytes[at] = before;
    }
    buffer_done(&bytes);
    desk_done(&desk);
}

static void an_unopened_role_sleeps_and_wakes_too(void **state)
{
    (void)state;
    struct org_role *role = NULL;
    struct org_role *woken = NULL;
    struct buffer bytes = {0};
    assert_int_equal(org_role_new("docs", &role), TROUPE_OK);
    assert_int_equal(org_role_save(role, &bytes), TROUPE_OK);
    assert_int_equal(org_role_restore("docs", bytes.bytes, bytes.size, &woken), TROUPE_OK);
    assert_false(org_role_view(woken).is_open);
    org_role_free(role);
    org_role_free(woken);
    buffer_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_version_is_refused_as_unexpected),
        cmocka_unit_test(a_snapshot_cut_short_anywhere_is_refused),
        cmocka_unit_test(any_damaged_byte_is_refused_or_harmless),
        cmocka_unit_test(an_unopened_role_sleeps_and_wakes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
