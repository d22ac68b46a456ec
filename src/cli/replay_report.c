/* SPDX-License-Identifier: MIT */
/*
 * replay_report.c: what a replay has to say at the end, and whether it ended well: every row handled exactly
 * once, by the ledger, and nothing lost, by the server's own check of all its messages.
 */
#include "cli/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/text.h"

/* The numbers of the report. */
struct report {
    int64_t found_done;
    int64_t missing;
    int64_t doubled;
    int64_t median_ms;
    int64_t p95_ms;
    double seconds;
    double per_second;
    bool is_exactly_once;
    bool is_conserved;
    json_t *check;
};

static struct report reckon(struct replay *replay, json_t *check)
{
    struct report report = {
        .found_done = ledger_count(&replay->ledger, LEDGER_FOUND_DONE),
        .missing = ledger_missing(&replay->ledger),
        .doubled = replay->ledger.doubled,
        .median_ms = waits_quantile(&replay->waits, 50),
        .p95_ms = waits_quantile(&replay->waits, 95),
        .seconds = (double)(replay_now_ms() - replay->start_ms) / 1000,
        .is_conserved = json_is_true(json_object_get(check, "conserved")),
        .check = check,
    };
    report.per_second = report.seconds > 0 ? (double)replay->counts.handled / report.seconds : 0;
    report.is_exactly_once = report.missing == 0 && report.doubled == 0;
    return report;
}

static json_t *wait_json(int64_t wait_ms)
{
    return wait_ms < 0 ? json_null() : json_integer(wait_ms);
}

static void print_json(const struct replay *replay, const struct report *report)
{
    const struct replay_counts *counts = &replay->counts;
    const struct {
        const char *name;
        int64_t count;
    } numbers[] = {
        {"rows", replay->ledger.row_count}, {"sent", counts->sent},       {"refused", counts->refused},
        {"duplicates", counts->duplicates}, {"handled", counts->handled}, {"found_done", report->found_done},
        {"others", counts->others},         {"outages", counts->outages},
    };
    json_t *document = text_must(json_pack("{s:s, s:s}", "role", replay->role, "program", replay->program));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        json_object_set_new(document, numbers[i].name, json_integer(numbers[i].count));
    json_object_set_new(document, "wait",
                        json_pack("{s:o, s:o}", "median_ms", wait_json(report->median_ms), "p95_ms",
                                  wait_json(report->p95_ms)));
    json_object_set_new(document, "seconds", json_real(report->seconds));
    json_object_set_new(document, "per_second", json_real(report->per_second));
    json_object_set_new(document, "check",
                        json_pack("{s:b, s:I, s:I, s:b}", "exactly_once", report->is_exactly_once, "missing",
                                  (json_int_t)report->missing, "doubled", (json_int_t)report->doubled,
                                  "conserved", report->is_conserved));
    json_object_set(document, "server", report->check);
    cli_print_json(document);
    json_decref(document);
}

static void print_count(const char *name, int64_t count, const char *more)
{
    char number[TEXT_TIME_MAX];
    printf("%-22s %12s%s\n", name, text_number(count, number), more);
}

static void print_text(const struct replay *replay, const struct report *report)
{
    const struct replay_counts *counts = &replay->counts;
    print_count("rows", replay->ledger.row_count, "");
    print_count("sent", counts->sent, "");
    print_count("refused and retried", counts->refused, "");
    print_count("duplicates recognised", counts->duplicates, "");
    print_count("handled", counts->handled, "");
    print_count("found done", report->found_done, "  by an earlier run, or its answer was lost");
    if (counts->others > 0)
        print_count("others handled", counts->others, "  not from this file");
    if (counts->outages > 0)
        print_count("connection lost", counts->outages, "  and found again");
    if (report->median_ms >= 0) {
        print_count("median wait", report->median_ms, " ms");
        print_count("95th percentile wait", report->p95_ms, " ms");
    }
    printf("%-22s %12.1f\n", "seconds", report->seconds);
    print_count("messages per second", (int64_t)(report->per_second + 0.5), "");
    if (report->is_exactly_once)
        output_print(OUTPUT_STRONG, "every row was handled exactly once\n");
    else
        output_print(OUTPUT_ALARM, "%" PRId64 " rows not handled, %" PRId64 " in the mailbox twice\n",
                     report->missing, report->doubled);
    if (report->is_conserved)
        output_print(OUTPUT_STRONG, "the server's check: nothing is lost\n");
    else
        output_print(OUTPUT_ALARM, "the server's check: messages do not add up\n");
}

enum cli_exit replay_report(struct replay *replay)
{
    struct client_answer answer;
    replay_ask(replay, &(struct client_request){.method = "GET", .path = "/v1/check"}, &answer);
    bool is_answered = replay_is_answered(replay, &answer);
    if (!is_answered && replay->ending == CLI_OK)
        replay_end(replay, CLI_UNREACHABLE, "%s", answer.trouble);
    enum cli_exit ending = replay->ending;
    if (is_answered) {
        struct report report = reckon(replay, answer.json);
        if (replay->cli->json)
            print_json(replay, &report);
        else
            print_text(replay, &report);
        if (!report.is_exactly_once || !report.is_conserved)
            ending = cli_fail(replay->cli, CLI_FAILED, "the rows and the messages do not match");
    }
    json_decref(answer.json);
    return ending;
}

void replay_show_progress(const struct replay *replay)
{
    static int64_t shown_ms;
    int64_t now_ms = replay_now_ms();
    if (!isatty(STDERR_FILENO) || now_ms - shown_ms < 1000)
        return;
    char handled[TEXT_TIME_MAX];
    char rows[TEXT_TIME_MAX];
    shown_ms = now_ms;
    fprintf(stderr, "\r%s of %s handled ", text_number(replay->counts.handled, handled),
            text_number(replay->ledger.row_count, rows));
}
