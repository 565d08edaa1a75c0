// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: the engines, a kernel thread for each node.
 *
 * DOC: a turn
 *
 * An engine samples the write pointers of its queues, takes the first queue with
 * work, executes a few steps of it and puts it last: round robin. A step is a
 * packet, or DXGNULL_STEP_BYTES of a long one. Whoever must know that a queue
 * is not being executed (destroy, suspend, reset) waits for the end of its turn, which
 * is never far.
 *
 * A write pointer is read (1) when a call says so: bind, unbind, resume, notify
 * and rekick set @sample, so that no ring is lost whatever became of the doorbell
 * (section 2.4 of the semantics), and (2) while the queue is bound, at each look
 * of an engine, unless its process has to notify. WP is checked before anything is fetched (SEC-4).
 *
 * Rejected: a workqueue instead of threads. A work item that requeues itself for
 * ever hides from the reader what a GPU is: something that runs beside the CPUs.
 */
#include <linux/delay.h>
#include "dxgnull.h"

#define DXGNULL_TURN_STEPS	16
#define DXGNULL_DELAY_STEP_US	100

struct dxgnull_engine *dxgnull_queue_engine(struct dxgnull_queue *queue)
{
	struct dxgnull_context *context = queue->context;

	return &context->space->adapter->engines[context->node];
}

/* The write pointer will be read before the engine sleeps. adapter->lock held. */
void dxgnull_queue_sample(struct dxgnull_queue *queue)
{
	struct dxgnull_engine *engine = dxgnull_queue_engine(queue);

	lockdep_assert_held(&engine->adapter->lock);
	queue->sample = true;
	WRITE_ONCE(engine->woken, true);
	wake_up(&engine->wake);
}

/* The end of a queue that did something wrong (FH-13, FH-14). adapter->lock held. */
static void dxgnull_queue_fault(struct dxgnull_queue *queue)
{
	struct dxgnull_adapter *adapter = queue->context->space->adapter;
	const struct dxgnull_fault *fault = &queue->fault;
	DXGKARGCB_NOTIFY_INTERRUPT_DATA data = {
		.InterruptType = DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED,
		.HwQueuePageFaulted.FaultedHwQueue = queue->os_handle,
		.HwQueuePageFaulted.NodeOrdinal = queue->context->node,
	};

	queue->faulted = true;
	if (queue->active)
		data.HwQueuePageFaulted.FaultedFenceId = queue->entry.fence_value;
	if (!data.HwQueuePageFaulted.FaultedFenceId)
		data.HwQueuePageFaulted.PageFaultFlags |= DXGK_PAGE_FAULT_FENCE_INVALID;
	if (fault->access == DXGPU_ACCESS_WRITE)
		data.HwQueuePageFaulted.PageFaultFlags |= DXGK_PAGE_FAULT_WRITE;

	if (fault->code < DXGPU_FAULT_WP) {
		data.HwQueuePageFaulted.FaultedVirtualAddress = fault->gpuva;
		data.HwQueuePageFaulted.FaultErrorCode =
			DXGK_FAULT_ERROR_GENERAL(DXGK_GENERAL_ERROR_PAGE_FAULT);
	} else if (fault->code == DXGPU_FAULT_OPCODE) {
		data.HwQueuePageFaulted.FaultErrorCode =
			DXGK_FAULT_ERROR_GENERAL(DXGK_GENERAL_ERROR_INVALID_INSTRUCTION);
	} else {
		data.HwQueuePageFaulted.FaultErrorCode = DXGK_FAULT_ERROR_DEVICE(fault->code);
	}
	adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &data);
}

