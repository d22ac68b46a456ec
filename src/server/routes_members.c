/* SPDX-License-Identifier: MIT */
/*
 * routes_members.c: routes_members.h. Runs in the http actor.
 */
#include "server/routes_members.h"

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
