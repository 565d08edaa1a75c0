// SPDX-License-Identifier: MIT
/*
 * One submission: the order of ORD-5, and what follows from the status word.
 *
 * Steps (2) to (5) run under the queue's lock, so entries, write pointer and
 * last-queued value advance together (UMD-7). Steps (6) to (8) run without it: they
 * concern the queue as a whole, any thread may do them for all, and a connect that
 * another thread makes in between is a sample that covers this entry too.
 *
 * An entry is complete for this file when the device has published RP beyond it.
 * The progress fence comes first and RP a moment later, and the device checks
 * WP - RP against its own RP; so a free entry needs both. Waiting for it sleeps
 * on the fence (UMD-8) and only the moment between the two is spent yielding.
 */
#include <inttypes.h>
#include <sched.h>
#include "barrier.h"
#include "deadline.h"
#include "submit.h"
#include "error.h"

/* Good connects followed by RETRY before the work counts as accepted (UMD-5). */
#define MAX_ROUNDS		16
/* Pauses between connects that returned STATUS_DEVICE_BUSY: doubling from, up to. */
#define BUSY_PAUSE_MIN_NS	50000u
#define BUSY_PAUSE_MAX_NS	10000000u

static void count(atomic_uint_least64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static UINT64 queue_wp(const struct dxg_submit_queue *queue)
{
	return atomic_load_explicit(&queue->wp, memory_order_acquire);
}

/*
 * Step (5). A ring, and what follows it, is for every entry before it, so it
 * takes over what another thread had to give up.
 */
static void queue_ring(struct dxg_submit_queue *queue)
{
	if (atomic_load_explicit(&queue->kick_pending, memory_order_relaxed))
		atomic_store(&queue->kick_pending, false);
	dxg_store_barrier();
	queue->ops->ring(queue->doorbell_va,
			 queue->rings_value ? queue->ring_value : queue_wp(queue));
	count(&queue->counters.rings);
}

static NTSTATUS queue_connect(struct dxg_submit_queue *queue)
{
	D3DKMT_CONNECT_DOORBELL connect = { .hDoorbell = queue->doorbell };
	NTSTATUS status = queue->ops->connect(&connect);

	if (NT_SUCCESS(status))
		count(&queue->counters.connects);
	return status;
}

/* Sleeps for *pause_ns or until the deadline, then doubles the pause. */
static void busy_pause(UINT64 *pause_ns, UINT64 deadline)
{
	UINT64 left = dxg_time_left(deadline);
	struct timespec pause = dxg_timespec(left < *pause_ns ? left : *pause_ns);

	nanosleep(&pause, NULL);
	if (*pause_ns < BUSY_PAUSE_MAX_NS)
		*pause_ns *= 2;
}

/*
 * Steps (6) to (8), after a ring. Success: the work will execute, be it that the
 * ring has reached the device, be it that a connect has sampled the queue. Rings
 * again after each connect, always the write pointer as it is then (ORD-24, ORD-30).
 */
static NTSTATUS queue_settle(struct dxg_submit_queue *queue, UINT64 deadline,
			     const char *function)
{
	D3DKMT_NOTIFY_WORK_SUBMISSION notify = { .hDoorbell = queue->doorbell };
	UINT64 pause_ns = BUSY_PAUSE_MIN_NS;
	UINT rounds = 0;
	NTSTATUS status;
	UINT64 word;

	for (;;) {
		dxg_full_barrier();
		word = dxg_load_acquire(queue->status);
		switch (word) {
		case D3DDDI_DOORBELLSTATUS_CONNECTED:
			return STATUS_SUCCESS;
		case D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD:
			count(&queue->counters.notifies);
			status = queue->ops->notify(&notify);
			if (status == STATUS_DEVICE_REMOVED)
				return dxg_submit_queue_lose(queue, function);
			return status;
		case D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY:
			break;
		case D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT:
			return dxg_submit_queue_lose(queue, function);
		default:
			return dxg_report(STATUS_UNSUCCESSFUL,
					  "%s: doorbell 0x%x: status word %" PRIu64 " (0..3)",
					  function, queue->doorbell, word);
		}

		count(&queue->counters.retries);
		if (rounds == MAX_ROUNDS) {
			count(&queue->counters.accepted);
			return STATUS_SUCCESS;
		}
		status = queue_connect(queue);
		if (NT_SUCCESS(status)) {
			if (rounds++)
				sched_yield();
		} else if (status == STATUS_DEVICE_BUSY) {
			count(&queue->counters.busy);
			if (!dxg_time_left(deadline)) {
				atomic_store(&queue->kick_pending, true);
				return dxg_report(status,
						  "%s: doorbell 0x%x: no physical doorbell in time; the work stays in the ring",
						  function, queue->doorbell);
			}
			busy_pause(&pause_ns, deadline);
		} else if (status == STATUS_DEVICE_REMOVED) {
			return dxg_submit_queue_lose(queue, function);
		} else {
			return status;
		}
		queue_ring(queue);
	}
}

NTSTATUS dxg_submit_kick_until(struct dxg_submit_queue *queue, UINT64 deadline,
			       const char *function)
{
	if (atomic_load(&queue->lost))
		return dxg_submit_queue_lose(queue, function);
	queue_ring(queue);
	return queue_settle(queue, deadline, function);
}

NTSTATUS dxg_submit_kick(struct dxg_submit_queue *queue, UINT64 timeout_ns)
{
	NTSTATUS status = dxg_submit_queue_check(queue, __func__);

	if (!NT_SUCCESS(status))
		return status;
	return dxg_submit_kick_until(queue, dxg_deadline(timeout_ns), __func__);
}

/* False if the lock could not be had in time. */
static bool queue_lock(struct dxg_submit_queue *queue, UINT64 deadline)
{
	struct timespec until;

	if (!pthread_mutex_trylock(&queue->lock))
		return true;
	if (deadline == DXG_FOREVER)
		return !pthread_mutex_lock(&queue->lock);
	until = dxg_timespec(deadline);
	return !pthread_mutex_clocklock(&queue->lock, CLOCK_MONOTONIC, &until);
}

/*
 * Comes back with the lock held if and only if it returns STATUS_SUCCESS; then
 * there is a free entry. The lock is not held while waiting.
 */
static NTSTATUS queue_lock_entry(struct dxg_submit_queue *queue, UINT64 deadline,
				 const char *function)
{
	UINT64 used, oldest, wp;
	NTSTATUS status;

	for (;;) {
		if (!queue_lock(queue, deadline))
			return STATUS_TIMEOUT;
		if (atomic_load(&queue->lost)) {
			pthread_mutex_unlock(&queue->lock);
			return dxg_submit_queue_lose(queue, function);
		}
		wp = queue_wp(queue);
		used = wp - dxg_load_acquire(&queue->control->rp);
		if (used < queue->entries)
			return STATUS_SUCCESS;
		pthread_mutex_unlock(&queue->lock);
		if (used > queue->entries)
			return dxg_report(STATUS_UNSUCCESSFUL,
					  "%s: queue 0x%x: the ring control says %" PRIu64 " entries in use (0..%u)",
					  function, queue->hwqueue, used,
					  queue->entries);
		oldest = queue->first_fence + wp - queue->entries;
		status = dxg_wait_until(queue, oldest, deadline, function);
		if (status != STATUS_SUCCESS)
			return status;
		if (dxg_load_acquire(queue->status) ==
		    D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT)
			return dxg_submit_queue_lose(queue, function);
		if (!dxg_time_left(deadline))
			return STATUS_TIMEOUT;
		sched_yield();
	}
}

/* Steps (2) to (5), with the lock held and an entry free. */
static void queue_publish(struct dxg_submit_queue *queue,
			  const struct dxg_commands *commands, UINT64 fence)
{
	UINT64 wp = queue_wp(queue);
	struct dxgpu_ring_entry entry = {
		.command_gpuva = commands->gpuva,
		.command_bytes = commands->bytes,
		.fence_value = fence,
	};

	dxg_store_release(queue->last_queued, fence);
	atomic_thread_fence(memory_order_release);
	queue->ring[wp & (queue->entries - 1)] = entry;
	dxg_store_release(&queue->control->wp, wp + 1);
	atomic_store_explicit(&queue->wp, wp + 1, memory_order_release);
	queue_ring(queue);
}

static NTSTATUS check_commands(const struct dxg_submit_queue *queue,
			       const struct dxg_commands *commands)
{
	UINT limit = queue->max_command_bytes - DXG_COMMANDS_FENCE_BYTES;

	if (!commands || !commands->cpu)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "dxg_submit: no command buffer");
	if (commands->gpuva & 7 || commands->bytes & 7 || commands->bytes > limit)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "dxg_submit: commands at GPU address 0x%" PRIx64 ", %u bytes (8-byte aligned, 0..%u)",
				  commands->gpuva, commands->bytes, limit);
	return STATUS_SUCCESS;
}

