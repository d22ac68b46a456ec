/* SPDX-License-Identifier: MIT */
/*
 * vfs.c: SQLite's unix VFS on env_disk(); vfs.h says what for.
 *
 *   SQLite -> unix VFS: locks, shared memory, short counts, EINTR -> its table of system calls -> env_disk()
 *               ^
 *               +-- some of its methods are ours
 *
 * The table (xSetSystemCall) has every call but two: fdatasync, of a file and of its folder, which the unix
 * VFS makes directly. So a file keeps its methods but xSync, xRead, xShmLock and xShmMap, and a log but
 * xWrite, in a table of its own, and the VFS keeps its methods but xOpen, which changes the file's, xDelete,
 * which syncs a folder, xAccess and xSleep.
 *
 * Invariants
 *   1. A sync is asked for once. What it answers is final: after a failed one the pages it was about may be
 *      gone from memory and not be on the disk, and a second would say that all is well.
 *   2. A log or rollback journal is not synced unless its name is: before the first sync of one that SQLite
 *      may have made, its folder is synced. The unix VFS does so too, but asks for its data only, and passes
 *      over a failure.
 *   3. A file is missing only if the system says so. The unix VFS takes any failure to look at one for its
 *      absence: a rollback journal that must be played back would be passed over.
 *   4. A disk that cannot be read is no damaged file, as which SQLite reports EIO (SQLITE_IOERR_CORRUPTFS).
 *   5. A lock that cannot be had because the disk fails is not waited for, as if somebody else had it.
 *   6. A file that is to be written is not opened for reading only because the first attempt failed.
 *   7. What makes a log longer in advance is a write as any other: when it fails, nothing is written after
 *      it.
 *
 * Threads: any; the failure that is kept is the thread's own.
 */
#include "journal/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "env/disk.h"
#include "env/env.h"
#include "journal/file.h"

/* What we keep of an open file, behind SQLite's own part of it. */
struct vfs_file {
    sqlite3_io_methods methods;      /* the file's, with some of ours */
    const sqlite3_io_methods *under; /* those of the unix VFS */
    const char *path;                /* SQLite keeps it until the file is closed; NULL: it is temporary */
    off_t log_size;                  /* up to here a log is known to be there; see write_log */
    int fd;                          /* -1: not asked for yet; see descriptor_of */
    bool is_name_due;                /* invariant 2 */
};

enum {
    ALIGNMENT = 16,
    US_PER_MS = 1000,
    ZEROS_SIZE = 32768,
};

static sqlite3_vfs *under;
static sqlite3_vfs ours;
static bool is_known; /* written once, by make_known */

/* --- the reason of a failure ------------------------------------------------------------------ */

/*
 * The first call of this thread that failed since the last forgetting; number 0: none did. The first one is
 * the reason; what SQLite tries after it, as opening a file for reading only, may fail for other reasons.
 */
static _Thread_local struct {
    const char *call;
    int number;
    char path[FILE_PATH_SIZE];
} failure;

/* The descriptor that SQLite asked the size of last, on this thread: see descriptor_of. */
static _Thread_local int asked_fd;

/* Why the last lock of this thread could not be had. */
static _Thread_local bool is_locked_by_other;

void vfs_forget(void)
{
    failure.number = 0;
}

bool vfs_has_failed(void)
{
    return failure.number != 0;
}

static void fail(const char *call, const char *path)
{
    if (failure.number != 0)
        return;
    failure.call = call;
    failure.number = errno;
    snprintf(failure.path, sizeof failure.path, "%s", path);
}

static void fail_fd(const char *call, int fd)
{
    char path[FILE_PATH_SIZE];
    int number = errno;
    env_disk()->name(fd, path, sizeof path);
    errno = number;
    fail(call, path);
}

__attribute__((format(printf, 2, 3))) static void add(struct journal_error *error, const char *format, ...)
{
    size_t len = strlen(error->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text + len, sizeof error->text - len, format, arguments);
    va_end(arguments);
}

void vfs_explain(sqlite3 *db, struct journal_error *ret_error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ret_error->text, sizeof ret_error->text, format, arguments);
    va_end(arguments);
    if (db == NULL) {
        add(ret_error, ": out of memory");
        return;
    }
    int code = sqlite3_extended_errcode(db);
    int kind = code & 0xff;
    bool is_error = kind != SQLITE_OK && kind != SQLITE_ROW && kind != SQLITE_DONE;
    if (is_error) /* otherwise the words that SQLite has for it came as an answer */
        add(ret_error, ": %s (SQLite %d)", sqlite3_errmsg(db), code);
    if (failure.number != 0)
        add(ret_error, ": %s of %s: %s", failure.call, failure.path, strerror(failure.number));
}

