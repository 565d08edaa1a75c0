/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzz target as a unit test: runs each file of the folders given, once,
 * without libFuzzer; TAP on stdout. With the corpus, and with every input that
 * ever broke something, whatever compiler there is.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of a folder, which may be absent, join the list. */
static void add_folder(GPtrArray *files, const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_ptr_array_add(files, g_build_filename(folder, name, NULL));
    }
    g_clear_pointer(&dir, g_dir_close);
}

int main(int argc, char **argv)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    char *data, *name, *base;
    size_t length;
    guint i;

    for (i = 1; i < (guint)argc; i++) {
        add_folder(files, argv[i]);
    }
    g_ptr_array_sort(files, by_name);
    if (!files->len) {
        printf("Bail out! no inputs in the folders given\n");
        return 1;
    }
    printf("1..%u\n", files->len);
    for (i = 0; i < files->len; i++) {
        name = g_ptr_array_index(files, i);
        base = g_path_get_basename(name);
        /* Told before: an input that fails ends the program. */
        fprintf(stderr, "# %s\n", name);
        if (g_file_get_contents(name, &data, &length, NULL)) {
            LLVMFuzzerTestOneInput((uint8_t *)data, length);
            g_free(data);
            printf("ok %u %s\n", i + 1, base);
        } else {
            printf("not ok %u %s: cannot be read\n", i + 1, base);
        }
        fflush(stdout);
        g_free(base);
    }
    g_ptr_array_free(files, TRUE);
    return 0;
}
