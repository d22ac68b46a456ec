/* SPDX-License-Identifier: MIT */
/*
 * faults.c: see faults.h. Each wrapped function asks is_to_fail() first, and otherwise calls the real one.
 * Slabs are marked as faulty at their beginning, so that every block comes by slab_alloc_hard, which is
 * wrapped, and not off a list in line.
 */
#include "support/faults.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/atomic.h"
#include "core/slab.h"

enum {
    SLABS_MAX = 512, /* alive at once */
    PAGE_HEAD = 64,  /* as in slab.c */
};

static _Atomic uint32_t armed_kind;
static _Atomic uint32_t armed_mode;
static _Atomic uint64_t armed_number; /* 0: none fails */
static _Atomic uint64_t seen;
static _Atomic uint64_t failed;
static const char *_Atomic first_failed;
static _Atomic int64_t held;
static _Atomic int64_t slab_held;

static pthread_mutex_t slabs_lock = PTHREAD_MUTEX_INITIALIZER;
static struct slab *slabs[SLABS_MAX];
static uint32_t slab_count;
static bool slabs_are_counted; /* since the first of them was given up */

void faults_arm(enum faults_kind kind, enum faults_mode mode, uint64_t number)
{
    store_relaxed(&seen, 0);
    store_relaxed(&failed, 0);
    store_relaxed(&first_failed, NULL);
    store_relaxed(&armed_mode, mode);
    store_relaxed(&armed_number, number);
    store_seq_cst(&armed_kind, kind);
}

void faults_count(enum faults_kind kind)
{
    faults_arm(kind, FAULTS_ONCE, 0);
}

void faults_disarm(void)
{
    store_seq_cst(&armed_kind, FAULTS_NONE);
}

uint64_t faults_seen(void)
{
    return load_relaxed(&seen);
}

uint64_t faults_failed(void)
{
    return load_relaxed(&failed);
}

const char *faults_what(void)
{
    return load_relaxed(&first_failed);
}

int64_t faults_held(void)
{
    return load_relaxed(&held);
}

int64_t faults_slab_held(void)
{
    return load_relaxed(&slab_held);
}

static bool is_to_fail(enum faults_kind kind, const char *what)
{
    if (load_relaxed(&armed_kind) != kind)
        return false;
    uint64_t now = fetch_add_relaxed(&seen, 1) + 1;
    uint64_t number = load_relaxed(&armed_number);
    enum faults_mode mode = (enum faults_mode)load_relaxed(&armed_mode);
    bool fails = number != 0 && (mode == FAULTS_ON      ? now >= number
                                 : mode == FAULTS_EVERY ? now % number == 0
                                                        : now == number);
    if (fails && fetch_add_relaxed(&failed, 1) == 0)
        store_relaxed(&first_failed, what);
    return fails;
}

/* -- memory ---------------------------------------------------------------------------------------------- */

#define WRAPPED(result, name, ...)                                                                           \
    result __real_##name(__VA_ARGS__);                                                                       \
    result __wrap_##name(__VA_ARGS__);                                                                       \
    result __wrap_##name(__VA_ARGS__)

static void *taken(void *memory)
{
    if (memory != NULL)
        fetch_add_relaxed(&held, 1);
    return memory;
}

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

WRAPPED(void *, malloc, size_t size)
{
    return is_to_fail(FAULTS_MEMORY, "malloc") ? no_memory() : taken(__real_malloc(size));
}

WRAPPED(void *, calloc, size_t count, size_t size)
{
    return is_to_fail(FAULTS_MEMORY, "calloc") ? no_memory() : taken(__real_calloc(count, size));
}

WRAPPED(void *, aligned_alloc, size_t alignment, size_t size)
{
    return is_to_fail(FAULTS_MEMORY, "aligned_alloc") ? no_memory()
                                                      : taken(__real_aligned_alloc(alignment, size));
}

WRAPPED(char *, strdup, const char *text)
{
    return is_to_fail(FAULTS_MEMORY, "strdup") ? no_memory() : taken(__real_strdup(text));
}

WRAPPED(void *, realloc, void *memory, size_t size)
{
    if (is_to_fail(FAULTS_MEMORY, "realloc"))
        return no_memory();
    return memory == NULL ? taken(__real_realloc(NULL, size)) : __real_realloc(memory, size);
}

WRAPPED(void, free, void *memory)
{
    if (memory != NULL)
        fetch_sub_relaxed(&held, 1);
    __real_free(memory);
}

/* A mapping is trimmed to its alignment, so it is its bytes that are counted. */
WRAPPED(void *, mmap, void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (is_to_fail(FAULTS_MEMORY, "mmap")) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *pages = __real_mmap(address, size, protection, flags, fd, offset);
    if (pages != MAP_FAILED)
        fetch_add_relaxed(&held, (int64_t)size);
    return pages;
}

WRAPPED(int, munmap, void *pages, size_t size)
{
    fetch_sub_relaxed(&held, (int64_t)size);
    return __real_munmap(pages, size);
}

