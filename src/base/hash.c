/* SPDX-License-Identifier: MIT */
/*
 * hash.c: SipHash-2-4 with 64 and 128 bits; hash.h says what for. Pure functions, any thread.
 */
#include "base/hash.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read as they lie in memory");

enum {
    ROUNDS_PER_WORD = 2,
    ROUNDS_AT_END = 4,
};

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void sip_rounds(struct sip *sip, int count)
{
    for (int i = 0; i < count; i++) {
        sip->v0 += sip->v1;
        sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
        sip->v0 = rotate(sip->v0, 32);
        sip->v2 += sip->v3;
        sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
        sip->v0 += sip->v3;
        sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
        sip->v2 += sip->v1;
        sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
        sip->v2 = rotate(sip->v2, 32);
    }
}

static inline void sip_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    sip_rounds(sip, ROUNDS_PER_WORD);
    sip->v0 ^= word;
}

/*
 * Everything but the last rounds. The last word holds the bytes left over and, in its top byte, the length.
 */
static struct sip sip_absorb(const struct hash_key *key, uint64_t variant, const void *bytes, size_t size)
{
    struct sip sip = {
        .v0 = key->words[0] ^ 0x736f6d6570736575u,
        .v1 = key->words[1] ^ 0x646f72616e646f6du ^ variant,
        .v2 = key->words[0] ^ 0x6c7967656e657261u,
        .v3 = key->words[1] ^ 0x7465646279746573u,
    };
    const unsigned char *at = bytes;
    size_t left = size;
    for (; left >= sizeof(uint64_t); at += sizeof(uint64_t), left -= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        sip_word(&sip, word);
    }
    uint64_t last = 0;
    if (left > 0)
        memcpy(&last, at, left);
    sip_word(&sip, last | (uint64_t)(size & 0xff) << 56);
    return sip;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t size)
{
    struct sip sip = sip_absorb(key, 0, bytes, size);
    sip.v2 ^= 0xff;
    sip_rounds(&sip, ROUNDS_AT_END);
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

struct hash_wide hash_bytes_wide(const struct hash_key *key, const void *bytes, size_t size)
{
    struct hash_wide hash;
    struct sip sip = sip_absorb(key, 0xee, bytes, size);
    sip.v2 ^= 0xee;
    sip_rounds(&sip, ROUNDS_AT_END);
    hash.words[0] = sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
    sip.v1 ^= 0xdd;
    sip_rounds(&sip, ROUNDS_AT_END);
    hash.words[1] = sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
    return hash;
}
