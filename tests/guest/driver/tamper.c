// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a process, its debugger and a process that it gave its descriptor to can try on
 * the mappings of a doorbell, beyond mapping.c: every advice, every protection, a
 * debugger's writes, pins by every door that takes an address, userfaultfd, memory of
 * one's own in the place of a cell, descriptors that travel, exec. Each is refused or
 * harms nobody but the process (MAP-2, MAP-6, MAP-8, SEC-10, SEC-11, SEC-12, SEC-13, SEC-25, OBJ-5, OBJ-7,
 * OBJ-16, FH-25, FH-26, FH-30).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "fault.h"
#include "objects.h"
#include "rival.h"
#include "vmflags.h"

#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED
#define RETRY		DXG_DOORBELLSTATUS_DISCONNECTED_RETRY
#define MOST_ADVICE	128
#define EXECED		"--execed"
#define LIE		0x600dull

static struct kmt_session session;
static struct rival rival;

/* The four mappings that the kernel made. */
struct mapped {
	const char *name;
	void *page;
	bool writable;
};

#define MAPPINGS	4u

static void *page_of(const volatile void *address)
{
	return (void *)((uintptr_t)address & ~(uintptr_t)(KMT_PAGE_BYTES - 1));
}

static void mappings_of(const struct queue *queue, struct mapped mapped[MAPPINGS])
{
	mapped[0] = (struct mapped){ "doorbell", page_of(queue->bell), true };
	mapped[1] = (struct mapped){ "STAT cell", page_of(queue->stat), false };
	mapped[2] = (struct mapped){ "LQ cell", page_of(queue->last_queued), true };
	mapped[3] = (struct mapped){ "progress fence", page_of(queue->fence_cpu), false };
}

/* What a mapping must be at all times: SEC-11, SEC-12. */
static bool still_safe(const struct mapped *mapped)
{
	const char *wanted = "sh pf dc de dd", *unwanted = mapped->writable ? "ex me" : "wr mw ex me";
	unsigned int total, some;
	char flags[256];

	vm_flags(mapped->page, flags, sizeof(flags));
	if (vm_flags_found(flags, wanted, &total) == total &&
	    !vm_flags_found(flags, unwanted, &some))
		return true;
	diag("%s: VmFlags:%s", mapped->name, flags);
	return false;
}

/* Does it ring, is it taken away, does it say so, and does it come back? */
static bool still_works(struct queue *queue)
{
	return queue_probe(queue) == STATUS_SUCCESS && rival_steal(&rival, queue) &&
	       queue_ring(queue) == RETRY && queue_probe(queue) == STATUS_SUCCESS;
}

/* Advices that would make a mapping travel, be dumped, filled or thrown away. */
static bool must_be_refused(int advice)
{
	static const int refused[] = {
		MADV_FREE, MADV_REMOVE, MADV_DOFORK, MADV_DODUMP, MADV_WIPEONFORK,
		22 /* POPULATE_READ */, 23 /* POPULATE_WRITE */, 25 /* COLLAPSE */,
		100 /* HWPOISON */, 101 /* SOFT_OFFLINE */,
	};
	unsigned int i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i] == advice)
			return true;
	return false;
}

static void advices(struct queue *queue)
{
	struct mapped mapped[MAPPINGS];
	unsigned int i;

	mappings_of(queue, mapped);
	for (i = 0; i < MAPPINGS; i++) {
		unsigned int taken = 0, wrong = 0;
		uint64_t stat = *queue->stat, fence = *queue->fence_cpu;
		int advice;

		for (advice = -1; advice < MOST_ADVICE; advice++) {
			bool refused = madvise(mapped[i].page, KMT_PAGE_BYTES, advice) < 0;

			taken += !refused;
			if (!refused && must_be_refused(advice) && !wrong++)
				diag("advice %d is taken", advice);
		}
		ok(!wrong && still_safe(&mapped[i]) && *queue->stat == stat &&
		   *queue->fence_cpu == fence && still_works(queue),
		   "%s: every advice, %u were taken", mapped[i].name, taken);
	}
}

