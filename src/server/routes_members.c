/* SPDX-License-Identifier: MIT */
/*
 * routes_members.c: members that several calls have; routes_members.h. Pure; any one thread.
 */
#include "server/routes_members.h"

#include "org/id.h"
#include "org/name.h"

#define ID_SIZE_MAX 32

bool member_parse_id(const char *name, const char *text, uint64_t *ret_id, struct problem *problem)
{
    if (org_id_parse(text, ret_id) == TROUPE_OK && *ret_id != 0)
        return true;
    problem_set(problem, PROBLEM_MALFORMED, "\"%s\" must be the id of a message, 13 characters", name);
    return false;
}

void member_take_id(struct json_reader *in, const char *name, enum json_presence presence, uint64_t *ret_id)
{
    const char *text = NULL;
    json_take_text(in, name, presence, 1, ID_SIZE_MAX, &text);
    if (text != NULL)
        member_parse_id(name, text, ret_id, in->problem);
}

void member_take_role(struct json_reader *in, const char *name, enum json_presence presence,
                      const char **ret_role)
{
    json_take_text(in, name, presence, 1, ORG_NAME_LEN_MAX, ret_role);
    if (*ret_role != NULL && in->problem->kind == PROBLEM_NONE && !org_name_is_address(*ret_role))
        problem_set(in->problem, PROBLEM_MALFORMED, "\"%s\" must be the name of a role", name);
}

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
