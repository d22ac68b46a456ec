/* SPDX-License-Identifier: MIT */
/*
 * webhook.c: `troupe webhook`: gives one message, read from standard input, to an address by POST, signed by
 * Standard Webhooks, and ends as `troupe work` wants a command to end. So `troupe work ROLE -- troupe webhook
 * URL` makes whatever answers at that address an actor: one message at a time, its lease renewed meanwhile,
 * what fails tried again with the same id or escalated by the role's rules, and no end told twice.
 *
 *     2xx                          done: the answer's text is the reply
 *     429, 503 with Retry-After    deferred for so long
 *     410                          nothing more is wanted there: the message goes back, and work ends
 *     any other, a redirect too    failed, which is a crash
 *     no answer in time            the same
 *
 * What is wrong with the address, the secret or an option ends the work too: no message is spent on it.
 *
 * The secret is in the environment, never in the journal or on a command line: the server keeps no secret
 * that it would have to be able to read. What is said, and kept with a crash, names the address's host alone:
 * the rest of it may be a secret as well.
 *
 * Place: the outermost step, beyond `troupe work`; on the other end is somebody else's program. One thread.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/webhook_sign.h"

enum {
    WEBHOOK_TIMEOUT,
    WEBHOOK_COUNT,
};

enum {
    TIMEOUT_S_DEFAULT = 30,
    TIMEOUT_S_MAX = 3600,
    CONNECT_MS = 10000,
    MS_PER_S = 1000,
    ID_LEN_MAX = 64,
    HEADER_SIZE = WEBHOOK_SIGNATURES_SIZE + 64,
    SHOWN_MAX = 200, /* bytes of an answer that are shown when it is no good */
    HOST_SIZE = 300, /* with the scheme; DNS allows a name of 253 */
};

static const struct cli_option options[] = {
    [WEBHOOK_TIMEOUT] = {"timeout", 't', "SECONDS", "how long an answer may take; 30"},
    [WEBHOOK_COUNT] = {0},
};

/* One push: the message, as it is sent, and what came back. */
struct push {
    const struct cli *cli;
    const char *url;
    char host[HOST_SIZE]; /* what is shown of it: "https://example.org:8443" */
    const char *id;
    char *body;
    int64_t timeout_ms;
    struct webhook_secrets secrets;
    struct buffer answer; /* its first CLI_BODY_MAX bytes */
    bool is_cut;
    long status;
    int64_t retry_after_s; /* 0: not said */
    char error[CURL_ERROR_SIZE];
};

/* --- what is sent ------------------------------------------------------------------------------- */

/* An id goes into a header, so it is letters and digits. */
static bool is_id(const char *id)
{
    size_t length = id == NULL ? 0 : strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz");
    return length > 0 && length <= ID_LEN_MAX && id[length] == '\0';
}

/* "2026-01-31T16:00:00.000Z" */
static json_t *time_text(int64_t unix_ms)
{
    char text[64];
    char whole[32];
    time_t seconds = (time_t)(unix_ms / MS_PER_S);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL)
        return json_string("");
    strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, sizeof text, "%s.%03dZ", whole, (int)(unix_ms % MS_PER_S));
    return json_string(text);
}

/* Reads the message; its id is borrowed from it. */
static enum cli_exit read_message(struct push *push, json_t **ret_message)
{
    char *bytes;
    size_t size;
    json_error_t error;
    enum cli_exit ending = cli_read_input(push->cli, "-", CLI_INPUT_MAX, &bytes, &size);
    if (ending != CLI_OK)
        return ending;
    json_t *message = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
    free(bytes);
    push->id = json_string_value(json_object_get(message, "id"));
    if (!is_id(push->id) || !json_is_integer(json_object_get(message, "sent"))) {
        json_decref(message);
        return cli_fail(push->cli, CLI_DATA, "standard input is no message as `troupe work` gives one");
    }
    int64_t sent_ms = json_integer_value(json_object_get(message, "sent"));
    json_t *whole = text_must(json_pack("{s:s, s:o, s:O}", "type", "troupe.message", "timestamp",
                                        text_must(time_text(sent_ms < 0 ? 0 : sent_ms)), "data", message));
    push->body = text_must(json_dumps(whole, JSON_COMPACT));
    json_decref(whole);
    *ret_message = message;
    return CLI_OK;
}

