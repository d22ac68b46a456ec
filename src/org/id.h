/* SPDX-License-Identifier: MIT */
/*
 * id.h: what identifies a message everywhere and for ever. 64 bits that sort by time and never repeat:
 *
 *     63                          22 21        14 13             0
 *    +------------------------------+------------+----------------+
 *    |  milliseconds since 2020     |   place    |    counter     |
 *    +------------------------------+------------+----------------+
 *
 * 42 bits of milliseconds last until 2159; 8 bits of place keep the nodes of one organisation apart, as in a
 * troupe_ref; 14 bits of counter give 16 million ids a second at each place, and when they run out within a
 * millisecond the next one is begun early. (Of 48 bits of milliseconds six would never be used, and ids of
 * two nodes could be equal.) People see 13 characters of Crockford's base 32, which have no letter that can
 * be mistaken for a digit; they sort as the numbers do.
 *
 * Each place hands out its ids one after the other, each made from the last one and the time. After a restart
 * `last` is the largest id in the journal, so a clock that was set back cannot repeat an id.
 *
 * Place: a leaf of org. Pure functions, any thread.
 */
#ifndef ORG_ID_H
#define ORG_ID_H

#include <stdint.h>

#include <troupe/status.h>

/** 2020-01-01T00:00:00Z in Unix milliseconds: where the time of an id begins. */
#define ORG_ID_EPOCH_MS ((int64_t)1577836800000)

enum {
    ORG_ID_TIME_BITS = 42,
    ORG_ID_PLACE_BITS = 8,
    ORG_ID_COUNTER_BITS = 14,
    ORG_ID_TEXT_LEN = 13, /* without the NUL */
};

/**
 * The id after `last` (0: none yet) at this time and place. Always greater than `last` when that came from
 * the same place.
 */
uint64_t org_id_next(uint64_t last, int64_t now_ms, uint8_t place);

/** The Unix milliseconds in an id. */
int64_t org_id_time_ms(uint64_t id);

/** Writes the 13 characters and a NUL. */
void org_id_text(uint64_t id, char ret_text[ORG_ID_TEXT_LEN + 1]);

/**
 * Reads an id: capitals, O for 0, and I or L for 1 are taken too, as Crockford has it. TROUPE_INVALID for
 * anything else.
 */
TROUPE_MUST_CHECK troupe_status org_id_parse(const char *text, uint64_t *ret_id);

#endif
