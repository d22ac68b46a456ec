/* SPDX-License-Identifier: MIT */
/*
 * Facts about want of memory: whichever allocation of blobs, of messages with them, of messages written in
 * place, of what actors own and of signals fails, it is said by a status, every blob is released once and
 * every descriptor closed, and the system goes on. See core_faults.h for how. One thread.
 */
#include "core_faults.h"

#include <fcntl.h>

#define PARCEL(F) F(blob, load) F(text, label) F(blob, more)
TROUPE_MESSAGE(fault_parcel, PARCEL)

enum {
    LARGE = 20000, /* more than a slab holds */
};

static char memory[LARGE];
static int adopted;
static int released;
static troupe_ref target;

static void count_release(void *bytes, size_t size, void *context)
{
    (void)bytes;
    (void)size;
    (void)context;
    released++;
}

/* A blob over `memory`, or NULL. */
static troupe_blob *blob_of(size_t size)
{
    troupe_blob *blob = NULL;
    adopted += done(troupe_blob_adopt(memory, size, count_release, NULL, &blob));
    return blob;
}

/* -- blobs ----------------------------------------------------------------------------------------------- */

static void makes_do(troupe_self *self)
{
    troupe_blob *blob = NULL;
    troupe_blob_draft *draft = NULL;
    (void)self;
    if (done(troupe_blob_new(memory, sizeof memory, &blob)))
        assert_int_equal(troupe_blob_bytes(blob).size, sizeof memory);
    troupe_blob_unref(&blob);
    if (done(troupe_blob_draft_new(100, &draft)))
        assert_int_equal(troupe_blob_freeze(&draft, 50, &blob), TROUPE_OK);
    troupe_blob_unref(&blob);
    if (done(troupe_blob_draft_new(100, &draft)))
        troupe_blob_draft_free(&draft);
    blob = blob_of(10);
    troupe_blob_unref(&blob);
}

static void parcels_do(troupe_self *self)
{
    troupe_blob *blob = blob_of(1000);
    static _Alignas(8) unsigned char flat[64];
    const void *fields = TROUPE_FIELDS(fault_parcel, .load = blob, .label = "label", .more = blob);
    (void)!troupe_send_fields(troupe_self_context(self), target, &fault_parcel_type, fields);
    const void *none = TROUPE_FIELDS(fault_parcel, .label = "label");
    size_t size = troupe_flat_size(&fault_parcel_type, none);
    assert_true(size + 3 <= sizeof flat);
    troupe_flat_write(&fault_parcel_type, none, flat, size);
    ((fault_parcel *)(void *)flat)->load = (troupe_blob_span){(uint32_t)size, 3}; /* bytes at the end */
    troupe_status status =
        troupe_send_flat(troupe_self_context(self), target, &fault_parcel_type, flat, size + 3);
    (void)(status == TROUPE_NO_ACTOR || done(status));
    troupe_blob_unref(&blob);
}

static troupe_status answerer_receive(troupe_self *self, const troupe_message *message)
{
    const fault_parcel *m = fault_parcel_of(message);
    if (m == NULL)
        return fault_receive(self, message);
    troupe_status status = troupe_reply(self, troupe_asker_of(message), fault_parcel,
                                        .load = troupe_blob_of(message, m->load), .label = "back");
    if (!done(status))
        troupe_refuse(self, troupe_asker_of(message), status);
    return TROUPE_OK;
}

static troupe_status passer_receive(troupe_self *self, const troupe_message *message)
{
    troupe_status status = troupe_forward(self, target, message);
    return status == TROUPE_NO_ACTOR || !done(status) ? TROUPE_UNEXPECTED : TROUPE_OK;
}

static troupe_ref spawn_with(troupe_system *system, const troupe_behaviour *behaviour)
{
    troupe_status status;
    troupe_ref ref = troupe_spawn(system, behaviour, &(troupe_spawn_options){.ret_status = &status});
    (void)done(status);
    return ref;
}

static void blobs_run(troupe_system *system)
{
    static const troupe_behaviour answerer = {.name = "answerer", .receive = answerer_receive};
    static const troupe_behaviour passer = {.name = "passer", .receive = passer_receive};
    adopted = 0;
    released = 0;
    fault_do(system, makes_do);
    target = spawn_with(system, &answerer);
    fault_do(system, parcels_do);
    troupe_ref ref = spawn_with(system, &passer);
    troupe_blob *blob = blob_of(LARGE);
    if (!troupe_ref_is_none(ref)) {
        troupe_message *reply = NULL;
        troupe_status status = troupe_call(system, ref, 1000, &reply, fault_parcel, .load = blob);
        if (status != TROUPE_UNEXPECTED && status != TROUPE_TIMEOUT && done(status)) {
            const fault_parcel *m = fault_parcel_of(reply);
            assert_int_equal(troupe_blob_bytes_of(reply, m->load).size, blob == NULL ? 0 : LARGE);
        }
        troupe_message_free(system, &reply);
    }
    troupe_blob_unref(&blob);
}

