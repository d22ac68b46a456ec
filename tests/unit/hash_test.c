/* SPDX-License-Identifier: MIT */
/*
 * Facts about base/hash. The expected values are the ones its authors publish with SipHash. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

/* The authors' key: the bytes 00 to 0f. Their inputs: the bytes 00, 01, 02... of each length. */
static const struct hash_key key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};

static void fill(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)i;
}

static void hash_of_fifteen_bytes_is_the_papers_example(void **state)
{
    (void)state;
    unsigned char input[15];
    fill(input, sizeof(input));
    assert_true(hash_bytes(&key, input, sizeof(input)) == 0xa129ca6149be45e5u);
}

static void hashes_of_no_bytes_are_the_published_ones(void **state)
{
    (void)state;
    assert_true(hash_bytes(&key, NULL, 0) == 0x726fdb47dd0e0e31u);
    struct hash_wide wide = hash_bytes_wide(&key, NULL, 0);
    assert_true(wide.words[0] == 0xe6a825ba047f81a3u);
    assert_true(wide.words[1] == 0x930255c71472f66du);
}

static void each_byte_and_the_length_change_both_hashes(void **state)
{
    (void)state;
    unsigned char input[64] = {0};
    uint64_t seen[130];
    size_t count = 0;
    for (size_t size = 0; size <= 64; size++) {
        seen[count++] = hash_bytes(&key, input, size);
        if (size > 0) {
            input[size - 1] = 1;
            seen[count++] = hash_bytes(&key, input, size);
            input[size - 1] = 0;
        }
        for (size_t i = 0; i + 1 < count; i++)
            assert_true(seen[i] != seen[count - 1]);
    }
}

static void another_key_gives_other_hashes(void **state)
{
    (void)state;
    struct hash_key other = key;
    other.words[1] ^= 1;
    assert_true(hash_bytes(&key, "abc", 3) != hash_bytes(&other, "abc", 3));
    assert_true(hash_bytes_wide(&key, "abc", 3).words[1] != hash_bytes_wide(&other, "abc", 3).words[1]);
}

static void hash_number_gives_neighbours_different_low_bits(void **state)
{
    (void)state;
    size_t buckets[256] = {0};
    for (uint64_t i = 0; i < 256 * 64; i++)
        buckets[hash_number(i << 16) & 255]++;
    for (size_t i = 0; i < 256; i++)
        assert_in_range(buckets[i], 24, 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_of_fifteen_bytes_is_the_papers_example),
        cmocka_unit_test(hashes_of_no_bytes_are_the_published_ones),
        cmocka_unit_test(each_byte_and_the_length_change_both_hashes),
        cmocka_unit_test(another_key_gives_other_hashes),
        cmocka_unit_test(hash_number_gives_neighbours_different_low_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
