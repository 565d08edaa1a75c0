// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What memory type the pages of a doorbell get, seen by kernel probes at the two functions
 * that enter a page into a process's table: by the first what the driver asks for, by the
 * second what x86's own record of memory types has made of it. A physical doorbell is
 * uncached device memory and not write-combining, its dummy ordinary memory (MAP-4), as are
 * the pages of STAT and LQ and their linear mapping in the kernel (MAP-5).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "tap.h"
#include "driver/debugfs.h"
#include "driver/modules.h"
#include "driver/queue.h"

#define TRACING		"/sys/kernel/tracing"
/* The page and its attributes are the third and fourth argument of both. */
#define ASKED		"p:dxgtest/asked vmf_insert_pfn_prot address=%si:x64 pfn=%dx:x64 prot=%cx:x64"
#define ENTERED		"p:dxgtest/entered insert_pfn address=%si:x64 pfn=%dx:x64 prot=%cx:x64"

/* The bits of a 4 KiB entry that choose the memory type; zero is write-back. */
#define WRITE_THROUGH	0x08u
#define CACHE_DISABLE	0x10u
#define PAT		0x80u
#define TYPE		(WRITE_THROUGH | CACHE_DISABLE | PAT)
#define MOST		4u
/* x86's memory type of a page in the kernel's linear mapping, by /proc/kpageflags: 0 is write-back. */
#define KPF_TYPE	(1ull << 38 | 1ull << 39 | 1ull << 41)

static char text[1u << 18];

struct entry {
	unsigned int type;
	uint64_t pfn;
};

static uint64_t value_in(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoull(at + strlen(key), NULL, 0) : 0;
}

/* The first entries of one page that a probe saw, in order; gives how many there are. */
static unsigned int entries_of(const char *probe, const volatile void *address,
			       struct entry entries[MOST])
{
	uint64_t page = (uintptr_t)address / KMT_PAGE_BYTES;
	unsigned int found = 0;
	const char *line;
	char name[32];

	snprintf(name, sizeof(name), " %s: ", probe);
	for (line = strstr(text, name); line; line = strstr(line + 1, name)) {
		if (value_in(line, "address=") / KMT_PAGE_BYTES != page)
			continue;
		if (found < MOST)
			entries[found] = (struct entry) {
				.type = value_in(line, "prot=") & TYPE,
				.pfn = value_in(line, "pfn="),
			};
		found++;
	}
	return found;
}

static void check(const char *probe, const char *what, const volatile void *address,
		  const unsigned int *wanted, unsigned int count)
{
	struct entry entries[MOST] = { 0 };
	unsigned int found = entries_of(probe, address, entries), i;
	bool right = found == count;

	for (i = 0; i < count; i++)
		right = right && entries[i].type == wanted[i];
	if (!ok(right, "%s", what))
		diag("%u entries %s, not %u: %#x %#x %#x", found, probe, count, entries[0].type,
		     entries[1].type, entries[2].type);
}

static bool kernel_maps_write_back(const volatile void *address)
{
	struct entry entries[MOST];
	uint64_t flags = KPF_TYPE;
	FILE *file;

	if (!entries_of("asked", address, entries))
		return false;
	file = fopen("/proc/kpageflags", "re");
	if (!file || fseeko(file, (off_t)(entries[0].pfn * sizeof(flags)), SEEK_SET) ||
	    fread(&flags, sizeof(flags), 1, file) != 1)
		diag("no /proc/kpageflags");
	if (file)
		fclose(file);
	return !(flags & KPF_TYPE);
}

static bool probe_add(const char *probe)
{
	if (!sysfs_write(TRACING "/kprobe_events", "", probe))
		return true;
	diag("the kernel takes no probe %s", probe);
	return false;
}

int main(void)
{
	static const unsigned int dummy_and_slot[] = { 0, CACHE_DISABLE }, ordinary[] = { 0 };
	struct kmt_session session;
	struct queue queue;
	bool entered;

	if (access(TRACING "/trace", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (!probe_add(ASKED)) {
		skip(8, "no kernel probes");
		return done();
	}
	entered = probe_add(ENTERED);
	if (sysfs_write(TRACING "/events/dxgtest/enable", "", "1"))
		bail("the probes cannot be enabled");
	must(queue_open(&queue, &session), "queue");
	must(queue_probe(&queue), "work");
	must(queue_probe(&queue), "more work");
	sysfs_write(TRACING "/events/dxgtest/enable", "", "0");
	file_read(TRACING "/trace", text, sizeof(text));

	check("asked", "a dummy is asked for as memory, a slot as uncached (MAP-4)", queue.bell,
	      dummy_and_slot, 2);
	check("asked", "STAT is asked for as memory (MAP-5)", queue.stat, ordinary, 1);
	check("asked", "LQ is asked for as memory (MAP-5)", queue.last_queued, ordinary, 1);
	if (entered) {
		check("entered", "a dummy is entered as write-back, a slot as uncached (MAP-4)",
		      queue.bell, dummy_and_slot, 2);
		check("entered", "STAT is entered as write-back (MAP-5)", queue.stat, ordinary, 1);
		check("entered", "LQ is entered as write-back (MAP-5)", queue.last_queued,
		      ordinary, 1);
	} else {
		skip(3, "insert_pfn() is no function of this kernel's");
	}
	ok(kernel_maps_write_back(queue.stat) && kernel_maps_write_back(queue.last_queued),
	   "the kernel's own mapping of STAT and LQ is write-back (MAP-5)");
	ok(queue_destroy(&queue) == STATUS_SUCCESS && kmt_session_close(&session) == STATUS_SUCCESS,
	   "all is destroyed");
	return done();
}
