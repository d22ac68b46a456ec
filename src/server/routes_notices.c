/* SPDX-License-Identifier: MIT */
/*
 * routes_notices.c: reading the notices that went out to the caller: what was not read yet at once, else the
 * next one when it goes out, for as long as the caller waits. Runs in the http actor, asks the directory.
 */
#include "server/routes_notices.h"

#include "server/http.h"
#include "server/messages.h"
#include "server/routes_members.h"

/* The directory may be reading its stream; the caller's patience is added. */
#define READ_TIMEOUT_MS 30000
#define THE_DIRECTORY "the directory"

static troupe_status on_read(troupe_self *self, troupe_status status, const troupe_message *reply,
                             void *context)
{
    (void)self;
    call_end(context, status, reply, THE_DIRECTORY);
    return TROUPE_OK;
}

void route_notices_after(troupe_self *self, struct call *call)
{
    uint64_t after;
    uint64_t wait_ms;
    if (!argument_number(call, "after", 0, 0, INT64_MAX, &after) ||
        !argument_number(call, "wait_ms", 0, 0, NEXT_WAIT_MAX_MS, &wait_ms))
        return;
    if (call->request->http->is_stopping)
        wait_ms = 0;
    troupe_status status =
        troupe_ask(self, troupe_whereis(self, NAME_DIRECTORY), READ_TIMEOUT_MS + (uint32_t)wait_ms, on_read,
                   call, directory_notices_after, .actor = call->request->caller.actor, .after = after,
                   .wait_ms = (uint32_t)wait_ms);
    if (status != TROUPE_OK)
        call_end(call, status, NULL, THE_DIRECTORY);
}
