// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Behind an IOMMU (dxg exec --iommu): the kernel translates, so that the device is given no
 * physical address, its queues work, and nothing stays mapped when a process is gone. What
 * is mapped, the kernel's trace events iommu:map and iommu:unmap tell.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include "tap.h"
#include "debugfs.h"
#include "modules.h"
#include "queue.h"

#define TRACING		"/sys/kernel/debug/tracing"
#define SETTLE_MS	5000u

static bool write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool good = file && fputs(text, file) >= 0;

	return file ? !fclose(file) && good : false;
}

/* The first entry of a folder that is no dot; false if there is none. */
static bool first_entry(const char *path, char *name, size_t bytes)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (folder && !found && (entry = readdir(folder))) {
		found = entry->d_name[0] != '.';
		if (found)
			snprintf(name, bytes, "%s", entry->d_name);
	}
	if (folder)
		closedir(folder);
	return found;
}

static void test_translating(void)
{
	char name[256] = "", address[64], path[160], type[32] = "";
	FILE *file;

	if (!first_entry("/sys/class/iommu", name, sizeof(name)))
		bail("the machine has no IOMMU: dxg exec --iommu");
	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/type", address);
	file = fopen(path, "r");
	if (file) {
		if (!fgets(type, sizeof(type), file))
			type[0] = '\0';
		fclose(file);
	}
	ok(!strncmp(type, "DMA", 3), "%s translates for %s: %.8s", name, address, type);
}

struct mapped {
	unsigned int maps;
	unsigned int identical;		/* with the physical address */
	unsigned long long map_bytes;
	unsigned long long unmap_bytes;
};

static struct mapped trace_read(void)
{
	struct mapped mapped = { 0 };
	FILE *file = fopen(TRACING "/trace", "r");
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		unsigned long long iova, end, physical, bytes;
		const char *at = strstr(line, "IOMMU: iova=");

		if (!at)
			continue;
		if (sscanf(at, "IOMMU: iova=%llx - %llx paddr=%llx size=%llu", &iova, &end,
			   &physical, &bytes) == 4) {
			mapped.maps++;
			mapped.identical += iova == physical;
			mapped.map_bytes += bytes;
		} else if (sscanf(at, "IOMMU: iova=%llx - %llx size=%llu", &iova, &end,
				  &bytes) == 3) {
			mapped.unmap_bytes += bytes;
		}
	}
	if (file)
		fclose(file);
	return mapped;
}

static void test_addresses(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct kmt_session session;
	struct queue queue;
	struct mapped mapped;
	unsigned int i, done = 0, waited;

	if (!write_file(TRACING "/trace", "") ||
	    !write_file(TRACING "/events/iommu/map/enable", "1") ||
	    !write_file(TRACING "/events/iommu/unmap/enable", "1"))
		bail("no trace events iommu:map and iommu:unmap");
	counters_read(baseline);
	if (!NT_SUCCESS(kmt_session_open(&session, NULL, 0)) ||
	    !NT_SUCCESS(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES)))
		bail("no queue");
	for (i = 0; i < 20; i++)
		done += queue_probe(&queue) == STATUS_SUCCESS;
	ok(done == i, "a queue works: %u of %u submissions", done, i);
	mapped = trace_read();
	ok(mapped.maps && mapped.map_bytes, "%u mappings, %llu bytes, were made for it",
	   mapped.maps, mapped.map_bytes);
	ok(!mapped.identical, "none of them has its physical address (%u)", mapped.identical);
	queue_destroy(&queue);
	kmt_session_close(&session);
	ok(counters_settle(baseline, SETTLE_MS, last), "all objects are gone");
	for (waited = 0;; waited += 5) {
		mapped = trace_read();
		if (mapped.map_bytes == mapped.unmap_bytes || waited >= SETTLE_MS)
			break;
		kmt_sleep_us(5000);
	}
	ok(mapped.map_bytes == mapped.unmap_bytes, "nothing is mapped any more: %llu of %llu bytes",
	   mapped.map_bytes - mapped.unmap_bytes, mapped.map_bytes);
	write_file(TRACING "/events/iommu/enable", "0");
}

int main(void)
{
	test_translating();
	test_addresses();
	return done();
}
