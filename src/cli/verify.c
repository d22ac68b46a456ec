/* SPDX-License-Identifier: MIT */
/*
 * verify.c: `troupe verify` and `troupe rebuild`: is everything in a journal's file whole, and its
 * projections made anew. server/verify.h does the work. One thread.
 */
#include "server/verify.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/storage.h"
#include "cli/text.h"

enum {
    VERIFY_DATA,
    VERIFY_COUNT,
};

static const struct cli_option options[] = {
    [VERIFY_DATA] = {"data", 'd', "DIR", "the data folder; $TROUPE_DATA, or ./data, when not given"},
    [VERIFY_COUNT] = {0},
};

typedef troupe_status storage_work(struct journal *journal, journal_report *report, void *context,
                                   struct verify_counts *ret_counts);

static void note(void *context, const char *finding)
{
    json_t *findings = context;
    json_array_append_new(findings, json_string(finding));
    char *clean = text_clean(finding, false);
    fprintf(stderr, "%s\n", clean);
    free(clean);
}

static enum cli_exit run_work(struct cli *cli, storage_work *work)
{
    char path[PATH_MAX];
    struct journal *journal = NULL;
    struct verify_counts counts = {0};
    enum cli_exit ending = storage_path(cli, cli->operands[0], cli->values[VERIFY_DATA], path);
    if (ending == CLI_OK)
        ending = storage_open(cli, path, &journal);
    if (ending != CLI_OK)
        return ending;
    json_t *findings = text_must(json_array());
    troupe_status status = work(journal, note, findings, &counts);
    if (status != TROUPE_OK)
        ending =
            cli_fail(cli, CLI_FAILED, "%s could not be gone through: %s", path,
                     journal_error(journal)[0] != '\0' ? journal_error(journal) : troupe_status_text(status));
    ending = storage_close(cli, &journal, ending);
    if (ending == CLI_OK && cli->json) {
        json_t *answer = text_must(json_pack(
            "{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "whole", counts.findings == 0, "streams",
            (json_int_t)counts.streams, "roles", (json_int_t)counts.roles, "records",
            (json_int_t)counts.records, "messages", (json_int_t)counts.messages, "snapshots",
            (json_int_t)counts.snapshots, "summaries", (json_int_t)counts.summaries, "findings", findings));
        cli_print_json(answer);
        json_decref(answer);
    } else if (ending == CLI_OK) {
        printf("%s: %" PRIu64 " roles, %" PRIu64 " records, %" PRIu64 " messages, %" PRIu64
               " snapshots, %" PRIu64 " summaries; %" PRIu64 " findings\n",
               path, counts.roles, counts.records, counts.messages, counts.snapshots, counts.summaries,
               counts.findings);
    }
    json_decref(findings);
    return ending == CLI_OK && counts.findings > 0 ? CLI_FAILED : ending;
}

static enum cli_exit run_verify(struct cli *cli)
{
    return run_work(cli, verify_journal);
}

static enum cli_exit run_rebuild(struct cli *cli)
{
    return run_work(cli, rebuild_journal);
}

const struct cli_verb verb_verify = {
    .name = "verify",
    .operands = "[FILE]",
    .summary = "check that everything in a journal is whole",
    .details =
        "Every record's checksum and place, every message accounted for; each snapshot and summary, each\n"
        "message in the lists and each word of the search against the events. FILE is a journal, as a\n"
        "backup; the data folder's when not given. What is found stands on standard error, one a line.\n"
        "No server may be using the file.",
    .options = options,
    .operand_count_max = 1,
    .run = run_verify,
};

const struct cli_verb verb_rebuild = {
    .name = "rebuild",
    .operands = "[FILE]",
    .summary = "make a journal's summaries, lists and search anew",
    .details =
        "They follow from the events, which stay as they are; snapshots too. FILE is a journal; the data\n"
        "folder's when not given. No server may be using the file.",
    .options = options,
    .operand_count_max = 1,
    .run = run_rebuild,
};
