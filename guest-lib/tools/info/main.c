// SPDX-License-Identifier: MIT
/*
 * dxg-info: finds every dxgpu device and tells what it is: PCI configuration by libpci,
 * then capabilities, versions, slots and nodes from the registers. Changes nothing.
 *
 *	dxg-info [--json]
 *
 * Exit: 0 all told; 1 no device, or one whose registers cannot be read; 2 usage.
 */
#include <pci/pci.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <dxgpu/regs.h>
#include "emit.h"
#include "registers.h"

#define NUM_BARS	6
#define NAME_BYTES	256

enum { EXIT_TOLD = 0, EXIT_NOTHING = 1, EXIT_USAGE = 2 };

/* The device's folder in sysfs. */
static void device_folder(const struct pci_dev *device, char *path, size_t bytes)
{
	snprintf(path, bytes, "/sys/bus/pci/devices/%04x:%02x:%02x.%u",
		 (unsigned int)device->domain, device->bus, device->dev, device->func);
}

/* The bound driver's name; empty if there is none. */
static void driver_name(const char *folder, char name[NAME_BYTES])
{
	char link[128], target[NAME_BYTES];
	ssize_t length;
	char *base;

	snprintf(link, sizeof(link), "%s/driver", folder);
	length = readlink(link, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	base = strrchr(target, '/');
	snprintf(name, NAME_BYTES, "%s", base ? base + 1 : "");
}

static void print_bars(struct emit *emit, const struct pci_dev *device)
{
	char name[16];
	int i;

	for (i = 0; i < NUM_BARS; i++) {
		pciaddr_t base = device->base_addr[i];

		if (!device->size[i])
			continue;
		snprintf(name, sizeof(name), "bar%d", i);
		emit_group_begin(emit, name);
		emit_hex(emit, "address", base & PCI_ADDR_MEM_MASK, 1);
		emit_number(emit, "size", device->size[i]);
		emit_number(emit, "width", (base & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
			    PCI_BASE_ADDRESS_MEM_TYPE_64 ? 64 : 32);
		emit_flag(emit, "prefetchable", base & PCI_BASE_ADDRESS_MEM_PREFETCH);
		emit_group_end(emit);
	}
}

static void print_msix(struct emit *emit, struct pci_dev *device)
{
	struct pci_cap *cap = pci_find_cap(device, PCI_CAP_ID_MSIX, PCI_CAP_NORMAL);
	u16 control;

	if (!cap)
		return;
	control = pci_read_word(device, cap->addr + PCI_CAP_FLAGS);
	emit_group_begin(emit, "msix");
	emit_number(emit, "vectors", (control & PCI_MSIX_TABSIZE) + 1u);
	emit_flag(emit, "enabled", control & PCI_MSIX_ENABLE);
	emit_number(emit, "table-bar", pci_read_long(device, cap->addr + PCI_MSIX_TABLE) &
		    PCI_MSIX_BIR);
	emit_number(emit, "pending-bar", pci_read_long(device, cap->addr + PCI_MSIX_PBA) &
		    PCI_MSIX_BIR);
	emit_group_end(emit);
}

/* Return: whether all could be told. */
static bool print_device(struct emit *emit, struct pci_dev *device)
{
	char folder[96], driver[NAME_BYTES], error[512] = "";
	int result = -1;

	device_folder(device, folder, sizeof(folder));
	driver_name(folder, driver);
	emit_device_begin(emit);
	emit_text(emit, "device", strrchr(folder, '/') + 1);
	emit_hex(emit, "vendor-id", device->vendor_id, 4);
	emit_hex(emit, "device-id", device->device_id, 4);
	emit_hex(emit, "revision", pci_read_byte(device, PCI_REVISION_ID), 2);
	emit_hex(emit, "class", device->device_class, 4);
	emit_text(emit, "driver", *driver ? driver : "none");
	print_bars(emit, device);
	print_msix(emit, device);
	if (pci_read_word(device, PCI_COMMAND) & PCI_COMMAND_MEMORY)
		result = registers_print(emit, folder, driver, error, sizeof(error));
	else
		snprintf(error, sizeof(error),
			 "memory decoding is off, as no driver has enabled the device");
	if (result)
		emit_text(emit, "registers", "not readable");
	emit_device_end(emit);
	if (result) {
		fflush(stdout);
		fprintf(stderr, "dxg-info: %s: %s\n", strrchr(folder, '/') + 1, error);
	}
	return !result;
}

static int compare_addresses(const void *left, const void *right)
{
	const struct pci_dev *a = *(struct pci_dev *const *)left;
	const struct pci_dev *b = *(struct pci_dev *const *)right;

	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	return (a->bus << 16 | a->dev << 8 | a->func) -
	       (b->bus << 16 | b->dev << 8 | b->func);
}

/* Our devices by address, in *list, which the caller frees; NULL if there is no memory. */
static size_t find_devices(struct pci_access *access, struct pci_dev ***list)
{
	struct pci_dev *device;
	size_t all = 0, found = 0;

	for (device = access->devices; device; device = device->next)
		all++;
	*list = calloc(all + 1, sizeof(**list));
	for (device = access->devices; *list && device; device = device->next) {
		pci_fill_info(device, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_BASES |
			      PCI_FILL_SIZES | PCI_FILL_CAPS);
		if (device->vendor_id == DXGPU_PCI_VENDOR_ID &&
		    device->device_id == DXGPU_PCI_DEVICE_ID)
			(*list)[found++] = device;
	}
	if (found)
		qsort(*list, found, sizeof(**list), compare_addresses);
	return found;
}

/* Return: the exit code. */
static int print_all(struct pci_access *access, bool json)
{
	struct pci_dev **devices;
	size_t found = find_devices(access, &devices);
	struct emit emit;
	bool told = true;
	size_t i;

	emit_begin(&emit, json);
	for (i = 0; i < found; i++)
		if (!print_device(&emit, devices[i]))
			told = false;
	emit_end(&emit);
	free(devices);
	if (!found)
		fprintf(stderr, "dxg-info: no PCI device %04x:%04x\n", DXGPU_PCI_VENDOR_ID,
			DXGPU_PCI_DEVICE_ID);
	return found && told ? EXIT_TOLD : EXIT_NOTHING;
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: dxg-info [--json]\n";
	struct pci_access *access;
	bool json = false;
	int i, result;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			json = true;
			continue;
		}
		if (!strcmp(argv[i], "--help")) {
			fputs(usage, stdout);
			return EXIT_TOLD;
		}
		fprintf(stderr, "dxg-info: %s: no such option\n%s", argv[i], usage);
		return EXIT_USAGE;
	}
	access = pci_alloc();
	pci_init(access);
	pci_scan_bus(access);
	result = print_all(access, json);
	pci_cleanup(access);
	return result;
}
