/* SPDX-License-Identifier: MIT */
/*
 * Facts about subscriptions: what is told of a life, of supervisors, of full mailboxes and of dead letters;
 * that a slow subscriber is told how much it missed; and that a subscription ends when it should.
 * One thread.
 */
#include "core/system.h"
#include "core_probe.h"

enum {
    EVENTS_KEPT = 64,
    BOUND = 4,
    PENDING = 3,
    TEXT_SIZE = 160,
};

TROUPE_MESSAGE_EMPTY(event_strange)

static struct probe first;
static struct probe second;

/* What the listener heard, as lines. */
static char heard[EVENTS_KEPT][TEXT_SIZE];
static uint64_t missed[EVENTS_KEPT];
static uint32_t heard_count;
static troupe_dead_letter last_dead;
static uint32_t wanted;
static uint32_t pending_max;
static uint64_t subscription;

static troupe_status listener_start(troupe_self *self)
{
    return troupe_subscribe(self, wanted, pending_max, &subscription);
}

static troupe_status listener_receive(troupe_self *self, const troupe_message *message)
{
    const troupe_event *event = troupe_event_of(message);
    const troupe_dead_letter *dead = troupe_dead_letter_of(message);
    if (probe_run_of(message) != NULL)
        return ((probe_function)(uintptr_t)probe_run_of(message)->function)(self);
    if (heard_count == EVENTS_KEPT || (event == NULL && dead == NULL))
        return TROUPE_UNEXPECTED;
    assert_int_equal(troupe_asker_of(message).ask, 0);
    if (event != NULL) {
        missed[heard_count] = event->missed;
        snprintf(heard[heard_count++], TEXT_SIZE, "%s %s:%s:%s %s %s",
                 troupe_event_text((troupe_event_kind)event->kind), troupe_text(message, event->behaviour),
                 troupe_text(message, event->name), troupe_text(message, event->child),
                 troupe_status_name((troupe_status)event->reason), troupe_text(message, event->why));
    } else {
        missed[heard_count] = dead->missed;
        last_dead = *dead;
        snprintf(heard[heard_count++], TEXT_SIZE, "dead %s: %s", troupe_text(message, dead->type_name),
                 troupe_dead_text((troupe_dead_reason)dead->reason));
    }
    return TROUPE_OK;
}

static const troupe_behaviour listener = {
    .name = "listener", .start = listener_start, .receive = listener_receive};

static troupe_ref listen_to(troupe_system *system, uint32_t kinds)
{
    wanted = kinds;
    pending_max = 0;
    heard_count = 0;
    troupe_ref ref = troupe_spawn(system, &listener, NULL);
    settle(system);
    return ref;
}

static void expect_heard(const char *const *lines, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < heard_count; i++)
        assert_string_equal(heard[i], lines[i]);
    assert_int_equal(heard_count, count);
}

#define EXPECT_HEARD(...)                                                                                    \
    expect_heard((const char *const[]){__VA_ARGS__},                                                         \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static troupe_status fail_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    return troupe_fail(self, TROUPE_IO, "disk gone");
}

static const troupe_behaviour fragile = {.name = "fragile", .receive = fail_receive};

static void life_of_an_actor_is_told_in_order(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    listen_to(system, TROUPE_EVENT_ALL);
    heard_count = 0;
    troupe_ref ref = troupe_spawn(system, &fragile, &(troupe_spawn_options){.name = "glass"});
    settle(system);
    troupe_send(system, ref, probe_value, .value = 1);
    settle(system);
    EXPECT_HEARD("spawned fragile:glass: TROUPE_OK ", "started fragile:glass: TROUPE_OK ",
                 "ended fragile:glass: TROUPE_IO disk gone");
    probe_system_stop(system);
}

static void only_what_was_subscribed_to_is_told(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    listen_to(system, TROUPE_EVENT_STARTED);
    heard_count = 0;
    troupe_ref ref = troupe_spawn(system, &fragile, NULL);
    settle(system);
    troupe_shutdown(system, ref, TROUPE_SHUTDOWN);
    settle(system);
    EXPECT_HEARD("started fragile:: TROUPE_OK ");
    probe_system_stop(system);
}

