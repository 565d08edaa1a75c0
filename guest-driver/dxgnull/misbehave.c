// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: a wrong KMD on demand. Not part of what there is to learn here.
 *
 * With misbehave=1 the table's functions are wrapped, and orders are taken from the
 * parameter "orders", at load or later:
 *
 *   echo 'ConnectDoorbell=status:0xc0000001*1' > /sys/module/dxgnull/parameters/orders
 *
 *   FUNCTION=ACTION[:VALUE][*COUNT], several with spaces in between; every writing
 *   replaces those before it, an empty one withdraws all. FUNCTION is a DDI name without
 *   DxgkDdi. COUNT calls obey (all, if it is not given). Actions:
 *
 *   status:N		returns N at once and does nothing
 *   null		returns SUCCESS with a null handle and has made nothing (DDI-CD-7)
 *   late:MS		does its work MS ms late
 *   silent		SuspendContext: suspends, answers PENDING, acknowledges never
 *   stale		SuspendContext: an acknowledgment of an older fence first (DDI-SC-2)
 *   address		ConnectDoorbell: an address outside of the aperture (DDI-CN-6)
 *   misaligned		ConnectDoorbell: an address inside of a slot
 *   answer:N		ConnectDoorbell: N as the doorbell's status (DDI-CN-2)
 *   stranger		ConnectDoorbell: first a callback for a doorbell that is not the
 *			queue's (CB-DC-1)
 *   bytes:N		QueryAdapterInfo: a doorbell of N bytes (DDI-QA-2)
 *
 * The OS layer must survive all of them with the statuses that the semantics
 * give, and without a leak.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "dxgnull.h"

static bool misbehave;
module_param(misbehave, bool, 0444);
MODULE_PARM_DESC(misbehave, "wrap the functions, so that they follow the parameter orders");

enum dxgnull_function {
	DXGNULL_AddDevice,
	DXGNULL_StartDevice,
	DXGNULL_QueryAdapterInfo,
	DXGNULL_GetNodeMetadata,
	DXGNULL_CreateProcess,
	DXGNULL_CreateDevice,
	DXGNULL_CreateContext,
	DXGNULL_CreateHwQueue,
	DXGNULL_CreateAllocation,
	DXGNULL_BuildPagingBuffer,
	DXGNULL_CreateDoorbell,
	DXGNULL_ConnectDoorbell,
	DXGNULL_DisconnectDoorbell,
	DXGNULL_DestroyDoorbell,
	DXGNULL_NotifyWorkSubmission,
	DXGNULL_SuspendContext,
	DXGNULL_ResumeContext,
	DXGNULL_ResetFromTimeout,
	DXGNULL_RestartFromTimeout,
	DXGNULL_FUNCTIONS
};

static const char * const dxgnull_function_names[DXGNULL_FUNCTIONS] = {
	"AddDevice", "StartDevice", "QueryAdapterInfo", "GetNodeMetadata", "CreateProcess",
	"CreateDevice", "CreateContext", "CreateHwQueue", "CreateAllocation",
	"BuildPagingBuffer", "CreateDoorbell", "ConnectDoorbell", "DisconnectDoorbell",
	"DestroyDoorbell", "NotifyWorkSubmission", "SuspendContext", "ResumeContext",
	"ResetFromTimeout", "RestartFromTimeout",
};

enum dxgnull_action {
	DXGNULL_OBEY,			/* no order: the function as it is */
	DXGNULL_STATUS,
	DXGNULL_NULL,
	DXGNULL_LATE,
	DXGNULL_SILENT,
	DXGNULL_STALE,
	DXGNULL_ADDRESS,
	DXGNULL_MISALIGNED,
	DXGNULL_ANSWER,
	DXGNULL_STRANGER,
	DXGNULL_BYTES,
};

static const char * const dxgnull_action_names[] = {
	"obey", "status", "null", "late", "silent", "stale", "address", "misaligned", "answer",
	"stranger", "bytes",
};

struct dxgnull_order {
	enum dxgnull_action action;
	u32 value;
	u32 left;			/* calls; 0: all */
};

static DEFINE_SPINLOCK(dxgnull_orders_lock);
static struct dxgnull_order dxgnull_orders[DXGNULL_FUNCTIONS];
static const DRIVER_INITIALIZATION_DATA *dxgnull_real;