/* Reads and checks WP; false with queue->fault. space->lock held. */
static bool dxgnull_queue_read_wp(struct dxgnull_queue *queue)
{
	struct dxgnull_space *space = queue->context->space;
	size_t n = sizeof(u32);
	u64 wp;
	u32 *ring_needed;

	if (queue->sample) {
		/* Nobody promises to look again without a ring (ORD-28). */
		ring_needed = dxgnull_page(space, queue->control_gpuva +
					   offsetof(struct dxgpu_ring_control, ring_needed),
					   &n, true, &queue->fault);
		if (!ring_needed)
			return false;
		WRITE_ONCE(*ring_needed, 1);
		/* Pairs with the process's barrier between WP and its look at the word. */
		smp_mb();
		queue->sample = false;
	}
	if (!dxgnull_load_u64(space, queue->control_gpuva +
			      offsetof(struct dxgpu_ring_control, wp), &wp, &queue->fault))
		return false;
	if (wp - queue->rp > queue->entries) {
		queue->fault = (struct dxgnull_fault){ .code = DXGPU_FAULT_WP };
		return false;
	}
	if (wp != queue->wp)
		queue->last_active = ktime_get_ns();
	queue->wp = wp;
	return true;
}

/*
 * The queue whose turn it is, or NULL. adapter->lock held. @poll: nothing tells
 * of new work, so look again soon.
 */
static struct dxgnull_queue *dxgnull_engine_pick(struct dxgnull_engine *engine, bool *poll)
{
	struct dxgnull_queue *queue, *first = NULL;

	*poll = false;
	WRITE_ONCE(engine->woken, false);
	/* All of them: a sample that was asked for is over before later work begins. */
	list_for_each_entry(queue, &engine->queues, link) {
		bool polled = queue->slot && !queue->notify;
		bool ok = true;

		if (queue->lost || queue->faulted || queue->context->suspended)
			continue;
		*poll |= polled;
		if (queue->sample || polled) {
			down_read(&queue->context->space->lock);
			ok = dxgnull_queue_read_wp(queue);
			up_read(&queue->context->space->lock);
		}
		if (!ok)
			dxgnull_queue_fault(queue);
		else if (!first && (queue->active || queue->wp != queue->rp))
			first = queue;
	}
	engine->running = first;
	return first;
}

/* The next ring entry, copied once and then checked (SEC-2). space->lock held. */
static bool dxgnull_entry_fetch(struct dxgnull_queue *queue)
{
	struct dxgpu_ring_entry *entry = &queue->entry;
	u64 index = queue->rp & (queue->entries - 1);

	if (!dxgnull_read(queue->context->space, queue->ring_gpuva + index * sizeof(*entry), entry,
			  sizeof(*entry), &queue->fault))
		return false;
	queue->active = true;
	if (entry->flags || entry->reserved || !IS_ALIGNED(entry->command_gpuva, 8) ||
	    !entry->command_bytes || !IS_ALIGNED(entry->command_bytes, 8) ||
	    entry->command_bytes > DXGNULL_MAX_COMMAND_BYTES) {
		queue->fault = (struct dxgnull_fault){ .code = DXGPU_FAULT_ENTRY };
		return false;
	}
	if (!dxgnull_gpuva_ok(entry->command_gpuva, entry->command_bytes)) {
		queue->fault = (struct dxgnull_fault){ .code = DXGPU_FAULT_ADDRESS,
						       .gpuva = entry->command_gpuva };
		return false;
	}
	queue->depth = 0;
	queue->frames[0] = (struct dxgnull_frame){ .gpuva = entry->command_gpuva,
						   .bytes = entry->command_bytes };
	return true;
}

/* Leaves the buffers that are done; the entry's own ends the entry. */
static bool dxgnull_frames_leave(struct dxgnull_queue *queue)
{
	while (queue->frames[queue->depth].offset == queue->frames[queue->depth].bytes) {
		if (queue->depth) {
			queue->depth--;
			continue;
		}
		queue->active = false;
		WRITE_ONCE(queue->rp, queue->rp + 1);
		return dxgnull_store_u64(queue->context->space, queue->control_gpuva +
					 offsetof(struct dxgpu_ring_control, rp), queue->rp,
					 &queue->fault);
	}
	return true;
}

static bool dxgnull_in_delay(const struct dxgnull_queue *queue)
{
	return queue->active && queue->packet.valid &&
	       queue->packet.header.opcode == DXGPU_OP_DELAY;
}

