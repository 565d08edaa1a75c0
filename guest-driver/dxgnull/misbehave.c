// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: a wrong KMD on demand. Not part of what there is to learn here.
 *
 * With misbehave=1 each function of the table that makes or changes something is wrapped:
 * the call is recorded (record.c), and then it is done as an order says (orders.c). What
 * only looks (QueryHwQueueStatus and the like) and RemoveDevice, the last of all calls,
 * are not.
 */
#include <linux/module.h>
#include "misbehave.h"

static bool misbehave;
module_param(misbehave, bool, 0444);
MODULE_PARM_DESC(misbehave, "wrap the functions, so that they follow the parameter orders");

const DRIVER_INITIALIZATION_DATA *dxgnull_real;

static NTSTATUS dxgnull_wrong_add_device(struct device *dev, void **context)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_ADD_DEVICE, "device=%s", dev_name(dev));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else if (order.action == DXGNULL_NULL)
		*context = NULL;
	else
		status = dxgnull_real->DxgkDdiAddDevice(dev, context);
	return dxgnull_end_void(DXGNULL_ADD_DEVICE, &order, status);
}

static NTSTATUS dxgnull_wrong_start_device(HANDLE h, const DXGK_START_INFO *info,
					   const DXGKRNL_INTERFACE *interface)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_START_DEVICE, "luid=%#llx",
						   info->AdapterLuid);
	DXGKRNL_INTERFACE wrapped = *interface;
	NTSTATUS status;

	dxgnull_wrong_interface(&wrapped);
	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiStartDevice(h, info, &wrapped);
	return dxgnull_end_void(DXGNULL_START_DEVICE, &order, status);
}

static NTSTATUS dxgnull_wrong_stop_device(HANDLE h)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_STOP_DEVICE, "hAdapter=%#lx",
						   dxgnull_number(h));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiStopDevice(h);
	return dxgnull_end_void(DXGNULL_STOP_DEVICE, &order, status);
}

static NTSTATUS dxgnull_wrong_get_node_metadata(HANDLE h, UINT ordinal,
						DXGKARG_GETNODEMETADATA *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_GET_NODE_METADATA, "NodeOrdinal=%u",
						   ordinal);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiGetNodeMetadata(h, ordinal, args);
	return dxgnull_end_void(DXGNULL_GET_NODE_METADATA, &order, status);
}

static NTSTATUS dxgnull_wrong_create_process(HANDLE h, DXGKARG_CREATEPROCESS *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_CREATE_PROCESS, "hDxgkProcess=%#lx",
						   dxgnull_number(args->hDxgkProcess));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else if (order.action == DXGNULL_NULL)
		args->hKmdProcess = NULL;
	else
		status = dxgnull_real->DxgkDdiCreateProcess(h, args);
	return dxgnull_end(DXGNULL_CREATE_PROCESS, &order, status, "hKmdProcess=%#lx",
			   dxgnull_number(args->hKmdProcess));
}

static NTSTATUS dxgnull_wrong_destroy_process(HANDLE h, HANDLE hprocess)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_DESTROY_PROCESS, "hKmdProcess=%#lx",
						   dxgnull_number(hprocess));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiDestroyProcess(h, hprocess);
	return dxgnull_end_void(DXGNULL_DESTROY_PROCESS, &order, status);
}

static NTSTATUS dxgnull_wrong_create_device(HANDLE h, DXGKARG_CREATEDEVICE *args)
{
	struct dxgnull_order order =
		dxgnull_begin(DXGNULL_CREATE_DEVICE, "hDevice=%#lx hKmdProcess=%#lx",
			      dxgnull_number(args->hDevice), dxgnull_number(args->hKmdProcess));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else if (order.action == DXGNULL_NULL)
		args->hDevice = NULL;
	else
		status = dxgnull_real->DxgkDdiCreateDevice(h, args);
	return dxgnull_end(DXGNULL_CREATE_DEVICE, &order, status, "hDevice=%#lx",
			   dxgnull_number(args->hDevice));
}

static NTSTATUS dxgnull_wrong_destroy_device(HANDLE hdevice)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_DESTROY_DEVICE, "hDevice=%#lx",
						   dxgnull_number(hdevice));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiDestroyDevice(hdevice);
	return dxgnull_end_void(DXGNULL_DESTROY_DEVICE, &order, status);
}

