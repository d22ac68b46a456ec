/* SPDX-License-Identifier: MIT */
/*
 * writer.c: group commit as an actor; writer.h says why it is laid so. Runs on the writer's own thread.
 *
 * Whatever is received goes into one list, in order: an append or a snapshot is staged and its outcome noted,
 * a read is only noted. settle() then commits, answers all of the list in that order, and does the upkeep
 * that nobody has to wait for.
 *
 *   (empty) --append, read--> (waiting) --settle: flush, a cap, or stop--> (empty)
 *                                |
 *                                +--the journal failed: settle tells everybody TROUPE_IO, the actor fails
 *
 * Invariants
 *   1. A transaction is open only while an append or a snapshot is in the list.
 *   2. Nobody in the list has been answered; everybody taken out of it has.
 *   3. An append whose noted status is TROUPE_OK is answered so only after journal_commit was.
 *   4. Reads run after the commit, with no transaction open.
 */
#include "journal/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "env/env.h"

/* A block that grew for one large piece is given back beyond this. */
#define PIECE_KEPT_MAX ((size_t)1 << 20)
/* A snapshot larger than this comes without records: with the largest piece, or record, it would not fit. */
#define SNAPSHOT_BESIDE_MAX ((size_t)4 << 20)

enum {
    NANOSECONDS_PER_MICROSECOND = 1000,
    /*
     * Looks into the mailbox while a group gathers: an end also where time stands still, in simulated runs.
     */
    GATHER_POLLS_MAX = 512,
    GATHER_POLLS_TIMELESS = 32, /* there: enough for all who have something to say in that moment */
    GATHER_WORTH_NS = 20000,    /* a commit that is quicker is not worth to wait for, as in memory */
};

/* From the writer to itself: look into the mailbox once more, and then flush. */
TROUPE_MESSAGE_EMPTY(writer_poll)

/* Somebody who waits for an answer. */
struct waiting {
    troupe_asker asker;
    bool is_read;
    bool is_listing;      /* a read: of summaries, after place `seq` */
    bool with_snapshot;   /* of a read */
    bool is_silent;       /* a plain send that wants no answer */
    troupe_status status; /* of an append: how staging went */
    uint64_t seq;         /* of an append: what journal_stage gave; of a read: from where */
    uint32_t size_max;
    troupe_message *find; /* of a search: a copy of what was asked; else NULL */
    uint32_t stream_len;
    char stream[JOURNAL_STREAM_LEN_MAX + 1]; /* of a read */
};

struct journal_group {
    struct record_batch piece; /* what the read at hand has gathered */
    struct buffer snapshot;    /* and the snapshot that it found */
    size_t piece_size_max;
    uint64_t piece_next_seq;
    uint64_t opened_ns;
    uint64_t gather_ns; /* since when the mailbox has been empty and the group open; 0: not yet */
    uint64_t record_count;
    uint64_t commit_ns; /* how long the last commit took */
    uint32_t expected;  /* how many were answered with the last group */
    uint32_t polls;
    bool is_timeless; /* simulated: time stands still while it looks, and no thread waits for it */
    bool is_open;
    uint32_t waiting_count;
    struct waiting waiting[JOURNAL_GROUP_WAITING_MAX];
};

static troupe_status writer_start(troupe_self *self)
{
    struct journal_writer_state *state = troupe_state(self);
    if (journal_is_failed(state->journal))
        return troupe_fail(self, TROUPE_IO, journal_error(state->journal));
    state->group = calloc(1, sizeof(*state->group));
    return state->group == NULL ? TROUPE_NO_MEMORY : TROUPE_OK;
}

static void answer_append(troupe_self *self, const struct waiting *waiting)
{
    if (waiting->is_silent)
        return;
    troupe_status status = troupe_reply(self, waiting->asker, journal_appended, .seq = waiting->seq,
                                        .status = (uint32_t)waiting->status);
    if (status == TROUPE_NO_MEMORY)
        troupe_refuse(self, waiting->asker, status);
}

