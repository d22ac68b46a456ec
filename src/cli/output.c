/* SPDX-License-Identifier: MIT */
/*
 * output.c: see output.h. What standard output is (a terminal, its width, UTF-8 or not) is read once, at the
 * start, into one constant-after-start struct.
 */
#include "cli/output.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/text.h"

enum {
    COLUMN_GAP = 2,
    ROWS_FIRST = 64,
};

static struct {
    bool has_color;
    bool has_utf8;
    size_t width; /* 0: no limit */
} terminal;

struct row {
    enum output_style style;
    char *cells[OUTPUT_COLUMNS_MAX];
};

struct output_table {
    const struct output_column *columns;
    size_t column_count;
    struct row *rows;
    size_t row_count;
    size_t row_capacity;
};

void output_start(void)
{
    terminal.has_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!isatty(STDOUT_FILENO))
        return;
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    terminal.has_color = (no_color == NULL || *no_color == '\0') && term != NULL && strcmp(term, "dumb") != 0;
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        terminal.width = size.ws_col;
}

static const char *style_start(enum output_style style)
{
    static const char *const starts[] = {[OUTPUT_PLAIN] = "",
                                         [OUTPUT_STRONG] = "\033[1m",
                                         [OUTPUT_FAINT] = "\033[2m",
                                         [OUTPUT_ALARM] = "\033[31m"};
    return terminal.has_color ? starts[style] : "";
}

static const char *style_end(enum output_style style)
{
    return terminal.has_color && style != OUTPUT_PLAIN ? "\033[0m" : "";
}

void output_print(enum output_style style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs(style_start(style), stdout);
    vprintf(format, arguments);
    fputs(style_end(style), stdout);
    va_end(arguments);
}

void output_cleaned(enum output_style style, const char *text)
{
    char *clean = text_clean(text, false);
    output_print(style, "%s", clean);
    free(clean);
}

void output_body(const char *text)
{
    char *clean = text_clean(text, true);
    size_t length = strlen(clean);
    fputs(clean, stdout);
    if (length > 0 && clean[length - 1] != '\n')
        putchar('\n');
    free(clean);
}

const char *output_branch(bool is_last)
{
    if (terminal.has_utf8)
        return is_last ? "└── " : "├── ";
    return is_last ? "`-- " : "|-- ";
}

const char *output_trunk(bool is_last)
{
    if (is_last)
        return "    ";
    return terminal.has_utf8 ? "│   " : "|   ";
}

struct output_table *output_table_new(const struct output_column *columns, size_t count)
{
    struct output_table *table = text_must(calloc(1, sizeof *table));
    table->columns = columns;
    table->column_count = count;
    return table;
}

void output_table_add(struct output_table *table, enum output_style style, const char *const *cells)
{
    if (table->row_count == table->row_capacity) {
        table->row_capacity = table->row_capacity == 0 ? ROWS_FIRST : table->row_capacity * 2;
        table->rows = text_must(reallocarray(table->rows, table->row_capacity, sizeof *table->rows));
    }
    struct row *row = &table->rows[table->row_count++];
    row->style = style;
    for (size_t i = 0; i < table->column_count; i++)
        row->cells[i] = text_clean(cells[i], false);
}

/*
 * Prints one cell, filled up to `width`; the last one of a row is cut to `width` instead, unless that is 0.
 */
static void print_cell(const struct output_column *column, const char *cell, size_t width, bool is_last)
{
    size_t taken = text_width(cell);
    int fill = taken < width ? (int)(width - taken) : 0;
    if (column->is_right)
        printf("%*s", fill, "");
    if (is_last && width > 0 && taken > width)
        printf("%.*s%s", (int)text_fitting(cell, width - 1), cell, terminal.has_utf8 ? "…" : "~");
    else
        fputs(cell, stdout);
    if (!is_last)
        printf("%*s", (column->is_right ? 0 : fill) + COLUMN_GAP, "");
}

static void print_row(const struct output_table *table, const size_t *widths, size_t last_width,
                      enum output_style style, const char *const *cells)
{
    fputs(style_start(style), stdout);
    for (size_t i = 0; i < table->column_count; i++) {
        bool is_last = i + 1 == table->column_count;
        print_cell(&table->columns[i], cells[i], is_last ? last_width : widths[i], is_last);
    }
    fputs(style_end(style), stdout);
    putchar('\n');
}

/* How wide each column is, and what the columns before the last take together with their gaps. */
static size_t measure(const struct output_table *table, size_t *widths)
{
    size_t taken = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        widths[i] = text_width(table->columns[i].title);
        for (size_t j = 0; j < table->row_count; j++) {
            size_t width = text_width(table->rows[j].cells[i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
        taken += i + 1 < table->column_count ? widths[i] + COLUMN_GAP : 0;
    }
    return taken;
}

void output_table_free(struct output_table *table)
{
    for (size_t j = 0; j < table->row_count; j++)
        for (size_t i = 0; i < table->column_count; i++)
            free(table->rows[j].cells[i]);
    free(table->rows);
    free(table);
}

void output_table_end(struct output_table *table)
{
    size_t widths[OUTPUT_COLUMNS_MAX];
    const char *titles[OUTPUT_COLUMNS_MAX];
    size_t last = table->column_count - 1;
    size_t taken = measure(table, widths);
    size_t last_width = table->columns[last].is_right ? widths[last] : 0;
    if (last_width == 0 && terminal.width > taken + 1)
        last_width = terminal.width - taken;
    for (size_t i = 0; i < table->column_count; i++)
        titles[i] = table->columns[i].title;
    if (table->row_count > 0)
        print_row(table, widths, last_width, OUTPUT_FAINT, titles);
    for (size_t j = 0; j < table->row_count; j++)
        print_row(table, widths, last_width, table->rows[j].style, (const char *const *)table->rows[j].cells);
    output_table_free(table);
}
