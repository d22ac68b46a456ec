/* SPDX-License-Identifier: MIT */
/*
 * problem.c: the table behind problem.h, and how a problem becomes JSON. Stateless; any thread.
 */
#include "server/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/messages.h"

struct kind_row {
    unsigned http;
    const char *type;
    const char *title;
};

static const struct kind_row kinds[PROBLEM_KIND_COUNT] = {
#define PROBLEM_ROW(name, http, type, title) {http, "urn:troupe:problem:" type, title},
    PROBLEM_LIST(PROBLEM_ROW)
#undef PROBLEM_ROW
};

unsigned problem_http_status(enum problem_kind kind)
{
    return kinds[kind].http;
}

/*
 * A detail may quote a caller's text. Cutting it inside a character would make the answer itself invalid
 * UTF-8.
 */
static void cut_between_characters(char *text, size_t size)
{
    while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80)
        size--;
    text[size] = '\0';
}

void problem_set(struct problem *problem, enum problem_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char text[2 * PROBLEM_DETAIL_MAX];
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    problem->kind = kind;
    problem->retry_after_ms = 0;
    if (length < 0)
        length = 0;
    if ((size_t)length > PROBLEM_DETAIL_MAX) {
        cut_between_characters(text, PROBLEM_DETAIL_MAX);
        length = (int)strlen(text);
    }
    memcpy(problem->detail, text, (size_t)length);
    problem->detail[length] = '\0';
}

void problem_write(const struct problem *problem, struct json_writer *out)
{
    const struct kind_row *row = &kinds[problem->kind];
    json_open(out, NULL, '{');
    json_put_text(out, "type", row->type);
    json_put_text(out, "title", row->title);
    json_put_number(out, "status", row->http);
    json_put_text(out, "detail", problem->detail);
    if (problem->retry_after_ms > 0)
        json_put_number(out, "retry_after_ms", (int64_t)problem->retry_after_ms);
    json_close(out, '}');
}

bool problem_will_pass(troupe_status status)
{
    switch (status) {
    case TROUPE_OK:
    case TROUPE_TIMEOUT: /* as much patience as there was is used up */
    case TROUPE_STOPPING:
    case TROUPE_UNEXPECTED:
    case TROUPE_INVALID:
    case TROUPE_MALFORMED:
    case TROUPE_TOO_LARGE:
        return false;
    default:
        return true;
    }
}

void problem_from_status(struct problem *problem, troupe_status status, const char *what)
{
    switch (status) {
    case TROUPE_TIMEOUT:
        problem_set(problem, PROBLEM_UNAVAILABLE,
                    "%s did not answer in time; whether it was done is not known, so ask again", what);
        break;
    case TROUPE_STOPPING:
    case TROUPE_SHUTDOWN:
        problem_set(problem, PROBLEM_UNAVAILABLE, "the server is stopping");
        break;
    default:
        problem_set(problem, PROBLEM_UNAVAILABLE, "%s could not be reached: %s", what,
                    troupe_status_text(status));
        break;
    }
    problem->retry_after_ms = 1000;
}

void problem_from_message(struct problem *problem, const troupe_message *message, const char *what)
{
    const denied *no = denied_of(message);
    if (no == NULL || no->kind == PROBLEM_NONE || no->kind >= PROBLEM_KIND_COUNT) {
        problem_from_status(problem, TROUPE_UNEXPECTED, what);
        return;
    }
    problem_set(problem, (enum problem_kind)no->kind, "%s", troupe_text(message, no->detail));
    problem->retry_after_ms = no->retry_after_ms;
}
