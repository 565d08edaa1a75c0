// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each allocation of both modules fails once, and then all from it on: a process's whole
 * life, and the loading of the modules (T2, KMT-CD-4, KMT-CD-20, KMT-0.5, OBJ-24,
 * SEC-16). Each time a clear status, nothing left, and a neighbour that does not notice.
 *
 *   driver-nomem [FIRST [MINIPORT]]
 *
 * Needs the modules' test build (alloc_fail.h), whose parameter "fail" makes allocation N
 * of this process fail; N grows until none fails any more. The test build also counts
 * what both modules hold, so that a leak shows which no object count shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "modules.h"
#include "rival.h"

#define FAIL_FILE	"/sys/module/dxgkrnl/parameters/fail"
#define FOREVER		1000000u
#define MOST		2000u	/* allocations in one life, far above */
#define MOST_SITES	128u
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
#define SYSMEM_PAGES	3u
/* Two pages before a border of page tables of every level below the root. */
#define BORDER		(0x8000000000ull - 2 * KMT_PAGE_BYTES)
#define STAGE_RUNNING	1
#define FAULT_ROUNDS	20u

struct fails {
	unsigned int calls, failures;
	char live[96];		/* what both modules hold, as text */
	char site[96];
};

static const char *miniport = "dxgpu";
static char sites[MOST_SITES][96];
static unsigned int num_sites;

static void fail_arm(unsigned int nth, unsigned int times)
{
	char text[32];

	snprintf(text, sizeof(text), "%u,%u", nth, times);
	if (sysfs_write(FAIL_FILE, "", text))
		bail("%s cannot be written: not the test build", FAIL_FILE);
}

static void fail_read(struct fails *fails)
{
	FILE *file = fopen(FAIL_FILE, "re");
	char text[256] = "", *live, *site;

	memset(fails, 0, sizeof(*fails));
	if (!file || !fgets(text, sizeof(text), file) ||
	    sscanf(text, "calls=%u failures=%u", &fails->calls, &fails->failures) != 2)
		bail("%s cannot be read", FAIL_FILE);
	fclose(file);
	live = strstr(text, "memory=");
	site = strstr(text, " site=");
	if (!live || !site)
		bail("%s: %s", FAIL_FILE, text);
	snprintf(fails->live, sizeof(fails->live), "%.*s", (int)(site - live), live);
	snprintf(fails->site, sizeof(fails->site), "%.*s",
		 (int)strcspn(site + 6, "\n"), site + 6);
}

static void keep_site(const struct fails *fails)
{
	unsigned int i;

	for (i = 0; i < num_sites; i++)
		if (!strcmp(sites[i], fails->site))
			return;
	if (num_sites < MOST_SITES)
		memcpy(sites[num_sites++], fails->site, sizeof(fails->site));
}

/* ---- a life ---- */

struct life {
	struct kmt_session session;
	struct queue queue;
	bool has_queue;
	void *sysmem;
	const char *step;	/* that failed, with its status */
	int32_t status;
};

static bool step(struct life *life, const char *name, int32_t status)
{
	if (NT_SUCCESS(status))
		return true;
	if (!life->step) {
		life->step = name;
		life->status = status;
	}
	return false;
}

static int32_t description(struct life *life)
{
	static uint16_t text[4096];
	struct dxg_queryadapterinfo query = {
		.adapter = life->session.adapter,
		.type = 65,	/* KMTQAITYPE_DRIVER_DESCRIPTION */
		.private_data = (uintptr_t)text,
		.private_data_size = sizeof(text),
	};

	return kmt_call(life->session.fd, LX_DXQUERYADAPTERINFO, &query);
}

static int32_t reserve(struct life *life)
{
	struct dxg_reservegpuvirtualaddress args = {
		.adapter_or_paging_queue = life->session.adapter,
		.size = 65536,
	};

	return kmt_call(life->session.fd, LX_DXRESERVEGPUVIRTUALADDRESS, &args);
}

static int32_t map_at(struct life *life, uint32_t allocation, uint64_t base)
{
	struct dxg_mapgpuvirtualaddress map = {
		.paging_queue = life->session.paging_queue,
		.base_address = base,
		.allocation = allocation,
		.size_in_pages = SYSMEM_PAGES,
		.protection = DXG_PROTECTION_WRITE,
	};

	return kmt_call(life->session.fd, LX_DXMAPGPUVIRTUALADDRESS, &map);
}

static int32_t wait_by_event(struct life *life)
{
	uint64_t value = 1000000;
	struct dxg_waitforsyncobjectfromcpu wait = {
		.device = life->session.device,
		.object_count = 1,
		.objects = (uintptr_t)&life->queue.fence,
		.fence_values = (uintptr_t)&value,
	};
	int event = eventfd(0, EFD_CLOEXEC);
	int32_t status;

	wait.async_event = (uint64_t)event;
	status = kmt_call(life->session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait);
	close(event);
	return status;
}

