/* SPDX-License-Identifier: MIT */
/*
 * json_text.h: a text as the inside of a JSON string, for what the runtime writes for people: traces and
 * trees. Names are anybody's bytes, so what is not UTF-8 becomes U+FFFD and the result is JSON whatever they
 * are. (Messages have a form that reads back, see troupe/json.h; here nobody reads back.)
 *
 * Place: a leaf. Any thread.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stddef.h>

/** How many bytes one byte of text becomes at most: \u0000. */
#define JSON_TEXT_GROWTH 6

/**
 * Writes as much of a text as fits, in whole characters, and a NUL; answers the length. `size` is at least 1;
 * NULL counts as "".
 */
size_t json_text(char *ret_bytes, size_t size, const char *text);

#endif