static NTSTATUS dxgnull_wrong_create_context(HANDLE hdevice, DXGKARG_CREATECONTEXT *args)
{
	struct dxgnull_order order =
		dxgnull_begin(DXGNULL_CREATE_CONTEXT,
			      "hDevice=%#lx hContext=%#lx NodeOrdinal=%u EngineAffinity=%#x Flags=%#x",
			      dxgnull_number(hdevice), dxgnull_number(args->hContext),
			      args->NodeOrdinal, args->EngineAffinity, args->Flags);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else if (order.action == DXGNULL_NULL)
		args->hContext = NULL;
	else
		status = dxgnull_real->DxgkDdiCreateContext(hdevice, args);
	return dxgnull_end(DXGNULL_CREATE_CONTEXT, &order, status, "hContext=%#lx",
			   dxgnull_number(args->hContext));
}

static NTSTATUS dxgnull_wrong_destroy_context(HANDLE hcontext)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_DESTROY_CONTEXT, "hContext=%#lx",
						   dxgnull_number(hcontext));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiDestroyContext(hcontext);
	return dxgnull_end_void(DXGNULL_DESTROY_CONTEXT, &order, status);
}

static NTSTATUS dxgnull_wrong_create_hwqueue(HANDLE hcontext, DXGKARG_CREATEHWQUEUE *args)
{
	struct dxgnull_order order =
		dxgnull_begin(DXGNULL_CREATE_HWQUEUE,
			      "hContext=%#lx hHwQueue=%#lx Flags=%#x FenceGpu=%#llx",
			      dxgnull_number(hcontext), dxgnull_number(args->hHwQueue), args->Flags,
			      args->HwQueueProgressFenceGPUVirtualAddress);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else if (order.action == DXGNULL_NULL)
		args->hHwQueue = NULL;
	else
		status = dxgnull_real->DxgkDdiCreateHwQueue(hcontext, args);
	return dxgnull_end(DXGNULL_CREATE_HWQUEUE, &order, status, "hHwQueue=%#lx",
			   dxgnull_number(args->hHwQueue));
}

static NTSTATUS dxgnull_wrong_destroy_hwqueue(HANDLE hqueue)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_DESTROY_HWQUEUE, "hHwQueue=%#lx",
						   dxgnull_number(hqueue));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiDestroyHwQueue(hqueue);
	return dxgnull_end_void(DXGNULL_DESTROY_HWQUEUE, &order, status);
}

static NTSTATUS dxgnull_wrong_create_allocation(HANDLE h, DXGKARG_CREATEALLOCATION *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_CREATE_ALLOCATION,
						   "NumAllocations=%u Flags=%#x",
						   args->NumAllocations, args->Flags);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else if (order.action == DXGNULL_NULL)
		args->pAllocationInfo->hAllocation = NULL;
	else
		status = dxgnull_real->DxgkDdiCreateAllocation(h, args);
	return dxgnull_end(DXGNULL_CREATE_ALLOCATION, &order, status, "hAllocation=%#lx Size=%zu",
			   dxgnull_number(args->pAllocationInfo->hAllocation),
			   args->pAllocationInfo->Size);
}

static NTSTATUS dxgnull_wrong_destroy_allocation(HANDLE h, HANDLE hallocation)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_DESTROY_ALLOCATION, "hAllocation=%#lx",
						   dxgnull_number(hallocation));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiDestroyAllocation(h, hallocation);
	return dxgnull_end_void(DXGNULL_DESTROY_ALLOCATION, &order, status);
}

static NTSTATUS dxgnull_wrong_build_paging_buffer(HANDLE h, DXGKARG_BUILDPAGINGBUFFER *args)
{
	struct dxgnull_order order =
		dxgnull_begin(DXGNULL_BUILD_PAGING_BUFFER,
			      "Operation=%u hKmdProcess=%#lx FirstVirtualAddress=%#llx NumPages=%llu Map=%d",
			      args->Operation, dxgnull_number(args->hKmdProcess),
			      args->FirstVirtualAddress, args->NumPages, !!args->pBusAddresses);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiBuildPagingBuffer(h, args);
	return dxgnull_end_void(DXGNULL_BUILD_PAGING_BUFFER, &order, status);
}