/* --- the table of system calls ---------------------------------------------------------------- */

/* What a call on a descriptor answered; EINTR is no failure, as it is made again. */
static ssize_t checked_fd(ssize_t result, const char *call, int fd)
{
    if (result < 0 && errno != EINTR)
        fail_fd(call, fd);
    return result;
}

/* What a call on a path answered; that there is none is an answer. */
static int checked(int result, const char *call, const char *path)
{
    if (result < 0 && errno != EINTR && errno != ENOENT)
        fail(call, path);
    return result;
}

static int call_open(const char *path, int flags, int mode)
{
    int fd = env_disk()->open(path, flags, (mode_t)mode);
    if (fd < 0 && errno != EINTR)
        fail("open", path);
    return fd;
}

static int call_close(int fd)
{
    return env_disk()->close(fd); /* SQLite closes what it has synced, or does not need */
}

static int call_access(const char *path, int mode)
{
    return checked(env_disk()->access(path, mode), "access", path);
}

static int call_stat(const char *path, struct stat *ret_about)
{
    return checked(env_disk()->stat(path, ret_about), "stat", path);
}

static int call_lstat(const char *path, struct stat *ret_about)
{
    return checked(env_disk()->lstat(path, ret_about), "lstat", path);
}

static int call_fstat(int fd, struct stat *ret_about)
{
    asked_fd = fd;
    return (int)checked_fd(env_disk()->fstat(fd, ret_about), "fstat", fd);
}

static int call_ftruncate(int fd, off_t size)
{
    return (int)checked_fd(env_disk()->ftruncate(fd, size), "ftruncate", fd);
}

/* SQLite locks with it; what else it would do, on systems that know no O_CLOEXEC, it can do without. */
static int call_fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    struct flock *range = va_arg(arguments, struct flock *);
    va_end(arguments);
    errno = EINVAL;
    if (command != F_SETLK && command != F_GETLK && command != F_SETLKW)
        return -1;
    int result;
    do { /* SQLite would take an interruption for a failure, or for somebody else's lock */
        result = env_disk()->flock_range(fd, command, range);
    } while (result < 0 && errno == EINTR);
    is_locked_by_other = result < 0 && (errno == EAGAIN || errno == EACCES);
    if (result < 0 && !is_locked_by_other)
        fail_fd("fcntl", fd);
    return result;
}

static ssize_t call_read(int fd, void *bytes, size_t size)
{
    return checked_fd(env_disk()->read(fd, bytes, size), "read", fd);
}

static ssize_t call_pread(int fd, void *bytes, size_t size, off_t offset)
{
    return checked_fd(env_disk()->pread(fd, bytes, size, offset), "pread", fd);
}

static ssize_t call_write(int fd, const void *bytes, size_t size)
{
    return checked_fd(env_disk()->write(fd, bytes, size), "write", fd);
}

static ssize_t call_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return checked_fd(env_disk()->pwrite(fd, bytes, size, offset), "pwrite", fd);
}

static int call_fchmod(int fd, mode_t mode)
{
    return (int)checked_fd(env_disk()->fchmod(fd, mode), "fchmod", fd);
}

static int call_unlink(const char *path)
{
    return checked(env_disk()->unlink(path), "unlink", path);
}

static int call_mkdir(const char *path, mode_t mode)
{
    return checked(env_disk()->mkdir(path, mode), "mkdir", path);
}

static int call_rmdir(const char *path)
{
    return checked(env_disk()->rmdir(path), "rmdir", path);
}

static ssize_t call_readlink(const char *path, char *ret_target, size_t size)
{
    return env_disk()->readlink(path, ret_target, size);
}

static void *call_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *memory = env_disk()->mmap(at, size, protection, flags, fd, offset);
    if (memory == MAP_FAILED)
        fail_fd("mmap", fd);
    return memory;
}

static int call_munmap(void *at, size_t size)
{
    return env_disk()->munmap(at, size);
}

/*
 * Those that have to do with files. Others, as getpagesize and geteuid, are of the process; mremap is not
 * used without memory-mapped reads, which sqlite_open.c switches off, and openDirectory goes through open.
 */
