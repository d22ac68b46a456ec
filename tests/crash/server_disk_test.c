/* SPDX-License-Identifier: MIT */
/*
 * Facts about a whole server on a disk that fails, from the making of its folder to its end: a child process
 * runs `troupe serve` with the n-th call to the disk failing, and is sent messages, which are taken and done,
 * over HTTP. Either nobody notices, or the server ends by itself and says which call failed, on which file
 * and why. Then, on a disk that works, everything that it acknowledged is there, and its counts are right.
 *
 * Each run costs two starts, so not every call fails here (every one of the journal's does, in
 * tests/unit/journal_disk_faults_test.c): STRIDE says which. TROUPE_FAULT=scenario/fault/mode/n runs any one.
 * One thread here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/server.h"
#include "support/disk_faults.h"

enum {
    MESSAGES = 3,
    CALLS_MAX = 2000,
    TEXT_SIZE = 8192,
    PATH_SIZE = 128,
    ID_SIZE = 64,
    END_MS = 20000,
};

struct fault {
    const char *name;
    enum disk_fault kind;
    int error; /* 0: nobody hears of it */
    enum faults_mode mode;
    uint64_t stride; /* of an existing folder */
};

static const struct fault faults[] = {
    {"full", DISK_IS_FULL, ENOSPC, FAULTS_ON, 5},
    {"broken", DISK_IS_BROKEN, EIO, FAULTS_ONCE, 19},
    {"files", DISK_HAS_NO_FILES, EMFILE, FAULTS_ONCE, 3},
    {"sync", DISK_SYNC_FAILS, EIO, FAULTS_ONCE, 2},
    {"interrupted", DISK_IS_INTERRUPTED, 0, FAULTS_EVERY, 1},
};

/* One server, as its starter sees it. */
struct child {
    pid_t process;
    int out;
    int err;
    uint16_t port; /* 0: it does not serve */
    char said[TEXT_SIZE];
    size_t said_len;
};

static char root[64];               /* everything is in here */
static char folder[PATH_SIZE];      /* the data of this run */
static char ids[MESSAGES][ID_SIZE]; /* of the messages that were accepted; "" otherwise */
static bool are_done[MESSAGES];
static char current[128];
static bool has_failed;

/* -- the server ------------------------------------------------------------------------------------------ */

__attribute__((noreturn)) static void serve(const struct fault *fault, enum faults_mode mode, uint64_t n)
{
    const struct server_options options = {.data_dir = folder, .listen = "127.0.0.1:0", .workers = 1};
    if (fault != NULL) {
        disk_faults_install();
        disk_faults_arm(fault->kind, mode, n);
    }
    signal(SIGTERM, SIG_IGN); /* it still reads the signal, and one that comes after its end does nothing */
    troupe_status status = server_run(&options);
    /* Whether the fault came: the last line. */
    fprintf(stderr, "failed %" PRIu64 " %s\n", fault != NULL ? disk_faults_failed() : 0,
            fault != NULL ? disk_faults_what() : "");
    fflush(NULL);
    _exit(status == TROUPE_OK ? 0 : 1);
}

/* Reads what it says until it says the port, or ends. */
static void await_port(struct child *child)
{
    char text[TEXT_SIZE] = "";
    size_t len = 0;
    ssize_t got;
    while ((got = read(child->out, text + len, sizeof text - 1 - len)) > 0) {
        len += (size_t)got;
        text[len] = '\0';
        const char *found = strstr(text, "http://127.0.0.1:");
        if (found != NULL && strchr(found, '\n') != NULL) {
            child->port = (uint16_t)strtoul(found + strlen("http://127.0.0.1:"), NULL, 10);
            return;
        }
    }
}

static struct child start(const struct fault *fault, enum faults_mode mode, uint64_t n)
{
    int out[2];
    int err[2];
    struct child child = {0};
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    fflush(NULL);
    child.process = fork();
    assert_true(child.process >= 0);
    if (child.process == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        for (int i = 0; i < 2; i++) {
            close(out[i]);
            close(err[i]);
        }
        serve(fault, mode, n);
    }
    close(out[1]);
    close(err[1]);
    child.out = out[0];
    child.err = err[0];
    await_port(&child);
    return child;
}

/* Tells it to end, unless it has, and answers its exit status. */
static int stop(struct child *child)
{
    int status = 0;
    ssize_t got;
    struct pollfd waiting = {.fd = child->err, .events = POLLIN};
    kill(child->process, SIGTERM);
    while (poll(&waiting, 1, END_MS) > 0 && child->said_len < TEXT_SIZE - 1 &&
           (got = read(child->err, child->said + child->said_len, TEXT_SIZE - 1 - child->said_len)) > 0)
        child->said_len += (size_t)got;
    kill(child->process, SIGKILL); /* it has ended, or hangs */
    assert_int_equal(waitpid(child->process, &status, 0), child->process);
    close(child->out);
    close(child->err);
    if (!WIFEXITED(status))
        fail_msg("the server hung or crashed (signal %d): %s", WTERMSIG(status), child->said);
    return WEXITSTATUS(status);
}

