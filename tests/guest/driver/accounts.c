// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a process is charged with is what it has: each kind of thing, made and given back in
 * every way, and refused, moves its account by exactly that much (SEC-17, KMT-CD-4).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "queue.h"

#define PAGES		16u
#define BASE		0x100000000ull

enum { FILES, HANDLES, CONTEXTS, QUEUES, PAGE_COUNT, RANGES, VIEWS, WAITS, NUM_QUOTAS };

static const char *const names[NUM_QUOTAS] = {
	"files", "handles", "contexts", "queues", "pages", "ranges", "views", "waits",
};

struct account {
	unsigned long used[NUM_QUOTAS];
};

static struct kmt_session session;
static struct account before;

/* The line that begins with "KIND=VALUE ", of this process or of its user. */
static bool account_read(const char *kind, long value, struct account *account)
{
	FILE *file = fopen("/sys/kernel/debug/dxg/accounts", "re");
	char line[512], start[64];
	bool found = false;
	unsigned int i;

	snprintf(start, sizeof(start), "%s=%ld ", kind, value);
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, start, strlen(start)))
			continue;
		found = true;
		for (i = 0; i < NUM_QUOTAS; i++) {
			char word[32], *at;

			snprintf(word, sizeof(word), " %s=", names[i]);
			at = strstr(line, word);
			found &= at != NULL;
			account->used[i] = at ? strtoul(at + strlen(word), NULL, 10) : 0;
		}
	}
	if (file)
		fclose(file);
	return found;
}

static struct account account_now(void)
{
	struct account own, user;

	if (!account_read("process pid", getpid(), &own) || !account_read("user uid", 0, &user))
		bail("no account in debugfs");
	if (memcmp(&own, &user, sizeof(own)))
		diag("the user's account differs from that of his one process");
	return own;
}

/* Checks what has been charged since mark(). */
#define moved(quota, by, ...) ok(moved_by(quota, by), __VA_ARGS__)

static void mark(void)
{
	before = account_now();
}

static bool moved_by(unsigned int quota, long by)
{
	struct account now = account_now();
	unsigned int i;
	bool good = true;

	for (i = 0; i < NUM_QUOTAS; i++) {
		long change = (long)(now.used[i] - before.used[i]);

		/* Handles come with everything. */
		if (change == (i == quota ? by : 0) || (i == HANDLES && quota != HANDLES))
			continue;
		diag("%s: %+ld", names[i], change);
		good = false;
	}
	return good;
}

static int32_t map_at(uint32_t allocation, uint64_t base, uint64_t pages)
{
	struct dxg_mapgpuvirtualaddress map = {
		.paging_queue = session.paging_queue,
		.base_address = base,
		.allocation = allocation,
		.size_in_pages = pages,
	};

	return kmt_call(session.fd, LX_DXMAPGPUVIRTUALADDRESS, &map);
}

static int32_t reserve_at(uint64_t base, uint64_t bytes)
{
	struct dxg_reservegpuvirtualaddress args = {
		.adapter_or_paging_queue = session.adapter,
		.base_address = base,
		.size = bytes,
	};

	return kmt_call(session.fd, LX_DXRESERVEGPUVIRTUALADDRESS, &args);
}

