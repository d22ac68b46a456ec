/* SPDX-License-Identifier: MIT */
/*
 * status.h: the one error vocabulary. A single list makes the codes, the names and the texts (as libuv's
 * uv.h does), so that they cannot drift apart. Codes are stable: new ones are added at the end.
 */
#ifndef TROUPE_STATUS_H
#define TROUPE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/** The list: X(NAME, number, "text"). The text completes the sentence "it could not be done: ...". */
#define TROUPE_STATUS_LIST(X)                                                                                \
    X(OK, 0, "ok")                                                                                           \
    X(NO_MEMORY, 1, "out of memory")                                                                         \
    X(INVALID, 2, "an argument is not valid")                                                                \
    X(FULL, 3, "the mailbox is full")                                                                        \
    X(NO_ACTOR, 4, "no such actor: it has ended or never was")                                               \
    X(UNEXPECTED, 5, "the message is not one this actor understands")                                        \
    X(TIMEOUT, 6, "the time is over")                                                                        \
    X(TOO_LARGE, 7, "larger than the limit")                                                                 \
    X(NAME_TAKEN, 8, "the name belongs to another actor")                                                    \
    X(STOPPING, 9, "the system is stopping")                                                                 \
    X(IN_HANDLER, 10, "not allowed inside a handler: it would block a worker")                               \
    X(MALFORMED, 11, "the bytes are not a well-formed message")                                              \
    X(IO, 12, "an input or output error")                                                                    \
    X(CONFLICT, 13, "somebody else wrote first")                                                             \
    X(CORRUPT, 14, "stored data fails its checksum")                                                         \
    X(SHUTDOWN, 15, "stopped in order by its supervisor or the system")                                      \
    X(KILLED, 16, "killed: it did not stop within its deadline")                                             \
    X(FAILED, 17, "the handler reported a failure")                                                          \
    X(INTENSITY, 18, "too many restarts within the period")                                                  \
    X(LIMIT, 19, "a named limit is reached")                                                                 \
    X(EXPIRED, 20, "the deadline of the message had passed")                                                 \
    X(NOT_FOUND, 21, "not found")                                                                            \
    X(END, 22, "there is no more")                                                                           \
    X(STASHED, 23, "kept for later")                                                                         \
    X(DEADLOCK, 24, "it would be waited for by the one that it waits for")                                   \
    X(RUNNING, 25, "it is running")

/** What a call answers; TROUPE_OK is 0. */
typedef enum troupe_status {
#define TROUPE_STATUS_ENUM(name, number, text) TROUPE_##name = number,
    TROUPE_STATUS_LIST(TROUPE_STATUS_ENUM)
#undef TROUPE_STATUS_ENUM
} troupe_status;

/** Marks results that must be looked at. */
#define TROUPE_MUST_CHECK __attribute__((warn_unused_result))

/** Marks the symbols that the shared library offers. */
#define TROUPE_API __attribute__((visibility("default")))

/* A cast that neither language warns of. */
#ifdef __cplusplus
#define TROUPE__CAST(type, value) static_cast<type>(value)
#else
#define TROUPE__CAST(type, value) ((type)(value))
#endif

/** The text of a status in English, never NULL; an unknown code has a text that says so. Any thread. */
TROUPE_API const char *troupe_status_text(troupe_status status);

/** The name of a status as written in code, "TROUPE_FULL"; never NULL. Any thread. */
TROUPE_API const char *troupe_status_name(troupe_status status);

#ifdef __cplusplus
}
#endif

#endif
