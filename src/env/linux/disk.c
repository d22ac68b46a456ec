/* SPDX-License-Identifier: MIT */
/*
 * disk.c: the real disk: the table of disk.h filled with the system's own calls. Any thread.
 */
#include "env/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int linux_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static int linux_flock_range(int fd, int command, struct flock *range)
{
    return fcntl(fd, command, range);
}

static void linux_name(int fd, char *ret_name, size_t size)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, ret_name, size - 1);
    if (len >= 0)
        ret_name[len] = '\0';
    else
        snprintf(ret_name, size, "descriptor %d", fd);
}

const struct env_disk env_linux_disk = {
    .open = linux_open,
    .close = close,
    .read = read,
    .write = write,
    .pread = pread,
    .pwrite = pwrite,
    .fsync = fsync,
    .fdatasync = fdatasync,
    .ftruncate = ftruncate,
    .fstat = fstat,
    .fchmod = fchmod,
    .flock = flock,
    .flock_range = linux_flock_range,
    .mmap = mmap,
    .munmap = munmap,
    .stat = stat,
    .lstat = lstat,
    .access = access,
    .readlink = readlink,
    .mkdir = mkdir,
    .rmdir = rmdir,
    .rename = rename,
    .unlink = unlink,
    .name = linux_name,
};
