// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine keeps its addresses while the memory map changes. A CPU switches the windows of
 * our device off and on, as a function-level reset does, and the other reads a register of its
 * local APIC that never changes: each read must be of that register.
 *
 * A QEMU whose TLB outlives the map answers such a read, now and then, out of another device's
 * window, and takes a write of the APIC's end-of-interrupt or timer there: a CPU without
 * interrupts from then on. See docs/decisions/0015.
 *
 *   machine-map [CHANGES]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "driver/modules.h"

#define APIC_BASE	0xfee00000l
#define APIC_VERSION	0x30u
#define APIC_BYTES	0x1000u
#define PCI_COMMAND	4
#define COMMAND_MEMORY	2u

struct reader {
	volatile const uint32_t *apic;
	atomic_bool stop;
	unsigned long reads, wrong;
	uint32_t first_wrong;
};

static void stay_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bail("no CPU %u: errno %d", cpu, errno);
}

static void *read_apic(void *argument)
{
	struct reader *reader = argument;
	uint32_t version, seen;

	stay_on(1);
	version = reader->apic[APIC_VERSION / sizeof(uint32_t)];
	while (!atomic_load(&reader->stop)) {
		seen = reader->apic[APIC_VERSION / sizeof(uint32_t)];
		reader->reads++;
		if (seen != version && !reader->wrong++)
			reader->first_wrong = seen;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int changes = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
					  dxg_count(5000, 50000);
	struct reader reader = { 0 };
	char address[64], path[128];
	unsigned int i, made = 0;
	pthread_t thread;
	uint16_t command;
	int memory, config;

	alarm(100);
	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	config = open(path, O_RDWR | O_CLOEXEC);
	memory = open("/dev/mem", O_RDONLY | O_SYNC | O_CLOEXEC);
	if (config < 0 || memory < 0)
		bail("%s: errno %d", config < 0 ? path : "/dev/mem", errno);
	reader.apic = mmap(NULL, APIC_BYTES, PROT_READ, MAP_SHARED, memory, APIC_BASE);
	if (reader.apic == MAP_FAILED)
		bail("the local APIC is not mapped: errno %d", errno);
	if (pread(config, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		bail("%s cannot be read: errno %d", path, errno);

	stay_on(0);
	if (pthread_create(&thread, NULL, read_apic, &reader))
		bail("no thread");
	for (i = 0; i < changes; i++) {
		command ^= COMMAND_MEMORY;
		made += pwrite(config, &command, sizeof(command), PCI_COMMAND) == sizeof(command);
	}
	atomic_store(&reader.stop, true);
	pthread_join(thread, NULL);
	ok(made == changes, "the device's windows were switched %u times", made);
	if (!ok(!reader.wrong, "%lu reads of the local APIC beside it are all of the local APIC",
		reader.reads))
		diag("%lu wrong, the first %#x", reader.wrong, reader.first_wrong);
	return done();
}
