/* SPDX-License-Identifier: MIT */
/*
 * replay_take.c: the handling side of a replay, as the program that holds the role. A batch takes messages
 * with one array of `next`, finishes them with one array of `done`, and has each `done` take the next one as
 * long as something waits, so that in the middle of a run one request does both.
 *
 *     free --next--> asked for --messages--> in hand --done, and the next--> in hand, or free
 *
 * How much waits is counted here, since this run also sends: every receipt adds one, every message asked for
 * takes one off. That is an estimate: somebody else may send or take too, and a server may say that nothing
 * waits while it is giving out the rest. So what was asked for and did not come is put back while others
 * came, and when nothing came at all replay_take_sweep asks the server how it stands.
 */
#include "cli/replay.h"

#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

enum {
    TAKE_MIN = BATCH_MAX / 2, /* fewer are not worth a request while more is on its way */
    SWEEP_MS_MIN = 20,        /* between two sweeps of the same doubt */
};

/* What counts against the WIP limit: a `done` that takes the next one frees its place first. */
static int64_t in_hand(const struct take *take)
{
    int64_t count = 0;
    for (int i = 0; i < TAKE_BATCHES; i++) {
        const struct take_batch *batch = &take->batches[i];
        count += batch->count > batch->asked ? batch->count : batch->asked;
    }
    return count;
}

static bool is_in_hand(const struct take *take, const char *id)
{
    for (int i = 0; i < TAKE_BATCHES; i++)
        for (int j = 0; j < take->batches[i].count; j++)
            if (strcmp(take->batches[i].messages[j].id, id) == 0)
                return true;
    return false;
}

