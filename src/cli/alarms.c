/* SPDX-License-Identifier: MIT */
/*
 * alarms.c: see alarms.h. How many there are the server says with who one is: the verb's own answer does not
 * know of roles that are not in it.
 */
#include "cli/alarms.h"

#include "cli/fields.h"
#include "cli/output.h"
#include "cli/text.h"
#include "cli/transfer.h"

void alarms_print_count(int64_t alarms)
{
    char text[TEXT_TIME_MAX];
    if (alarms > 0)
        output_print(OUTPUT_ALARM, "%s %s an alarm: troupe health\n", text_number(alarms, text),
                     alarms == 1 ? "role has" : "roles have");
}

enum cli_exit alarms_print(const struct cli *cli)
{
    json_t *who = NULL;
    struct fields fields = {0};
    if (cli->json)
        return CLI_OK;
    enum cli_exit ending =
        cli_call(cli, &(struct client_request){.method = "GET", .path = "/v1/whoami"}, &who);
    if (ending != CLI_OK)
        return ending;
    int64_t alarms = fields_number_or(&fields, who, "alarms", 0);
    json_decref(who);
    alarms_print_count(alarms);
    return fields_check(cli, &fields);
}
