/* SPDX-License-Identifier: MIT */
/*
 * journal_fault_vfs.c: a disk that fails once; journal_fault_vfs.h says how. One thread at a time.
 *
 * An open file is ours with the real one behind it in the same block. All methods but four pass on.
 */
#include "support/journal_fault_vfs.h"

#include <string.h>

#include <sqlite3.h>

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real;
    const char *path; /* SQLite keeps it until the file is closed */
};

static const struct fault_watcher *watcher;

void fault_vfs_watch(const struct fault_watcher *watching)
{
    watcher = watching;
}

static const char *path_of(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->path;
}

static struct {
    enum fault_kind kind;
    uint64_t left; /* calls of the kind until it fails; 0: not armed */
    uint64_t calls_after;
    bool is_fired;
} fault;

static sqlite3_vfs *real_vfs;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->real;
}

/* Whether this call is the one that fails. */
static bool is_failing(enum fault_kind kind)
{
    if (fault.is_fired) {
        fault.calls_after += kind != FAULT_READ;
        return false;
    }
    bool is_kind = kind == fault.kind || (kind == FAULT_WRITE && fault.kind == FAULT_FULL);
    if (!is_kind || fault.left == 0 || --fault.left > 0)
        return false;
    fault.is_fired = true;
    return true;
}

static int fault_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int fault_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    if (is_failing(FAULT_READ))
        return SQLITE_IOERR_READ;
    return real_of(file)->pMethods->xRead(real_of(file), bytes, size, offset);
}

static int fault_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    if (watcher != NULL)
        watcher->write(path_of(file), bytes, (size_t)size, (uint64_t)offset);
    if (!is_failing(FAULT_WRITE))
        return real->pMethods->xWrite(real, bytes, size, offset);
    if (fault.kind == FAULT_FULL)
        return SQLITE_FULL;
    real->pMethods->xWrite(real, bytes, size / 2, offset);
    return SQLITE_IOERR_WRITE;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    fault.calls_after += fault.is_fired;
    if (watcher != NULL)
        watcher->truncate(path_of(file), (uint64_t)size);
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int fault_sync(sqlite3_file *file, int flags)
{
    if (is_failing(FAULT_SYNC))
        return SQLITE_IOERR_FSYNC;
    if (watcher != NULL)
        watcher->sync(path_of(file));
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int fault_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int fault_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int fault_check_reserved(sqlite3_file *file, int *ret_is_locked)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_is_locked);
}

static int fault_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int fault_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int fault_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_memory)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret_memory);
}

static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void fault_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int fault_shm_unmap(sqlite3_file *file, int is_deleting)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), is_deleting);
}

/* Version 2: with shared memory for the log, without memory-mapped reads, which would go around xRead. */
static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_reserved,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_size,
    .xDeviceCharacteristics = fault_characteristics,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct fault_file *ours = (struct fault_file *)(void *)file;
    (void)vfs;
    ours->base.pMethods = NULL;
    ours->path = name;
    ours->real = (sqlite3_file *)(void *)(ours + 1);
    memset(ours->real, 0, (size_t)real_vfs->szOsFile);
    int result = real_vfs->xOpen(real_vfs, name, ours->real, flags, ret_flags);
    if (ours->real->pMethods != NULL)
        ours->base.pMethods = &fault_methods;
    return result;
}

static sqlite3_vfs fault_vfs;

void fault_vfs_install(enum fault_kind kind, uint64_t fail_at)
{
    if (real_vfs == NULL) {
        real_vfs = sqlite3_vfs_find(NULL);
        fault_vfs = *real_vfs; /* what is not a file's, as deleting, passes on by itself */
        fault_vfs.pNext = NULL;
        fault_vfs.zName = "fault";
        fault_vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
        fault_vfs.xOpen = fault_open;
    }
    sqlite3_vfs_register(&fault_vfs, 1);
    fault_vfs_arm(kind, fail_at);
}

void fault_vfs_arm(enum fault_kind kind, uint64_t fail_at)
{
    memset(&fault, 0, sizeof(fault));
    fault.kind = kind;
    fault.left = fail_at;
}

void fault_vfs_remove(void)
{
    if (real_vfs != NULL)
        sqlite3_vfs_register(real_vfs, 1);
}

bool fault_vfs_is_fired(void)
{
    return fault.is_fired;
}

uint64_t fault_vfs_calls_after(void)
{
    return fault.calls_after;
}