/* SEC-12: never writable if it was not, never executable; less, and back, does no harm. */
static void protections(struct queue *queue)
{
	struct mapped mapped[MAPPINGS];
	unsigned int i;
	int protection;

	mappings_of(queue, mapped);
	for (i = 0; i < MAPPINGS; i++) {
		const int most = PROT_READ | (mapped[i].writable ? PROT_WRITE : 0);
		unsigned int wrong = 0;

		for (protection = 0; protection < 8; protection++) {
			bool refused = mprotect(mapped[i].page, KMT_PAGE_BYTES, protection) < 0;

			if (refused != !!(protection & ~most) && !wrong++)
				diag("%s: protection %d", mapped[i].name, protection);
		}
		ok(!wrong && !mprotect(mapped[i].page, KMT_PAGE_BYTES, most) &&
		   still_safe(&mapped[i]) && still_works(queue), "%s: every protection",
		   mapped[i].name);
		ok(mremap(mapped[i].page, KMT_PAGE_BYTES, KMT_PAGE_BYTES,
			  MREMAP_MAYMOVE | 4 /* DONTUNMAP */) == MAP_FAILED,
		   "%s: cannot be moved and left behind (SEC-13)", mapped[i].name);
	}
}

/* Doors that a kernel may not have: whether it has them, and whether they opened. */
enum door { DOOR_MISSING, DOOR_SHUT, DOOR_OPEN };

static enum door io_uring_pins(void *page)
{
	struct io_uring_params params = { 0 };
	struct iovec buffer = { page, KMT_PAGE_BYTES };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	long result;

	if (ring < 0)
		return DOOR_MISSING;
	result = syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1);
	close(ring);
	return result ? DOOR_SHUT : DOOR_OPEN;
}

static enum door userfaultfd_takes(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)page, KMT_PAGE_BYTES },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	bool taken;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return DOOR_MISSING;
	taken = !ioctl(fd, UFFDIO_REGISTER, &range);
	range.mode = UFFDIO_REGISTER_MODE_WP;
	taken = taken || !ioctl(fd, UFFDIO_REGISTER, &range);
	close(fd);
	return taken ? DOOR_OPEN : DOOR_SHUT;
}

static void check_door(enum door door, const char *name, const char *what)
{
	if (door == DOOR_MISSING)
		skip(1, "this kernel has no such call");
	else
		ok(door == DOOR_SHUT, "%s: %s does not take it", name, what);
}

/* Whoever pins the page behind a mapping keeps it beyond a revoke (SEC-11). */
static void pins(struct queue *queue)
{
	struct mapped mapped[MAPPINGS];
	unsigned int i;

	mappings_of(queue, mapped);
	for (i = 0; i < MAPPINGS; i++) {
		struct iovec vector = { mapped[i].page, 8 };
		uint32_t allocation;
		int pipes[2], node;
		int32_t status;

		check_door(io_uring_pins(mapped[i].page), mapped[i].name, "io_uring");
		check_door(userfaultfd_takes(mapped[i].page), mapped[i].name, "userfaultfd");
		if (pipe(pipes))
			bail("no pipe");
		ok(vmsplice(pipes[1], &vector, 1, 0) < 0, "%s: vmsplice does not take it",
		   mapped[i].name);
		close(pipes[0]);
		close(pipes[1]);
		status = kmt_allocation_pin(&session, mapped[i].page, KMT_PAGE_BYTES, &allocation);
		ok(!NT_SUCCESS(status), "%s: no allocation is made of it (%#x)", mapped[i].name,
		   (uint32_t)status);
		ok(syscall(SYS_futex, mapped[i].page, FUTEX_WAKE, 1, NULL, NULL, 0) < 0 &&
		   (syscall(SYS_move_pages, 0, 1, &mapped[i].page, NULL, &node, 0) < 0 ||
		    node < 0), "%s: no shared futex and no move of the page", mapped[i].name);
	}
	ok(still_works(queue), "after that the doorbell works");
}

