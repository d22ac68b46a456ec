/* SPDX-License-Identifier: MIT */
/*
 * disk.c: which disk there is, and the calls of disk.h that go on where a single system call would stop. Any
 * thread.
 */
#include "env/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

static const struct env_disk *current = &env_linux_disk;

const struct env_disk *env_disk(void)
{
    return current;
}

void env_disk_set(const struct env_disk *disk)
{
    current = disk != NULL ? disk : &env_linux_disk;
}

int env_file_open(const char *path, int flags, mode_t mode)
{
    int fd;
    do {
        fd = current->open(path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

int env_file_create(const char *path)
{
    return env_file_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
}

ssize_t env_file_read(int fd, void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = current->read(fd, (char *)bytes + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

bool env_file_write(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t put = current->write(fd, at, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put == 0)
            errno = ENOSPC;
        if (put <= 0)
            return false;
        at += put;
        size -= (size_t)put;
    }
    return true;
}

bool env_file_sync(int fd)
{
    return current->fsync(fd) == 0;
}

bool env_file_close(int fd)
{
    /* Not again after EINTR: on Linux the number is free by then, and may be somebody else's. */
    int before = errno;
    if (current->close(fd) != 0 && errno != EINTR)
        return false;
    errno = before;
    return true;
}

/* Closes what is not needed any more; what went wrong before is what counts. */
static void drop(int fd)
{
    int before = errno;
    (void)env_file_close(fd);
    errno = before;
}

bool env_folder_sync(const char *path)
{
    int fd = env_file_open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return false;
    bool is_synced = env_file_sync(fd);
    drop(fd);
    return is_synced;
}

ssize_t env_file_load(const char *path, void *bytes, size_t size)
{
    int fd = env_file_open(path, O_RDONLY, 0);
    if (fd < 0)
        return -1;
    ssize_t got = env_file_read(fd, bytes, size);
    drop(fd);
    return got;
}

static ssize_t stream_read(void *cookie, char *bytes, size_t size)
{
    return env_file_read((int)(intptr_t)cookie, bytes, size);
}

/* Where to read on is no matter of the disk: a place that there is not is refused, and nothing is read. */
static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    off_t place = lseek((int)(intptr_t)cookie, *offset, whence);
    if (place < 0)
        return -1;
    *offset = place;
    return 0;
}

static int stream_close(void *cookie)
{
    return env_file_close((int)(intptr_t)cookie) ? 0 : EOF;
}

FILE *env_file_stream(const char *path)
{
    static const cookie_io_functions_t functions = {
        .read = stream_read, .seek = stream_seek, .close = stream_close};
    int fd = env_file_open(path, O_RDONLY, 0);
    FILE *stream = fd >= 0 ? fopencookie((void *)(intptr_t)fd, "r", functions) : NULL;
    if (fd >= 0 && stream == NULL)
        drop(fd);
    return stream;
}