static troupe_status gather(void *context, const struct journal_entry *entry)
{
    struct journal_group *group = context;
    size_t size = group->piece.bytes.size + record_stored_size(entry->record.size);
    if (group->piece.count > 0 && size > group->piece_size_max)
        return TROUPE_END;
    troupe_status status = record_batch_append(&group->piece, entry->record.type, entry->record.version,
                                               entry->record.body, entry->record.size);
    if (status == TROUPE_OK)
        group->piece_next_seq = entry->seq + 1;
    return status;
}

/*
 * Looks up the snapshot; the read goes on after it. One that is damaged is none: the records are still there.
 * A large one goes alone, so that the answer fits a message.
 */
static troupe_status find_snapshot(struct journal_writer_state *state, const struct waiting *waiting,
                                   journal_records_fields *answer, bool *ret_is_alone)
{
    struct journal_group *group = state->group;
    troupe_status status = journal_recall(state->journal, JOURNAL_SNAPSHOT, waiting->stream,
                                          waiting->stream_len, &group->snapshot, &answer->snapshot_seq);
    if (status == TROUPE_CORRUPT) {
        answer->is_snapshot_damaged = true;
        return TROUPE_OK;
    }
    answer->from_seq = answer->snapshot_seq + 1;
    answer->snapshot = (troupe_bytes){group->snapshot.bytes, group->snapshot.size};
    *ret_is_alone = group->snapshot.size > SNAPSHOT_BESIDE_MAX;
    return status;
}

static troupe_status gather_summary(void *context, const struct journal_summary *summary)
{
    struct journal_group *group = context;
    size_t before = group->snapshot.size;
    if (before > JOURNAL_READ_SIZE_DEFAULT)
        return TROUPE_END;
    struct journal_summary_head head = {summary->seq, (uint32_t)strlen(summary->stream) + 1,
                                        (uint32_t)summary->size};
    troupe_status status = buffer_append(&group->snapshot, &head, sizeof(head));
    if (status == TROUPE_OK)
        status = buffer_append(&group->snapshot, summary->stream, head.name_size);
    if (status == TROUPE_OK)
        status = buffer_align(&group->snapshot, RECORD_ALIGNMENT);
    if (status == TROUPE_OK)
        status = buffer_append(&group->snapshot, summary->bytes, summary->size);
    if (status == TROUPE_OK)
        status = buffer_align(&group->snapshot, RECORD_ALIGNMENT);
    if (status == TROUPE_OK)
        group->piece_next_seq = summary->place;
    else
        buffer_truncate(&group->snapshot, before);
    return status;
}

static void answer_summaries(troupe_self *self, struct journal_writer_state *state,
                             const struct waiting *waiting)
{
    struct journal_group *group = state->group;
    group->piece_next_seq = waiting->seq;
    troupe_status status = journal_summaries(state->journal, waiting->seq, gather_summary, group);
    bool is_end = status == TROUPE_OK;
    if (status == TROUPE_END)
        status = TROUPE_OK;
    status = troupe_reply(self, waiting->asker, journal_summaries_are, .next = group->piece_next_seq,
                          .status = (uint32_t)status, .is_end = is_end,
                          .list = {group->snapshot.bytes, group->snapshot.size});
    if (status == TROUPE_NO_MEMORY)
        troupe_refuse(self, waiting->asker, status);
    buffer_clear(&group->snapshot);
}

/* What a search has found so far. */
struct finding {
    struct record_batch *piece;
    uint32_t limit;
};

static troupe_status gather_card(void *context, const journal_card_fields *card)
{
    struct finding *finding = context;
    if (finding->piece->count == finding->limit)
        return TROUPE_END;
    return journal_card_add(finding->piece, card);
}

