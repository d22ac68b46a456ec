/* SPDX-License-Identifier: MIT */
/*
 * members.c: members that are things of the organisation; members.h. Pure; any one thread.
 */
#include "server/members.h"

#include <stdio.h>
#include <string.h>

#include "org/id.h"
#include "org/name.h"
#include "org/text.h"

/* Whether a member was taken and nothing was wrong so far. */
static bool is_taken(const struct json_reader *in, const char *text)
{
    return text != NULL && in->problem->kind == PROBLEM_NONE;
}

static void refuse(struct json_reader *in, const char *name, const char *expected)
{
    problem_set(in->problem, PROBLEM_MALFORMED, "\"%s%s\" must be %s", in->where, name, expected);
}

/* --- texts ------------------------------------------------------------------------------------ */

void member_take_line(struct json_reader *in, const char *name, enum json_presence presence, size_t size_min,
                      size_t size_max, const char **ret_text)
{
    json_take_text(in, name, presence, size_min, size_max, ret_text);
    if (is_taken(in, *ret_text) && !org_text_is_line(*ret_text, strlen(*ret_text)))
        refuse(in, name, "one line of text, without control characters");
}

void member_take_lines(struct json_reader *in, const char *name, enum json_presence presence, size_t size_min,
                       size_t size_max, const char **ret_text)
{
    json_take_text(in, name, presence, size_min, size_max, ret_text);
    if (is_taken(in, *ret_text) && !org_text_is_lines(*ret_text, strlen(*ret_text)))
        refuse(in, name, "text without control characters but tabs and line ends");
}

/* --- names ------------------------------------------------------------------------------------ */

static const char a_tree_role[] = "the name of a role of the tree";
static const char a_role[] = "the name of a role";
static const char an_actor[] = "the name of a person or program";

static void take_name(struct json_reader *in, const char *name, enum json_presence presence,
                      bool (*is_name)(const char *), const char *expected, const char **ret_text)
{
    json_take_text(in, name, presence, 1, MEMBER_NAME_MAX, ret_text);
    if (is_taken(in, *ret_text) && !is_name(*ret_text))
        refuse(in, name, expected);
}

void member_take_tree_role(struct json_reader *in, const char *name, enum json_presence presence,
                           const char **ret_role)
{
    take_name(in, name, presence, org_name_is_role, a_tree_role, ret_role);
}

void member_take_role(struct json_reader *in, const char *name, enum json_presence presence,
                      const char **ret_role)
{
    take_name(in, name, presence, org_name_is_address, a_role, ret_role);
}

void member_take_actor(struct json_reader *in, const char *name, enum json_presence presence,
                       const char **ret_actor)
{
    take_name(in, name, presence, org_name_is_actor, an_actor, ret_actor);
}

size_t member_take_actors(struct json_reader *in, const char *name, enum json_presence presence, size_t limit,
                          const char **ret_actors, bool *ret_is_said)
{
    const json_t *array = NULL;
    char where[64];
    json_take_array(in, name, presence, limit, &array);
    snprintf(where, sizeof where, "%s%s", in->where, name);
    size_t count = array != NULL ? json_array_size(array) : 0;
    for (size_t i = 0; i < count; i++) {
        ret_actors[i] = json_element_text(array, i, where, MEMBER_NAME_MAX, in->problem);
        if (is_taken(in, ret_actors[i]) && !org_name_is_actor(ret_actors[i]))
            problem_set(in->problem, PROBLEM_MALFORMED, "\"%s[%zu]\" must be %s", where, i, an_actor);
    }
    if (ret_is_said != NULL)
        *ret_is_said = array != NULL;
    return count;
}

/* --- ids and moments -------------------------------------------------------------------------- */

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
    json_take_text(in, name, presence, 1, MEMBER_NAME_MAX, &text);
    if (is_taken(in, text))
        member_parse_id(name, text, ret_id, in->problem);
}

void member_take_time(struct json_reader *in, const char *name, enum json_presence presence,
                      int64_t *ret_time_ms)
{
    json_take_number(in, name, presence, 1, ORG_TIME_MAX_MS, ret_time_ms);
}
