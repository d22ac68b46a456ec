/* SPDX-License-Identifier: MIT */
/*
 * Facts about cli/work_verdict: what each end of a command says to the server about its message, with what
 * words, and where texts end. Commands are not run: their ends are written down here. One thread.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/work_verdict.h"

/* 2024-02-29T12:00:00Z */
#define NOW_MS ((int64_t)1709208000000)
#define MINUTE_MS ((int64_t)60000)
#define DEFER_MS_MAX (366 * 24 * 60 * MINUTE_MS)
#define ID "0000000000abc"

/* A command that has ended with this status and wrote this. */
static struct child ended(int status, const char *output, const char *errors)
{
    struct child child = {.end.status = status, .cause = CHILD_ENDED};
    assert_int_equal(buffer_append(&child.output, output, strlen(output)), TROUPE_OK);
    assert_int_equal(buffer_append(&child.errors, errors, strlen(errors)), TROUPE_OK);
    return child;
}

/* Judges a command and forgets it. */
static struct work_verdict judge(struct child child)
{
    struct work_verdict verdict = work_judge(ID, &child, NOW_MS, MINUTE_MS);
    buffer_done(&child.output);
    buffer_done(&child.errors);
    return verdict;
}

/* The verdict is this request, and is released. */
static void check(struct work_verdict verdict, const char *path, const char *body)
{
    json_t *expected = json_loads(body, 0, NULL);
    assert_non_null(expected);
    assert_string_equal(verdict.path, path);
    if (!json_equal(verdict.body, expected)) {
        char *text = json_dumps(verdict.body, 0);
        fail_msg("%s is not %s", text, body);
    }
    json_decref(expected);
    json_decref(verdict.body);
}

static void status_0_is_done_with_what_it_wrote_as_the_reply(void **state)
{
    (void)state;
    struct work_verdict verdict = judge(ended(0, "It is\nopen.\n", "noise"));
    assert_false(verdict.is_failure);
    assert_string_equal(verdict.words, "");
    check(verdict, "/v1/done", "{\"id\": \"" ID "\", \"reply\": \"It is\\nopen.\\n\"}");
    check(judge(ended(0, "", "noise")), "/v1/done", "{\"id\": \"" ID "\"}");
}

static void reply_that_is_no_text_fails_and_is_not_tried_again(void **state)
{
    (void)state;
    struct child child = ended(0, "", "");
    assert_int_equal(buffer_append(&child.output, "a\0b", 3), TROUPE_OK);
    struct work_verdict verdict = judge(child);
    assert_true(verdict.is_failure);
    assert_false(verdict.is_hopeless);
    assert_null(json_object_get(verdict.body, "crash"));
    assert_string_equal(verdict.path, "/v1/fail");
    json_decref(verdict.body);
    verdict = judge(ended(0, "\xff", "why it did"));
    check(verdict, "/v1/fail",
          "{\"id\": \"" ID
          "\", \"reason\": \"its answer is not UTF-8 text, and so cannot be a reply\\n\\nwhy it did\"}");
}

static void status_65_is_declined_with_a_reason_whatever_it_wrote(void **state)
{
    (void)state;
    check(judge(ended(WORK_DECLINE, "No.\n\n", "noise")), "/v1/decline",
          "{\"id\": \"" ID "\", \"reason\": \"No.\"}");
    check(judge(ended(WORK_DECLINE, "", "first\nlast\n")), "/v1/decline",
          "{\"id\": \"" ID "\", \"reason\": \"first\\nlast\"}");
    check(judge(ended(WORK_DECLINE, "", "")), "/v1/decline",
          "{\"id\": \"" ID "\", \"reason\": \"declined without a reason\"}");
    check(judge(ended(WORK_DECLINE, "a\033[1mb\xff", "")), "/v1/decline",
          "{\"id\": \"" ID "\", \"reason\": \"a\\\\x1b[1mb\\\\xff\"}");
}

static void status_75_is_deferred_until_it_says_or_for_the_delay(void **state)
{
    (void)state;
    struct work_verdict verdict = judge(ended(WORK_DEFER, "90s\nthe other side is busy\n", ""));
    assert_false(verdict.uses_delay);
    assert_string_equal(verdict.words, "again in 1 min");
    check(verdict, "/v1/defer",
          "{\"id\": \"" ID "\", \"reason\": \"the other side is busy\", \"after_ms\": 90000}");
    verdict = judge(ended(WORK_DEFER, "busy\n", ""));
    assert_true(verdict.uses_delay);
    check(verdict, "/v1/defer", "{\"id\": \"" ID "\", \"reason\": \"busy\", \"after_ms\": 60000}");
    check(judge(ended(WORK_DEFER, "2h", "not\nyet\n")), "/v1/defer",
          "{\"id\": \"" ID "\", \"reason\": \"not\\nyet\", \"after_ms\": 7200000}");
    check(judge(ended(WORK_DEFER, "", "")), "/v1/defer", "{\"id\": \"" ID "\", \"after_ms\": 60000}");
}

static void time_that_is_past_is_at_once_and_one_too_far_away_as_late_as_may_be(void **state)
{
    (void)state;
    check(judge(ended(WORK_DEFER, "2020-01-31T17:00Z", "")), "/v1/defer",
          "{\"id\": \"" ID "\", \"after_ms\": 1}");
    struct work_verdict verdict = judge(ended(WORK_DEFER, "2099-01-31T17:00Z", ""));
    assert_int_equal(json_integer_value(json_object_get(verdict.body, "after_ms")), DEFER_MS_MAX);
    json_decref(verdict.body);
}

