/* SPDX-License-Identifier: MIT */
/*
 * work_verdict.c: see work_verdict.h. Everything that is put into a body is UTF-8 here at the latest, since
 * jansson takes nothing else.
 */
#include "cli/work_verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

enum {
    GIVE_BACK_MS = 1, /* the shortest time that is one */
    ELLIPSIS_SIZE = 3,
};

/* The longest time that something can be deferred: the server's limit. */
#define DEFER_MS_MAX (366 * 24 * 3600 * INT64_C(1000))

/* --- texts -------------------------------------------------------------------------------------- */

/* Cuts UTF-8 text to what a reason, and what a program wrote last, may have, and shows it. */
static void cut(char *text)
{
    static const char ellipsis[] = "…";
    if (strlen(text) <= CLI_NOTE_MAX)
        return;
    size_t size = CLI_NOTE_MAX - ELLIPSIS_SIZE;
    while ((text[size] & 0xc0) == 0x80)
        size--;
    memcpy(text + size, ellipsis, sizeof(ellipsis));
}

/* What it wrote to standard output, safe to be shown, without the line ends behind it. */
static char *output_text(const struct child *child)
{
    size_t size = child->output.size;
    while (size > 0 && child->output.bytes[size - 1] == '\n')
        size--;
    char *text = text_must(malloc(size + 1));
    for (size_t i = 0; i < size; i++)
        text[i] = child->output.bytes[i] == '\0' ? ' ' : (char)child->output.bytes[i];
    text[size] = '\0';
    char *clean = text_clean(text, true);
    free(text);
    return clean;
}

/* --- verdicts ----------------------------------------------------------------------------------- */

static struct work_verdict verdict_of(const char *path, const char *id, const char *member, const char *text)
{
    struct work_verdict verdict = {.path = path, .body = text_must(json_pack("{s:s}", "id", id))};
    if (text != NULL)
        json_object_set_new(verdict.body, member, text_must(json_string(text)));
    return verdict;
}

__attribute__((format(printf, 2, 3))) static void set_words(struct work_verdict *verdict, const char *format,
                                                            ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->words, sizeof(verdict->words), format, arguments);
    va_end(arguments);
}

/* A failure with these words and, below them, the last lines of what the command said. */
static struct work_verdict failure(const char *id, const char *words, const char *lines)
{
    size_t size = strlen(words) + strlen(lines) + 3;
    char *reason = text_must(malloc(size));
    snprintf(reason, size, "%s%s%s", words, *lines != '\0' ? "\n\n" : "", lines);
    cut(reason);
    struct work_verdict verdict = verdict_of("/v1/fail", id, "reason", reason);
    free(reason);
    verdict.is_failure = true;
    set_words(&verdict, "%s", words);
    return verdict;
}

/* It goes back to the queue, first in its class, and nobody counts it as a failure. */
static struct work_verdict give_back(const char *id, const char *reason)
{
    struct work_verdict verdict = verdict_of("/v1/defer", id, "reason", reason);
    json_object_set_new(verdict.body, "after_ms", json_integer(GIVE_BACK_MS));
    verdict.is_failure = true;
    set_words(&verdict, "%s", reason);
    return verdict;
}

static struct work_verdict hopeless(const char *id, const char *reason)
{
    struct work_verdict verdict = give_back(id, reason);
    verdict.is_hopeless = true;
    return verdict;
}

static struct work_verdict crash(const char *id, const struct child *child)
{
    char words[WORK_WORDS_MAX];
    char name[16];
    char time[TEXT_TIME_MAX];
    const struct env_process_end *end = &child->end;
    if (child->cause == CHILD_TOO_SLOW)
        snprintf(words, sizeof(words), "it took longer than %s", text_duration(child->timeout_ms, time));
    else if (end->signal != 0)
        snprintf(words, sizeof(words), "killed by %s", env_signal_name(end->signal, name));
    else
        snprintf(words, sizeof(words), "exit status %d", end->status);
    char *lines = child_last_lines(child);
    cut(lines);
    struct work_verdict verdict = failure(id, words, "");
    json_object_set_new(verdict.body, "crash", json_true());
    if (end->status != 0)
        json_object_set_new(verdict.body, "exit_status", json_integer(end->status));
    if (end->signal != 0)
        json_object_set_new(verdict.body, "signal", json_string(env_signal_name(end->signal, name)));
    if (*lines != '\0')
        json_object_set_new(verdict.body, "output", text_must(json_string(lines)));
    free(lines);
    return verdict;
}

