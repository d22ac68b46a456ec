/* SPDX-License-Identifier: MIT */
/*
 * journal_power.c: what is on a disk when the power fails; journal_power.h has the rules. One thread at a
 * time.
 */
#include "support/journal_power.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "support/disk_faults.h"

enum { SECTOR = 512, CHANGES_MAX = 4096, PATH_SIZE = 512 };

/* One unsynced write, or truncation. */
struct change {
    uint64_t offset;
    size_t at; /* of its bytes in `bytes` */
    size_t size;
    bool is_truncation; /* to `offset` */
};

struct disk_file {
    struct buffer durable;
    struct buffer bytes;
    struct change changes[CHANGES_MAX];
    size_t count;
};

static struct {
    struct disk_file files[2]; /* the database, and its log */
    char paths[2][PATH_SIZE];
    void (*on_sync)(void *context);
    void *context;
} power;

static const char *const endings[2] = {"", "-wal"};

static void resize(struct buffer *image, uint64_t size)
{
    void *more;
    if (size < image->size) {
        buffer_truncate(image, (size_t)size);
    } else if (size > image->size) {
        size_t grown = (size_t)size - image->size;
        assert_int_equal(buffer_extend(image, grown, &more), TROUPE_OK);
        memset(more, 0, grown);
    }
}

static void put(struct buffer *image, uint64_t offset, const void *bytes, size_t size)
{
    if (offset + size > image->size)
        resize(image, offset + size);
    memcpy(image->bytes + offset, bytes, size);
}

/* NULL: it is not watched. */
static struct disk_file *file_of(const char *path)
{
    for (size_t i = 0; i < 2; i++)
        if (strcmp(path, power.paths[i]) == 0)
            return &power.files[i];
    return NULL;
}

/* What is in a file before anybody watches is durable. */
static void read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    static char block[1 << 16];
    size_t size;
    while (in != NULL && (size = fread(block, 1, sizeof(block), in)) > 0)
        assert_int_equal(buffer_append(&file_of(path)->durable, block, size), TROUPE_OK);
    if (in != NULL)
        fclose(in);
}

static void note(struct disk_file *file, struct change change, const void *bytes)
{
    if (file == NULL)
        return;
    assert_true(file->count < CHANGES_MAX);
    change.at = file->bytes.size;
    if (change.size > 0)
        assert_int_equal(buffer_append(&file->bytes, bytes, change.size), TROUPE_OK);
    file->changes[file->count++] = change;
}

static void on_write(const char *path, const void *bytes, size_t size, uint64_t offset)
{
    note(file_of(path), (struct change){.offset = offset, .size = size}, bytes);
}

static void on_truncate(const char *path, uint64_t size)
{
    note(file_of(path), (struct change){.offset = size, .is_truncation = true}, NULL);
}

static void apply(const struct disk_file *file, const struct change *change, struct buffer *image)
{
    if (change->is_truncation)
        resize(image, change->offset);
    else
        put(image, change->offset, file->bytes.bytes + change->at, change->size);
}

static void on_sync(const char *path)
{
    struct disk_file *file = file_of(path);
    if (file == NULL)
        return;
    power.on_sync(power.context);
    for (size_t i = 0; i < file->count; i++)
        apply(file, &file->changes[i], &file->durable);
    file->count = 0;
    buffer_clear(&file->bytes);
}

/* Each write is cut into sectors, and each of those is kept or not; they reach the disk in any order. */
static void apply_some(const struct disk_file *file, uint64_t seed, struct buffer *image)
{
    size_t order[CHANGES_MAX];
    for (size_t i = 0; i < file->count; i++) {
        size_t j = (size_t)(hash_number(seed + i) % (i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < file->count; i++) {
        const struct change *change = &file->changes[order[i]];
        if (change->is_truncation) {
            if (hash_number(seed ^ change->offset) % 2 == 0)
                resize(image, change->offset);
            continue;
        }
        for (size_t done = 0; done < change->size;) {
            size_t size = SECTOR - (size_t)((change->offset + done) % SECTOR);
            size = size < change->size - done ? size : change->size - done;
            if (hash_number(seed * 31 + change->offset + done) % 3 != 0)
                put(image, change->offset + done, file->bytes.bytes + change->at + done, size);
            done += size;
        }
    }
}

void power_fail(enum power_loss loss, uint64_t seed, const char *path)
{
    for (size_t f = 0; f < 2; f++) {
        const struct disk_file *file = &power.files[f];
        char name[PATH_SIZE];
        struct buffer image = {0};
        snprintf(name, sizeof(name), "%s%s", path, endings[f]);
        unlink(name);
        if (file->durable.size > 0)
            put(&image, 0, file->durable.bytes, file->durable.size);
        for (size_t i = 0; i < file->count && loss == POWER_KEEPS_ALL; i++)
            apply(file, &file->changes[i], &image);
        if (loss == POWER_KEEPS_SOME)
            apply_some(file, seed, &image);
        FILE *out = image.size > 0 ? fopen(name, "wb") : NULL;
        if (out != NULL) {
            assert_int_equal(fwrite(image.bytes, 1, image.size, out), image.size);
            assert_int_equal(fclose(out), 0);
        }
        buffer_done(&image);
    }
    char shared[PATH_SIZE];
    snprintf(shared, sizeof(shared), "%s-shm", path);
    unlink(shared);
}

void power_watch(const char *path, void (*when)(void *context), void *context)
{
    static const struct disk_watcher watcher = {on_write, on_truncate, on_sync};
    power_unwatch();
    for (size_t i = 0; i < 2; i++) {
        snprintf(power.paths[i], PATH_SIZE, "%s%s", path, endings[i]);
        read_file(power.paths[i]);
    }
    power.on_sync = when;
    power.context = context;
    disk_faults_watch(&watcher);
}

void power_unwatch(void)
{
    disk_faults_watch(NULL);
    for (size_t i = 0; i < 2; i++) {
        buffer_done(&power.files[i].durable);
        buffer_done(&power.files[i].bytes);
        power.files[i].count = 0;
    }
}
