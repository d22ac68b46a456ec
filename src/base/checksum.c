/* SPDX-License-Identifier: MIT */
/*
 * checksum.c: CRC-32C, eight bytes a step; checksum.h says why this one. Any thread: the tables, and whether
 * the processor has an instruction for it, are written once, before main.
 *
 * tables[0][b] is the remainder of the byte b; tables[k][b] that of b followed by k zero bytes. A step of
 * eight bytes is the sum (xor) of what each contributes from its place.
 */
#include "base/checksum.h"

#include <stdbool.h>
#include <string.h>

enum {
    BITS_PER_BYTE = 8,
    BYTE_VALUES = 256,
    SLICES = 8,
};

/* The polynomial 0x1EDC6F41, bits reversed. */
#define POLYNOMIAL_REVERSED 0x82f63b78u

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "a step reads eight bytes as one little-endian number");

static uint32_t tables[SLICES][BYTE_VALUES];

__attribute__((constructor)) static void fill_tables(void)
{
    for (uint32_t byte = 0; byte < BYTE_VALUES; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < BITS_PER_BYTE; bit++)
            remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? POLYNOMIAL_REVERSED : 0);
        tables[0][byte] = remainder;
    }
    for (uint32_t byte = 0; byte < BYTE_VALUES; byte++) {
        for (int slice = 1; slice < SLICES; slice++) {
            uint32_t before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> BITS_PER_BYTE) ^ tables[0][before & 0xff];
        }
    }
}

#if defined(__x86_64__)
static bool has_instruction;

__attribute__((constructor)) static void look_for_instruction(void)
{
    __builtin_cpu_init();
    has_instruction = __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t checksum, const void *bytes,
                                                                 size_t size)
{
    const unsigned char *at = bytes;
    uint64_t remainder = (uint32_t)~checksum;
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        remainder = __builtin_ia32_crc32di(remainder, word);
    }
    uint32_t rest = (uint32_t)remainder;
    for (; size > 0; size--, at++)
        rest = __builtin_ia32_crc32qi(rest, *at);
    return ~rest;
}
#else
enum { has_instruction = 0 };

static uint32_t by_instruction(uint32_t checksum, const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    return checksum;
}
#endif

uint32_t checksum_extend(uint32_t checksum, const void *bytes, size_t size)
{
    return has_instruction ? by_instruction(checksum, bytes, size) : checksum_by_table(checksum, bytes, size);
}

uint32_t checksum_by_table(uint32_t checksum, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint32_t remainder = ~checksum;
    for (; size >= SLICES; size -= SLICES, at += SLICES) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word ^= remainder;
        remainder = tables[7][word & 0xff] ^ tables[6][word >> 8 & 0xff] ^ tables[5][word >> 16 & 0xff] ^
                    tables[4][word >> 24 & 0xff] ^ tables[3][word >> 32 & 0xff] ^
                    tables[2][word >> 40 & 0xff] ^ tables[1][word >> 48 & 0xff] ^ tables[0][word >> 56];
    }
    for (; size > 0; size--, at++)
        remainder = (remainder >> BITS_PER_BYTE) ^ tables[0][(remainder ^ *at) & 0xff];
    return ~remainder;
}
