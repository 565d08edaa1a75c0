// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues and doorbells that come and go by the thousand, and calls on handles of those
 * that went: each is refused, none reaches an object that has its place, and in the end
 * nothing is left (KMT-DD-1, KMT-DD-2, OBJ-17, OBJ-20, T31).
 *
 *   driver-cycles [CYCLES [SEED]]
 *
 * A cycle makes a queue with its doorbell, in one of four uses it (connected, or with
 * a command executed), destroys it, and tries handles of some of the OLD cycles before in
 * every call that takes them. One queue lives all the time and works at the end. The seed
 * is printed; the same seed draws the same uses and handles.
 */
#include <stdlib.h>
#include <time.h>
#include "tap.h"
#include "debugfs.h"
#include "noise.h"
#include "queue.h"

#define OLD	64u
#define TRIES	2u

struct corpse {
	uint32_t doorbell;
	uint32_t queue;
	uint32_t ring;
};

struct tally {
	unsigned int calls, accepted, came_again;
	int32_t status;			/* the first that was not INVALID_PARAMETER */
};

static void refused(struct tally *tally, int32_t status)
{
	tally->calls++;
	if (status == STATUS_INVALID_PARAMETER)
		return;
	if (!tally->accepted++)
		tally->status = status;
}

static void try_all(struct tally *tally, struct kmt_session *session, const struct corpse *old)
{
	refused(tally, doorbell_connect(session->fd, old->doorbell));
	refused(tally, doorbell_notify(session->fd, old->doorbell));
	refused(tally, doorbell_destroy(session->fd, old->doorbell));
	refused(tally, kmt_call_handle(session->fd, LX_DXDESTROYHWQUEUE, old->queue));
	refused(tally, kmt_allocation_destroy(session, old->ring));
}

static struct corpse cycle(struct kmt_session *session, struct noise *source, unsigned int number)
{
	struct corpse corpse;
	struct queue queue;
	int32_t status = queue_create(&queue, session, session->context, QUEUE_RING_BYTES);

	if (!NT_SUCCESS(status))
		bail("cycle %u: create: status %#x", number, (uint32_t)status);
	corpse = (struct corpse){ queue.doorbell, queue.queue, queue.ring.allocation };
	switch (noise_below(source, 8)) {
	case 0:
		status = doorbell_connect(session->fd, queue.doorbell);
		if (status == STATUS_DEVICE_BUSY)
			status = STATUS_SUCCESS;
		break;
	case 1:
		status = queue_probe(&queue);
		break;
	}
	if (!NT_SUCCESS(status))
		bail("cycle %u: use: status %#x", number, (uint32_t)status);
	status = queue_destroy(&queue);
	if (!NT_SUCCESS(status))
		bail("cycle %u: destroy: status %#x", number, (uint32_t)status);
	return corpse;
}

int main(int argc, char **argv)
{
	unsigned int cycles = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
					 dxg_count(1000, 100000);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	char before[DEBUGFS_TEXT_BYTES], middle[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct noise source = { seed };
	struct corpse old[OLD] = { 0 };
	struct tally tally = { 0 };
	struct kmt_session session;
	struct queue constant;
	unsigned int number, i;
	uint64_t start;

	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&constant, &session, session.context, QUEUE_RING_BYTES) ||
	    queue_probe(&constant))
		bail("no queue");
	counters_read(middle);
	diag("%u cycles, seed %llu", cycles, (unsigned long long)seed);
	start = kmt_now_ns();
	for (number = 0; number < cycles; number++) {
		struct corpse corpse = cycle(&session, &source, number);

		for (i = 0; i < OLD && i < number; i++)
			tally.came_again += old[i].doorbell == corpse.doorbell ||
					    old[i].queue == corpse.queue;
		old[number % OLD] = corpse;
		try_all(&tally, &session, &corpse);
		for (i = 1; i < TRIES; i++)
			try_all(&tally, &session,
				&old[noise_below(&source, number < OLD ? number + 1 : OLD)]);
	}
	diag("%u cycles in %llu ms, %u calls on stale handles", cycles,
	     (unsigned long long)(kmt_now_ns() - start) / 1000000, tally.calls);
	ok(!tally.accepted, "all %u calls on stale handles were refused (%u not, first %#x)",
	   tally.calls, tally.accepted, (uint32_t)tally.status);
	ok(!tally.came_again, "no handle was that of one of the %u before (%u)", OLD,
	   tally.came_again);
	if (!ok(counters_settle(middle, 10000, last), "nothing is left of %u cycles", cycles))
		diag("before: %s; after: %s", middle, last);
	ok(queue_probe(&constant) == STATUS_SUCCESS, "the queue that stayed works");
	ok(queue_destroy(&constant) == STATUS_SUCCESS &&
	   kmt_session_close(&session) == STATUS_SUCCESS, "all is destroyed");
	if (!ok(counters_settle(before, 10000, last), "at the end all is as before"))
		diag("before: %s; after: %s", before, last);
	return done();
}
