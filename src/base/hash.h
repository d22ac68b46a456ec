/* SPDX-License-Identifier: MIT */
/*
 * hash.h: hashes for tables and for recognising the same bytes again.
 *
 * Place: a leaf. Names come from users, who may choose them so that a plain hash puts all of them in one
 * place; texts are therefore hashed with SipHash-2-4 under a key (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", 2012; the 128-bit form is the authors' own variant). Numbers that we assign ourselves
 * need no key: hash_number only spreads their bits.
 *
 * The results are stored (idempotency keys are kept as 128-bit hashes), so these functions never change. Any
 * thread.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** The key of a SipHash: whoever does not know it cannot choose two inputs with the same hash. */
struct hash_key {
    uint64_t words[2];
};

/** A hash wide enough that equal hashes are taken for equal bytes. */
struct hash_wide {
    uint64_t words[2];
};

/** Spreads the bits of a number that is not chosen by others (the finaliser of SplitMix64; a bijection). */
static inline uint64_t hash_number(uint64_t number)
{
    number ^= number >> 30;
    number *= 0xbf58476d1ce4e5b9u;
    number ^= number >> 27;
    number *= 0x94d049bb133111ebu;
    number ^= number >> 31;
    return number;
}

/** SipHash-2-4 of `size` bytes, 64 bits. `bytes` may be NULL when size is 0. */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t size);

/** SipHash-2-4 of `size` bytes, 128 bits. `bytes` may be NULL when size is 0. */
struct hash_wide hash_bytes_wide(const struct hash_key *key, const void *bytes, size_t size);

#endif
