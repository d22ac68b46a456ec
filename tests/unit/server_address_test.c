/* SPDX-License-Identifier: MIT */
/*
 * server_address_test.c: what is an address, and that one in use is said to be so. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/address.h"

static char url[ADDRESS_TEXT_SIZE];
static char why[ADDRESS_TEXT_SIZE];

static void port_zero_takes_a_free_port_and_says_which(void **state)
{
    (void)state;
    int fd = -1;
    assert_int_equal(address_listen("127.0.0.1:0", &fd, url, why), TROUPE_OK);
    unsigned port = 0;
    assert_int_equal(sscanf(url, "http://127.0.0.1:%u", &port), 1);
    assert_in_range(port, 1, 65535);
    close(fd);
}

static void an_address_in_use_is_said_to_be(void **state)
{
    (void)state;
    int first = -1;
    assert_int_equal(address_listen("127.0.0.1:0", &first, url, why), TROUPE_OK);
    int second = -1;
    assert_int_equal(address_listen(url + strlen("http://"), &second, url, why), TROUPE_IO);
    assert_non_null(strstr(why, "Address already in use; is another server running?"));
    assert_int_equal(second, -1);
    close(first);
}

static void names_of_this_machine_are_taken(void **state)
{
    (void)state;
    int fd = -1;
    assert_int_equal(address_listen("localhost:0", &fd, url, why), TROUPE_OK);
    close(fd);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "7373",           ":7373",          "127.0.0.1", "127.0.0.1:",
        "::1:80",  "127.0.0.1:http", "127.0.0.1:-1",   "[]:80",     "127.0.0.1:100000",
        "[::1:80", "300.0.0.1:80",   "127.0.0.1:65536"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = -1;
        assert_int_equal(address_listen(bad[i], &fd, url, why), TROUPE_INVALID);
        assert_int_equal(fd, -1);
        assert_true(strlen(why) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_zero_takes_a_free_port_and_says_which),
        cmocka_unit_test(an_address_in_use_is_said_to_be),
        cmocka_unit_test(names_of_this_machine_are_taken),
        cmocka_unit_test(what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
