/* SPDX-License-Identifier: MIT */
/* status.c: names and texts of the status codes, from the one list in troupe/status.h. */
#include <troupe/status.h>

const char *troupe_status_text(troupe_status status)
{
    switch (status) {
#define STATUS_TEXT(name, number, text)                                                                      \
    case TROUPE_##name:                                                                                      \
        return text;
        TROUPE_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "an unknown status";
}

const char *troupe_status_name(troupe_status status)
{
    switch (status) {
#define STATUS_NAME(name, number, text)                                                                      \
    case TROUPE_##name:                                                                                      \
        return "TROUPE_" #name;
        TROUPE_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "TROUPE_?";
}