/* The row that a message was made of, by its body; 0 when it is not one of this file. */
static int64_t row_of(const struct replay *replay, const json_t *message)
{
    const char *body = json_string_value(json_object_get(message, "body"));
    json_t *content = body != NULL ? json_loads(body, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *file = json_string_value(json_object_get(content, "file"));
    int64_t row = json_integer_value(json_object_get(content, "row"));
    bool is_ours = file != NULL && strcmp(file, replay->file_name) == 0;
    json_decref(content);
    return is_ours && row >= 1 && row <= replay->ledger.row_count ? row : 0;
}

/* Puts one message into the batch, and its wait, accepted to taken, into the report. */
static void keep_message(struct replay *replay, struct take_batch *batch, const json_t *message)
{
    const char *id = json_string_value(json_object_get(message, "id"));
    if (id == NULL || !ledger_is_id(id)) {
        replay_end(replay, CLI_PROTOCOL, "a message has no usable \"id\"");
        return;
    }
    int64_t row = row_of(replay, message);
    bool is_over = row != 0 && ledger_has(&replay->ledger, row, LEDGER_HANDLED);
    /* An answer may be older than what another one has brought since. */
    if (batch->count >= BATCH_MAX || is_in_hand(&replay->take, id) || is_over)
        return;
    struct take_message *kept = &batch->messages[batch->count++];
    memcpy(kept->id, id, strlen(id) + 1);
    kept->row = row;
    if (kept->row == 0 || !ledger_enter(&replay->ledger, kept->row, id, LEDGER_TAKEN))
        return;
    const json_t *sent = json_object_get(message, "sent");
    const json_t *held_since = json_object_get(message, "held_since");
    if (json_is_integer(sent) && json_is_integer(held_since))
        waits_add(&replay->waits, json_integer_value(held_since) - json_integer_value(sent));
}

static void keep_messages(struct replay *replay, struct take_batch *batch, const json_t *messages)
{
    for (size_t i = 0; i < json_array_size(messages); i++)
        keep_message(replay, batch, json_array_get(messages, i));
}

/*
 * One message finished, or no longer ours to finish: then the look-ups at the end find out what became of it.
 */
static void take_end(struct replay *replay, const struct take_message *message, const json_t *item)
{
    long status = (long)json_integer_value(json_object_get(item, "status"));
    if (status == 404 || status == 409 || !replay_is_item_good(replay, item, message->id))
        return;
    replay->progress_ms = replay_now_ms();
    if (message->row == 0)
        replay->counts.others++;
    else if (ledger_enter(&replay->ledger, message->row, message->id, LEDGER_HANDLED))
        replay->counts.handled++;
    else
        replay->ledger.doubled++;
}

/* The answer to an array of `next` (nothing in hand) or of `done` (all in hand). */
static void take_answers(void *context, const struct client_answer *answer)
{
    struct take_batch *batch = context;
    struct replay *replay = batch->replay;
    struct take_batch ended = *batch;
    size_t expected = (size_t)(batch->count > 0 ? batch->count : batch->asked);
    batch->is_under_way = false;
    if (!replay_is_answered(replay, answer))
        return;
    batch->count = 0;
    batch->asked = 0;
    if (json_array_size(answer->json) != expected) {
        replay_end(replay, CLI_PROTOCOL, "%zu requests, and %zu answers", expected,
                   json_array_size(answer->json));
        return;
    }
    /* Ends first: an item may hand out again what an item after it has finished. */
    for (size_t i = 0; i < (size_t)ended.count; i++)
        take_end(replay, &ended.messages[i], json_array_get(answer->json, i));
    for (size_t i = 0; i < expected; i++) {
        const json_t *item = json_array_get(answer->json, i);
        if (ended.count > 0 || replay_is_item_good(replay, item, replay->role))
            keep_messages(replay, batch, json_object_get(json_object_get(item, "answer"), "messages"));
    }
    if (batch->count == 0 && ended.asked > 0)
        replay->take.is_doubtful = true;
    else if (batch->count < ended.asked)
        replay->take.waiting += ended.asked - batch->count;
}

static void start(struct replay *replay, struct take_batch *batch, const char *path, json_t *requests)
{
    batch->replay = replay;
    batch->is_under_way = true;
    fleet_start(
        replay->fleet,
        &(struct client_request){.method = "POST", .path = path, .body = requests, .as = replay->program},
        take_answers, batch);
    json_decref(requests);
}

static void finish_batch(struct replay *replay, struct take_batch *batch)
{
    struct take *take = &replay->take;
    json_t *requests = text_must(json_array());
    for (int i = 0; i < batch->count; i++) {
        json_t *request = text_must(json_pack("{s:s}", "id", batch->messages[i].id));
        if (take->waiting > 0 && !take->is_doubtful) {
            take->waiting--;
            batch->asked++;
            json_object_set_new(request, "next", json_true());
        }
        json_array_append_new(requests, request);
    }
    start(replay, batch, "/v1/done", requests);
}

static void ask_batch(struct replay *replay, struct take_batch *batch)
{
    struct take *take = &replay->take;
    int64_t count = take->wip_limit - in_hand(take);
    count = count < take->waiting ? count : take->waiting;
    count = count < BATCH_MAX ? count : BATCH_MAX;
    bool is_worth_it = count >= TAKE_MIN || replay->factor != 0 || fleet_busy(replay->fleet) == 0;
    if (count <= 0 || !is_worth_it || take->is_doubtful)
        return;
    json_t *requests = text_must(json_array());
    for (int64_t i = 0; i < count; i++)
        json_array_append_new(requests, text_must(json_pack("{s:s}", "role", replay->role)));
    take->waiting -= count;
    batch->asked = (int)count;
    start(replay, batch, "/v1/next", requests);
}

void replay_take_step(struct replay *replay)
{
    struct take *take = &replay->take;
    int64_t left;
    if (take->is_doubtful && in_hand(take) == 0 && replay_now_ms() - take->swept_ms >= SWEEP_MS_MIN)
        replay_take_sweep(replay, &left);
    for (int i = 0; i < TAKE_BATCHES && replay->ending == CLI_OK; i++) {
        struct take_batch *batch = &replay->take.batches[i];
        if (!batch->is_under_way && batch->count > 0)
            finish_batch(replay, batch);
        else if (!batch->is_under_way)
            ask_batch(replay, batch);
    }
}

bool replay_take_is_idle(const struct replay *replay)
{
    return in_hand(&replay->take) == 0 && (replay->take.waiting == 0 || replay->take.is_doubtful);
}

void replay_take_restart(struct replay *replay)
{
    for (int i = 0; i < TAKE_BATCHES; i++)
        replay->take.batches[i] = (struct take_batch){.replay = replay};
    replay->take.waiting = 0;
    replay->take.is_doubtful = false;
}

bool replay_take_sweep(struct replay *replay, int64_t *ret_left)
{
    struct client_answer answer;
    char *path = transfer_path("/v1/inbox", "role", replay->role, NULL);
    replay_ask(replay, &(struct client_request){.method = "GET", .path = path, .as = replay->program},
               &answer);
    free(path);
    bool is_answered = replay_is_answered(replay, &answer);
    if (is_answered) {
        const json_t *held = json_object_get(answer.json, "held");
        const json_t *total = json_object_get(answer.json, "total");
        if (!json_is_array(held) || !json_is_integer(total))
            replay_end(replay, CLI_PROTOCOL, "the inbox has no usable \"held\" and \"total\"");
        /* Spread over the batches; what does not fit comes with the next sweep. */
        for (size_t i = 0; i < json_array_size(held); i++)
            keep_message(replay, &replay->take.batches[i % TAKE_BATCHES], json_array_get(held, i));
        replay->take.waiting = json_integer_value(total);
        replay->take.is_doubtful = false;
        replay->take.swept_ms = replay_now_ms();
        *ret_left = replay->take.waiting + in_hand(&replay->take);
    }
    json_decref(answer.json);
    return is_answered;
}
