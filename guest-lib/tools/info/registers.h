/* SPDX-License-Identifier: MIT */
/* dxg-info: the device's register file, read through sysfs. */
#ifndef DXG_INFO_REGISTERS_H
#define DXG_INFO_REGISTERS_H

#include <stddef.h>
#include "emit.h"

/*
 * registers_print - what BAR0 says of itself
 * @folder: the device's folder in sysfs
 * @driver: name of the bound driver, empty if none; for the error text
 * @error: out, if it fails
 *
 * Only registers without side effects are read, so a driver may be at work meanwhile.
 * Return: 0, or -1: the kernel gives no access (it keeps the registers for the driver,
 * unless booted with iomem=relaxed), or this is not a device that we know.
 */
int registers_print(struct emit *emit, const char *folder, const char *driver, char *error,
		    size_t error_bytes);

#endif /* DXG_INFO_REGISTERS_H */
