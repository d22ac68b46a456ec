/* SPDX-License-Identifier: MIT */
/*
 * settings.c: see settings.h. The environment is read once, when a verb first asks the server.
 */
#include "cli/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/disk.h"

static const char url_default[] = "http://127.0.0.1:7373";

/* The value of an environment variable that is set and not empty, or NULL. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

const char *settings_data_folder(void)
{
    const char *folder = variable("TROUPE_DATA");
    return folder != NULL ? folder : "data";
}

/* Whether the host of `url` (after "http://") is this machine by its very name. */
static bool is_this_machine(const char *host)
{
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    if (length == strlen("localhost") && strncmp(host, "localhost", length) == 0)
        return true;
    if (length == strlen("[::1]") && strncmp(host, "[::1]", length) == 0)
        return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length;
}

static enum cli_exit read_url(const struct cli *cli, struct settings *settings)
{
    const char *url = variable("TROUPE_URL");
    if (url == NULL)
        url = url_default;
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    const char *host = strstr(url, "://");
    bool is_http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
    if (!is_http || host + 3 >= url + length)
        return cli_fail(cli, CLI_USAGE, "TROUPE_URL is '%s'; it has the form http://HOST:PORT", url);
    if (length >= sizeof settings->url)
        return cli_fail(cli, CLI_USAGE, "TROUPE_URL is longer than %d bytes", SETTINGS_URL_MAX - 1);
    memcpy(settings->url, url, length);
    settings->url[length] = '\0';
    settings->is_local = is_this_machine(host + 3);
    return CLI_OK;
}

static enum cli_exit keep_token(const struct cli *cli, struct settings *settings, const char *token,
                                const char *from)
{
    size_t length = strcspn(token, "\r\n");
    if (length == 0 || token[length + strspn(token + length, "\r\n")] != '\0')
        return cli_fail(cli, CLI_NOT_ALLOWED, "%s holds no token", from);
    for (size_t i = 0; i < length; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return cli_fail(cli, CLI_NOT_ALLOWED, "%s: byte %zu of the token is not a printable character",
                            from, i + 1);
    if (length >= sizeof settings->token)
        return cli_fail(cli, CLI_NOT_ALLOWED, "%s: the token is longer than %d bytes", from,
                        SETTINGS_TOKEN_MAX - 1);
    memcpy(settings->token, token, length);
    settings->token[length] = '\0';
    return CLI_OK;
}

static enum cli_exit read_token(const struct cli *cli, struct settings *settings)
{
    const char *token = variable("TROUPE_TOKEN");
    if (token != NULL)
        return keep_token(cli, settings, token, "TROUPE_TOKEN");
    if (!settings->is_local && variable("TROUPE_DATA") == NULL)
        return cli_fail(cli, CLI_NOT_ALLOWED, "no token for %s: set TROUPE_TOKEN", settings->url);
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/token", settings_data_folder());
    if (length < 0 || (size_t)length >= sizeof path)
        return cli_fail(cli, CLI_USAGE, "TROUPE_DATA is too long");
    char content[SETTINGS_TOKEN_MAX + 2];
    ssize_t size = env_file_load(path, content, sizeof content - 1);
    if (size < 0)
        return cli_fail(
            cli, CLI_NOT_ALLOWED,
            "no token: TROUPE_TOKEN is not set and %s cannot be read: %s (TROUPE_DATA names the folder "
            "that `troupe serve` keeps its data in)",
            path, strerror(errno));
    content[size] = '\0';
    return keep_token(cli, settings, content, path);
}

/*
 * Strict enough that nothing in a name can end the header that carries it; whether somebody has it, the
 * server knows.
 */
static bool is_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_./@");
    return length > 0 && length <= SETTINGS_NAME_MAX && name[length] == '\0';
}

enum cli_exit settings_read(const struct cli *cli, struct settings *ret_settings)
{
    ret_settings->as = cli->as;
    if (cli->as != NULL && !is_name(cli->as))
        return cli_fail(cli, CLI_USAGE, "--as '%s': a name is 1 to %d of a-z 0-9 - _ . / and @", cli->as,
                        SETTINGS_NAME_MAX);
    enum cli_exit ending = read_url(cli, ret_settings);
    return ending == CLI_OK ? read_token(cli, ret_settings) : ending;
}
