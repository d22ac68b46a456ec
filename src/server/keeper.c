/* SPDX-License-Identifier: MIT */
/*
 * keeper.c: the actor of keeper.h. Runs on any worker; nothing blocks.
 */
#include "server/keeper.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Answers whoever waits for a stage that is reached, or that cannot be any more. */
static void tell(troupe_self *self, struct keeper *keeper)
{
    for (int stage = 0; stage < KEEPER_STAGE_COUNT; stage++) {
        bool is_reached = keeper->is_ending || (stage == KEEPER_READY && keeper->is_ready);
        if (keeper->askers[stage].ask == 0 || !(is_reached || keeper->is_to_show))
            continue;
        if (troupe_reply(self, keeper->askers[stage], keeper_told, .status = (uint32_t)keeper->status,
                         .is_to_show = !is_reached, .why = keeper->why) != TROUPE_OK)
            troupe_refuse(self, keeper->askers[stage], TROUPE_NO_MEMORY);
        keeper->askers[stage] = (troupe_asker){0};
        keeper->is_to_show = false;
    }
}

static void end(troupe_self *self, struct keeper *keeper, troupe_status status, const char *who,
                const char *why)
{
    if (keeper->is_ending)
        return;
    keeper->is_ending = true;
    keeper->status = status;
    snprintf(keeper->why, sizeof keeper->why, "%s%s%s", who, who[0] != '\0' && why[0] != '\0' ? ": " : "",
             why);
    tell(self, keeper);
}

static troupe_status on_signal(troupe_self *self, struct keeper *keeper)
{
    struct signalfd_siginfo info;
    while (read(keeper->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGUSR1)
            keeper->is_to_show = true;
        else
            end(self, keeper, keeper->is_ready ? TROUPE_OK : TROUPE_SHUTDOWN, "", "told to end");
    }
    tell(self, keeper);
    return troupe_watch(self, keeper->signal_fd, TROUPE_READY_READ);
}

static void on_down(troupe_self *self, struct keeper *keeper, const troupe_message *message,
                    const troupe_down *down)
{
    const char *why = troupe_text(message, down->why);
    troupe_status reason = (troupe_status)down->reason;
    for (uint32_t i = 0; i < keeper->watched_count; i++) {
        if (keeper->watched[i].monitor == down->monitor)
            end(self, keeper, reason == TROUPE_OK ? TROUPE_FAILED : reason, keeper->watched[i].name,
                why[0] != '\0' ? why : troupe_status_text(reason));
    }
}

static troupe_status watch(troupe_self *self, struct keeper *keeper, const troupe_message *message,
                           const keeper_watch *asked)
{
    if (keeper->watched_count == KEEPER_WATCHED_MAX)
        return TROUPE_LIMIT;
    uint32_t place = keeper->watched_count++;
    snprintf(keeper->watched[place].name, KEEPER_NAME_SIZE, "%s", troupe_text(message, asked->name));
    return troupe_monitor(self, asked->who, &keeper->watched[place].monitor);
}

static troupe_status keeper_start(troupe_self *self)
{
    struct keeper *keeper = troupe_state(self);
    return troupe_watch(self, keeper->signal_fd, TROUPE_READY_READ);
}

static troupe_status keeper_receive(troupe_self *self, const troupe_message *message)
{
    struct keeper *keeper = troupe_state(self);
    if (troupe_ready_of(message) != NULL)
        return on_signal(self, keeper);
    const troupe_down *down = troupe_down_of(message);
    const keeper_await *await = keeper_await_of(message);
    const keeper_watch *asked = keeper_watch_of(message);
    const keeper_is_ready *ready = keeper_is_ready_of(message);
    if (down != NULL) {
        on_down(self, keeper, message, down);
    } else if (asked != NULL) {
        return watch(self, keeper, message, asked);
    } else if (await != NULL && await->stage < KEEPER_STAGE_COUNT) {
        keeper->askers[await->stage] = troupe_asker_of(message);
        tell(self, keeper);
    } else if (ready != NULL && ready->why.size > 0) {
        end(self, keeper, TROUPE_CORRUPT, troupe_text(message, ready->why), "");
    } else if (ready != NULL) {
        keeper->is_ready = true;
        tell(self, keeper);
    } else {
        return TROUPE_UNEXPECTED;
    }
    return TROUPE_OK;
}

const troupe_behaviour keeper_behaviour = {
    .name = "keeper",
    .state_size = sizeof(struct keeper),
    .start = keeper_start,
    .receive = keeper_receive,
};
