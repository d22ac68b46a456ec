/* SPDX-License-Identifier: MIT */
/*
 * atomic.h: C11 atomics with the memory order in the name, so that it is read with the call and no default
 * can slip in. Whoever uses anything but RELAXED says beside it which operation it pairs with.
 */
#ifndef TROUPE_BASE_ATOMIC_H
#define TROUPE_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdint.h>

#define load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#define load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define load_seq_cst(p) atomic_load_explicit((p), memory_order_seq_cst)
#define store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)
#define store_seq_cst(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)
#define exchange_acquire(p, v) atomic_exchange_explicit((p), (v), memory_order_acquire)
#define exchange_acq_rel(p, v) atomic_exchange_explicit((p), (v), memory_order_acq_rel)
#define exchange_seq_cst(p, v) atomic_exchange_explicit((p), (v), memory_order_seq_cst)
#define fetch_add_relaxed(p, v) atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define fetch_add_seq_cst(p, v) atomic_fetch_add_explicit((p), (v), memory_order_seq_cst)
#define fetch_add_acquire(p, v) atomic_fetch_add_explicit((p), (v), memory_order_acquire)
#define fetch_sub_release(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_release)
#define fetch_sub_acq_rel(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_acq_rel)
#define fetch_sub_relaxed(p, v) atomic_fetch_sub_explicit((p), (v), memory_order_relaxed)
#define fetch_or_seq_cst(p, v) atomic_fetch_or_explicit((p), (v), memory_order_seq_cst)
#define fetch_and_seq_cst(p, v) atomic_fetch_and_explicit((p), (v), memory_order_seq_cst)
/**
 * Compare and exchange; on failure `*expected` is the value seen (relaxed: the loop stores it again before
 * it is published).
 */
#define cas_release(p, expected, v)                                                                          \
    atomic_compare_exchange_weak_explicit((p), (expected), (v), memory_order_release, memory_order_relaxed)
#define cas_acq_rel(p, expected, v)                                                                          \
    atomic_compare_exchange_weak_explicit((p), (expected), (v), memory_order_acq_rel, memory_order_relaxed)
#define cas_seq_cst(p, expected, v)                                                                          \
    atomic_compare_exchange_weak_explicit((p), (expected), (v), memory_order_seq_cst, memory_order_relaxed)

/**
 * Adds to a counter that one thread writes and any may read: no read-modify-write is needed, only that
 * nothing tears. On x86 that is one instruction without a lock prefix, which compilers do not make of an
 * atomic load and store.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
    __asm__("addq %1, %0" : "+m"(*counter) : "er"(n) : "cc");
}
#else
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
    store_relaxed(counter, load_relaxed(counter) + n);
}
#endif

/** A hint to the processor that this thread spins. */
#ifdef __x86_64__
#define SPIN_PAUSE() __builtin_ia32_pause()
#else
#define SPIN_PAUSE() atomic_signal_fence(memory_order_seq_cst)
#endif

#endif