static void answer_find(troupe_self *self, struct journal_writer_state *state, struct waiting *waiting)
{
    const troupe_message *asked = waiting->find;
    const journal_find_ask *find = journal_find_ask_of(asked);
    struct record_batch *piece = &state->group->piece;
    struct finding finding = {piece, find->limit < JOURNAL_FOUND_MAX ? find->limit : JOURNAL_FOUND_MAX};
    struct journal_query query = {
        .words = troupe_text(asked, find->words),
        .stream = troupe_text(asked, find->stream),
        .author = troupe_text(asked, find->author),
        .holder = troupe_text(asked, find->holder),
        .thread = find->thread,
        .state = find->state,
        .before = find->before,
        .readable = find->sees_all ? NULL : troupe_text(asked, find->readable),
        .reader = troupe_text(asked, find->reader),
    };
    uint64_t next = 0;
    troupe_status status = journal_find(state->journal, &query, gather_card, &finding, &next);
    const char *reason = status == TROUPE_OK ? "" : journal_error(state->journal);
    status = troupe_reply(self, waiting->asker, journal_found, .next = next, .status = (uint32_t)status,
                          .count = piece->count, .cards = {piece->bytes.bytes, piece->bytes.size},
                          .reason = reason);
    if (status == TROUPE_NO_MEMORY)
        troupe_refuse(self, waiting->asker, status);
    record_batch_clear(piece);
    free(waiting->find);
    waiting->find = NULL;
}

static void answer_read(troupe_self *self, struct journal_writer_state *state, const struct waiting *waiting)
{
    struct journal_group *group = state->group;
    journal_records_fields answer = {.from_seq = waiting->seq == 0 ? 1 : waiting->seq};
    bool is_alone = false;
    troupe_status status = waiting->status;
    if (status == TROUPE_OK && waiting->with_snapshot)
        status = find_snapshot(state, waiting, &answer, &is_alone);
    group->piece_next_seq = answer.from_seq;
    group->piece_size_max = waiting->size_max == 0 ? JOURNAL_READ_SIZE_DEFAULT : waiting->size_max;
    if (group->piece_size_max > JOURNAL_READ_SIZE_MAX)
        group->piece_size_max = JOURNAL_READ_SIZE_MAX;
    if (status == TROUPE_OK && !is_alone)
        status = journal_scan(state->journal, waiting->stream, waiting->stream_len, answer.from_seq, gather,
                              group);
    answer.is_end = status == TROUPE_OK && !is_alone;
    if (status == TROUPE_END)
        status = TROUPE_OK;
    answer.status = (uint32_t)status;
    answer.next_seq = group->piece_next_seq;
    if (status == TROUPE_OK)
        answer.records = (troupe_bytes){group->piece.bytes.bytes, group->piece.bytes.size};
    else
        answer.reason = journal_error(state->journal);
    status = troupe_reply_fields(self, waiting->asker, &journal_records_type, &answer);
    if (status == TROUPE_NO_MEMORY)
        troupe_refuse(self, waiting->asker, status);

    record_batch_clear(&group->piece);
    if (group->piece.bytes.capacity > PIECE_KEPT_MAX)
        record_batch_done(&group->piece);
    buffer_clear(&group->snapshot);
    if (group->snapshot.capacity > PIECE_KEPT_MAX)
        buffer_done(&group->snapshot);
}

static troupe_status commit(troupe_self *self, struct journal_writer_state *state)
{
    uint64_t begun = troupe_now_ns(self);
    troupe_status status = journal_commit(state->journal);
    state->group->commit_ns = troupe_now_ns(self) - begun;
    state->group->is_timeless = state->group->commit_ns == 0;
    return status;
}

/*
 * Ends the group: commits, answers, and then does what nobody waits for. A failure of the journal is the
 * actor's.
 */
static troupe_status settle(troupe_self *self)
{
    struct journal_writer_state *state = troupe_state(self);
    struct journal_group *group = state->group;
    bool is_acknowledged = !group->is_open || commit(self, state) == TROUPE_OK;
    group->is_open = false;
    for (uint32_t i = 0; i < group->waiting_count; i++) {
        struct waiting *waiting = &group->waiting[i];
        if (waiting->is_listing) {
            answer_summaries(self, state, waiting);
            continue;
        }
        if (waiting->find != NULL) {
            answer_find(self, state, waiting);
            continue;
        }
        if (waiting->is_read) {
            answer_read(self, state, waiting);
            continue;
        }
        if (!is_acknowledged && waiting->status == TROUPE_OK)
            waiting->status = TROUPE_IO;
        answer_append(self, waiting);
    }
    group->expected = group->waiting_count;
    group->waiting_count = 0;
    group->record_count = 0;
    group->gather_ns = 0;
    group->polls = 0;
    if (!journal_is_failed(state->journal) && journal_upkeep(state->journal) == TROUPE_OK)
        return TROUPE_OK;
    return troupe_fail(self, TROUPE_IO, journal_error(state->journal));
}