static NTSTATUS dxgnull_wrong_resume_context(HANDLE h, const DXGKARG_RESUMECONTEXT *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_RESUME_CONTEXT, "hContext=%#lx",
						   dxgnull_number(args->hContext));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiResumeContext(h, args);
	return dxgnull_end_void(DXGNULL_RESUME_CONTEXT, &order, status);
}

static NTSTATUS dxgnull_wrong_reset_hw_engine(HANDLE h, const DXGKARG_RESETHWENGINE *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_RESET_HW_ENGINE,
						   "NodeOrdinal=%u EngineOrdinal=%u",
						   args->NodeOrdinal, args->EngineOrdinal);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiResetHwEngine(h, args);
	return dxgnull_end_void(DXGNULL_RESET_HW_ENGINE, &order, status);
}

static NTSTATUS dxgnull_wrong_resume_hw_engine(HANDLE h, const DXGKARG_RESUMEHWENGINE *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_RESUME_HW_ENGINE,
						   "NodeOrdinal=%u EngineOrdinal=%u",
						   args->NodeOrdinal, args->EngineOrdinal);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiResumeHwEngine(h, args);
	return dxgnull_end_void(DXGNULL_RESUME_HW_ENGINE, &order, status);
}

static NTSTATUS dxgnull_wrong_reset_from_timeout(HANDLE h)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_RESET_FROM_TIMEOUT, "hAdapter=%#lx",
						   dxgnull_number(h));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiResetFromTimeout(h);
	return dxgnull_end_void(DXGNULL_RESET_FROM_TIMEOUT, &order, status);
}

static NTSTATUS dxgnull_wrong_restart_from_timeout(HANDLE h)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_RESTART_FROM_TIMEOUT, "hAdapter=%#lx",
						   dxgnull_number(h));
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiRestartFromTimeout(h);
	return dxgnull_end_void(DXGNULL_RESTART_FROM_TIMEOUT, &order, status);
}

static NTSTATUS dxgnull_wrong_set_power_state(HANDLE h, DEVICE_POWER_STATE state)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_SET_POWER_STATE, "DevicePowerState=%u",
						   state);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiSetPowerState(h, state);
	return dxgnull_end_void(DXGNULL_SET_POWER_STATE, &order, status);
}

static NTSTATUS dxgnull_wrong_query_adapter_info(HANDLE h, const DXGKARG_QUERYADAPTERINFO *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_QUERY_ADAPTER_INFO,
						   "Type=%u OutputDataSize=%u", args->Type,
						   args->OutputDataSize);
	DXGK_USERMODESUBMISSION_CAPS *caps = args->pOutputData;
	DXGK_DOORBELLAPERTURE *aperture = args->pOutputData;
	NTSTATUS status;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiQueryAdapterInfo(h, args);
	if (NT_SUCCESS(status) && args->Type == DXGKQAITYPE_USERMODESUBMISSION_CAPS) {
		if (order.action == DXGNULL_BYTES)
			caps->DoorbellSizeInBytes = order.value;
		if (order.action == DXGNULL_SECONDARY) {
			caps->Flags |= DXGK_USERMODESUBMISSION_SECONDARY;
			caps->SecondaryDoorbellSizeInBytes = order.value;
		}
	}
	if (NT_SUCCESS(status) && args->Type == DXGKQAITYPE_DOORBELLAPERTURE &&
	    order.action == DXGNULL_SHARED)
		aperture->Flags |= DXGK_DOORBELLAPERTURE_SHARED_PAGES;
	return dxgnull_end_void(DXGNULL_QUERY_ADAPTER_INFO, &order, status);
}