/* One step of a queue with work; false with queue->fault. */
static bool dxgnull_queue_step(struct dxgnull_engine *engine, struct dxgnull_queue *queue)
{
	struct dxgnull_space *space = queue->context->space;
	bool ok = true;

	down_read(&space->lock);
	if (!queue->active)
		ok = dxgnull_entry_fetch(queue);
	if (ok && !queue->packet.valid)
		ok = dxgnull_packet_fetch(queue);
	if (ok)
		ok = dxgnull_packet_step(engine, queue);
	if (ok && !queue->packet.valid)
		ok = dxgnull_frames_leave(queue);
	up_read(&space->lock);
	return ok;
}

static void dxgnull_queue_delay(struct dxgnull_queue *queue)
{
	u64 begin = ktime_get_ns();

	usleep_range(DXGNULL_DELAY_STEP_US / 2, DXGNULL_DELAY_STEP_US);
	queue->packet.waited_ns += ktime_get_ns() - begin;
}

static void dxgnull_engine_turn(struct dxgnull_engine *engine, struct dxgnull_queue *queue)
{
	struct dxgnull_adapter *adapter = engine->adapter;
	struct dxgnull_context *context = queue->context;
	DXGKARGCB_NOTIFY_INTERRUPT_DATA data = {
		.InterruptType = DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED,
		.SuspendContextCompleted.hContext = context->os_handle,
	};
	unsigned int steps = DXGNULL_TURN_STEPS;
	bool ok;

	do {
		ok = dxgnull_queue_step(engine, queue);
		if (ok && dxgnull_in_delay(queue))
			dxgnull_queue_delay(queue);
	} while (ok && --steps && (queue->active || queue->rp != queue->wp));

	mutex_lock(&adapter->lock);
	if (!ok && !queue->lost)
		dxgnull_queue_fault(queue);
	/* A delay keeps its node busy, so that queue stays first. */
	if (!list_empty(&queue->link) && !dxgnull_in_delay(queue))
		list_move_tail(&queue->link, &engine->queues);
	engine->running = NULL;
	wake_up_all(&adapter->changed);
	if (context->acknowledge) {
		context->acknowledge = false;
		data.SuspendContextCompleted.ContextSuspendFence = context->suspend_fence;
		adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &data);
	}
	mutex_unlock(&adapter->lock);
}

static bool dxgnull_engine_awake(struct dxgnull_engine *engine)
{
	return READ_ONCE(engine->woken) || kthread_should_stop();
}

static int dxgnull_engine_main(void *data)
{
	struct dxgnull_engine *engine = data;
	struct dxgnull_adapter *adapter = engine->adapter;
	struct dxgnull_queue *queue;
	ktime_t pause;
	bool poll;

	while (!kthread_should_stop()) {
		mutex_lock(&adapter->lock);
		queue = dxgnull_engine_pick(engine, &poll);
		mutex_unlock(&adapter->lock);

		pause = ns_to_ktime((u64)READ_ONCE(dxgnull_poll_us) * NSEC_PER_USEC);
		if (queue)
			dxgnull_engine_turn(engine, queue);
		else if (poll)
			wait_event_interruptible_hrtimeout(engine->wake,
							   dxgnull_engine_awake(engine), pause);
		else
			wait_event_interruptible(engine->wake, dxgnull_engine_awake(engine));
		cond_resched();
	}
	return 0;
}

/* 0 or -errno; the threads sleep. */
int dxgnull_engines_start(struct dxgnull_adapter *adapter)
{
	unsigned int i;

	for (i = 0; i < DXGNULL_NODES; i++) {
		struct dxgnull_engine *engine = &adapter->engines[i];
		struct task_struct *thread;

		thread = kthread_run(dxgnull_engine_main, engine, "%s/%u", dev_name(adapter->dev),
				     i);
		if (IS_ERR(thread)) {
			dxgnull_engines_stop(adapter);
			return PTR_ERR(thread);
		}
		engine->thread = thread;
	}
	return 0;
}

