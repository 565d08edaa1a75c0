// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a process can do to the mappings that the driver gave it: nothing that lets it
 * write its own status, keep a physical doorbell, hand one to a child, or swallow its
 * rings unnoticed (SEC-10, SEC-11, SEC-12, SEC-13, MAP-1, MAP-2,
 * MAP-6, MAP-8, OBJ-5, OBJ-7, OBJ-9, OBJ-23, KMT-HQ-2, PF-8, FH-30).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "fault.h"
#include "rival.h"
#include "vmflags.h"

#define WAIT_NS		(10ull * 1000 * 1000 * 1000)
#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED
#define RETRY		DXG_DOORBELLSTATUS_DISCONNECTED_RETRY

static struct kmt_session session;
static struct rival rival;

static void *page_of(const volatile void *address)
{
	return (void *)((uintptr_t)address & ~(uintptr_t)(KMT_PAGE_BYTES - 1));
}

static void check_flags(const char *name, const volatile void *address, const char *wanted,
			const char *unwanted)
{
	unsigned int all, some, found, forbidden;
	char flags[256];

	vm_flags(address, flags, sizeof(flags));
	if (!flags[0]) {
		skip(1, "no VmFlags in smaps");
		return;
	}
	found = vm_flags_found(flags, wanted, &all);
	forbidden = vm_flags_found(flags, unwanted, &some);
	if (!ok(found == all && !forbidden, "the %s's mapping is %s, and not %s", name, wanted,
		unwanted))
		diag("VmFlags:%s", flags);
}

/* sh shared, dc not copied on fork, de not expandable, dd not dumped, pf raw pages. */
static void flags_of_mappings(struct queue *queue)
{
	check_flags("doorbell", queue->bell, "rd wr sh pf dc de dd", "ex me");
	check_flags("STAT cell", queue->stat, "rd sh dc de dd", "wr mw ex me");
	check_flags("LQ cell", queue->last_queued, "rd wr sh dc de dd", "ex me");
	check_flags("progress fence", queue->fence_cpu, "rd sh dc de dd", "wr mw ex me");
	ok(page_of(queue->stat) != page_of(queue->last_queued), "STAT and LQ are on two pages");
	ok((uintptr_t)queue->bell % session.caps.doorbell_bytes == 0 &&
	   (uintptr_t)queue->stat % 8 == 0, "doorbell and STAT are aligned");
}

static void write_protection(struct queue *queue)
{
	void *stat = page_of(queue->stat), *fence = page_of(queue->fence_cpu);
	uint64_t value = CONNECTED, before = *queue->stat;
	int memory;

	ok(mprotect(stat, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE) < 0 && errno == EACCES,
	   "STAT cannot be made writable (SEC-12)");
	ok(mprotect(fence, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE) < 0 && errno == EACCES,
	   "nor can the progress fence");
	ok(mprotect(page_of(queue->bell), KMT_PAGE_BYTES, PROT_READ | PROT_EXEC) < 0,
	   "the doorbell cannot be made executable");
	ok(fault_of_store(queue->stat, value) == SIGSEGV, "a store to STAT raises SIGSEGV");
	ok(fault_of_store(queue->fence_cpu, 1) == SIGSEGV, "a store to the fence too (PF-8)");

	memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (memory < 0) {
		skip(2, "no /proc/self/mem");
	} else {
		ok(pwrite(memory, &value, 8, (off_t)(uintptr_t)queue->stat) != 8,
		   "a debugger's write to STAT fails");
		ok(pwrite(memory, &value, 8, (off_t)(uintptr_t)queue->fence_cpu) != 8,
		   "and to the fence");
		close(memory);
	}
	ok(*queue->stat == before && *queue->fence_cpu == 0, "both are what they were");
}

/* A personality that turns every readable mapping into an executable one. */
static void no_execution(void)
{
	int before = personality(0xffffffff);
	struct kmt_session own;
	struct queue queue;

	personality((unsigned long)before | READ_IMPLIES_EXEC);
	must(kmt_session_open(&own, NULL, 0), "session");
	must(queue_create(&queue, &own, own.context, QUEUE_RING_BYTES), "queue");
	personality((unsigned long)before);
	check_flags("doorbell", queue.bell, "rd wr sh", "ex me");
	check_flags("STAT cell", queue.stat, "rd sh", "wr mw ex me");
	check_flags("LQ cell", queue.last_queued, "rd wr sh", "ex me");
	check_flags("ring", queue.ring.cpu, "rd wr sh", "ex me");
	must(queue_destroy(&queue), "queue");
	must(kmt_session_close(&own), "session");
}