static void live(struct life *life)
{
	struct kmt_session *session = &life->session;
	uint32_t allocation = 0;

	if (!step(life, "session", kmt_session_open(session, NULL, 0)))
		return;
	if (!step(life, "description", description(life)) ||
	    !step(life, "queue", queue_create(&life->queue, session, session->context,
					      QUEUE_RING_BYTES)))
		return;
	life->has_queue = true;
	if (step(life, "first work", queue_probe(&life->queue)) &&
	    step(life, "allocation of own memory",
		 kmt_allocation_pin(session, life->sysmem, SYSMEM_PAGES * KMT_PAGE_BYTES,
				    &allocation)) &&
	    step(life, "reserve", reserve(life)) &&
	    step(life, "map before it is resident", map_at(life, allocation, BORDER)) &&
	    step(life, "make resident", kmt_make_resident(session, allocation)) &&
	    step(life, "map", map_at(life, allocation, 0)) &&
	    step(life, "evict", kmt_evict(session, allocation)) &&
	    step(life, "wait", kmt_wait(session, life->queue.fence, 1)) &&
	    step(life, "wait by event", wait_by_event(life)) &&
	    step(life, "notify", doorbell_notify(session->fd, life->queue.doorbell)) &&
	    step(life, "work", queue_probe(&life->queue)))
		step(life, "destroy allocation", kmt_allocation_destroy(session, allocation));
}

/* By and by, or all at once. Calls that allocate may fail here as well. */
static void die(struct life *life, bool orderly)
{
	if (life->session.fd < 0)
		return;
	if (!orderly) {
		close(life->session.fd);
		return;
	}
	if (life->has_queue)
		step(life, "destroy queue", queue_destroy(&life->queue));
	step(life, "close session", kmt_session_close(&life->session));
}

static bool clear(const struct life *life)
{
	return !life->step || life->status == STATUS_NO_MEMORY ||
	       life->status == KMT_ERRNO(ENOMEM);
}

/* One life with allocation nth failing. False if it was the last: nothing failed any more. */
static bool one_life(unsigned int nth, unsigned int times, void *sysmem, const char *baseline,
		     const char *held, unsigned int bad[3])
{
	struct life life = { .sysmem = sysmem, .session.fd = -1 };
	char last[DEBUGFS_TEXT_BYTES];
	struct fails fails;

	fail_arm(nth, times);
	live(&life);
	die(&life, times == 1 && nth % 2);
	fail_read(&fails);
	fail_arm(0, 0);
	if (!fails.failures) {
		if (!life.step)
			return false;
		diag("%u: %s: status %#x, and no allocation failed", nth, life.step,
		     (uint32_t)life.status);
		bad[0]++;
		return false;
	}
	keep_site(&fails);
	if (!clear(&life)) {
		diag("%u: %s: %s: status %#x", nth, fails.site, life.step,
		     (uint32_t)life.status);
		bad[0]++;
	}
	if (!counters_settle(baseline, 10000, last)) {
		diag("%u: %s: before: %s; after: %s", nth, fails.site, baseline, last);
		bad[1]++;
	}
	fail_read(&fails);
	if (strcmp(fails.live, held)) {
		diag("%u: %s: held before: %s; after: %s", nth, fails.site, held, fails.live);
		bad[2]++;
	}
	return true;
}

static void lives(unsigned int first, unsigned int times)
{
	const char *how = times == 1 ? "one allocation" : "all allocations from one on";
	void *sysmem = mmap(NULL, SYSMEM_PAGES * KMT_PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int bad[3] = { 0 }, nth = first;
	char baseline[DEBUGFS_TEXT_BYTES];
	struct fails fails;

	if (sysmem == MAP_FAILED)
		bail("no memory");
	counters_read(baseline);
	fail_read(&fails);
	while (nth < MOST && bad[0] + bad[1] + bad[2] < 8 &&
	       one_life(nth, times, sysmem, baseline, fails.live, bad))
		nth++;
	ok(nth > first && nth < MOST, "%s failed: %u lives", how, nth - first);
	ok(!bad[0], "%s failed: each time NO_MEMORY", how);
	ok(!bad[1], "%s failed: no object is left", how);
	ok(!bad[2], "%s failed: no memory, bus address or id is left (%s)", how, fails.live);
	munmap(sysmem, SYSMEM_PAGES * KMT_PAGE_BYTES);
}

static int neighbour(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	struct chain chain;

	(void)argument;
	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    chain_create(&chain, &queue, 64) || queue_probe(&queue))
		child_fail(report, "no queue");
	report->stage = STAGE_RUNNING;
	while (!report->go) {
		char problem[200];

		if (chain_lap(&chain, (uint32_t)report->values[0]++, 4, WAIT_NS, problem,
			      sizeof(problem)) != STATUS_SUCCESS)
			child_fail(report, "%s", problem);
		kmt_sleep_us(2000);
	}
	return 0;
}