/* ---- a debugger ---- */

static int debugged(struct child_report *report, void *argument)
{
	struct kmt_session own;
	struct queue queue;
	int32_t status;

	(void)argument;
	status = queue_open(&queue, &own);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	report->values[0] = (uintptr_t)queue.bell;
	report->values[1] = (uintptr_t)queue.stat;
	report->values[2] = (uintptr_t)queue.last_queued;
	report->values[3] = (uintptr_t)queue.fence_cpu;
	report->values[4] = *queue.last_queued;
	child_stage(report, 1);
	if (*queue.last_queued != report->values[4])
		child_fail(report, "LQ was written");
	if (*queue.stat != CONNECTED && *queue.stat != RETRY)
		child_fail(report, "STAT was written: %llu", (unsigned long long)*queue.stat);
	status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "after it: status %#x", (uint32_t)status);
	return 0;
}

/* The process's own stores are its right; those of others, with any privilege, are not. */
static void debugger(void)
{
	static const char *const names[MAPPINGS] = {
		"doorbell", "STAT cell", "LQ cell", "progress fence",
	};
	struct child_report *report = child_reports(1);
	pid_t pid = child_start(debugged, report, NULL, true, 30);
	char path[32], how[32];
	unsigned int i;
	int memory, status;

	if (!child_await(report, pid, 1, 20000))
		bail("the debugged child does not start: %s", report->problem);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	memory = open(path, O_RDWR | O_CLOEXEC);
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid)
		bail("no ptrace: errno %d", errno);
	for (i = 0; i < MAPPINGS; i++) {
		uint64_t at = report->values[i], word = LIE;
		struct iovec local = { &word, 8 }, remote = { (void *)(uintptr_t)at, 8 };

		ok(ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)at, (void *)(uintptr_t)LIE) < 0,
		   "a debugger cannot poke the %s (SEC-12)", names[i]);
		ok(memory >= 0 && pwrite(memory, &word, 8, (off_t)at) != 8,
		   "nor write it by /proc/PID/mem");
		ok(process_vm_writev(pid, &local, 1, &remote, 1, 0) < 0,
		   "nor by process_vm_writev");
	}
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	close(memory);
	report->go = 1;
	if (!ok(child_reap(pid, how, sizeof(how)), "the debugged process goes on"))
		diag("%s: %s", how, report->problem);
}

/* ---- one's own memory in the place of a cell ---- */

/* The process is blind then; the kernel, which never looks there, is not (FH-25). */
static int blind(struct child_report *report, void *argument)
{
	unsigned int which = *(unsigned int *)argument;
	struct mapped mapped[MAPPINGS];
	volatile uint64_t *word;
	struct kmt_session own;
	struct queue queue;
	int32_t status;

	status = queue_open(&queue, &own);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	mappings_of(&queue, mapped);
	munmap(mapped[which].page, KMT_PAGE_BYTES);
	word = mmap(mapped[which].page, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (word != mapped[which].page)
		child_fail(report, "no page");
	*word = LIE;
	/* The parent's rival takes the slot. */
	child_stage(report, 1);
	status = doorbell_connect(own.fd, queue.doorbell);
	if (NT_SUCCESS(status))
		status = queue_destroy(&queue);
	if (NT_SUCCESS(status))
		status = kmt_session_close(&own);
	if (!NT_SUCCESS(status) || *word != LIE)
		child_fail(report, "status %#x, the word is %#llx", (uint32_t)status,
			   (unsigned long long)*word);
	return 0;
}

static void replaced(void)
{
	static const char *const names[MAPPINGS] = {
		"doorbell", "STAT cell", "LQ cell", "progress fence",
	};
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++) {
		struct child_report *report = child_reports(1);
		pid_t pid = child_start(blind, report, &i, true, 30);
		bool taken = child_await(report, pid, 1, 20000) &&
			     doorbell_connect(rival.session.fd, rival.queues[0].doorbell) ==
			     STATUS_SUCCESS;
		char how[32];

		report->go = 1;
		if (!ok(child_reap(pid, how, sizeof(how)) && taken,
			"memory in the place of the %s is the process's own, to the end",
			names[i]))
			diag("%s: %s", how, report->problem);
	}
}

