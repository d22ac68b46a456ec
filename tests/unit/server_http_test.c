/* SPDX-License-Identifier: MIT */
/*
 * server_http_test.c: the http actor on a real socket, with a directory of this test's making: what is served
 * without a token, what is refused and how, and that nothing a client does holds up another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <troupe.h>

#include "server/address.h"
#include "server/http.h"
#include "server/messages.h"
#include "server/scope.h"
#include "server/token.h"

#define ANSWER_SIZE (1 << 20)
#define WAIT_MS 10000
#define IDLE_MS 2000

static troupe_system *troupe;
static troupe_ref http;
static struct ids ids;
static unsigned port;
static int listen_fd;
static char answer[ANSWER_SIZE];

/* --- a directory that knows the token "good", and answers later than at once ------------------ */

struct registry {
    troupe_asker askers[64]; /* a ring: they are answered in the order of their timers */
    uint32_t asked;
    uint32_t answered;
};

static troupe_status registry_receive(troupe_self *self, const troupe_message *message)
{
    struct registry *registry = troupe_state(self);
    const caller_check *check = caller_check_of(message);
    if (check != NULL) {
        unsigned char good[TOKEN_HASH_SIZE];
        token_hash("good", 4, good);
        troupe_bytes hash = troupe_bytes_of(message, check->hash);
        if (hash.size == TOKEN_HASH_SIZE && memcmp(hash.data, good, TOKEN_HASH_SIZE) == 0)
            return troupe_reply(self, troupe_asker_of(message), caller_known, .actor = "ann", .wip_limit = 1,
                                .scopes = SCOPE_ALL);
        return troupe_reply(self, troupe_asker_of(message), denied, .kind = PROBLEM_UNAUTHORIZED,
                            .detail = "the token is not known");
    }
    if (directory_who_of(message) != NULL && registry->asked - registry->answered < 64) {
        registry->askers[registry->asked++ % 64] = troupe_asker_of(message);
        return troupe_timer_start(self, 20, 0, 0, NULL);
    }
    if (troupe_timeout_of(message) != NULL) {
        static const char json[] = "{\"actor\":\"ann\"}";
        troupe_asker asker = registry->askers[registry->answered++ % 64];
        return troupe_reply(self, asker, answered, .status = 200, .json = {json, sizeof json - 1});
    }
    return TROUPE_UNEXPECTED;
}

static const troupe_behaviour registry = {
    .name = "registry", .state_size = sizeof(struct registry), .receive = registry_receive};

static int start(void **state)
{
    (void)state;
    char url[ADDRESS_TEXT_SIZE];
    char why[ADDRESS_TEXT_SIZE];
    if (sodium_init() < 0 || address_listen("127.0.0.1:0", &listen_fd, url, why) != TROUPE_OK)
        return -1;
    sscanf(url, "http://127.0.0.1:%u", &port);
    if (troupe_start(&troupe, NULL) != TROUPE_OK)
        return -1;
    struct http initial = {.ids = &ids, .listen_fd = listen_fd, .idle_ms = IDLE_MS};
    troupe_spawn(troupe, &registry, &(troupe_spawn_options){.name = NAME_DIRECTORY});
    http = troupe_spawn(troupe, &http_behaviour, &(troupe_spawn_options){.state = &initial});
    return troupe_ref_is_none(http) ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    int status = troupe_stop(&troupe);
    close(listen_fd);
    return status;
}

/* --- a client --------------------------------------------------------------------------------- */

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server has answered and closed: what it said is still there to be read */
        at += sent;
        size -= (size_t)sent;
    }
}

/* Reads until the server closes, or until the body that Content-Length announces is complete. */
static const char *hear(int fd)
{
    size_t size = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
        ssize_t got = recv(fd, answer + size, sizeof answer - size - 1, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
        answer[size] = '\0';
        const char *body = strstr(answer, "\r\n\r\n");
        const char *length = strstr(answer, "Content-Length: ");
        if (body != NULL && length != NULL &&
            size >= (size_t)(body + 4 - answer) + strtoul(length + strlen("Content-Length: "), NULL, 10))
            break;
    }
    answer[size] = '\0';
    return answer;
}

static const char *ask(const char *request)
{
    int fd = dial();
    say(fd, request, strlen(request));
    hear(fd);
    close(fd);
    return answer;
}

static void expect(const char *request, const char *status_line, const char *part)
{
    ask(request);
    if (strncmp(answer, status_line, strlen(status_line)) != 0 || strstr(answer, part) == NULL)
        fail_msg("asked:\n%s\nexpected %s ... %s, got:\n%s", request, status_line, part, answer);
}

/* --- facts ------------------------------------------------------------------------------------ */

