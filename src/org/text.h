/* SPDX-License-Identifier: MIT */
/*
 * text.h: whether a text from outside can be kept and shown. A text is UTF-8 (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF) without control characters; one that has lines may also have tabs and
 * line feeds. Whoever shows it later, in a page, a terminal or a mail, need not ask again.
 *
 * Place: a leaf of org. Pure functions, any thread.
 */
#ifndef ORG_TEXT_H
#define ORG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Whether `size` bytes are text on one line. */
bool org_text_is_line(const char *bytes, size_t size);

/** Whether `size` bytes are text, which may have tabs, carriage returns and line feeds. */
bool org_text_is_lines(const char *bytes, size_t size);

#endif
