/* SPDX-License-Identifier: MIT */
/*
 * Facts about env/process: which file a name stands for, what a program gets and does not get, and that it
 * leaves nothing behind. Programs are the shell's. One thread.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "env/env.h"
#include "env/process.h"

#define SHELL "/bin/sh"

enum {
    SAID_MAX = 4096,
    WAIT_MS = 20000,
};

/* A shell that runs a script, and the ends of its pipes. */
struct shell {
    int id;
    int output_fd;
    char said[SAID_MAX];
};

static void start(struct shell *shell, const char *script, const void *input, size_t size)
{
    char *const arguments[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)script, NULL};
    char *const environment[] = {(char *)"PATH=/usr/bin:/bin", (char *)"ONLY=this", NULL};
    int input_fd, write_fd;
    assert_int_equal(env_bytes_fd(input, size, &input_fd), TROUPE_OK);
    assert_int_equal(env_pipe(&shell->output_fd, &write_fd), TROUPE_OK);
    const struct env_process_spec spec = {.file = SHELL,
                                          .arguments = arguments,
                                          .environment = environment,
                                          .fds = {input_fd, write_fd, write_fd}};
    assert_int_equal(env_process_start(&spec, &shell->id), TROUPE_OK);
    env_fd_close(input_fd);
    env_fd_close(write_fd);
}

/* Reads what it says until nobody can say anything more. */
static const char *hear(struct shell *shell)
{
    size_t size = 0;
    for (;;) {
        struct pollfd fd = {.fd = shell->output_fd, .events = POLLIN};
        size_t got;
        assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
        troupe_status status = env_fd_read(shell->output_fd, shell->said + size, SAID_MAX - 1 - size, &got);
        if (status == TROUPE_END)
            break;
        assert_int_equal(status, TROUPE_OK);
        size += got;
    }
    shell->said[size] = '\0';
    env_fd_close(shell->output_fd);
    return shell->said;
}

static struct env_process_end end_of(struct shell *shell)
{
    struct env_process_end end;
    int tries = 0;
    while (!env_process_ended(shell->id, &end)) {
        assert_true(++tries < WAIT_MS);
        env_sleep_ms(1);
    }
    return end;
}

static struct env_process_end run(struct shell *shell, const char *script)
{
    start(shell, script, "", 0);
    hear(shell);
    struct env_process_end end = end_of(shell);
    env_process_forget(shell->id);
    return end;
}