static void the_page_is_served_without_a_token_and_with_its_guards(void **state)
{
    (void)state;
    expect("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "<div id=\"app\">");
    static const char *const guards[] = {
        "Content-Security-Policy: default-src 'none'; script-src 'self'", "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY", "Referrer-Policy: no-referrer", "Content-Type: text/html; charset=utf-8"};
    for (size_t i = 0; i < sizeof guards / sizeof guards[0]; i++)
        assert_non_null(strstr(answer, guards[i]));
    expect("GET /main.js HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "text/javascript");
    expect("HEAD /style.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "text/css");
}

static void an_asset_that_is_known_is_not_sent_again(void **state)
{
    (void)state;
    ask("GET /main.js HTTP/1.1\r\nHost: x\r\n\r\n");
    char tag[64];
    char request[256];
    assert_int_equal(sscanf(strstr(answer, "ETag: "), "ETag: %63s", tag), 1);
    snprintf(request, sizeof request,
             "GET /main.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: %s\r\n\r\n", tag);
    expect(request, "HTTP/1.1 304", tag);
}

static void health_needs_no_token(void **state)
{
    (void)state;
    expect("GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200", "{\"status\":\"ok\",\"uptime_ms\":");
}

static void unknown_paths_and_methods_are_named(void **state)
{
    (void)state;
    expect("GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404", "there is nothing at /v1/nothing");
    expect("GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404", "application/problem+json");
    expect("GET /v1/send HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405", "Allow: POST");
    expect("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405", "Allow: GET");
}

static void without_a_good_token_there_is_401(void **state)
{
    (void)state;
    expect("GET /v1/whoami HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 401", "WWW-Authenticate: Bearer");
    expect("GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\n\r\n", "HTTP/1.1 401",
           "urn:troupe:problem:unauthorized");
    expect("GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer bad\r\n\r\n", "HTTP/1.1 401",
           "the token is not known");
    /* Before the body: the client has announced one and sent nothing of it. */
    expect("POST /v1/send HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", "HTTP/1.1 401",
           "Bearer TOKEN");
}

static void what_an_actor_answers_later_comes_back(void **state)
{
    (void)state;
    expect("GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n", "HTTP/1.1 200",
           "{\"actor\":\"ann\"}");
    assert_non_null(strstr(answer, "Cache-Control: no-store"));
}

static void requests_on_one_connection_are_answered_in_order(void **state)
{
    (void)state;
    int fd = dial();
    static const char two[] = "GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n"
                              "GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    say(fd, two, sizeof two - 1);
    hear(fd);
    assert_non_null(strstr(answer, "\"actor\":\"ann\""));
    if (strstr(answer, "uptime_ms") == NULL)
        assert_non_null(strstr(hear(fd), "uptime_ms"));
    close(fd);
}

static void an_administrators_call_is_refused_to_others(void **state)
{
    (void)state;
    expect("GET /v1/actors HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n", "HTTP/1.1 403",
           "only an administrator");
}

static void a_body_over_the_limit_is_refused_unread(void **state)
{
    (void)state;
    char request[256];
    snprintf(request, sizeof request,
             "POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: %zu\r\n\r\n",
             REQUEST_BODY_MAX + 1);
    expect(request, "HTTP/1.1 413", "urn:troupe:problem:too-large");
}

static void a_body_that_grows_over_the_limit_is_refused(void **state)
{
    (void)state;
    int fd = dial();
    static const char head[] = "POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    say(fd, head, sizeof head - 1);
    size_t size = 1 << 20;
    char *chunk = malloc(size + 16);
    assert_non_null(chunk);
    int lead = snprintf(chunk, 16, "%zx\r\n", size);
    memset(chunk + lead, ' ', size);
    memcpy(chunk + lead + size, "\r\n", 2);
    for (int i = 0; i < 9; i++)
        say(fd, chunk, (size_t)lead + size + 2);
    say(fd, "0\r\n\r\n", 5);
    free(chunk);
    assert_int_equal(strncmp(hear(fd), "HTTP/1.1 413", 12), 0);
    close(fd);
}

static void a_body_of_exactly_the_limit_is_read(void **state)
{
    (void)state;
    int fd = dial();
    char head[256];
    int size = snprintf(
        head, sizeof head,
        "POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: %zu\r\n\r\n",
        REQUEST_BODY_MAX);
    say(fd, head, (size_t)size);
    char *body = malloc(REQUEST_BODY_MAX);
    assert_non_null(body);
    memset(body, ' ', REQUEST_BODY_MAX);
    say(fd, body, REQUEST_BODY_MAX);
    free(body);
    hear(fd);
    assert_int_equal(strncmp(answer, "HTTP/1.1 400", 12),
                     0); /* white space is no JSON, and it was looked at */
    close(fd);
}

static void malformed_bodies_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *detail;
    } cases[] = {
        {"", "the request has no body"},
        {"{", "not JSON: line 1"},
        {"[]", "the array is empty"},
        {"7", "not JSON"},
        {"{\"to\":\"docs\"}", "\\\"subject\\\" is missing"},
        {"{\"to\":\"No Role\",\"subject\":\"s\"}", "\\\"to\\\" must be the name of a role"},
        {"{\"to\":\"docs\",\"subject\":\"s\",\"class\":\"soon\"}", "must be one of bulk, normal, urgent"},
        {"{\"to\":\"docs\",\"subject\":\"s\",\"bdy\":\"x\"}", "\\\"bdy\\\" is not a member"},
        {"{\"to\":\"docs\",\"subject\":\"s\",\"in_reply_to\":\"x\"}", "must be the id of a message"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[512];
        snprintf(request, sizeof request,
                 "POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 strlen(cases[i].body), cases[i].body);
        expect(request, "HTTP/1.1 400", cases[i].detail);
    }
}

static void each_call_of_a_batch_has_its_own_status(void **state)
{
    (void)state;
    static const char body[] = "[{\"subject\":\"s\"},5]";
    char request[512];
    snprintf(request, sizeof request,
             "POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             sizeof body - 1, body);
    expect(request, "HTTP/1.1 200", "[{\"status\":400,\"answer\":{\"type\":\"urn:troupe:problem:malformed\"");
    assert_non_null(strstr(answer, "\\\"to\\\" is missing"));
    assert_non_null(strstr(answer, "the body must be a JSON object"));
}

static void a_batch_over_the_limit_is_refused_whole(void **state)
{
    (void)state;
    char body[4 * (REQUEST_CALLS_MAX + 1) + 2] = "[";
    for (int i = 0; i <= REQUEST_CALLS_MAX; i++)
        memcpy(body + 1 + 3 * (size_t)i, i < REQUEST_CALLS_MAX ? "{}," : "{}]", 4);
    char request[1024];
    snprintf(request, sizeof request,
             "POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    expect(request, "HTTP/1.1 413", "the array has 101 elements; 100 are the most");
}

static void a_get_with_a_body_is_refused(void **state)
{
    (void)state;
    expect("GET /v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 400",
           "takes no body");
}

static void garbage_ends_its_connection_and_no_other(void **state)
{
    (void)state;
    static const char *const garbage[] = {"\r\n\r\n\r\n",
                                          "GET\r\n\r\n",
                                          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                          "GET / HTTP/9.9\r\n\r\n",
                                          "GET /v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
                                          "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                                          "GET / HTTP/1.1\r\nHost: x\r\n: \r\n\r\n"};
    static const char request[] = "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n";
    int bystander = dial();
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        int fd = dial();
        say(fd, garbage[i], strlen(garbage[i]));
        shutdown(fd, SHUT_WR);
        hear(fd);
        close(fd);
        /* After each, so that the bystander itself is never idle for long. */
        say(bystander, request, sizeof request - 1);
        assert_int_equal(strncmp(hear(bystander), "HTTP/1.1 200", 12), 0);
    }
    close(bystander);
}

static void a_client_that_leaves_while_it_is_waited_for_harms_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = dial();
        static const char request[] =
            "GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n";
        say(fd, request, sizeof request - 1);
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(fd);
    }
    what_an_actor_answers_later_comes_back(state);
}

/* A byte now and then keeps the connection busy, but not beyond the time that a whole request may take. */
static void a_client_that_dribbles_is_disconnected(void **state)
{
    (void)state;
    int fd = dial();
    static const char request[] = "GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    say(fd, request, sizeof request - 1);
    int tries = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    for (; tries < 100 && poll(&ready, 1, 50) == 0; tries++)
        say(fd, "x", 1);
    assert_in_range(tries, IDLE_MS / 50 / 2, 99);
    char byte;
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

/* Last: after it nobody is listened to. */
static void a_stop_lets_what_is_under_way_end(void **state)
{
    (void)state;
    int fd = dial();
    static const char request[] = "GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n";
    say(fd, request, sizeof request - 1);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 10), 0); /* it is with the directory */
    troupe_message *reply = NULL;
    assert_int_equal(troupe_call(troupe, http, WAIT_MS, &reply, http_stop), TROUPE_OK);
    assert_non_null(http_stopped_of(reply));
    troupe_message_free(troupe, &reply);
    assert_non_null(strstr(hear(fd), "{\"actor\":\"ann\"}"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_served_without_a_token_and_with_its_guards),
        cmocka_unit_test(an_asset_that_is_known_is_not_sent_again),
        cmocka_unit_test(health_needs_no_token),
        cmocka_unit_test(unknown_paths_and_methods_are_named),
        cmocka_unit_test(without_a_good_token_there_is_401),
        cmocka_unit_test(what_an_actor_answers_later_comes_back),
        cmocka_unit_test(requests_on_one_connection_are_answered_in_order),
        cmocka_unit_test(an_administrators_call_is_refused_to_others),
        cmocka_unit_test(a_body_over_the_limit_is_refused_unread),
        cmocka_unit_test(a_body_that_grows_over_the_limit_is_refused),
        cmocka_unit_test(a_body_of_exactly_the_limit_is_read),
        cmocka_unit_test(malformed_bodies_are_named),
        cmocka_unit_test(each_call_of_a_batch_has_its_own_status),
        cmocka_unit_test(a_batch_over_the_limit_is_refused_whole),
        cmocka_unit_test(a_get_with_a_body_is_refused),
        cmocka_unit_test(garbage_ends_its_connection_and_no_other),
        cmocka_unit_test(a_client_that_leaves_while_it_is_waited_for_harms_nobody),
        cmocka_unit_test(a_client_that_dribbles_is_disconnected),
        cmocka_unit_test(a_stop_lets_what_is_under_way_end),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
