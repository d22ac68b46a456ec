/* SPDX-License-Identifier: MIT */
/*
 * Facts about trace files, each read with a JSON parser: slices nest, arrows have both ends and begin and end
 * in slices, what happened is marked, a seed gives the same file, and what was lost is counted.
 */
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/tracer.h"
#include "core_probe.h"

enum {
    EVENTS_MAX = 400000,
    ROUNDS = 200,
    PATH_SIZE = 64,
    TRACKS = 2000,
};

#define BALL_FIELDS(F) F(ref, from) F(u32, left)
TROUPE_MESSAGE(ball, BALL_FIELDS)

static char folder[PATH_SIZE];

/* A slice, as read. */
struct slice {
    int64_t tid, begin_ns, end_ns;
};

static struct slice slices[EVENTS_MAX];
static size_t slice_count;

/* What a file has, besides being whole. */
struct content {
    uint64_t turns, takes, sends, arrows, marks, lost;
    bool has_spawned, has_ended, has_restarted;
};

static int by_time(const void *a, const void *b)
{
    const struct slice *x = a;
    const struct slice *y = b;
    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    if (x->begin_ns != y->begin_ns)
        return x->begin_ns < y->begin_ns ? -1 : 1;
    return x->end_ns > y->end_ns ? -1 : x->end_ns < y->end_ns;
}

/* Any two slices of a track are apart or one is in the other. */
static void check_nesting(void)
{
    struct slice *stack[TRACKS];
    size_t depth = 0;
    qsort(slices, slice_count, sizeof slices[0], by_time);
    for (size_t i = 0; i < slice_count; i++) {
        struct slice *slice = &slices[i];
        assert_true(slice->begin_ns <= slice->end_ns);
        while (depth > 0 &&
               (stack[depth - 1]->tid != slice->tid || stack[depth - 1]->end_ns <= slice->begin_ns))
            depth--;
        assert_true(depth == 0 || slice->end_ns <= stack[depth - 1]->end_ns);
        assert_true(depth < 3);
        stack[depth++] = slice;
    }
}

static bool is_in_slice(int64_t tid, int64_t at_ns)
{
    for (size_t i = 0; i < slice_count; i++)
        if (slices[i].tid == tid && slices[i].begin_ns <= at_ns && at_ns <= slices[i].end_ns)
            return true;
    return false;
}

static int64_t ns_of(const json_t *event, const char *name)
{
    const json_t *value = json_object_get(event, name);
    assert_true(json_is_number(value));
    return llround(json_number_value(value) * 1000);
}

static const char *text_of(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));
    return text == NULL ? "" : text;
}

static void read_slice(const json_t *event, struct content *content)
{
    const char *category = text_of(event, "cat");
    int64_t begin_ns = ns_of(event, "ts");
    assert_true(slice_count < EVENTS_MAX);
    slices[slice_count++] = (struct slice){json_integer_value(json_object_get(event, "tid")), begin_ns,
                                           begin_ns + ns_of(event, "dur")};
    content->turns += strcmp(category, "turn") == 0;
    content->takes += strcmp(category, "message") == 0;
    content->sends += strcmp(category, "send") == 0;
}

static void read_mark(const json_t *event, struct content *content)
{
    content->marks++;
    content->has_spawned = content->has_spawned || strncmp(text_of(event, "name"), "spawned ", 8) == 0;
    content->has_ended = content->has_ended || strncmp(text_of(event, "name"), "ended ", 6) == 0;
    content->has_restarted = content->has_restarted || strncmp(text_of(event, "name"), "restarted ", 10) == 0;
}

/*
 * Arrows come in pairs, the beginning first, by id in order; `is_thorough`: and in slices, which takes long.
 */
static void check_arrows(const json_t *events, struct content *content, bool is_thorough)
{
    size_t i;
    const json_t *event;
    const json_t *begin = NULL;
    json_array_foreach(events, i, event)
    {
        const char *phase = text_of(event, "ph");
        if (strcmp(phase, "s") == 0) {
            assert_null(begin);
            begin = event;
        } else if (strcmp(phase, "f") == 0) {
            assert_non_null(begin);
            content->arrows++;
            assert_int_equal(json_integer_value(json_object_get(begin, "id")), content->arrows);
            assert_int_equal(json_integer_value(json_object_get(event, "id")), content->arrows);
            assert_string_equal(text_of(begin, "name"), text_of(event, "name"));
            assert_true(ns_of(begin, "ts") <= ns_of(event, "ts"));
            const json_t *ends[] = {begin, event};
            for (int e = 0; e < 2 && is_thorough; e++)
                assert_true(
                    is_in_slice(json_integer_value(json_object_get(ends[e], "tid")), ns_of(ends[e], "ts")));
            begin = NULL;
        }
    }
    assert_null(begin);
}