static void a_name_is_looked_for_in_the_folders_in_their_order(void **state)
{
    (void)state;
    char file[ENV_PROCESS_FILE_MAX];
    assert_int_equal(env_process_find("sh", "/nowhere:/bin:/usr/bin", file), TROUPE_OK);
    assert_string_equal(file, "/bin/sh");
    assert_int_equal(env_process_find("/bin/sh", "", file), TROUPE_OK);
    assert_string_equal(file, "/bin/sh");
    assert_int_equal(env_process_find("no-such-program", "/bin:/usr/bin", file), TROUPE_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(env_process_find("", "/bin", file), TROUPE_IO);
    assert_int_equal(errno, ENOENT);
}

static void what_cannot_be_run_is_none(void **state)
{
    (void)state;
    char file[ENV_PROCESS_FILE_MAX];
    char name[] = "/tmp/troupe-process-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    env_fd_close(fd);
    assert_int_equal(env_process_find(name, "", file), TROUPE_IO);
    assert_int_equal(errno, EACCES);
    assert_int_equal(env_process_find(strrchr(name, '/') + 1, "/bin:/tmp", file), TROUPE_IO);
    assert_int_equal(errno, EACCES);
    assert_int_equal(env_process_find("/tmp", "", file), TROUPE_IO);
    assert_int_equal(errno, EACCES);
    unlink(name);
}

static void a_name_beyond_the_limit_is_too_large(void **state)
{
    (void)state;
    static char name[ENV_PROCESS_FILE_MAX + 1];
    char file[ENV_PROCESS_FILE_MAX];
    memset(name, 'x', ENV_PROCESS_FILE_MAX);
    name[0] = '/';
    assert_int_equal(env_process_find(name, "", file), TROUPE_TOO_LARGE);
    name[ENV_PROCESS_FILE_MAX - 1] = '\0';
    assert_int_equal(env_process_find(name, "", file), TROUPE_IO);
}

static void a_program_gets_its_input_and_its_environment_and_says_its_words(void **state)
{
    (void)state;
    struct shell shell;
    start(&shell, "cat; echo \" $ONLY [$HOME]\"; exit 7", "bytes\0more", 10);
    assert_memory_equal(hear(&shell), "bytes\0more this []\n", 19);
    struct env_process_end end = end_of(&shell);
    env_process_forget(shell.id);
    assert_int_equal(end.status, 7);
    assert_int_equal(end.signal, 0);
}

static void a_signal_that_ends_it_is_told(void **state)
{
    (void)state;
    struct shell shell;
    char name[16];
    struct env_process_end end = run(&shell, "kill -TERM $$");
    assert_int_equal(end.status, 0);
    assert_int_equal(end.signal, SIGTERM);
    assert_string_equal(env_signal_name(SIGTERM, name), "SIGTERM");
    assert_string_equal(env_signal_name(SIGRTMIN + 3, name), "signal 37");
}

static void what_is_no_program_is_said_at_once_and_leaves_nothing(void **state)
{
    (void)state;
    char name[] = "/tmp/troupe-process-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    assert_int_equal(write(fd, "nothing", 7), 7);
    env_fd_close(fd);
    char *const arguments[] = {name, NULL};
    char *const environment[] = {NULL};
    const struct env_process_spec spec = {
        .file = name, .arguments = arguments, .environment = environment, .fds = {0, 1, 2}};
    int id = 0;
    assert_int_equal(env_process_start(&spec, &id), TROUPE_IO);
    assert_int_equal(errno, ENOEXEC);
    assert_int_equal(id, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    unlink(name);
}

static void no_descriptor_of_ours_and_no_ignored_signal_is_passed_on(void **state)
{
    (void)state;
    struct shell shell;
    int fds[2];
    assert_int_equal(pipe(fds), 0); /* as a library may make one: not marked to be closed */
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    /* In the shell's place, and before it waits for anything: then it has signals of its own to see to. */
    run(&shell, "exec grep -E 'SigBlk|SigIgn' /proc/self/status");
    assert_string_equal(shell.said, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    run(&shell, "ls /proc/$$/fd");
    assert_string_equal(shell.said, "0\n1\n2\n");
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &blocked, NULL), 0);
    assert_true(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
    close(fds[0]);
    close(fds[1]);
}

static void a_signal_reaches_what_it_has_started_too(void **state)
{
    (void)state;
    struct shell shell;
    start(&shell, "sleep 1000 & sleep 1000 & wait", "", 0);
    env_sleep_ms(20);
    env_process_signal(shell.id, SIGTERM);
    assert_string_equal(hear(&shell), ""); /* the pipe's other ends are closed: all three are gone */
    assert_int_equal(end_of(&shell).signal, SIGTERM);
    env_process_forget(shell.id);
}

static void what_it_leaves_behind_is_killed_when_it_is_forgotten(void **state)
{
    (void)state;
    struct shell shell;
    start(&shell, "sleep 1000 & exit 0", "", 0);
    assert_int_equal(end_of(&shell).status, 0);
    assert_int_equal(end_of(&shell).status, 0); /* it can be asked for again, until then */
    struct pollfd fd = {.fd = shell.output_fd, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 0); /* somebody could still write */
    env_process_forget(shell.id);
    assert_string_equal(hear(&shell), "");
}

static void one_that_runs_can_be_forgotten(void **state)
{
    (void)state;
    struct shell shell;
    struct env_process_end end;
    start(&shell, "exec sleep 1000", "", 0);
    assert_false(env_process_ended(shell.id, &end));
    env_process_forget(shell.id);
    assert_string_equal(hear(&shell), "");
}

static void it_dies_with_whoever_started_it(void **state)
{
    (void)state;
    int read_fd, write_fd;
    assert_int_equal(env_pipe(&read_fd, &write_fd), TROUPE_OK);
    pid_t starter = fork();
    if (starter == 0) {
        char *const arguments[] = {(char *)"sleep", (char *)"1000", NULL};
        char *const environment[] = {NULL};
        const struct env_process_spec spec = {.file = "/bin/sleep",
                                              .arguments = arguments,
                                              .environment = environment,
                                              .fds = {0, write_fd, write_fd}};
        int id;
        _exit(env_process_start(&spec, &id) == TROUPE_OK ? 0 : 1);
    }
    env_fd_close(write_fd);
    int status;
    assert_int_equal(waitpid(starter, &status, 0), starter);
    assert_int_equal(status, 0);
    struct shell shell = {.output_fd = read_fd};
    assert_string_equal(hear(&shell), ""); /* would wait for a thousand seconds */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_looked_for_in_the_folders_in_their_order),
        cmocka_unit_test(what_cannot_be_run_is_none),
        cmocka_unit_test(a_name_beyond_the_limit_is_too_large),
        cmocka_unit_test(a_program_gets_its_input_and_its_environment_and_says_its_words),
        cmocka_unit_test(a_signal_that_ends_it_is_told),
        cmocka_unit_test(what_is_no_program_is_said_at_once_and_leaves_nothing),
        cmocka_unit_test(no_descriptor_of_ours_and_no_ignored_signal_is_passed_on),
        cmocka_unit_test(a_signal_reaches_what_it_has_started_too),
        cmocka_unit_test(what_it_leaves_behind_is_killed_when_it_is_forgotten),
        cmocka_unit_test(one_that_runs_can_be_forgotten),
        cmocka_unit_test(it_dies_with_whoever_started_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
