/* SPDX-License-Identifier: MIT */
/*
 * assets.c: finds an embedded file by its path and sends it. Browsers keep it and ask each time whether it is
 * still the same (its tag is a hash of its bytes), so a new server is seen at the next look. Stateless; runs
 * in the http actor.
 */
#include "server/assets.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "web_assets.h"

static const struct web_asset *find(const char *path)
{
    if (strcmp(path, "/") == 0)
        path = "/index.html";
    for (size_t i = 0; i < web_asset_count; i++) {
        if (strcmp(web_assets[i].path, path) == 0)
            return &web_assets[i];
    }
    return NULL;
}

bool assets_have(const char *path)
{
    return find(path) != NULL;
}

static struct MHD_Response *response_of(const struct web_asset *asset, bool is_known)
{
    /* libmicrohttpd does not write to persistent bytes; its interface only lacks the const. */
    void *bytes = is_known ? NULL : (void *)(uintptr_t)asset->data;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(is_known ? 0 : asset->size, bytes, MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        return NULL;
    if (request_add_headers(response) &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, asset->content_type) == MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache") == MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, asset->etag) == MHD_YES)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

void assets_answer(struct call *call, const char *path)
{
    const struct web_asset *asset = find(path);
    assert(asset != NULL);
    bool is_known = strcmp(call_known_tag(call), asset->etag) == 0;
    call_respond(call, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response_of(asset, is_known));
}
