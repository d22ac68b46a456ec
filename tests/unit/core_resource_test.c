/* SPDX-License-Identifier: MIT */
/*
 * Facts about core/resource: what an actor owns is given back however it ends, the newest first, after stop()
 * and before anybody hears of the end. The address sanitizer sees memory that is not, /proc/self/fd
 * descriptors. Virtual time; one thread.
 */
#include "core_probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum end {
    END_EXIT,
    END_RETURN_FAILURE,
    END_FAIL,
    END_IN_START,
    END_SHUTDOWN,
    END_KILL,
    END_OF_LINK,
    END_OF_SYSTEM,
    END_COUNT,
};

/* What an owner is told to do, and what was seen of it. */
static struct {
    enum end end;
    char order[64]; /* a letter for each thing that happened */
    int fd;
    bool is_down; /* somebody was told of the end */
    bool was_open_when_down;
} seen;

#define OWN_FIELDS(F) F(u32, what)
TROUPE_MESSAGE(own_go, OWN_FIELDS)

static void note(char letter)
{
    size_t len = strlen(seen.order);
    assert_true(len + 1 < sizeof seen.order);
    seen.order[len] = letter;
    seen.order[len + 1] = '\0';
}

static void note_a(void *pointer)
{
    assert_ptr_equal(pointer, &seen.order[0]);
    note('a');
}

static void note_b(void *pointer)
{
    assert_ptr_equal(pointer, &seen.order[1]);
    note('b');
    assert_int_equal(fcntl(seen.fd, F_GETFD), -1); /* it was acquired after b */
}

