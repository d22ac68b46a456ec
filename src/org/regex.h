/* SPDX-License-Identifier: MIT */
/*
 * regex.h: regular expressions on paths, the N: lines of the kernel's MAINTAINERS file. There they are
 * Perl's; here they are POSIX extended ones from libc, after translating what Perl writes differently and is
 * in use:
 *
 *     \s \S \d \D \w \W, also inside brackets     to the POSIX classes
 *     (?: )                                       to a plain group; we only ask whether it matches
 *     *? +? ??                                    to the greedy form; the same paths match
 *     \. \/ \- and other punctuation              kept or freed of the backslash
 *
 * What has no counterpart (look-around, back-references, named groups, \b and the other assertions, escapes
 * of control characters) is refused with a reason, as is anything whose matching could be made expensive: a
 * repetition {n} above ORG_PATTERN_REPEAT_MAX, one inside another, groups deeper than
 * ORG_PATTERN_NESTING_MAX. No locale is consulted that the program did not set; troupe sets none.
 *
 * Most expressions hold a literal text that a path must contain ("bcm[9]?47622" holds 47622); it is found at
 * compile time and looked for first, because a search for a text is a hundred times cheaper than libc's
 * matcher. An expression that is such a text and nothing more never needs the matcher.
 *
 * Place: a leaf of org, used by pattern. A compiled expression is immutable: any thread may match.
 */
#ifndef ORG_REGEX_H
#define ORG_REGEX_H

#include <stdbool.h>

#include <troupe/status.h>

/** A compiled regular expression. */
struct org_regex;

/** Compiles. TROUPE_INVALID with a constant reason in English, or TROUPE_NO_MEMORY. */
TROUPE_MUST_CHECK troupe_status org_regex_new(const char *text, struct org_regex **ret_regex,
                                              const char **ret_reason);

/** Frees; NULL is good. */
void org_regex_free(struct org_regex *regex);

/** Whether some part of `text` matches. */
bool org_regex_matches(const struct org_regex *regex, const char *text);

/** The literal text that every match contains, "" when none is known; for tests and explanations. */
const char *org_regex_literal(const struct org_regex *regex);

#endif