/* -- its clients ----------------------------------------------------------------------------------------- */

static void read_token(char token[128])
{
    char path[PATH_SIZE + 8];
    snprintf(path, sizeof path, "%s/token", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(token, 128, file));
    fclose(file);
    token[strcspn(token, "\n")] = '\0';
}

/* A request for an actor, "": for the server's own user. The status, 0 when there was no whole answer. */
static int ask(const struct child *child, const char *method, const char *path, const char *as,
               const char *body, char answer[TEXT_SIZE])
{
    char token[128];
    char request[1024];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(child->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    answer[0] = '\0';
    if (child->port == 0)
        return 0;
    read_token(token);
    int len = snprintf(request, sizeof request,
                       "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s%s%s"
                       "Connection: close\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                       method, path, token, as[0] != '\0' ? "Troupe-As: " : "", as,
                       as[0] != '\0' ? "\r\n" : "", strlen(body), body);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t size = 0;
    ssize_t got = -1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, request, (size_t)len, MSG_NOSIGNAL) == (ssize_t)len)
        while ((got = read(fd, answer + size, TEXT_SIZE - 1 - size)) > 0)
            size += (size_t)got;
    close(fd);
    answer[size] = '\0';
    return got == 0 && size > 12 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

static void find_id(const char *answer, char ret_id[ID_SIZE])
{
    const char *found = strstr(answer, "\"id\":\"");
    assert_non_null(found);
    snprintf(ret_id, ID_SIZE, "%.*s", (int)strcspn(found + 6, "\""), found + 6);
}

static int send_message(const struct child *child, int number, char answer[TEXT_SIZE])
{
    char body[128];
    snprintf(body, sizeof body, "{\"to\":\"desk\",\"subject\":\"number %d\",\"key\":\"key-%d\"}", number,
             number);
    return ask(child, "POST", "/v1/send", "", body, answer);
}

/* Sends, takes and finishes; stops at the first that is not answered as it should be. */
static bool use(const struct child *child)
{
    char answer[TEXT_SIZE];
    char body[128];
    char taken[ID_SIZE];
    for (int i = 0; i < MESSAGES; i++) {
        if (send_message(child, i, answer) != 202)
            return false;
        find_id(answer, ids[i]);
        if (ask(child, "POST", "/v1/next", "worker", "{\"role\":\"desk\"}", answer) != 200)
            return false;
        find_id(answer, taken);
        assert_string_equal(taken, ids[i]);
        snprintf(body, sizeof body, "{\"id\":\"%s\"}", taken);
        if (ask(child, "POST", "/v1/done", "worker", body, answer) != 200)
            return false;
        are_done[i] = true;
    }
    return true;
}

/* On a disk that works: all that was acknowledged is there, and nothing is lost or doubled. */
static void check(void)
{
    char answer[TEXT_SIZE];
    char id[ID_SIZE];
    char path[128];
    struct child child = start(NULL, FAULTS_ONCE, 0);
    if (child.port == 0) {
        stop(&child);
        fail_msg("it does not start again: %s", child.said);
    }
    assert_int_equal(ask(&child, "GET", "/v1/check", "", "", answer), 200);
    assert_non_null(strstr(answer, "\"conserved\":true"));
    for (int i = 0; i < MESSAGES; i++) {
        if (ids[i][0] == '\0')
            continue;
        assert_int_equal(send_message(&child, i, answer), 202);
        find_id(answer, id);
        assert_string_equal(id, ids[i]);
        assert_non_null(strstr(answer, "\"duplicate\":true"));
        snprintf(path, sizeof path, "/v1/message?role=desk&id=%s", id);
        assert_int_equal(ask(&child, "GET", path, "", "", answer), 200);
        if (are_done[i])
            assert_non_null(strstr(answer, "\"state\":\"done\""));
    }
    assert_int_equal(stop(&child), 0);
}

/* -- runs ------------------------------------------------------------------------------------------------ */

