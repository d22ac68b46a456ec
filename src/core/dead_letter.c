/* SPDX-License-Identifier: MIT */
/* dead_letter.c: see dead_letter.h. The texts and statuses come from the one public list. */
#include "core/dead_letter.h"

#define COUNT_ONE(name, number, status, text) +1
_Static_assert((0 TROUPE_DEAD_LIST(COUNT_ONE)) == TROUPE_DEAD_COUNT, "every reason is counted");

const char *troupe_dead_text(troupe_dead_reason reason)
{
    switch (reason) {
#define TEXT_OF(name, number, status, text)                                                                  \
    case TROUPE_DEAD_##name:                                                                                 \
        return text;
        TROUPE_DEAD_LIST(TEXT_OF)
#undef TEXT_OF
    }
    return "a reason that is not known";
}

troupe_status dead_letter_status(troupe_dead_reason reason)
{
    switch (reason) {
#define STATUS_OF(name, number, status, text)                                                                \
    case TROUPE_DEAD_##name:                                                                                 \
        return status;
        TROUPE_DEAD_LIST(STATUS_OF)
#undef STATUS_OF
    }
    return TROUPE_FAILED;
}

void dead_letter_note(struct worker *worker, troupe_ref to, const troupe_message *message,
                      troupe_dead_reason reason)
{
    counter_add(&worker->counters.dead_letters_by[reason], 1);
    if (system_observes(worker->self.context.system, TROUPE_EVENT_DEAD_LETTER))
        events_tell_dead(worker, to, message, reason);
}