static uint32_t open_fds(void)
{
    uint32_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void acquire(troupe_self *self)
{
    void *memory;
    void *large;
    int fds[2];
    assert_int_equal(troupe_own(self, &seen.order[0], note_a), TROUPE_OK);
    assert_int_equal(troupe_alloc(self, 100, &memory), TROUPE_OK);
    memset(memory, 1, 100);
    assert_int_equal(troupe_alloc(self, 100000, &large), TROUPE_OK);
    assert_int_equal(((char *)large)[99999], 0);
    memset(large, 1, 100000);
    assert_int_equal(troupe_own(self, &seen.order[1], note_b), TROUPE_OK);
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(troupe_own_fd(self, fds[1]), TROUPE_OK);
    assert_int_equal(troupe_own_fd(self, fds[0]), TROUPE_OK);
    assert_int_equal(troupe_watch(self, fds[0], TROUPE_READY_READ), TROUPE_OK);
    seen.fd = fds[0];
}

static troupe_status owner_start(troupe_self *self)
{
    acquire(self);
    return seen.end == END_IN_START ? TROUPE_FAILED : TROUPE_OK;
}

static troupe_status owner_receive(troupe_self *self, const troupe_message *message)
{
    if (own_go_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    if (seen.end == END_EXIT)
        troupe_exit(self);
    if (seen.end == END_FAIL)
        troupe_fail(self, TROUPE_IO, "on purpose");
    return seen.end == END_RETURN_FAILURE ? TROUPE_FAILED : TROUPE_OK;
}

static void owner_stop(troupe_self *self, troupe_status reason)
{
    (void)self;
    (void)reason;
    note('s');
    assert_int_not_equal(fcntl(seen.fd, F_GETFD), -1); /* all is there as long as the actor's code runs */
}

static const troupe_behaviour owner_behaviour = {
    .name = "owner", .start = owner_start, .receive = owner_receive, .stop = owner_stop};

static troupe_status watcher_receive(troupe_self *self, const troupe_message *message)
{
    uint64_t monitor;
    const own_go *go = own_go_of(message);
    if (troupe_down_of(message) != NULL) {
        seen.is_down = true;
        seen.was_open_when_down = fcntl(seen.fd, F_GETFD) != -1;
        note('d');
        return TROUPE_OK;
    }
    if (go == NULL)
        return TROUPE_UNEXPECTED;
    troupe_ref owner = troupe_spawn(self, &owner_behaviour, NULL);
    assert_int_equal(troupe_monitor(self, owner, &monitor), TROUPE_OK);
    if (seen.end == END_SHUTDOWN || seen.end == END_KILL)
        troupe_shutdown(self, owner, seen.end == END_KILL ? TROUPE_KILLED : TROUPE_SHUTDOWN);
    else if (seen.end != END_OF_SYSTEM && seen.end != END_IN_START)
        assert_int_equal(troupe_send(self, owner, own_go, .what = 0), TROUPE_OK);
    return TROUPE_OK;
}

static troupe_status linked_receive(troupe_self *self, const troupe_message *message)
{
    if (own_go_of(message) == NULL)
        return TROUPE_UNEXPECTED;
    troupe_ref owner = troupe_spawn(self, &owner_behaviour, NULL);
    assert_int_equal(troupe_link(self, owner), TROUPE_OK);
    return TROUPE_FAILED;
}

static const troupe_behaviour watcher_behaviour = {.name = "watcher", .receive = watcher_receive};
static const troupe_behaviour linked_behaviour = {.name = "linked", .receive = linked_receive};

static void what_an_actor_owns_is_released_however_it_ends(void **state)
{
    (void)state;
    uint32_t before = open_fds();
    for (enum end end = END_EXIT; end < END_COUNT; end++) {
        memset(&seen, 0, sizeof seen);
        seen.end = end;
        troupe_system *system = probe_system(2);
        troupe_ref first =
            troupe_spawn(system, end == END_OF_LINK ? &linked_behaviour : &watcher_behaviour, NULL);
        assert_int_equal(troupe_send(system, first, own_go, .what = 1), TROUPE_OK);
        settle(system);
        if (end == END_OF_SYSTEM)
            assert_string_equal(seen.order, "");
        assert_int_equal(troupe_stop(&system), 0);
        /* The newest first, after stop(), before the news. */
        const char *order = "sbad";
        if (end == END_IN_START)
            order = "bad";
        else if (end == END_OF_LINK || end == END_OF_SYSTEM)
            order = "sba";
        assert_string_equal(seen.order, order);
        assert_false(seen.was_open_when_down);
        assert_int_equal(open_fds(), before);
    }
}

/* --- giving back before the end ------------------------------------------------------------------------- */

static char released[16];

static void note_release(void *pointer)
{
    size_t len = strlen(released);
    snprintf(released + len, sizeof released - len, "%s", (const char *)pointer);
}

static troupe_status give_back(troupe_self *self)
{
    void *memory[3];
    int fds[2];
    char one[] = "1";
    char two[] = "2";
    char three[] = "3";
    for (int i = 0; i < 3; i++)
        assert_int_equal(troupe_alloc(self, 10, &memory[i]), TROUPE_OK);
    troupe_free(self, memory[1]);
    troupe_free(self, memory[2]);
    troupe_free(self, memory[0]);
    troupe_free(self, NULL);
    assert_int_equal(troupe_own(self, one, note_release), TROUPE_OK);
    assert_int_equal(troupe_own(self, two, note_release), TROUPE_OK);
    assert_int_equal(troupe_own(self, three, note_release), TROUPE_OK);
    assert_int_equal(troupe_disown(self, two), TROUPE_OK);
    assert_int_equal(troupe_disown(self, two), TROUPE_NOT_FOUND);
    assert_int_equal(troupe_disown(self, one), TROUPE_OK);
    assert_int_equal(troupe_disown(self, three), TROUPE_OK);
    assert_int_equal(troupe_own(self, NULL, note_release), TROUPE_INVALID);
    assert_int_equal(troupe_own(self, one, NULL), TROUPE_INVALID);
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(troupe_own_fd(self, fds[0]), TROUPE_OK);
    assert_int_equal(troupe_own_fd(self, fds[0]), TROUPE_INVALID);
    assert_int_equal(troupe_own_fd(self, -1), TROUPE_INVALID);
    assert_int_equal(troupe_own_fd(self, fds[1]), TROUPE_OK);
    assert_int_equal(troupe_disown_fd(self, fds[0]), TROUPE_OK);
    assert_int_equal(troupe_disown_fd(self, fds[0]), TROUPE_NOT_FOUND);
    assert_int_equal(troupe_close_fd(self, fds[0]), TROUPE_NOT_FOUND);
    assert_int_equal(troupe_watch(self, fds[1], TROUPE_READY_WRITE), TROUPE_OK);
    assert_int_equal(troupe_close_fd(self, fds[1]), TROUPE_OK);
    assert_int_equal(fcntl(fds[1], F_GETFD), -1);
    assert_int_not_equal(fcntl(fds[0], F_GETFD), -1);
    close(fds[0]);
    return TROUPE_OK;
}

static void what_was_given_back_is_not_released_at_the_end(void **state)
{
    (void)state;
    struct probe probe;
    uint32_t before = open_fds();
    troupe_system *system = probe_system(1);
    probe_spawn(system, &probe, NULL);
    probe_do(system, &probe, give_back);
    assert_int_equal(probe.ready_count, 0); /* closed with its watch */
    probe_system_stop(system);
    assert_string_equal(released, "");
    assert_int_equal(open_fds(), before);
}

static int shared_fd;

static troupe_status own_and_exit(troupe_self *self)
{
    assert_int_equal(troupe_own_fd(self, shared_fd), TROUPE_OK);
    assert_int_equal(troupe_watch(self, shared_fd, TROUPE_READY_READ), TROUPE_OK);
    troupe_exit(self);
    return TROUPE_OK;
}

static troupe_status watch_again(troupe_self *self)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(fds[0], shared_fd); /* the lowest number free is the one that was closed */
    assert_int_equal(troupe_own_fd(self, fds[0]), TROUPE_OK);
    assert_int_equal(troupe_own_fd(self, fds[1]), TROUPE_OK);
    assert_int_equal(troupe_watch(self, fds[0], TROUPE_READY_READ), TROUPE_OK);
    assert_int_equal(write(fds[1], "x", 1), 1);
    return TROUPE_OK;
}

static void number_of_a_closed_descriptor_is_free_for_the_next_owner(void **state)
{
    (void)state;
    struct probe one, two;
    int fds[2];
    uint32_t before = open_fds();
    troupe_system *system = probe_system(1);
    probe_spawn(system, &one, NULL);
    probe_spawn(system, &two, NULL);
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    close(fds[1]);
    shared_fd = fds[0];
    probe_do(system, &one, own_and_exit);
    assert_int_equal(one.stop_count, 1);
    probe_do(system, &two, watch_again);
    troupe_sim_advance(system, 10);
    assert_int_equal(two.ready_count, 1);
    probe_system_stop(system);
    assert_int_equal(open_fds(), before);
}

/* --- limits --------------------------------------------------------------------------------------------- */

static troupe_status own_many(troupe_self *self)
{
    void *memory;
    assert_int_equal(troupe_alloc(self, (size_t)TROUPE_ALLOC_SIZE_MAX + 1, &memory), TROUPE_TOO_LARGE);
    for (uint32_t i = 0; i < TROUPE_OWNED_MAX; i++)
        assert_int_equal(troupe_alloc(self, 0, &memory), TROUPE_OK);
    assert_int_equal(troupe_own_fd(self, 0), TROUPE_LIMIT);
    assert_int_equal(troupe_own(self, self, note_release), TROUPE_LIMIT);
    void *one_more;
    assert_int_equal(troupe_alloc(self, 1, &one_more), TROUPE_LIMIT);
    troupe_free(self, memory);
    assert_int_equal(troupe_alloc(self, 1, &one_more), TROUPE_OK);
    return TROUPE_OK;
}

static void actor_owns_as_much_as_the_limit_and_no_more(void **state)
{
    (void)state;
    struct probe probe;
    troupe_system *system = probe_system(1);
    probe_spawn(system, &probe, NULL);
    probe_do(system, &probe, own_many);
    probe_system_stop(system);
}

static uint32_t no_memory_count;
static uint32_t owned_count;

static void count_release(void *pointer)
{
    (void)pointer;
    owned_count--;
}

static troupe_status own_without_memory(troupe_self *self)
{
    void *memory;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    troupe_status status = troupe_own_fd(self, fd);
    if (status != TROUPE_OK)
        close(fd); /* it stayed ours */
    no_memory_count += status == TROUPE_NO_MEMORY;
    no_memory_count += troupe_alloc(self, 50, &memory) == TROUPE_NO_MEMORY;
    status = troupe_own(self, &owned_count, count_release);
    owned_count += status == TROUPE_OK;
    no_memory_count += status == TROUPE_NO_MEMORY;
    return TROUPE_OK;
}

static void without_memory_nothing_is_owned_and_nothing_lost(void **state)
{
    (void)state;
    uint32_t before = open_fds();
    const troupe_options options = {.workers = 1, .simulate = {.seed = 9, .no_memory_probability = 0.3}};
    troupe_system *system;
    struct probe probe = {0};
    struct probe *at = &probe;
    const troupe_spawn_options spawn = {.state = &at};
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    troupe_ref who = troupe_ref_none();
    while (troupe_ref_is_none(who))
        who = troupe_spawn(system, &probe_behaviour, &spawn);
    for (int i = 0; i < 100; i++) {
        (void)!troupe_send(system, who, probe_run, .function = (uint64_t)(uintptr_t)own_without_memory);
        settle(system);
    }
    assert_true(no_memory_count > 20);
    assert_true(owned_count > 20);
    assert_int_equal(troupe_stop(&system), 0);
    assert_int_equal(owned_count, 0);
    assert_int_equal(open_fds(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_actor_owns_is_released_however_it_ends),
        cmocka_unit_test(what_was_given_back_is_not_released_at_the_end),
        cmocka_unit_test(number_of_a_closed_descriptor_is_free_for_the_next_owner),
        cmocka_unit_test(actor_owns_as_much_as_the_limit_and_no_more),
        cmocka_unit_test(without_memory_nothing_is_owned_and_nothing_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
