/* SPDX-License-Identifier: MIT */
/*
 * child.c: see child.h. The caller waits for the two descriptors, for SIGCHLD and for the time; then it calls
 * child_step, which finds out what has happened.
 */
#include "cli/child.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/text.h"
#include "env/disk.h"
#include "env/env.h"

enum {
    READ_SIZE = 16384,
    READS_MAX = 16, /* in one step: the lease has to be looked after too */
};

/* --- starting ----------------------------------------------------------------------------------- */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        env_fd_close(*fd);
    *fd = -1;
}

troupe_status child_start(struct child *child, const struct child_spec *spec, int64_t now_ms)
{
    int fds[3] = {-1, -1, -1};
    *child = (struct child){
        .output_fd = -1,
        .errors_fd = -1,
        .timeout_ms = spec->timeout_ms,
        .grace_ms = spec->grace_ms,
        .due_ms = spec->timeout_ms > 0 ? now_ms + spec->timeout_ms : INT64_MAX,
    };
    struct env_process_spec process = {
        .file = spec->file, .arguments = spec->arguments, .environment = spec->environment};
    troupe_status status = env_bytes_fd(spec->input, spec->input_size, &fds[0]);
    if (status == TROUPE_OK)
        status = env_pipe(&child->output_fd, &fds[1]);
    if (status == TROUPE_OK)
        status = env_pipe(&child->errors_fd, &fds[2]);
    memcpy(process.fds, fds, sizeof(fds));
    if (status == TROUPE_OK)
        status = env_process_start(&process, &child->id);
    int why = errno;
    for (int i = 0; i < 3; i++)
        close_fd(&fds[i]);
    errno = why;
    return status;
}

void child_done(struct child *child)
{
    if (child->id != 0)
        env_process_forget(child->id);
    child->id = 0;
    close_fd(&child->output_fd);
    close_fd(&child->errors_fd);
    buffer_done(&child->output);
    buffer_done(&child->errors);
}

/* --- what it says ------------------------------------------------------------------------------- */

static void keep(struct buffer *buffer, const char *bytes, size_t size)
{
    if (buffer_append(buffer, bytes, size) != TROUPE_OK)
        text_must(NULL);
}

/* Passes errors on to whoever watches, and keeps the last of them. */
static void take_errors(struct child *child, const char *bytes, size_t size)
{
    struct buffer *errors = &child->errors;
    (void)env_file_write(STDERR_FILENO, bytes, size); /* nobody may be there */
    keep(errors, bytes, size);
    if (errors->size <= (size_t)2 * CHILD_ERRORS_MAX)
        return;
    memmove(errors->bytes, errors->bytes + errors->size - CHILD_ERRORS_MAX, CHILD_ERRORS_MAX);
    buffer_truncate(errors, CHILD_ERRORS_MAX);
}

static void take_output(struct child *child, const char *bytes, size_t size, int64_t now_ms)
{
    size_t left = CHILD_OUTPUT_MAX - child->output.size;
    keep(&child->output, bytes, size < left ? size : left);
    if (size <= left || child->cause != CHILD_ENDED)
        return;
    if (child->has_ended) /* and only now is its last word read */
        child->cause = CHILD_TOO_LONG;
    else
        child_stop(child, CHILD_TOO_LONG, now_ms);
}

static void read_from(struct child *child, int *fd, int64_t now_ms)
{
    char bytes[READ_SIZE];
    for (int i = 0; i < READS_MAX && *fd >= 0; i++) {
        size_t size;
        troupe_status status = env_fd_read(*fd, bytes, sizeof(bytes), &size);
        if (status != TROUPE_OK)
            close_fd(fd);
        else if (size == 0)
            return;
        else if (fd == &child->output_fd)
            take_output(child, bytes, size, now_ms);
        else
            take_errors(child, bytes, size);
    }
}

/* Where the last lines of so many bytes begin. */
static size_t last_lines(const char *bytes, size_t size)
{
    size_t from = size > CHILD_ERRORS_MAX ? size - CHILD_ERRORS_MAX : 0;
    size_t at = size;
    int lines = 0;
    while (at > from && bytes[at - 1] == '\n') /* line ends behind the last line are none of it */
        at--;
    for (; at > from; at--) {
        if (bytes[at - 1] == '\n' && ++lines == CHILD_LINES_MAX)
            return at;
    }
    /* A line that was cut is left out, unless it is all there is. */
    const char *end = from == 0 || bytes[from - 1] == '\n' ? NULL : memchr(bytes + from, '\n', size - from);
    return end != NULL && end + 1 < bytes + size ? (size_t)(end + 1 - bytes) : from;
}

char *child_last_lines(const struct child *child)
{
    const struct buffer *said = child->errors.size > 0 ? &child->errors : &child->output;
    if (said->size == 0)
        return text_must(calloc(1, 1));
    const char *bytes = (const char *)said->bytes;
    size_t from = last_lines(bytes, said->size);
    size_t size = said->size - from;
    while (size > 0 && bytes[from + size - 1] == '\n')
        size--;
    char *text = text_must(malloc(size + 1));
    for (size_t i = 0; i < size; i++)
        text[i] = bytes[from + i] == '\0' ? ' ' : bytes[from + i];
    text[size] = '\0';
    char *clean = text_clean(text, true);
    free(text);
    return clean;
}

/* --- its end ------------------------------------------------------------------------------------ */

void child_stop(struct child *child, enum child_cause cause, int64_t now_ms)
{
    if (child->has_ended || child->is_killed)
        return;
    bool is_first = child->cause == CHILD_ENDED;
    child->is_killed = !is_first;
    if (is_first)
        child->cause = cause;
    child->due_ms = is_first ? now_ms + child->grace_ms : INT64_MAX;
    env_process_signal(child->id, is_first ? SIGTERM : SIGKILL);
}

/* What time does: it is too slow, it did not end when it was told to, or somebody still writes for it. */
static void be_due(struct child *child, int64_t now_ms)
{
    if (child->has_ended) {
        close_fd(&child->output_fd);
        close_fd(&child->errors_fd);
    } else {
        child_stop(child, CHILD_TOO_SLOW, now_ms);
    }
}

void child_step(struct child *child, int64_t now_ms)
{
    assert(child->id != 0);
    if (!child->has_ended && env_process_ended(child->id, &child->end)) {
        child->has_ended = true;
        child->due_ms = now_ms + CHILD_LINGER_MS;
    }
    read_from(child, &child->output_fd, now_ms);
    read_from(child, &child->errors_fd, now_ms);
    if (now_ms >= child->due_ms && !child_is_over(child))
        be_due(child, now_ms);
}

bool child_is_over(const struct child *child)
{
    return child->has_ended && child->output_fd < 0 && child->errors_fd < 0;
}
