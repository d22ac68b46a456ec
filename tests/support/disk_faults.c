/* SPDX-License-Identifier: MIT */
/*
 * disk_faults.c: a disk that fails at a chosen call; disk_faults.h says how. Each call asks strikes() first,
 * and otherwise passes on to the real disk.
 */
#include "support/disk_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/atomic.h"
#include "env/disk.h"

enum { FILES_MAX = 1024 };

enum disk_call {
    CALL_OPEN = 1 << 0,
    CALL_CREATE = 1 << 1, /* opening with O_CREAT */
    CALL_CLOSE = 1 << 2,
    CALL_READ = 1 << 3,
    CALL_WRITE = 1 << 4,
    CALL_SYNC = 1 << 5,
    CALL_TRUNCATE = 1 << 6,
    CALL_LOCK = 1 << 7,
    CALL_MAP = 1 << 8,
    CALL_LOOK = 1 << 9,  /* stat and its like */
    CALL_NAME = 1 << 10, /* mkdir, rename */
    CALL_UNLINK = 1 << 11,
    CALLS_ALL = (1 << 12) - 1,
    CALLS_CHANGING = CALL_WRITE | CALL_SYNC | CALL_TRUNCATE,
};

static const struct {
    uint32_t calls;
    int error; /* 0: it does half */
} kinds[DISK_FAULTS] = {
    [DISK_IS_FULL] = {CALL_CREATE | CALL_WRITE | CALL_SYNC | CALL_TRUNCATE | CALL_NAME, ENOSPC},
    [DISK_IS_BROKEN] = {CALLS_ALL, EIO},
    [DISK_HAS_NO_FILES] = {CALL_OPEN, EMFILE},
    [DISK_READ_FAILS] = {CALL_READ, EIO},
    [DISK_SYNC_FAILS] = {CALL_SYNC, EIO},
    [DISK_WRITES_SHORT] = {CALL_WRITE, 0},
    [DISK_READS_SHORT] = {CALL_READ, 0},
    [DISK_IS_INTERRUPTED] = {CALL_OPEN | CALL_CLOSE | CALL_READ | CALL_WRITE | CALL_TRUNCATE | CALL_LOCK,
                             EINTR},
};

/* Counters are relaxed: each stands for itself, and a test that arms has no other thread at the disk. */
static _Atomic uint32_t armed_kind;
static _Atomic uint32_t armed_mode;
static _Atomic uint64_t armed_number;
static _Atomic uint64_t seen;
static _Atomic uint64_t failed;
static _Atomic uint64_t changes_after;
static _Atomic bool has_change_failed;
static const char *_Atomic first_failed;
static _Atomic int64_t open_files;
static char *_Atomic paths[FILES_MAX]; /* of open files, by descriptor */
static const struct disk_watcher *watcher;

void disk_faults_arm(enum disk_fault kind, enum faults_mode mode, uint64_t n)
{
    store_relaxed(&seen, 0);
    store_relaxed(&failed, 0);
    store_relaxed(&changes_after, 0);
    store_relaxed(&has_change_failed, false);
    store_relaxed(&first_failed, "");
    store_relaxed(&armed_mode, mode);
    store_relaxed(&armed_number, n);
    store_relaxed(&armed_kind, kind);
}

uint64_t disk_faults_seen(void)
{
    return load_relaxed(&seen);
}

uint64_t disk_faults_failed(void)
{
    return load_relaxed(&failed);
}

const char *disk_faults_what(void)
{
    return load_relaxed(&first_failed);
}

uint64_t disk_faults_changes_after(void)
{
    return load_relaxed(&changes_after);
}

int64_t disk_faults_open_files(void)
{
    return load_relaxed(&open_files);
}

void disk_faults_watch(const struct disk_watcher *watching)
{
    watcher = watching;
}