static const struct {
    const char *name;
    sqlite3_syscall_ptr call;
} calls[] = {
    {"open", (sqlite3_syscall_ptr)call_open},           {"close", (sqlite3_syscall_ptr)call_close},
    {"access", (sqlite3_syscall_ptr)call_access},       {"stat", (sqlite3_syscall_ptr)call_stat},
    {"lstat", (sqlite3_syscall_ptr)call_lstat},         {"fstat", (sqlite3_syscall_ptr)call_fstat},
    {"ftruncate", (sqlite3_syscall_ptr)call_ftruncate}, {"fcntl", (sqlite3_syscall_ptr)call_fcntl},
    {"read", (sqlite3_syscall_ptr)call_read},           {"pread64", (sqlite3_syscall_ptr)call_pread},
    {"write", (sqlite3_syscall_ptr)call_write},         {"pwrite64", (sqlite3_syscall_ptr)call_pwrite},
    {"fchmod", (sqlite3_syscall_ptr)call_fchmod},       {"unlink", (sqlite3_syscall_ptr)call_unlink},
    {"mkdir", (sqlite3_syscall_ptr)call_mkdir},         {"rmdir", (sqlite3_syscall_ptr)call_rmdir},
    {"readlink", (sqlite3_syscall_ptr)call_readlink},   {"mmap", (sqlite3_syscall_ptr)call_mmap},
    {"munmap", (sqlite3_syscall_ptr)call_munmap},
};

/* --- what the table does not have ------------------------------------------------------------- */

