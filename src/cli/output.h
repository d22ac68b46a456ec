/* SPDX-License-Identifier: MIT */
/*
 * output.h: the readable form of an answer: aligned columns, colours where a person sees them. Colours are
 * used only on a terminal, and not where NO_COLOR is set and not empty (no-color.org) or TERM is "dumb"; into
 * a pipe or a file goes plain text. Lines of a tree are drawn with box characters where the locale is UTF-8
 * and with ASCII elsewhere.
 *
 * Place: the last step before standard output; every cell and body passes text_clean (text.h) here. One
 * thread.
 *
 * Invariants
 *   1. A table prints its columns as wide as their widest cell; the last one is cut to the terminal's width,
 *      and not cut elsewhere.
 *   2. Everything printed here ends its colours on the same line.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTPUT_COLUMNS_MAX = 8,
};

/** How a piece of text stands out on a terminal. */
enum output_style {
    OUTPUT_PLAIN,
    OUTPUT_STRONG,
    OUTPUT_FAINT,
    OUTPUT_ALARM,
};

/** One column: its title and whether its cells (numbers) stand at the right. */
struct output_column {
    const char *title;
    bool is_right;
};

struct output_table;

/** Looks once at standard output, the environment and the locale; called before anything is printed. */
void output_start(void);

/** Prints formatted text of our own in a style; other people's text goes in through output_cleaned. */
void output_print(enum output_style style, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Prints other people's text in one line. */
void output_cleaned(enum output_style style, const char *text);

/** Prints a body of several lines, and a line end where it has none. */
void output_body(const char *text);

/** The lines of a tree: the branch of a child, of a last child, and what stands below each of them. */
const char *output_branch(bool is_last);
const char *output_trunk(bool is_last);

/** A new table; `columns` has `count` entries and outlives it. */
struct output_table *output_table_new(const struct output_column *columns, size_t count);

/**
 * Adds a row of `count` cells as the table has columns; the cells are copied, cleaned. The style is the whole
 * row's.
 */
void output_table_add(struct output_table *table, enum output_style style, const char *const *cells);

/** Prints the table, its titles first, and frees it; prints nothing when it has no rows. */
void output_table_end(struct output_table *table);

/** Frees a table without printing it. */
void output_table_free(struct output_table *table);

#endif
