/* SPDX-License-Identifier: MIT */
/*
 * Reading absences from any bytes: never past their end, and what comes out is what the organisation's rule
 * takes; a file that is refused says why, and leaves nothing. One thread.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "server/icalendar.h"

#define NOW_MS ((int64_t)1781481600000) /* 15 June 2026 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One zone is known; the others must come with the file. */
static bool find_zone(const char *name, const struct org_zone **ret_zone)
{
    *ret_zone = NULL;
    return strcmp(name, "Etc/UTC") == 0;
}

static bool is_source(const struct icalendar *calendar, uint64_t source)
{
    for (size_t i = 0; i < calendar->source_count; i++) {
        if (calendar->sources[i] == source)
            return true;
    }
    return false;
}

static void check(const struct icalendar *calendar)
{
    ASSERT(calendar->absence_count <= ORG_ABSENCES_IMPORTED_MAX);
    ASSERT(calendar->away_count <= calendar->event_count);
    for (size_t i = 1; i < calendar->source_count; i++)
        ASSERT(calendar->sources[i - 1] < calendar->sources[i]);
    for (size_t i = 0; i < calendar->absence_count; i++) {
        const struct org_imported_absence *absence = &calendar->absences[i];
        ASSERT(absence->from >= 0 && absence->from < absence->until && absence->until <= ORG_TIME_MAX_MS);
        ASSERT(absence->until > NOW_MS && absence->from <= NOW_MS + ICALENDAR_HORIZON_MS);
        ASSERT(is_source(calendar, absence->source));
        if (i > 0 && absence[-1].source == absence->source)
            ASSERT(absence[-1].until < absence->from);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct icalendar_reading reading = {
        .mail = "ann@example.org", .now_ms = NOW_MS, .find_zone = find_zone};
    struct icalendar calendar;
    struct icalendar_problem problem;
    troupe_status status = icalendar_read(data, size, &reading, &calendar, &problem);
    if (status == TROUPE_OK) {
        check(&calendar);
    } else {
        ASSERT(status == TROUPE_NO_MEMORY || problem.reason[0] != '\0');
        ASSERT(calendar.absences == NULL && calendar.sources == NULL);
    }
    icalendar_done(&calendar);
    return 0;
}