/* Mappings are counted once, however they go. */
static void mappings(bool resident)
{
	const char *how = resident ? "resident" : "not resident";
	uint32_t allocation;
	struct account first;

	mark();
	first = before;
	if (kmt_allocation_create(&session, PAGES * KMT_PAGE_BYTES, &allocation))
		bail("no allocation");
	moved(PAGE_COUNT, PAGES, "%s: the allocation is charged", how);
	if (resident && kmt_make_resident(&session, allocation))
		bail("not resident");
	mark();
	if (map_at(allocation, BASE, PAGES) || kmt_unmap(&session, BASE, PAGES * KMT_PAGE_BYTES))
		bail("map, unmap");
	moved(VIEWS, 0, "%s: mapped and unmapped", how);
	ok(map_at(allocation, BASE, PAGES + 1) == STATUS_INVALID_PARAMETER &&
	   map_at(allocation, BASE + 1, 1) == STATUS_INVALID_PARAMETER &&
	   !map_at(allocation, BASE, 2) &&
	   map_at(allocation, BASE, PAGES) == STATUS_INVALID_PARAMETER &&
	   kmt_unmap(&session, BASE, PAGES * KMT_PAGE_BYTES) == STATUS_INVALID_PARAMETER &&
	   !kmt_unmap(&session, BASE, 2 * KMT_PAGE_BYTES) &&
	   kmt_unmap(&session, BASE, 2 * KMT_PAGE_BYTES) == STATUS_INVALID_PARAMETER,
	   "%s: too long, crooked, overlapping, unmapped in part and twice: refused", how);
	moved(VIEWS, 0, "%s: which costs nothing", how);
	if (reserve_at(BASE, 1ull << 20) || map_at(allocation, BASE, PAGES) ||
	    map_at(allocation, BASE + (1 << 19), PAGES) || kmt_unmap(&session, BASE, 1ull << 20))
		bail("map in a reservation");
	moved(VIEWS, 0, "%s: a reservation goes with its mappings", how);
	if (map_at(allocation, BASE, PAGES) || map_at(allocation, 2 * BASE, PAGES) ||
	    kmt_allocation_destroy(&session, allocation))
		bail("destroy what is mapped");
	before = first;
	moved(VIEWS, 0, "%s: an allocation goes with its mappings", how);
}

static void objects(void)
{
	struct kmt_session other;
	struct queue queue;
	void *memory = mmap(NULL, PAGES * KMT_PAGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	struct dxgpu_allocation_data data = {
		.size = sizeof(data),
		.bytes = PAGES * KMT_PAGE_BYTES,
	};
	struct dxg_allocationinfo2 info = {
		.sysmem = (uintptr_t)memory,
		.priv_drv_data = (uintptr_t)&data,
		.priv_drv_data_size = sizeof(data),
	};
	struct dxg_createallocation create = {
		.device = session.device,
		.alloc_count = 1,
		.allocation_info = (uintptr_t)&info,
		.flags = DXG_ALLOCATION_EXISTING_SYSMEM,
	};
	uint32_t context;

	mark();
	ok(kmt_call(session.fd, LX_DXCREATEALLOCATION, &create) == KMT_ERRNO(EFAULT),
	   "memory that cannot be written is not pinned for writing");
	moved(PAGE_COUNT, 0, "and not charged");
	create.flags |= DXG_ALLOCATION_READ_ONLY;
	if (kmt_call(session.fd, LX_DXCREATEALLOCATION, &create))
		bail("memory cannot be pinned for reading");
	moved(PAGE_COUNT, PAGES, "memory that is pinned is charged");
	kmt_allocation_destroy(&session, info.allocation);
	moved(HANDLES, 0, "until it is let go");
	if (kmt_context_create(session.fd, session.device, 0, &context))
		bail("no context");
	moved(CONTEXTS, 1, "a context is charged");
	ok(kmt_context_create(session.fd, session.device, 99, &context) ==
	   STATUS_INVALID_PARAMETER, "a context on a node that is not there is refused");
	moved(CONTEXTS, 1, "and costs nothing");
	mark();
	if (kmt_session_open(&other, NULL, 0) ||
	    queue_create(&queue, &other, other.context, QUEUE_RING_BYTES) || queue_probe(&queue))
		bail("no second file");
	ok(account_now().used[FILES] == before.used[FILES] + 1 &&
	   account_now().used[QUEUES] == before.used[QUEUES] + 1, "a second file is charged");
	close(other.fd);
	moved(HANDLES, 0, "its close gives all of it back");
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	if (kmt_session_open(&session, NULL, 0))
		bail("no session");
	mappings(false);
	mappings(true);
	objects();
	close(session.fd);
	if (!ok(counters_settle(baseline, 10000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
