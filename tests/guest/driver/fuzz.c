// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random calls of an unprivileged process: each ioctl that the driver knows, and some
 * that it does not, with structures made of noise, live handles, and edges of
 * ranges. Whatever the answers are, the kernel must not complain (the harness reads its
 * log), a neighbour must not notice, and nothing may be left (SEC-1, SEC-2, SEC-16).
 *
 *   driver-fuzz [CALLS [SEED]]
 *
 * A seed is printed; two threads draw from it, so that a finding comes again soon, if
 * not at once.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"

#define THREADS		2u
#define NOISE_BYTES	4096u
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)

static const unsigned long commands[] = {
	LX_DXOPENADAPTERFROMLUID, LX_DXCREATEDEVICE, LX_DXCREATECONTEXTVIRTUAL,
	LX_DXDESTROYCONTEXT, LX_DXCREATEALLOCATION, LX_DXCREATEPAGINGQUEUE,
	LX_DXRESERVEGPUVIRTUALADDRESS, LX_DXQUERYADAPTERINFO, LX_DXMAKERESIDENT,
	LX_DXMAPGPUVIRTUALADDRESS, LX_DXGETDEVICESTATE, LX_DXDESTROYALLOCATION2,
	LX_DXENUMADAPTERS2, LX_DXCREATEHWQUEUE, LX_DXDESTROYHWQUEUE, LX_DXDESTROYPAGINGQUEUE,
	LX_DXDESTROYSYNCHRONIZATIONOBJECT, LX_DXEVICT, LX_DXFREEGPUVIRTUALADDRESS, LX_DXLOCK2,
	LX_DXUNLOCK2, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, LX_DXENUMADAPTERS3,
	DXG_CREATEDOORBELL, DXG_CONNECTDOORBELL, DXG_DESTROYDOORBELL, DXG_NOTIFYWORKSUBMISSION,
};

struct fuzzer {
	struct child_report *report;
	struct kmt_session *session;
	unsigned int calls;
	unsigned int seed;
	uint32_t highest;	/* handles are given out in order: all below may live */
	uint8_t *memory;	/* to point to */
};

static uint64_t noise(struct fuzzer *fuzzer)
{
	uint64_t high = (uint64_t)(unsigned int)rand_r(&fuzzer->seed);

	return high << 40 ^ (uint64_t)(unsigned int)rand_r(&fuzzer->seed) << 18 ^
	       (uint64_t)(unsigned int)rand_r(&fuzzer->seed);
}

/* One 32-bit word of an argument. */
static uint32_t word(struct fuzzer *fuzzer)
{
	switch (noise(fuzzer) % 8) {
	case 0:
	case 1:
	case 2:
		return (uint32_t)(noise(fuzzer) % (fuzzer->highest + 4));
	case 3:
		return 1u << noise(fuzzer) % 32;
	case 4:
		return (uint32_t)noise(fuzzer);
	case 5:
		return (uint32_t)(noise(fuzzer) % 70);
	default:
		return 0;
	}
}

static uint64_t pointer(struct fuzzer *fuzzer)
{
	static const uint64_t edges[] = {
		8, 0x7ffffffff000, 0x800000000000, 0xffff888000000000, 0xfffffffffffffff8,
	};

	if (noise(fuzzer) % 4)
		return (uintptr_t)fuzzer->memory + noise(fuzzer) % NOISE_BYTES;
	return edges[noise(fuzzer) % 5];
}

static void fill(struct fuzzer *fuzzer, uint8_t *argument, size_t bytes)
{
	size_t at;

	for (at = 0; at + 4 <= bytes; at += 4) {
		uint32_t value = word(fuzzer);

		memcpy(argument + at, &value, 4);
	}
	for (at = 0; at + 8 <= bytes; at += 8) {
		uint64_t value = pointer(fuzzer);

		if (noise(fuzzer) % 3 == 0)
			memcpy(argument + at, &value, 8);
	}
}

