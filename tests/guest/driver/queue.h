/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user-mode-submission queue of the driver's tests: hardware queue, ring, ring
 * control, command memory and doorbell, with the submission of ORD-5 cut at its
 * joints, so that a test can stop, repeat or forge any step.
 *
 * commands -> publish -> ring is one submission; deliver adds the reconnect
 * protocol (UMD-1..5, ORD-24: the same WP is rung again, nothing is appended
 * twice). A queue belongs to one thread; ring, connect and the reads of stat and
 * fence_cpu may be done by others, as 2.4 case 4 has it.
 */
#ifndef DXG_TESTS_QUEUE_H
#define DXG_TESTS_QUEUE_H

#include <dxg/packets.h>
#include <dxgpu/ring.h>
#include "kmt.h"

#define QUEUE_COMMAND_BYTES	256u	/* command memory per ring entry */
#define QUEUE_RING_BYTES	KMT_PAGE_BYTES
/* How long a last-queued value holds up sleep (ORD-13). */
#define SAMPLE_GRACE_NS		(250ull * 1000 * 1000)

struct queue {
	struct kmt_session *session;
	struct kmt_buffer ring;
	struct kmt_buffer control;
	struct kmt_buffer commands;
	uint32_t entries;

	uint32_t queue;
	uint32_t fence;
	const volatile uint64_t *fence_cpu;
	uint64_t fence_gpuva;

	uint32_t doorbell;
	volatile uint64_t *bell;
	volatile uint64_t *secondary;	/* NULL without DXG_DOORBELL_REQUIRE_SECONDARY */
	struct dxgpu_doorbell_data data;	/* what a ring writes: queue_value() */
	const volatile uint64_t *stat;
	volatile uint64_t *last_queued;

	uint64_t wp;			/* entries published through this doorbell */
	uint64_t fence_base;		/* progress fence when the doorbell was created */

	uint64_t rings;
	uint64_t retries;		/* rings that found RETRY */
	uint64_t connects;		/* successful ConnectDoorbell calls of deliver */
	uint64_t busy;			/* DEVICE_BUSY answers */
};

/* The doorbell calls, raw. */
int32_t doorbell_create(int fd, uint32_t queue, uint32_t ring, uint32_t control, uint32_t flags,
			struct dxg_createdoorbell *create);
int32_t doorbell_connect(int fd, uint32_t doorbell);
int32_t doorbell_notify(int fd, uint32_t doorbell);
int32_t doorbell_destroy(int fd, uint32_t doorbell);

/* The hardware queue alone, for user-mode submission. */
int32_t hwqueue_create(int fd, uint32_t context, struct dxg_createhwqueue *create);

/*
 * Makes all of it on a context of the session; ring_bytes is a power of two of pages.
 * On failure nothing is left. The doorbell is not connected (SM-1).
 */
int32_t queue_create(struct queue *queue, struct kmt_session *session, uint32_t context,
		     uint64_t ring_bytes);

/* A session of its own with one queue. On failure nothing is left. */
int32_t queue_open(struct queue *queue, struct kmt_session *own);

/* The doorbell alone, again, after a test destroyed it; the ring starts anew. */
int32_t queue_doorbell_create(struct queue *queue, uint32_t flags);

/* Destroys doorbell, hardware queue and memory. First failing status, if any. */
int32_t queue_destroy(struct queue *queue);

/* Entries that the device has completed, as it says in ring control. */
uint64_t queue_read_pointer(const struct queue *queue);

/* Room for one more entry? */
bool queue_has_room(const struct queue *queue);

/* The empty command memory of the next entry. Only if there is room. */
struct dxg_commands queue_commands(struct queue *queue);

/*
 * Steps 1 to 4: appends the fence write, stores the last queued value, the entry
 * and WP. Gives the fence value, the entry's number counted from fence_base + 1.
 */
uint64_t queue_publish(struct queue *queue, struct dxg_commands *commands);

/* The same for an entry that does nothing else. */
uint64_t queue_publish_fence(struct queue *queue);

/* The same for one that keeps the node busy for a time, at most a second. */
uint64_t queue_publish_delay(struct queue *queue, uint64_t ns);

/* Step 4 alone for an entry that the caller made: the next index gets it. */
void queue_publish_entry(struct queue *queue, const struct dxgpu_ring_entry *entry);

/* What a ring of this queue writes (UMD-10): WP, or in the global model its name. */
uint64_t queue_value(const struct queue *queue);

/* Steps 5 to 7: store the doorbell, full barrier, load STAT; gives STAT. */
uint64_t queue_ring(struct queue *queue);

/*
 * Rings and reconnects until the work is accepted. DEVICE_REMOVED on ABORT, the
 * status of a connect that failed otherwise. Bounded: UMD-5's rounds, 5 s of BUSY.
 */
int32_t queue_deliver(struct queue *queue);

/* Polls the progress fence. STATUS_TIMEOUT, or DEVICE_REMOVED when STAT is ABORT. */
int32_t queue_wait(const struct queue *queue, uint64_t value, uint64_t timeout_ns);

/* Does the fence get this value, and no other one, in time? */
bool queue_completes(const struct queue *queue, uint64_t value, uint64_t timeout_ns);

/* One NOP, delivered and waited for: does this queue work? */
int32_t queue_probe(struct queue *queue);

/* Does the adapter? A session, a queue, a probe; nothing of it is left. */
int32_t queue_works(void);

#endif /* DXG_TESTS_QUEUE_H */
