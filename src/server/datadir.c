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

#include "env/disk.h"

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
        if (env_disk()->mkdir(step, 0700) != 0 && errno != EEXIST)
            return false;
    }
    struct stat found;
    if (env_disk()->stat(path, &found) != 0)
        return false;
    errno = ENOTDIR;
    return S_ISDIR(found.st_mode);
}

/*
 * Writes the token's file so that it is whole or not there: under another name first, on the disk, then in
 * its place.
 */
static bool write_token(const char *folder, const struct datadir *datadir)
{
    char draft[PATH_MAX + 8];
    snprintf(draft, sizeof draft, "%s.new", datadir->token_path);
    int fd = env_file_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    char line[TOKEN_TEXT_SIZE + 1];
    int size = snprintf(line, sizeof line, "%s\n", datadir->token);
    bool is_written =
        env_disk()->fchmod(fd, 0600) == 0 && env_file_write(fd, line, (size_t)size) && env_file_sync(fd);
    is_written &= env_file_close(fd);
    return is_written && env_disk()->rename(draft, datadir->token_path) == 0 && env_folder_sync(folder);
}

/* Reads the token's file. TROUPE_NOT_FOUND: there is none. */
static troupe_status read_token(struct datadir *datadir, char *ret_why)
{
    char text[TOKEN_TEXT_SIZE + 2];
    ssize_t size = env_file_load(datadir->token_path, text, sizeof text);
    if (size < 0)
        return errno == ENOENT ? TROUPE_NOT_FOUND : failed(ret_why, "cannot read", datadir->token_path);
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
