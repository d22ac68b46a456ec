/* SPDX-License-Identifier: MIT */
/*
 * routes_members.c: routes_members.h. Runs in the http actor.
 */
#include "server/routes_members.h"

#include <stdlib.h>

#include "org/name.h"

bool member_end(struct call *call, struct json_reader *in)
{
    if (json_reader_end(in))
        return true;
    call_fail(call, in->problem);
    return false;
}

bool argument_role(struct call *call, const char *name, const char **ret_role)
{
    *ret_role = call_argument(call, name);
    if (*ret_role == NULL || org_name_is_address(*ret_role))
        return true;
    struct problem problem = {0};
    problem_set(&problem, PROBLEM_MALFORMED, "\"%s\" must be the name of a role", name);
    call_fail(call, &problem);
    return false;
}

bool argument_number(struct call *call, const char *name, uint64_t otherwise, uint64_t min, uint64_t max,
                     uint64_t *ret_number)
{
    const char *text = call_argument(call, name);
    *ret_number = otherwise;
    if (text == NULL)
        return true;
    char *rest;
    *ret_number = strtoull(text, &rest, 10);
    if (*text >= '0' && *text <= '9' && *rest == '\0' && *ret_number >= min && *ret_number <= max)
        return true;
    struct problem problem = {0};
    problem_set(&problem, PROBLEM_MALFORMED, "\"%s\" must be a whole number from %llu to %llu", name,
                (unsigned long long)min, (unsigned long long)max);
    call_fail(call, &problem);
    return false;
}
