/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/build: a message is written where it will lie, sent without a copy, and taken by the send
 * exactly when the send says so. Virtual time; one thread.
 */
#include "core_probe.h"

#define PAGE(F) F(u32, number) F(text, title) F(bytes, content) F(blob, picture) F(text, note) F(blob, other)
TROUPE_MESSAGE_VERSION(page, 4, PAGE)
#define POINT(F) F(i32, x) F(i32, y)
TROUPE_MESSAGE(point, POINT)

static struct {
    uint32_t count;
    uint32_t points;
    point point;
    uint32_t number;
    char title[32];
    char note[32];
    char content[32];
    const void *content_at;
    troupe_bytes picture;
    bool has_other;
    uint8_t message_class;
    bool has_deadline;
    troupe_ref sender;
} seen;

static int releases;

static void count_release(void *bytes, size_t size, void *context)
{
    (void)bytes;
    (void)size;
    (void)context;
    releases++;
}

static troupe_status reader_receive(troupe_self *self, const troupe_message *message)
{
    const page *m = page_of(message);
    (void)self;
    seen.message_class = message->message_class;
    seen.has_deadline = message->deadline_ms != 0;
    seen.sender = message->sender;
    if (point_of(message) != NULL) {
        seen.points++;
        seen.point = *point_of(message);
        return TROUPE_OK;
    }
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    _Alignas(8) unsigned char flat[256];
    size_t size = troupe_message_flat_size(&page_type, message);
    assert_true(size <= sizeof flat || seen.count > 0);
    assert_int_equal(troupe_message_flatten(&page_type, message, flat, size), TROUPE_OK);
    assert_int_equal(troupe_flat_check(&page_type, flat, size), TROUPE_OK);
    seen.count++;
    seen.number = m->number;
    snprintf(seen.title, sizeof seen.title, "%s", troupe_text(message, m->title));
    snprintf(seen.note, sizeof seen.note, "%s", troupe_text(message, m->note));
    troupe_bytes content = troupe_bytes_of(message, m->content);
    seen.content_at = content.data;
    snprintf(seen.content, sizeof seen.content, "%.*s", (int)content.size, (const char *)content.data);
    seen.picture = troupe_blob_bytes_of(message, m->picture);
    seen.has_other = troupe_blob_of(message, m->other) != NULL;
    return TROUPE_OK;
}

static const troupe_behaviour reader = {.name = "reader", .receive = reader_receive};

static troupe_system *begin(troupe_ref *ret_reader, const troupe_spawn_options *options)
{
    memset(&seen, 0, sizeof seen);
    releases = 0;
    troupe_system *system = probe_system(2);
    *ret_reader = troupe_spawn(system, &reader, options);
    return system;
}

static void message_is_written_in_place_and_taken_by_the_send(void **state)
{
    (void)state;
    troupe_ref to;
    troupe_message *message = NULL;
    char *title;
    void *content;
    troupe_system *system = begin(&to, NULL);
    assert_int_equal(troupe_begin(system, page, 6 + 5, &message), TROUPE_OK);
    page *m = troupe_build(message, page);
    assert_int_equal(m->number, 0);
    m->number = 7;
    assert_int_equal(troupe_build_text(message, &m->title, 5, &title), TROUPE_OK);
    memcpy(title, "title", 5);
    assert_int_equal(troupe_build_bytes(message, &m->content, 6, &content), TROUPE_LIMIT);
    assert_int_equal(troupe_build_bytes(message, &m->content, SIZE_MAX, &content), TROUPE_LIMIT);
    assert_int_equal(troupe_build_bytes(message, &m->content, 5, &content), TROUPE_OK);
    memcpy(content, "bytes", 5);
    assert_int_equal(troupe_build_text(message, &m->note, 0, &title), TROUPE_LIMIT); /* not even a NUL */
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_OK);
    assert_null(message);
    settle(system);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.number, 7);
    assert_string_equal(seen.title, "title");
    assert_string_equal(seen.content, "bytes");
    assert_ptr_equal(seen.content_at, content); /* where it was written */
    assert_string_equal(seen.note, "");
    assert_int_equal(seen.picture.size, 0);
    assert_true(troupe_ref_is_none(seen.sender));
    probe_system_stop(system);
}

