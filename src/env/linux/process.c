/* SPDX-License-Identifier: MIT */
/*
 * process.c: see process.h. fork and exec rather than posix_spawn, for the three things that this cannot do:
 * die with the parent, close what the parent forgot to mark, and say why exec failed.
 *
 *     parent: pipe, fork ........................ read: EOF, it runs | an errno, reap it
 *     child:          group, death, descriptors, exec | write errno, _exit
 *
 * Between fork and exec only what POSIX calls async-signal-safe runs, since the parent may have threads.
 */
#include "env/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "env/disk.h"
#include "env/env.h"

enum {
    EXEC_FAILED = 127,
    FIRST_FREE_FD = 3, /* above the standard ones */
};

/* --- finding ------------------------------------------------------------------------------------ */

static bool is_program(const char *file)
{
    struct stat about;
    if (stat(file, &about) != 0)
        return false;
    if (!S_ISREG(about.st_mode)) {
        errno = EACCES;
        return false;
    }
    return access(file, X_OK) == 0;
}

troupe_status env_process_find(const char *name, const char *path, char *ret_file)
{
    int why = ENOENT;
    if (strchr(name, '/') != NULL) {
        if (strlen(name) >= ENV_PROCESS_FILE_MAX)
            return TROUPE_TOO_LARGE;
        memcpy(ret_file, name, strlen(name) + 1);
        return is_program(name) ? TROUPE_OK : TROUPE_IO;
    }
    while (*name != '\0' && *path != '\0') {
        size_t len = strcspn(path, ":");
        int size = snprintf(ret_file, ENV_PROCESS_FILE_MAX, "%.*s/%s", len > 0 ? (int)len : 1,
                            len > 0 ? path : ".", name);
        if (size > 0 && (size_t)size < ENV_PROCESS_FILE_MAX && is_program(ret_file))
            return TROUPE_OK;
        if (errno == EACCES) /* there is one; a better one may come */
            why = EACCES;
        path += len + (path[len] == ':');
    }
    errno = why;
    return TROUPE_IO;
}

/* --- starting ----------------------------------------------------------------------------------- */

/* The child's three descriptors. They are lifted first, lest one be overwritten before it is used. */
static bool take_descriptors(const int fds[3])
{
    int lifted[3];
    for (int i = 0; i < 3; i++) {
        lifted[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
        if (lifted[i] < 0)
            return false;
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(lifted[i], i) < 0)
            return false;
    }
    return true;
}

/* In the child, up to the program itself. */
static void become(const struct env_process_spec *spec, pid_t parent, int failed_fd)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &usual, NULL); /* two of them cannot be, and need not */
    bool is_ready = setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                    take_descriptors(spec->fds) && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
    if (getppid() != parent) /* it died before we asked to be told */
        _exit(EXEC_FAILED);
    if (is_ready) {
        /* An old kernel has no such call; then what is marked is closed, and that is all of ours. */
        (void)close_range(FIRST_FREE_FD, ~0u, CLOSE_RANGE_CLOEXEC);
        execve(spec->file, spec->arguments, spec->environment);
    }
    int why = errno;
    ssize_t put = write(failed_fd, &why, sizeof(why));
    (void)put;
    _exit(EXEC_FAILED);
}

/* What the child says before it becomes the program; 0 when it has become it. */
static int failure_of(int fd)
{
    int why = 0;
    ssize_t got;
    do {
        got = read(fd, &why, sizeof(why));
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(why) ? why : 0;
}

troupe_status env_process_start(const struct env_process_spec *spec, int *ret_id)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return TROUPE_IO;
    pid_t parent = getpid();
    pid_t id = fork();
    if (id == 0)
        become(spec, parent, fds[1]);
    int why = errno;
    close(fds[1]);
    if (id > 0)
        why = failure_of(fds[0]);
    close(fds[0]);
    if (id > 0 && why == 0) {
        *ret_id = (int)id;
        return TROUPE_OK;
    }
    while (id > 0 && waitpid(id, NULL, 0) < 0 && errno == EINTR)
        continue;
    errno = why;
    return TROUPE_IO;
}

/* --- while it runs ------------------------------------------------------------------------------ */

bool env_process_ended(int id, struct env_process_end *ret_end)
{
    siginfo_t info = {0};
    int failed;
    do { /* it stays, so that nobody else gets its number while its group is still to be signalled */
        failed = waitid(P_PID, (id_t)id, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (failed && errno == EINTR);
    ASSERT(!failed); /* it is ours, and was not forgotten yet */
    if (info.si_pid == 0)
        return false;
    bool is_by_itself = info.si_code == CLD_EXITED;
    *ret_end = (struct env_process_end){
        .status = is_by_itself ? info.si_status : 0,
        .signal = is_by_itself ? 0 : info.si_status,
    };
    return true;
}

void env_process_signal(int id, int number)
{
    ASSERT(id > 1);
    (void)kill(-id, number); /* nobody may be left in it */
}

void env_process_forget(int id)
{
    env_process_signal(id, SIGKILL);
    while (waitpid(id, NULL, 0) < 0 && errno == EINTR)
        continue;
}

const char *env_signal_name(int number, char ret_name[16])
{
    const char *abbreviation = sigabbrev_np(number);
    if (abbreviation != NULL)
        snprintf(ret_name, 16, "SIG%s", abbreviation);
    else
        snprintf(ret_name, 16, "signal %d", number & 0x7f);
    return ret_name;
}

/* --- descriptors for it ------------------------------------------------------------------------- */

troupe_status env_pipe(int *ret_read_fd, int *ret_write_fd)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return TROUPE_IO;
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) {
        int why = errno;
        close(fds[0]);
        close(fds[1]);
        errno = why;
        return TROUPE_IO;
    }
    *ret_read_fd = fds[0];
    *ret_write_fd = fds[1];
    return TROUPE_OK;
}

troupe_status env_bytes_fd(const void *bytes, size_t size, int *ret_fd)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    if (fd < 0)
        return TROUPE_IO;
    if (!env_file_write(fd, bytes, size) || lseek(fd, 0, SEEK_SET) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return TROUPE_IO;
    }
    *ret_fd = fd;
    return TROUPE_OK;
}