static struct work_verdict done(const char *id, const struct child *child)
{
    const char *bytes = (const char *)child->output.bytes;
    size_t size = child->output.size;
    json_t *reply = size > 0 ? json_stringn(bytes, size) : NULL;
    if (size > 0 && (reply == NULL || memchr(bytes, '\0', size) != NULL)) {
        json_decref(reply);
        char *lines = child_last_lines(child);
        struct work_verdict verdict =
            failure(id, "its answer is not UTF-8 text, and so cannot be a reply", lines);
        free(lines);
        return verdict;
    }
    struct work_verdict verdict = verdict_of("/v1/done", id, NULL, NULL);
    if (reply != NULL)
        json_object_set_new(verdict.body, "reply", reply);
    return verdict;
}

static struct work_verdict decline(const char *id, const struct child *child)
{
    char *reason = output_text(child);
    if (*reason == '\0') {
        free(reason);
        reason = child_last_lines(child);
    }
    cut(reason);
    struct work_verdict verdict =
        verdict_of("/v1/decline", id, "reason", *reason != '\0' ? reason : "declined without a reason");
    free(reason);
    return verdict;
}

/* The first line of standard output may be a time; what is left, or else the last lines, is the reason. */
static struct work_verdict defer(const char *id, const struct child *child, int64_t now_ms, int64_t delay_ms)
{
    char time[TEXT_TIME_MAX];
    char *text = output_text(child);
    size_t length = strcspn(text, "\n");
    bool has_more = text[length] != '\0';
    int64_t until_ms;
    text[length] = '\0';
    bool is_said = text_read_time(text, now_ms, &until_ms);
    if (is_said)
        delay_ms = until_ms > now_ms ? until_ms - now_ms : GIVE_BACK_MS;
    if (delay_ms > DEFER_MS_MAX)
        delay_ms = DEFER_MS_MAX;
    if (has_more)
        text[length] = '\n';
    const char *rest = !is_said ? text : has_more ? text + length + 1 : "";
    char *reason = *rest != '\0'            ? text_must(strdup(rest))
                   : child->errors.size > 0 ? child_last_lines(child)
                                            : NULL;
    free(text);
    if (reason != NULL)
        cut(reason);
    struct work_verdict verdict = verdict_of("/v1/defer", id, "reason", reason);
    free(reason);
    json_object_set_new(verdict.body, "after_ms", json_integer(delay_ms));
    verdict.uses_delay = !is_said;
    set_words(&verdict, "again in %s", text_duration(delay_ms, time));
    return verdict;
}

static struct work_verdict judge_status(const char *id, const struct child *child, int64_t now_ms,
                                        int64_t delay_ms)
{
    switch (child->end.status) {
    case 0:
        return done(id, child);
    case WORK_DECLINE:
        return decline(id, child);
    case WORK_DEFER:
        return defer(id, child, now_ms, delay_ms);
    case WORK_NO_EXEC:
        return hopeless(id, "exit status 126: the command, or one that it needs, cannot be run");
    case WORK_NOT_FOUND:
        return hopeless(id, "exit status 127: the command, or one that it needs, is not there");
    default:
        return crash(id, child);
    }
}

struct work_verdict work_judge_stopped(const char *id)
{
    return give_back(id, "the program that works on it was told to stop");
}

struct work_verdict work_judge(const char *id, const struct child *child, int64_t now_ms, int64_t delay_ms)
{
    char words[WORK_WORDS_MAX];
    switch (child->cause) {
    case CHILD_STOPPED:
        return work_judge_stopped(id);
    case CHILD_TOO_LONG:
        snprintf(words, sizeof(words), "it wrote more than %d bytes to standard output", CHILD_OUTPUT_MAX);
        return failure(id, words, "");
    case CHILD_TOO_SLOW:
        return crash(id, child);
    case CHILD_ENDED:
        break;
    }
    return child->end.signal != 0 ? crash(id, child) : judge_status(id, child, now_ms, delay_ms);
}

struct work_verdict work_judge_unstarted(const char *id, int why)
{
    char words[WORK_WORDS_MAX];
    snprintf(words, sizeof(words), "the command cannot be started: %s", strerror(why));
    return hopeless(id, words);
}

struct work_verdict work_judge_unfit(const char *id, const char *detail)
{
    char words[WORK_WORDS_MAX];
    snprintf(words, sizeof(words), "its answer is not taken: %.200s", detail);
    char *clean = text_clean(words, false); /* cut somewhere, perhaps */
    struct work_verdict verdict = failure(id, clean, "");
    free(clean);
    return verdict;
}