/* ---- descriptors that travel ---- */

static bool send_descriptor(int socket, int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1;
}

static int receive_descriptor(int socket)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(socket, &message, 0) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

struct sender {
	int socket;
	int how;		/* 0: exits, 9: waits to be killed */
};

/* Sends its descriptor and ends; handles and addresses are in the report. */
static int sender(struct child_report *report, void *argument)
{
	const struct sender *sender = argument;
	uint32_t handles[NUM_OBJECTS];
	struct kmt_session own;
	struct queue queue;
	unsigned int i;
	int32_t status;

	status = queue_open(&queue, &own);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status) || !send_descriptor(sender->socket, own.fd))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	objects_gather(&own, &queue, handles);
	for (i = 0; i < NUM_OBJECTS; i++)
		report->values[i] = handles[i];
	child_stage(report, 1);
	if (sender->how)
		pause();
	return 0;
}

/* Every call with the descriptor and the right handles: a stranger's (OBJ-16, SEC-10). */
static unsigned int accepted_calls(int fd, const struct child_report *report)
{
	struct kmt_session foreign = { .fd = fd, .device = (uint32_t)report->values[OBJECT_DEVICE] };
	uint32_t doorbell = (uint32_t)report->values[OBJECT_DOORBELL], i, out;
	unsigned int accepted = 0;

	for (i = 0; i < NUM_OBJECTS; i++)
		accepted += object_destroy(&foreign, (enum object)i,
					   (uint32_t)report->values[i]) !=
			    STATUS_INVALID_PARAMETER;
	accepted += doorbell_connect(fd, doorbell) != STATUS_INVALID_PARAMETER;
	accepted += doorbell_notify(fd, doorbell) != STATUS_INVALID_PARAMETER;
	accepted += kmt_device_create(fd, (uint32_t)report->values[OBJECT_ADAPTER], &out) !=
		    STATUS_INVALID_PARAMETER;
	accepted += kmt_execution_state(fd, foreign.device) != 0;
	accepted += kmt_fault_address(fd, foreign.device) != 0;
	return accepted;
}

static void travels(bool received, int how)
{
	const char *name = how ? "killed" : "let go";
	struct child_report *report = child_reports(1);
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], text[32];
	int sockets[2], fd = -1;
	struct sender order;
	unsigned int lines;
	pid_t pid;

	counters_read(baseline);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		bail("no socket pair");
	order = (struct sender){ sockets[1], how };
	pid = child_start(sender, report, &order, false, 30);
	if (!child_await(report, pid, 1, 20000))
		bail("the sender does not start: %s", report->problem);
	if (received) {
		fd = receive_descriptor(sockets[0]);
		ok(fd >= 0 && !accepted_calls(fd, report), "a descriptor that was sent is good for no call");
		ok(mmap(NULL, KMT_PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED,
		   "nor for a mapping");
	}
	report->go = 1;
	if (how)
		kill(pid, SIGKILL);
	child_reap(pid, text, sizeof(text));
	kmt_sleep_us(400000);
	state_sum("doorbell", pid, "connects", &lines);
	if (received) {
		ok(lines == 1 && !accepted_calls(fd, report),
		   "its owner was %s: it keeps the objects, and nothing more", name);
		close(fd);
	} else {
		ok(lines == 1, "its owner was %s: the descriptor in flight keeps the objects", name);
	}
	close(sockets[0]);
	close(sockets[1]);
	if (!ok(counters_settle(baseline, 10000, last), "its last close takes all"))
		diag("before: %s; after: %s", baseline, last);
}

