/* SPDX-License-Identifier: MIT */
/*
 * server_house.c: the actors of server.c without its sockets; server_house.h says what for. The test's thread
 * runs everything.
 */
#include "support/server_house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "server/desk.h"
#include "server/keeper.h"
#include "server/supervision.h"

enum {
    WORKERS = 2, /* said, so that a seed is the same on every machine */
    FAILED_STARTS_MAX = 1000,
};

/* --- the keeper of the house ------------------------------------------------------------------ */

struct doorman {
    struct house *house;
};

static troupe_status doorman_receive(troupe_self *self, const troupe_message *message)
{
    struct doorman *doorman = troupe_state(self);
    const keeper_is_ready *ready = keeper_is_ready_of(message);
    const keeper_watch *watch = keeper_watch_of(message);
    if (watch != NULL)
        return troupe_monitor(self, watch->who, &(uint64_t){0});
    if (troupe_down_of(message) != NULL) {
        doorman->house->has_failed = true;
        return TROUPE_OK;
    }
    if (ready == NULL)
        return TROUPE_UNEXPECTED;
    if (journal_is_failed(doorman->house->journal))
        return TROUPE_OK; /* it could not be read, and the house ends */
    if (ready->why.size > 0)
        fail_msg("the house is not sound: %s", troupe_text(message, ready->why));
    doorman->house->is_ready = true;
    return TROUPE_OK;
}

static bool is_ready_or_failed(void *context)
{
    const struct house *house = context;
    return house->is_ready || house->has_failed;
}

/* --- starting --------------------------------------------------------------------------------- */

int64_t house_now(const struct house *house)
{
    return troupe_unix_ms(house->system);
}

/* Starts the actors at a time; whether they are ready, or the journal has failed. */
static bool try_start(struct house *house, int64_t now_ms)
{
    static const troupe_behaviour doorman = {
        .name = "doorman", .state_size = sizeof(struct doorman), .receive = doorman_receive};
    troupe_options options = {.workers = WORKERS, .simulate = house->faults};
    troupe_status status;
    house->is_ready = false;
    house->has_failed = false;
    options.simulate.seed = house->seed;
    assert_int_equal(troupe_start(&house->system, &options), TROUPE_OK);
    troupe_sim_faults(house->system, false);
    if (house_now(house) < now_ms)
        troupe_sim_advance(house->system, (uint64_t)(now_ms - house_now(house)));
    struct doorman state = {.house = house};
    troupe_ref doorman_ref =
        troupe_spawn(house->system, &doorman,
                     (&(troupe_spawn_options){.state = &state, .name = NAME_KEEPER, .ret_status = &status}));
    assert_int_equal(status, TROUPE_OK);
    troupe_ref root = troupe_ref_none();
    status = supervision_start(house->system, house->journal, &house->ids, &root);
    assert_true(status == TROUPE_OK || journal_is_failed(house->journal));
    assert_int_equal(troupe_send(house->system, doorman_ref, keeper_watch, .who = root), TROUPE_OK);
    assert_int_equal(troupe_sim_run_until(house->system, is_ready_or_failed, house, HOUSE_TIMEOUT_MS),
                     TROUPE_OK);
    return house->is_ready && !house->has_failed;
}

/* Ends the actors as they are; the journal keeps what it has. */
static void stop(struct house *house)
{
    house_journal_cut(&house->store);
    house->trace_hash = house->trace_hash * 31 + troupe_sim_trace_hash(house->system);
    (void)troupe_stop(&house->system);
    house_journal_restart(&house->store, house->start_reads);
    house->start_reads = HOUSE_FAILS_NEVER;
    while (house->store.journal == NULL) {
        house->failed_starts++;
        house_journal_restart(&house->store, HOUSE_FAILS_NEVER);
    }
    house->journal = house->store.journal;
    house->ids.last = 0;
    house->seed++;
}

