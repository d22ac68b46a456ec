/* SPDX-License-Identifier: MIT */
/*
 * cli.c: what the verbs share that is neither asking the server (client.c) nor making text readable
 * (output.c): saying what went wrong, printing JSON, reading an input. Declared in cli.h. One thread.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"
#include "cli/transfer.h"
#include "env/disk.h"

enum {
    READ_FIRST = 65536, /* bytes; doubled while more comes */
};

static void say(const struct cli *cli, const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    /* Detail of a problem and names of files are other people's text. */
    char *clean = text_clean(text_must(text), true);
    if (cli->verb != NULL)
        fprintf(stderr, "troupe %s: %s\n", cli->verb->name, clean);
    else
        fprintf(stderr, "troupe: %s\n", clean);
    free(clean);
    free(text);
}

enum cli_exit cli_fail(const struct cli *cli, enum cli_exit ending, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(cli, format, arguments);
    va_end(arguments);
    return ending;
}

void cli_say(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(cli, format, arguments);
    va_end(arguments);
}

void cli_print_json(const json_t *document)
{
    char *text = text_must(json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY));
    puts(text);
    free(text);
}

enum cli_exit cli_show(const struct cli *cli, json_t *answer,
                       enum cli_exit (*print)(const struct cli *cli, const json_t *answer))
{
    enum cli_exit ending = CLI_OK;
    if (cli->json)
        cli_print_json(answer);
    else
        ending = print(cli, answer);
    json_decref(answer);
    return ending;
}

static enum cli_exit read_stream(const struct cli *cli, FILE *file, const char *shown, size_t size_max,
                                 char **ret_bytes, size_t *ret_size)
{
    size_t capacity = READ_FIRST;
    size_t size = 0;
    char *bytes = text_must(malloc(capacity));
    for (;;) {
        size += fread(bytes + size, 1, capacity - 1 - size, file);
        if (size < capacity - 1 || size > size_max)
            break;
        capacity *= 2;
        bytes = text_must(realloc(bytes, capacity));
    }
    bytes[size] = '\0';
    if (ferror(file) || size > size_max) {
        bool is_large = !ferror(file);
        free(bytes);
        if (is_large)
            return cli_fail(cli, CLI_DATA, "%s: more than %zu bytes", shown, size_max);
        return cli_fail(cli, CLI_INPUT, "%s: %s", shown, strerror(errno));
    }
    *ret_bytes = bytes;
    *ret_size = size;
    return CLI_OK;
}

const char *cli_input_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

enum cli_exit cli_read_input(const struct cli *cli, const char *path, size_t size_max, char **ret_bytes,
                             size_t *ret_size)
{
    if (strcmp(path, "-") == 0)
        return read_stream(cli, stdin, cli_input_name(path), size_max, ret_bytes, ret_size);
    FILE *file = env_file_stream(path);
    if (file == NULL)
        return cli_fail(cli, CLI_INPUT, "%s: %s", path, strerror(errno));
    enum cli_exit ending = read_stream(cli, file, path, size_max, ret_bytes, ret_size);
    fclose(file);
    return ending;
}

enum cli_exit cli_set_text(const struct cli *cli, json_t *body, const char *name, const char *what,
                           const char *text, bool may_read, size_t size_max)
{
    if (text == NULL)
        return CLI_OK;
    char *read = NULL;
    size_t size = strlen(text);
    if (may_read && strcmp(text, "-") == 0) {
        enum cli_exit ending = cli_read_input(cli, text, size_max, &read, &size);
        if (ending != CLI_OK)
            return ending;
        text = read;
    }
    json_t *value = json_stringn(text, size);
    free(read);
    if (value == NULL)
        return cli_fail(cli, CLI_USAGE, "%s is not valid UTF-8", what);
    if (size > size_max || memchr(json_string_value(value), '\0', size) != NULL) {
        json_decref(value);
        return size > size_max ? cli_fail(cli, CLI_USAGE, "%s is longer than %zu bytes", what, size_max)
                               : cli_fail(cli, CLI_USAGE, "%s contains a NUL character", what);
    }
    if (json_object_set_new(body, name, value) != 0)
        text_must(NULL);
    return CLI_OK;
}

enum cli_exit cli_post(const struct cli *cli, const char *path, json_t *body, const struct cli_text *texts,
                       size_t count, enum cli_exit (*print)(const struct cli *cli, const json_t *answer))
{
    json_t *answer = NULL;
    enum cli_exit ending = CLI_OK;
    for (size_t i = 0; ending == CLI_OK && i < count; i++)
        ending = cli_set_text(cli, body, texts[i].name, texts[i].what, texts[i].text, texts[i].may_read,
                              texts[i].size_max);
    if (ending == CLI_OK)
        ending =
            cli_call(cli, &(struct client_request){.method = "POST", .path = path, .body = body}, &answer);
    json_decref(body);
    return ending == CLI_OK ? cli_show(cli, answer, print) : ending;
}