/* Whether the fault strikes this call; errno is what it says then, 0 for half. */
static bool strikes(uint32_t call, const char *name)
{
    uint32_t kind = load_relaxed(&armed_kind);
    if ((call & CALLS_CHANGING) != 0 && load_relaxed(&has_change_failed))
        fetch_add_relaxed(&changes_after, 1);
    if ((kinds[kind].calls & call) == 0)
        return false;
    uint64_t now = fetch_add_relaxed(&seen, 1) + 1;
    uint64_t n = load_relaxed(&armed_number);
    uint32_t mode = load_relaxed(&armed_mode);
    bool is_struck = n != 0 && (mode == FAULTS_ON      ? now >= n
                                : mode == FAULTS_EVERY ? now % n == 0
                                                       : now == n);
    if (!is_struck)
        return false;
    if (fetch_add_relaxed(&failed, 1) == 0)
        store_relaxed(&first_failed, name);
    errno = kinds[kind].error;
    if ((call & CALLS_CHANGING) != 0 && errno != EINTR && errno != 0)
        store_relaxed(&has_change_failed, true);
    return true;
}

static const char *path_of(int fd)
{
    const char *path = fd >= 0 && fd < FILES_MAX ? load_relaxed(&paths[fd]) : NULL;
    return path != NULL ? path : "";
}

/* --- the calls -------------------------------------------------------------------------------- */

static int faulty_open(const char *path, int flags, mode_t mode)
{
    if (strikes(CALL_OPEN | ((flags & O_CREAT) != 0 ? CALL_CREATE : 0u), "open"))
        return -1;
    int fd = env_linux_disk.open(path, flags, mode);
    if (fd >= 0)
        fetch_add_relaxed(&open_files, 1);
    if (fd >= 0 && fd < FILES_MAX)
        store_relaxed(&paths[fd], strdup(path));
    return fd;
}

/* A file is closed in any case, as Linux has it. */
static int faulty_close(int fd)
{
    bool is_struck = strikes(CALL_CLOSE, "close");
    int error = errno;
    if (fd >= 0 && fd < FILES_MAX)
        free(atomic_exchange(&paths[fd], NULL));
    fetch_sub_relaxed(&open_files, 1);
    int result = env_linux_disk.close(fd);
    errno = is_struck ? error : errno;
    return is_struck ? -1 : result;
}

static ssize_t faulty_read(int fd, void *bytes, size_t size)
{
    if (!strikes(CALL_READ, "read"))
        return env_linux_disk.read(fd, bytes, size);
    return errno == 0 ? env_linux_disk.read(fd, bytes, (size + 1) / 2) : -1;
}

static ssize_t faulty_pread(int fd, void *bytes, size_t size, off_t offset)
{
    if (!strikes(CALL_READ, "pread"))
        return env_linux_disk.pread(fd, bytes, size, offset);
    return errno == 0 ? env_linux_disk.pread(fd, bytes, (size + 1) / 2, offset) : -1;
}

/* Half of a write: the answer says so, or, with EIO, does not. */
static ssize_t half_written(int error, ssize_t put)
{
    errno = error;
    return error == 0 ? put : -1;
}

static ssize_t faulty_write(int fd, const void *bytes, size_t size)
{
    if (!strikes(CALL_WRITE, "write"))
        return env_linux_disk.write(fd, bytes, size);
    int error = errno;
    bool is_nothing = error == ENOSPC || error == EINTR;
    return half_written(error, is_nothing ? 0 : env_linux_disk.write(fd, bytes, (size + 1) / 2));
}

static ssize_t faulty_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    if (watcher != NULL)
        watcher->write(path_of(fd), bytes, size, (uint64_t)offset);
    if (!strikes(CALL_WRITE, "pwrite"))
        return env_linux_disk.pwrite(fd, bytes, size, offset);
    int error = errno;
    bool is_nothing = error == ENOSPC || error == EINTR;
    return half_written(error, is_nothing ? 0 : env_linux_disk.pwrite(fd, bytes, (size + 1) / 2, offset));
}

