/* SPDX-License-Identifier: MIT */
/*
 * supervised.c: let it crash. A divider that is asked to divide by zero fails; its supervisor starts a new
 * one under the same name, whose state begins anew. Whoever asked is told why; whoever asks next finds the
 * new one.
 */
#include <stdio.h>
#include <troupe.h>

#define DIVIDE(F) F(i32, dividend) F(i32, divisor)
TROUPE_MESSAGE(divide, DIVIDE)
#define QUOTIENT(F) F(i32, value) F(u32, divisions)
TROUPE_MESSAGE(quotient, QUOTIENT)

struct divider {
    uint32_t divisions; /* how many this divider has done */
};

static troupe_status divider_receive(troupe_self *self, const troupe_message *message)
{
    struct divider *divider = troupe_state(self);
    const divide *m = divide_of(message);
    if (m == NULL)
        return TROUPE_UNEXPECTED;
    if (m->divisor == 0)
        return troupe_fail(self, TROUPE_INVALID, "asked to divide by zero");
    divider->divisions++;
    return troupe_reply(self, troupe_asker_of(message), quotient, .value = m->dividend / m->divisor,
                        .divisions = divider->divisions);
}

static const troupe_behaviour divider = {
    .name = "divider", .state_size = sizeof(struct divider), .receive = divider_receive};

/* Asks whoever is called "divider" now, from a thread outside, and waits for the answer. */
static void ask(troupe_system *system, int32_t dividend, int32_t divisor)
{
    troupe_message *reply;
    troupe_status status;
    do { /* while a new one is being started, nobody has the name */
        troupe_ref to = troupe_whereis(system, "divider");
        status = troupe_call(system, to, 1000, &reply, divide, .dividend = dividend, .divisor = divisor);
    } while (status == TROUPE_NO_ACTOR);
    if (status != TROUPE_OK) {
        printf("%d / %d: %s\n", dividend, divisor, troupe_status_text(status));
        return;
    }
    const quotient *m = quotient_of(reply);
    printf("%d / %d = %d (division %u of this divider)\n", dividend, divisor, m->value, m->divisions);
    troupe_message_free(system, &reply);
}

int main(void)
{
    const troupe_child_spec child = {.id = "divider", .behaviour = &divider, .options = {.name = "divider"}};
    const troupe_supervisor_spec spec = {
        .intensity = 3, .period_ms = 5000, .children = &child, .child_count = 1};
    troupe_system *system;
    if (troupe_start(&system, NULL) != TROUPE_OK)
        return 1;
    troupe_supervisor_start(system, &spec, NULL);
    ask(system, 10, 2);
    ask(system, 9, 3);
    ask(system, 1, 0);
    ask(system, 8, 2);
    return troupe_stop(&system);
}
