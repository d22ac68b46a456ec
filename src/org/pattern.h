/* SPDX-License-Identifier: MIT */
/*
 * pattern.h: which paths belong to a domain. Three ways of writing it, because that is how registries of
 * ownership are written; the index over all domains is path_index.h.
 *
 * ORG_PATTERN_FILES, the F: and X: of the Linux kernel's MAINTAINERS file. Anchored at the root.
 *     drivers/net/       everything below the folder, at any depth; the folders may have wildcards
 *     drivers/net/ *     (without the space) what lies in the folder itself, not below
 *     drivers/net        the file of that name or, when it names a folder, everything below. Only without
 *                        wildcards; with one, a pattern that ends in no slash never reaches below. (The
 *                        kernel's get_maintainer.pl: "if pattern is a directory and it lacks a trailing
 *                        slash, add one".)
 *     * ? [ch] [!a-c]    any bytes, one character, one of a class; none of them crosses a slash
 *
 * ORG_PATTERN_NAME, its N: a regular expression on the whole path, unanchored: regex.h.
 *
 * ORG_PATTERN_OWNERS, a line of a CODEOWNERS file (gitignore's rules as GitHub restricts them):
 *     *                    everything
 *     *.js  apps/  logs    without a slash before the end: at any depth; a trailing slash asks for a folder
 *     /docs/  build/logs   with one: from the root; what names a folder owns everything below
 *     docs/ *              (without the space) what lies in docs itself, not below
 *     **                   as a whole component: any number of folders, none included
 *     \                    takes the next byte as it is
 *
 * A pattern becomes a list of components: literal, with wildcards, or "**". `below` is written as a "**" at
 * its end, and a trailing slash as "*" and "**", so that matching knows no other case. Two "**" never follow
 * each other.
 *
 * A path is asked for as git writes it: relative, single slashes, no "." or "..". One that ends in a slash
 * asks for "something in this folder". Matching takes time proportional to the path times the pattern at
 * worst; nothing recurses.
 *
 * Precision, for when several domains match, as the kernel's rule has it: most components, then the longest
 * pattern, with regular expressions after all others.
 *
 * Place: a leaf of org, used by path_index. A compiled pattern is immutable: any thread may match.
 */
#ifndef ORG_PATTERN_H
#define ORG_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "org/limits.h"
#include <troupe/status.h>

/** How a pattern is written. The numbers are stored in events. */
enum org_pattern_kind {
    ORG_PATTERN_FILES = 0,
    ORG_PATTERN_NAME = 1,
    ORG_PATTERN_OWNERS = 2,
};

/** How precise a match is. */
struct org_precision {
    bool is_name;   /* a regular expression: after all others */
    uint16_t parts; /* components as written, "**" not counted */
    uint16_t len;   /* of the pattern as written */
};

/** A compiled pattern. */
struct org_pattern;

/**
 * A path cut at its slashes, so that many patterns can be tried on it. Points into the text it was made from.
 */
struct org_path {
    const char *text;
    uint16_t len;
    uint16_t part_count;
    uint16_t starts[ORG_PATH_PARTS_MAX +
                    1]; /* part i is text[starts[i]] up to text[starts[i + 1] - 1], its slash excluded */
};

/**
 * Compiles one pattern. TROUPE_INVALID with a reason in English, which completes "cannot be used: ...", or
 * TROUPE_NO_MEMORY. `ret_reason` is a constant text and is written only with TROUPE_INVALID.
 */
TROUPE_MUST_CHECK troupe_status org_pattern_new(enum org_pattern_kind kind, const char *text,
                                                struct org_pattern **ret_pattern, const char **ret_reason);

/** Frees a pattern; NULL is good. */
void org_pattern_free(struct org_pattern *pattern);

/** Whether a path belongs to the pattern. */
bool org_pattern_matches(const struct org_pattern *pattern, const struct org_path *path);

/** The pattern as written. */
const char *org_pattern_text(const struct org_pattern *pattern);

/** How precise its matches are. */
struct org_precision org_pattern_precision(const struct org_pattern *pattern);

/**
 * Less than 0 when `a` is more precise than `b`, 0 when equal, more than 0 otherwise: the order for sorting.
 */
int org_precision_compare(struct org_precision a, struct org_precision b);

/**
 * The leading components without wildcards, joined by slashes, that every matching path begins with: where an
 * index puts the pattern. Written with a NUL to `ret_prefix`, which has ORG_PATTERN_LEN_MAX + 1 bytes;
 * returns the length, 0 for none.
 */
size_t org_pattern_prefix(const struct org_pattern *pattern, char *ret_prefix);

/**
 * Cuts a path. TROUPE_INVALID when it is not relative, has an empty, "." or ".." component, or is beyond a
 * limit.
 */
TROUPE_MUST_CHECK troupe_status org_path_parse(const char *text, struct org_path *ret_path);

#endif