static struct waiting *wait_in(struct journal_group *group, const troupe_message *message)
{
    ASSERT(group->waiting_count < JOURNAL_GROUP_WAITING_MAX);
    struct waiting *waiting = &group->waiting[group->waiting_count++];
    *waiting = (struct waiting){.asker = troupe_asker_of(message)};
    return waiting;
}

/* Opens the group's transaction at its first append. */
static troupe_status open_group(troupe_self *self, struct journal_writer_state *state)
{
    if (state->group->is_open)
        return TROUPE_OK;
    troupe_status status = journal_begin(state->journal);
    if (status != TROUPE_OK)
        return status;
    state->group->is_open = true;
    state->group->gather_ns = 0;
    state->group->polls = 0;
    state->group->opened_ns = troupe_now_ns(self);
    return TROUPE_OK;
}

static troupe_status settle_if_due(troupe_self *self)
{
    struct journal_writer_state *state = troupe_state(self);
    struct journal_group *group = state->group;
    bool is_due = journal_is_failed(state->journal) || group->record_count >= JOURNAL_GROUP_RECORDS_MAX ||
                  group->waiting_count == JOURNAL_GROUP_WAITING_MAX ||
                  troupe_now_ns(self) - group->opened_ns >=
                      (uint64_t)JOURNAL_GROUP_US_MAX * NANOSECONDS_PER_MICROSECOND;
    return is_due ? settle(self) : TROUPE_OK;
}

/* A part that was left out is kept as it was. */
static troupe_status keep(struct journal_writer_state *state, enum journal_kept kind, const char *stream,
                          uint64_t seq, troupe_bytes bytes)
{
    uint64_t unused;
    return bytes.size == 0 ? TROUPE_OK
                           : journal_keep(state->journal, kind, stream, strlen(stream), seq, bytes.data,
                                          bytes.size, &unused);
}

/*
 * The summary of an append whose records are staged: without it they must not become durable, as they would
 * with the group.
 */
static troupe_status keep_summary(struct journal_writer_state *state, const char *stream, uint64_t seq,
                                  troupe_bytes summary)
{
    troupe_status status = keep(state, JOURNAL_SUMMARY, stream, seq, summary);
    return status == TROUPE_OK ? status
                               : journal_fail(state->journal, status, "a summary cannot be kept: %s",
                                              troupe_status_text(status));
}

/*
 * The records are staged, and true whatever the catalogue says: a card that is there already stays, for
 * `troupe verify` to tell of.
 */
static troupe_status put(struct journal_writer_state *state, const char *stream, troupe_bytes cards)
{
    troupe_status status = cards.size == 0 ? TROUPE_OK
                                           : journal_put(state->journal, JOURNAL_CARDS, stream,
                                                         strlen(stream), cards.data, cards.size);
    return status == TROUPE_CONFLICT ? TROUPE_OK : status;
}

static troupe_status receive_append(troupe_self *self, const troupe_message *message,
                                    const journal_append *append)
{
    struct journal_writer_state *state = troupe_state(self);
    struct journal_group *group = state->group;
    struct waiting *waiting = wait_in(group, message);
    troupe_bytes records = troupe_bytes_of(message, append->records);
    troupe_bytes cards = troupe_bytes_of(message, append->cards);
    troupe_bytes summary = troupe_bytes_of(message, append->summary);
    uint64_t seq = 0;
    troupe_status status = open_group(self, state);
    if (status == TROUPE_OK) /* before anything is staged */
        status = journal_check_cards(cards.data, cards.size);
    if (status == TROUPE_OK && summary.size > JOURNAL_SNAPSHOT_SIZE_MAX)
        status = TROUPE_TOO_LARGE;
    if (status == TROUPE_OK)
        status = journal_stage(state->journal, troupe_text(message, append->stream), append->stream.size,
                               append->expected_seq, records.data, records.size, &seq);
    if (status == TROUPE_OK)
        status = keep_summary(state, troupe_text(message, append->stream), seq, summary);
    if (status == TROUPE_OK)
        status = put(state, troupe_text(message, append->stream), cards);
    waiting->status = status;
    waiting->seq = seq;
    if (status == TROUPE_OK)
        group->record_count += seq - append->expected_seq;
    return settle_if_due(self);
}