static void blobs_are_put_in_replaced_and_taken_out(void **state)
{
    (void)state;
    static char bytes[] = "picture";
    troupe_ref to;
    troupe_message *message = NULL;
    troupe_blob *one = NULL, *two = NULL;
    troupe_system *system = begin(&to, NULL);
    assert_int_equal(troupe_blob_adopt(bytes, 7, count_release, NULL, &one), TROUPE_OK);
    assert_int_equal(troupe_blob_adopt(bytes, TROUPE_BLOB_SIZE_MAX - 6, count_release, NULL, &two),
                     TROUPE_OK);
    assert_int_equal(troupe_begin(system, page, 0, &message), TROUPE_OK);
    page *m = troupe_build(message, page);
    assert_int_equal(troupe_build_blob(message, &m->other, one), TROUPE_OK);
    assert_int_equal(troupe_build_blob(message, &m->other, one), TROUPE_OK);
    assert_int_equal(troupe_build_blob(message, &m->picture, two), TROUPE_TOO_LARGE); /* together */
    assert_int_equal(troupe_build_blob(message, &m->other, NULL), TROUPE_OK);
    assert_int_equal(troupe_build_blob(message, &m->picture, two), TROUPE_OK);
    assert_int_equal(troupe_build_blob(message, &m->picture, one), TROUPE_OK);
    troupe_blob_unref(&two);
    assert_int_equal(releases, 1);
    troupe_blob_unref(&one);
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_OK);
    settle(system);
    assert_int_equal(seen.count, 1);
    assert_ptr_equal(seen.picture.data, bytes);
    assert_int_equal(seen.picture.size, 7);
    assert_false(seen.has_other);
    assert_int_equal(releases, 2);
    probe_system_stop(system);
}

static void class_and_deadline_go_with_it(void **state)
{
    (void)state;
    troupe_ref to;
    troupe_message *message = NULL;
    troupe_system *system = begin(&to, NULL);
    assert_int_equal(troupe_begin(system, point, 0, &message), TROUPE_OK);
    *troupe_build(message, point) = (point){3, -4};
    assert_int_equal(troupe_build_envelope(message, (troupe_envelope){TROUPE_CLASS_SYSTEM, 0}),
                     TROUPE_INVALID);
    assert_int_equal(troupe_build_envelope(message, (troupe_envelope){0, TROUPE_DEADLINE_MS_MAX + 1}),
                     TROUPE_INVALID);
    assert_int_equal(troupe_build_envelope(message, (troupe_envelope){TROUPE_CLASS_URGENT, 1000}), TROUPE_OK);
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_OK);
    settle(system);
    assert_int_equal(seen.points, 1);
    assert_int_equal(seen.point.y, -4);
    assert_int_equal(seen.message_class, TROUPE_CLASS_URGENT);
    assert_true(seen.has_deadline);
    probe_system_stop(system);
}

static void message_that_is_not_taken_stays_and_can_be_sent_again(void **state)
{
    (void)state;
    troupe_ref to;
    troupe_message *message = NULL;
    static char bytes[] = "x";
    troupe_blob *blob = NULL;
    const troupe_spawn_options options = {.mailbox_len_max = 1};
    troupe_system *system = begin(&to, &options);
    assert_int_equal(troupe_blob_adopt(bytes, 1, count_release, NULL, &blob), TROUPE_OK);
    assert_int_equal(troupe_begin(system, page, 10, &message), TROUPE_OK);
    page *m = troupe_build(message, page);
    assert_int_equal(troupe_build_blob(message, &m->picture, blob), TROUPE_OK);
    troupe_blob_unref(&blob);
    assert_int_equal(troupe_build_envelope(message, (troupe_envelope){0, 500}), TROUPE_OK);
    assert_int_equal(troupe_send(system, to, point, .x = 1), TROUPE_OK);
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_FULL);
    assert_non_null(message);
    assert_int_equal(troupe_send_message(system, troupe_ref_none(), &message), TROUPE_NO_ACTOR);
    assert_non_null(message);
    settle(system);
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_OK);
    assert_null(message);
    settle(system);
    assert_int_equal(seen.count, 1);
    assert_true(seen.has_deadline);
    assert_int_equal(seen.picture.size, 1);
    assert_int_equal(releases, 1);
    /* Dropped is taken: it counts as sent. */
    probe_system_stop(system);
    const troupe_spawn_options dropping = {.mailbox_len_max = 1, .overflow = TROUPE_OVERFLOW_DROP_NEWEST};
    system = begin(&to, &dropping);
    assert_int_equal(troupe_send(system, to, point, .x = 1), TROUPE_OK);
    assert_int_equal(troupe_begin(system, page, 10, &message), TROUPE_OK);
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_OK);
    assert_null(message);
    settle(system);
    assert_int_equal(seen.count, 0);
    assert_int_equal(probe_counters(system).dead_letters, 1);
    probe_system_stop(system);
}

