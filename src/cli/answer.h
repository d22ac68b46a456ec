/* SPDX-License-Identifier: MIT */
/*
 * answer.h: the common way of the verbs that end a held message (done, decline, forward): a request that
 * names the message, an answer that names its new state.
 *
 * Place: between those verbs and cli_call. One thread.
 */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include "cli/cli.h"

/** One more text member of the request: cli_set_text's arguments. A NULL text leaves it out. */
struct answer_text {
    const char *name;
    const char *what;
    const char *text;
    bool may_read;
    size_t size_max;
};

/** Posts {"id": first operand, texts..., "next": take_next} to `path` and shows the answer. */
enum cli_exit answer_post(struct cli *cli, const char *path, const struct answer_text *texts, size_t count,
                          bool take_next);

#endif
