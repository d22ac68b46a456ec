/* SPDX-License-Identifier: MIT */
/*
 * journal_actors.c: what the tests of the journal's writer share; journal_actors.h lists it. The asking runs
 * in actors, the rest on the test's thread.
 */
#include "support/journal_actors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/journal_support.h"

troupe_system *test_start_simulated(uint64_t seed)
{
    troupe_system *system = NULL;
    troupe_options options = {.simulate = {.seed = seed}};
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    return system;
}

troupe_ref test_spawn_writer(troupe_system *system, struct journal *journal)
{
    struct journal_writer_state state = {.journal = journal};
    troupe_spawn_options options = journal_writer_options(&state);
    troupe_ref writer = troupe_spawn(system, &journal_writer, &options);
    assert_false(troupe_ref_is_none(writer));
    return writer;
}

troupe_status test_ask_append(troupe_self *self, const char *stream, uint64_t expected_seq, uint32_t count,
                              troupe_reply_handler on_reply, void *context)
{
    struct record_batch batch = {0};
    unsigned char body[TEST_BODY_SIZE_MAX];
    for (uint32_t i = 0; i < count; i++) {
        size_t size = test_body(stream, expected_seq + i + 1, body, sizeof(body));
        assert_int_equal(record_batch_append(&batch, TEST_RECORD_TYPE, 1, body, size), TROUPE_OK);
    }
    troupe_status status = troupe_ask(
        self, troupe_whereis(self, JOURNAL_WRITER_NAME), TEST_TIMEOUT_MS, on_reply, context, journal_append,
        .stream = stream, .expected_seq = expected_seq, .records = {batch.bytes.bytes, batch.bytes.size});
    record_batch_done(&batch);
    return status;
}

troupe_status test_refuse(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}
