/* SPDX-License-Identifier: MIT */
/*
 * hello.cpp: the smallest user of an installed Troupe in C++: one actor, one message. install_test.py builds
 * it outside the tree and expects "hello world".
 */
#include <cstdio>

#include <troupe.h>

#define GREET(F) F(text, name) F(u32, times)
TROUPE_MESSAGE(greet, GREET)

static troupe_status greeter_receive(troupe_self *self, const troupe_message *message)
{
    (void)self;
    const greet *m = greet_of(message);
    if (m == nullptr)
        return TROUPE_UNEXPECTED;
    for (uint32_t i = 0; i < m->times; i++)
        std::printf("hello %s\n", troupe_text(message, m->name));
    return TROUPE_OK;
}

static const troupe_behaviour greeter = {.name = "greeter", .receive = greeter_receive};

int main(void)
{
    troupe_system *system;
    if (troupe_start(&system, nullptr) != TROUPE_OK)
        return 1;
    troupe_ref to = troupe_spawn(system, &greeter, nullptr);
    if (troupe_send(system, to, greet, .name = "world", .times = 1) != TROUPE_OK)
        return 1;
    return troupe_stop(&system);
}