/* ---- exec ---- */

/* The process itself again, with the descriptor and in another address space. */
static int execing(struct child_report *report, void *argument)
{
	char fd_text[16], handle_text[16];
	struct kmt_session own;
	struct queue queue;

	(void)argument;
	if (kmt_session_open(&own, NULL, 0) ||
	    queue_create(&queue, &own, own.context, QUEUE_RING_BYTES) || queue_probe(&queue))
		child_fail(report, "set-up");
	fcntl(own.fd, F_SETFD, 0);
	snprintf(fd_text, sizeof(fd_text), "%d", own.fd);
	snprintf(handle_text, sizeof(handle_text), "%u", queue.doorbell);
	execl("/proc/self/exe", "driver-tamper", EXECED, fd_text, handle_text, NULL);
	child_fail(report, "exec: errno %d", errno);
}

/* What runs after it: 0 if the old program's doorbell is out of reach. */
static int execed(int fd, uint32_t doorbell)
{
	struct kmt_session again;

	if (doorbell_connect(fd, doorbell) != STATUS_INVALID_PARAMETER ||
	    doorbell_destroy(fd, doorbell) != STATUS_INVALID_PARAMETER)
		return 2;
	return kmt_session_open(&again, NULL, 0) || kmt_session_close(&again) ? 3 : 0;
}

static void exec_keeps_nothing(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	struct child_report *report = child_reports(1);
	pid_t pid;

	counters_read(baseline);
	pid = child_start(execing, report, NULL, true, 30);
	ok(child_reap(pid, how, sizeof(how)),
	   "after exec the descriptor is a stranger's, and the node can be opened anew (%s %s)",
	   how, report->problem);
	if (!ok(counters_settle(baseline, 10000, last), "and nothing is left"))
		diag("before: %s; after: %s", baseline, last);
}

/* A hole in a ring's mapping is the process's own loss; the memory is the kernel's (OBJ-11). */
static void holes(void)
{
	struct kmt_buffer buffer;
	uint8_t *middle;

	must(kmt_buffer_create(&session, 4 * KMT_PAGE_BYTES, 0, &buffer), "buffer");
	middle = (uint8_t *)buffer.cpu + KMT_PAGE_BYTES;
	ok(!munmap(middle, KMT_PAGE_BYTES) && fault_of_store((volatile uint64_t *)(void *)middle, 1),
	   "part of an allocation's mapping can be unmapped");
	memset(buffer.cpu, 1, KMT_PAGE_BYTES);
	ok(madvise((uint8_t *)buffer.cpu + 2 * KMT_PAGE_BYTES, KMT_PAGE_BYTES, MADV_REMOVE) < 0,
	   "and no part of it be removed");
	ok(kmt_buffer_destroy(&session, &buffer) == STATUS_SUCCESS, "it is unlocked and destroyed");
}

int main(int argc, char **argv)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct queue queue;

	if (argc == 4 && !strcmp(argv[1], EXECED))
		return execed(atoi(argv[2]), (uint32_t)strtoul(argv[3], NULL, 0));
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(rival_create(&rival), "rival");
	must(queue_probe(&queue), "first work");

	advices(&queue);
	protections(&queue);
	pins(&queue);
	debugger();
	replaced();
	holes();
	travels(true, 0);
	travels(true, SIGKILL);
	travels(false, 0);
	travels(false, SIGKILL);
	exec_keeps_nothing();

	ok(still_works(&queue), "at the end the doorbell works");
	ok(queue_destroy(&queue) == STATUS_SUCCESS && rival_destroy(&rival) == STATUS_SUCCESS &&
	   kmt_session_close(&session) == STATUS_SUCCESS, "all is destroyed");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
