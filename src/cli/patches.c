/* SPDX-License-Identifier: MIT */
/*
 * patches.c: see patches.h. What is wrong is said in words of the file: the column's name and the text that
 * stands there.
 */
#include "cli/patches.h"

#include <stdbool.h>
#include <string.h>

#include "cli/text.h"

enum {
    COLUMN_SENT,
    COLUMN_DONE,
    COLUMN_SENDER,
    COLUMN_INTEGRATOR,
    COLUMN_FILES,
    COLUMN_PATH,
    COLUMN_COUNT,
};

static const char *const columns[COLUMN_COUNT] = {
    [COLUMN_SENT] = "sent_unix",        [COLUMN_DONE] = "done_unix", [COLUMN_SENDER] = "sender",
    [COLUMN_INTEGRATOR] = "integrator", [COLUMN_FILES] = "files",    [COLUMN_PATH] = "first_path",
};

troupe_status patches_start(struct patches *patches, FILE *file)
{
    rewind(file);
    csv_start(&patches->csv, file);
    patches->row_count = 0;
    struct csv *csv = &patches->csv;
    troupe_status status = csv_next(csv);
    bool is_right = status == TROUPE_OK && csv->field_count == COLUMN_COUNT;
    for (size_t i = 0; is_right && i < COLUMN_COUNT; i++)
        is_right = strcmp(csv->fields[i], columns[i]) == 0;
    if (is_right || status == TROUPE_IO || status == TROUPE_MALFORMED)
        return status;
    snprintf(csv->trouble, sizeof(csv->trouble),
             "the first line is not sent_unix,done_unix,sender,integrator,files,first_path");
    return TROUPE_MALFORMED;
}

static troupe_status wrong(struct csv *csv, int column, const char *why)
{
    snprintf(csv->trouble, sizeof(csv->trouble), "%s is '%.40s': %s", columns[column], csv->fields[column],
             why);
    return TROUPE_MALFORMED;
}

static troupe_status read_text(struct csv *csv, int column, size_t size_max, const char **ret_text)
{
    const char *text = csv->fields[column];
    if (strlen(text) > size_max)
        return wrong(csv, column, "too long");
    if (!text_is_utf8(text))
        return wrong(csv, column, "not UTF-8");
    *ret_text = text;
    return TROUPE_OK;
}

static troupe_status read_number(struct csv *csv, int column, int64_t max, int64_t *ret_number)
{
    if (!text_read_number(csv->fields[column], 0, max, ret_number))
        return wrong(csv, column, "not a whole number, or out of bounds");
    return TROUPE_OK;
}

static troupe_status read_patch(struct csv *csv, struct patch *patch)
{
    troupe_status status = read_number(csv, COLUMN_SENT, PATCHES_UNIX_MAX, &patch->sent_unix);
    if (status == TROUPE_OK)
        status = read_number(csv, COLUMN_DONE, PATCHES_UNIX_MAX, &patch->done_unix);
    if (status == TROUPE_OK)
        status = read_text(csv, COLUMN_SENDER, PATCHES_NAME_MAX, &patch->sender);
    if (status == TROUPE_OK)
        status = read_text(csv, COLUMN_INTEGRATOR, PATCHES_NAME_MAX, &patch->integrator);
    if (status == TROUPE_OK)
        status = read_number(csv, COLUMN_FILES, PATCHES_FILES_MAX, &patch->files);
    if (status == TROUPE_OK)
        status = read_text(csv, COLUMN_PATH, PATCHES_PATH_MAX, &patch->first_path);
    if (status != TROUPE_OK)
        return status;
    if (*patch->sender == '\0')
        return wrong(csv, COLUMN_SENDER, "a row has a sender");
    if (patch->done_unix < patch->sent_unix)
        return wrong(csv, COLUMN_DONE, "before it was sent");
    return TROUPE_OK;
}

troupe_status patches_next(struct patches *patches, struct patch *ret_patch)
{
    struct csv *csv = &patches->csv;
    struct patch patch = {.number = patches->row_count + 1};
    troupe_status status = csv_next(csv);
    if (status != TROUPE_OK)
        return status;
    if (patches->row_count >= PATCHES_ROWS_MAX)
        return TROUPE_LIMIT;
    if (csv->field_count != COLUMN_COUNT) {
        snprintf(csv->trouble, sizeof(csv->trouble), "%zu fields instead of %d", csv->field_count,
                 COLUMN_COUNT);
        return TROUPE_MALFORMED;
    }
    status = read_patch(csv, &patch);
    if (status == TROUPE_OK) {
        patches->row_count++;
        *ret_patch = patch;
    }
    return status;
}