static void restarts_and_giving_up_are_told(void **state)
{
    (void)state;
    static const troupe_child_spec child = {.id = "vase", .behaviour = &fragile, .options = {.name = "ming"}};
    static const troupe_supervisor_spec spec = {
        .name = "shelf", .children = &child, .child_count = 1, .intensity = 1};
    troupe_system *system = probe_system(2);
    troupe_ref shelf = troupe_supervisor_start(system, &spec, NULL);
    settle(system);
    listen_to(system, TROUPE_EVENT_RESTARTED | TROUPE_EVENT_GAVE_UP | TROUPE_EVENT_ENDED);
    for (int i = 0; i < 2; i++) {
        troupe_send(system, troupe_whereis(system, "ming"), probe_value, .value = 1);
        settle(system);
    }
    EXPECT_HEARD("ended fragile:ming:vase TROUPE_IO disk gone", "restarted fragile:ming:vase TROUPE_OK ",
                 "ended fragile:ming:vase TROUPE_IO disk gone", "gave up supervisor:shelf: TROUPE_INTENSITY ",
                 "ended supervisor:shelf: TROUPE_INTENSITY the supervisor gave up");
    assert_false(troupe_ref_is_none(shelf));
    probe_system_stop(system);
}

static troupe_status overfill(troupe_self *self)
{
    for (uint32_t i = 0; i < 3 * BOUND; i++)
        (void)troupe_send(self, second.ref, probe_value, .value = i);
    return TROUPE_OK;
}

static void overflow_is_told_once_when_it_begins_and_ends(void **state)
{
    (void)state;
    const troupe_overflow policies[] = {TROUPE_OVERFLOW_REFUSE, TROUPE_OVERFLOW_DROP_OLDEST,
                                        TROUPE_OVERFLOW_DROP_NEWEST, TROUPE_OVERFLOW_SHED,
                                        TROUPE_OVERFLOW_PARK};
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        troupe_system *system = probe_system(2);
        probe_spawn(system, &first, NULL);
        probe_spawn(system, &second,
                    &(troupe_spawn_options){.mailbox_len_max = BOUND, .overflow = policies[i]});
        listen_to(system, TROUPE_EVENT_OVERFLOW_BEGAN | TROUPE_EVENT_OVERFLOW_ENDED);
        for (int round = 0; round < 2; round++) {
            heard_count = 0;
            probe_do(system, &first, overfill);
            EXPECT_HEARD("overflow began probe:: TROUPE_OK ", "overflow ended probe:: TROUPE_OK ");
        }
        probe_system_stop(system);
    }
}

static void dead_letter_is_told_with_type_sender_target_and_reason(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    probe_spawn(system, &second, NULL);
    listen_to(system, TROUPE_EVENT_DEAD_LETTER);
    troupe_send(system, second.ref, event_strange, .envelope.message_class = TROUPE_CLASS_URGENT);
    settle(system);
    EXPECT_HEARD("dead event_strange: the actor did not understand it");
    assert_true(troupe_ref_equal(last_dead.target, second.ref));
    assert_true(troupe_ref_is_none(last_dead.sender));
    assert_int_equal(last_dead.message_class, TROUPE_CLASS_URGENT);
    assert_int_equal(last_dead.type, event_strange_type.id);
    assert_int_equal(last_dead.size, 0);
    heard_count = 0;
    troupe_shutdown(system, second.ref, TROUPE_SHUTDOWN);
    troupe_send(system, second.ref, probe_value, .value = 1);
    settle(system);
    EXPECT_HEARD("dead probe_value: the actor ended before it came to it");
    assert_true(troupe_ref_equal(last_dead.target, second.ref));
    assert_int_equal(last_dead.size, sizeof(probe_value));
    assert_int_equal(probe_counters(system).dead_letters, 2);
    probe_system_stop(system);
}

static troupe_status reject_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    (void)message;
    return TROUPE_UNEXPECTED;
}

static void events_that_nobody_handles_make_no_more_events(void **state)
{
    (void)state;
    static const troupe_behaviour deaf = {.name = "deaf", .start = listener_start, .receive = reject_receive};
    troupe_system *system = probe_system(2);
    wanted = TROUPE_EVENT_ALL;
    pending_max = 0;
    troupe_spawn(system, &deaf, NULL);
    settle(system);
    troupe_spawn(system, &fragile, NULL);
    settle(system);
    assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_UNEXPECTED], 3);
    probe_system_stop(system);
}

/* Makes events while the subscriber cannot take any: all in one turn of another actor on its worker. */
static troupe_status spawn_ten(troupe_self *self)
{
    for (int i = 0; i < 10; i++)
        assert_false(troupe_ref_is_none(troupe_spawn(self, &fragile, NULL)));
    return TROUPE_OK;
}

