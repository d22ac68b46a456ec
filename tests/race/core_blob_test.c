/* SPDX-License-Identifier: MIT */
/*
 * Facts about blobs on real threads: one blob lies in the mailboxes of actors on every worker at once, is
 * read, kept, passed on, dropped by full mailboxes and let go by threads outside, all at the same time; its
 * bytes never change and it is freed once, when the last of all these has let it go.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <troupe.h>

#include "base/assert.h"
#include "base/atomic.h"

enum {
    WORKERS = 4,
    READERS = 24,
    OUTSIDERS = 3,
    BLOBS = 300, /* broadcast by each thread outside */
    KEPT = 4,    /* blobs that a reader keeps at a time */
    SIZE = 4096,
    WAIT_MS_MAX = 10000,
};

#define PAGE(F) F(blob, bytes) F(u32, hops) F(u8, filler)
TROUPE_MESSAGE(page, PAGE)

struct reader {
    uint32_t count;
    troupe_blob *kept[KEPT];
};

static _Atomic uint32_t released;
static _Atomic uint32_t received;
static _Atomic uint32_t sent; /* blobs */
static troupe_ref readers[READERS];

static void release(void *bytes, size_t size, void *context)
{
    (void)context;
    memset(bytes, 0, size); /* a reader still at it would see this */
    free(bytes);
    fetch_add_relaxed(&released, 1);
}

static troupe_status reader_receive(troupe_self *self, const troupe_message *message)
{
    struct reader *reader = troupe_state(self);
    const page *m = page_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    troupe_bytes bytes = troupe_blob_bytes_of(message, m->bytes);
    ASSERT(bytes.size == SIZE);
    for (size_t i = 0; i < SIZE; i++)
        ASSERT(((const uint8_t *)bytes.data)[i] == m->filler);
    fetch_add_relaxed(&received, 1);
    troupe_blob **place = &reader->kept[reader->count++ % KEPT];
    troupe_blob_unref(place);
    *place = troupe_blob_ref(troupe_blob_of(message, m->bytes));
    troupe_ref next = readers[troupe_random(self) % READERS];
    if (m->hops > 0)
        troupe_send(self, next, page, .bytes = *place, .hops = m->hops - 1, .filler = m->filler);
    else if (reader->count % 3 == 0 && reader->count % 2 == 0)
        troupe_forward(self, next, message);
    return TROUPE_OK;
}

static void reader_stop(troupe_self *self, troupe_status reason)
{
    struct reader *reader = troupe_state(self);
    (void)reason;
    for (int i = 0; i < KEPT; i++)
        troupe_blob_unref(&reader->kept[i]);
}

static void *outsider_run(void *context)
{
    troupe_system *system = context;
    for (uint32_t i = 0; i < BLOBS; i++) {
        uint8_t *bytes = malloc(SIZE);
        troupe_blob *blob;
        ASSERT(bytes != NULL);
        memset(bytes, (uint8_t)i, SIZE);
        ASSERT(troupe_blob_adopt(bytes, SIZE, release, NULL, &blob) == TROUPE_OK);
        troupe_broadcast(system, "readers", page, .bytes = blob, .hops = i % 3, .filler = (uint8_t)i);
        troupe_blob_unref(&blob);
        fetch_add_relaxed(&sent, 1);
        /* Not all before the first is read: each is, by one reader at least. */
        for (int ms = 0; ms < WAIT_MS_MAX && load_relaxed(&received) < load_relaxed(&sent); ms++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

static void blob_in_many_mailboxes_is_freed_once_when_all_are_done(void **state)
{
    (void)state;
    static const troupe_behaviour behaviour = {
        .name = "reader",
        .state_size = sizeof(struct reader),
        .receive = reader_receive,
        .stop = reader_stop,
    };
    const troupe_options options = {.workers = WORKERS, .drain_ms = 60000};
    troupe_system *system;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    for (uint32_t i = 0; i < READERS; i++) {
        const troupe_spawn_options spawn = {
            .group = "readers",
            .mailbox_len_max = 8,
            .overflow = i % 2 == 0 ? TROUPE_OVERFLOW_DROP_OLDEST : TROUPE_OVERFLOW_REFUSE,
        };
        readers[i] = troupe_spawn(system, &behaviour, &spawn);
        assert_false(troupe_ref_is_none(readers[i]));
    }
    pthread_t threads[OUTSIDERS];
    for (int i = 0; i < OUTSIDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, outsider_run, system), 0);
    for (int i = 0; i < OUTSIDERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(load_relaxed(&released), OUTSIDERS * BLOBS);
    assert_true(load_relaxed(&received) >= OUTSIDERS * BLOBS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blob_in_many_mailboxes_is_freed_once_when_all_are_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
