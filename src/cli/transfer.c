/* SPDX-License-Identifier: MIT */
/*
 * transfer.c: see transfer.h. The handle is kept between requests, so that libcurl keeps its connection.
 */
#include "cli/transfer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/text.h"

struct transfer {
    const struct settings *settings;
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    struct buffer answer;
    long limit_ms;
    char error[CURL_ERROR_SIZE];
};

static size_t receive(char *bytes, size_t unit, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t size = unit * count;
    if (size > TRANSFER_ANSWER_MAX - transfer->answer.size)
        return 0;
    return buffer_append(&transfer->answer, bytes, size) == TROUPE_OK ? size : 0;
}

struct transfer *transfer_new(const struct settings *settings)
{
    struct transfer *transfer = text_must(calloc(1, sizeof *transfer));
    transfer->settings = settings;
    transfer->easy = text_must(curl_easy_init());
    buffer_init(&transfer->answer);
    return transfer;
}

void transfer_free(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    buffer_done(&transfer->answer);
    free(transfer->body);
    free(transfer);
}

static void add_header(struct transfer *transfer, const char *name, const char *value)
{
    char line[SETTINGS_TOKEN_MAX + 64];
    snprintf(line, sizeof line, "%s%s", name, value);
    transfer->headers = text_must(curl_slist_append(transfer->headers, line));
}

static void set_headers(struct transfer *transfer, const struct client_request *request)
{
    const char *as = request->as != NULL ? request->as : transfer->settings->as;
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    add_header(transfer, "Authorization: Bearer ", transfer->settings->token);
    add_header(transfer, "Accept: application/json", "");
    /* Without this libcurl asks first and waits before it sends a large body. */
    add_header(transfer, "Expect:", "");
    if (as != NULL)
        add_header(transfer, "Troupe-As: ", as);
    if (request->body != NULL)
        add_header(transfer, "Content-Type: application/json", "");
    else if (request->text != NULL)
        add_header(transfer, "Content-Type: text/plain; charset=utf-8", "");
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_body(struct transfer *transfer, const struct client_request *request)
{
    const char *bytes = request->text != NULL ? request->text : "";
    size_t size = request->text_size;
    free(transfer->body);
    transfer->body = NULL;
    if (strcmp(request->method, "POST") != 0)
        return;
    if (request->body != NULL) {
        transfer->body = text_must(json_dumps(request->body, JSON_COMPACT | JSON_ENCODE_ANY));
        bytes = transfer->body;
        size = strlen(bytes);
    }
    curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    if (transfer->body != NULL)
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, bytes);
    else
        curl_easy_setopt(transfer->easy, CURLOPT_COPYPOSTFIELDS, bytes);
}

CURL *transfer_begin(struct transfer *transfer, const struct client_request *request)
{
    CURL *easy = transfer->easy;
    char url[SETTINGS_URL_MAX + TRANSFER_PATH_MAX];
    assert(strlen(request->path) < TRANSFER_PATH_MAX);
    snprintf(url, sizeof url, "%s%s", transfer->settings->url, request->path);
    buffer_clear(&transfer->answer);
    transfer->error[0] = '\0';
    transfer->limit_ms = (long)(TRANSFER_ANSWER_MS + request->wait_ms);
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (transfer->settings->is_local)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)TRANSFER_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, transfer->limit_ms);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    set_headers(transfer, request);
    set_body(transfer, request);
    return easy;
}

/* The server did not answer: in words, and whether that is its absence or a stranger at its address. */
static void explain(const struct transfer *transfer, CURLcode code, struct client_answer *answer)
{
    const char *url = transfer->settings->url;
    const char *error = transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code);
    bool is_stranger = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY;
    answer->outcome = CLI_UNREACHABLE;
    if (code == CURLE_WRITE_ERROR) {
        answer->outcome = CLI_PROTOCOL;
        snprintf(answer->trouble, sizeof answer->trouble, "%s answers with more than %d MiB", url,
                 TRANSFER_ANSWER_MAX >> 20);
    } else if (is_stranger) {
        answer->outcome = CLI_PROTOCOL;
        snprintf(answer->trouble, sizeof answer->trouble, "%s does not speak HTTP: %s", url, error);
    } else if (code == CURLE_COULDNT_CONNECT) {
        snprintf(answer->trouble, sizeof answer->trouble,
                 "nobody answers at %s: is `troupe serve` running there? (%s)", url, error);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        snprintf(answer->trouble, sizeof answer->trouble, "no answer from %s within %ld s", url,
                 transfer->limit_ms / 1000);
    } else {
        snprintf(answer->trouble, sizeof answer->trouble, "lost the connection to %s: %s", url, error);
    }
}

void transfer_end(struct transfer *transfer, CURLcode code, struct client_answer *ret_answer)
{
    long connects = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    *ret_answer = (struct client_answer){.outcome = CLI_OK, .is_new_connection = connects > 0};
    if (code != CURLE_OK) {
        explain(transfer, code, ret_answer);
        return;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &ret_answer->status);
    if (ret_answer->status == 204)
        return;
    json_error_t error;
    ret_answer->json = json_loadb((const char *)transfer->answer.bytes, transfer->answer.size,
                                  JSON_REJECT_DUPLICATES, &error);
    if (ret_answer->json == NULL) {
        ret_answer->outcome = CLI_PROTOCOL;
        snprintf(ret_answer->trouble, sizeof ret_answer->trouble,
                 "%s answers with status %ld and something that is not JSON: %s", transfer->settings->url,
                 ret_answer->status, error.text);
    }
}

char *transfer_path(const char *path, ...)
{
    char *whole = NULL;
    size_t size = 0;
    FILE *stream = text_must(open_memstream(&whole, &size));
    fputs(path, stream);
    char mark = '?';
    va_list pairs;
    va_start(pairs, path);
    const char *name;
    while ((name = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        if (value == NULL)
            continue;
        char *escaped = text_must(curl_easy_escape(NULL, value, 0));
        fprintf(stream, "%c%s=%s", mark, name, escaped);
        curl_free(escaped);
        mark = '&';
    }
    va_end(pairs);
    if (fclose(stream) != 0)
        text_must(NULL);
    return whole;
}