/* A wait without an event may block for good: give it one, good or bad. */
static void unblock(struct fuzzer *fuzzer, uint8_t *argument)
{
	struct dxg_waitforsyncobjectfromcpu *wait = (void *)argument;

	if (!wait->async_event)
		wait->async_event = 1 + noise(fuzzer) % 20;
}

/* What must stay, so that there is something to fuzz against. */
static bool spared(const struct fuzzer *fuzzer, unsigned long command, const uint8_t *argument)
{
	uint32_t handle;

	memcpy(&handle, argument, sizeof(handle));
	return (command == LX_DXDESTROYCONTEXT && handle == fuzzer->session->context) ||
	       (command == LX_DXDESTROYPAGINGQUEUE && handle == fuzzer->session->paging_queue);
}

static void *fuzz(void *pointer_to_fuzzer)
{
	struct fuzzer *fuzzer = pointer_to_fuzzer;
	unsigned int i;

	for (i = 0; i < fuzzer->calls; i++) {
		unsigned long command = commands[noise(fuzzer) %
						 (sizeof(commands) / sizeof(commands[0]))];
		uint8_t argument[512] __attribute__((aligned(8))) = { 0 };
		uint32_t bytes = _IOC_SIZE(command);

		fill(fuzzer, argument, bytes);
		fill(fuzzer, fuzzer->memory, 256);
		if (_IOC_TYPE(command) == DXG_IOCTL_TYPE_X && noise(fuzzer) % 8) {
			struct dxg_call_header header = { .size = bytes };

			memcpy(argument, &header, sizeof(header));
		}
		if (command == LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU)
			unblock(fuzzer, argument);
		if (spared(fuzzer, command, argument))
			continue;
		if (noise(fuzzer) % 64 == 0)
			command += 1ul << (noise(fuzzer) % 2 ? _IOC_SIZESHIFT : _IOC_NRSHIFT);
		if (ioctl(fuzzer->session->fd, command, argument) >= 0)
			fuzzer->report->values[0]++;
		fuzzer->report->values[1]++;
	}
	return NULL;
}

static int run(struct child_report *report, void *argument)
{
	const unsigned int *numbers = argument;
	struct fuzzer fuzzers[THREADS];
	pthread_t threads[THREADS];
	struct kmt_session session;
	struct queue queue;
	unsigned int i;

	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    queue_probe(&queue))
		child_fail(report, "no queue");
	for (i = 0; i < THREADS; i++) {
		fuzzers[i] = (struct fuzzer) {
			.report = report,
			.session = &session,
			.calls = numbers[0],
			.seed = numbers[1] + i,
			.highest = queue.doorbell,
			.memory = mmap(NULL, NOISE_BYTES, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		};
		if (fuzzers[i].memory == MAP_FAILED ||
		    pthread_create(&threads[i], NULL, fuzz, &fuzzers[i]))
			child_fail(report, "thread %u cannot start", i);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int calls = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 40000;
	unsigned int seed = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) :
				       (unsigned int)time(NULL);
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32], problem[200] = "";
	struct child_report *report = child_reports(1);
	struct kmt_session session;
	unsigned int numbers[2], round;
	struct queue queue;
	struct chain chain;

	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    chain_create(&chain, &queue, 64))
		bail("no neighbour");
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	for (round = 0; round < 4; round++) {
		pid_t pid;

		numbers[0] = calls / 4 / THREADS;
		numbers[1] = seed + round * THREADS;
		diag("%u calls, seed %u", numbers[0] * THREADS, numbers[1]);
		pid = child_start(run, report, numbers, true, 60);
		ok(child_reap(pid, how, sizeof(how)), "round %u came to its end (%s) %s", round,
		   how, report->problem);
		ok(chain_lap(&chain, round, 4, WAIT_NS, problem, sizeof(problem)) ==
		   STATUS_SUCCESS, "the neighbour works %s", problem);
		if (!ok(counters_settle(baseline, 10000, last), "nothing is left"))
			diag("before: %s; after: %s", baseline, last);
	}
	diag("%llu of %llu calls succeeded", (unsigned long long)report->values[0],
	     (unsigned long long)report->values[1]);
	ok(report->values[0] > 0, "not all of it was nonsense");
	return done();
}
