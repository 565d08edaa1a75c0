/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says that a mapping may and may not do: the VmFlags of smaps. */
#ifndef DXG_TESTS_VMFLAGS_H
#define DXG_TESTS_VMFLAGS_H

#include <stddef.h>

/* The words of the mapping that holds an address, each between spaces; "" if there are none. */
void vm_flags(const volatile void *address, char *flags, size_t bytes);

/* How many of the words of a list are among the flags? *total gets how many it has. */
unsigned int vm_flags_found(const char *flags, const char *words, unsigned int *total);

#endif /* DXG_TESTS_VMFLAGS_H */
