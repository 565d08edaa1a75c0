// SPDX-License-Identifier: GPL-2.0
/*
 * The three calls of kernel-mode submission, which are refused.
 *
 * A queue with UserModeSubmission takes work from its ring alone: a submission by call is
 * INVALID_PARAMETER and enqueues nothing (KMT-HQ-3, OP-10). A queue without the flag can
 * be made (OBJ-22), and no miniport here executes what the kernel would submit to it:
 * NOT_SUPPORTED. The queue decides, so nothing else of the arguments is looked at but
 * what names it, and reserved flags.
 */
#include "dxgkrnl.h"

static NTSTATUS dxg_submission_refuse(struct dxg_process *process, u32 handle)
{
	struct dxg_object *obj = dxg_handle_get(process, handle, DXG_TYPE_HWQUEUE);
	struct dxg_hwqueue *queue;
	NTSTATUS status;

	if (!obj)
		return STATUS_INVALID_PARAMETER;
	queue = container_of(obj, struct dxg_hwqueue, obj);
	status = dxg_device_status(queue->context->device);
	if (NT_SUCCESS(status))
		status = queue->flags & DXG_HWQUEUE_USER_MODE_SUBMISSION ?
			 STATUS_INVALID_PARAMETER : STATUS_NOT_SUPPORTED;
	dxg_object_put(obj);
	return status;
}

/**
 * dxg_submit_command() - D3DKMTSubmitCommandToHwQueue
 * @call: struct dxg_submitcommandtohwqueue
 *
 * Return: never SUCCESS. INVALID_PARAMETER for a bad handle and for a queue of user-mode
 * submission (KMT-HQ-3), NOT_SUPPORTED for any other queue; DEVICE_REMOVED.
 */
NTSTATUS dxg_submit_command(struct dxg_call *call)
{
	struct dxg_submitcommandtohwqueue *args = call->args;

	return dxg_submission_refuse(call->process, args->queue);
}

/**
 * dxg_submit_wait() - D3DKMTSubmitWaitForSyncObjectsToHwQueue
 * @call: struct dxg_submitwaitforsyncobjectstohwqueue
 *
 * Return: as dxg_submit_command().
 */
NTSTATUS dxg_submit_wait(struct dxg_call *call)
{
	struct dxg_submitwaitforsyncobjectstohwqueue *args = call->args;

	return dxg_submission_refuse(call->process, args->queue);
}

/**
 * dxg_submit_signal() - D3DKMTSubmitSignalSyncObjectsToHwQueue
 * @call: struct dxg_submitsignalsyncobjectstohwqueue
 *
 * Return: as dxg_submit_command(), by the first queue that is not NOT_SUPPORTED;
 * INVALID_PARAMETER also for a reserved flag and a number of queues other than 1 .. 64;
 * ACCESS_VIOLATION.
 */
NTSTATUS dxg_submit_signal(struct dxg_call *call)
{
	struct dxg_submitsignalsyncobjectstohwqueue *args = call->args;
	u32 handles[DXG_BROADCAST_MAX_QUEUES];
	NTSTATUS status;
	u32 i;

	if ((args->flags & ~DXG_SIGNAL_FLAGS) || !args->queue_count ||
	    args->queue_count > DXG_BROADCAST_MAX_QUEUES)
		return STATUS_INVALID_PARAMETER;
	status = dxg_copy_in(handles, args->queues, args->queue_count * sizeof(*handles));
	if (!NT_SUCCESS(status))
		return status;
	status = STATUS_NOT_SUPPORTED;
	for (i = 0; i < args->queue_count && status == STATUS_NOT_SUPPORTED; i++)
		status = dxg_submission_refuse(call->process, handles[i]);
	return status;
}
