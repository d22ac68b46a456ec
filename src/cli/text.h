/* SPDX-License-Identifier: MIT */
/*
 * text.h: words for people: times as "3 h ago", lengths of time, and other people's text made safe to print.
 * A subject or a body is written by somebody else; a control sequence in it would let them draw on, or type
 * into, the reader's terminal. So control characters, and the marks that reverse the direction of writing,
 * are shown as escapes (\x1b, \u202e).
 *
 * Place: between an answer and standard output. Pure functions of their arguments. One thread.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TEXT_TIME_MAX = 40, /* bytes of any time text */
};

/** `pointer`, or the end of the program with a word about memory: a client has nothing to save. */
void *text_must(void *pointer);

/**
 * A copy of UTF-8 text that is safe on a terminal; the caller frees it. `keep_lines` keeps line ends and tabs
 * (a body); otherwise they become spaces (a cell). What is not UTF-8 is shown byte by byte as \xNN.
 */
char *text_clean(const char *text, bool keep_lines);

/** Whether the whole text is UTF-8, without overlong forms and surrogates. */
bool text_is_utf8(const char *text);

/** How many columns clean text takes on a terminal. */
size_t text_width(const char *text);

/** The longest beginning of clean text that takes at most `width` columns, in bytes. */
size_t text_fitting(const char *text, size_t width);

/** "850 ms", "5 s", "12 min", "3 h", "2 d": the largest unit that is not 0, rounded down. */
const char *text_duration(int64_t duration_ms, char ret_text[TEXT_TIME_MAX]);

/** "now", "3 h ago", "in 2 d"; beyond 30 days the local date, "2024-01-31". */
const char *text_ago(int64_t now_ms, int64_t then_ms, char ret_text[TEXT_TIME_MAX]);

/** A number with its thousands apart: "15,594". */
const char *text_number(int64_t number, char ret_text[TEXT_TIME_MAX]);

/**
 * A point in time as a person writes it: "45m", "2h", "3d", "1w" from now; "2026-01-31" (until that local day
 * ends); "2026-01-31T17:00" or with a space, with seconds or without, local, or with "Z" or "+02:00" at the
 * end. False when it is none of these, or not in the calendar.
 */
bool text_read_time(const char *text, int64_t now_ms, int64_t *ret_time_ms);

/** A decimal number in [min, max], nothing before it or after it. */
bool text_read_number(const char *text, int64_t min, int64_t max, int64_t *ret_number);

#endif
