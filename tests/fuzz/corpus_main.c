/* SPDX-License-Identifier: MIT */
/*
 * A main() for fuzz targets in builds without libFuzzer: gives every file of the corpus folders named as
 * arguments to LLVMFuzzerTestOneInput once, in name order, and the empty input first. What fuzzing found
 * before stays found, with any compiler and under any sanitizer. One thread.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LEN_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
        rewind(file);
    }
    /* Exactly as long as the input, so that the address sanitizer sees the first byte read past its end. */
    uint8_t *data = size >= 0 ? malloc(size > 0 ? (size_t)size : 1) : NULL;
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int run_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_input, alphasort);
    if (count < 0) {
        /* A target without a corpus yet runs the empty input only. */
        if (errno == ENOENT)
            return 0;
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_LEN_MAX];
        int len = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (len < 0 || (size_t)len >= sizeof path) {
            fprintf(stderr, "%s: a name in it is too long\n", folder);
            exit(1);
        }
        run_file(path);
        free(entries[i]);
    }
    free(entries);
    return count;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    LLVMFuzzerTestOneInput(nothing, 0);
    int count = 1;
    for (int i = 1; i < argc; i++)
        count += run_folder(argv[i]);
    printf("%d inputs\n", count);
    return 0;
}
