/* SPDX-License-Identifier: MIT */
/*
 * replay_feed.c: the sending side of a replay. A batch is filled with rows that are due, sent as one array,
 * and kept until the server has taken in every one: what is refused stays and is sent again.
 *
 * A refusal says when a place is expected. Until then nothing is sent, since it would be refused as well;
 * then the oldest rows go first, in one array of as many as were taken in the last time, and of twice as many
 * each time that all of them are, until arrays are full again. So a mailbox that stays full sees few rows
 * twice, and rows keep about their order.
 *
 * At a recorded pace a row is due (its time - the first row's time) / factor after the start. Rows that the
 * server had already cost no time: while receipts say "duplicate", the next row is due at once and the clock
 * starts again from there, so that a resumed replay goes on at its pace from where it stopped.
 */
#include "cli/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

/* What the program on the other side needs to know about a row, and a person can read. */
static json_t *build_message(const struct replay *replay, const struct patch *patch)
{
    char subject[PATCHES_PATH_MAX + 64];
    char key[ROLE_NAME_MAX + 1];
    json_t *content = text_must(
        json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:s}", "file", replay->file_name, "row",
                  (json_int_t)patch->number, "sender", patch->sender, "integrator", patch->integrator,
                  "sent_unix", (json_int_t)patch->sent_unix, "done_unix", (json_int_t)patch->done_unix,
                  "files", (json_int_t)patch->files, "first_path", patch->first_path));
    char *body = text_must(json_dumps(content, JSON_COMPACT));
    json_decref(content);
    snprintf(subject, sizeof(subject), "%s (%" PRId64 " %s)",
             *patch->first_path != '\0' ? patch->first_path : "no path", patch->files,
             patch->files == 1 ? "file" : "files");
    snprintf(key, sizeof(key), "%s:%" PRId64, replay->file_name, patch->number);
    json_t *message = text_must(json_pack("{s:s, s:s, s:s, s:s, s:b}", "to", replay->role, "subject", subject,
                                          "body", body, "key", key, "reply", 0));
    free(body);
    return message;
}

/*
 * Reads the next row into feed->ahead. The file was walked once already: what is wrong now has changed since.
 */
static void read_ahead(struct replay *replay)
{
    struct feed *feed = &replay->feed;
    struct patch patch;
    if (feed->ahead.message != NULL || feed->is_read)
        return;
    troupe_status status = patches_next(&replay->patches, &patch);
    if (status == TROUPE_OK && patch.number <= replay->ledger.row_count) {
        feed->ahead = (struct feed_row){patch.number, patch.sent_unix, build_message(replay, &patch)};
        return;
    }
    feed->is_read = true;
    if (status != TROUPE_END || replay->patches.row_count != replay->ledger.row_count)
        replay_end(replay, CLI_DATA, "%s changed while it was read", replay->path);
}

/* When the row ahead is due; 0, at once, at full speed. */
static int64_t due_ms(struct replay *replay, int64_t now_ms)
{
    struct feed *feed = &replay->feed;
    if (replay->factor == 0)
        return 0;
    if (!feed->has_origin) {
        feed->has_origin = true;
        feed->origin_unix = feed->ahead.sent_unix;
        feed->origin_ms = now_ms;
    }
    double after_ms = (double)(feed->ahead.sent_unix - feed->origin_unix) * 1000 / replay->factor;
    return feed->origin_ms + (int64_t)after_ms;
}

/* Fills the batch with rows that are due. Gives when the next one is due, or `latest_ms`. */
static int64_t fill(struct replay *replay, struct feed_batch *batch, int64_t now_ms, int64_t latest_ms)
{
    while (batch->row_count < BATCH_MAX) {
        read_ahead(replay);
        if (replay->feed.ahead.message == NULL)
            return latest_ms;
        int64_t next_ms = due_ms(replay, now_ms);
        if (next_ms > now_ms)
            return next_ms < latest_ms ? next_ms : latest_ms;
        batch->rows[batch->row_count++] = replay->feed.ahead;
        replay->feed.ahead.message = NULL;
    }
    return latest_ms;
}

/*
 * What one row was told. True when the row is over with; false when it has to be sent again, not before
 * *ret_wait_ms.
 */
static bool take_receipt(struct replay *replay, const struct feed_row *row, const json_t *item,
                         int64_t *ret_wait_ms)
{
    const json_t *answer = json_object_get(item, "answer");
    long status = (long)json_integer_value(json_object_get(item, "status"));
    const char *id = json_string_value(json_object_get(answer, "id"));
    if (status >= 200 && status < 300 && id != NULL && ledger_is_id(id)) {
        bool is_duplicate = json_is_true(json_object_get(answer, "duplicate"));
        ledger_enter(&replay->ledger, row->number, id, is_duplicate ? LEDGER_DUPLICATE : LEDGER_ACCEPTED);
        replay->counts.duplicates += is_duplicate;
        replay->counts.sent += !is_duplicate;
        replay->take.waiting += !is_duplicate;
        replay->feed.has_origin = replay->feed.has_origin && !is_duplicate;
        replay->progress_ms = replay_now_ms();
        return true;
    }
    if (status == 429) {
        const json_t *stated = json_object_get(answer, "retry_after_ms");
        int64_t wait_ms = json_is_integer(stated) ? json_integer_value(stated) : RETRY_MS_MAX;
        *ret_wait_ms = wait_ms < *ret_wait_ms ? wait_ms : *ret_wait_ms;
        replay->counts.refused++;
        return false;
    }
    char what[64];
    snprintf(what, sizeof(what), "row %" PRId64, row->number);
    if (replay_is_item_good(replay, item, what))
        replay_end(replay, CLI_PROTOCOL, "%s: the receipt has no usable \"id\"", what);
    return false;
}

