/* SPDX-License-Identifier: MIT */
/*
 * maintainers.h: reads the Linux kernel's MAINTAINERS file, a registry of ownership that is in use: sections
 * are domains.
 *
 *     3C59X NETWORK DRIVER                     a title; the section ends at an empty line
 *     M:  Person 0001 <p0001@example.org>      who owns it, then the deputies, in order
 *     R:  ...                                  reviewers
 *     L:  netdev@vger.kernel.org               mailing lists
 *     S:  Odd Fixes                            status; "Orphan" means that nobody owns it
 *     F:  drivers/net/ethernet/3com/3c59x.c    path patterns (pattern.h); X: takes out
 *     N:  [^a-z]tegra                          a regular expression on the path
 *     K:  \bkretprobe\b                        one on the content, which is kept and not used
 *     B: C: P: Q: T: W:                        where bugs, talk, rules, patches, trees and pages are
 *
 * Every line ends up in the result or among the problems, with its number: nothing is dropped in silence.
 * What the kernel's own file says before its list (everything up to a line "Maintainers List" and its
 * underline, and a note in reStructuredText that begins with ".. ") is not part of it.
 *
 * Names. A domain, and the role that owns it, is called after the section's title (org_name_slug, cut to
 * leave room for a suffix). A person is called after the local part of the mail address; addresses that
 * differ only in capitals are one person. When a name is taken, the first free one of NAME-2, NAME-3... in
 * the order of the file is used, so that the same file always gives the same names.
 *
 * Place: the command line reads a file with it, and the directory takes the result as one command. Pure; any
 * one thread.
 */
#ifndef ORG_MAINTAINERS_H
#define ORG_MAINTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "org/limits.h"
#include <troupe/status.h>

/** Limits of a file. Problems beyond theirs are counted and not kept. */
enum {
    ORG_MAINTAINERS_SIZE_MAX = 64 * 1024 * 1024,
    ORG_MAINTAINERS_LINE_LEN_MAX = 1024,
    ORG_MAINTAINERS_SECTIONS_MAX = 100 * 1000,
    ORG_MAINTAINERS_PROBLEMS_MAX = 100,
};

/** No person. */
#define ORG_PERSON_NONE UINT32_MAX

/** One line "X: value" of a section. */
struct org_maintainers_line {
    char letter;
    uint32_t line;
    uint32_t person;   /* of M: and R:, else ORG_PERSON_NONE */
    const char *value; /* as written, without the spaces around it */
};

/** One section. Its lines are `lines[first_line]` and the following ones, in the order of the file. */
struct org_maintainers_section {
    const char *title;
    const char *name;   /* of the domain and of its role */
    const char *status; /* the value of the first S:, "" for none */
    uint32_t line;
    uint32_t first_line;
    uint32_t line_count;
    bool is_vacant; /* Orphan, or nobody in M: */
};

/** One person of M: or R:. */
struct org_maintainers_person {
    const char *name;    /* the actor's name */
    const char *display; /* as written before the address, or the address when nothing is */
    const char *mail;    /* as first written */
    uint32_t line;       /* where it is first written */
};

/** A line that is wrong, and why. */
struct org_maintainers_problem {
    uint32_t line;
    const char *reason; /* a constant text */
};

/** What was read. The texts live as long as it does. */
struct org_maintainers {
    struct org_maintainers_section *sections;
    size_t section_count;
    struct org_maintainers_line *lines;
    size_t line_count;
    struct org_maintainers_person *people;
    size_t person_count;
    struct org_maintainers_problem *problems;
    size_t problem_count;
    size_t problems_beyond; /* how many more there are than are kept */
};

/**
 * Reads a file of `size` bytes, which is copied. TROUPE_OK also with problems: whoever imports decides
 * whether a file that has some is taken. TROUPE_TOO_LARGE beyond ORG_MAINTAINERS_SIZE_MAX, TROUPE_NO_MEMORY.
 */
TROUPE_MUST_CHECK troupe_status org_maintainers_read(const char *bytes, size_t size,
                                                     struct org_maintainers **ret_maintainers);

/** Frees a result; NULL is good. */
void org_maintainers_free(struct org_maintainers *maintainers);

#endif
