/* SPDX-License-Identifier: MIT */
/*
 * answer.h: the common way of the verbs about a held message (done, decline, forward, defer, fail, renew,
 * resolve) or a failed one (settle): a request that names the message, an answer that names its new state.
 *
 * Place: between those verbs and cli_call. One thread.
 */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include "cli/cli.h"

/** Posts {"id": first operand, texts...} and what `body` has, which it releases, and prints the answer. */
enum cli_exit answer_post(struct cli *cli, const char *path, json_t *body, const struct cli_text *texts,
                          size_t count);

/** Prints what became of a message, and the messages that came with the answer. */
enum cli_exit answer_print(const struct cli *cli, const json_t *answer);

#endif
