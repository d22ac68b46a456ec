/* SPDX-License-Identifier: MIT */
/*
 * server_tree_test.c: what the directory shows of an organisation with more roles than one body of a message
 * can describe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "server/messages.h"
#include "support/server_house.h"

#define FACT(test) cmocka_unit_test(test)

enum {
    HOLDERS = 64, /* of each role, with names of 120 bytes: 8 KB of JSON */
    IMPORT_ROLES = 1100,
    IMPORTS = 2,
};

static json_t *holder_name(int number)
{
    return json_sprintf("%0120d", number);
}

static void import_some(struct house *house, int from)
{
    json_t *roles = json_array();
    json_t *actors = json_array();
    json_t *holders = json_array();
    for (int i = 0; i < HOLDERS; i++) {
        json_array_append_new(holders, holder_name(i));
        json_array_append_new(actors, json_pack("{s:o, s:s}", "name", holder_name(i), "kind", "person"));
    }
    for (int i = from; i < from + IMPORT_ROLES; i++)
        json_array_append_new(roles,
                              json_pack("{s:o, s:O}", "name", json_sprintf("r%d", i), "holders", holders));
    json_t *organisation = json_pack("{s:o, s:o}", "actors", actors, "roles", roles);
    char *text = json_dumps(organisation, JSON_COMPACT);
    assert_non_null(text);
    house_import(house, text);
    free(text);
    json_decref(holders);
    json_decref(organisation);
}

static void tree_larger_than_a_body_is_whole(void **state)
{
    (void)state;
    struct house house;
    house_open(&house, 1);
    for (int i = 0; i < IMPORTS; i++)
        import_some(&house, i * IMPORT_ROLES);
    troupe_message *reply = house_ask(&house, house_actor(&house, NAME_DIRECTORY), directory_tree, .tag = "");
    const directory_tree_is *tree = directory_tree_is_of(reply);
    assert_non_null(tree);
    troupe_bytes text = troupe_blob_bytes_of(reply, tree->json);
    assert_true(text.size > TROUPE_BODY_SIZE_MAX);
    json_t *json = json_loadb(text.data, text.size, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json, "roles")), IMPORTS * IMPORT_ROLES);
    json_decref(json);
    troupe_message_free(house.system, &reply);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FACT(tree_larger_than_a_body_is_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
