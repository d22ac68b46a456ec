/* SPDX-License-Identifier: MIT */
/*
 * plain.h: eight or sixteen bytes of a text at a time. Nearly all bytes of most texts are printable ASCII,
 * which needs no look of its own; whoever checks or escapes a text skips those first. The tricks with whole
 * words are those of Alan Mycroft (1987) and "Bit Twiddling Hacks" (Sean Eron Anderson).
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

/*
 * The high bit of a byte is set where this one stands, if the high bit of none is set in the word; beyond the
 * first such byte it may be set anywhere.
 */
static inline uint64_t plain_finds(uint64_t word, uint8_t byte)
{
    return (word ^ plain_every(byte)) - plain_every(0x01);
}

/** Not 0 when a byte of the word is not printable ASCII: a control, DEL, or part of a longer character. */
static inline uint64_t plain_others(uint64_t word)
{
    return (word | (word - plain_every(0x20)) | plain_finds(word, 0x7f)) & plain_every(0x80);
}

/** The same, or when it is one of those that JSON escapes: a quote, a backslash, or "<" (json_writer.c). */
static inline uint64_t plain_escaped(uint64_t word)
{
    uint64_t found = plain_finds(word, '"') | plain_finds(word, '\\') | plain_finds(word, '<');
    return plain_others(word) | (found & plain_every(0x80));
}

/** Eight bytes of a text. */
static inline uint64_t plain_word(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/** Up to seven bytes of a text, and blanks. */
static inline uint64_t plain_short_word(const void *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes;
    if (size >= sizeof(uint32_t)) {
        uint32_t first;
        uint32_t last; /* may have bytes of the first */
        memcpy(&first, at, sizeof(first));
        memcpy(&last, at + size - sizeof(last), sizeof(last));
        return (uint64_t)last << 32 | first;
    }
    if (size == 0)
        return plain_every(' ');
    uint64_t ends = (uint64_t)at[0] | (uint64_t)at[size / 2] << 8 | (uint64_t)at[size - 1] << 16;
    return ends | plain_every(' ') << 24;
}

/** Sixteen bytes of a text, as a register of today's machines has; a comparison sets all bits of a byte. */
__attribute__((vector_size(16))) typedef int8_t plain_vector;
_Static_assert(sizeof(plain_vector) == 2 * sizeof(uint64_t), "what was found is looked at as two words");

/** Whether sixteen bytes are all printable ASCII and, with `in_json`, none is escaped there. */
static inline bool plain_sixteen(const void *bytes, bool in_json)
{
    plain_vector vector;
    uint64_t found[2];
    memcpy(&vector, bytes, sizeof(vector));
    plain_vector others =
        (vector < 0x20) | (vector == 0x7f); /* as a signed number what is not ASCII is below */
    if (in_json)
        others |= (vector == '"') | (vector == '\\') | (vector == '<');
    memcpy(found, &others, sizeof(found));
    return (found[0] | found[1]) == 0;
}

/** Whether all bytes of a text are printable ASCII and, with `in_json`, none is escaped there. */
static inline bool plain_all(const void *bytes, size_t size, bool in_json)
{
    const unsigned char *at = (const unsigned char *)bytes;
    enum { WORD = sizeof(uint64_t), VECTOR = sizeof(plain_vector) };
    if (size >= VECTOR) {
        const unsigned char *last = at + size - VECTOR; /* may lie partly over the one before */
        for (; at < last; at += VECTOR)
            if (!plain_sixteen(at, in_json))
                return false;
        return plain_sixteen(last, in_json);
    }
    uint64_t first = size >= WORD ? plain_word(at) : plain_short_word(at, size);
    uint64_t last = size >= WORD ? plain_word(at + size - WORD) : first;
    if (in_json)
        return (plain_escaped(first) | plain_escaped(last)) == 0;
    return (plain_others(first) | plain_others(last)) == 0;
}

/** Whether a single byte is printable ASCII. */
static inline bool plain_is(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f;
}

/** How many bytes at the start are printable ASCII. */
static inline size_t plain_run(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t run = 0;
    for (; size - run >= sizeof(plain_vector) && plain_sixteen(at + run, false); run += sizeof(plain_vector))
        continue;
    for (; size - run >= sizeof(uint64_t) && plain_others(plain_word(at + run)) == 0; run += sizeof(uint64_t))
        continue;
    while (run < size && plain_is(at[run]))
        run++;
    return run;
}

#endif
