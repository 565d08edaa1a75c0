// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a victimization changes, and what it leaves alone: two slots, three queues of
 * one process, so that the third connect takes the slot of one of the others.
 */
#include <unistd.h>
#include "tap.h"
#include "driver/debugfs.h"
#include "driver/queue.h"

#define WAIT_NS		(10ull * 1000 * 1000 * 1000)
#define QUIET_US	60000u	/* long enough for work to run that should not */
#define MARK		0x6d61726b6d61726bull
#define QUEUES		3

#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED
#define RETRY		DXG_DOORBELLSTATUS_DISCONNECTED_RETRY

static bool stays(struct queue *queue, uint64_t fence)
{
	kmt_sleep_us(QUIET_US);
	return *queue->fence_cpu == fence;
}

/* Faults that found a slot, of all doorbells of this process. */
static uint64_t slot_faults(void)
{
	return state_sum("doorbell", getpid(), "faults_pdb", NULL);
}

/* The last word of ring and of ring control, which no entry of this test reaches. */
static volatile uint64_t *last_word(const struct kmt_buffer *buffer)
{
	return (volatile uint64_t *)((uint8_t *)buffer->cpu + buffer->bytes) - 1;
}

static bool memory_is_there(struct queue *queue, uint64_t mark)
{
	bool kept = *last_word(&queue->ring) == mark && *last_word(&queue->control) == mark;

	*last_word(&queue->ring) = mark + 1;
	*last_word(&queue->control) = mark + 1;
	return kept && *last_word(&queue->ring) == mark + 1 &&
	       *last_word(&queue->control) == mark + 1;
}

static void created(struct queue *queues)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		*last_word(&queues[i].ring) = MARK;
		*last_word(&queues[i].control) = MARK;
		ok(*queues[i].stat == RETRY && memory_is_there(&queues[i], MARK),
		   "queue %u: created, STAT is RETRY, its ring can be read and written (T1 OBJ-13)",
		   i);
		must(doorbell_connect(queues[i].session->fd, queues[i].doorbell), "connect");
		ok(queue_probe(&queues[i]) == STATUS_SUCCESS && memory_is_there(&queues[i], MARK + 1),
		   "queue %u: connected, it works, its ring can be read and written (T3 T8 OBJ-13)",
		   i);
	}
}

/* Each of the two had to fault for its slot, so the figure below is one. */
static void counted(void)
{
	ok(slot_faults() >= 2, "the driver counts %llu faults that found a slot",
	   (unsigned long long)slot_faults());
}

/* All slots are taken: to create one more takes none away. */
static void crowded(struct queue *queues, struct kmt_session *session)
{
	uint64_t faults = slot_faults();

	must(queue_create(&queues[2], session, session->context, QUEUE_RING_BYTES), "queue");
	ok(*queues[0].stat == CONNECTED && *queues[1].stat == CONNECTED &&
	   *queues[2].stat == RETRY,
	   "one more doorbell is created, and nobody is disconnected for it (DDI-CD-6 OBJ-2)");
	ok(queue_probe(&queues[0]) == STATUS_SUCCESS && queue_probe(&queues[1]) == STATUS_SUCCESS &&
	   slot_faults() == faults, "both go on without a fault (ORD-27)");
}

static void victimized(struct queue *queues)
{
	volatile uint64_t *bell;
	struct queue *victim, *other;
	uint64_t faults = slot_faults();
	uint64_t fence;

	must(doorbell_connect(queues[2].session->fd, queues[2].doorbell), "the third connect");
	ok((*queues[0].stat == RETRY) + (*queues[1].stat == RETRY) == 1,
	   "the third connect takes the slot of one queue, the other's STAT stays (MOD-3 ORD-27)");
	victim = *queues[0].stat == RETRY ? &queues[0] : &queues[1];
	other = victim == &queues[0] ? &queues[1] : &queues[0];

	fence = queue_publish_fence(other);
	ok(queue_ring(other) == CONNECTED && queue_completes(other, fence, WAIT_NS) &&
	   slot_faults() == faults,
	   "the other's address leads to its slot still, without a fault (ORD-27 MOD-8)");
	ok(memory_is_there(victim, MARK + 2),
	   "the victim's ring and ring control are there, readable and writable (OBJ-13 OBJ-14)");

	/* When work of later has run, the last sample of the unbind is over (ORD-8). */
	ok(queue_probe(&queues[2]) == STATUS_SUCCESS, "the newcomer works");
	bell = victim->bell;
	fence = queue_publish_fence(victim);
	ok(queue_ring(victim) == RETRY && stays(victim, fence - 1),
	   "the victim's ring has no effect, and STAT says so (T10 T12)");
	must(doorbell_connect(victim->session->fd, victim->doorbell), "reconnect");
	ok(queue_completes(victim, fence, WAIT_NS) && victim->bell == bell &&
	   queue_probe(victim) == STATUS_SUCCESS,
	   "reconnected it has run what was written, and rings at the same address (KMT-CN-16 ORD-23)");
	ok(memory_is_there(victim, MARK + 3), "its ring is as before (OBJ-14)");
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct kmt_session session;
	struct queue queues[QUEUES];
	int32_t status = STATUS_SUCCESS;
	unsigned int i;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	for (i = 0; i < 2; i++)
		must(queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES), "queue");
	created(queues);
	counted();
	crowded(queues, &session);
	victimized(queues);
	for (i = 0; i < QUEUES; i++)
		status = status ? status : queue_destroy(&queues[i]);
	ok(status == STATUS_SUCCESS && kmt_session_close(&session) == STATUS_SUCCESS,
	   "all is destroyed");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
