// SPDX-License-Identifier: MIT
/*
 * Waiting for the progress fence: look, look a few times more, then sleep.
 *
 * Without a bound the thread blocks in the kernel's wait. With one it arms an
 * eventfd and polls that, because the kernel's wait has no time-out. An eventfd that
 * has fired goes back to the queue's pool; one that a time-out leaves armed is
 * closed, since the kernel may still signal it.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "barrier.h"
#include "deadline.h"
#include "submit.h"
#include "error.h"

/* Looks before sleeping: some microseconds, about the price of going to sleep. */
#define SPIN_LOOKS	64
/* The longest sleep before the status word is looked at again: it may read ABORT. */
#define LOOK_PERIOD_NS	100000000u

static int event_get(struct dxg_event_pool *pool)
{
	int fd = -1;

	pthread_mutex_lock(&pool->lock);
	if (pool->count)
		fd = pool->fds[--pool->count];
	pthread_mutex_unlock(&pool->lock);
	return fd >= 0 ? fd : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void event_put(struct dxg_event_pool *pool, int fd)
{
	pthread_mutex_lock(&pool->lock);
	if (pool->count < DXG_EVENT_POOL_SIZE) {
		pool->fds[pool->count++] = fd;
		fd = -1;
	}
	pthread_mutex_unlock(&pool->lock);
	if (fd >= 0)
		close(fd);
}

static bool reached(const struct dxg_submit_queue *queue, UINT64 fence)
{
	return dxg_load_acquire(queue->progress) >= fence;
}

static bool aborted(const struct dxg_submit_queue *queue)
{
	return dxg_load_acquire(queue->status) ==
	       D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT;
}

/* event < 0: blocks until the fence is reached. Else arms it and comes back. */
static NTSTATUS kernel_wait(struct dxg_submit_queue *queue, UINT64 fence, int event)
{
	D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU wait = {
		.hDevice = queue->device,
		.ObjectCount = 1,
		.ObjectHandleArray = &queue->progress_fence,
		.FenceValueArray = &fence,
		.hAsyncEvent = event < 0 ? NULL : (HANDLE)(intptr_t)event,
	};

	return queue->ops->wait(&wait);
}

/* True if the event has fired and is at rest again. */
static bool event_wait(int event, UINT64 time_ns)
{
	struct pollfd poll_fd = { .fd = event, .events = POLLIN };
	struct timespec time = dxg_timespec(time_ns);
	eventfd_t value;

	return ppoll(&poll_fd, 1, &time, NULL) > 0 && !eventfd_read(event, &value);
}

/* Sleeps until the fence is reached, the queue aborted or the deadline passed. */
static NTSTATUS sleep_bounded(struct dxg_submit_queue *queue, UINT64 fence,
			      UINT64 deadline)
{
	bool fired = false;
	NTSTATUS status;
	UINT64 left;
	int event;

	event = event_get(&queue->events);
	if (event < 0)
		return dxg_report(STATUS_NO_MEMORY,
				  "dxg_wait: eventfd: error number %d", errno);
	status = kernel_wait(queue, fence, event);
	if (!NT_SUCCESS(status)) {
		event_put(&queue->events, event);
		return status;
	}
	while (!reached(queue, fence) && !aborted(queue)) {
		left = dxg_time_left(deadline);
		if (!left)
			break;
		fired = event_wait(event, left < LOOK_PERIOD_NS ? left :
								  LOOK_PERIOD_NS);
		if (fired)
			break;
	}
	if (fired || event_wait(event, 0))
		event_put(&queue->events, event);
	else
		close(event);
	return STATUS_SUCCESS;
}

NTSTATUS dxg_wait_until(struct dxg_submit_queue *queue, UINT64 fence, UINT64 deadline,
			const char *function)
{
	NTSTATUS status;
	UINT i;

	for (i = 0; i < SPIN_LOOKS; i++) {
		if (reached(queue, fence))
			return STATUS_SUCCESS;
		dxg_relax();
	}
	while (!reached(queue, fence)) {
		if (aborted(queue))
			return reached(queue, fence) ? STATUS_SUCCESS :
			       dxg_submit_queue_lose(queue, function);
		if (!dxg_time_left(deadline))
			return STATUS_TIMEOUT;
		status = deadline == DXG_FOREVER ?
			 kernel_wait(queue, fence, -1) :
			 sleep_bounded(queue, fence, deadline);
		if (status == STATUS_DEVICE_REMOVED && !reached(queue, fence))
			return dxg_submit_queue_lose(queue, function);
		if (!NT_SUCCESS(status) && status != STATUS_DEVICE_REMOVED)
			return status;
	}
	return STATUS_SUCCESS;
}

NTSTATUS dxg_wait(struct dxg_submit_queue *queue, UINT64 fence, UINT64 timeout_ns)
{
	NTSTATUS status = dxg_submit_queue_check(queue, __func__);
	UINT64 deadline, last;

	if (!NT_SUCCESS(status))
		return status;
	if (reached(queue, fence))
		return STATUS_SUCCESS;
	last = queue->first_fence - 1 +
	       atomic_load_explicit(&queue->wp, memory_order_acquire);
	if (fence > last)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "%s: fence value %" PRIu64 " (0..%" PRIu64 " have been submitted)",
				  __func__, fence, last);
	deadline = dxg_deadline(timeout_ns);
	if (atomic_load(&queue->kick_pending)) {
		status = dxg_submit_kick_until(queue, deadline, __func__);
		if (!NT_SUCCESS(status))
			return status == STATUS_DEVICE_BUSY ? STATUS_TIMEOUT : status;
	}
	return dxg_wait_until(queue, fence, deadline, __func__);
}