static NTSTATUS dxgnull_wrong_suspend_context(HANDLE h, const DXGKARG_SUSPENDCONTEXT *args)
{
	struct dxgnull_order order =
		dxgnull_begin(DXGNULL_SUSPEND_CONTEXT, "hContext=%#lx contextSuspendFence=%llu",
			      dxgnull_number(args->hContext), args->contextSuspendFence);
	struct dxgnull_adapter *adapter = h;
	struct dxgnull_context *context = args->hContext;
	DXGKARGCB_NOTIFY_INTERRUPT_DATA data = {
		.InterruptType = DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED,
		.SuspendContextCompleted.hContext = context->os_handle,
		.SuspendContextCompleted.ContextSuspendFence = args->contextSuspendFence - 1,
	};
	NTSTATUS status;

	if (order.action == DXGNULL_STALE)
		adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &data);
	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiSuspendContext(h, args);
	if (order.action == DXGNULL_SILENT) {
		mutex_lock(&adapter->lock);
		context->acknowledge = false;
		mutex_unlock(&adapter->lock);
		status = STATUS_PENDING;
	}
	return dxgnull_end_void(DXGNULL_SUSPEND_CONTEXT, &order, status);
}

/**
 * dxgnull_misbehave() - the table to register
 * @table: the right one, constant and static
 *
 * Return: @table, or its wrapped copy with misbehave=1; NULL without memory for the record.
 */
const DRIVER_INITIALIZATION_DATA *dxgnull_misbehave(const DRIVER_INITIALIZATION_DATA *table)
{
	static DRIVER_INITIALIZATION_DATA wrong;

	if (!misbehave)
		return table;
	if (dxgnull_record_init())
		return NULL;
	dxgnull_real = table;
	wrong = *table;
	wrong.DxgkDdiAddDevice = dxgnull_wrong_add_device;
	wrong.DxgkDdiStartDevice = dxgnull_wrong_start_device;
	wrong.DxgkDdiStopDevice = dxgnull_wrong_stop_device;
	wrong.DxgkDdiQueryAdapterInfo = dxgnull_wrong_query_adapter_info;
	wrong.DxgkDdiGetNodeMetadata = dxgnull_wrong_get_node_metadata;
	wrong.DxgkDdiCreateProcess = dxgnull_wrong_create_process;
	wrong.DxgkDdiDestroyProcess = dxgnull_wrong_destroy_process;
	wrong.DxgkDdiCreateDevice = dxgnull_wrong_create_device;
	wrong.DxgkDdiDestroyDevice = dxgnull_wrong_destroy_device;
	wrong.DxgkDdiCreateContext = dxgnull_wrong_create_context;
	wrong.DxgkDdiDestroyContext = dxgnull_wrong_destroy_context;
	wrong.DxgkDdiCreateHwQueue = dxgnull_wrong_create_hwqueue;
	wrong.DxgkDdiDestroyHwQueue = dxgnull_wrong_destroy_hwqueue;
	wrong.DxgkDdiCreateAllocation = dxgnull_wrong_create_allocation;
	wrong.DxgkDdiDestroyAllocation = dxgnull_wrong_destroy_allocation;
	wrong.DxgkDdiBuildPagingBuffer = dxgnull_wrong_build_paging_buffer;
	wrong.DxgkDdiCreateDoorbell = dxgnull_wrong_create_doorbell;
	wrong.DxgkDdiConnectDoorbell = dxgnull_wrong_connect_doorbell;
	wrong.DxgkDdiDisconnectDoorbell = dxgnull_wrong_disconnect_doorbell;
	wrong.DxgkDdiDestroyDoorbell = dxgnull_wrong_destroy_doorbell;
	wrong.DxgkDdiNotifyWorkSubmission = dxgnull_wrong_notify_work_submission;
	wrong.DxgkDdiSuspendContext = dxgnull_wrong_suspend_context;
	wrong.DxgkDdiResumeContext = dxgnull_wrong_resume_context;
	wrong.DxgkDdiResetHwEngine = dxgnull_wrong_reset_hw_engine;
	wrong.DxgkDdiResumeHwEngine = dxgnull_wrong_resume_hw_engine;
	wrong.DxgkDdiResetFromTimeout = dxgnull_wrong_reset_from_timeout;
	wrong.DxgkDdiRestartFromTimeout = dxgnull_wrong_restart_from_timeout;
	wrong.DxgkDdiSetPowerState = dxgnull_wrong_set_power_state;
	return &wrong;
}

/* After the last call. */
void dxgnull_misbehave_end(void)
{
	if (!misbehave)
		return;
	dxgnull_wrong_doorbell_end();
	dxgnull_record_exit();
}
