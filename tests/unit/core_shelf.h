/* SPDX-License-Identifier: MIT */
/*
 * core_shelf.h: messages with blobs, an actor that reads them in every way there is, and a blob that counts
 * its release, for the tests of blobs. Virtual time; one thread.
 */
#ifndef TROUPE_TESTS_CORE_SHELF_H
#define TROUPE_TESTS_CORE_SHELF_H

#include "core_probe.h"

#define PARCEL(F) F(text, label) F(blob, load) F(u32, number) F(bytes, seal) F(blob, more)
TROUPE_MESSAGE(parcel, PARCEL)
#define CRATE(F) F(blob, load)
TROUPE_MESSAGE(crate, CRATE)
TROUPE_MESSAGE_VERSION(crate_later, 2, CRATE)
TROUPE_MESSAGE_EMPTY(fetch)

enum {
    CRATE_WEIGHT = sizeof(troupe_message) + sizeof(crate),
    MEMBERS = 20,
};

static char memory[64] = "what lies in the blob, read where it lies";

static void count_release(void *bytes, size_t size, void *context)
{
    (void)size;
    assert_ptr_equal(bytes, memory);
    ++*(int *)context;
}

/* A blob over `memory` that says it has `size` bytes, and counts its release. */
static inline troupe_blob *counted(size_t size, int *releases)
{
    troupe_blob *blob = NULL;
    *releases = 0;
    assert_int_equal(troupe_blob_adopt(memory, size, count_release, releases, &blob), TROUPE_OK);
    return blob;
}

/* What a receiver does, and what it saw. */
struct shelf {
    troupe_status answer; /* of its handler */
    troupe_ref pass_to;   /* forwards there */
    bool keeps;
    uint32_t count;
    const void *data; /* where the bytes of the last were */
    size_t size;
    troupe_blob *kept;
    troupe_blob *more;
    char label[16];
    char seal[16];
    char trace[TROUPE_TRACE_LEN_MAX + 1];
    char json[256];
    unsigned char flat[256];
    size_t flat_size;
};

static void parcel_look(struct shelf *shelf, const troupe_message *message, const parcel *m)
{
    troupe_bytes load = troupe_blob_bytes_of(message, m->load);
    size_t json_size;
    shelf->data = load.data;
    shelf->size = load.size;
    shelf->more = troupe_blob_of(message, m->more);
    snprintf(shelf->label, sizeof shelf->label, "%s", troupe_text(message, m->label));
    snprintf(shelf->seal, sizeof shelf->seal, "%.*s", (int)m->seal.size,
             (const char *)troupe_bytes_of(message, m->seal).data);
    troupe_message_to_trace(&parcel_type, message, shelf->trace, sizeof shelf->trace);
    assert_int_equal(
        troupe_message_to_json(&parcel_type, message, shelf->json, sizeof shelf->json, &json_size),
        TROUPE_OK);
    assert_int_equal(json_size, troupe_message_json_size(&parcel_type, message));
    assert_int_equal(json_size, strlen(shelf->json));
    shelf->flat_size = troupe_message_flat_size(&parcel_type, message);
    assert_true(shelf->flat_size <= sizeof shelf->flat);
    assert_int_equal(troupe_message_flatten(&parcel_type, message, shelf->flat, shelf->flat_size), TROUPE_OK);
    assert_int_equal(troupe_message_flatten(&parcel_type, message, shelf->flat, shelf->flat_size - 1),
                     TROUPE_INVALID);
    assert_int_equal(troupe_message_flatten(&crate_type, message, shelf->flat, shelf->flat_size),
                     TROUPE_MALFORMED);
    /* What rides is not in the body: as flat bytes it is nothing. */
    if (load.size > 0)
        assert_int_equal(troupe_flat_check(&parcel_type, m, message->size), TROUPE_MALFORMED);
}

static troupe_status shelf_receive(troupe_self *self, const troupe_message *message)
{
    struct shelf *shelf = *(struct shelf **)troupe_state(self);
    const crate *m = crate_of(message);
    shelf->count++;
    if (parcel_of(message) != NULL)
        parcel_look(shelf, message, parcel_of(message));
    if (m != NULL) {
        shelf->data = troupe_blob_bytes_of(message, m->load).data;
        shelf->size = troupe_blob_bytes_of(message, m->load).size;
    }
    if (m != NULL && shelf->keeps)
        shelf->kept = troupe_blob_ref(troupe_blob_of(message, m->load));
    if (!troupe_ref_is_none(shelf->pass_to))
        return troupe_forward(self, shelf->pass_to, message);
    if (fetch_of(message) != NULL)
        return troupe_reply(self, troupe_asker_of(message), crate, .load = shelf->kept);
    return shelf->answer;
}

static const troupe_behaviour shelf_behaviour = {
    .name = "shelf", .state_size = sizeof(struct shelf *), .receive = shelf_receive};

static inline troupe_ref shelf_spawn(troupe_system *system, struct shelf *shelf,
                                     const troupe_spawn_options *options)
{
    troupe_spawn_options all = {0};
    if (options != NULL)
        all = *options;
    all.state = &shelf;
    return troupe_spawn(system, &shelf_behaviour, &all);
}

#endif
