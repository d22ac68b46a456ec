/* SPDX-License-Identifier: MIT */
/*
 * answer.c: see answer.h. What the answer says is checked in full before the first word is printed.
 */
#include "cli/answer.h"

#include <stdio.h>

#include "cli/fields.h"
#include "cli/letter.h"
#include "cli/output.h"
#include "cli/text.h"

enum {
    ID_SIZE_MAX = 128, /* bytes; the server knows how long its ids are */
};

enum cli_exit answer_print(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *id = fields_text(&fields, answer, "id");
    const char *state = fields_text(&fields, answer, "state");
    const json_t *target = json_object_get(answer, "forwarded_to");
    const char *role = target != NULL ? fields_text(&fields, target, "role") : NULL;
    int64_t lease_ms = fields_number_or(&fields, answer, "lease_ms", -1);
    const char *new_id = target != NULL ? fields_text_or_null(&fields, target, "id") : NULL;
    enum cli_exit ending = fields_check(cli, &fields);
    if (ending != CLI_OK)
        return ending;
    output_cleaned(OUTPUT_STRONG, id);
    putchar(' ');
    output_cleaned(OUTPUT_PLAIN, state);
    if (role != NULL) {
        output_cleaned(OUTPUT_PLAIN, " to ");
        output_cleaned(OUTPUT_PLAIN, role);
    }
    if (new_id != NULL) {
        output_cleaned(OUTPUT_PLAIN, " as ");
        output_cleaned(OUTPUT_STRONG, new_id);
    }
    if (lease_ms >= 0) {
        char time[TEXT_TIME_MAX];
        output_print(OUTPUT_PLAIN, ", for %s from now", text_duration(lease_ms, time));
    }
    putchar('\n');
    if (json_object_get(answer, "messages") == NULL)
        return CLI_OK;
    putchar('\n');
    return letter_print_all(cli, answer);
}

enum cli_exit answer_post(struct cli *cli, const char *path, json_t *body, const struct cli_text *texts,
                          size_t count)
{
    const struct cli_text id = {"id", "the message's id", cli->operands[0], false, ID_SIZE_MAX};
    enum cli_exit ending = cli_set_text(cli, body, id.name, id.what, id.text, id.may_read, id.size_max);
    if (ending != CLI_OK) {
        json_decref(body);
        return ending;
    }
    return cli_post(cli, path, body, texts, count, answer_print);
}
