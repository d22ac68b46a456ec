/* SPDX-License-Identifier: MIT */
/*
 * trace_file.c: notes as a file in the Trace Event Format. One thread at a time; memory and file are its own,
 * so the workers' pace does not depend on the disk.
 *
 * Arrows. A send is kept, by the address of its message, until the message is taken; then both ends are
 * written. The table is fixed: where it is crowded the oldest send gives way, and its arrow is not drawn.
 *
 * Invariant: each line but the first begins with a comma, so the file is JSON whenever trace_file_end has
 * run.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_text.h"
#include "core/tracer.h"
#include "env/disk.h"

enum {
    SENDS_LEN = 1 << 16, /* places for sends whose message was not taken yet */
    SENDS_PROBED = 8,
    LINE_SIZE = 1024,
    WRITE_AT = 64 * 1024, /* bytes gathered before they are written */
    LABEL_SIZE = 128,
    TID_OUTSIDE = 1000, /* tracks are shown in the order of these numbers */
};

struct send {
    uint64_t message; /* 0: free */
    uint64_t at_ns;
    uint32_t check;
    uint32_t worker;
};

struct trace_file {
    int fd;
    bool has_failed;
    bool has_lines;
    uint64_t arrows;
    uint64_t lost; /* for want of memory here */
    struct buffer notes;
    struct buffer text;
    struct send sends[SENDS_LEN];
};

static void text_write(struct trace_file *file)
{
    if (!file->has_failed && !env_file_write(file->fd, file->text.bytes, file->text.size))
        file->has_failed = true;
    buffer_clear(&file->text);
}

/* Adds one line. */
__attribute__((format(printf, 2, 3))) static void line(struct trace_file *file, const char *format, ...)
{
    char text[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof text ||
        buffer_append(&file->text, file->has_lines ? ",\n" : "\n", file->has_lines ? 2 : 1) != TROUPE_OK ||
        buffer_append(&file->text, text, (size_t)len) != TROUPE_OK)
        file->has_failed = true;
    file->has_lines = true;
    if (file->text.size >= WRITE_AT)
        text_write(file);
}

troupe_status trace_file_new(const char *path, struct trace_file **ret_file)
{
    static const char head[] = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
    struct trace_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return TROUPE_NO_MEMORY;
    file->fd = env_file_create(path);
    if (file->fd < 0 || buffer_append(&file->text, head, sizeof head - 1) != TROUPE_OK) {
        troupe_status status = file->fd < 0 ? TROUPE_IO : TROUPE_NO_MEMORY;
        if (file->fd >= 0)
            (void)env_file_close(file->fd);
        free(file);
        return status;
    }
    line(file, "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"troupe\"}}");
    *ret_file = file;
    return TROUPE_OK;
}

static uint32_t tid_of(uint32_t worker)
{
    return worker == OUTSIDE ? TID_OUTSIDE : worker + 1;
}

void trace_file_track(struct trace_file *file, uint32_t worker, const char *name)
{
    char text[LABEL_SIZE];
    if (worker == OUTSIDE)
        snprintf(text, sizeof text, "%s", name);
    else
        snprintf(text, sizeof text, "%s %" PRIu32, name, worker);
    line(file,
         "{\"ph\":\"M\",\"pid\":1,\"tid\":%" PRIu32 ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}",
         tid_of(worker), text);
}

void trace_file_add(struct trace_file *file, const struct trace_note *note)
{
    if (buffer_append(&file->notes, note, sizeof *note) != TROUPE_OK)
        file->lost++;
}

