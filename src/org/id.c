/* SPDX-License-Identifier: MIT */
/*
 * id.c: what identifies a message; id.h has the layout. Pure functions, any thread.
 */
#include "org/id.h"

#include <string.h>

_Static_assert(ORG_ID_TIME_BITS + ORG_ID_PLACE_BITS + ORG_ID_COUNTER_BITS == 64, "an id is 64 bits");
_Static_assert(ORG_ID_TEXT_LEN * 5 >= 64, "the text holds all bits");

#define TIME_SHIFT (ORG_ID_PLACE_BITS + ORG_ID_COUNTER_BITS)
#define COUNTER_MASK (((uint64_t)1 << ORG_ID_COUNTER_BITS) - 1)
#define TIME_MAX (((uint64_t)1 << ORG_ID_TIME_BITS) - 1)

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Every two digits in a row, since ids are written far more often than read. */
#define AFTER(d)                                                                                             \
    d "0" d "1" d "2" d "3" d "4" d "5" d "6" d "7" d "8" d "9" d "a" d "b" d "c" d "d" d "e" d "f" d "g" d  \
      "h" d "j" d "k" d "m" d "n" d "p" d "q" d "r" d "s" d "t" d "v" d "w" d "x" d "y" d "z"
static const char digit_pairs[] = AFTER("0") AFTER("1") AFTER("2") AFTER("3") AFTER("4") AFTER("5") AFTER("6")
    AFTER("7") AFTER("8") AFTER("9") AFTER("a") AFTER("b") AFTER("c") AFTER("d") AFTER("e") AFTER("f")
        AFTER("g") AFTER("h") AFTER("j") AFTER("k") AFTER("m") AFTER("n") AFTER("p") AFTER("q") AFTER("r")
            AFTER("s") AFTER("t") AFTER("v") AFTER("w") AFTER("x") AFTER("y") AFTER("z");

_Static_assert(sizeof(digit_pairs) == 2 * 32 * 32 + 1, "each digit after each");
_Static_assert(ORG_ID_TEXT_LEN % 2 == 1, "a text is one digit and pairs");

uint64_t org_id_next(uint64_t last, int64_t now_ms, uint8_t place)
{
    uint64_t place_bits = (uint64_t)place << ORG_ID_COUNTER_BITS;
    uint64_t time = now_ms > ORG_ID_EPOCH_MS ? (uint64_t)(now_ms - ORG_ID_EPOCH_MS) : 0;
    if (time > TIME_MAX)
        time = TIME_MAX;
    uint64_t last_time = last >> TIME_SHIFT;
    if (time > last_time)
        return time << TIME_SHIFT | place_bits;

    uint64_t counter = (last & COUNTER_MASK) + 1;
    if (counter > COUNTER_MASK)
        return (last_time + 1) << TIME_SHIFT | place_bits;
    return last_time << TIME_SHIFT | place_bits | counter;
}

int64_t org_id_time_ms(uint64_t id)
{
    return (int64_t)(id >> TIME_SHIFT) + ORG_ID_EPOCH_MS;
}

void org_id_text(uint64_t id, char ret_text[ORG_ID_TEXT_LEN + 1])
{
    for (int i = ORG_ID_TEXT_LEN - 2; i > 0; i -= 2) {
        memcpy(&ret_text[i], &digit_pairs[2 * (id & 1023)], 2);
        id >>= 10;
    }
    ret_text[0] = digits[id];
    ret_text[ORG_ID_TEXT_LEN] = '\0';
}

/* The value of one character, or -1. */
static int digit_value(char character)
{
    if (character >= 'A' && character <= 'Z')
        character = (char)(character - 'A' + 'a');
    if (character == 'o')
        return 0;
    if (character == 'i' || character == 'l')
        return 1;
    const char *found = character == '\0' ? NULL : strchr(digits, character);
    return found == NULL ? -1 : (int)(found - digits);
}

troupe_status org_id_parse(const char *text, uint64_t *ret_id)
{
    uint64_t id = 0;
    if (strnlen(text, ORG_ID_TEXT_LEN + 1) != ORG_ID_TEXT_LEN)
        return TROUPE_INVALID;
    for (int i = 0; i < ORG_ID_TEXT_LEN; i++) {
        int value = digit_value(text[i]);
        if (value < 0 || id > UINT64_MAX >> 5)
            return TROUPE_INVALID;
        id = id << 5 | (uint64_t)value;
    }
    *ret_id = id;
    return TROUPE_OK;
}
