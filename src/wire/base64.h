/* SPDX-License-Identifier: MIT */
/*
 * base64.h: bytes as the letters of RFC 4648, section 4, padded, and back.
 *
 * Place: a leaf of wire, for bytes fields in JSON. Reading takes the letters as they come out of a string,
 * piece by piece, so that a bytes field needs no memory of its own.
 *
 *     letter x 4 -> 3 bytes;   the last four may end in "=" (2 bytes) or "==" (1 byte)
 *
 * Invariants of a reader
 *   1. `bits` are those that the letters so far left over for the next byte: 0, 6, 4 or 2 of them
 *   2. once has_pad, nothing is taken but the second "="
 *
 * Pure functions: any thread.
 */
#ifndef TROUPE_WIRE_BASE64_H
#define TROUPE_WIRE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BASE64_BYTES = 3,   /**< make */
    BASE64_LETTERS = 4, /**< letters */
};

/** A string being read. All zeros is ready. */
struct base64_reader {
    uint32_t bits;
    bool has_pad;
    size_t letters; /**< taken, padding included */
};

/** Writes 1 to 3 bytes as 4 letters. Fewer than 3 only at the end. */
void base64_write(const unsigned char *bytes, size_t size, char letters[BASE64_LETTERS]);

/**
 * Takes one letter. False when it cannot stand there. A byte that is complete with it is written to
 * `ret_byte`, and then `ret_has_byte` is true.
 */
bool base64_take(struct base64_reader *reader, unsigned char letter, bool *ret_has_byte,
                 unsigned char *ret_byte);

/** Whether the string may end here: its last four letters complete, and no bit lost in them. */
bool base64_is_complete(const struct base64_reader *reader);

#endif
