/* SPDX-License-Identifier: MIT */
/*
 * messages.h: what the actors of the server say to each other, in one place, so that a reader can follow a
 * request through them. Who answers what stands with each question; every question may also be answered with
 * a `denied`.
 *
 * Place: http asks the directory and the desks; desks and http ask roles; roles ask each other and the
 * journal's writer.
 */
#ifndef SERVER_MESSAGES_H
#define SERVER_MESSAGES_H

#include <troupe.h>

/** No, and why: a problem (problem.h) on its way to the caller. */
#define DENIED(F) F(u32, kind) F(u64, retry_after_ms) F(text, detail)
TROUPE_MESSAGE(denied, DENIED)

/**
 * To the directory: whose token has this hash, and may it act as `as` ("": as itself)? Answer: caller_known.
 */
#define CALLER_CHECK(F) F(bytes, hash) F(text, as)
TROUPE_MESSAGE(caller_check, CALLER_CHECK)

#define CALLER_KNOWN(F)                                                                                      \
    F(text, actor) F(text, through) F(bool, is_administrator) F(bool, is_program) F(ref, desk)
TROUPE_MESSAGE(caller_known, CALLER_KNOWN)

#endif
