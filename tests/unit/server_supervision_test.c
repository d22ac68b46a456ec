/* SPDX-License-Identifier: MIT */
/*
 * The server as a tree of supervisors: who is below whom, what ends with whom, and what comes back. The real
 * actors, in a simulated system. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/record.h"
#include "journal/writer.h"
#include "server/problem.h"
#include "server/role_actor.h"
#include "server/supervision.h"
#include "support/server_house.h"

static const char organisation[] = "{\"actors\":[{\"name\":\"bot\",\"kind\":\"program\",\"wip_limit\":1000}],"
                                   "\"roles\":[{\"name\":\"all\",\"holders\":[\"root\"]},"
                                   "{\"name\":\"mill\",\"parent\":\"all\",\"team\":true},"
                                   "{\"name\":\"mill/saw\",\"parent\":\"mill\",\"holders\":[\"bot\"]},"
                                   "{\"name\":\"mill/drill\",\"parent\":\"mill\",\"holders\":[\"bot\"]}]}";

/* The id or, without one, the name of whoever supervises the actor of that name; "": nobody. */
static const char *above(struct house *house, const char *name)
{
    static char found[TROUPE_NAME_LEN_MAX + 1];
    troupe_snapshot *snapshot;
    assert_int_equal(troupe_snapshot_take(house->system, &snapshot), TROUPE_OK);
    const troupe_snapshot_node *node = troupe_snapshot_find(snapshot, troupe_whereis(house->system, name));
    const char *text = "";
    if (node != NULL && node->parent != TROUPE_SNAPSHOT_NONE) {
        const troupe_snapshot_node *parent = &snapshot->nodes[node->parent];
        assert_true(parent->is_supervisor);
        text = parent->name != NULL ? parent->name : parent->child;
    }
    snprintf(found, sizeof found, "%s", text);
    troupe_snapshot_free(&snapshot);
    return found;
}

/* How many children a supervisor has now; -1: it is not there. */
static int children_of(struct house *house, const char *supervisor)
{
    troupe_message *reply;
    troupe_ref who = troupe_whereis(house->system, supervisor);
    if (troupe_call(house->system, who, HOUSE_TIMEOUT_MS, &reply, troupe_count_children) != TROUPE_OK)
        return -1;
    int count = (int)troupe_children_count_of(reply)->active;
    troupe_message_free(house->system, &reply);
    return count;
}

static void kill_actor(struct house *house, const char *name)
{
    troupe_ref who = troupe_whereis(house->system, name);
    assert_false(troupe_ref_is_none(who));
    assert_int_equal(troupe_shutdown(house->system, who, TROUPE_KILLED), TROUPE_OK);
}

static void open_mill(struct house *house)
{
    house_open(house, 1);
    house_import(house, organisation);
}

static void awake_role_is_below_the_supervisor_of_its_team(void **state)
{
    (void)state;
    struct house house;
    open_mill(&house);
    assert_string_equal(above(&house, "mill/saw"), "mill");
    assert_string_equal(above(&house, "mill/drill"), "mill");
    assert_string_equal(above(&house, "mill"), "all");
    assert_string_equal(above(&house, "all"), "all");
    assert_string_equal(above(&house, "@bot"), "all");
    assert_string_equal(above(&house, "@root"), "@"); /* it woke before there was a role to belong to */
    assert_string_equal(above(&house, NAME_TEAMS), NAME_TOP);
    assert_string_equal(above(&house, NAME_DIRECTORY), NAME_TOP);
    assert_string_equal(above(&house, NAME_JOURNAL), NAME_SERVER);
    assert_string_equal(above(&house, NAME_TOP), NAME_SERVER);
    assert_int_equal(children_of(&house, NAME_TEAMS), 3);
    house_close(&house);
}

static void team_is_there_as_long_as_one_of_its_roles_is_awake(void **state)
{
    (void)state;
    struct house house;
    open_mill(&house);
    house.ids.role_idle_ms = 1000;
    troupe_sim_advance(house.system, 60000); /* those that began with the longer patience are idle too */
    assert_int_equal(children_of(&house, NAME_TEAMS), 0);
    house_role(&house, "mill/saw");
    assert_int_equal(children_of(&house, NAME_TEAMS), 1);
    assert_string_equal(above(&house, "mill/saw"), "mill");
    house_role(&house, "@root");
    assert_string_equal(above(&house, "@root"), "all");
    troupe_sim_advance(house.system, 3000);
    assert_int_equal(children_of(&house, NAME_TEAMS), 0);
    house_close(&house);
}

