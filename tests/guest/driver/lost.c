// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts that are lost, by the host's order. Each wait looks again by itself, so a
 * lost interrupt costs time and nothing else: a fence's waiters and eventfds come back
 * (PF-10, MF-4), a queue is removed without a reset (DDI-DS-1).
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tap.h"
#include "host.h"
#include "debugfs.h"
#include "queue.h"

#define PROPERTY	"inject-lose-interrupts"
#define MANY		1000000u
#define DELAY_NS	(50ull * 1000 * 1000)
#define LONG_NS		(20ull * 1000 * 1000 * 1000)
#define EVENT_MS	20000

static uint64_t lost(void)
{
	char text[64];

	return dxg_host_get(PROPERTY, text, sizeof(text)) ? 0 :
	       MANY - strtoull(text, NULL, 0);
}

/* Work that is not done when somebody begins to wait for it; its fence value. */
static uint64_t submit_slow(struct queue *queue)
{
	uint64_t fence = queue_publish_delay(queue, DELAY_NS);

	if (queue_deliver(queue) != STATUS_SUCCESS)
		bail("the work is not accepted");
	return fence;
}

static int32_t arm(struct kmt_session *session, uint32_t fence, uint64_t value, int event)
{
	struct dxg_waitforsyncobjectfromcpu wait = {
		.device = session->device,
		.object_count = 1,
		.objects = (uintptr_t)&fence,
		.fence_values = (uintptr_t)&value,
		.async_event = (uint64_t)event,
	};

	return kmt_call(session->fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait);
}

int main(void)
{
	struct pollfd fired = { .fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN };
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], text[16];
	struct kmt_session session;
	uint64_t start, was_lost;
	struct queue queue;

	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no counters");
	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    queue_probe(&queue))
		bail("no queue that works");
	snprintf(text, sizeof(text), "%u", MANY);
	if (!ok(!dxg_host_set(PROPERTY, text), "the host loses interrupts"))
		bail("no side channel");

	start = kmt_now_ns();
	ok(kmt_wait(&session, queue.fence, submit_slow(&queue)) == STATUS_SUCCESS &&
	   kmt_now_ns() - start < LONG_NS, "a blocking wait comes back (PF-10 MF-4)");
	ok(arm(&session, queue.fence, submit_slow(&queue), fired.fd) == STATUS_SUCCESS &&
	   poll(&fired, 1, EVENT_MS) == 1, "an event is signalled (PF-10 MF-4)");
	was_lost = lost();
	ok(was_lost >= 2, "%llu interrupts were lost", (unsigned long long)was_lost);
	start = kmt_now_ns();
	ok(queue_destroy(&queue) == STATUS_SUCCESS && kmt_now_ns() - start < LONG_NS &&
	   lost() > was_lost, "a queue is removed without its interrupt (DDI-DS-1)");
	ok(!dxg_host_set(PROPERTY, "0"), "the host loses no more");
	ok(!adapter_value("resets"), "nothing was reset");
	ok(kmt_session_close(&session) == STATUS_SUCCESS, "all is destroyed");
	close(fired.fd);
	if (!ok(counters_settle(before, 20000, last), "at the end all is as before"))
		diag("before: %s; after: %s", before, last);
	return done();
}