/* --- sending ------------------------------------------------------------------------------------ */

/* All of it is read, so that the other side is not told of an error; what is beyond a reply is dropped. */
static size_t receive(char *bytes, size_t unit, size_t count, void *context)
{
    struct push *push = context;
    size_t size = unit * count;
    size_t room = CLI_BODY_MAX - push->answer.size;
    if (size > room)
        push->is_cut = true;
    if (buffer_append(&push->answer, bytes, size < room ? size : room) != TROUPE_OK)
        text_must(NULL);
    return size;
}

static struct curl_slist *headers_of(const struct push *push)
{
    char signatures[WEBHOOK_SIGNATURES_SIZE];
    char line[HEADER_SIZE];
    struct curl_slist *headers = NULL;
    int64_t now_s = push->cli->now_ms / MS_PER_S;
    webhook_sign(&push->secrets, push->id, now_s, push->body, strlen(push->body), signatures);
    headers = text_must(curl_slist_append(headers, "Content-Type: application/json"));
    headers = text_must(curl_slist_append(headers, "User-Agent: troupe"));
    headers = text_must(curl_slist_append(headers, "Expect:"));
    snprintf(line, sizeof line, "webhook-id: %s", push->id);
    headers = text_must(curl_slist_append(headers, line));
    snprintf(line, sizeof line, "webhook-timestamp: %" PRId64, now_s);
    headers = text_must(curl_slist_append(headers, line));
    snprintf(line, sizeof line, "webhook-signature: %s", signatures);
    return text_must(curl_slist_append(headers, line));
}

/* Sends it and waits for the answer; false: there is none, and `error` says why. */
static bool send_message(struct push *push)
{
    CURL *easy = text_must(curl_easy_init());
    struct curl_slist *headers = headers_of(push);
    curl_off_t retry_after_s = 0;
    curl_easy_setopt(easy, CURLOPT_URL, push->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L); /* what is signed for one is not for another */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)push->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, push->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, push);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(push->body));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, push->body);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &push->status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    push->retry_after_s = (int64_t)retry_after_s;
    if (code != CURLE_OK && push->error[0] == '\0')
        snprintf(push->error, sizeof push->error, "%s", curl_easy_strerror(code));
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return code == CURLE_OK;
}

/* --- what came of it ---------------------------------------------------------------------------- */

/* The answer as text; NULL: it is none, or too long for a reply. */
static const char *text_of(struct push *push)
{
    if (buffer_append(&push->answer, "", 1) != TROUPE_OK)
        text_must(NULL);
    const char *text = (const char *)push->answer.bytes;
    bool is_text = strlen(text) + 1 == push->answer.size && text_is_utf8(text);
    return is_text && !push->is_cut ? text : NULL;
}

/* What `troupe work` reads of it, or all of it as JSON. A terminal is shown somebody else's text. */
static void print_answer(const struct push *push, const char *reply)
{
    if (push->cli->json) {
        json_t *whole = text_must(json_pack("{s:i, s:s?}", "status", (int)push->status, "reply", reply));
        cli_print_json(whole);
        json_decref(whole);
    } else if (reply != NULL && isatty(STDOUT_FILENO)) {
        output_body(reply);
    } else if (reply != NULL) {
        fputs(reply, stdout);
    }
}

