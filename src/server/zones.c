/* SPDX-License-Identifier: MIT */
/*
 * zones.c: the table of zones.h. It only grows, behind one lock; a zone that was given out stays for the life
 * of the process.
 */
#include "server/zones.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/disk.h"

#define FOLDER "/usr/share/zoneinfo"

struct known {
    char name[ORG_ZONE_NAME_LEN_MAX + 1];
    struct org_zone *zone;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct known known[ZONES_MAX];
static size_t known_count;

static struct org_zone *read_zone(const char *name)
{
    char path[sizeof FOLDER + 1 + ORG_ZONE_NAME_LEN_MAX];
    struct org_zone *zone = NULL;
    snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    void *bytes = malloc(ORG_ZONE_FILE_SIZE_MAX);
    ssize_t size = bytes != NULL ? env_file_load(path, bytes, ORG_ZONE_FILE_SIZE_MAX) : -1;
    if (size > 0 && org_zone_read(bytes, (size_t)size, &zone) != TROUPE_OK)
        zone = NULL;
    free(bytes);
    return zone;
}

static bool find(const char *name, const struct org_zone **ret_zone)
{
    for (size_t i = 0; i < known_count; i++) {
        if (strcmp(known[i].name, name) == 0) {
            *ret_zone = known[i].zone;
            return true;
        }
    }
    struct org_zone *zone = known_count < ZONES_MAX ? read_zone(name) : NULL;
    if (zone == NULL)
        return false;
    memcpy(known[known_count].name, name, strlen(name) + 1);
    known[known_count++].zone = zone;
    *ret_zone = zone;
    return true;
}

bool zones_find(const char *name, const struct org_zone **ret_zone)
{
    *ret_zone = NULL;
    if (name[0] == '\0')
        return true;
    if (strlen(name) > ORG_ZONE_NAME_LEN_MAX || name[0] == '/' || strstr(name, "..") != NULL)
        return false;
    pthread_mutex_lock(&lock);
    bool is_known = find(name, ret_zone);
    pthread_mutex_unlock(&lock);
    return is_known;
}

const struct org_hours *zones_hours(struct org_hours *hours, const char *zone, uint32_t from_minute,
                                    uint32_t to_minute, uint8_t days)
{
    if (days == 0) /* most have none: nothing has to be looked for */
        return NULL;
    *hours = (struct org_hours){
        .days = days, .from_minute = (uint16_t)from_minute, .to_minute = (uint16_t)to_minute};
    (void)zones_find(zone, &hours->zone);
    return org_hours_are_valid(hours) ? hours : NULL;
}
