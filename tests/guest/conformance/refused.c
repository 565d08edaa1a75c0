// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a queue of user-mode submission is not: it takes no submission by call, no wait, no
 * signal (KMT-HQ-3), and there is no call about flips or presentation and none that hands a
 * driver private words (MOD-13, MOD-16). Each is refused, and the device has done nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "driver/debugfs.h"
#include "driver/objects.h"

#define ARGUMENT_BYTES	1024u
#define WAIT_NS		(20ull * 1000 * 1000 * 1000)

static struct kmt_session session, other;
static struct queue queue, foreign;
static uint8_t *half;		/* a page, and one behind it that is not there */

/* ---- the three calls, with whatever queue ---- */

static int32_t submit_command(uint32_t hwqueue)
{
	struct dxg_submitcommandtohwqueue args = {
		.queue = hwqueue,
		.progress_fence_id = *queue.fence_cpu + 1,
		.command_buffer = queue.commands.gpuva,
		.command_length = QUEUE_COMMAND_BYTES,
	};

	return kmt_call(session.fd, LX_DXSUBMITCOMMANDTOHWQUEUE, &args);
}

static int32_t submit_wait(uint32_t hwqueue)
{
	uint64_t value = *queue.fence_cpu + 1;
	struct dxg_submitwaitforsyncobjectstohwqueue args = {
		.queue = hwqueue,
		.object_count = 1,
		.objects = (uintptr_t)&queue.fence,
		.fence_values = (uintptr_t)&value,
	};

	return kmt_call(session.fd, LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE, &args);
}

static int32_t submit_signal_many(const uint32_t *hwqueues, uint32_t count, uint32_t flags)
{
	uint64_t value = *queue.fence_cpu + 1;
	struct dxg_submitsignalsyncobjectstohwqueue args = {
		.flags = flags,
		.queue_count = count,
		.queues = (uintptr_t)hwqueues,
		.object_count = 1,
		.objects = (uintptr_t)&queue.fence,
		.fence_values = (uintptr_t)&value,
	};

	return kmt_call(session.fd, LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE, &args);
}

static int32_t submit_signal(uint32_t hwqueue)
{
	return submit_signal_many(&hwqueue, 1, 0);
}

static const struct {
	const char *name;
	unsigned long command;
	int32_t (*function)(uint32_t hwqueue);
} calls[] = {
	{ "SubmitCommandToHwQueue", LX_DXSUBMITCOMMANDTOHWQUEUE, submit_command },
	{ "SubmitWaitForSyncObjectsToHwQueue", LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE,
	  submit_wait },
	{ "SubmitSignalSyncObjectsToHwQueue", LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE,
	  submit_signal },
};

#define NUM_CALLS	(sizeof(calls) / sizeof(calls[0]))

/* ---- and has anything come of it? ---- */

struct trace {
	char counters[DEBUGFS_TEXT_BYTES];
	uint64_t fence, last_queued, rp;
};

/* A fence may be there before the device says how far it has come. */
static bool drained(void)
{
	uint64_t start = kmt_now_ns();

	while (queue_read_pointer(&queue) != queue.wp) {
		if (kmt_now_ns() - start > WAIT_NS)
			return false;
		kmt_sleep_us(200);
	}
	return true;
}

static void remember(struct trace *trace)
{
	if (!drained())
		bail("work is not done");
	if (!counters_read(trace->counters))
		bail("no counters");
	trace->fence = *queue.fence_cpu;
	trace->last_queued = *queue.last_queued;
	trace->rp = queue_read_pointer(&queue);
}

static bool untouched(const struct trace *trace)
{
	char now[DEBUGFS_TEXT_BYTES];

	if (!counters_settle(trace->counters, 1000, now) || *queue.fence_cpu != trace->fence ||
	    *queue.last_queued != trace->last_queued || queue_read_pointer(&queue) != trace->rp) {
		diag("before: %s, after: %s, fence %llu", trace->counters, now,
		     (unsigned long long)*queue.fence_cpu);
		return false;
	}
	/* The next work is the next entry, and gets the next value. */
	return queue_probe(&queue) == STATUS_SUCCESS && *queue.fence_cpu == trace->fence + 1 &&
	       drained() && queue_read_pointer(&queue) == trace->rp + 1;
}

