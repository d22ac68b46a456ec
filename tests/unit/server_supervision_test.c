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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(awake_role_is_below_the_supervisor_of_its_team),
        cmocka_unit_test(team_is_there_as_long_as_one_of_its_roles_is_awake),
        cmocka_unit_test(role_that_fails_comes_back_without_being_asked),
        cmocka_unit_test(directory_comes_back_and_leaves_the_roles_alone),
        cmocka_unit_test(team_over_its_intensity_takes_no_other_team_with_it),
        cmocka_unit_test(journals_end_is_the_end_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