NTSTATUS dxg_submit(struct dxg_submit_queue *queue, struct dxg_commands *commands,
		    UINT64 timeout_ns, UINT64 *fence)
{
	UINT64 deadline, value;
	NTSTATUS status;

	if (fence)
		*fence = 0;
	status = dxg_submit_queue_check(queue, __func__);
	if (NT_SUCCESS(status))
		status = check_commands(queue, commands);
	if (!NT_SUCCESS(status))
		return status;

	deadline = dxg_deadline(timeout_ns);
	status = queue_lock_entry(queue, deadline, __func__);
	if (status != STATUS_SUCCESS)
		return status;
	value = queue->first_fence + queue_wp(queue);
	status = dxg_commands_fence(commands, queue->progress_gpuva, value,
				    DXGPU_FENCE_INTERRUPT);
	if (!NT_SUCCESS(status)) {
		pthread_mutex_unlock(&queue->lock);
		return dxg_report(status,
				  "%s: commands of %u bytes, capacity %u, need %u more for the fence",
				  __func__, commands->bytes,
				  commands->capacity_bytes,
				  DXG_COMMANDS_FENCE_BYTES);
	}
	queue_publish(queue, commands, value);
	pthread_mutex_unlock(&queue->lock);

	if (fence)
		*fence = value;
	return queue_settle(queue, deadline, __func__);
}
