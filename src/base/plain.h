/* SPDX-License-Identifier: MIT */
/*
 * plain.h: eight bytes of a text at a time. Nearly all bytes of most texts are printable ASCII, which needs
 * no look of its own; whoever checks or escapes a text skips those first. The tricks with whole words are
 * those of Alan Mycroft (1987) and "Bit Twiddling Hacks" (Sean Eron Anderson).
 *
 * Place: a leaf, for org/text and the writing of JSON. Pure functions: any thread.
 */
#ifndef BASE_PLAIN_H
#define BASE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** A word whose bytes are all this one. */
static inline uint64_t plain_every(uint8_t byte)
{
    return UINT64_C(0x0101010101010101) * byte;
}

/** Not 0 when a byte of the word is 0; 0 when none is. */
static inline uint64_t plain_zeros(uint64_t word)
{
    return (word - plain_every(0x01)) & ~word & plain_every(0x80);
}

/** Not 0 when a byte of the word is this one. */
static inline uint64_t plain_finds(uint64_t word, uint8_t byte)
{
    return plain_zeros(word ^ plain_every(byte));
}

/** Not 0 when a byte of the word is not printable ASCII: a control, DEL, or part of a longer character. */
static inline uint64_t plain_others(uint64_t word)
{
    return plain_zeros(word & plain_every(0xe0)) | plain_finds(word, 0x7f) | (word & plain_every(0x80));
}

/** Eight bytes of a text. */
static inline uint64_t plain_word(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/** Whether a single byte is printable ASCII. */
static inline bool plain_is(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f;
}

/** As many bytes as a register of today's machines has. */
__attribute__((vector_size(16))) typedef signed char plain_block;
_Static_assert(sizeof(plain_block) == 16, "a block is two words, and is tested so");

/** Whether all of the sixteen bytes are printable ASCII. */
static inline bool plain_block_is(const void *bytes)
{
    plain_block block;
    uint64_t others[2];
    memcpy(&block, bytes, sizeof(block));
    plain_block found = (block < 0x20) | (block == 0x7f); /* what begins at 0x80 is negative */
    memcpy(others, &found, sizeof(others));
    return (others[0] | others[1]) == 0;
}

/** How many bytes at the start are printable ASCII. */
static inline size_t plain_run(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t run = 0;
    for (; size - run >= sizeof(plain_block) && plain_block_is(at + run); run += sizeof(plain_block))
        continue;
    for (; size - run >= sizeof(uint64_t) && plain_others(plain_word(at + run)) == 0; run += sizeof(uint64_t))
        continue;
    while (run < size && plain_is(at[run]))
        run++;
    return run;
}

#endif