static void message_that_is_not_sent_is_freed_with_its_blobs(void **state)
{
    (void)state;
    troupe_ref to;
    troupe_message *message = NULL;
    static char bytes[] = "x";
    troupe_blob *blob = NULL;
    troupe_system *system = begin(&to, NULL);
    assert_int_equal(troupe_blob_adopt(bytes, 1, count_release, NULL, &blob), TROUPE_OK);
    assert_int_equal(troupe_begin(system, page, 100000, &message), TROUPE_OK);
    assert_int_equal(troupe_build_blob(message, &troupe_build(message, page)->other, blob), TROUPE_OK);
    troupe_blob_unref(&blob);
    troupe_message_free(system, &message);
    assert_null(message);
    assert_int_equal(releases, 1);
    troupe_message_free(system, &message);
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_INVALID);
    assert_int_equal(troupe_post_message(TROUPE_CONTEXT(system), to, NULL), TROUPE_INVALID);
    probe_system_stop(system);
}

static void members_that_lie_are_refused_and_counted(void **state)
{
    (void)state;
    troupe_ref to;
    troupe_message *message = NULL;
    char *text;
    troupe_system *system = begin(&to, NULL);
    settle(system);
    assert_int_equal(troupe_begin(system, page, 10, &message), TROUPE_OK);
    page *m = troupe_build(message, page);
    const page good = *m;
    m->content = (troupe_span){sizeof *m, 12};
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_MALFORMED);
    *m = good;
    m->title.offset = 3;
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_MALFORMED);
    *m = good;
    m->picture = (troupe_blob_span){4096, 1};
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_MALFORMED);
    *m = good;
    assert_int_equal(troupe_build_text(message, &m->title, 3, &text), TROUPE_OK);
    memcpy(text, "a\0b", 3);
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_MALFORMED);
    memcpy(text, "a-b", 3);
    assert_int_equal(probe_counters(system).refused, 4);
    assert_int_equal(troupe_send_message(system, to, &message), TROUPE_OK);
    settle(system);
    assert_string_equal(seen.title, "a-b");
    probe_system_stop(system);
}

static void body_has_the_size_of_the_limit_and_no_more(void **state)
{
    (void)state;
    troupe_ref to;
    troupe_message *message = NULL;
    troupe_system *system = begin(&to, NULL);
    size_t most = TROUPE_BODY_SIZE_MAX - sizeof(page) - 1;
    assert_int_equal(troupe_begin(system, page, most + 1, &message), TROUPE_TOO_LARGE);
    assert_int_equal(troupe_begin(system, page, SIZE_MAX, &message), TROUPE_TOO_LARGE);
    assert_int_equal(troupe_begin(system, point, 1, &message), TROUPE_INVALID);
    assert_null(message);
    assert_int_equal(troupe_begin(system, page, most, &message), TROUPE_OK);
    troupe_message_free(system, &message);
    probe_system_stop(system);
}

static troupe_ref target;

static troupe_status build_inside(troupe_self *self)
{
    troupe_message *message = NULL;
    assert_int_equal(troupe_begin(self, point, 0, &message), TROUPE_OK);
    troupe_build(message, point)->x = 5;
    return troupe_send_message(self, target, &message);
}

static void actor_is_the_sender_of_what_it_built(void **state)
{
    (void)state;
    struct probe probe;
    troupe_system *system = begin(&target, NULL);
    probe_spawn(system, &probe, NULL);
    probe_do(system, &probe, build_inside);
    assert_int_equal(seen.points, 1);
    assert_int_equal(seen.point.x, 5);
    assert_true(troupe_ref_equal(seen.sender, probe.ref));
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_is_written_in_place_and_taken_by_the_send),
        cmocka_unit_test(blobs_are_put_in_replaced_and_taken_out),
        cmocka_unit_test(class_and_deadline_go_with_it),
        cmocka_unit_test(message_that_is_not_taken_stays_and_can_be_sent_again),
        cmocka_unit_test(message_that_is_not_sent_is_freed_with_its_blobs),
        cmocka_unit_test(members_that_lie_are_refused_and_counted),
        cmocka_unit_test(body_has_the_size_of_the_limit_and_no_more),
        cmocka_unit_test(actor_is_the_sender_of_what_it_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
