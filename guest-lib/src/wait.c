// SPDX-License-Identifier: MIT
/*
 * Waiting for the progress fence: look, look a few times more, then sleep.
 *
 * Without a bound the thread blocks in the kernel's wait. With one it arms an
 * eventfd and polls that, because the kernel's wait has no time-out. A waiter who finds
 * no event free, or the kernel unwilling to arm one more, naps instead.
 */
#include <fcntl.h>
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
/* Between looks of a waiter without event. */
#define NAP_NS		1000000u
/* The longest sleep before the status word is looked at again: it may read ABORT. */
#define LOOK_PERIOD_NS	100000000u

/* -1 if the process has no descriptor left. Never 0: that means "no event" in a wait. */
static int event_open(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd == 0) {
		fd = fcntl(0, F_DUPFD_CLOEXEC, 1);
		close(0);
	}
	return fd;
}

/* One that fires no later than the fence, or that can be armed; NULL if there is none. */
static struct dxg_event *event_take(struct dxg_event_pool *pool, UINT64 fence)
{
	struct dxg_event *event, *found = NULL;
	UINT i;

	pthread_mutex_lock(&pool->lock);
	for (i = 0; i < DXG_EVENTS; i++) {
		event = &pool->events[i];
		if (!event->taken && event->armed <= fence &&
		    (!found || event->armed > found->armed))
			found = event;
	}
	if (found && found->fd < 0)
		found->fd = event_open();
	if (found && found->fd < 0)
		found = NULL;
	if (found)
		found->taken = true;
	pthread_mutex_unlock(&pool->lock);
	return found;
}

static void event_give_back(struct dxg_event_pool *pool, struct dxg_event *event)
{
	pthread_mutex_lock(&pool->lock);
	event->taken = false;
	pthread_mutex_unlock(&pool->lock);
}

static bool reached(const struct dxg_submit_queue *queue, UINT64 fence)
{
	return dxg_load_acquire(queue->progress) >= fence;
}

static bool aborted(const struct dxg_submit_queue *queue)
{
	return dxg_load_acquire(queue->status) == D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT;
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

/* Sleeps; true if the event has fired, and so is armed no more. */
static bool event_sleep(struct dxg_event *event, UINT64 time_ns)
{
	struct pollfd poll_fd = { .fd = event->fd, .events = POLLIN };
	struct timespec time = dxg_timespec(time_ns);
	eventfd_t value;

	if (ppoll(&poll_fd, 1, &time, NULL) <= 0 || eventfd_read(event->fd, &value))
		return false;
	event->armed = 0;
	return true;
}

static NTSTATUS nap(UINT64 deadline)
{
	UINT64 left = dxg_time_left(deadline);
	struct timespec time = dxg_timespec(left < NAP_NS ? left : NAP_NS);

	nanosleep(&time, NULL);
	return STATUS_SUCCESS;
}

static void event_poll(struct dxg_submit_queue *queue, struct dxg_event *event,
		       UINT64 fence, UINT64 deadline)
{
	UINT64 left = dxg_time_left(deadline);

	while (left && !reached(queue, fence) && !aborted(queue)) {
		if (event_sleep(event, left < LOOK_PERIOD_NS ? left : LOOK_PERIOD_NS))
			return;
		left = dxg_time_left(deadline);
	}
	event_sleep(event, 0);
}

/* Sleeps for some time, at the longest until there is something new to see. */
static NTSTATUS sleep_bounded(struct dxg_submit_queue *queue, UINT64 fence,
			      UINT64 deadline)
{
	struct dxg_event *event = event_take(&queue->events, fence);
	NTSTATUS status = STATUS_SUCCESS;

	if (!event)
		return nap(deadline);
	if (!event->armed) {
		status = kernel_wait(queue, fence, event->fd);
		if (NT_SUCCESS(status))
			event->armed = fence;
	}
	if (NT_SUCCESS(status))
		event_poll(queue, event, fence, deadline);
	event_give_back(&queue->events, event);
	return status == STATUS_NO_MEMORY ? nap(deadline) : status;
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
