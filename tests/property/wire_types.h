/* SPDX-License-Identifier: MIT */
/*
 * Message types that between them have every kind of field, alone and in an array, for the tests and fuzz
 * targets of wire. One thread.
 */
#ifndef TEST_WIRE_TYPES_H
#define TEST_WIRE_TYPES_H

#include <troupe.h>

#define SCALARS(F)                                                                                           \
    F(u8, a)                                                                                                 \
    F(u64, b)                                                                                                \
    F(u16, c)                                                                                                \
    F(i8, d)                                                                                                 \
    F(i64, e)                                                                                                \
    F(bool, f)                                                                                               \
    F(f64, g)                                                                                                \
    F(i16, h)                                                                                                \
    F(ref, i)                                                                                                \
    F(f32, j)                                                                                                \
    F(u32, k)                                                                                                \
    F(i32, l)
TROUPE_MESSAGE(scalars, SCALARS)

#define ARRAYS(F)                                                                                            \
    F(u8, a, 3)                                                                                              \
    F(u64, b, 2)                                                                                             \
    F(u16, c, 5)                                                                                             \
    F(i8, d, 2)                                                                                              \
    F(i64, e, 2)                                                                                             \
    F(bool, f, 7)                                                                                            \
    F(f64, g, 3)                                                                                             \
    F(i16, h, 2)                                                                                             \
    F(ref, i, 2)                                                                                             \
    F(f32, j, 9)                                                                                             \
    F(u32, k, 2)                                                                                             \
    F(i32, l, 2)
TROUPE_MESSAGE(arrays, ARRAYS)

#define LETTER(F) F(text, subject) F(u32, times) F(bytes, seal) F(text, words) F(u8, bits, 2) F(bytes, tail)
TROUPE_MESSAGE(letter, LETTER)

#define NOTE(F) F(text, text)
TROUPE_MESSAGE(note, NOTE)

#define BLOB(F) F(bytes, data)
TROUPE_MESSAGE(blob, BLOB)

#define LEVEL(F) F(u8, level)
TROUPE_MESSAGE(level, LEVEL)

TROUPE_MESSAGE_EMPTY(tick)

#define PARCEL(F) F(blob, load) F(text, label) F(u16, number) F(blob, more)
TROUPE_MESSAGE_VERSION(parcel, 3, PARCEL)

static const troupe_type *const wire_types[] = {
    &scalars_type, &arrays_type, &letter_type, &note_type, &blob_type, &level_type, &tick_type, &parcel_type,
};

enum { WIRE_TYPE_COUNT = sizeof wire_types / sizeof wire_types[0] };

#endif