static void role_that_fails_comes_back_without_being_asked(void **state)
{
    (void)state;
    struct house house;
    open_mill(&house);
    troupe_ref other = troupe_whereis(house.system, "mill/drill");
    troupe_ref before = troupe_whereis(house.system, "mill/saw");
    kill_actor(&house, "mill/saw");
    troupe_sim_advance(house.system, 2 * TEAM_BACKOFF_MIN_MS);
    troupe_ref after = troupe_whereis(house.system, "mill/saw");
    assert_false(troupe_ref_is_none(after));
    assert_false(troupe_ref_equal(after, before));
    assert_true(troupe_ref_equal(troupe_whereis(house.system, "mill/drill"), other));
    assert_string_equal(above(&house, "mill/saw"), "mill");
    house_close(&house);
}

static void directory_comes_back_and_leaves_the_roles_alone(void **state)
{
    (void)state;
    struct house house;
    open_mill(&house);
    troupe_ref saw = troupe_whereis(house.system, "mill/saw");
    troupe_ref teams = troupe_whereis(house.system, NAME_TEAMS);
    kill_actor(&house, NAME_DIRECTORY);
    troupe_sim_advance(house.system, 1000);
    assert_true(troupe_ref_equal(troupe_whereis(house.system, "mill/saw"), saw));
    assert_true(troupe_ref_equal(troupe_whereis(house.system, NAME_TEAMS), teams));
    assert_false(troupe_ref_is_none(troupe_whereis(house.system, NAME_DIRECTORY)));
    /* The new one knows the team that is there, and starts others. */
    house.ids.role_idle_ms = 1000;
    troupe_sim_advance(house.system, 60000);
    house_role(&house, "mill/drill");
    assert_string_equal(above(&house, "mill/drill"), "mill");
    kill_actor(&house, NAME_DIRECTORY);
    troupe_sim_advance(house.system, 100);
    house_role(&house, "mill/saw");
    assert_string_equal(above(&house, "mill/saw"), "mill");
    house_close(&house);
}

static void team_over_its_intensity_takes_no_other_team_with_it(void **state)
{
    (void)state;
    struct house house;
    open_mill(&house);
    troupe_ref other = troupe_whereis(house.system, "@bot");
    troupe_ref directory = troupe_whereis(house.system, NAME_DIRECTORY);
    troupe_message *reply =
        house_ask(&house, troupe_whereis(house.system, NAME_TEAMS), troupe_get_childspec, .id = "mill");
    troupe_ref team = troupe_child_of(reply)->who;
    troupe_message_free(house.system, &reply);
    assert_int_equal(troupe_shutdown(house.system, team, TROUPE_INTENSITY), TROUPE_OK);
    troupe_sim_advance(house.system, 1000);
    assert_true(troupe_ref_equal(troupe_whereis(house.system, "@bot"), other));
    assert_true(troupe_ref_equal(troupe_whereis(house.system, NAME_DIRECTORY), directory));
    house_role(&house, "mill/saw"); /* whoever has something for it wakes it */
    assert_string_equal(above(&house, "mill/saw"), "mill");
    house_close(&house);
}

static void journals_end_is_the_end_of_all(void **state)
{
    (void)state;
    struct house house;
    open_mill(&house);
    kill_actor(&house, NAME_JOURNAL);
    troupe_sim_advance(house.system, 1000);
    assert_true(troupe_ref_is_none(troupe_whereis(house.system, NAME_SERVER)));
    assert_true(troupe_ref_is_none(troupe_whereis(house.system, NAME_DIRECTORY)));
    assert_true(troupe_ref_is_none(troupe_whereis(house.system, "mill/saw")));
    house_close(&house);
}

/* --- a role that cannot live ------------------------------------------------------------------- */