static void any_other_status_is_a_crash_with_its_last_lines(void **state)
{
    (void)state;
    struct work_verdict verdict = judge(ended(3, "out", "line one\nline two\n"));
    assert_true(verdict.is_failure);
    assert_false(verdict.is_hopeless);
    assert_string_equal(verdict.words, "exit status 3");
    check(verdict, "/v1/fail",
          "{\"id\": \"" ID "\", \"reason\": \"exit status 3\", \"crash\": true, \"exit_status\": 3,"
          " \"output\": \"line one\\nline two\"}");
    check(judge(ended(255, "", "")), "/v1/fail",
          "{\"id\": \"" ID "\", \"reason\": \"exit status 255\", \"crash\": true, \"exit_status\": 255}");
}

static void signal_is_a_crash_by_its_name_also_with_status_0(void **state)
{
    (void)state;
    struct child child = ended(0, "a reply", "");
    child.end.signal = SIGSEGV;
    check(judge(child), "/v1/fail",
          "{\"id\": \"" ID "\", \"reason\": \"killed by SIGSEGV\", \"crash\": true, \"signal\": \"SIGSEGV\","
          " \"output\": \"a reply\"}");
}

static void command_that_is_ended_for_its_slowness_has_crashed(void **state)
{
    (void)state;
    struct child child = ended(0, "", "");
    child.cause = CHILD_TOO_SLOW;
    child.timeout_ms = 5000;
    child.end.signal = SIGTERM;
    check(judge(child), "/v1/fail",
          "{\"id\": \"" ID "\", \"reason\": \"it took longer than 5 s\", \"crash\": true,"
          " \"signal\": \"SIGTERM\"}");
}

static void command_that_said_too_much_fails_and_one_that_was_stopped_gives_back(void **state)
{
    (void)state;
    struct child child = ended(0, "", "");
    child.cause = CHILD_TOO_LONG;
    check(judge(child), "/v1/fail",
          "{\"id\": \"" ID "\", \"reason\": \"it wrote more than 262144 bytes to standard output\"}");
    child = ended(0, "a reply", "");
    child.cause = CHILD_STOPPED;
    struct work_verdict verdict = judge(child);
    assert_false(verdict.is_hopeless);
    check(verdict, "/v1/defer",
          "{\"id\": \"" ID
          "\", \"reason\": \"the program that works on it was told to stop\", \"after_ms\": 1}");
}

static void command_at_fault_itself_gives_back_and_is_hopeless(void **state)
{
    (void)state;
    struct work_verdict verdicts[] = {
        judge(ended(WORK_NO_EXEC, "out", "errors")),
        judge(ended(WORK_NOT_FOUND, "out", "errors")),
        work_judge_unstarted(ID, ENOEXEC),
    };
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        assert_true(verdicts[i].is_hopeless && verdicts[i].is_failure);
        assert_string_equal(verdicts[i].path, "/v1/defer");
        assert_int_equal(json_integer_value(json_object_get(verdicts[i].body, "after_ms")), 1);
        json_decref(verdicts[i].body);
    }
}

/* `count` times two bytes, and `before` in front of them. */
static char *long_text(const char *before, size_t count)
{
    size_t size = strlen(before);
    char *text = malloc(size + 2 * count + 1);
    assert_non_null(text);
    memcpy(text, before, size);
    for (size_t i = 0; i < count; i++)
        memcpy(text + size + 2 * i, "ü", 2);
    text[size + 2 * count] = '\0';
    return text;
}

static void reason_is_cut_at_its_limit_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t count;
        size_t size;
    } cases[] = {
        {"", CLI_NOTE_MAX / 2, CLI_NOTE_MAX},         /* at the limit: whole */
        {"a", CLI_NOTE_MAX / 2, CLI_NOTE_MAX},        /* "a", 2046 times two bytes, and the three of "…" */
        {"", CLI_NOTE_MAX / 2 + 1, CLI_NOTE_MAX - 1}, /* no half character is left */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = long_text(cases[i].before, cases[i].count);
        struct work_verdict verdict = judge(ended(WORK_DECLINE, text, ""));
        const char *reason = json_string_value(json_object_get(verdict.body, "reason"));
        bool is_whole = strlen(text) <= CLI_NOTE_MAX;
        assert_int_equal(strlen(reason), cases[i].size);
        assert_int_equal(strcmp(reason + strlen(reason) - strlen("…"), "…") == 0, !is_whole);
        json_decref(verdict.body);
        free(text);
    }
}

static void refusal_of_the_server_is_a_failure_with_its_words(void **state)
{
    (void)state;
    check(work_judge_unfit(ID, "\"reply\" is too long"), "/v1/fail",
          "{\"id\": \"" ID "\", \"reason\": \"its answer is not taken: \\\"reply\\\" is too long\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_0_is_done_with_what_it_wrote_as_the_reply),
        cmocka_unit_test(reply_that_is_no_text_fails_and_is_not_tried_again),
        cmocka_unit_test(status_65_is_declined_with_a_reason_whatever_it_wrote),
        cmocka_unit_test(status_75_is_deferred_until_it_says_or_for_the_delay),
        cmocka_unit_test(time_that_is_past_is_at_once_and_one_too_far_away_as_late_as_may_be),
        cmocka_unit_test(any_other_status_is_a_crash_with_its_last_lines),
        cmocka_unit_test(signal_is_a_crash_by_its_name_also_with_status_0),
        cmocka_unit_test(command_that_is_ended_for_its_slowness_has_crashed),
        cmocka_unit_test(command_that_said_too_much_fails_and_one_that_was_stopped_gives_back),
        cmocka_unit_test(command_at_fault_itself_gives_back_and_is_hopeless),
        cmocka_unit_test(reason_is_cut_at_its_limit_between_characters),
        cmocka_unit_test(refusal_of_the_server_is_a_failure_with_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
