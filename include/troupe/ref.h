/* SPDX-License-Identifier: MIT */
/*
 * ref.h: what names an actor. A ref is a 64-bit value: place, generation, slot. It can be copied, stored,
 * sent and compared freely, on any thread, for ever. A stale ref finds nobody; it never finds somebody
 * else, because a slot whose generations are used up is retired.
 *
 *    63      56 55              28 27               0
 *   +----------+------------------+------------------+
 *   |  place   |    generation    |       slot       |
 *   +----------+------------------+------------------+
 *
 * Place 0 is this process; others are reserved for process cells and nodes.
 */
#ifndef TROUPE_REF_H
#define TROUPE_REF_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The name of an actor. Compare with troupe_ref_equal; the bits have no meaning to users. */
typedef struct troupe_ref {
    uint64_t bits;
} troupe_ref;

/** Widths of the three parts, and the most actors one place can hold at once. */
enum {
    TROUPE_REF_SLOT_BITS = 28,
    TROUPE_REF_GENERATION_BITS = 28,
    TROUPE_REF_PLACE_BITS = 8,
};

/** The ref that names nobody. A send to it answers TROUPE_NO_ACTOR. */
static inline troupe_ref troupe_ref_none(void)
{
    troupe_ref none = {0};
    return none;
}

/** Whether a ref names nobody at all. */
static inline bool troupe_ref_is_none(troupe_ref ref)
{
    return ref.bits == 0;
}

/** Whether two refs name the same actor. */
static inline bool troupe_ref_equal(troupe_ref a, troupe_ref b)
{
    return a.bits == b.bits;
}

#ifdef __cplusplus
}
#endif

#endif
