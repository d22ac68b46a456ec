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
#include "cli/transfer.h"

enum {
    ID_SIZE_MAX = 128, /* bytes; the server knows how long its ids are */
};

static enum cli_exit print_state(const struct cli *cli, const json_t *answer)
{
    struct fields fields = {0};
    const char *id = fields_text(&fields, answer, "id");
    const char *state = fields_text(&fields, answer, "state");
    const json_t *target = json_object_get(answer, "forwarded_to");
    const char *role = target != NULL ? fields_text(&fields, target, "role") : NULL;
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
    putchar('\n');
    if (json_object_get(answer, "messages") == NULL)
        return CLI_OK;
    putchar('\n');
    return letter_print_all(cli, answer);
}

enum cli_exit answer_post(struct cli *cli, const char *path, const struct answer_text *texts, size_t count,
                          bool take_next)
{
    json_t *body = text_must(json_object());
    json_t *answer = NULL;
    enum cli_exit ending =
        cli_set_text(cli, body, "id", "the message's id", cli->operands[0], false, ID_SIZE_MAX);
    for (size_t i = 0; ending == CLI_OK && i < count; i++)
        ending = cli_set_text(cli, body, texts[i].name, texts[i].what, texts[i].text, texts[i].may_read,
                              texts[i].size_max);
    if (take_next)
        json_object_set_new(body, "next", json_true());
    if (ending == CLI_OK)
        ending =
            cli_call(cli, &(struct client_request){.method = "POST", .path = path, .body = body}, &answer);
    json_decref(body);
    return ending == CLI_OK ? cli_show(cli, answer, print_state) : ending;
}
