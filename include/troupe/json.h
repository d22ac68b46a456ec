/* SPDX-License-Identifier: MIT */
/*
 * json.h: what else follows from a field list: the message as JSON text, JSON text as the message, and one
 * line for people.
 *
 *     { "name": "world", "times": 1 }  <->  the body of a greet  ->  greet name="world" times=1
 *
 * A message is one object. Its members are the fields, in field order when written, in any order when read:
 *
 *     kind                    JSON
 *     u8 u16 u32 i8 i16 i32   a number
 *     u64 i64                 a number up to 2^53 - 1 either way, a string of digits beyond, since JavaScript
 *                             and its kind would round it; read in either form at any size
 *     f32 f64                 the shortest of %.9g or %.17g that reads back to the same bits, so also -0.0;
 *                             "Infinity", "-Infinity", "NaN", and "NaN:fff8000000000000" for a NaN whose bits
 *                             are not the usual ones
 *     bool                    true or false
 *     ref                     a string of 16 hexadecimal digits
 *     text                    a string. A byte that is not UTF-8 is written \udc80 to \udcff, as Python does
 *                             (PEP 383), and read back from that; any other lone surrogate is refused
 *     bytes, blob             a string in base64, padded (RFC 4648, section 4)
 *     an array                an array of exactly its length; an array of one is written as its element
 *
 * Reading is strict: RFC 8259 and nothing else. UTF-8 only and without a byte order mark; each member at most
 * once; no member that the type does not have; numbers in the range of their field, integers without fraction
 * or exponent; no NUL in a text. A member that is left out is zero, as in troupe_send; one that is misspelled
 * is refused, so it cannot be left out unnoticed. Nothing nests deeper than an array in the object: a deeper
 * value is refused where it begins.
 *
 * What was written is read back to an equal body, byte for byte where troupe_flat_write made the body.
 *
 * Memory is the caller's, for both ways; these calls allocate nothing and may be made in a handler, on any
 * thread. A function says beforehand how much is enough:
 *
 *     size_t size = troupe_flat_json_size(&greet_type, body, body_size);      then size + 1 bytes hold the
 *                                                                             text and its NUL
 *     size_t size = troupe_flat_from_json_size_max(&greet_type, text_size);   then size bytes hold the body
 *
 * Why its own reader: the field list is the grammar, so there is no tree of values to build, no memory to
 * find and no depth to bound, and libtroupe needs nothing but libc.
 */
#ifndef TROUPE_JSON_H
#define TROUPE_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <troupe/message.h>
#include <troupe/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The longest JSON text written or read, in bytes: any body's, as a byte becomes at most 6 ("\u0001"). */
#define TROUPE_JSON_SIZE_MAX (8u * TROUPE_BODY_SIZE_MAX)

/** The longest number read, in bytes; its digits all count. */
#define TROUPE_JSON_NUMBER_LEN_MAX 1024

/** The most fields of a type that JSON can be read for. */
#define TROUPE_JSON_FIELD_COUNT_MAX 1024

/** The size of an error's text, with its NUL. */
#define TROUPE_JSON_ERROR_SIZE 128

/** The longest line of troupe_flat_to_trace, in bytes without the NUL. */
#define TROUPE_TRACE_LEN_MAX 200

/** The most of one text, in bytes of it, and of one bytes field, and of one array, that a trace shows. */
#define TROUPE_TRACE_TEXT_LEN_MAX 40
#define TROUPE_TRACE_BYTES_LEN_MAX 16
#define TROUPE_TRACE_ELEMENT_COUNT_MAX 8

/** Why a JSON text was refused. */
typedef struct troupe_json_error {
    size_t offset;                     /**< in the text: of the byte, or of the value, that is wrong */
    char text[TROUPE_JSON_ERROR_SIZE]; /**< in English: "times: expected an integer from 0 to 255" */
} troupe_json_error;

/**
 * How many bytes of JSON a body makes, without the NUL; SIZE_MAX when troupe_flat_to_json would refuse it at
 * any size. Takes as long as writing does. Any thread.
 */
TROUPE_API size_t troupe_flat_json_size(const troupe_type *type, const void *body, size_t size);

/**
 * Writes a body as JSON text, on one line and without spaces, and a NUL after it that `ret_size` does not
 * count. `body` may come from anywhere: it is checked, and must be 8-byte aligned. Errors: TROUPE_MALFORMED
 * (troupe_flat_check refuses it); TROUPE_TOO_LARGE (the buffer cannot hold the text and its NUL, or the text
 * is over TROUPE_JSON_SIZE_MAX, as only a body whose spans share bytes can be). What the buffer holds then is
 * not said. Any thread.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_flat_to_json(const troupe_type *type, const void *body,
                                                               size_t size, char *buffer, size_t buffer_size,
                                                               size_t *ret_size);

/** As troupe_flat_json_size, of a received message with whatever blobs ride with it. */
TROUPE_API size_t troupe_message_json_size(const troupe_type *type, const troupe_message *message);

/**
 * As troupe_flat_to_json, for a received message with whatever blobs ride with it. Errors: also
 * TROUPE_MALFORMED when it is of another type or version, TROUPE_TOO_LARGE when no flat body could hold its
 * blobs.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_message_to_json(const troupe_type *type,
                                                                  const troupe_message *message, char *buffer,
                                                                  size_t buffer_size, size_t *ret_size);

/** Bytes that hold the body of any JSON text of this size: one block is enough for both. Any thread. */
static inline size_t troupe_flat_from_json_size_max(const troupe_type *type, size_t text_size)
{
    size_t more = TROUPE__CAST(size_t, type->field_count) + text_size;
    if (type->size > TROUPE_BODY_SIZE_MAX || more > TROUPE_BODY_SIZE_MAX - type->size)
        return TROUPE_BODY_SIZE_MAX;
    return type->size + more;
}

/**
 * Reads JSON text into a body, which passes troupe_flat_check and equals what troupe_flat_write makes of the
 * same fields. `body` is 8-byte aligned and holds `body_size` bytes; `ret_size` is how many were needed.
 *
 * On failure `error`, which may be NULL, says where and what was expected, and what the body holds is not
 * said. Errors: TROUPE_MALFORMED (not JSON, or not of this type); TROUPE_TOO_LARGE (the text over
 * TROUPE_JSON_SIZE_MAX, or the body over TROUPE_BODY_SIZE_MAX or body_size); TROUPE_LIMIT (the type has over
 * TROUPE_JSON_FIELD_COUNT_MAX fields). Any thread.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_flat_from_json(const troupe_type *type, const char *text,
                                                                 size_t text_size, void *body,
                                                                 size_t body_size, size_t *ret_size,
                                                                 troupe_json_error *error);

/**
 * Writes a body as one line for people, NUL-terminated, and gives its length. It never fails: what does not
 * fit into TROUPE_TRACE_LEN_MAX or the buffer ends in "...", as do long texts, bytes and arrays inside it,
 * and a malformed body says so. Control characters and what is not UTF-8 are escaped, so that a line stays
 * one line. `body` must be 8-byte aligned. Any thread.
 */
TROUPE_API size_t troupe_flat_to_trace(const troupe_type *type, const void *body, size_t size, char *buffer,
                                       size_t buffer_size);

/** As troupe_flat_to_trace, for a received message with whatever blobs ride with it. */
TROUPE_API size_t troupe_message_to_trace(const troupe_type *type, const troupe_message *message,
                                          char *buffer, size_t buffer_size);

#ifdef __cplusplus
}
#endif

#endif
