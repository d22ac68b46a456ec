/* SPDX-License-Identifier: MIT */
/*
 * value.h: one element of a fixed kind, number, bool or ref, as text and back. JSON and traces share it; what
 * JSON adds is quotes.
 *
 *     element in a body  --value_write-->  "255"  "1e-7"  "NaN"  "true"  "00000000000000ff"
 *                        <--value_read---
 *
 * Invariants
 *   1. value_read gives back every bit of what value_write was given
 *   2. the text does not depend on the locale of the process, nor does what is read
 *
 * Pure functions: any thread; errno is as it was.
 */
#ifndef TROUPE_WIRE_VALUE_H
#define TROUPE_WIRE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /** Room for any text of value_write: "-1.7976931348623157e308" is the longest. There is no NUL. */
    VALUE_TEXT_SIZE = 32,
};

/** A text as JSON has it. */
enum value_form {
    VALUE_BARE,   /**< a number, true or false */
    VALUE_STRING, /**< what stands between quotes */
};

/** Bytes of one element of a kind in a body. A text or bytes field is its span. */
size_t value_size(uint8_t kind);

/** Writes the element at `at` as text, gives its length, and says which form JSON has for it. */
size_t value_write(uint8_t kind, const void *at, char text[VALUE_TEXT_SIZE], enum value_form *ret_form);

/**
 * Reads an element from text. A bare number must be one of JSON's grammar, of at most
 * TROUPE_JSON_NUMBER_LEN_MAX bytes. False when the text is not in the range of the kind or not of its form;
 * the element is then as it was.
 */
bool value_read(uint8_t kind, enum value_form form, const char *text, size_t size, void *at);

/** What value_read takes, for "expected ...": "an integer from 0 to 255". */
const char *value_expected(uint8_t kind);

/**
 * Makes what printf wrote for a float, in any locale, the shortest JSON number: a point for whatever the
 * locale has, no plus sign and no leading zeros in the exponent, and ".0" after the zero that is negative.
 * Works in place and gives the new length, at most 2 more than `len`.
 */
size_t value_neaten_float(char *text, size_t len);

#endif
