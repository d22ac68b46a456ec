/* SPDX-License-Identifier: MIT */
/*
 * server_datadir_test.c: the data folder is its user's alone, its token is made once, and what cannot be used
 * is said. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/datadir.h"

static char root[64];
static char path[PATH_MAX];
static char why[DATADIR_WHY_SIZE];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/troupe-datadir-XXXXXX");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    static const char *const names[] = {"/a/b/data/token", "/a/b/data", "/a/b", "/a", "/file", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s%s", root, names[i]);
        remove(path);
    }
    return access(root, F_OK) != 0 ? 0 : -1;
}

static const char *below(const char *rest)
{
    snprintf(path, sizeof path, "%s%s", root, rest);
    return path;
}

static unsigned mode_of(const char *rest)
{
    struct stat found;
    assert_int_equal(stat(below(rest), &found), 0);
    return (unsigned)found.st_mode & 0777u;
}

static void write_file(const char *rest, const char *text)
{
    FILE *file = fopen(below(rest), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_missing_folder_is_made_for_its_user_alone(void **state)
{
    (void)state;
    umask(0);
    struct datadir datadir;
    assert_int_equal(datadir_open(below("/a/b/data/"), &datadir, why), TROUPE_OK);
    assert_int_equal(mode_of("/a/b/data"), 0700);
    assert_int_equal(mode_of("/a/b/data/token"), 0600);
    assert_string_equal(datadir.journal_path, below("/a/b/data/troupe.db"));
    assert_int_equal(strlen(datadir.token), TOKEN_TEXT_LEN);
}

static void the_token_is_made_once_and_stays(void **state)
{
    (void)state;
    struct datadir first;
    struct datadir second;
    assert_int_equal(datadir_open(below("/a/b/data"), &first, why), TROUPE_OK);
    assert_int_equal(datadir_open(below("/a/b/data"), &second, why), TROUPE_OK);
    assert_string_equal(first.token, second.token);
}

static void a_token_file_with_something_else_is_left_alone(void **state)
{
    (void)state;
    struct datadir datadir;
    assert_int_equal(datadir_open(below("/a/b/data"), &datadir, why), TROUPE_OK);
    write_file("/a/b/data/token", "half a tok");
    assert_int_equal(datadir_open(below("/a/b/data"), &datadir, why), TROUPE_INVALID);
    assert_non_null(strstr(why, "does not hold a token"));
    char text[16] = "";
    FILE *file = fopen(below("/a/b/data/token"), "r");
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "half a tok");
}

static void a_file_in_the_way_is_named(void **state)
{
    (void)state;
    write_file("/file", "");
    struct datadir datadir;
    assert_int_equal(datadir_open(below("/file"), &datadir, why), TROUPE_IO);
    assert_non_null(strstr(why, "/file: Not a directory"));
    assert_int_equal(datadir_open(below("/file/data"), &datadir, why), TROUPE_IO);
}

static void a_path_at_the_limit_is_refused_beyond_it(void **state)
{
    (void)state;
    char *text = malloc(DATADIR_PATH_MAX + 2);
    assert_non_null(text);
    memset(text, 'x', DATADIR_PATH_MAX + 1);
    text[0] = '/';
    text[DATADIR_PATH_MAX + 1] = '\0';
    struct datadir datadir;
    assert_int_equal(datadir_open(text, &datadir, why), TROUPE_INVALID);
    text[DATADIR_PATH_MAX] = '\0';
    /* Short enough, but no file system takes a name of that length. */
    assert_int_equal(datadir_open(text, &datadir, why), TROUPE_IO);
    assert_int_equal(datadir_open("", &datadir, why), TROUPE_INVALID);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_missing_folder_is_made_for_its_user_alone, make_root, remove_root),
        cmocka_unit_test_setup_teardown(the_token_is_made_once_and_stays, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_token_file_with_something_else_is_left_alone, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(a_file_in_the_way_is_named, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_path_at_the_limit_is_refused_beyond_it, make_root, remove_root),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