void dxgnull_engines_stop(struct dxgnull_adapter *adapter)
{
	unsigned int i;

	for (i = 0; i < DXGNULL_NODES; i++) {
		if (adapter->engines[i].thread)
			kthread_stop(adapter->engines[i].thread);
		adapter->engines[i].thread = NULL;
	}
}

/* Returns when the queue's turn is over. adapter->lock held; dropped meanwhile. */
void dxgnull_queue_wait_stopped(struct dxgnull_queue *queue)
{
	struct dxgnull_engine *engine = dxgnull_queue_engine(queue);
	struct dxgnull_adapter *adapter = engine->adapter;

	while (engine->running == queue) {
		mutex_unlock(&adapter->lock);
		wait_event(adapter->changed, READ_ONCE(engine->running) != queue);
		mutex_lock(&adapter->lock);
	}
}

/* DxgkDdiSuspendContext: PENDING if a queue of it has its turn, acknowledged at its end. */
NTSTATUS dxgnull_suspend_context(HANDLE hadapter, const DXGKARG_SUSPENDCONTEXT *args)
{
	struct dxgnull_adapter *adapter = hadapter;
	struct dxgnull_context *context = args->hContext;
	struct dxgnull_queue *running;
	NTSTATUS status = STATUS_SUCCESS;

	mutex_lock(&adapter->lock);
	context->suspended = true;
	running = adapter->engines[context->node].running;
	context->acknowledge = running && running->context == context;
	if (context->acknowledge) {
		context->suspend_fence = args->contextSuspendFence;
		status = STATUS_PENDING;
	}
	mutex_unlock(&adapter->lock);
	return status;
}

/* DxgkDdiResumeContext: every queue of it is sampled; of a running context without harm. */
NTSTATUS dxgnull_resume_context(HANDLE hadapter, const DXGKARG_RESUMECONTEXT *args)
{
	struct dxgnull_adapter *adapter = hadapter;
	struct dxgnull_context *context = args->hContext;
	struct dxgnull_queue *queue;

	mutex_lock(&adapter->lock);
	context->suspended = false;
	context->acknowledge = false;
	list_for_each_entry(queue, &adapter->engines[context->node].queues, link) {
		if (queue->context == context)
			dxgnull_queue_sample(queue);
	}
	mutex_unlock(&adapter->lock);
	return STATUS_SUCCESS;
}

/*
 * DxgkDdiResetHwEngine: an engine of this kind never hangs, so there is none to reset.
 * The OS layer resets the adapter then (DDI-RE-5), and never asks for a resume.
 */
NTSTATUS dxgnull_reset_hw_engine(HANDLE hadapter, const DXGKARG_RESETHWENGINE *args)
{
	return STATUS_NOT_SUPPORTED;
}

NTSTATUS dxgnull_resume_hw_engine(HANDLE hadapter, const DXGKARG_RESUMEHWENGINE *args)
{
	return STATUS_NOT_SUPPORTED;
}

/* DxgkDdiResetFromTimeout (DDI-RE-6): on return nothing of a living queue is executed. */
NTSTATUS dxgnull_reset_from_timeout(HANDLE hadapter)
{
	struct dxgnull_adapter *adapter = hadapter;
	struct dxgnull_queue *queue;
	unsigned int i;

	mutex_lock(&adapter->lock);
	for (i = 0; i < DXGNULL_NODES; i++) {
		list_for_each_entry(queue, &adapter->engines[i].queues, link) {
			queue->lost = true;
			if (queue->slot)
				queue->slot->queue = NULL;
			queue->slot = NULL;
		}
		queue = adapter->engines[i].running;
		if (queue)
			dxgnull_queue_wait_stopped(queue);
	}
	mutex_unlock(&adapter->lock);
	return STATUS_SUCCESS;
}

/* DxgkDdiRestartFromTimeout: address spaces have outlived the reset. */
NTSTATUS dxgnull_restart_from_timeout(HANDLE hadapter)
{
	return STATUS_SUCCESS;
}