static int send_to(struct house *house, const char *role)
{
    uint64_t id = ids_next(&house->ids, house_now(house));
    return house_status(house, house_ask(house, house_role(house, role), role_send, .id = id, .actor = "bot",
                                         .subject = "work", .message_class = 1));
}

/* Puts everybody to sleep and then wakes a role whose actors fail as soon as they have read their stream. */
static void bar(struct house *house, struct faults *faults, const char *role)
{
    house->ids.role_idle_ms = 1000;
    troupe_sim_advance(house->system, 2 * ROLE_IDLE_MS);
    *faults = (struct faults){.one_in = 1};
    house->ids.faults = faults;
    house->ids.role_idle_ms = 0;
    house_role(house, role);
    troupe_sim_advance(house->system, 5000);
    faults->one_in = 0;
}

static void role_that_fails_again_and_again_refuses_and_the_others_go_on(void **state)
{
    (void)state;
    struct house house;
    struct faults faults;
    open_mill(&house);
    bar(&house, &faults, "mill/saw");
    assert_int_equal(house.ids.role_restarts, ROLE_RESTARTS_MAX);
    assert_int_equal(house.ids.roles_barred, 1);
    assert_int_equal(send_to(&house, "mill/saw"), -PROBLEM_UNAVAILABLE);
    assert_int_equal(send_to(&house, "mill/drill"), 202);
    troupe_ref desk = house_desk(&house, "bot");
    /* Whoever holds it too is not kept from its other roles, nor told of work in this one. */
    assert_int_equal(house_status(&house, house_ask(&house, desk, desk_next, .role = "", .wip_limit = 9)),
                     200);
    assert_int_equal(house_status(&house, house_ask(&house, desk, desk_next, .role = "", .wip_limit = 9)),
                     204);
    assert_int_equal(
        house_status(&house, house_ask(&house, desk, desk_next, .role = "mill/saw", .wip_limit = 9)),
        -PROBLEM_UNAVAILABLE);
    assert_int_equal(house_status(&house, house_ask(&house, desk, desk_inbox, .role = "mill/saw")),
                     -PROBLEM_UNAVAILABLE);
    /* Nor is whoever looks for a message that may be there told that there is none. */
    assert_int_equal(
        house_status(&house, house_ask(&house, desk, desk_about, .id = 77, .command = ORG_FINISH)),
        -PROBLEM_UNAVAILABLE);
    troupe_sim_advance(house.system, ROLE_BARRED_MS);
    assert_int_equal(house.ids.roles_barred, 0);
    assert_int_equal(send_to(&house, "mill/saw"), 202);
    house_close(&house);
}

/* The text of an answer, until the next one. */
static const char *text_of(struct house *house, troupe_message *reply)
{
    static char text[65536];
    const answered *yes = answered_of(reply);
    const directory_tree_is *tree = directory_tree_is_of(reply);
    assert_true(yes != NULL || tree != NULL);
    troupe_bytes json =
        yes != NULL ? troupe_bytes_of(reply, yes->json) : troupe_blob_bytes_of(reply, tree->json);
    assert_true(json.size < sizeof text);
    memcpy(text, json.data, json.size);
    text[json.size] = '\0';
    troupe_message_free(house->system, &reply);
    return text;
}

static void role_out_of_order_is_seen_by_whoever_looks(void **state)
{
    static const char alarm[] = "\"restarts\":5,\"out_of_order\":\"it failed 5 times in a row\"";
    (void)state;
    struct house house;
    struct faults faults;
    open_mill(&house);
    troupe_ref directory = house_actor(&house, NAME_DIRECTORY);
    assert_null(strstr(text_of(&house, house_ask(&house, directory, directory_tree, .tag = "")), alarm));
    bar(&house, &faults, "mill/saw");
    assert_non_null(strstr(text_of(&house, house_ask(&house, directory, directory_tree, .tag = "")), alarm));
    const char *check = text_of(
        &house, house_ask_fields(&house, directory, &directory_check_type, &(directory_check_fields){0}));
    assert_non_null(strstr(check, "\"conserved\":false"));
    assert_non_null(strstr(check, "the mailbox of mill/saw is out of order"));
    kill_actor(&house, NAME_DIRECTORY); /* a new one hears of it, */
    troupe_sim_advance(house.system, 1000);
    directory = house_actor(&house, NAME_DIRECTORY);
    house_role(&house, "mill/saw");
    assert_int_equal(send_to(&house, "mill/saw"), -PROBLEM_UNAVAILABLE);
    troupe_sim_advance(house.system, ROLE_BARRED_MS + 1000); /* and of its end */
    assert_null(
        strstr(text_of(&house, house_ask(&house, directory, directory_tree, .tag = "")), "out_of_order"));
    house_close(&house);
}

