/* SPDX-License-Identifier: MIT */
/*
 * datadir.c: making and reading the data folder of datadir.h. Main thread, once at the start.
 */
#include "server/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static troupe_status failed(char *ret_why, const char *what, const char *path)
{
    snprintf(ret_why, DATADIR_WHY_SIZE, "%s %s: %s", what, path, strerror(errno));
    return TROUPE_IO;
}

/* Makes the folder, and those above it that are missing: each step of the path in turn. */
static bool make_folder(const char *path)
{
    char step[PATH_MAX];
    size_t len = strlen(path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(step, path, i);
        step[i] = '\0';
        if (mkdir(step, 0700) != 0 && errno != EEXIST)
            return false;
    }
    struct stat found;
    if (stat(path, &found) != 0)
        return false;
    errno = ENOTDIR;
    return S_ISDIR(found.st_mode);
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_synced = fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return is_synced;
}

/*
 * Writes the token's file so that it is whole or not there: under another name first, on the disk, then in
 * its place.
 */
static bool write_token(const char *folder, const struct datadir *datadir)
{
    char draft[PATH_MAX + 8];
    snprintf(draft, sizeof draft, "%s.new", datadir->token_path);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    char line[TOKEN_TEXT_SIZE + 1];
    int size = snprintf(line, sizeof line, "%s\n", datadir->token);
    bool is_written =
        fchmod(fd, 0600) == 0 && write(fd, line, (size_t)size) == (ssize_t)size && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0)
        is_written = false;
    else
        errno = error;
    return is_written && rename(draft, datadir->token_path) == 0 && sync_folder(folder);
}

/* Reads the token's file. TROUPE_NOT_FOUND: there is none. */
static troupe_status read_token(struct datadir *datadir, char *ret_why)
{
    int fd = open(datadir->token_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? TROUPE_NOT_FOUND : failed(ret_why, "cannot read", datadir->token_path);
    char text[TOKEN_TEXT_SIZE + 2];
    ssize_t size = read(fd, text, sizeof text);
    if (size < 0) {
        troupe_status status = failed(ret_why, "cannot read", datadir->token_path);
        close(fd);
        return status;
    }
    close(fd);
    size_t len = (size_t)size;
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len != TOKEN_TEXT_LEN || memchr(text, '\n', len) != NULL || memchr(text, '\0', len) != NULL) {
        snprintf(ret_why, DATADIR_WHY_SIZE, "%s does not hold a token; take it away, and a new one is made",
                 datadir->token_path);
        return TROUPE_INVALID;
    }
    memcpy(datadir->token, text, len);
    datadir->token[len] = '\0';
    return TROUPE_OK;
}

troupe_status datadir_open(const char *path, struct datadir *ret_datadir, char *ret_why)
{
    struct datadir datadir;
    char folder[PATH_MAX];
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len == 0 || len > DATADIR_PATH_MAX) {
        snprintf(ret_why, DATADIR_WHY_SIZE, "the path of the data folder is %s",
                 len == 0 ? "empty" : "too long");
        return TROUPE_INVALID;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    snprintf(datadir.journal_path, sizeof datadir.journal_path, "%.*s/troupe.db", DATADIR_PATH_MAX, folder);
    snprintf(datadir.token_path, sizeof datadir.token_path, "%.*s/token", DATADIR_PATH_MAX, folder);
    if (!make_folder(folder))
        return failed(ret_why, "cannot make the data folder", folder);
    troupe_status status = read_token(&datadir, ret_why);
    if (status == TROUPE_NOT_FOUND) {
        token_make(datadir.token);
        if (!write_token(folder, &datadir))
            return failed(ret_why, "cannot write", datadir.token_path);
        status = TROUPE_OK;
    }
    if (status == TROUPE_OK)
        *ret_datadir = datadir;
    return status;
}