static void copy_file(const char *name)
{
    char path[PATH_SIZE + 32];
    char block[4096];
    size_t size;
    snprintf(path, sizeof path, "%s/pristine/%s", root, name);
    FILE *in = fopen(path, "rb");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(in);
    assert_non_null(out);
    while ((size = fread(block, 1, sizeof block, in)) > 0)
        assert_int_equal(fwrite(block, 1, size, out), size);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void remove_data(void)
{
    static const char *const names[] = {"/token",
                                        "/token.new",
                                        "/troupe.db",
                                        "/troupe.db-wal",
                                        "/troupe.db-shm",
                                        "/troupe.db.lock",
                                        "/troupe.db.new",
                                        "/troupe.db.new-journal",
                                        ""};
    char path[PATH_SIZE + 32];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s%s", folder, names[i]);
        remove(path);
    }
    assert_int_equal(access(folder, F_OK), -1);
}

/* Serves with one fault. False: it has no such call. */
static bool run_with(const struct fault *fault, bool is_fresh, enum faults_mode mode, uint64_t n)
{
    static const char *const modes[] = {[FAULTS_ONCE] = "once", [FAULTS_ON] = "on", [FAULTS_EVERY] = "every"};
    const char *given = getenv("TROUPE_FAULT");
    snprintf(current, sizeof current, "%s/%s/%s/%" PRIu64, is_fresh ? "fresh" : "known", fault->name,
             modes[mode], n);
    if (given != NULL && strcmp(given, current) != 0)
        return true;
    snprintf(folder, sizeof folder, "%s/data", root);
    memset(ids, 0, sizeof ids);
    memset(are_done, 0, sizeof are_done);
    if (!is_fresh) {
        assert_int_equal(mkdir(folder, 0700), 0);
        copy_file("token");
        copy_file("troupe.db");
    }
    struct child child = start(fault, mode, n);
    bool is_served = !is_fresh && use(&child);
    int status = stop(&child);
    bool is_struck = strstr(child.said, "failed 0 ") == NULL;
    if (status != 0) {
        if (!is_struck || fault->error == 0 || strstr(child.said, "troupe serve: ") == NULL ||
            strstr(child.said, folder) == NULL || strstr(child.said, strerror(fault->error)) == NULL)
            fail_msg("what it said is not clear: %s", child.said);
    } else if (!is_fresh) {
        assert_true(is_served);
    }
    check();
    remove_data();
    return is_struck;
}

static void server_on_a_failing_disk_says_why_and_loses_nothing(void **state)
{
    const struct fault *fault = *state;
    if (has_failed)
        skip();
    uint64_t from = fault->mode == FAULTS_EVERY ? 2 : 1;
    /* The folder and the token; what comes after them is the journal's. */
    for (uint64_t n = from; n <= 12; n += fault->stride < 4 ? 1 : 3)
        if (!run_with(fault, true, fault->mode, n))
            break;
    uint64_t runs = 0;
    for (uint64_t n = from; n < (fault->mode == FAULTS_EVERY ? 4 : CALLS_MAX); n += fault->stride, runs++)
        if (!run_with(fault, false, fault->mode, n))
            break;
    assert_in_range(runs, 2, CALLS_MAX);
}

static int make_pristine(void **state)
{
    char answer[TEXT_SIZE];
    (void)state;
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(root, sizeof root, "%s/troupe-server-disk-XXXXXX", base);
    assert_non_null(mkdtemp(root));
    snprintf(folder, sizeof folder, "%s/pristine", root);
    struct child child = start(NULL, FAULTS_ONCE, 0);
    assert_int_equal(
        ask(&child, "POST", "/v1/actors", "", "{\"name\":\"worker\",\"kind\":\"program\"}", answer), 201);
    assert_int_equal(ask(&child, "POST", "/v1/roles", "", "{\"name\":\"root\",\"team\":true}", answer), 201);
    assert_int_equal(
        ask(&child, "POST", "/v1/roles", "", "{\"name\":\"desk\",\"holders\":[\"worker\"]}", answer), 201);
    return stop(&child);
}

static int remove_pristine(void **state)
{
    (void)state;
    if (has_failed)
        return 0;
    snprintf(folder, sizeof folder, "%s/pristine", root);
    remove_data();
    return rmdir(root);
}

static int say_how_to_replay(void **state)
{
    (void)state;
    if (access(folder, F_OK) == 0) {
        print_error("replay: TROUPE_FAULT=%s ./test crash_server_disk_test; data: %s\n", current, folder);
        has_failed = true; /* the data stays, and nothing more is tried */
    }
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[sizeof faults / sizeof faults[0]];
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        tests[i] = (struct CMUnitTest){
            .name = faults[i].name,
            .test_func = server_on_a_failing_disk_says_why_and_loses_nothing,
            .teardown_func = say_how_to_replay,
            .initial_state = (void *)(uintptr_t)&faults[i],
        };
    return cmocka_run_group_tests(tests, make_pristine, remove_pristine);
}
