/* SPDX-License-Identifier: MIT */
/*
 * csv.c: see csv.h. One byte at a time through a state machine; the fields are unquoted in place.
 *
 *              +-- ',' ------------------------+
 *              v                               |
 *     field start --- other ---> bare ---------+--- LF ---> end of the record
 *          |                                   |
 *          +-- '"' --> quoted <--> quote seen -+
 */
#include "cli/csv.h"

#include <stdbool.h>
#include <string.h>

enum csv_state { FIELD_START, BARE, QUOTED, QUOTE_SEEN };

/* What one record's walk knows. */
struct walk {
    enum csv_state state;
    size_t size;
    int byte;
};

void csv_start(struct csv *csv, FILE *file)
{
    memset(csv, 0, sizeof(*csv));
    csv->file = file;
    csv->line = 1;
    csv->next_line = 1;
}

static troupe_status wrong(struct csv *csv, const char *what)
{
    csv->line = csv->next_line;
    snprintf(csv->trouble, sizeof(csv->trouble), "%s", what);
    return TROUPE_MALFORMED;
}

static troupe_status put(struct csv *csv, struct walk *walk, int byte)
{
    if (walk->size >= CSV_RECORD_MAX)
        return wrong(csv, "the record is too long");
    csv->record[walk->size++] = (char)byte;
    return TROUPE_OK;
}

/* Ends the field that is being read; the next one begins after its NUL. */
static troupe_status end_field(struct csv *csv, struct walk *walk)
{
    troupe_status status = put(csv, walk, '\0');
    if (status != TROUPE_OK)
        return status;
    if (csv->field_count >= CSV_FIELDS_MAX)
        return wrong(csv, "too many fields");
    csv->field_count++;
    if (csv->field_count < CSV_FIELDS_MAX)
        csv->fields[csv->field_count] = csv->record + walk->size;
    walk->state = FIELD_START;
    return TROUPE_OK;
}

/* A line end outside quotes: LF, or CR with its LF, or the end of the file. */
static troupe_status end_line(struct csv *csv, struct walk *walk)
{
    if (walk->byte == '\r' && getc(csv->file) != '\n')
        return wrong(csv, "a carriage return without a line feed");
    return end_field(csv, walk);
}

/* One byte that is neither a comma nor a line end outside quotes. */
static troupe_status take(struct csv *csv, struct walk *walk)
{
    int byte = walk->byte;
    switch (walk->state) {
    case FIELD_START:
        walk->state = byte == '"' ? QUOTED : BARE;
        return byte == '"' ? TROUPE_OK : put(csv, walk, byte);
    case BARE:
        return byte == '"' ? wrong(csv, "a quote inside a field that is not quoted") : put(csv, walk, byte);
    case QUOTED:
        if (byte == '"') {
            walk->state = QUOTE_SEEN;
            return TROUPE_OK;
        }
        csv->next_line += byte == '\n';
        return put(csv, walk, byte);
    case QUOTE_SEEN:
        if (byte != '"')
            return wrong(csv, "something stands after a closing quote");
        walk->state = QUOTED;
        return put(csv, walk, byte);
    }
    return TROUPE_OK;
}

static bool ends_line(int byte)
{
    return byte == '\n' || byte == '\r' || byte == EOF;
}

troupe_status csv_next(struct csv *csv)
{
    struct walk walk = {.state = FIELD_START};
    int64_t first_line = csv->next_line;
    csv->field_count = 0;
    csv->fields[0] = csv->record;
    for (bool is_first = true;; is_first = false) {
        walk.byte = getc(csv->file);
        if (walk.byte == EOF && ferror(csv->file))
            return TROUPE_IO;
        if (walk.byte == EOF && is_first)
            return TROUPE_END;
        troupe_status status;
        bool is_quoted = walk.state == QUOTED;
        bool is_end = ends_line(walk.byte) && !is_quoted;
        if (walk.byte == EOF && is_quoted)
            status = wrong(csv, "a quote is not closed before the end of the file");
        else if (walk.byte == '\0')
            status = wrong(csv, "a NUL byte");
        else if (is_end)
            status = end_line(csv, &walk);
        else if (walk.byte == ',' && !is_quoted)
            status = end_field(csv, &walk);
        else
            status = take(csv, &walk);
        if (status != TROUPE_OK)
            return status;
        if (is_end) {
            csv->line = first_line;
            csv->next_line++;
            return TROUPE_OK;
        }
    }
}
