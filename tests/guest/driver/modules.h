/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading and unloading our modules, and taking the device from its driver.
 *
 * Where the modules lie is the guest image's business: /lib/modules/dxg.
 */
#ifndef DXG_TESTS_MODULES_H
#define DXG_TESTS_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0, or the errno of finit_module or delete_module. Unloading never waits. */
int module_load(const char *name);
int module_load_with(const char *name, const char *parameters);
int module_unload(const char *name);

/* The PCI address of the first dxgpu device; false if there is none. */
bool pci_find(char *address, size_t bytes);

/* A BAR of the function, past its driver; NULL with errno. munmap() ends it. */
volatile void *pci_map(const char *address, unsigned int bar, uint64_t *bytes);

/* Writes text to a file of sysfs: 0 or errno. The path is a format for the address. */
int sysfs_write(const char *path_format, const char *address, const char *text);

#endif /* DXG_TESTS_MODULES_H */
