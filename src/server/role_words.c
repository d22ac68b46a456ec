/* SPDX-License-Identifier: MIT */
/*
 * role_words.c: the words of role_words.h. Pure; any one thread.
 */
#include "server/role_words.h"

#include "server/members.h"

static const char *const overflows[] = {"refuse", "redirect", "shed"};

/* Actions by their words; each kind of trouble has its own. */
static const char *const failure_words[] = {"retry", "reassign", "escalate", "decline"};
static const char *const absent_words[] = {"wait", "escalate", "decline"};
static const char *const overflow_words[] = {"ignore", "escalate"};
static const enum org_action failure_actions[] = {ORG_ACTION_RETRY, ORG_ACTION_REASSIGN, ORG_ACTION_ESCALATE,
                                                  ORG_ACTION_DECLINE};
static const enum org_action absent_actions[] = {ORG_ACTION_RETRY, ORG_ACTION_ESCALATE, ORG_ACTION_DECLINE};

/* --- reading ---------------------------------------------------------------------------------- */

static void take_action(struct json_reader *in, const char *name, const char *const *words,
                        const enum org_action *actions, size_t count, enum org_action *ret_action)
{
    unsigned index = (unsigned)count;
    json_take_choice(in, name, JSON_OPTIONAL, words, count, &index);
    if (index < count)
        *ret_action = actions[index];
}

static void take_u32(struct json_reader *in, const char *name, int64_t min, int64_t max, uint32_t *ret_number)
{
    int64_t number = *ret_number;
    json_take_number(in, name, JSON_OPTIONAL, min, max, &number);
    *ret_number = (uint32_t)number;
}

void role_words_take_bounds(struct json_reader *in, int64_t min, struct org_set_role *role)
{
    int64_t bytes_max = (int64_t)role->bytes_max;
    unsigned overflow = role->overflow;
    take_u32(in, "capacity", min, ORG_CAPACITY_MAX, &role->capacity);
    json_take_number(in, "bytes_max", JSON_OPTIONAL, min, (int64_t)ORG_BYTES_MAX, &bytes_max);
    json_take_number(in, "lease_ms", JSON_OPTIONAL, min, ORG_LEASE_MAX_MS, &role->lease_ms);
    json_take_number(in, "ageing_ms", JSON_OPTIONAL, min, ORG_AGEING_MAX_MS, &role->ageing_ms);
    json_take_choice(in, "overflow", JSON_OPTIONAL, overflows, 3, &overflow);
    if (overflow != ORG_OVERFLOW_REDIRECT)
        role->redirect_to = NULL;
    member_take_role(in, "redirect_to", JSON_OPTIONAL, &role->redirect_to);
    role->bytes_max = (uint64_t)bytes_max;
    role->overflow = (enum org_overflow)overflow;
    if (in->problem->kind == PROBLEM_NONE &&
        (overflow == ORG_OVERFLOW_REDIRECT) != (role->redirect_to != NULL))
        problem_set(in->problem, PROBLEM_MALFORMED,
                    "\"%sredirect_to\" goes with \"overflow\": \"redirect\", and only with that", in->where);
}

void role_words_take_rules(struct json_reader *in, int64_t min, struct org_set_role *role)
{
    take_action(in, "on_fail", failure_words, failure_actions, 4, &role->on_fail);
    take_action(in, "on_lapse", failure_words, failure_actions, 4, &role->on_lapse);
    take_action(in, "on_crash", failure_words, failure_actions, 4, &role->on_crash);
    take_action(in, "on_absent", absent_words, absent_actions, 3, &role->on_absent);
    take_action(in, "on_overflow", overflow_words, absent_actions, 2, &role->on_overflow);
    take_u32(in, "refusals_max", min, ORG_TALLY_MAX, &role->refusals_max);
    json_take_number(in, "refusals_period_ms", JSON_OPTIONAL, min, ORG_PERIOD_MAX_MS,
                     &role->refusals_period_ms);
    take_u32(in, "failures_max", min, ORG_TALLY_MAX, &role->failures_max);
    json_take_number(in, "failures_period_ms", JSON_OPTIONAL, min, ORG_PERIOD_MAX_MS,
                     &role->failures_period_ms);
    json_take_flag(in, "open", JSON_OPTIONAL, &role->is_readable);
}

/* --- writing ---------------------------------------------------------------------------------- */

static const char *word_of(enum org_action action, const char *const *words, const enum org_action *actions,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (actions[i] == action)
            return words[i];
    }
    return "escalate";
}

void role_words_put(struct json_writer *out, const struct org_role_view *view)
{
    json_put_number(out, "capacity", view->capacity);
    json_put_number(out, "bytes_max", (int64_t)view->bytes_max);
    json_put_number(out, "lease_ms", view->lease_ms);
    json_put_number(out, "ageing_ms", view->ageing_ms);
    json_put_text(out, "overflow", overflows[view->overflow]);
    if (view->overflow == ORG_OVERFLOW_REDIRECT)
        json_put_text(out, "redirect_to", view->redirect_to);
    json_put_text(out, "on_fail", word_of(view->on_fail, failure_words, failure_actions, 4));
    json_put_text(out, "on_lapse", word_of(view->on_lapse, failure_words, failure_actions, 4));
    json_put_text(out, "on_crash", word_of(view->on_crash, failure_words, failure_actions, 4));
    json_put_text(out, "on_absent", word_of(view->on_absent, absent_words, absent_actions, 3));
    json_put_text(out, "on_overflow", word_of(view->on_overflow, overflow_words, absent_actions, 2));
    json_put_number(out, "refusals_max", view->refusals_max);
    json_put_number(out, "refusals_period_ms", view->refusals_period_ms);
    json_put_number(out, "failures_max", view->failures_max);
    json_put_number(out, "failures_period_ms", view->failures_period_ms);
    json_put_flag(out, "open", view->is_readable);
}