static int dxgnull_order_parse(char *word, struct dxgnull_order *orders)
{
	char *count, *value, *action = strchr(word, '=');
	struct dxgnull_order order = { };
	int function, index;

	if (!action)
		return -EINVAL;
	*action++ = 0;
	count = strchr(action, '*');
	if (count) {
		*count++ = 0;
		if (kstrtou32(count, 0, &order.left) || !order.left)
			return -EINVAL;
	}
	value = strchr(action, ':');
	if (value) {
		*value++ = 0;
		if (kstrtou32(value, 0, &order.value))
			return -EINVAL;
	}
	function = match_string(dxgnull_function_names, DXGNULL_FUNCTIONS, word);
	index = match_string(dxgnull_action_names, ARRAY_SIZE(dxgnull_action_names), action);
	if (function < 0 || index < 0)
		return -EINVAL;
	order.action = index;
	orders[function] = order;
	return 0;
}

static int dxgnull_orders_set(const char *text, const struct kernel_param *kp)
{
	struct dxgnull_order orders[DXGNULL_FUNCTIONS] = { };
	char *copy, *rest, *word;
	int ret = 0;

	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = strim(copy);
	while (!ret && (word = strsep(&rest, " "))) {
		if (*word)
			ret = dxgnull_order_parse(word, orders);
	}
	kfree(copy);
	if (ret)
		return ret;
	spin_lock(&dxgnull_orders_lock);
	memcpy(dxgnull_orders, orders, sizeof(orders));
	spin_unlock(&dxgnull_orders_lock);
	return 0;
}

static const struct kernel_param_ops dxgnull_orders_ops = {
	.set = dxgnull_orders_set,
};

module_param_cb(orders, &dxgnull_orders_ops, NULL, 0200);
MODULE_PARM_DESC(orders, "FUNCTION=ACTION[:VALUE][*COUNT] ..., see misbehave.c");

/* The order for this call; lateness is done here. */
static struct dxgnull_order dxgnull_take(enum dxgnull_function function)
{
	struct dxgnull_order *place = &dxgnull_orders[function];
	struct dxgnull_order order;

	spin_lock(&dxgnull_orders_lock);
	order = *place;
	if (place->left && !--place->left)
		place->action = DXGNULL_OBEY;
	spin_unlock(&dxgnull_orders_lock);
	if (order.action == DXGNULL_LATE)
		msleep(order.value);
	return order;
}

/* Functions that can be late or fail, and those that may give a null handle as well. */
static NTSTATUS dxgnull_wrong_StartDevice(HANDLE h, const DXGK_START_INFO *info,
					  const DXGKRNL_INTERFACE *interface)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_StartDevice);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiStartDevice(h, info, interface);
}

static NTSTATUS dxgnull_wrong_GetNodeMetadata(HANDLE h, UINT ordinal,
					      DXGKARG_GETNODEMETADATA *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_GetNodeMetadata);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiGetNodeMetadata(h, ordinal, args);
}

static NTSTATUS dxgnull_wrong_BuildPagingBuffer(HANDLE h, DXGKARG_BUILDPAGINGBUFFER *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_BuildPagingBuffer);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiBuildPagingBuffer(h, args);
}

static NTSTATUS dxgnull_wrong_DisconnectDoorbell(const DXGKARG_DISCONNECTDOORBELL *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_DisconnectDoorbell);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiDisconnectDoorbell(args);
}

static NTSTATUS dxgnull_wrong_DestroyDoorbell(const DXGKARG_DESTROYDOORBELL *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_DestroyDoorbell);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiDestroyDoorbell(args);
}

static NTSTATUS dxgnull_wrong_NotifyWorkSubmission(const DXGKARG_NOTIFYWORKSUBMISSION *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_NotifyWorkSubmission);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiNotifyWorkSubmission(args);
}

static NTSTATUS dxgnull_wrong_ResumeContext(HANDLE h, const DXGKARG_RESUMECONTEXT *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_ResumeContext);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiResumeContext(h, args);
}

static NTSTATUS dxgnull_wrong_ResetFromTimeout(HANDLE h)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_ResetFromTimeout);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiResetFromTimeout(h);
}