/* KMT-HQ-3 */
static void by_call(void)
{
	struct dxg_createhwqueue kernel = { .context = session.context };
	uint32_t good[NUM_OBJECTS], strange[NUM_OBJECTS], stale, mixed[2];
	unsigned int i, kind, wrong;
	struct trace trace;

	must(kmt_call(session.fd, LX_DXCREATEHWQUEUE, &kernel), "queue without the flag");
	stale = object_make(&session, OBJECT_HWQUEUE, NULL);
	must(object_destroy(&session, OBJECT_HWQUEUE, stale), "stale queue");
	objects_gather(&session, &queue, good);
	objects_gather(&other, &foreign, strange);
	for (i = 0; i < NUM_CALLS; i++) {
		const char *name = calls[i].name;

		remember(&trace);
		ok(calls[i].function(queue.queue) == STATUS_INVALID_PARAMETER,
		   "%s on a queue of user-mode submission (KMT-HQ-3)", name);
		ok(untouched(&trace), "%s has enqueued nothing (KMT-HQ-3)", name);
		remember(&trace);
		wrong = calls[i].function(stale) != STATUS_INVALID_PARAMETER;
		wrong += calls[i].function(0) != STATUS_INVALID_PARAMETER;
		wrong += calls[i].function(0x80000001) != STATUS_INVALID_PARAMETER;
		wrong += calls[i].function(strange[OBJECT_HWQUEUE]) != STATUS_INVALID_PARAMETER;
		for (kind = 0; kind < NUM_OBJECTS; kind++)
			wrong += calls[i].function(good[kind]) != STATUS_INVALID_PARAMETER;
		ok(!wrong, "%s: stale, foreign, invented and wrong-type handles are refused", name);
		ok(calls[i].function(kernel.queue) == STATUS_NOT_SUPPORTED,
		   "%s on a queue without the flag: there is no kernel-mode submission", name);
		wrong = kmt_call(session.fd, calls[i].command, NULL) != KMT_ERRNO(EFAULT);
		wrong += kmt_call(session.fd, calls[i].command, half + KMT_PAGE_BYTES) !=
			 KMT_ERRNO(EFAULT);
		wrong += kmt_call(session.fd, calls[i].command, half + KMT_PAGE_BYTES - 8) !=
			 KMT_ERRNO(EFAULT);
		ok(!wrong, "%s: null, unreadable and cut off (KMT-0.3)", name);
		ok(untouched(&trace), "%s: nothing of this has had an effect", name);
	}
	mixed[0] = kernel.queue;
	mixed[1] = queue.queue;
	ok(submit_signal_many(mixed, 2, 0) == STATUS_INVALID_PARAMETER &&
	   submit_signal_many(mixed, 1, 0) == STATUS_NOT_SUPPORTED,
	   "a signal of two queues is refused for the second one (KMT-HQ-3)");
	ok(submit_signal_many(mixed, 1, 1u << 3) == STATUS_INVALID_PARAMETER &&
	   submit_signal_many(mixed, 1, 1u << 31) == STATUS_INVALID_PARAMETER &&
	   submit_signal_many(mixed, 0, 0) == STATUS_INVALID_PARAMETER &&
	   submit_signal_many(mixed, DXG_BROADCAST_MAX_QUEUES + 1, 0) == STATUS_INVALID_PARAMETER,
	   "reserved flags, no queue and more than 64 are refused (KMT-0.4)");
	ok(submit_signal_many((const uint32_t *)(void *)(half + KMT_PAGE_BYTES), 1, 0) ==
	   KMT_ERRNO(EFAULT), "handles that cannot be read");
	must(object_destroy(&session, OBJECT_HWQUEUE, kernel.queue), "queue without the flag");
}

/*
 * MOD-13, MOD-16. The published numbers have an escape and nothing about flips; what is
 * not published could be either: each number, with handles where such calls have theirs.
 */
static bool is_built(unsigned int number)
{
	static const uint8_t built[] = {
		0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x0c, 0x0e, 0x13, 0x14,
		0x15, 0x18, 0x19, 0x1b, 0x1c, 0x1d, 0x1e, 0x20, 0x25, 0x34, 0x35, 0x36, 0x37,
		0x3a, 0x3e,
	};

	return memchr(built, (int)number, sizeof(built));
}

static unsigned int accepted(unsigned int number, const uint32_t *handles, size_t count)
{
	uint32_t args[ARGUMENT_BYTES / sizeof(uint32_t)];
	unsigned int bytes, found = 0;
	size_t i;

	for (bytes = 0; bytes <= ARGUMENT_BYTES; bytes += 4) {
		unsigned long command = _IOC(_IOC_READ | _IOC_WRITE, DXG_IOCTL_TYPE, number, bytes);

		memset(args, 0, sizeof(args));
		for (i = 0; i < count && i < bytes / sizeof(uint32_t); i++)
			args[i] = handles[i];
		if (kmt_call(session.fd, command, args) == KMT_ERRNO(ENOTTY))
			continue;
		if (!found++)
			diag("_IOC('G', %#x, %u bytes) is no unknown call", number, bytes);
	}
	return found;
}

static void by_other_calls(void)
{
	const uint32_t of_escape[] = { session.adapter, session.device, 0 };
	const uint32_t of_flip[] = { queue.queue, session.context, session.device };
	unsigned int number, found = 0;
	struct trace trace;

	remember(&trace);
	for (number = 0; number < 256; number++)
		if (!is_built(number))
			found += accepted(number, of_flip, 3);
	ok(!found, "no call that could be about flips takes a queue (MOD-13)");
	ok(untouched(&trace), "and none has had an effect");
	remember(&trace);
	ok(!accepted(0x0d, of_escape, 3), "an escape, driver-private words, is refused (MOD-16)");
	ok(untouched(&trace), "and all the rest has worked without one (MOD-16)");
}

int main(void)
{
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];

	if (!counters_read(before))
		bail("no counters");
	half = mmap(NULL, 2 * KMT_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (half == MAP_FAILED || mprotect(half, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE))
		bail("no memory");
	must(queue_open(&foreign, &other), "another file's queue");
	must(queue_open(&queue, &session), "queue");
	must(queue_probe(&queue), "first work");
	by_call();
	by_other_calls();
	ok(queue_destroy(&queue) == STATUS_SUCCESS && kmt_session_close(&session) == STATUS_SUCCESS &&
	   queue_destroy(&foreign) == STATUS_SUCCESS && kmt_session_close(&other) == STATUS_SUCCESS,
	   "all is destroyed");
	if (!ok(counters_settle(before, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
