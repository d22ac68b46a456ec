/* SPDX-License-Identifier: MIT */
/*
 * tour.cpp: an installed Troupe from C++17, every kind of call once: messages of every kind of field sent
 * with their fields named, a supervised worker that crashes and comes back, ask, call, timers, monitors,
 * groups, JSON and one seed. install_test.py builds it outside the tree with every warning on, and expects
 * tour.expected.
 */
#include <cstdio>
#include <cstring>

#include <troupe.h>

#define SAMPLE(F)                                                                                            \
    F(u8, a)                                                                                                 \
    F(u16, b) F(u32, c) F(u64, d) F(i8, e) F(i16, f) F(i32, g) F(i64, h) F(f32, i) F(f64, j) F(bool, k)      \
        F(ref, l) F(text, m) F(bytes, n) F(u32, o, 3)
TROUPE_MESSAGE(sample, SAMPLE)
#define DIVIDE(F) F(i32, dividend) F(i32, divisor)
TROUPE_MESSAGE(divide, DIVIDE)
#define QUOTIENT(F) F(i32, value)
TROUPE_MESSAGE(quotient, QUOTIENT)
TROUPE_MESSAGE_EMPTY(begin)
TROUPE_MESSAGE_EMPTY(report_query)
#define REPORT(F) F(u32, rings) F(u32, answers) F(u32, ends) F(text, json)
TROUPE_MESSAGE(report, REPORT)

static troupe_status divider_receive(troupe_self *self, const troupe_message *message)
{
    const divide *m = divide_of(message);
    if (m == nullptr)
        return TROUPE_UNEXPECTED;
    if (m->divisor == 0)
        return troupe_fail(self, TROUPE_INVALID, "asked to divide by zero");
    return troupe_reply(self, troupe_asker_of(message), quotient, .value = m->dividend / m->divisor);
}

struct tourist {
    uint32_t rings;
    uint32_t answers;
    uint32_t ends;
    char json[256];
};

static troupe_status tourist_on_quotient(troupe_self *, troupe_status status, const troupe_message *reply,
                                         void *context)
{
    tourist *state = static_cast<tourist *>(context);
    if (status == TROUPE_OK && quotient_of(reply)->value == 6)
        state->answers++;
    return TROUPE_OK;
}

static troupe_status tourist_begin(troupe_self *self, tourist *state)
{
    uint64_t monitor;
    const troupe_ref divider = troupe_whereis(self, "divider");
    const uint8_t bytes[] = {1, 2, 3};
    troupe_status status = troupe_timer_start(self, 1, 0, 7, nullptr);
    if (status == TROUPE_OK)
        status = troupe_join(self, "tourists");
    if (status == TROUPE_OK)
        status = troupe_monitor(self, divider, &monitor);
    if (status == TROUPE_OK)
        status =
            troupe_ask(self, divider, 1000, tourist_on_quotient, state, divide, .dividend = 42, .divisor = 7);
    if (status == TROUPE_OK)
        status = troupe_send(self, divider, divide, .dividend = 1);
    if (status == TROUPE_OK)
        status = troupe_send(self, troupe_self_ref(self), sample, .a = 1, .e = -1, .j = 0.5, .k = true,
                             .m = "hi", .n = {bytes, sizeof bytes}, .o = {1, 2, 3});
    return status;
}

static troupe_status tourist_receive(troupe_self *self, const troupe_message *message)
{
    tourist *state = static_cast<tourist *>(troupe_state(self));
    size_t size;
    if (begin_of(message) != nullptr)
        return tourist_begin(self, state);
    if (sample_of(message) != nullptr)
        return troupe_flat_to_json(&sample_type, troupe_body(message), message->size, state->json,
                                   sizeof state->json, &size);
    if (troupe_timeout_of(message) != nullptr)
        state->rings++;
    else if (troupe_down_of(message) != nullptr)
        state->ends++;
    else if (report_query_of(message) != nullptr)
        return troupe_reply(self, troupe_asker_of(message), report, .rings = state->rings,
                            .answers = state->answers, .ends = state->ends, .json = state->json);
    else
        return TROUPE_UNEXPECTED;
    return TROUPE_OK;
}

int main()
{
    troupe_behaviour divider = {};
    divider.name = "divider";
    divider.receive = divider_receive;
    troupe_behaviour guide = {};
    guide.name = "tourist";
    guide.state_size = sizeof(tourist);
    guide.receive = tourist_receive;
    troupe_child_spec child = {};
    child.id = "divider";
    child.behaviour = &divider;
    child.options.name = "divider";
    troupe_supervisor_spec spec = {};
    spec.strategy = TROUPE_ONE_FOR_ONE;
    spec.children = &child;
    spec.child_count = 1;
    troupe_options options = {};
    options.simulate.seed = 7;

    troupe_system *system;
    troupe_status status;
    if (troupe_start(&system, &options) != TROUPE_OK)
        return 1;
    troupe_supervisor_start(system, &spec, &status);
    troupe_sim_advance(system, 1);
    const troupe_ref to = troupe_spawn(system, &guide, nullptr);
    if (status != TROUPE_OK || troupe_send(system, to, begin) != TROUPE_OK)
        return 1;
    troupe_sim_advance(system, 10);
    std::printf("told of a beginning: %u\n", troupe_broadcast(system, "tourists", divide, .dividend = 1));
    troupe_message *reply;
    if (troupe_call(system, to, 1000, &reply, report_query) != TROUPE_OK)
        return 1;
    const report *m = report_of(reply);
    std::printf("rings %u, answers %u, ends %u\n%s\n", m->rings, m->answers, m->ends,
                troupe_text(reply, m->json));
    troupe_message_free(system, &reply);
    std::printf("back: %s\n", troupe_ref_is_none(troupe_whereis(system, "divider")) ? "no" : "yes");
    return troupe_stop(&system);
}