static int faulty_fsync(int fd)
{
    return strikes(CALL_SYNC, "fsync") ? -1 : env_linux_disk.fsync(fd);
}

static int faulty_fdatasync(int fd)
{
    if (strikes(CALL_SYNC, "fdatasync"))
        return -1;
    if (watcher != NULL)
        watcher->sync(path_of(fd));
    return env_linux_disk.fdatasync(fd);
}

static int faulty_ftruncate(int fd, off_t size)
{
    if (strikes(CALL_TRUNCATE, "ftruncate"))
        return -1;
    if (watcher != NULL)
        watcher->truncate(path_of(fd), (uint64_t)size);
    return env_linux_disk.ftruncate(fd, size);
}

static void *faulty_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return strikes(CALL_MAP, "mmap") ? MAP_FAILED
                                     : env_linux_disk.mmap(at, size, protection, flags, fd, offset);
}

static ssize_t faulty_readlink(const char *path, char *ret_target, size_t size)
{
    return strikes(CALL_LOOK, "readlink") ? -1 : env_linux_disk.readlink(path, ret_target, size);
}

/* That a lock is given back does not fail: nobody could do anything about it. */
static int faulty_flock_range(int fd, int command, struct flock *range)
{
    if (range->l_type != F_UNLCK && strikes(CALL_LOCK, "fcntl"))
        return -1;
    return env_linux_disk.flock_range(fd, command, range);
}

/* A call that is done or not: faulty_NAME(parameters) passes `arguments` on. */
#define PLAIN(name, call, parameters, arguments)                                                             \
    static int faulty_##name parameters                                                                      \
    {                                                                                                        \
        return strikes((call), #name) ? -1 : env_linux_disk.name arguments;                                  \
    }

PLAIN(fstat, CALL_LOOK, (int fd, struct stat *ret_about), (fd, ret_about))
PLAIN(stat, CALL_LOOK, (const char *path, struct stat *ret_about), (path, ret_about))
PLAIN(lstat, CALL_LOOK, (const char *path, struct stat *ret_about), (path, ret_about))
PLAIN(access, CALL_LOOK, (const char *path, int mode), (path, mode))
PLAIN(fchmod, CALL_NAME, (int fd, mode_t mode), (fd, mode))
PLAIN(flock, CALL_LOCK, (int fd, int operation), (fd, operation))
PLAIN(mkdir, CALL_NAME, (const char *path, mode_t mode), (path, mode))
PLAIN(rmdir, CALL_UNLINK, (const char *path), (path))
PLAIN(rename, CALL_NAME, (const char *from, const char *to), (from, to))
PLAIN(unlink, CALL_UNLINK, (const char *path), (path))

void disk_faults_install(void)
{
    static struct env_disk disk;
    disk = env_linux_disk; /* what is not replaced here cannot fail */
    disk.open = faulty_open;
    disk.close = faulty_close;
    disk.read = faulty_read;
    disk.write = faulty_write;
    disk.pread = faulty_pread;
    disk.pwrite = faulty_pwrite;
    disk.fsync = faulty_fsync;
    disk.fdatasync = faulty_fdatasync;
    disk.ftruncate = faulty_ftruncate;
    disk.fstat = faulty_fstat;
    disk.fchmod = faulty_fchmod;
    disk.flock = faulty_flock;
    disk.flock_range = faulty_flock_range;
    disk.mmap = faulty_mmap;
    disk.stat = faulty_stat;
    disk.lstat = faulty_lstat;
    disk.access = faulty_access;
    disk.readlink = faulty_readlink;
    disk.mkdir = faulty_mkdir;
    disk.rmdir = faulty_rmdir;
    disk.rename = faulty_rename;
    disk.unlink = faulty_unlink;
    store_relaxed(&open_files, 0);
    disk_faults_arm(DISK_IS_SOUND, FAULTS_ONCE, 0);
    env_disk_set(&disk);
}

void disk_faults_remove(void)
{
    env_disk_set(NULL);
}