static struct content check_file(const char *path, bool is_thorough)
{
    struct content content = {0};
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    size_t i;
    const json_t *event;
    if (root == NULL)
        print_error("%s:%d: %s\n", path, error.line, error.text);
    assert_non_null(root);
    const json_t *events = json_object_get(root, "traceEvents");
    assert_true(json_array_size(events) > 0);
    slice_count = 0;
    json_array_foreach(events, i, event)
    {
        const char *phase = text_of(event, "ph");
        assert_int_equal(json_integer_value(json_object_get(event, "pid")), 1);
        if (strcmp(phase, "X") == 0)
            read_slice(event, &content);
        else if (strcmp(phase, "i") == 0)
            read_mark(event, &content);
        else
            assert_non_null(strstr("Msf", phase));
    }
    check_nesting();
    check_arrows(events, &content, is_thorough);
    const json_t *other = json_object_get(root, "otherData");
    content.lost = (uint64_t)json_integer_value(json_object_get(other, "lost"));
    assert_int_equal(json_integer_value(json_object_get(other, "arrows")), content.arrows);
    json_decref(root);
    return content;
}

static troupe_status player_receive(troupe_self *self, const troupe_message *message)
{
    const ball *m = ball_of(message);
    if (m == NULL)
        return troupe_fail(self, TROUPE_IO, "not a ball");
    if (m->left > 0)
        (void)troupe_send(self, m->from, ball, .from = troupe_self_ref(self), .left = m->left - 1);
    return TROUPE_OK;
}

static const troupe_behaviour player = {.name = "play\"er", .receive = player_receive};
static const troupe_child_spec child = {.id = "keeper", .behaviour = &player, .options = {.name = "goal"}};
static const troupe_supervisor_spec team = {.name = "team", .children = &child, .child_count = 1};

static const char *path_of(const char *name)
{
    static char path[PATH_SIZE * 2];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A few players, a failure, a restart, an end. */
static void play(troupe_system *system, bool is_simulated)
{
    troupe_supervisor_start(system, &team, NULL);
    troupe_ref one = troupe_spawn(system, &player, NULL);
    troupe_ref two = troupe_spawn(system, &player, NULL);
    if (is_simulated)
        settle(system);
    for (uint32_t i = 0; i < 4; i++)
        troupe_send(system, one, ball, .from = two, .left = ROUNDS);
    while (!is_simulated && troupe_ref_is_none(troupe_whereis(system, "goal")))
        usleep(100);
    troupe_send(system, troupe_whereis(system, "goal"), probe_value, .value = 1);
    if (is_simulated)
        troupe_sim_advance(system, 10);
    for (int ms = 0; !is_simulated && ms < 20000; ms++) {
        troupe_counters counters;
        troupe_system_counters(system, &counters);
        if (counters.restarts == 1 && counters.handled >= 4 * ROUNDS)
            break;
        usleep(1000);
    }
    troupe_shutdown(system, two, TROUPE_SHUTDOWN);
    if (is_simulated)
        troupe_sim_advance(system, 10);
}

static void traced_run(uint64_t seed, const char *path, uint64_t *ret_hash)
{
    const troupe_options options = {.workers = 3, .simulate = {.seed = seed}};
    troupe_system *system = NULL;
    uint64_t lost = 99;
    assert_int_equal(troupe_start(&system, &options), TROUPE_OK);
    if (path != NULL)
        assert_int_equal(troupe_trace_start(system, path), TROUPE_OK);
    play(system, true);
    if (path != NULL) {
        assert_int_equal(troupe_trace_stop(system, &lost), TROUPE_OK);
        assert_int_equal(lost, 0);
    }
    *ret_hash = troupe_sim_trace_hash(system);
    assert_int_equal(troupe_stop(&system), 0);
}

static char *file_bytes(const char *path, size_t *ret_size)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    char *bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)info.st_size), info.st_size);
    close(fd);
    *ret_size = (size_t)info.st_size;
    return bytes;
}

static void simulated_trace_is_whole_and_shows_everything(void **state)
{
    (void)state;
    uint64_t hash;
    traced_run(7, path_of("whole.json"), &hash);
    struct content content = check_file(path_of("whole.json"), true);
    assert_int_equal(content.lost, 0);
    assert_true(content.takes >= 4 * ROUNDS);
    assert_true(content.turns > 0);
    assert_int_equal(content.sends, 6); /* four balls, what breaks the keeper, the shutdown */
    assert_true(content.arrows >= 4 * ROUNDS);
    assert_true(content.arrows <= content.takes);
    assert_true(content.has_spawned && content.has_ended && content.has_restarted);
}

static void seed_gives_the_same_file_byte_for_byte(void **state)
{
    (void)state;
    uint64_t hash_one, hash_two, hash_untraced;
    size_t size_one, size_two;
    traced_run(11, path_of("one.json"), &hash_one);
    traced_run(11, path_of("two.json"), &hash_two);
    traced_run(11, NULL, &hash_untraced);
    assert_int_equal(hash_one, hash_two);
    assert_int_equal(hash_one, hash_untraced); /* a trace changes nothing */
    char *one = file_bytes(path_of("one.json"), &size_one);
    char *two = file_bytes(path_of("two.json"), &size_two);
    assert_int_equal(size_one, size_two);
    assert_memory_equal(one, two, size_one);
    free(one);
    free(two);
    traced_run(12, path_of("two.json"), &hash_two);
    assert_int_not_equal(hash_one, hash_two);
}