static troupe_status receive_snapshot(troupe_self *self, const troupe_message *message,
                                      const journal_snapshot_kept *kept)
{
    struct journal_writer_state *state = troupe_state(self);
    struct waiting *waiting = wait_in(state->group, message);
    waiting->is_silent = waiting->asker.ask == 0;
    waiting->status = open_group(self, state);
    const char *stream = troupe_text(message, kept->stream);
    if (waiting->status == TROUPE_OK)
        waiting->status =
            keep(state, JOURNAL_SNAPSHOT, stream, kept->seq, troupe_bytes_of(message, kept->state));
    if (waiting->status == TROUPE_OK)
        waiting->status =
            keep(state, JOURNAL_SUMMARY, stream, kept->seq, troupe_bytes_of(message, kept->summary));
    waiting->seq = kept->seq;
    return settle_if_due(self);
}

static troupe_status receive_read(troupe_self *self, const troupe_message *message, const journal_read *read)
{
    struct journal_writer_state *state = troupe_state(self);
    struct waiting *waiting = wait_in(state->group, message);
    waiting->is_read = true;
    waiting->status = read->stream.size <= JOURNAL_STREAM_LEN_MAX ? TROUPE_OK : TROUPE_INVALID;
    waiting->seq = read->from_seq;
    waiting->size_max = read->size_max;
    waiting->with_snapshot = read->with_snapshot;
    if (waiting->status == TROUPE_OK) {
        waiting->stream_len = read->stream.size;
        memcpy(waiting->stream, troupe_text(message, read->stream), (size_t)read->stream.size + 1);
    }
    return state->group->waiting_count == JOURNAL_GROUP_WAITING_MAX ? settle(self) : TROUPE_OK;
}

static troupe_status receive_listing(troupe_self *self, const troupe_message *message,
                                     const journal_summaries_ask *asked)
{
    struct journal_writer_state *state = troupe_state(self);
    struct waiting *waiting = wait_in(state->group, message);
    waiting->is_read = true;
    waiting->is_listing = true;
    waiting->seq = asked->after;
    return state->group->waiting_count == JOURNAL_GROUP_WAITING_MAX ? settle(self) : TROUPE_OK;
}

/* Searches wait for the end of the group, as reads do: what is not committed is not to be seen. */
static troupe_status receive_find(troupe_self *self, const troupe_message *message)
{
    struct journal_writer_state *state = troupe_state(self);
    size_t size = sizeof(*message) + message->size;
    troupe_message *copy = malloc(size);
    if (copy == NULL) {
        troupe_refuse(self, troupe_asker_of(message), TROUPE_NO_MEMORY);
        return TROUPE_OK;
    }
    memcpy(copy, message, size);
    struct waiting *waiting = wait_in(state->group, message);
    waiting->is_read = true;
    waiting->find = copy;
    return state->group->waiting_count == JOURNAL_GROUP_WAITING_MAX ? settle(self) : TROUPE_OK;
}

static troupe_status writer_receive(troupe_self *self, const troupe_message *message)
{
    const journal_append *append = journal_append_of(message);
    if (append != NULL)
        return receive_append(self, message, append);
    const journal_read *read = journal_read_of(message);
    if (read != NULL)
        return receive_read(self, message, read);
    const journal_snapshot_kept *kept = journal_snapshot_kept_of(message);
    if (kept != NULL)
        return receive_snapshot(self, message, kept);
    const journal_summaries_ask *asked = journal_summaries_ask_of(message);
    if (asked != NULL)
        return receive_listing(self, message, asked);
    if (journal_find_ask_of(message) != NULL)
        return receive_find(self, message);
    return writer_poll_of(message) != NULL ? TROUPE_OK : TROUPE_UNEXPECTED;
}

