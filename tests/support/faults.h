/* SPDX-License-Identifier: MIT */
/*
 * faults.h: makes any one allocation or system call of the library fail. A program named *_faults_test is
 * linked so that what the library calls malloc, mmap, epoll_ctl and so on is a function of faults.c, and
 * every block a system takes from a slab passes there too (cmake/tests.cmake, --wrap): nothing in the library
 * knows.
 *
 *   faults_count(kind)          counts from here on; nothing fails
 *   faults_arm(kind, mode, n)   counts, and the n-th fails: it alone, it and all that follow, or each n-th
 *   faults_disarm()             nothing fails any more
 *
 * It also keeps accounts: memory taken and not given back, blocks that were not back in their slab when it
 * was given up. Any thread.
 */
#ifndef TROUPE_TESTS_FAULTS_H
#define TROUPE_TESTS_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum faults_kind {
    FAULTS_NONE,
    FAULTS_MEMORY, /* malloc and its like, mmap, a block of a slab */
    FAULTS_CALL,   /* epoll_create1, epoll_ctl, epoll_wait, eventfd, read, write, pthread_create */
    FAULTS_AGAIN,  /* of those, the ones that can be interrupted: epoll_wait, read, write */
};

enum faults_mode {
    FAULTS_ONCE, /* the n-th alone */
    FAULTS_ON,   /* the n-th and all after it */
    FAULTS_MODES,
    FAULTS_EVERY = FAULTS_MODES, /* each n-th, for calls that are made again when interrupted */
};

void faults_count(enum faults_kind kind);
void faults_arm(enum faults_kind kind, enum faults_mode mode, uint64_t number);
void faults_disarm(void);

/* How many of the kind there were since the last count or arm, and how many of them failed. */
uint64_t faults_seen(void);
uint64_t faults_failed(void);

/* What failed first, "malloc"; NULL when nothing did. */
const char *faults_what(void);

/* Blocks and mappings taken by the library and not given back. */
int64_t faults_held(void);

/* Blocks that were in use when the last system gave up its slabs. */
int64_t faults_slab_held(void);

#endif
