/* SPDX-License-Identifier: MIT */
/*
 * file.c: locking, inspecting and naming a journal's file; file.h says what for. Any thread.
 *
 * The lock is on a file of its own: SQLite's locks are of the POSIX kind, which a process loses as soon as it
 * closes any descriptor of the file.
 */
#include "journal/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/disk.h"

enum {
    OWNER_ONLY = 0600,
    SQLITE_HEAD_SIZE = 100,
    USER_VERSION_AT = 60,
    APPLICATION_ID_AT = 68,
    PROCESS_TEXT_SIZE = 24,
};

static const char sqlite_magic[16] = "SQLite format 3";

__attribute__((format(printf, 2, 3))) static troupe_status io_error(struct journal_error *error,
                                                                    const char *format, ...)
{
    int number = errno;
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    if (len >= 0 && (size_t)len < sizeof(error->text))
        snprintf(error->text + len, sizeof(error->text) - (size_t)len, ": %s", strerror(number));
    return TROUPE_IO;
}

troupe_status file_lock(const char *path, int *ret_lock, struct journal_error *error)
{
    char name[FILE_PATH_SIZE];
    snprintf(name, sizeof(name), "%s.lock", path);
    int fd = env_file_open(name, O_RDWR | O_CREAT, OWNER_ONLY);
    if (fd < 0)
        return io_error(error, "cannot open %s", name);

    char process[PROCESS_TEXT_SIZE] = {0};
    int locked;
    do {
        locked = env_disk()->flock(fd, LOCK_EX | LOCK_NB);
    } while (locked != 0 && errno == EINTR);
    if (locked != 0) {
        troupe_status status = TROUPE_CONFLICT;
        if (errno != EWOULDBLOCK)
            status = io_error(error, "cannot lock %s", name);
        else if (env_file_read(fd, process, sizeof(process) - 1) > 0)
            snprintf(error->text, sizeof(error->text), "%s is in use by another server (process %.*s)", path,
                     (int)strcspn(process, "\n"), process);
        else
            snprintf(error->text, sizeof(error->text), "%s is in use by another server", path);
        (void)env_file_close(fd);
        return status;
    }

    /* For people who meet the lock; that it cannot be written is no reason to refuse. */
    int len = snprintf(process, sizeof(process), "%ld\n", (long)getpid());
    if (env_disk()->ftruncate(fd, 0) != 0 || !env_file_write(fd, process, (size_t)len))
        errno = 0;
    *ret_lock = fd;
    return TROUPE_OK;
}

void file_unlock(int lock)
{
    if (lock >= 0)
        (void)env_file_close(lock);
}

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

troupe_status file_inspect(const char *path, struct file_kind *ret_kind, struct journal_error *error)
{
    struct file_kind kind = {0};
    unsigned char head[SQLITE_HEAD_SIZE] = {0};
    int fd = env_file_open(path, O_RDONLY, 0);
    if (fd < 0) {
        if (errno != ENOENT)
            return io_error(error, "cannot open %s", path);
        *ret_kind = kind;
        return TROUPE_OK;
    }

    struct stat about;
    ssize_t size = env_disk()->fstat(fd, &about) == 0 ? env_file_read(fd, head, sizeof(head)) : -1;
    troupe_status status = TROUPE_OK;
    if (size < 0) {
        status = io_error(error, "cannot read %s", path);
    } else {
        kind.size = (uint64_t)about.st_size;
        kind.is_sqlite = size == SQLITE_HEAD_SIZE && memcmp(head, sqlite_magic, sizeof(sqlite_magic)) == 0;
        kind.user_version = big_endian(head + USER_VERSION_AT);
        kind.application_id = big_endian(head + APPLICATION_ID_AT);
        *ret_kind = kind;
    }
    (void)env_file_close(fd);
    return status;
}

troupe_status file_remove(const char *path, struct journal_error *error)
{
    if (env_disk()->unlink(path) != 0 && errno != ENOENT)
        return io_error(error, "cannot remove %s", path);
    return TROUPE_OK;
}

troupe_status file_make_empty(const char *path, struct journal_error *error)
{
    troupe_status status = file_remove(path, error);
    if (status != TROUPE_OK)
        return status;
    int fd = env_file_open(path, O_RDWR | O_CREAT | O_EXCL, OWNER_ONLY);
    if (fd < 0)
        return io_error(error, "cannot make %s", path);
    (void)env_file_close(fd);
    return TROUPE_OK;
}

troupe_status file_rename(const char *from, const char *to, struct journal_error *error)
{
    if (env_disk()->rename(from, to) != 0)
        return io_error(error, "cannot rename %s to %s", from, to);

    char folder[FILE_PATH_SIZE];
    snprintf(folder, sizeof(folder), "%s", to);
    if (!env_folder_sync(dirname(folder)))
        return io_error(error, "cannot sync the folder of %s", to);
    return TROUPE_OK;
}