/*
 * The dummy page and all else was made with the doorbell: connect, revoke and the faults
 * after them want no memory at all (MAP-10).
 */
static void faults(void)
{
	struct kmt_session session;
	unsigned int i, good = 0;
	struct rival rival;
	struct queue queue;
	struct fails fails;

	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    rival_create(&rival) || queue_probe(&queue))
		bail("no queue or rival");
	fail_arm(1, FOREVER);
	for (i = 0; i < FAULT_ROUNDS; i++)
		good += rival_steal(&rival, &queue) &&
			queue_ring(&queue) == DXG_DOORBELLSTATUS_DISCONNECTED_RETRY &&
			queue_probe(&queue) == STATUS_SUCCESS;
	fail_read(&fails);
	fail_arm(0, 0);
	if (!ok(good == FAULT_ROUNDS && !fails.calls,
		"without memory: %u revokes, faults on the dummy, connects, faults on the slot", good))
		diag("%u allocations, the last in %s", fails.calls, fails.site);
	if (rival_destroy(&rival) || queue_destroy(&queue) || kmt_session_close(&session))
		bail("they cannot be destroyed");
}

/* ---- loading ---- */

static bool all_given_back(void)
{
	struct fails fails;
	char text[DEBUGFS_TEXT_BYTES];

	fail_read(&fails);
	if (counters_read(text) && counters_all_zero(text) && counters_all_zero(fails.live))
		return true;
	diag("counters: %s; held: %s", text, fails.live);
	return false;
}

static void load_layer(void)
{
	unsigned int nth, bad = 0, refused = 0;
	struct fails fails;

	for (nth = 1; nth < MOST; nth++) {
		char parameters[32];
		int error;

		snprintf(parameters, sizeof(parameters), "fail=%u,1", nth);
		error = module_load_with("dxgkrnl", parameters);
		if (error == ENOMEM) {
			refused++;
			continue;
		}
		if (error)
			bail("dxgkrnl: allocation %u fails: errno %d", nth, error);
		fail_read(&fails);
		if (!fails.failures)
			break;
		diag("dxgkrnl loads without %s", fails.site);
		bad += module_unload("dxgkrnl") != 0;
	}
	ok(refused && nth < MOST && !bad, "dxgkrnl: %u of %u failing allocations refuse the module",
	   refused, nth - 1);
}

static void load_miniport(void)
{
	unsigned int nth, bad = 0;
	struct fails fails;
	int error;

	for (nth = 1; nth < MOST && !bad; nth++) {
		fail_arm(nth, 1);
		error = module_load(miniport);
		fail_read(&fails);
		fail_arm(0, 0);
		if (!fails.failures)
			break;
		keep_site(&fails);
		/* The driver without its device is there, or it is not. */
		if (error != 0 && error != ENOMEM) {
			diag("%s: errno %d", fails.site, error);
			bad++;
		}
		if ((!error && module_unload(miniport)) || !all_given_back()) {
			diag("%s: something is left", fails.site);
			bad++;
		}
	}
	ok(nth > 1 && nth < MOST && !bad,
	   "%s: %u failing allocations of load and probe leave nothing", miniport, nth - 1);
}

static void loads(void)
{
	struct kmt_session session;
	struct queue queue;

	if (module_unload(miniport) || module_unload("dxgkrnl"))
		bail("the modules cannot be unloaded");
	load_layer();
	load_miniport();
	ok(!kmt_session_open(&session, NULL, 0) &&
	   !queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) &&
	   !queue_probe(&queue) && !queue_destroy(&queue) && !kmt_session_close(&session),
	   "and then all works");
}

int main(int argc, char **argv)
{
	unsigned int first = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 1, i;
	struct child_report *report = child_reports(1);
	char how[32];
	pid_t pid;

	if (argc > 2)
		miniport = argv[2];
	if (!first)
		bail("FIRST is 0 (1..)");
	if (access(FAIL_FILE, F_OK))
		bail("no %s: not the test build of the modules", FAIL_FILE);
	pid = child_start(neighbour, report, NULL, true, 200);
	if (!child_await(report, pid, STAGE_RUNNING, 30000))
		bail("no neighbour: %s", report->problem);
	lives(first, 1);
	lives(first, FOREVER);
	faults();
	report->go = 1;
	ok(child_reap(pid, how, sizeof(how)), "the neighbour was right in %llu laps (%s) %s",
	   (unsigned long long)report->values[0], how, report->problem);
	loads();
	for (i = 0; i < num_sites; i++)
		diag("failed: %s", sites[i]);
	ok(num_sites > 40, "%u places failed", num_sites);
	return done();
}
