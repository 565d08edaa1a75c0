/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smallest target: meson links it to see if there is a fuzzer runtime. */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    return 0;
}