/* Where our part of an open file begins, behind SQLite's. */
static size_t ours_at(void)
{
    return ((size_t)under->szOsFile + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct vfs_file *ours_of(sqlite3_file *file)
{
    return (struct vfs_file *)(void *)((char *)file + ours_at());
}

/*
 * SQLite keeps a file's descriptor to itself; but when it tells the size, it asks fstat. It is asked for
 * once: it stays as long as the file is open, and an fstat is not for nothing. Linux (since 6.13) gives a
 * file that was looked at a finer time of change with the next write, which the next sync takes half as long
 * again for.
 */
static int descriptor_of(sqlite3_file *file)
{
    struct vfs_file *mine = ours_of(file);
    sqlite3_int64 unused;
    asked_fd = -1;
    if (mine->fd < 0 && mine->under->xFileSize(file, &unused) == SQLITE_OK)
        mine->fd = asked_fd;
    return mine->fd;
}

static bool sync_folder_of(const char *path)
{
    char folder[FILE_PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", path);
    if (env_folder_sync(dirname(folder)))
        return true;
    fail("fsync of the folder", path);
    return false;
}

static int sync_file(sqlite3_file *file, int flags)
{
    (void)flags; /* of interest on systems with more than one kind of sync */
    struct vfs_file *mine = ours_of(file);
    if (mine->is_name_due && !sync_folder_of(mine->path))
        return SQLITE_IOERR_DIR_FSYNC;
    mine->is_name_due = false;
    int fd = descriptor_of(file);
    if (fd < 0)
        return SQLITE_IOERR_FSTAT;
    if (env_disk()->fdatasync(fd) == 0)
        return SQLITE_OK;
    fail_fd("fdatasync", fd);
    return SQLITE_IOERR_FSYNC;
}

static int read_file(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    int result = ours_of(file)->under->xRead(file, bytes, size, offset);
    return result == SQLITE_IOERR_CORRUPTFS ? SQLITE_IOERR_READ : result;
}

static bool lay_zeros(int fd, off_t from, off_t to)
{
    static const char zeros[ZEROS_SIZE];
    while (from < to) {
        size_t size = to - from < ZEROS_SIZE ? (size_t)(to - from) : (size_t)ZEROS_SIZE;
        ssize_t written = call_pwrite(fd, zeros, size, from);
        if (written == 0) /* as SQLite has it */
            errno = ENOSPC;
        if (written > 0)
            from += written;
        else if (written == 0 || errno != EINTR)
            return false;
    }
    return true;
}

/*
 * A sync of a file that became longer has to write down its length too, and takes twice as long. So a log is
 * made longer by more than is needed, with zeros, which SQLite takes for what is behind a log's end: their
 * salt is not the log's. Whoever writes to a log has its lock: nobody else makes it longer meanwhile. It
 * begins anew with its header; only before that can somebody have made it shorter.
 */
static int write_log(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    struct vfs_file *mine = ours_of(file);
    off_t end = offset + size;
    struct stat about;
    int result = mine->under->xWrite(file, bytes, size, offset);
    if (offset == 0)
        mine->log_size = 0;
    if (result != SQLITE_OK || end <= mine->log_size)
        return result;
    int fd = descriptor_of(file);
    if (fd < 0 || call_fstat(fd, &about) != 0)
        return SQLITE_IOERR_FSTAT;
    mine->log_size = about.st_size;
    if (about.st_size > end)
        return SQLITE_OK;
    mine->log_size = (end + VFS_LOG_GROWTH - 1) / VFS_LOG_GROWTH * VFS_LOG_GROWTH;
    if (lay_zeros(fd, end, mine->log_size))
        return SQLITE_OK;
    return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

/*
 * What can be busy: is_locked_by_other is true before, as it stays when another connection of this process
 * has the lock, for which the system is not asked.
 */
static int unless_broken(int result)
{
    return result == SQLITE_BUSY && !is_locked_by_other ? SQLITE_IOERR_SHMLOCK : result;
}

static int lock_shared(sqlite3_file *file, int offset, int count, int flags)
{
    is_locked_by_other = true;
    return unless_broken(ours_of(file)->under->xShmLock(file, offset, count, flags));
}

/* The first time it locks, too. */
static int map_shared(sqlite3_file *file, int page, int size, int is_to_grow, void volatile **ret_memory)
{
    is_locked_by_other = true;
    return unless_broken(ours_of(file)->under->xShmMap(file, page, size, is_to_grow, ret_memory));
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)vfs;
    struct vfs_file *mine = ours_of(file);
    int opened = 0;
    int result = under->xOpen(under, path, file, flags, &opened);
    if (result == SQLITE_OK && (flags & SQLITE_OPEN_READWRITE) != 0 && (opened & SQLITE_OPEN_READONLY) != 0) {
        file->pMethods->xClose(file);
        file->pMethods = NULL;
        return SQLITE_CANTOPEN;
    }
    if (file->pMethods == NULL)
        return result;
    if (ret_flags != NULL)
        *ret_flags = opened;
    int kinds = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    *mine = (struct vfs_file){
        .methods = *file->pMethods,
        .under = file->pMethods,
        .path = path,
        .fd = -1,
        .is_name_due = path != NULL && (flags & SQLITE_OPEN_CREATE) != 0 && (flags & kinds) != 0,
    };
    mine->methods.xRead = read_file;
    mine->methods.xSync = sync_file;
    if ((flags & SQLITE_OPEN_WAL) != 0)
        mine->methods.xWrite = write_log;
    mine->methods.xShmLock = lock_shared;
    mine->methods.xShmMap = map_shared;
    file->pMethods = &mine->methods;
    return result;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int is_to_last)
{
    (void)vfs;
    int result = under->xDelete(under, path, 0);
    if (result == SQLITE_OK && is_to_last && !sync_folder_of(path))
        return SQLITE_IOERR_DIR_FSYNC;
    return result;
}

static int has_file(sqlite3_vfs *vfs, const char *path, int what, int *ret_has)
{
    (void)vfs;
    struct stat about;
    if (what != SQLITE_ACCESS_EXISTS)
        return under->xAccess(under, path, what, ret_has);
    *ret_has = 0;
    if (call_stat(path, &about) != 0)
        return errno == ENOENT || errno == ENOTDIR ? SQLITE_OK : SQLITE_IOERR_ACCESS;
    *ret_has = !S_ISREG(about.st_mode) || about.st_size > 0; /* an empty one is as good as none */
    return SQLITE_OK;
}

static int sleep_us(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    int ms = (us + US_PER_MS - 1) / US_PER_MS;
    env_sleep_ms((uint32_t)ms);
    return ms * US_PER_MS;
}

static void make_known(void)
{
    if (sqlite3_initialize() != SQLITE_OK)
        return;
    under = sqlite3_vfs_find("unix");
    ASSERT(under != NULL);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        int result = under->xSetSystemCall(under, calls[i].name, calls[i].call);
        ASSERT(result == SQLITE_OK);
    }
    ours = *under; /* what is not replaced is given the VFS and does not look at it */
    ours.pNext = NULL;
    ours.zName = "troupe";
    ours.szOsFile = (int)(ours_at() + sizeof(struct vfs_file));
    ours.xOpen = open_file;
    ours.xDelete = delete_file;
    ours.xAccess = has_file;
    ours.xSleep = sleep_us;
    is_known = sqlite3_vfs_register(&ours, 0) == SQLITE_OK;
}

const char *vfs_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_known);
    return is_known ? ours.zName : NULL;
}
