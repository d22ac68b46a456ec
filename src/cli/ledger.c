/* SPDX-License-Identifier: MIT */
/*
 * ledger.c: see ledger.h. An array by row number; the counts are taken by walking it, which happens a few
 * times in a run.
 */
#include "cli/ledger.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

_Static_assert(sizeof(struct ledger_row) <= LEDGER_ROW_SIZE, "the memory of a replay is as documented");

void ledger_init(struct ledger *ledger, int64_t row_count)
{
    ledger->rows = text_must(calloc((size_t)row_count + 1, sizeof(*ledger->rows)));
    ledger->row_count = row_count;
    ledger->doubled = 0;
}

void ledger_done(struct ledger *ledger)
{
    free(ledger->rows);
    ledger->rows = NULL;
}

static struct ledger_row *row_of(const struct ledger *ledger, int64_t row)
{
    assert(row >= 1 && row <= ledger->row_count);
    return &ledger->rows[row];
}

bool ledger_is_id(const char *id)
{
    size_t length = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");
    return length > 0 && length <= LEDGER_ID_MAX && id[length] == '\0';
}

bool ledger_enter(struct ledger *ledger, int64_t row, const char *id, enum ledger_fact fact)
{
    assert(ledger_is_id(id));
    struct ledger_row *entry = row_of(ledger, row);
    if (entry->id[0] != '\0' && strncmp(entry->id, id, LEDGER_ID_MAX) != 0) {
        ledger->doubled++;
        return false;
    }
    memset(entry->id, 0, sizeof(entry->id));
    memcpy(entry->id, id, strlen(id));
    bool is_new = (entry->facts & fact) == 0;
    entry->facts = (uint8_t)(entry->facts | fact);
    return is_new;
}

const char *ledger_id(const struct ledger *ledger, int64_t row)
{
    return row_of(ledger, row)->id;
}

bool ledger_has(const struct ledger *ledger, int64_t row, enum ledger_fact fact)
{
    return (row_of(ledger, row)->facts & fact) != 0;
}

bool ledger_is_complete(const struct ledger *ledger, int64_t row)
{
    return (row_of(ledger, row)->facts & (LEDGER_HANDLED | LEDGER_FOUND_DONE)) != 0;
}

int64_t ledger_count(const struct ledger *ledger, enum ledger_fact fact)
{
    int64_t count = 0;
    for (int64_t row = 1; row <= ledger->row_count; row++)
        count += ledger_has(ledger, row, fact);
    return count;
}

int64_t ledger_missing(const struct ledger *ledger)
{
    int64_t count = 0;
    for (int64_t row = 1; row <= ledger->row_count; row++)
        count += !ledger_is_complete(ledger, row);
    return count;
}
