// SPDX-License-Identifier: GPL-2.0
/*
 * Why does a queue not run? One word, for debugfs.
 *
 * The first reason that holds, from what stops everything to what stops this
 * queue alone, so the word is the one to act on:
 *
 *   adapter-stopped, adapter-in-reset, adapter-asleep
 *   error-reset, error-hung, error-stopped, error-fault, error-page-fault
 *			its device is in error; the fault is on the queue's line
 *   no-doorbell	nobody can ring it
 *   never-connected	its doorbell has not been connected yet
 *   ring-empty		all that the process queued and the device saw is done
 *   waiting-for-slot	a connect is under way and has no slot yet
 *   victimized, power-down, process-end
 *			work is queued, its doorbell was taken away: the next connect, or
 *			D0, goes on with it
 *   context-suspended	the device may not touch it
 *   running, ready	it has work, and runs, or waits for its turn on an idle engine
 *   engine-busy	it has work, and another queue runs: busy_pid, busy_queue
 *   not-rung		the process says that it queued something, and the device has
 *			not seen it: it was not published, or not rung
 *
 * Rejected: a list of all reasons; they follow from each other, and a reader wants
 * to know where to begin.
 */
#include "dxgkrnl.h"

static const char *dxg_why_device(const struct dxg_device *device)
{
	switch (READ_ONCE(device->state)) {
	case DXG_EXECUTION_ACTIVE:
		return NULL;
	case DXG_EXECUTION_RESET:
		return "error-reset";
	case DXG_EXECUTION_HUNG:
		return "error-hung";
	case DXG_EXECUTION_ERROR_DMAFAULT:
		return "error-fault";
	case DXG_EXECUTION_ERROR_DMAPAGEFAULT:
		return "error-page-fault";
	default:
		return "error-stopped";
	}
}

static const char *dxg_why_adapter(const struct dxgadapter *adapter)
{
	/* Nobody asks of one that is removed: its files went before (DxgkRemoveAdapter). */
	if (READ_ONCE(adapter->state) != DXG_ADAPTER_RUNNING)
		return "adapter-stopped";
	if (READ_ONCE(adapter->resetting))
		return "adapter-in-reset";
	if (READ_ONCE(adapter->asleep))
		return "adapter-asleep";
	return NULL;
}

/* NULL if the doorbell is no obstacle to @work. */
static const char *dxg_why_doorbell(const struct dxg_doorbell *doorbell, bool work)
{
	enum dxg_doorbell_state state = READ_ONCE(doorbell->state);

	switch (state) {
	case DXG_DOORBELL_CREATED:
		return dxg_cause_name(DXG_CAUSE_NEVER);
	case DXG_DOORBELL_CONNECTING:
		return "waiting-for-slot";
	case DXG_DOORBELL_DISCONNECTED_RETRY:
	case DXG_DOORBELL_DISCONNECTED_ABORT:
		return work ? dxg_cause_name(READ_ONCE(doorbell->cause)) : NULL;
	default:
		return NULL;
	}
}

/**
 * dxg_queue_why() - the first obstacle of a queue
 * @queue: pa->lock held, or guard held exclusively
 * @status: what the miniport says of it, or all zero if it was not asked
 *
 * Return: static text.
 */
const char *dxg_queue_why(struct dxg_hwqueue *queue, const DXGKARG_QUERYHWQUEUESTATUS *status)
{
	struct dxg_context *context = queue->context;
	bool seen = status->WritePointer != status->ReadPointer;
	bool queued = queue->doorbell &&
		      dxg_cell_read(&queue->doorbell->last_queued) > dxg_fence_value(queue->fence);
	const char *why;

	why = dxg_why_adapter(dxg_device_adapter(context->device));
	if (!why)
		why = dxg_why_device(context->device);
	if (!why && !queue->doorbell)
		why = "no-doorbell";
	/* Whoever has no slot may have rung in vain; but what was seen before is done. */
	if (!why && !seen)
		why = dxg_why_doorbell(queue->doorbell, queued);
	if (!why && !seen && !queued)
		why = "ring-empty";
	if (!why && context->suspended)
		why = "context-suspended";
	if (!why && !seen)
		why = "not-rung";
	if (!why)
		why = !status->hRunningHwQueue ? "ready" :
		      status->hRunningHwQueue == dxg_id_to_handle(queue->id) ? "running" :
									       "engine-busy";
	return why;
}
