/* SPDX-License-Identifier: MIT */
/*
 * names.c: a program whose own functions have the names that libtroupe uses inside. Linked either way it
 * calls its own, and the library calls the library's. install_test.py builds it outside the tree.
 */
#include <stdio.h>

#include <troupe.h>

static int called;

/* Each is external on purpose: a name that the archive showed would clash here, or be taken from here. */
#define OWN(name)                                                                                            \
    int name(void);                                                                                          \
    int name(void)                                                                                           \
    {                                                                                                        \
        return ++called;                                                                                     \
    }
OWN(map_find)
OWN(heap_insert)
OWN(buffer_init)
OWN(slab_init)
OWN(mailbox_push_local)
OWN(timer_new)
OWN(hash_bytes)

static troupe_status sleeper_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    return troupe_timeout_of(message) != NULL ? TROUPE_OK : TROUPE_UNEXPECTED;
}

static troupe_status sleeper_start(troupe_self *self)
{
    troupe_status status = troupe_register(self, "sleeper");
    return status == TROUPE_OK ? troupe_timer_start(self, 1, 0, 0, NULL) : status;
}

static const troupe_behaviour sleeper = {
    .name = "sleeper", .start = sleeper_start, .receive = sleeper_receive};

int main(void)
{
    troupe_system *system;
    troupe_counters counters;
    if (troupe_start(&system, &(troupe_options){.simulate = {.seed = 1}}) != TROUPE_OK)
        return 1;
    troupe_spawn(system, &sleeper, NULL);
    troupe_sim_advance(system, 10);
    troupe_system_counters(system, &counters);
    int own = map_find() + hash_bytes();
    printf("handled %u, called %d\n", (unsigned)counters.handled, own);
    return troupe_stop(&system);
}
