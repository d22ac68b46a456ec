/* SPDX-License-Identifier: MIT */
/*
 * disk.h: the disk's side of the seam: every file that the runtime, the journal or the server touches is
 * touched through the calls of one table, so that linux/ can be swapped for a disk that fails, is full or
 * loses power.
 *
 * The table is the process's, not an env's: SQLite, which stands on it (journal/vfs.h), has one table of
 * system calls for the whole process. It is swapped before files are open and while nobody else is at them.
 *
 * Sockets, pipes and epoll are env.h's; a program's standard streams are its own.
 *
 * Threads: any, each descriptor one at a time, as the calls below have it. All may block on the disk.
 */
#ifndef TROUPE_ENV_DISK_H
#define TROUPE_ENV_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct flock;
struct stat;

/**
 * The calls. Each means what the POSIX call of its name means, with its errors in errno, EINTR and short
 * counts included. `flock_range` is fcntl with F_SETLK, F_SETLKW or F_GETLK, `mmap` and `munmap` are for
 * files. `name` is for people: writes the path that a descriptor was opened with, or something like it.
 */
struct env_disk {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*close)(int fd);
    ssize_t (*read)(int fd, void *bytes, size_t size);
    ssize_t (*write)(int fd, const void *bytes, size_t size);
    ssize_t (*pread)(int fd, void *bytes, size_t size, off_t offset);
    ssize_t (*pwrite)(int fd, const void *bytes, size_t size, off_t offset);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*ftruncate)(int fd, off_t size);
    int (*fstat)(int fd, struct stat *ret_about);
    int (*fchmod)(int fd, mode_t mode);
    int (*flock)(int fd, int operation);
    int (*flock_range)(int fd, int command, struct flock *range);
    void *(*mmap)(void *at, size_t size, int protection, int flags, int fd, off_t offset);
    int (*munmap)(void *at, size_t size);
    int (*stat)(const char *path, struct stat *ret_about);
    int (*lstat)(const char *path, struct stat *ret_about);
    int (*access)(const char *path, int mode);
    ssize_t (*readlink)(const char *path, char *ret_target, size_t size);
    int (*mkdir)(const char *path, mode_t mode);
    int (*rmdir)(const char *path);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    void (*name)(int fd, char *ret_name, size_t size);
};

/** The real one. */
extern const struct env_disk env_linux_disk;

/** The one that everything goes through: the real one, until another was set. */
const struct env_disk *env_disk(void);

/** From now on this one, which must stay; NULL: the real one. */
void env_disk_set(const struct env_disk *disk);

/*
 * What most callers want: calls that go on after EINTR and short counts, and say by errno what ended them.
 */

/** A descriptor, -1 when it cannot be had. O_CLOEXEC is added. */
int env_file_open(const char *path, int flags, mode_t mode);

/** A file to be written from its beginning, made or emptied. For what people read: see env_file_write. */
int env_file_create(const char *path);

/** Reads on until `size` bytes or the end: how many there were, -1 when one could not be read. */
ssize_t env_file_read(int fd, void *bytes, size_t size);

/** Writes on. False: not all of it is there. That it lasts, only env_file_sync can say. */
bool env_file_write(int fd, const void *bytes, size_t size);

/** What was written is on the disk. False: nobody knows what is; never to be tried again. */
bool env_file_sync(int fd);

/** The descriptor is no more, whatever the answer. False: the disk complained; otherwise errno is kept. */
bool env_file_close(int fd);

/** The names in a folder are on the disk; otherwise as env_file_sync. */
bool env_folder_sync(const char *path);

/** Reads a whole file, `size` bytes at most: how many there were, -1 when it cannot be read. */
ssize_t env_file_load(const char *path, void *bytes, size_t size);

/** A file to be read as a stream, closed by fclose; NULL when it cannot be had. */
FILE *env_file_stream(const char *path);

#endif