/* What an array of `sent_count` rows, of which `refused_count` were refused, says about the mailbox. */
static void adapt(struct feed *feed, int sent_count, int refused_count, int64_t wait_ms)
{
    if (refused_count > 0) {
        wait_ms = wait_ms > RETRY_MS_MIN ? wait_ms : RETRY_MS_MIN;
        feed->not_before_ms = replay_now_ms() + wait_ms;
        feed->window = sent_count > refused_count ? sent_count - refused_count : 1;
        feed->is_full = true;
    } else if (feed->is_full) {
        feed->not_before_ms = 0;
        feed->window *= 2;
        feed->is_full = feed->window < BATCH_MAX;
    }
}

static void take_receipts(void *context, const struct client_answer *answer)
{
    struct feed_batch *batch = context;
    struct replay *replay = batch->replay;
    batch->is_under_way = false;
    if (!replay_is_answered(replay, answer))
        return;
    if (json_array_size(answer->json) != (size_t)batch->sent_count) {
        replay_end(replay, CLI_PROTOCOL, "%d sends, and %zu receipts", batch->sent_count,
                   json_array_size(answer->json));
        return;
    }
    int left = 0;
    int64_t wait_ms = RETRY_MS_MAX;
    for (int i = 0; i < batch->sent_count; i++) {
        struct feed_row *row = &batch->rows[i];
        if (take_receipt(replay, row, json_array_get(answer->json, (size_t)i), &wait_ms))
            json_decref(row->message);
        else
            batch->rows[left++] = *row;
    }
    adapt(&replay->feed, batch->sent_count, left, wait_ms);
    memmove(&batch->rows[left], &batch->rows[batch->sent_count],
            (size_t)(batch->row_count - batch->sent_count) * sizeof(*batch->rows));
    batch->row_count -= batch->sent_count - left;
}

/* Sends the first rows of the batch, at most `count`. */
static void send_batch(struct replay *replay, struct feed_batch *batch, int count)
{
    json_t *messages = text_must(json_array());
    batch->replay = replay;
    batch->is_under_way = true;
    batch->sent_count = count < batch->row_count ? count : batch->row_count;
    for (int i = 0; i < batch->sent_count; i++)
        json_array_append(messages, batch->rows[i].message);
    fleet_start(replay->fleet,
                &(struct client_request){.method = "POST", .path = "/v1/send", .body = messages},
                take_receipts, batch);
    json_decref(messages);
}

/* While the mailbox is full: sends the oldest rows when their time has come. Gives when that is. */
static int64_t send_oldest(struct replay *replay, int64_t now_ms, int64_t latest_ms)
{
    struct feed *feed = &replay->feed;
    struct feed_batch *oldest = NULL;
    for (int i = 0; i < FEED_BATCHES; i++) {
        struct feed_batch *batch = &feed->batches[i];
        if (batch->is_under_way)
            return latest_ms;
        if (batch->row_count > 0 && (oldest == NULL || batch->rows[0].number < oldest->rows[0].number))
            oldest = batch;
    }
    if (feed->not_before_ms > now_ms)
        return feed->not_before_ms < latest_ms ? feed->not_before_ms : latest_ms;
    if (oldest == NULL)
        feed->is_full = false; /* what was refused has been taken in; the next rows find out how it stands */
    else
        send_batch(replay, oldest, feed->window);
    return latest_ms;
}

int64_t replay_feed_step(struct replay *replay, int64_t now_ms, int64_t wait_ms)
{
    struct feed *feed = &replay->feed;
    int64_t latest_ms = now_ms + wait_ms;
    /* At a recorded pace one batch at a time keeps the order; at full speed the connections count. */
    int batch_count = replay->factor == 0 ? FEED_BATCHES : 1;
    if (feed->is_full)
        return send_oldest(replay, now_ms, latest_ms);
    for (int i = 0; i < batch_count && replay->ending == CLI_OK; i++) {
        struct feed_batch *batch = &feed->batches[i];
        if (batch->is_under_way)
            continue;
        latest_ms = fill(replay, batch, now_ms, latest_ms);
        if (batch->row_count > 0 && replay->ending == CLI_OK)
            send_batch(replay, batch, BATCH_MAX);
    }
    return latest_ms;
}

bool replay_feed_has_rows(const struct replay *replay)
{
    for (int i = 0; i < FEED_BATCHES; i++)
        if (replay->feed.batches[i].row_count > 0)
            return true;
    return false;
}

bool replay_feed_is_over(const struct replay *replay)
{
    return replay->feed.is_read && replay->feed.ahead.message == NULL && !replay_feed_has_rows(replay);
}

void replay_feed_restart(struct replay *replay)
{
    for (int i = 0; i < FEED_BATCHES; i++)
        replay->feed.batches[i].is_under_way = false;
    replay->feed.is_full = false;
}

void replay_feed_done(struct replay *replay)
{
    for (int i = 0; i < FEED_BATCHES; i++)
        for (int j = 0; j < replay->feed.batches[i].row_count; j++)
            json_decref(replay->feed.batches[i].rows[j].message);
    json_decref(replay->feed.ahead.message);
}