static void start(struct house *house, int64_t now_ms)
{
    while (!try_start(house, now_ms)) {
        assert_true(house->failed_starts < FAILED_STARTS_MAX);
        house->failed_starts++;
        now_ms = house_now(house);
        stop(house);
    }
}

static void open_house(struct house *house, bool is_on_disk, uint64_t seed)
{
    assert_true(sodium_init() >= 0);
    memset(house, 0, sizeof *house);
    house->seed = seed;
    house->start_reads = HOUSE_FAILS_NEVER;
    house_journal_open(&house->store, is_on_disk, seed);
    house->journal = house->store.journal;
    start(house, 0);
}

void house_open(struct house *house, uint64_t seed)
{
    open_house(house, false, seed);
}

void house_open_on_disk(struct house *house, uint64_t seed)
{
    open_house(house, true, seed);
}

void house_close(struct house *house)
{
    house->trace_hash = house->trace_hash * 31 + troupe_sim_trace_hash(house->system);
    (void)troupe_stop(&house->system);
    house_journal_close(&house->store);
}

void house_crash(struct house *house, int64_t down_ms)
{
    int64_t now_ms = house_now(house);
    stop(house);
    start(house, now_ms + down_ms);
}

const unsigned char house_token_hash[32] = {1};

/* --- asking ----------------------------------------------------------------------------------- */

troupe_ref house_actor(struct house *house, const char *name)
{
    troupe_ref who = troupe_whereis(house->system, name);
    if (!troupe_ref_is_none(who) || name[0] == '#')
        return who;
    /* A role that sleeps is awake when the directory has said that it exists. */
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call(house->system, troupe_whereis(house->system, NAME_DIRECTORY),
                                 HOUSE_TIMEOUT_MS, &reply, role_search, .role = name),
                     TROUPE_OK);
    troupe_message_free(house->system, &reply);
    return troupe_whereis(house->system, name);
}

troupe_ref house_role(struct house *house, const char *role)
{
    troupe_ref known = troupe_whereis(house->system, role);
    if (!troupe_ref_is_none(known))
        return known;
    troupe_message *reply = house_ask(house, house_actor(house, NAME_DIRECTORY), role_search, .role = role);
    troupe_message_free(house->system, &reply); /* whoever asks for it there wakes it */
    return troupe_whereis(house->system, role);
}

troupe_message *house_ask_fields(struct house *house, troupe_ref who, const troupe_type *type,
                                 const void *fields)
{
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call_fields(house->system, who, HOUSE_TIMEOUT_MS, &reply, type, fields),
                     TROUPE_OK);
    return reply;
}

int house_status(struct house *house, troupe_message *reply)
{
    const answered *yes = answered_of(reply);
    const denied *no = denied_of(reply);
    assert_true(yes != NULL || no != NULL);
    int status = yes != NULL ? (int)yes->status : -(int)no->kind;
    troupe_message_free(house->system, &reply);
    return status;
}

void house_import(struct house *house, const char *json)
{
    troupe_ref directory = house_actor(house, NAME_DIRECTORY);
    troupe_message *reply = house_ask(house, directory, directory_own,
                                      .hash = {house_token_hash, sizeof house_token_hash}, .actor = "root");
    assert_non_null(directory_owned_of(reply));
    troupe_message_free(house->system, &reply);
    reply = house_ask(house, directory, directory_change, .kind = CHANGE_IMPORT_ORGANISATION,
                      .body = {json, strlen(json)}, .actor = "root");
    if (denied_of(reply) != NULL)
        fail_msg("%s", troupe_text(reply, denied_of(reply)->detail));
    troupe_message_free(house->system, &reply);
}

troupe_ref house_desk(struct house *house, const char *actor)
{
    troupe_message *reply = house_ask(house, house_actor(house, NAME_DIRECTORY), caller_check,
                                      .hash = {house_token_hash, sizeof house_token_hash}, .as = actor);
    assert_non_null(caller_known_of(reply));
    troupe_message_free(house->system, &reply);
    char name[DESK_NAME_SIZE];
    desk_name(actor, name);
    return troupe_whereis(house->system, name);
}
