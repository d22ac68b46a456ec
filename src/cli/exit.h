/* SPDX-License-Identifier: MIT */
/*
 * exit.h: how the `troupe` program ends. One list makes the codes, the table that `troupe help` prints and
 * what the manual page says (a test compares them), so that they cannot drift apart. From 64 to 78 the
 * numbers are those of BSD's sysexits.h; 126 is what a shell says of a command that it cannot run.
 *
 * Place: every verb ends with one of these; main returns it. A script may rely on them: a number never
 * changes its meaning.
 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

/** The list: X(NAME, number, "text"). */
#define CLI_EXIT_LIST(X)                                                                                     \
    X(OK, 0, "done")                                                                                         \
    X(FAILED, 1, "refused, or it failed; standard error says what and why")                                  \
    X(USAGE, 2, "the command line or a setting is wrong")                                                    \
    X(EMPTY, 3, "next: nothing waits")                                                                       \
    X(DATA, 65, "the content of an input file is wrong; standard error says in which line")                  \
    X(INPUT, 66, "an input file cannot be read")                                                             \
    X(UNREACHABLE, 69, "the server cannot be reached")                                                       \
    X(AGAIN, 75, "not this time: the mailbox is full or the server is stopping; try again later")            \
    X(PROTOCOL, 76, "the answer makes no sense: the address is perhaps not that of a troupe server")         \
    X(NOT_ALLOWED, 77, "no token, or one that does not allow this")                                          \
    X(UNFIT, 126, "webhook: no good secret, address or option, or nothing more is wanted there")

/** How the program ends; CLI_OK is 0. */
enum cli_exit {
#define CLI_EXIT_ENUM(name, number, text) CLI_##name = number,
    CLI_EXIT_LIST(CLI_EXIT_ENUM)
#undef CLI_EXIT_ENUM
};

#endif