/* -- slabs ----------------------------------------------------------------------------------------------- */

/* Blocks that were ever cut from the pages of a slab. */
static int64_t blocks_cut(const struct slab *slab)
{
    int64_t count = 0;
    for (char *arena = slab->arenas; arena != NULL;) {
        for (size_t i = 0; i < SLAB_ARENA_PAGES; i++) {
            const struct slab_page *page = (const void *)(arena + i * SLAB_PAGE_SIZE);
            if (page->block_size > 0)
                count += (page->cut - PAGE_HEAD) / page->block_size;
        }
        memcpy(&arena, arena + PAGE_HEAD - sizeof arena, sizeof arena);
    }
    return count;
}

static int64_t list_len(const struct slab_block *block)
{
    int64_t len = 0;
    for (; block != NULL; block = block->next)
        len++;
    return len;
}

/* Blocks that are free, here or on their way home from here. */
static int64_t blocks_free(struct slab *slab)
{
    int64_t count = list_len(load_relaxed(&slab->returned));
    for (int i = 0; i < SLAB_CLASS_COUNT; i++)
        count += list_len(slab->free[i]);
    for (int i = 0; i < SLAB_OUTGOING_COUNT; i++)
        count += slab->outgoing[i].owner != NULL ? slab->outgoing[i].count : 0;
    return count;
}

WRAPPED(void, slab_init, struct slab *slab, uint64_t seed, double no_memory_probability)
{
    __real_slab_init(slab, seed, no_memory_probability);
    slab->is_faulty = true;
    pthread_mutex_lock(&slabs_lock);
    ASSERT(slab_count < SLABS_MAX);
    slabs[slab_count++] = slab;
    pthread_mutex_unlock(&slabs_lock);
}

WRAPPED(void, slab_done, struct slab *slab)
{
    pthread_mutex_lock(&slabs_lock);
    /* While calls are made to fail a worker may be given up alone, and others are at work. */
    if (load_relaxed(&armed_kind) != FAULTS_CALL && !slabs_are_counted) {
        int64_t count = 0;
        for (uint32_t i = 0; i < slab_count; i++)
            count += blocks_cut(slabs[i]) - blocks_free(slabs[i]);
        store_relaxed(&slab_held, count);
        slabs_are_counted = true;
    }
    for (uint32_t i = 0; i < slab_count; i++)
        if (slabs[i] == slab)
            slabs[i] = slabs[--slab_count];
    if (slab_count == 0)
        slabs_are_counted = false;
    pthread_mutex_unlock(&slabs_lock);
    __real_slab_done(slab);
}

WRAPPED(void *, slab_alloc_hard, struct slab *slab, size_t size)
{
    return is_to_fail(FAULTS_MEMORY, "a block of a slab") ? NULL : __real_slab_alloc_hard(slab, size);
}

/* -- system calls ---------------------------------------------------------------------------------------- */

static int refused(int error)
{
    errno = error;
    return -1;
}

WRAPPED(int, epoll_create1, int flags)
{
    return is_to_fail(FAULTS_CALL, "epoll_create1") ? refused(EMFILE) : __real_epoll_create1(flags);
}

WRAPPED(int, eventfd, unsigned int value, int flags)
{
    return is_to_fail(FAULTS_CALL, "eventfd") ? refused(EMFILE) : __real_eventfd(value, flags);
}

WRAPPED(int, epoll_ctl, int epoll, int operation, int fd, struct epoll_event *event)
{
    if (operation != EPOLL_CTL_DEL && is_to_fail(FAULTS_CALL, "epoll_ctl"))
        return refused(ENOSPC);
    return __real_epoll_ctl(epoll, operation, fd, event);
}

/* Whether a call that may be interrupted is: now and then, as none is for ever. */
static bool is_interrupted(const char *what)
{
    if (load_relaxed(&armed_mode) == FAULTS_ON)
        return false;
    return is_to_fail(FAULTS_CALL, what) || is_to_fail(FAULTS_AGAIN, what);
}

WRAPPED(int, epoll_wait, int epoll, struct epoll_event *events, int count, int timeout)
{
    return is_interrupted("epoll_wait") ? refused(EINTR) : __real_epoll_wait(epoll, events, count, timeout);
}

/* Interrupted, or not ready: by turns, as both can come of one call. */
static int again(void)
{
    static _Atomic uint32_t turn;
    return refused(fetch_add_relaxed(&turn, 1) % 2 == 0 ? EINTR : EAGAIN);
}

WRAPPED(ssize_t, read, int fd, void *bytes, size_t size)
{
    return is_interrupted("read") ? again() : __real_read(fd, bytes, size);
}

WRAPPED(ssize_t, write, int fd, const void *bytes, size_t size)
{
    return is_interrupted("write") ? refused(EINTR) : __real_write(fd, bytes, size);
}

WRAPPED(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
        void *context)
{
    return is_to_fail(FAULTS_CALL, "pthread_create")
               ? EAGAIN
               : __real_pthread_create(thread, attributes, run, context);
}