/* How long a group is held open for others: no longer than a commit takes, so they gain what it loses. */
static uint64_t gather_ns_max(const struct journal_group *group)
{
    const uint64_t most = (uint64_t)JOURNAL_GATHER_US_MAX * NANOSECONDS_PER_MICROSECOND;
    if (group->is_timeless)
        return most;
    if (group->commit_ns < GATHER_WORTH_NS)
        return 0;
    return group->commit_ns < most ? group->commit_ns : most;
}

/*
 * Whether to look into the mailbox once more before committing, or sleeping. Those who were answered with the
 * last group are likely to come again, a moment later than the first of them: committed at once, the first
 * would go to the disk alone and the others after it, in two syncs instead of one. So a group that is smaller
 * than the last one is held open a little, less than a commit takes; somebody who is alone never waits.
 * (PostgreSQL's commit_delay and commit_siblings do the same with fixed numbers.)
 */
static bool should_gather(troupe_self *self, struct journal_group *group)
{
    bool is_partial = group->waiting_count == 0 || group->is_open;
    uint32_t polls_max = GATHER_POLLS_MAX;
    if (group->is_timeless) /* a simulated year is mostly groups of one, each of whose looks is a step */
        polls_max = group->expected < GATHER_POLLS_TIMELESS ? group->expected : GATHER_POLLS_TIMELESS;
    if (!is_partial || group->waiting_count >= group->expected || group->polls >= polls_max)
        return false;
    uint64_t now = troupe_now_ns(self);
    if (group->gather_ns == 0)
        group->gather_ns = now;
    if (now - group->gather_ns < gather_ns_max(group))
        return true;
    if (group->waiting_count == 0)
        group->expected = 0; /* nobody came: the next group waits for nobody */
    return false;
}

/*
 * To be called once more after what the mailbox has by then; to sleep and be woken costs a tenth of a commit.
 */
static troupe_status look_again(troupe_self *self, struct journal_group *group)
{
    group->polls++;
    if (!group->is_timeless)
        env_yield();
    if (troupe_send(self, troupe_self_ref(self), writer_poll) == TROUPE_OK || group->waiting_count == 0)
        return TROUPE_OK;
    return settle(self);
}

/* Runs when the mailbox is empty or the runtime's batch is full: what queued meanwhile is the next group. */
static troupe_status writer_flush(troupe_self *self)
{
    struct journal_writer_state *state = troupe_state(self);
    struct journal_group *group = state->group;
    if (should_gather(self, group))
        return look_again(self, group);
    if (group->waiting_count == 0)
        return TROUPE_OK;
    troupe_status status = settle(self);
    return status == TROUPE_OK && gather_ns_max(group) > 0 ? look_again(self, group) : status;
}

static void writer_stop(troupe_self *self, troupe_status reason)
{
    struct journal_writer_state *state = troupe_state(self);
    (void)reason;
    /* An ending actor gets no flush any more; whoever was received is still owed an answer. */
    if (state->group->waiting_count > 0)
        (void)settle(self);
    record_batch_done(&state->group->piece);
    buffer_done(&state->group->snapshot);
    free(state->group);
}

const troupe_behaviour journal_writer = {
    .name = "journal",
    .state_size = sizeof(struct journal_writer_state),
    .start = writer_start,
    .receive = writer_receive,
    .flush = writer_flush,
    .stop = writer_stop,
};

troupe_spawn_options journal_writer_options(const struct journal_writer_state *state)
{
    return (troupe_spawn_options){.state = state,
                                  .name = JOURNAL_WRITER_NAME,
                                  .mailbox_len_max = JOURNAL_WRITER_MAILBOX_LEN_MAX,
                                  .mailbox_bytes_max = JOURNAL_WRITER_MAILBOX_BYTES_MAX,
                                  .own_thread = true};
}
