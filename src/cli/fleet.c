/* SPDX-License-Identifier: MIT */
/*
 * fleet.c: see fleet.h. libcurl's multi handle keeps the connections; the easy handles are made once and used
 * again.
 */
#include "cli/fleet.h"

#include <assert.h>
#include <stdlib.h>

#include "cli/text.h"

struct slot {
    struct transfer *transfer;
    CURL *easy; /* NULL while the slot is free */
    fleet_done *done;
    void *context;
};

struct fleet {
    CURLM *multi;
    struct slot slots[FLEET_SLOTS_MAX];
    int busy;
};

struct fleet *fleet_new(const struct settings *settings)
{
    struct fleet *fleet = text_must(calloc(1, sizeof(*fleet)));
    fleet->multi = text_must(curl_multi_init());
    curl_multi_setopt(fleet->multi, CURLMOPT_MAXCONNECTS, (long)FLEET_SLOTS_MAX);
    for (int i = 0; i < FLEET_SLOTS_MAX; i++)
        fleet->slots[i].transfer = transfer_new(settings);
    return fleet;
}

static void release(struct fleet *fleet, struct slot *slot)
{
    curl_multi_remove_handle(fleet->multi, slot->easy);
    slot->easy = NULL;
    fleet->busy--;
}

void fleet_forget(struct fleet *fleet)
{
    for (int i = 0; i < FLEET_SLOTS_MAX; i++)
        if (fleet->slots[i].easy != NULL)
            release(fleet, &fleet->slots[i]);
    assert(fleet->busy == 0);
}

void fleet_free(struct fleet *fleet)
{
    if (fleet == NULL)
        return;
    fleet_forget(fleet);
    for (int i = 0; i < FLEET_SLOTS_MAX; i++)
        transfer_free(fleet->slots[i].transfer);
    curl_multi_cleanup(fleet->multi);
    free(fleet);
}

int fleet_busy(const struct fleet *fleet)
{
    return fleet->busy;
}

void fleet_start(struct fleet *fleet, const struct client_request *request, fleet_done *done, void *context)
{
    struct slot *slot = fleet->slots;
    assert(fleet->busy < FLEET_SLOTS_MAX);
    while (slot->easy != NULL)
        slot++;
    slot->easy = transfer_begin(slot->transfer, request);
    slot->done = done;
    slot->context = context;
    fleet->busy++;
    if (curl_multi_add_handle(fleet->multi, slot->easy) != CURLM_OK)
        text_must(NULL);
}

/* Ends the slot whose handle libcurl reports, and calls its done. */
static void finish(struct fleet *fleet, CURL *easy, CURLcode code)
{
    struct slot *slot = fleet->slots;
    while (slot->easy != easy)
        slot++;
    struct client_answer answer;
    transfer_end(slot->transfer, code, &answer);
    release(fleet, slot);
    slot->done(slot->context, &answer);
    json_decref(answer.json);
}

void fleet_run(struct fleet *fleet, int wait_ms)
{
    fleet_run_beside(fleet, NULL, 0, wait_ms);
}

void fleet_run_beside(struct fleet *fleet, struct curl_waitfd *fds, unsigned count, int wait_ms)
{
    int running;
    int left;
    CURLMsg *message;
    if (curl_multi_poll(fleet->multi, fds, count, wait_ms, NULL) != CURLM_OK ||
        curl_multi_perform(fleet->multi, &running) != CURLM_OK)
        text_must(NULL);
    while ((message = curl_multi_info_read(fleet->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            finish(fleet, message->easy_handle, message->data.result);
}