static int earlier_first(const void *a, const void *b)
{
    const struct trace_note *x = a;
    const struct trace_note *y = b;
    if (x->begin_ns != y->begin_ns)
        return x->begin_ns < y->begin_ns ? -1 : 1;
    if (x->worker != y->worker)
        return x->worker < y->worker ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Microseconds, as the format wants them, with all their nanoseconds. */
#define US "%" PRIu64 ".%03u"
#define US_OF(ns) (ns) / 1000, (unsigned)((ns) % 1000)

static void label(const struct trace_note *note, char ret_text[LABEL_SIZE])
{
    char plain[LABEL_SIZE / 2];
    if (note->name[0] != '\0')
        snprintf(plain, sizeof plain, "%s", note->name);
    else
        snprintf(plain, sizeof plain, "%.40s #%" PRIu64, note->behaviour, note->created);
    json_text(ret_text, LABEL_SIZE, plain);
}

static void type_label(uint32_t type, char ret_text[LABEL_SIZE])
{
    const char *name = troupe_type_name(type);
    if (name != NULL)
        json_text(ret_text, LABEL_SIZE, name);
    else
        snprintf(ret_text, LABEL_SIZE, "type %08" PRIx32, type);
}

/* The place of a send, or the one where it would be: free, else the oldest of those looked at. */
static struct send *send_place(struct trace_file *file, uint64_t message)
{
    uint32_t home = (uint32_t)(message >> 4 ^ message >> 20);
    struct send *best = NULL;
    for (uint32_t i = 0; i < SENDS_PROBED; i++) {
        struct send *send = &file->sends[(home + i) % SENDS_LEN];
        if (send->message == message)
            return send;
        if (best == NULL || (best->message != 0 && (send->message == 0 || send->at_ns < best->at_ns)))
            best = send;
    }
    return best;
}

static void write_turn(struct trace_file *file, const struct trace_note *note)
{
    char text[LABEL_SIZE];
    label(note, text);
    line(file,
         "{\"ph\":\"X\",\"pid\":1,\"tid\":%" PRIu32 ",\"ts\":" US ",\"dur\":" US
         ",\"cat\":\"turn\",\"name\":\"%s\",\"args\":{\"ref\":\"%016" PRIx64 "\"}}",
         tid_of(note->worker), US_OF(note->begin_ns), US_OF(note->end_ns - note->begin_ns), text, note->ref);
}

static void write_arrow(struct trace_file *file, const struct send *send, const struct trace_note *note,
                        const char *name)
{
    file->arrows++;
    line(file,
         "{\"ph\":\"s\",\"pid\":1,\"tid\":%" PRIu32 ",\"ts\":" US
         ",\"cat\":\"message\",\"name\":\"%s\",\"id\":%" PRIu64 "}",
         tid_of(send->worker), US_OF(send->at_ns), name, file->arrows);
    line(file,
         "{\"ph\":\"f\",\"bp\":\"e\",\"pid\":1,\"tid\":%" PRIu32 ",\"ts\":" US
         ",\"cat\":\"message\",\"name\":\"%s\",\"id\":%" PRIu64 "}",
         tid_of(note->worker), US_OF(note->begin_ns), name, file->arrows);
}

static void write_take(struct trace_file *file, const struct trace_note *note)
{
    char name[LABEL_SIZE];
    char text[LABEL_SIZE];
    struct send *send = send_place(file, note->message);
    type_label(note->type, name);
    label(note, text);
    line(file,
         "{\"ph\":\"X\",\"pid\":1,\"tid\":%" PRIu32 ",\"ts\":" US ",\"dur\":" US
         ",\"cat\":\"message\",\"name\":\"%s\",\"args\":{\"actor\":\"%s\"}}",
         tid_of(note->worker), US_OF(note->begin_ns), US_OF(note->end_ns - note->begin_ns), name, text);
    if (send->message != note->message)
        return;
    if (send->check == note->check)
        write_arrow(file, send, note, name);
    send->message = 0;
}

static void write_send(struct trace_file *file, const struct trace_note *note)
{
    char name[LABEL_SIZE];
    struct send *send = send_place(file, note->message);
    *send = (struct send){note->message, note->begin_ns, note->check, note->worker};
    if (note->worker != OUTSIDE)
        return; /* the arrow begins in the slice of the turn */
    type_label(note->type, name);
    line(file,
         "{\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"ts\":" US
         ",\"dur\":0.001,\"cat\":\"send\",\"name\":\"send %s\"}",
         TID_OUTSIDE, US_OF(note->begin_ns), name);
}

static void write_happened(struct trace_file *file, const struct trace_note *note)
{
    char text[LABEL_SIZE];
    label(note, text);
    line(file,
         "{\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":%" PRIu32 ",\"ts\":" US
         ",\"cat\":\"life\",\"name\":\"%s %s\",\"args\":{\"ref\":\"%016" PRIx64 "\",\"reason\":\"%s\"}}",
         tid_of(note->worker), US_OF(note->begin_ns), troupe_event_text((troupe_event_kind)note->type), text,
         note->ref, troupe_status_name((troupe_status)note->reason));
}

void trace_file_flush(struct trace_file *file, uint64_t until_ns)
{
    struct trace_note *notes = (struct trace_note *)(void *)file->notes.bytes;
    size_t count = file->notes.size / sizeof *notes;
    size_t done = 0;
    if (count > 0)
        qsort(notes, count, sizeof *notes, earlier_first);
    for (; done < count && notes[done].begin_ns <= until_ns; done++) {
        switch ((enum trace_kind)notes[done].kind) {
        case TRACE_TURN:
            write_turn(file, &notes[done]);
            break;
        case TRACE_TAKE:
            write_take(file, &notes[done]);
            break;
        case TRACE_SEND:
            write_send(file, &notes[done]);
            break;
        case TRACE_HAPPENED:
            write_happened(file, &notes[done]);
            break;
        }
    }
    if (done > 0)
        memmove(notes, notes + done, (count - done) * sizeof *notes);
    if (count > 0)
        buffer_truncate(&file->notes, (count - done) * sizeof *notes);
}

troupe_status trace_file_end(struct trace_file *file, uint64_t lost, uint64_t *ret_lost)
{
    char text[LABEL_SIZE];
    *ret_lost = lost + file->lost;
    int len =
        snprintf(text, sizeof text, "\n],\"otherData\":{\"lost\":%" PRIu64 ",\"arrows\":%" PRIu64 "}}\n",
                 *ret_lost, file->arrows);
    if (buffer_append(&file->text, text, (size_t)len) != TROUPE_OK)
        file->has_failed = true;
    text_write(file);
    if (!env_file_close(file->fd))
        file->has_failed = true;
    troupe_status status = file->has_failed ? TROUPE_IO : TROUPE_OK;
    buffer_done(&file->notes);
    buffer_done(&file->text);
    free(file);
    return status;
}