/* The node itself cannot be mapped, nor the mappings' own file by another way. */
static void no_other_way(struct queue *queue)
{
	char path[96];
	int file;

	ok(mmap(NULL, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, session.fd, 0) ==
	   MAP_FAILED, "mmap of /dev/dxg is refused, shared");
	ok(mmap(NULL, KMT_PAGE_BYTES, PROT_READ, MAP_PRIVATE, session.fd, 0) == MAP_FAILED,
	   "mmap of /dev/dxg is refused, private (SEC-11)");
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx",
		 (unsigned long)(uintptr_t)page_of(queue->bell),
		 (unsigned long)(uintptr_t)page_of(queue->bell) + KMT_PAGE_BYTES);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0) {
		ok(true, "the doorbell's file cannot be opened by map_files");
		return;
	}
	ok(mmap(NULL, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED &&
	   mmap(NULL, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0) == MAP_FAILED,
	   "the doorbell's file, opened by map_files, cannot be mapped");
	close(file);
}

/* Where in its file a mapping begins, in pages. */
static size_t file_page_of(const volatile void *address)
{
	unsigned long start, end, offset, found = 0;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %lx", &start, &end, &offset) == 3 &&
		    (uintptr_t)address >= start && (uintptr_t)address < end)
			found = offset;
	if (maps)
		fclose(maps);
	return found / KMT_PAGE_BYTES;
}

/* A call that maps the file of a mapping once more; it takes the old mapping with it. */
static void no_second_mapping(void)
{
	struct queue queue;

	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	ok(remap_file_pages(page_of(queue.bell), KMT_PAGE_BYTES, 0, file_page_of(queue.bell), 0),
	   "remap_file_pages maps no doorbell (SEC-10 MAP-1)");
	ok(queue_destroy(&queue) == STATUS_SUCCESS, "and the queue ends as others do");
}

/* Nothing may pin the page behind the doorbell: a pin would outlive a revoke. */
static void no_pins(struct queue *queue)
{
	struct iovec local = { .iov_len = 8 }, remote = { .iov_len = 8 };
	uint64_t word = 0;
	int pipes[2];

	if (pipe(pipes))
		bail("no pipe");
	local.iov_base = (void *)(uintptr_t)queue->bell;
	ok(vmsplice(pipes[1], &local, 1, 0) < 0, "vmsplice takes no doorbell page");
	local.iov_base = &word;
	remote.iov_base = (void *)(uintptr_t)queue->bell;
	ok(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) < 0,
	   "process_vm_writev writes no doorbell");
	remote.iov_base = (void *)(uintptr_t)queue->stat;
	ok(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) < 0,
	   "process_vm_writev writes no STAT");
	close(pipes[0]);
	close(pipes[1]);
}

static void remapping(void)
{
	struct queue queue;
	void *page, *moved;
	uint64_t fence;

	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&queue), "first work");
	page = page_of(queue.bell);
	ok(mremap(page, KMT_PAGE_BYTES, 2 * KMT_PAGE_BYTES, MREMAP_MAYMOVE) == MAP_FAILED,
	   "a doorbell's mapping cannot grow");
	ok(mremap(page, 0, KMT_PAGE_BYTES, MREMAP_MAYMOVE) == MAP_FAILED,
	   "nor be doubled (SEC-13)");
	moved = mmap(NULL, KMT_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap(page, KMT_PAGE_BYTES, KMT_PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, moved);
	if (moved == MAP_FAILED) {
		ok(true, "nor moved");
		ok(true, "so there is nothing to revoke elsewhere");
	} else {
		queue.bell = (volatile uint64_t *)moved;
		ok(queue_probe(&queue) == STATUS_SUCCESS, "it can be moved, and works (MAP-8)");
		fence = *queue.fence_cpu;
		if (!rival_steal(&rival, &queue))
			bail("the rival cannot take the slot");
		queue_ring(&queue);
		must(queue_probe(&rival.queues[0]), "the rival's work");
		ok(*queue.fence_cpu == fence && queue_probe(&queue) == STATUS_SUCCESS,
		   "and a revoke finds it there");
	}
	ok(doorbell_destroy(session.fd, queue.doorbell) == STATUS_SUCCESS,
	   "a doorbell whose mapping moved is destroyed");
	ok(moved == MAP_FAILED || fault_of_store((volatile uint64_t *)moved, 1) != 0,
	   "and is no doorbell any more");
	queue.doorbell = 0;
	must(queue_destroy(&queue), "queue");
	munmap(moved, KMT_PAGE_BYTES);
}

