/* SPDX-License-Identifier: MIT */
/*
 * fields.c: see fields.h. jansson gives NULL or 0 for what is not there, which makes every value usable.
 */
#include "cli/fields.h"

#include <stddef.h>

static void note(struct fields *fields, const char *name)
{
    if (fields->wrong == NULL)
        fields->wrong = name;
}

static bool is_absent(const json_t *value)
{
    return value == NULL || json_is_null(value);
}

const char *fields_text(struct fields *fields, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL)
        note(fields, name);
    return text != NULL ? text : "";
}

const char *fields_text_or_null(struct fields *fields, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!is_absent(value) && !json_is_string(value))
        note(fields, name);
    return json_string_value(value);
}

int64_t fields_number(struct fields *fields, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value))
        note(fields, name);
    return json_integer_value(value);
}

int64_t fields_number_or(struct fields *fields, const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);
    return is_absent(value) ? otherwise : fields_number(fields, object, name);
}

bool fields_flag(struct fields *fields, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!is_absent(value) && !json_is_boolean(value))
        note(fields, name);
    return json_is_true(value);
}

const json_t *fields_list(struct fields *fields, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_array(value))
        note(fields, name);
    return json_is_array(value) ? value : NULL;
}

enum cli_exit fields_check(const struct cli *cli, const struct fields *fields)
{
    if (fields->wrong == NULL)
        return CLI_OK;
    return cli_fail(cli, CLI_PROTOCOL, "the server's answer has no usable \"%s\"", fields->wrong);
}
