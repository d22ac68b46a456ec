/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/sim_seeds: which seeds the arguments name, that each is run twice, and what is printed for
 * the one that fails. What is printed is read back from a child process. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <troupe.h>
#include <unistd.h>

enum {
    RUNS_MAX = 64,
    ARGUMENTS_MAX = 8,
    TEXT_SIZE = 2048,
};

/* What a test does, and what was asked of it. */
struct plan {
    uint64_t fails_at;
    uint64_t aborts_at;
    uint64_t differs_at; /* its second run has another hash */
    uint64_t twins_of;   /* this seed and the next have one hash */
    uint32_t runs;
    uint64_t seeds[RUNS_MAX];
};

static struct plan plan;
static char printed[TEXT_SIZE];

static bool planned(uint64_t seed, void *context, uint64_t *ret_trace_hash)
{
    struct plan *p = context;
    if (p->runs < RUNS_MAX)
        p->seeds[p->runs] = seed;
    p->runs++;
    if (seed == p->aborts_at)
        abort();
    *ret_trace_hash = seed * 10;
    if (seed == p->differs_at)
        *ret_trace_hash += p->runs % 2;
    if (p->twins_of != 0 && seed == p->twins_of + 1)
        *ret_trace_hash = p->twins_of * 10;
    return seed != p->fails_at;
}

static int seeds_with(const char *arguments)
{
    static char text[256];
    char *argv[ARGUMENTS_MAX];
    int argc = 0;
    size_t len = strnlen(arguments, sizeof text - 1);
    memcpy(text, arguments, len);
    text[len] = '\0';
    for (char *rest = text; *rest != '\0' && argc < ARGUMENTS_MAX;) {
        argv[argc++] = rest;
        rest += strcspn(rest, " ");
        if (*rest == ' ')
            *rest++ = '\0';
    }
    return troupe_sim_seeds(argc, argv, 5, planned, &plan);
}

/* The same in a child: how it ended; what it said is in `printed`. */
static int child_status(const char *arguments)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        _exit(seeds_with(arguments));
    }
    close(ends[1]);
    size_t len = 0;
    ssize_t count;
    while ((count = read(ends[0], printed + len, sizeof printed - 1 - len)) > 0)
        len += (size_t)count;
    printed[len] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void each_seed_is_run_twice_from_1_on(void **state)
{
    (void)state;
    plan = (struct plan){0};
    assert_int_equal(seeds_with("prog"), 0);
    assert_int_equal(plan.runs, 10);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(plan.seeds[i], 1 + i / 2);
}

static void arguments_name_the_seeds(void **state)
{
    static const struct {
        const char *arguments;
        uint64_t first;
        uint32_t count;
    } cases[] = {
        {"prog --seed 9", 9, 1},
        {"prog --seeds 3", 1, 3},
        {"prog --seed 4 --seeds 2", 4, 2},
        {"prog --seeds 2 --seed 4", 4, 2},
        {"prog --seed 18446744073709551615", UINT64_MAX, 1},
        {"prog --seed 18446744073709551614 --seeds 2", UINT64_MAX - 1, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plan = (struct plan){0};
        assert_int_equal(seeds_with(cases[i].arguments), 0);
        assert_int_equal(plan.runs, 2 * cases[i].count);
        assert_int_equal(plan.seeds[0], cases[i].first);
        assert_int_equal(plan.seeds[plan.runs - 1], cases[i].first + cases[i].count - 1);
    }
}

static void wrong_arguments_are_refused_with_the_usage(void **state)
{
    static const char *const wrong[] = {
        "prog --seed",       "prog 5",         "prog --seed 0",
        "prog --seeds -1",   "prog --seed 1x", "prog --seed 18446744073709551616",
        "prog --seeds 0",    "prog --seed ",   "prog --seed 18446744073709551615 --seeds 2",
        "prog --seed=1 run",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int status = child_status(wrong[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 2);
        assert_string_equal(printed, "usage: prog [--seed N] [--seeds M]\n");
    }
}

static void a_seed_that_fails_is_printed_with_its_command(void **state)
{
    (void)state;
    plan = (struct plan){.fails_at = 3};
    assert_int_equal(WEXITSTATUS(child_status("./prog")), 1);
    assert_string_equal(printed, "seed 3 failed; replay it with:\n    ./prog --seed 3\n");
}

static void a_seed_that_aborts_is_printed_too(void **state)
{
    (void)state;
    plan = (struct plan){.aborts_at = 2};
    int status = child_status("./prog");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_string_equal(printed, "seed 2 aborted; replay it with:\n    ./prog --seed 2\n");
}

static void two_runs_that_differ_are_a_failure(void **state)
{
    (void)state;
    plan = (struct plan){.differs_at = 5};
    assert_int_equal(WEXITSTATUS(child_status("./prog")), 1);
    assert_string_equal(printed, "seed 5 does not do the same again; replay it with:\n    ./prog --seed 5\n");
}

static void two_seeds_with_one_trace_are_a_failure(void **state)
{
    (void)state;
    plan = (struct plan){.twins_of = 2};
    assert_int_equal(WEXITSTATUS(child_status("./prog")), 1);
    assert_string_equal(printed,
                        "two seeds gave the same trace; replay them with:\n    ./prog --seed 1 --seeds 5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_seed_is_run_twice_from_1_on),
        cmocka_unit_test(arguments_name_the_seeds),
        cmocka_unit_test(wrong_arguments_are_refused_with_the_usage),
        cmocka_unit_test(a_seed_that_fails_is_printed_with_its_command),
        cmocka_unit_test(a_seed_that_aborts_is_printed_too),
        cmocka_unit_test(two_runs_that_differ_are_a_failure),
        cmocka_unit_test(two_seeds_with_one_trace_are_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