/* The process takes its own mappings away: its loss, nobody else's. */
static void unmapping(void)
{
	struct queue queue;
	void *page;

	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&queue), "first work");
	page = page_of(queue.bell);
	munmap(page, KMT_PAGE_BYTES);
	if (mmap(page, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page)
		bail("no page in the doorbell's place");
	*queue.bell = 1;
	ok(rival_steal(&rival, &queue), "an unmapped doorbell is victimised like any other");
	ok(doorbell_connect(session.fd, queue.doorbell) == STATUS_SUCCESS, "and connects");
	ok(queue_destroy(&queue) == STATUS_SUCCESS, "and is destroyed");
}

static int touch_doorbell(struct child_report *report, void *argument)
{
	struct queue *queue = argument;

	(void)report;
	*queue->bell = 1;
	return 0;
}

static int touch_stat(struct child_report *report, void *argument)
{
	struct queue *queue = argument;

	(void)report;
	return (int)*queue->stat & 0;
}

static int touch_last_queued(struct child_report *report, void *argument)
{
	struct queue *queue = argument;

	(void)report;
	*queue->last_queued = 1ull << 40;
	return 0;
}

/* A child has none of it (SEC-11). */
static void children(struct queue *queue)
{
	int (*const touches[])(struct child_report *report, void *argument) = {
		touch_doorbell, touch_stat, touch_last_queued,
	};
	static const char *const names[] = { "doorbell", "STAT", "LQ" };
	struct child_report *report = child_reports(1);
	char how[32];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		pid_t pid = child_start(touches[i], report, queue, false, 20);

		child_reap(pid, how, sizeof(how));
		ok(!strcmp(how, "signal 11"), "a child that touches the %s dies (%s)", names[i],
		   how);
	}
	ok(queue_probe(queue) == STATUS_SUCCESS, "its parent does not notice");
}

/* Locking, populating, advising: the entry still comes by fault only (MAP-2). */
static void populating(struct queue *queue)
{
	void *page = page_of(queue->bell);
	uint64_t fence;

	if (!rival_steal(&rival, queue))
		bail("the rival cannot take the slot");
	mlock(page, KMT_PAGE_BYTES);
	madvise(page, KMT_PAGE_BYTES, 23 /* MADV_POPULATE_WRITE */);
	madvise(page, KMT_PAGE_BYTES, MADV_WILLNEED);
	madvise(page, KMT_PAGE_BYTES, MADV_DONTNEED);
	ok(madvise(page, KMT_PAGE_BYTES, MADV_DOFORK) < 0, "MADV_DOFORK is refused");
	fence = *queue->fence_cpu;
	must(doorbell_connect(session.fd, queue->doorbell), "connect");
	ok(queue_probe(queue) == STATUS_SUCCESS && *queue->fence_cpu == fence + 1,
	   "a doorbell that was locked and populated as a dummy rings after connect");
	if (!rival_steal(&rival, queue))
		bail("the rival cannot take the slot");
	ok(queue_ring(queue) == RETRY, "and is a dummy again after a revoke");
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct queue queue;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(rival_create(&rival), "rival");

	flags_of_mappings(&queue);
	write_protection(&queue);
	no_execution();
	no_other_way(&queue);
	no_second_mapping();
	must(queue_probe(&queue), "first work");
	no_pins(&queue);
	children(&queue);
	remapping();
	unmapping();
	populating(&queue);

	ok(queue_destroy(&queue) == STATUS_SUCCESS && rival_destroy(&rival) == STATUS_SUCCESS &&
	   kmt_session_close(&session) == STATUS_SUCCESS, "all is destroyed");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
