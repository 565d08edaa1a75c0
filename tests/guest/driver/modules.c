// SPDX-License-Identifier: GPL-2.0-or-later
/* See modules.h. */
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <dxgpu/regs.h>

#define MODULE_FOLDER	"/lib/modules/dxg"

int module_load(const char *name)
{
	return module_load_with(name, "");
}

int module_load_with(const char *name, const char *parameters)
{
	char path[128];
	int file, error;

	snprintf(path, sizeof(path), MODULE_FOLDER "/%s.ko", name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return errno;
	error = syscall(SYS_finit_module, file, parameters, 0) ? errno : 0;
	close(file);
	return error;
}

int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;
}

static unsigned long read_number(const char *folder, const char *name)
{
	char path[256], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strtoul(text, NULL, 0);
}

bool pci_find(char *address, size_t bytes)
{
	bool found = false;
	glob_t devices;
	size_t i;

	if (glob("/sys/bus/pci/devices/*", 0, NULL, &devices))
		return false;
	for (i = 0; i < devices.gl_pathc && !found; i++) {
		const char *folder = devices.gl_pathv[i];

		if (read_number(folder, "vendor") == DXGPU_PCI_VENDOR_ID &&
		    read_number(folder, "device") == DXGPU_PCI_DEVICE_ID) {
			snprintf(address, bytes, "%s", strrchr(folder, '/') + 1);
			found = true;
		}
	}
	globfree(&devices);
	return found;
}

volatile void *pci_map(const char *address, unsigned int bar, uint64_t *bytes)
{
	void *memory = MAP_FAILED;
	char path[128];
	struct stat file;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%u", address, bar);
	fd = open(path, O_RDWR | O_CLOEXEC | O_SYNC);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &file)) {
		*bytes = (uint64_t)file.st_size;
		memory = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

int sysfs_write(const char *path_format, const char *address, const char *text)
{
	char path[256];
	const char *mark = strstr(path_format, "%s");
	ssize_t written;
	int file, error;

	if (mark)
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(mark - path_format), path_format,
			 address, mark + 2);
	else
		snprintf(path, sizeof(path), "%s", path_format);
	file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return errno;
	written = write(file, text, strlen(text));
	error = written == (ssize_t)strlen(text) ? 0 : errno;
	close(file);
	return error;
}