static NTSTATUS dxgnull_wrong_RestartFromTimeout(HANDLE h)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_RestartFromTimeout);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	return dxgnull_real->DxgkDdiRestartFromTimeout(h);
}

static NTSTATUS dxgnull_wrong_AddDevice(struct device *dev, void **context)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_AddDevice);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action != DXGNULL_NULL)
		return dxgnull_real->DxgkDdiAddDevice(dev, context);
	*context = NULL;
	return STATUS_SUCCESS;
}

static NTSTATUS dxgnull_wrong_CreateProcess(HANDLE h, DXGKARG_CREATEPROCESS *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_CreateProcess);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action != DXGNULL_NULL)
		return dxgnull_real->DxgkDdiCreateProcess(h, args);
	args->hKmdProcess = NULL;
	return STATUS_SUCCESS;
}

static NTSTATUS dxgnull_wrong_CreateDevice(HANDLE h, DXGKARG_CREATEDEVICE *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_CreateDevice);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action != DXGNULL_NULL)
		return dxgnull_real->DxgkDdiCreateDevice(h, args);
	args->hDevice = NULL;
	return STATUS_SUCCESS;
}

static NTSTATUS dxgnull_wrong_CreateContext(HANDLE h, DXGKARG_CREATECONTEXT *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_CreateContext);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action != DXGNULL_NULL)
		return dxgnull_real->DxgkDdiCreateContext(h, args);
	args->hContext = NULL;
	return STATUS_SUCCESS;
}

static NTSTATUS dxgnull_wrong_CreateHwQueue(HANDLE h, DXGKARG_CREATEHWQUEUE *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_CreateHwQueue);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action != DXGNULL_NULL)
		return dxgnull_real->DxgkDdiCreateHwQueue(h, args);
	args->hHwQueue = NULL;
	return STATUS_SUCCESS;
}

static NTSTATUS dxgnull_wrong_CreateAllocation(HANDLE h, DXGKARG_CREATEALLOCATION *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_CreateAllocation);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action != DXGNULL_NULL)
		return dxgnull_real->DxgkDdiCreateAllocation(h, args);
	args->pAllocationInfo->hAllocation = NULL;
	return STATUS_SUCCESS;
}

static NTSTATUS dxgnull_wrong_CreateDoorbell(DXGKARG_CREATEDOORBELL *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_CreateDoorbell);

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action != DXGNULL_NULL)
		return dxgnull_real->DxgkDdiCreateDoorbell(args);
	args->hDoorbell = NULL;
	return STATUS_SUCCESS;
}

static NTSTATUS dxgnull_wrong_QueryAdapterInfo(HANDLE h, const DXGKARG_QUERYADAPTERINFO *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_QueryAdapterInfo);
	DXGK_USERMODESUBMISSION_CAPS *caps = args->pOutputData;
	NTSTATUS status;

	if (order.action == DXGNULL_STATUS)
		return order.value;
	status = dxgnull_real->DxgkDdiQueryAdapterInfo(h, args);
	if (order.action == DXGNULL_BYTES && NT_SUCCESS(status) &&
	    args->Type == DXGKQAITYPE_USERMODESUBMISSION_CAPS)
		caps->DoorbellSizeInBytes = order.value;
	return status;
}

static NTSTATUS dxgnull_wrong_SuspendContext(HANDLE h, const DXGKARG_SUSPENDCONTEXT *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_SuspendContext);
	struct dxgnull_adapter *adapter = h;
	struct dxgnull_context *context = args->hContext;
	DXGKARGCB_NOTIFY_INTERRUPT_DATA data = {
		.InterruptType = DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED,
		.SuspendContextCompleted.hContext = context->os_handle,
		.SuspendContextCompleted.ContextSuspendFence = args->contextSuspendFence - 1,
	};
	NTSTATUS status;

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action == DXGNULL_STALE)
		adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &data);
	status = dxgnull_real->DxgkDdiSuspendContext(h, args);
	if (order.action == DXGNULL_SILENT) {
		mutex_lock(&adapter->lock);
		context->acknowledge = false;
		mutex_unlock(&adapter->lock);
		return STATUS_PENDING;
	}
	return status;
}