static enum cli_exit judge(struct push *push)
{
    const char *text = text_of(push);
    bool is_done = push->status >= 200 && push->status < 300;
    bool is_later = (push->status == 429 || push->status == 503) && push->retry_after_s > 0;
    if (is_done && text == NULL)
        cli_say(push->cli, "its answer is no text of at most %d bytes, and so is no reply", CLI_BODY_MAX);
    if (is_done || push->cli->json)
        print_answer(push, text);
    if (is_done)
        return CLI_OK;
    if (is_later) {
        if (!push->cli->json)
            printf("%" PRId64 "s\n", push->retry_after_s);
        return cli_fail(push->cli, CLI_AGAIN, "%s wants it in %" PRId64 " s", push->host,
                        push->retry_after_s);
    }
    if (push->status == 410)
        return cli_fail(push->cli, CLI_UNFIT, "%s is gone: nothing more is wanted there", push->host);
    int shown = text == NULL ? 0 : (int)strcspn(text, "\n");
    return cli_fail(push->cli, CLI_FAILED, "%s answers with status %ld%s%.*s", push->host, push->status,
                    shown > 0 ? ": " : "", shown < SHOWN_MAX ? shown : SHOWN_MAX, text == NULL ? "" : text);
}

/* --- the verb ----------------------------------------------------------------------------------- */

/* False: it is no address. Read by libcurl, as it will be when it is posted to. */
static bool read_host(struct push *push)
{
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    CURLU *url = text_must(curl_url());
    bool is_url = curl_url_set(url, CURLUPART_URL, push->url, 0) == CURLUE_OK &&
                  curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                  curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                  (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);
    if (is_url) {
        bool has_port = curl_url_get(url, CURLUPART_PORT, &port, 0) == CURLUE_OK;
        snprintf(push->host, sizeof push->host, "%s://%s%s%s", scheme, host, has_port ? ":" : "",
                 has_port ? port : "");
    }
    curl_free(port);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(url);
    return is_url;
}

static enum cli_exit read_setup(struct push *push)
{
    const struct cli *cli = push->cli;
    const char *timeout = cli->values[WEBHOOK_TIMEOUT];
    const char *secrets = getenv("TROUPE_WEBHOOK_SECRET");
    int64_t timeout_s = TIMEOUT_S_DEFAULT;
    if (!read_host(push))
        return cli_fail(cli, CLI_UNFIT, "'%s': an address has the form https://HOST/PATH", push->url);
    if (timeout != NULL && !text_read_number(timeout, 1, TIMEOUT_S_MAX, &timeout_s))
        return cli_fail(cli, CLI_UNFIT, "--timeout '%s': write whole seconds, 1 to %d", timeout,
                        TIMEOUT_S_MAX);
    push->timeout_ms = timeout_s * MS_PER_S;
    const char *problem = webhook_read_secrets(secrets != NULL ? secrets : "", &push->secrets);
    if (problem != NULL)
        return cli_fail(cli, CLI_UNFIT, "TROUPE_WEBHOOK_SECRET: %s", problem);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    struct push push = {.cli = cli, .url = cli->operands[0]};
    json_t *message = NULL;
    buffer_init(&push.answer);
    enum cli_exit ending = read_setup(&push);
    if (ending == CLI_OK)
        ending = read_message(&push, &message);
    if (ending == CLI_OK)
        ending = send_message(&push) ? judge(&push)
                                     : cli_fail(cli, CLI_UNREACHABLE, "%s: %s", push.host, push.error);
    json_decref(message);
    free(push.body);
    buffer_done(&push.answer);
    return ending;
}

const struct cli_verb verb_webhook = {
    .name = "webhook",
    .operands = "URL",
    .summary = "give a message to a web address, signed",
    .details =
        "For `troupe work ROLE -- troupe webhook URL`: the message on standard input is posted to URL,\n"
        "signed by Standard Webhooks with the secret (whsec_...) in TROUPE_WEBHOOK_SECRET. 2xx is done,\n"
        "with the answer as the reply; 429 or 503 with Retry-After defers; 410 ends the work; anything\n"
        "else is a crash.",
    .options = options,
    .operand_count_min = 1,
    .operand_count_max = 1,
    .run = run,
};