static void blobs_finish(troupe_system *system)
{
    (void)system;
    assert_int_equal(adopted, released);
}

/* -- messages written in place --------------------------------------------------------------------------- */

static void built_do(troupe_self *self)
{
    for (size_t room = 10; room <= LARGE; room += LARGE - 10) {
        troupe_message *message = NULL;
        troupe_blob *blob = blob_of(5);
        char *text;
        if (done(troupe_begin(self, fault_parcel, room, &message))) {
            fault_parcel *m = troupe_build(message, fault_parcel);
            assert_int_equal(troupe_build_text(message, &m->label, room - 1, &text), TROUPE_OK);
            memset(text, 'x', room - 1);
            assert_int_equal(troupe_build_blob(message, &m->more, blob), TROUPE_OK);
            troupe_status status = troupe_send_message(self, target, &message);
            bool is_taken = status != TROUPE_NO_ACTOR && done(status);
            assert_true(is_taken == (message == NULL));
            troupe_message_free(troupe_system_of(self), &message);
        }
        troupe_blob_unref(&blob);
    }
}

static void built_run(troupe_system *system)
{
    adopted = 0;
    released = 0;
    target = fault_spawn(troupe_system_context(system), (troupe_spawn_options){0});
    fault_do(system, built_do);
}

/* -- what actors own ------------------------------------------------------------------------------------- */

static int owned, let_go;

static void count_let_go(void *pointer)
{
    (void)pointer;
    let_go++;
}

static int closed_fds[2];

static void owning_do(troupe_self *self)
{
    void *block;
    if (done(troupe_alloc(self, 100, &block)))
        memset(block, 1, 100);
    if (done(troupe_alloc(self, LARGE, &block)))
        troupe_free(self, block);
    (void)done(troupe_alloc(self, LARGE, &block));
    owned += done(troupe_own(self, memory, count_let_go));
    if (!done(troupe_own_fd(self, closed_fds[0])))
        close(closed_fds[0]); /* it stayed ours */
    else
        (void)done(troupe_watch(self, closed_fds[0], TROUPE_READY_READ));
    troupe_exit(self);
}

static void owning_run(troupe_system *system)
{
    owned = 0;
    let_go = 0;
    assert_int_equal(pipe(closed_fds), 0);
    if (troupe_ref_is_none(fault_do(system, owning_do)))
        close(closed_fds[0]);
    troupe_sim_advance(system, 0);
    close(closed_fds[1]);
    assert_int_equal(owned, let_go);
    assert_int_equal(fcntl(closed_fds[0], F_GETFD), -1);
}

/* -- signals --------------------------------------------------------------------------------------------- */

static uint32_t signals_watched, signals_told;

static troupe_status ear_start(troupe_self *self)
{
    bool is_on = done(troupe_signal_watch(self, SIGTERM));
    signals_watched += is_on;
    if (done(troupe_signal_watch(self, SIGHUP)))
        troupe_signal_unwatch(self, SIGHUP);
    return TROUPE_OK;
}

static troupe_status ear_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    signals_told += troupe_signal_of(message) != NULL;
    return TROUPE_OK;
}

static void signals_run(troupe_system *system)
{
    static const troupe_behaviour ear = {.name = "ear", .start = ear_start, .receive = ear_receive};
    signals_watched = 0;
    signals_told = 0;
    for (int i = 0; i < 3; i++)
        (void)spawn_with(system, &ear);
    troupe_sim_advance(system, 0);
    troupe_status status = troupe_sim_signal(system, SIGTERM, 1);
    assert_int_equal(status, signals_watched > 0 ? TROUPE_OK : TROUPE_NOT_FOUND);
    troupe_sim_advance(system, 0);
    assert_int_equal(signals_told, signals_watched); /* the first needs no memory */
}

static const struct fault_scenario blobs = {.name = "blobs", .run = blobs_run, .finish = blobs_finish};
static const struct fault_scenario built = {.name = "built", .run = built_run, .finish = blobs_finish};
static const struct fault_scenario owning = {.name = "owning", .run = owning_run};
static const struct fault_scenario signals = {.name = "signals", .run = signals_run};

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(blobs_without_memory_are_released_once, &blobs),
        FAULT_TEST(built_messages_without_memory_stay_with_their_builder, &built),
        FAULT_TEST(owned_things_without_memory_stay_with_their_owner, &owning),
        FAULT_TEST(watches_of_signals_without_memory_say_so, &signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
