/* SPDX-License-Identifier: MIT */
/*
 * client.c: how a verb asks the server: one request, one answer, waiting for it; and what an answer that is a
 * refusal means for the person who asked. Declared in cli.h, stands on transfer.h.
 *
 * Place: between a verb and the wire. One thread; blocks as long as the request may take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/text.h"
#include "cli/transfer.h"

/* A refusal with its reason: the detail says it best, then the title, then the number. */
enum cli_exit cli_explain_problem(const json_t *problem, long status, char *ret_text)
{
    const char *reason = json_string_value(json_object_get(problem, "detail"));
    if (reason == NULL)
        reason = json_string_value(json_object_get(problem, "title"));
    int length = reason != NULL
                     ? snprintf(ret_text, CLI_PROBLEM_MAX, "%s", reason)
                     : snprintf(ret_text, CLI_PROBLEM_MAX, "the server answers with status %ld", status);
    const json_t *retry = json_object_get(problem, "retry_after_ms");
    if (json_is_integer(retry) && length > 0 && length < CLI_PROBLEM_MAX) {
        char wait[TEXT_TIME_MAX];
        snprintf(ret_text + length, (size_t)(CLI_PROBLEM_MAX - length), "; try again in %s",
                 text_duration(json_integer_value(retry), wait));
    }
    switch (status) {
    case 401:
    case 403:
        return CLI_NOT_ALLOWED;
    case 429:
    case 503:
        return CLI_AGAIN;
    default:
        return CLI_FAILED;
    }
}

static bool is_full(const json_t *problem)
{
    const char *type = json_string_value(json_object_get(problem, "type"));
    return type != NULL && strcmp(type, "urn:troupe:problem:full") == 0;
}

static enum cli_exit explain_answer(const struct cli *cli, const struct client_request *request,
                                    struct client_answer *answer, json_t **ret_answer)
{
    if (answer->outcome == CLI_UNREACHABLE && request->is_known_away)
        return answer->outcome;
    if (answer->outcome != CLI_OK)
        return cli_fail(cli, answer->outcome, "%s", answer->trouble);
    if (answer->status >= 200 && answer->status < 300) {
        *ret_answer = answer->json;
        return CLI_OK;
    }
    char text[CLI_PROBLEM_MAX];
    enum cli_exit ending = cli_explain_problem(answer->json, answer->status, text);
    bool is_said = ending == CLI_AGAIN && request->is_known_away;
    const char *more = is_full(answer->json) ? request->if_full : NULL;
    if (cli->json && answer->json != NULL && !is_said)
        cli_print_json(answer->json);
    json_decref(answer->json);
    if (is_said)
        return ending;
    return cli_fail(cli, ending, "%s%s%s", text, more != NULL ? "; " : "", more != NULL ? more : "");
}

enum cli_exit cli_call(const struct cli *cli, const struct client_request *request, json_t **ret_answer)
{
    struct settings settings;
    enum cli_exit ending = settings_read(cli, &settings);
    if (ending != CLI_OK)
        return ending;
    if (strlen(request->path) >= TRANSFER_PATH_MAX)
        return cli_fail(cli, CLI_FAILED, "the request is longer than %d bytes", TRANSFER_PATH_MAX - 1);
    struct transfer *transfer = transfer_new(&settings);
    CURL *easy = transfer_begin(transfer, request);
    struct client_answer answer;
    transfer_end(transfer, curl_easy_perform(easy), &answer);
    transfer_free(transfer);
    return explain_answer(cli, request, &answer, ret_answer);
}
