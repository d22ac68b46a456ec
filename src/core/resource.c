/* SPDX-License-Identifier: MIT */
/* resource.c: see resource.h, and troupe/resource.h for when what is released. */
#include "core/resource.h"

#include <string.h>
#include <troupe/resource.h>
#include <troupe/watch.h>

#include "core/extras.h"
#include "core/relief.h"

enum resource_kind {
    RESOURCE_MEMORY,
    RESOURCE_FD,
    RESOURCE_POINTER,
};

struct resource {
    struct resource *older;
    struct resource *newer; /* NULL: it is the newest */
    struct actor *owner;
    uint32_t kind; /* a resource_kind */
    int fd;        /* FD */
    void *pointer; /* POINTER */
    union {
        troupe_release release; /* POINTER */
        size_t size;            /* MEMORY: of the block with this head */
    } u;
};

_Static_assert(sizeof(struct resource) % 16 == 0, "what is behind a head is aligned");

/* A new entry of `size` bytes behind its head, on the list. */
static troupe_status resource_new(troupe_self *self, enum resource_kind kind, size_t size,
                                  struct resource **ret_resource)
{
    RUNTIME_SCOPE(self);
    struct extras *extras = extras_of(worker, self->actor);
    if (extras == NULL)
        return TROUPE_NO_MEMORY;
    if (extras->resources.count >= TROUPE_OWNED_MAX)
        return TROUPE_LIMIT;
    struct resource *resource = slab_alloc(&worker->slab, sizeof *resource + size);
    if (resource == NULL)
        return TROUPE_NO_MEMORY;
    memset(resource, 0, sizeof *resource + size);
    resource->kind = kind;
    resource->owner = self->actor;
    resource->older = extras->resources.newest;
    if (resource->older != NULL)
        resource->older->newer = resource;
    extras->resources.newest = resource;
    extras->resources.count++;
    *ret_resource = resource;
    return TROUPE_OK;
}

/* Takes an entry off the list and frees it, but not what it stands for. */
static void resource_drop(troupe_self *self, struct resource *resource)
{
    RUNTIME_SCOPE(self);
    struct resources *resources = &resource->owner->extras->resources;
    if (resource->newer != NULL)
        resource->newer->older = resource->older;
    else
        resources->newest = resource->older;
    if (resource->older != NULL)
        resource->older->newer = resource->newer;
    resources->count--;
    size_t size = resource->kind == RESOURCE_MEMORY ? resource->u.size : sizeof *resource;
    slab_free(&worker->slab, resource, size);
}

/* The newest entry of this kind for this descriptor or pointer; NULL: there is none. */
static struct resource *resource_find(const troupe_self *self, enum resource_kind kind, int fd,
                                      const void *pointer)
{
    struct extras *extras = self->actor->extras;
    struct resource *resource = extras == NULL ? NULL : extras->resources.newest;
    while (resource != NULL && (resource->kind != kind || resource->fd != fd || resource->pointer != pointer))
        resource = resource->older;
    return resource;
}

static struct resource *find_fd(const troupe_self *self, int fd)
{
    return resource_find(self, RESOURCE_FD, fd, NULL);
}

troupe_status troupe_alloc(troupe_self *self, size_t size, void **ret_memory)
{
    struct resource *resource;
    if (size > TROUPE_ALLOC_SIZE_MAX)
        return TROUPE_TOO_LARGE;
    troupe_status status = resource_new(self, RESOURCE_MEMORY, size, &resource);
    if (status != TROUPE_OK)
        return status;
    resource->u.size = sizeof *resource + size;
    *ret_memory = resource + 1;
    return TROUPE_OK;
}

void troupe_free(troupe_self *self, void *memory)
{
    if (memory == NULL)
        return;
    struct resource *resource = (struct resource *)memory - 1;
    ASSERT(resource->kind == RESOURCE_MEMORY && resource->owner == self->actor);
    resource_drop(self, resource);
}

troupe_status troupe_own_fd(troupe_self *self, int fd)
{
    struct resource *resource;
    if (fd < 0 || find_fd(self, fd) != NULL)
        return TROUPE_INVALID;
    troupe_status status = resource_new(self, RESOURCE_FD, 0, &resource);
    if (status == TROUPE_OK)
        resource->fd = fd;
    return status;
}

troupe_status troupe_disown_fd(troupe_self *self, int fd)
{
    struct resource *resource = find_fd(self, fd);
    if (resource == NULL)
        return TROUPE_NOT_FOUND;
    resource_drop(self, resource);
    return TROUPE_OK;
}

troupe_status troupe_close_fd(troupe_self *self, int fd)
{
    if (troupe_disown_fd(self, fd) != TROUPE_OK)
        return TROUPE_NOT_FOUND;
    /* First unwatched: once closed, the number may be another actor's at any moment. */
    troupe_unwatch(self, fd);
    env_fd_close(fd);
    return TROUPE_OK;
}

troupe_status troupe_own(troupe_self *self, void *pointer, troupe_release release)
{
    struct resource *resource;
    if (pointer == NULL || release == NULL)
        return TROUPE_INVALID;
    troupe_status status = resource_new(self, RESOURCE_POINTER, 0, &resource);
    if (status != TROUPE_OK)
        return status;
    resource->pointer = pointer;
    resource->u.release = release;
    return TROUPE_OK;
}

troupe_status troupe_disown(troupe_self *self, void *pointer)
{
    struct resource *resource = resource_find(self, RESOURCE_POINTER, 0, pointer);
    if (resource == NULL)
        return TROUPE_NOT_FOUND;
    resource_drop(self, resource);
    return TROUPE_OK;
}

void resource_release_all(struct worker *worker, struct actor *actor)
{
    struct extras *extras = actor->extras;
    while (extras != NULL && extras->resources.newest != NULL) {
        struct resource *resource = extras->resources.newest;
        void *pointer = resource->pointer;
        troupe_release release = resource->kind == RESOURCE_POINTER ? resource->u.release : NULL;
        if (resource->kind == RESOURCE_FD)
            (void)!troupe_close_fd(worker->seat, resource->fd);
        else
            resource_drop(worker->seat, resource);
        if (release != NULL)
            release(pointer); /* last, so that nothing is released twice whatever it does */
    }
}