static void dxgnull_wrong_callback(struct dxgnull_queue *queue)
{
	DXGKARGCB_DISCONNECTDOORBELL args = {
		.hHwQueue = queue->os_handle,
		.hDoorbell = queue->os_handle,
		.DisconnectReason = D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
	};
	struct dxgnull_adapter *adapter = queue->context->space->adapter;
	NTSTATUS status;

	status = adapter->os.DxgkCbDisconnectDoorbell(&args);
	if (status != STATUS_INVALID_PARAMETER)
		dev_err(adapter->dev, "a stranger's DxgkCbDisconnectDoorbell gave %#x\n", status);
}

static NTSTATUS dxgnull_wrong_ConnectDoorbell(DXGKARG_CONNECTDOORBELL *args)
{
	struct dxgnull_order order = dxgnull_take(DXGNULL_ConnectDoorbell);
	struct dxgnull_queue *queue = args->hDoorbell;
	struct dxgnull_adapter *adapter = queue->context->space->adapter;
	NTSTATUS status;

	if (order.action == DXGNULL_STATUS)
		return order.value;
	if (order.action == DXGNULL_STRANGER)
		dxgnull_wrong_callback(queue);
	status = dxgnull_real->DxgkDdiConnectDoorbell(args);
	if (!NT_SUCCESS(status))
		return status;
	switch (order.action) {
	case DXGNULL_ADDRESS:
		args->KernelCpuVirtualAddress = adapter->doorbells + adapter->num_slots * PAGE_SIZE;
		break;
	case DXGNULL_MISALIGNED:
		args->KernelCpuVirtualAddress += sizeof(u64);
		break;
	case DXGNULL_ANSWER:
		args->Status = order.value;
		break;
	default:
		break;
	}
	return status;
}

/**
 * dxgnull_misbehave() - the table to register
 * @table: the right one, constant and static
 *
 * Return: @table, or its wrapped copy with misbehave=1.
 */
const DRIVER_INITIALIZATION_DATA *dxgnull_misbehave(const DRIVER_INITIALIZATION_DATA *table)
{
	static DRIVER_INITIALIZATION_DATA wrong;

	if (!misbehave)
		return table;
	dxgnull_real = table;
	wrong = *table;
	wrong.DxgkDdiAddDevice = dxgnull_wrong_AddDevice;
	wrong.DxgkDdiStartDevice = dxgnull_wrong_StartDevice;
	wrong.DxgkDdiQueryAdapterInfo = dxgnull_wrong_QueryAdapterInfo;
	wrong.DxgkDdiGetNodeMetadata = dxgnull_wrong_GetNodeMetadata;
	wrong.DxgkDdiCreateProcess = dxgnull_wrong_CreateProcess;
	wrong.DxgkDdiCreateDevice = dxgnull_wrong_CreateDevice;
	wrong.DxgkDdiCreateContext = dxgnull_wrong_CreateContext;
	wrong.DxgkDdiCreateHwQueue = dxgnull_wrong_CreateHwQueue;
	wrong.DxgkDdiCreateAllocation = dxgnull_wrong_CreateAllocation;
	wrong.DxgkDdiBuildPagingBuffer = dxgnull_wrong_BuildPagingBuffer;
	wrong.DxgkDdiCreateDoorbell = dxgnull_wrong_CreateDoorbell;
	wrong.DxgkDdiConnectDoorbell = dxgnull_wrong_ConnectDoorbell;
	wrong.DxgkDdiDisconnectDoorbell = dxgnull_wrong_DisconnectDoorbell;
	wrong.DxgkDdiDestroyDoorbell = dxgnull_wrong_DestroyDoorbell;
	wrong.DxgkDdiNotifyWorkSubmission = dxgnull_wrong_NotifyWorkSubmission;
	wrong.DxgkDdiSuspendContext = dxgnull_wrong_SuspendContext;
	wrong.DxgkDdiResumeContext = dxgnull_wrong_ResumeContext;
	wrong.DxgkDdiResetFromTimeout = dxgnull_wrong_ResetFromTimeout;
	wrong.DxgkDdiRestartFromTimeout = dxgnull_wrong_RestartFromTimeout;
	return &wrong;
}
