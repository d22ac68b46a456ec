/* SPDX-License-Identifier: MIT */
/*
 * replay_verify.c: the end of a replay: what became of the rows that this run did not finish itself. That is
 * every row that an earlier run handled, and every row whose answer was lost with a connection. Each is
 * looked up by the id in its receipt; only "done", said by the server, counts.
 */
#include "cli/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void replay_verify_start(struct replay *replay)
{
    replay->verify = (struct verify){.next_row = 1};
}

static void take_state(void *context, const struct client_answer *answer)
{
    struct verify_request *request = context;
    struct replay *replay = request->replay;
    int64_t row = request->row;
    request->row = 0;
    if (!replay_is_answered(replay, answer))
        return;
    const char *id = json_string_value(json_object_get(answer->json, "id"));
    const char *state = json_string_value(json_object_get(answer->json, "state"));
    if (id == NULL || state == NULL || !ledger_is_id(id)) {
        replay_end(replay, CLI_PROTOCOL, "row %" PRId64 ": the message has no usable \"id\" and \"state\"",
                   row);
        return;
    }
    if (strcmp(state, "done") == 0 && ledger_enter(&replay->ledger, row, id, LEDGER_FOUND_DONE))
        replay->progress_ms = replay_now_ms();
    else if (strcmp(state, "queued") == 0 || strcmp(state, "held") == 0 || strcmp(state, "parked") == 0)
        replay->verify.open_count++;
}

/* The next row to look up, or 0. A row without an id was never accepted; the report says so. */
static int64_t next_row(struct replay *replay)
{
    struct verify *verify = &replay->verify;
    while (verify->next_row <= replay->ledger.row_count) {
        int64_t row = verify->next_row++;
        if (!ledger_is_complete(&replay->ledger, row) && *ledger_id(&replay->ledger, row) != '\0')
            return row;
    }
    return 0;
}

void replay_verify_step(struct replay *replay)
{
    for (int i = 0; i < VERIFY_REQUESTS && replay->ending == CLI_OK; i++) {
        struct verify_request *request = &replay->verify.requests[i];
        if (request->row != 0)
            continue;
        request->replay = replay;
        request->row = next_row(replay);
        if (request->row == 0)
            return;
        char id[LEDGER_ID_MAX + 1] = "";
        memcpy(id, ledger_id(&replay->ledger, request->row), LEDGER_ID_MAX);
        char *path = transfer_path("/v1/message", "role", replay->role, "id", id, NULL);
        fleet_start(replay->fleet, &(struct client_request){.method = "GET", .path = path}, take_state,
                    request);
        free(path);
    }
}

bool replay_verify_is_over(const struct replay *replay)
{
    for (int i = 0; i < VERIFY_REQUESTS; i++)
        if (replay->verify.requests[i].row != 0)
            return false;
    return replay->verify.next_row > replay->ledger.row_count;
}