static void trace_of_threads_is_whole(void **state)
{
    (void)state;
    troupe_system *system = NULL;
    uint64_t lost;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 3}), TROUPE_OK);
    for (int round = 0; round < 2; round++) { /* the second one uses the same buffers */
        char path[PATH_SIZE * 2];
        snprintf(path, sizeof path, "%s", path_of(round == 0 ? "first.json" : "second.json"));
        assert_int_equal(troupe_trace_start(system, path), TROUPE_OK);
        assert_int_equal(troupe_trace_start(system, path_of("other.json")), TROUPE_CONFLICT);
        if (round == 0)
            play(system, false);
        else
            troupe_send(system, troupe_whereis(system, "goal"), ball, .left = 0);
        usleep(20000);
        assert_int_equal(troupe_trace_stop(system, &lost), TROUPE_OK);
        assert_int_equal(troupe_trace_stop(system, &lost), TROUPE_NOT_FOUND);
        struct content content = check_file(path, true);
        assert_int_equal(content.lost, lost);
        if (round == 0) {
            assert_true(content.takes + lost >= 4 * ROUNDS);
            assert_true(content.has_spawned && content.has_ended && content.has_restarted);
        } else {
            assert_int_equal(content.takes, 1);
            assert_int_equal(content.arrows, 1);
        }
    }
    assert_int_equal(troupe_stop(&system), 0);
}

static void stop_of_the_system_ends_the_trace(void **state)
{
    (void)state;
    troupe_system *system = NULL;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 2}), TROUPE_OK);
    assert_int_equal(troupe_trace_start(system, path_of("stopped.json")), TROUPE_OK);
    play(system, false);
    assert_false(
        troupe_ref_is_none(troupe_spawn(system, &player, &(troupe_spawn_options){.own_thread = true})));
    assert_int_equal(troupe_stop(&system), 0);
    struct content content = check_file(path_of("stopped.json"), true);
    assert_true(content.has_ended);
}

static _Atomic bool may_flood;

static troupe_status flood_receive(troupe_self *self, const troupe_message *message)
{
    (void)message;
    while (!load_acquire(&may_flood)) {
    }
    for (uint32_t i = 0; i < 3 * TROUPE_TRACE_NOTES_MAX; i++)
        (void)troupe_send(self, troupe_self_ref(self), ball, .left = 0);
    troupe_exit(self);
    return TROUPE_OK;
}

static void what_the_buffers_cannot_hold_is_counted(void **state)
{
    (void)state;
    static const troupe_behaviour flood = {.name = "flood", .receive = flood_receive};
    troupe_system *system = NULL;
    uint64_t lost = 0;
    assert_int_equal(troupe_start(&system, &(troupe_options){.workers = 1}), TROUPE_OK);
    assert_int_equal(troupe_trace_start(system, path_of("flood.json")), TROUPE_OK);
    troupe_ref ref = troupe_spawn(system, &flood,
                                  &(troupe_spawn_options){.mailbox_len_max = 4 * TROUPE_TRACE_NOTES_MAX,
                                                          .mailbox_bytes_max = TROUPE_MAILBOX_BYTES_MAX});
    troupe_send(system, ref, probe_value, .value = 1);
    pthread_mutex_lock(&system->tracing->lock); /* the writer cannot write meanwhile */
    store_release(&may_flood, true);
    troupe_counters counters = {0};
    while (counters.actors_ended == 0) {
        usleep(1000);
        troupe_system_counters(system, &counters);
    }
    pthread_mutex_unlock(&system->tracing->lock);
    assert_int_equal(troupe_trace_stop(system, &lost), TROUPE_OK);
    assert_true(lost >= 2 * TROUPE_TRACE_NOTES_MAX);
    assert_int_equal(check_file(path_of("flood.json"), false).lost, lost);
    assert_int_equal(troupe_stop(&system), 0);
}

static void file_that_cannot_be_had_is_said(void **state)
{
    (void)state;
    troupe_system *system = probe_system(1);
    assert_int_equal(troupe_trace_start(system, path_of("no/such/folder.json")), TROUPE_IO);
    assert_int_equal(troupe_trace_stop(system, NULL), TROUPE_NOT_FOUND);
    assert_int_equal(troupe_trace_start(system, "/dev/full"), TROUPE_OK);
    assert_int_equal(troupe_trace_stop(system, NULL), TROUPE_IO);
    probe_system_stop(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulated_trace_is_whole_and_shows_everything),
        cmocka_unit_test(seed_gives_the_same_file_byte_for_byte),
        cmocka_unit_test(trace_of_threads_is_whole),
        cmocka_unit_test(stop_of_the_system_ends_the_trace),
        cmocka_unit_test(what_the_buffers_cannot_hold_is_counted),
        cmocka_unit_test(file_that_cannot_be_had_is_said),
    };
    snprintf(folder, sizeof folder, "/tmp/troupe-trace-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    const char *names[] = {"whole.json",  "one.json",     "two.json",  "first.json",
                           "second.json", "stopped.json", "flood.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(path_of(names[i]));
    (void)rmdir(folder);
    return failed;
}
