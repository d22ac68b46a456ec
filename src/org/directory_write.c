/* SPDX-License-Identifier: MIT */
/*
 * directory_write.c: what all decisions about the tree share: refusing, looking at texts, and writing a
 * record unless it says what is so already. One thread.
 */
#include <stdio.h>

#include "base/buffer.h"
#include "org/directory_decision.h"
#include "org/text.h"

bool directory_refuse(struct directory_decision *d, enum org_directory_refusal refusal, const char *subject)
{
    if (!d->answer->is_refused) {
        d->answer->is_refused = true;
        d->answer->refusal = refusal;
        d->answer->subject = subject;
    }
    return false;
}

static bool check_text(struct directory_decision *d, const char *text, size_t len_max,
                       bool (*is_text)(const char *, size_t))
{
    size_t len = text == NULL ? 0 : strnlen(text, len_max + 1);
    if (len > len_max || (len > 0 && !is_text(text, len)))
        return directory_refuse(d, ORG_DIRECTORY_BAD_TEXT, NULL);
    return true;
}

bool directory_check_line(struct directory_decision *d, const char *text, size_t len_max)
{
    return check_text(d, text, len_max, org_text_is_line);
}

bool directory_check_lines(struct directory_decision *d, const char *text, size_t len_max)
{
    return check_text(d, text, len_max, org_text_is_lines);
}

/* --- patterns ------------------------------------------------------------------------------------- */

bool directory_check_rule(struct directory_decision *d, const struct org_rule *rule)
{
    struct org_pattern *pattern = NULL;
    const char *reason = "it is not a line of text";
    troupe_status status = TROUPE_INVALID;
    if ((unsigned)rule->kind <= ORG_PATTERN_OWNERS && rule->text != NULL &&
        org_text_is_line(rule->text, strlen(rule->text)))
        status = org_pattern_new(rule->kind, rule->text, &pattern, &reason);
    org_pattern_free(pattern);
    if (status == TROUPE_INVALID) {
        directory_refuse(d, ORG_DIRECTORY_BAD_PATTERN, rule->text);
        d->answer->reason = reason;
    } else if (status != TROUPE_OK) {
        d->status = status;
    }
    return status == TROUPE_OK;
}

troupe_status directory_add_rule(struct buffer *patterns, const struct org_rule *rule)
{
    static const char letters[] = "FNO";
    char head[16];
    int len = snprintf(head, sizeof(head), "%s%c%s %u ", patterns->size == 0 ? "" : "\n", letters[rule->kind],
                       rule->is_exclude ? "!" : "", rule->line);
    ASSERT(len > 0 && (size_t)len < sizeof(head) + 1);
    troupe_status status = buffer_append(patterns, head, (size_t)len);
    if (status == TROUPE_OK)
        status = buffer_append(patterns, rule->text, strlen(rule->text));
    return status == TROUPE_OK ? buffer_terminate(patterns) : status;
}

/* Whether two texts of patterns are the same rules, whatever lines they came from. */
static bool are_rules_same(const char *a, const char *b)
{
    char text_a[ORG_PATTERN_LEN_MAX + 1];
    char text_b[ORG_PATTERN_LEN_MAX + 1];
    struct org_rule rule_a;
    struct org_rule rule_b;
    while (directory_next_rule(&a, text_a, &rule_a)) {
        if (!directory_next_rule(&b, text_b, &rule_b) || rule_a.kind != rule_b.kind ||
            rule_a.is_exclude != rule_b.is_exclude || strcmp(text_a, text_b) != 0)
            return false;
    }
    return *a == '\0' && *b == '\0';
}

/* --- writing -------------------------------------------------------------------------------------- */

static size_t size_of(const troupe_field *field)
{
    switch ((troupe_field_kind)field->kind) {
    case TROUPE_FIELD_u8:
    case TROUPE_FIELD_i8:
    case TROUPE_FIELD_bool:
        return field->count;
    case TROUPE_FIELD_u16:
    case TROUPE_FIELD_i16:
        return field->count * sizeof(uint16_t);
    case TROUPE_FIELD_u32:
    case TROUPE_FIELD_i32:
    case TROUPE_FIELD_f32:
        return field->count * sizeof(uint32_t);
    default:
        return field->count * sizeof(uint64_t);
    }
}

static bool is_field_same(const troupe_field *field, const void *a, const void *b)
{
    const char *member_a = (const char *)a + field->offset;
    const char *member_b = (const char *)b + field->offset;
    if (field->kind != TROUPE_FIELD_text)
        return memcmp(member_a, member_b, size_of(field)) == 0;
    troupe_span span_a;
    troupe_span span_b;
    memcpy(&span_a, member_a, sizeof(span_a));
    memcpy(&span_b, member_b, sizeof(span_b));
    const char *text_a = troupe_flat_text(a, span_a);
    const char *text_b = troupe_flat_text(b, span_b);
    return strcmp(text_a, text_b) == 0 ||
           (strcmp(field->name, "patterns") == 0 && are_rules_same(text_a, text_b));
}

/*
 * Everything but who did it and when, and the owner of a domain: that is the same by now, while the record
 * that set the domain may name an earlier one.
 */
static bool is_body_same(const troupe_type *type, const void *a, const void *b)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const troupe_field *field = &type->fields[i];
        bool is_audit = strcmp(field->name, "at") == 0 || strcmp(field->name, "by") == 0 ||
                        strcmp(field->name, "via") == 0 || strcmp(field->name, "owner") == 0;
        if (!is_audit && !is_field_same(field, a, b))
            return false;
    }
    return true;
}

enum directory_written directory_write(struct directory_decision *d, const troupe_type *type,
                                       const void *fields, const void *old)
{
    uint32_t count = d->batch->count;
    size_t at = d->batch->bytes.size;
    void *body;
    if (d->status != TROUPE_OK || d->answer->is_refused)
        return DIRECTORY_NOT;
    size_t size = troupe_flat_size(type, fields);
    d->status = size > RECORD_BODY_MAX ? TROUPE_TOO_LARGE
                                       : record_batch_add(d->batch, type->id, type->version, size, &body);
    if (d->status != TROUPE_OK)
        return DIRECTORY_NOT;
    troupe_flat_write(type, fields, body, size);
    if (old == NULL)
        return DIRECTORY_MADE;
    if (!is_body_same(type, old, body))
        return DIRECTORY_CHANGED;
    record_batch_truncate(d->batch, count, at);
    return DIRECTORY_SAME;
}