static void slow_subscriber_is_told_how_much_it_missed(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &first, NULL);
    wanted = TROUPE_EVENT_SPAWNED;
    pending_max = PENDING;
    troupe_spawn(system, &listener, NULL);
    settle(system);
    heard_count = 0;
    probe_do(system, &first, spawn_ten);
    assert_int_equal(heard_count, PENDING);
    for (int i = 0; i < PENDING; i++)
        assert_int_equal(missed[i], 0);
    troupe_spawn(system, &fragile, NULL);
    settle(system);
    assert_int_equal(heard_count, PENDING + 1);
    assert_int_equal(missed[PENDING], 10 - PENDING);
    troupe_spawn(system, &fragile, NULL);
    settle(system);
    assert_int_equal(missed[PENDING + 1], 0);
    probe_system_stop(system);
}

static troupe_status spawn_and_unsubscribe(troupe_self *self)
{
    assert_false(troupe_ref_is_none(troupe_spawn(self, &fragile, NULL))); /* its event is on its way */
    troupe_unsubscribe(self, subscription);
    troupe_unsubscribe(self, subscription);
    return TROUPE_OK;
}

static void nothing_is_told_after_unsubscribing(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    troupe_ref ref = listen_to(system, TROUPE_EVENT_SPAWNED);
    heard_count = 0;
    troupe_send(system, ref, probe_run,
                .function = (uint64_t)(uintptr_t)(probe_function)spawn_and_unsubscribe);
    settle(system);
    troupe_spawn(system, &fragile, NULL);
    settle(system);
    assert_int_equal(heard_count, 0);
    assert_int_equal(probe_counters(system).dead_letters_by[TROUPE_DEAD_CANCELLED], 1);
    assert_int_equal(load_relaxed(&system->observed), 0);
    probe_system_stop(system);
}

static troupe_status subscribe_to_the_limit(troupe_self *self)
{
    for (int i = 0; i < TROUPE_SUBSCRIPTIONS_MAX; i++)
        assert_int_equal(troupe_subscribe(self, TROUPE_EVENT_ENDED, 0, NULL), TROUPE_OK);
    assert_int_equal(troupe_subscribe(self, TROUPE_EVENT_ENDED, 0, NULL), TROUPE_LIMIT);
    return TROUPE_OK;
}

static troupe_status subscribe_wrongly(troupe_self *self)
{
    assert_int_equal(troupe_subscribe(self, 0, 0, NULL), TROUPE_INVALID);
    assert_int_equal(troupe_subscribe(self, TROUPE_EVENT_ALL + 1, 0, NULL), TROUPE_INVALID);
    assert_int_equal(troupe_subscribe(self, TROUPE_EVENT_ENDED, TROUPE_EVENTS_PENDING_MAX + 1, NULL),
                     TROUPE_INVALID);
    assert_int_equal(troupe_subscribe(self, TROUPE_EVENT_ENDED, TROUPE_EVENTS_PENDING_MAX, NULL), TROUPE_OK);
    return TROUPE_OK;
}

static void subscriptions_end_with_their_actor(void **state)
{
    (void)state;
    troupe_system *system = probe_system(2);
    for (int round = 0; round < 2; round++) {
        probe_spawn(system, &first, NULL);
        probe_do(system, &first, subscribe_to_the_limit);
        assert_int_equal(load_relaxed(&system->observed), TROUPE_EVENT_ENDED);
        troupe_shutdown(system, first.ref, TROUPE_SHUTDOWN);
        settle(system);
        assert_int_equal(load_relaxed(&system->observed), 0);
    }
    assert_int_equal(probe_counters(system).dead_letters, 0); /* its own end was not told to it */
    probe_system_stop(system);
}

static void arguments_beyond_their_limits_are_refused(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &first, NULL);
    probe_do(system, &first, subscribe_wrongly);
    probe_system_stop(system);
}

static void every_kind_has_a_text_and_what_is_none_too(void **state)
{
    (void)state;
    assert_string_equal(troupe_event_text(TROUPE_EVENT_SPAWNED), "spawned");
    assert_string_equal(troupe_event_text(TROUPE_EVENT_DEAD_LETTER), "dead letter");
    assert_string_equal(troupe_event_text((troupe_event_kind)0), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_text_and_what_is_none_too),
        cmocka_unit_test(life_of_an_actor_is_told_in_order),
        cmocka_unit_test(only_what_was_subscribed_to_is_told),
        cmocka_unit_test(restarts_and_giving_up_are_told),
        cmocka_unit_test(overflow_is_told_once_when_it_begins_and_ends),
        cmocka_unit_test(dead_letter_is_told_with_type_sender_target_and_reason),
        cmocka_unit_test(events_that_nobody_handles_make_no_more_events),
        cmocka_unit_test(slow_subscriber_is_told_how_much_it_missed),
        cmocka_unit_test(nothing_is_told_after_unsubscribing),
        cmocka_unit_test(subscriptions_end_with_their_actor),
        cmocka_unit_test(arguments_beyond_their_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