static void change_of_a_role_out_of_order_keeps_nobody_waiting(void **state)
{
    static const char holders[] = "{\"role\":\"mill/saw\",\"holders\":[\"root\"]}";
    (void)state;
    struct house house;
    struct faults faults;
    open_mill(&house);
    bar(&house, &faults, "mill/saw");
    int status = house_status(&house, house_ask(&house, house_actor(&house, NAME_DIRECTORY), directory_change,
                                                .kind = CHANGE_HOLDERS, .body = {holders, sizeof holders - 1},
                                                .actor = "root"));
    assert_true(status == 200 || status == -PROBLEM_CONFLICT);
    troupe_sim_advance(house.system, ROLE_BARRED_MS + 1000);
    assert_int_equal(send_to(&house, "mill/saw"), 202); /* and it is set up as it was said */
    assert_int_equal(house_status(&house, house_ask(&house, house_desk(&house, "root"), desk_next,
                                                    .role = "mill/saw", .wip_limit = 9)),
                     200);
    house_close(&house);
}

/* Puts a record into a role's stream that means nothing to it. */
static void damage(struct house *house, const char *stream)
{
    troupe_ref journal = house_actor(house, NAME_JOURNAL);
    struct record_batch batch = {0};
    troupe_message *reply = house_ask(house, journal, journal_read, .stream = stream, .from_seq = 1);
    assert_true(journal_records_of(reply)->is_end);
    uint64_t seq = journal_records_of(reply)->next_seq - 1;
    troupe_message_free(house->system, &reply);
    assert_int_equal(record_batch_append(&batch, 77, 1, "nothing", 8), TROUPE_OK);
    reply = house_ask(house, journal, journal_append, .stream = stream, .expected_seq = seq,
                      .records = {batch.bytes.bytes, batch.bytes.size});
    assert_int_equal(journal_appended_of(reply)->status, TROUPE_OK);
    troupe_message_free(house->system, &reply);
    record_batch_done(&batch);
}

static void role_whose_stream_cannot_be_read_stops_neither_the_server_nor_its_start(void **state)
{
    (void)state;
    struct house house;
    open_mill(&house);
    house.ids.role_idle_ms = 1000;
    troupe_sim_advance(house.system, 2 * ROLE_IDLE_MS);
    damage(&house, "role/mill/saw");
    for (int start = 0; start < 2; start++) {
        assert_int_equal(send_to(&house, "mill/saw"), -PROBLEM_UNAVAILABLE);
        assert_int_equal(house.ids.roles_barred, 1);
        assert_int_equal(house.ids.role_restarts, 0); /* nothing is gained by trying it five times */
        assert_int_equal(send_to(&house, "mill/drill"), 202);
        house_crash(&house, 1000);
        house.ids.roles_barred = 0;
    }
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(awake_role_is_below_the_supervisor_of_its_team),
        cmocka_unit_test(team_is_there_as_long_as_one_of_its_roles_is_awake),
        cmocka_unit_test(role_that_fails_comes_back_without_being_asked),
        cmocka_unit_test(directory_comes_back_and_leaves_the_roles_alone),
        cmocka_unit_test(team_over_its_intensity_takes_no_other_team_with_it),
        cmocka_unit_test(journals_end_is_the_end_of_all),
        cmocka_unit_test(role_that_fails_again_and_again_refuses_and_the_others_go_on),
        cmocka_unit_test(role_out_of_order_is_seen_by_whoever_looks),
        cmocka_unit_test(change_of_a_role_out_of_order_keeps_nobody_waiting),
        cmocka_unit_test(role_whose_stream_cannot_be_read_stops_neither_the_server_nor_its_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
