/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/checksum: CRC-32C against the published values, and against its own definition bit by
 * bit. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/checksum.h"

/* The definition: one bit a step, no tables. */
static uint32_t bit_by_bit(const unsigned char *bytes, size_t size)
{
    uint32_t remainder = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        remainder ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0x82f63b78u : 0);
    }
    return ~remainder;
}

static void published_values_come_out(void **state)
{
    (void)state;
    /* RFC 3720, appendix B.4, and the usual check value of the nine digits. */
    unsigned char bytes[32];
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(checksum_extend(CHECKSUM_NONE, bytes, sizeof(bytes)), 0x8a9136aau);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(checksum_extend(CHECKSUM_NONE, bytes, sizeof(bytes)), 0x62a8ab43u);
    for (unsigned char i = 0; i < sizeof(bytes); i++)
        bytes[i] = i;
    assert_int_equal(checksum_extend(CHECKSUM_NONE, bytes, sizeof(bytes)), 0x46dd794eu);
    assert_int_equal(checksum_extend(CHECKSUM_NONE, "123456789", 9), 0xe3069283u);
    assert_int_equal(checksum_extend(CHECKSUM_NONE, NULL, 0), CHECKSUM_NONE);
}

static void every_length_and_alignment_agrees_with_the_definition(void **state)
{
    (void)state;
    unsigned char bytes[80];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t from = 0; from < 8; from++) {
        for (size_t size = 0; from + size <= sizeof(bytes); size++)
            assert_int_equal(checksum_extend(CHECKSUM_NONE, bytes + from, size),
                             bit_by_bit(bytes + from, size));
    }
}

static void the_tables_and_the_instruction_agree(void **state)
{
    (void)state;
    unsigned char bytes[300];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 101 + 7);
    for (size_t size = 0; size <= sizeof(bytes); size++)
        assert_int_equal(checksum_extend(0x1234567u, bytes, size),
                         checksum_by_table(0x1234567u, bytes, size));
}

static void parts_in_a_row_make_the_sum_of_the_whole(void **state)
{
    (void)state;
    const char *text = "the records of one decision, back to back in one block";
    size_t size = strlen(text);
    uint32_t whole = checksum_extend(CHECKSUM_NONE, text, size);
    for (size_t cut = 0; cut <= size; cut++) {
        uint32_t first = checksum_extend(CHECKSUM_NONE, text, cut);
        assert_int_equal(checksum_extend(first, text + cut, size - cut), whole);
    }
}

static void every_change_of_one_byte_is_seen(void **state)
{
    (void)state;
    unsigned char bytes[64];
    memset(bytes, 0x5a, sizeof(bytes));
    uint32_t right = checksum_extend(CHECKSUM_NONE, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        for (unsigned change = 1; change < 256; change++) {
            bytes[i] = (unsigned char)(0x5a ^ change);
            assert_int_not_equal(checksum_extend(CHECKSUM_NONE, bytes, sizeof(bytes)), right);
        }
        bytes[i] = 0x5a;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values_come_out),
        cmocka_unit_test(every_length_and_alignment_agrees_with_the_definition),
        cmocka_unit_test(the_tables_and_the_instruction_agree),
        cmocka_unit_test(parts_in_a_row_make_the_sum_of_the_whole),
        cmocka_unit_test(every_change_of_one_byte_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
