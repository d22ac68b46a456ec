/* SPDX-License-Identifier: MIT */
/*
 * env.h: the seam between the runtime and the world: clock, randomness, memory pages, threads, and waiting
 * for descriptors. Everything the core needs from outside goes through here, so that linux/ can be swapped
 * for sim/, where time is virtual and one seed decides. Files have a header of their own, env/disk.h.
 *
 * A poller is where one worker sleeps: it waits for watched descriptors, a deadline, or a wake-up from
 * another thread, whichever is first.
 *
 * Threads: env_now_ns, env_unix_ms, env_poller_wake, env_poller_watch and env_poller_unwatch may be called
 * by any; env_poller_wait by the poller's worker only.
 */
#ifndef TROUPE_ENV_ENV_H
#define TROUPE_ENV_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <troupe/status.h>

/** No deadline: wait until something happens. */
#define ENV_FOREVER UINT64_MAX

/** What a poller found: a descriptor and TROUPE_READY_ bits. */
struct env_ready {
    int fd;
    uint32_t events;
};

/** The most descriptors one wait reports. */
#define ENV_READY_MAX 64

struct env;
struct env_poller;
struct env_signals;
struct env_thread;

/** A signal that came, and the process it is from; 0: from none. */
struct env_signal {
    int number;
    int sender;
};

/** What an environment must be able to do. */
struct env_ops {
    uint64_t (*now_ns)(struct env *env);
    int64_t (*unix_ms)(struct env *env);
    void (*free)(struct env *env);
    troupe_status (*poller_new)(struct env *env, struct env_poller **ret_poller);
    void (*poller_free)(struct env_poller *poller);
    /**
     * Waits until `deadline_ns` of now_ns at the latest (0: only looks); answers how many of `ret_ready`
     * were written.
     */
    uint32_t (*poller_wait)(struct env_poller *poller, uint64_t deadline_ns, struct env_ready *ret_ready);
    /** A descriptor that is readable when a wait would not wait for the clock; -1: there is none. */
    int (*poller_fd)(struct env_poller *poller);
    void (*poller_wake)(struct env_poller *poller);
    /** Reports `fd` once when any of `events` holds; asked again, it replaces. */
    troupe_status (*poller_watch)(struct env_poller *poller, int fd, uint32_t events);
    void (*poller_unwatch)(struct env_poller *poller, int fd);
    /**
     * Moves at most `size` bytes, at least 1, and never blocks: TROUPE_OK with how many, 0 for none now.
     * Errors: TROUPE_END (reading, there will be no more), TROUPE_IO with errno set.
     */
    troupe_status (*fd_read)(struct env *env, int fd, void *buffer, size_t size, size_t *ret_size);
    troupe_status (*fd_write)(struct env *env, int fd, const void *buffer, size_t size, size_t *ret_size);
    /** Somebody who listens for signals of the process. Errors: TROUPE_NO_MEMORY, TROUPE_IO, TROUPE_LIMIT. */
    troupe_status (*signals_new)(struct env *env, struct env_signals **ret_signals);
    /** When it listens for none. */
    void (*signals_free)(struct env_signals *signals);
    /** Readable while there are signals to be read; -1: there never are. */
    int (*signals_fd)(struct env_signals *signals);
    /** Listens for a number that it does not listen for. Errors: TROUPE_INVALID (it cannot be caught). */
    troupe_status (*signals_listen)(struct env_signals *signals, int number);
    void (*signals_unlisten)(struct env_signals *signals, int number);
    /** The next signal that came; false: there is none now. */
    bool (*signals_read)(struct env_signals *signals, struct env_signal *ret_signal);
};

/** An environment: linux/ and sim/ put their own members behind this one. */
struct env {
    const struct env_ops *ops;
    bool is_simulated;
};

/** The real one. */
troupe_status env_linux_new(struct env **ret_env);

/** What a simulated environment does to descriptors: probabilities of 0 to 1, drawn from its seed. */
struct env_sim_faults {
    double delay_probability; /* readiness is reported up to delay_ms_max late */
    uint32_t delay_ms_max;
    double spurious_probability; /* a watch is reported though nothing holds */
    double short_probability;    /* a read or write does a part or nothing */
};

/** The simulated one: virtual time, which only env_sim_advance_to moves. No faults at first. */
troupe_status env_sim_new(uint64_t seed, struct env **ret_env);

/** From now on these faults; NULL: none. */
void env_sim_faults(struct env *env, const struct env_sim_faults *faults);

/** Moves virtual time forward to `now_ns`; never back. */
void env_sim_advance_to(struct env *env, uint64_t now_ns);

/** When a wait of this poller would end: 0 when it was woken, ENV_FOREVER when nothing is known of. */
uint64_t env_sim_poller_due_ns(struct env_poller *poller);

/** What fd_read and fd_write of the real environment do, for both. */
troupe_status env_fd_read(int fd, void *buffer, size_t size, size_t *ret_size);
troupe_status env_fd_write(int fd, const void *buffer, size_t size, size_t *ret_size);

/**
 * Fresh zeroed memory straight from the system, `size` a multiple of 64 KiB and so aligned; NULL when there
 * is none.
 */
void *env_pages_map(size_t size);
void env_pages_unmap(void *pages, size_t size);

/** 64 bits that nobody can guess, to seed generators with. */
uint64_t env_entropy(void);

/** How many processors this process may use. */
uint32_t env_processors(void);

/** Starts a thread named `name` (15 bytes are kept); ends with env_thread_join. Errors: TROUPE_IO. */
troupe_status env_thread_start(struct env_thread **ret_thread, const char *name, void (*run)(void *context),
                               void *context);
void env_thread_join(struct env_thread *thread);

/** Whether a handler for this signal would do any good. */
bool env_signal_is_catchable(int number);

/** Closes a descriptor of the caller's, which is then no more, whatever the system says. */
void env_fd_close(int fd);

/** Puts the calling thread to sleep for about so long: for threads outside, never for workers. */
void env_sleep_ms(uint32_t ms);

/**
 * Makes every thread of the process pass a full memory barrier before it returns. False from
 * env_barrier_register, to be called first: the kernel cannot.
 */
bool env_barrier_register(void);
void env_barrier(void);

/** Lets another thread that is ready have the processor, if there is one. */
void env_yield(void);

static inline uint64_t env_now_ns(struct env *env)
{
    return env->ops->now_ns(env);
}

static inline int64_t env_unix_ms(struct env *env)
{
    return env->ops->unix_ms(env);
}

#endif
