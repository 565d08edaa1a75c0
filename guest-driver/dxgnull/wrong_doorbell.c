// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: the doorbell calls of the wrong KMD, and its callback. Not part of what there
 * is to learn here.
 */
#include <linux/device.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "misbehave.h"

/* The OS layer's; the same for all adapters. */
static NTSTATUS (*dxgnull_callback)(const DXGKARGCB_DISCONNECTDOORBELL *args);

static struct dxgnull_adapter *dxgnull_wrong_adapter(const struct dxgnull_queue *queue)
{
	return queue->context->space->adapter;
}

static NTSTATUS dxgnull_wrong_cb_disconnect_doorbell(const DXGKARGCB_DISCONNECTDOORBELL *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_CB_DISCONNECT_DOORBELL,
						   "hHwQueue=%#lx hDoorbell=%#lx Reason=%u",
						   dxgnull_number(args->hHwQueue),
						   dxgnull_number(args->hDoorbell),
						   args->DisconnectReason);
	DXGKARGCB_DISCONNECTDOORBELL wrong = *args;
	NTSTATUS status;

	if (order.action == DXGNULL_REASON)
		wrong.DisconnectReason = order.value;
	status = dxgnull_callback(&wrong);
	return dxgnull_end_void(DXGNULL_CB_DISCONNECT_DOORBELL, &order, status);
}

/* Callbacks of an adapter that is about to start are recorded, too. */
void dxgnull_wrong_interface(DXGKRNL_INTERFACE *interface)
{
	dxgnull_callback = interface->DxgkCbDisconnectDoorbell;
	interface->DxgkCbDisconnectDoorbell = dxgnull_wrong_cb_disconnect_doorbell;
}

/* A slot for a doorbell that nobody has connected. */
static void dxgnull_wrong_bind(struct dxgnull_queue *queue)
{
	struct dxgnull_adapter *adapter = dxgnull_wrong_adapter(queue);
	unsigned int i;

	mutex_lock(&adapter->lock);
	for (i = 0; i < adapter->num_slots && !queue->slot; i++) {
		if (adapter->slots[i].queue)
			continue;
		adapter->slots[i].queue = queue;
		queue->slot = &adapter->slots[i];
	}
	mutex_unlock(&adapter->lock);
}

NTSTATUS dxgnull_wrong_create_doorbell(DXGKARG_CREATEDOORBELL *args)
{
	struct dxgnull_order order =
		dxgnull_begin(DXGNULL_CREATE_DOORBELL,
			      "hHwQueue=%#lx hDoorbell=%#lx PrivateDriverDataSize=%u Data=%*phN Flags=%#x hRingBuffer=%#lx Ring=%#llx RingSize=%llu hRingBufferControl=%#lx Control=%#llx ControlSize=%llu InitialWritePointer=%llu",
			      dxgnull_number(args->hHwQueue), dxgnull_number(args->hDoorbell),
			      args->PrivateDriverDataSize, args->PrivateDriverDataSize,
			      args->PrivateDriverData, args->Flags,
			      dxgnull_number(args->hRingBuffer), args->RingBufferGpuVirtualAddress,
			      args->RingBufferSize, dxgnull_number(args->hRingBufferControl),
			      args->RingBufferControlGpuVirtualAddress,
			      args->RingBufferControlSize, args->InitialWritePointer);
	NTSTATUS status = STATUS_SUCCESS;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else if (order.action == DXGNULL_NULL)
		args->hDoorbell = NULL;
	else
		status = dxgnull_real->DxgkDdiCreateDoorbell(args);
	if (NT_SUCCESS(status) && order.action == DXGNULL_BIND)
		dxgnull_wrong_bind(args->hDoorbell);
	if (order.action == DXGNULL_PLACE)
		args->DoorbellOffset = order.value;
	if (order.action == DXGNULL_DATA && args->PrivateDriverDataSize >= sizeof(order.value))
		memcpy(args->PrivateDriverData, &order.value, sizeof(order.value));
	return dxgnull_end(DXGNULL_CREATE_DOORBELL, &order, status, "hDoorbell=%#lx",
			   dxgnull_number(args->hDoorbell));
}

/* A callback for the queue and a doorbell of that OS handle; it must be refused with @expected. */
static void dxgnull_wrong_callback(struct dxgnull_queue *queue, HANDLE os_doorbell,
				   NTSTATUS expected)
{
	DXGKARGCB_DISCONNECTDOORBELL args = {
		.hHwQueue = queue->os_handle,
		.hDoorbell = os_doorbell,
		.DisconnectReason = D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
	};
	struct dxgnull_adapter *adapter = dxgnull_wrong_adapter(queue);
	NTSTATUS status = adapter->os.DxgkCbDisconnectDoorbell(&args);

	if (status != expected)
		dev_err(adapter->dev, "a wrong DxgkCbDisconnectDoorbell gave %#x\n", status);
}

/* A call that is made by another thread while this one waits for it. */
struct dxgnull_wrong_work {
	struct work_struct work;
	struct dxgnull_queue *queue;
	u32 reason;
};

static void dxgnull_wrong_work_run(struct dxgnull_wrong_work *wrong, work_func_t main)
{
	INIT_WORK_ONSTACK(&wrong->work, main);
	schedule_work(&wrong->work);
	flush_work(&wrong->work);
	destroy_work_on_stack(&wrong->work);
}

static void dxgnull_wrong_disconnect_main(struct work_struct *work)
{
	struct dxgnull_wrong_work *wrong = container_of(work, struct dxgnull_wrong_work, work);

	dxgnull_queue_disconnect(wrong->queue, wrong->reason);
}

static void dxgnull_wrong_deputy_main(struct work_struct *work)
{
	struct dxgnull_wrong_work *wrong = container_of(work, struct dxgnull_wrong_work, work);

	dxgnull_wrong_callback(wrong->queue, wrong->queue->os_doorbell, STATUS_DEVICE_BUSY);
}

NTSTATUS dxgnull_wrong_connect_doorbell(DXGKARG_CONNECTDOORBELL *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_CONNECT_DOORBELL,
						   "hDoorbell=%#lx Flags=%#x",
						   dxgnull_number(args->hDoorbell), args->Flags);
	struct dxgnull_queue *queue = args->hDoorbell;
	struct dxgnull_adapter *adapter = dxgnull_wrong_adapter(queue);
	struct dxgnull_wrong_work wrong = { .queue = queue };
	UINT flags = args->Flags;
	NTSTATUS status;

	if (order.action == DXGNULL_STRANGER)
		dxgnull_wrong_callback(queue, queue->os_handle, STATUS_INVALID_PARAMETER);
	if (order.action == DXGNULL_SELF)
		dxgnull_wrong_callback(queue, queue->os_doorbell, STATUS_INVALID_PARAMETER);
	if (order.action == DXGNULL_DEPUTY)
		dxgnull_wrong_work_run(&wrong, dxgnull_wrong_deputy_main);
	if (order.action == DXGNULL_SINGLE)
		args->Flags &= ~DXGK_CONNECTDOORBELL_SECONDARY;
	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiConnectDoorbell(args);
	if (order.action == DXGNULL_LINGER)
		dxgnull_order_hold(&order);
	args->Flags = flags;
	if (NT_SUCCESS(status)) {
		if (order.action == DXGNULL_ADDRESS)
			args->KernelCpuVirtualAddress = adapter->doorbells +
							adapter->num_slots * PAGE_SIZE;
		if (order.action == DXGNULL_BELOW)
			args->KernelCpuVirtualAddress = adapter->doorbells - PAGE_SIZE;
		if (order.action == DXGNULL_KERNEL)
			args->KernelCpuVirtualAddress = PTR_ALIGN_DOWN(adapter, PAGE_SIZE);
		if (order.action == DXGNULL_MISALIGNED)
			args->KernelCpuVirtualAddress += sizeof(u64);
		if (order.action == DXGNULL_SAME)
			args->KernelCpuVirtualAddress = adapter->doorbells;
		if (order.action == DXGNULL_ANSWER)
			args->Status = order.value;
	}
	return dxgnull_end(DXGNULL_CONNECT_DOORBELL, &order, status,
			   "hDoorbell=%#lx Status=%u Address=%#lx", dxgnull_number(queue),
			   args->Status, dxgnull_number(args->KernelCpuVirtualAddress));
}

NTSTATUS dxgnull_wrong_disconnect_doorbell(const DXGKARG_DISCONNECTDOORBELL *args)
{
	struct dxgnull_queue *queue = args->hDoorbell;
	struct dxgnull_order order = dxgnull_begin(DXGNULL_DISCONNECT_DOORBELL,
						   "hDoorbell=%#lx Flags=%#x Bound=%d",
						   dxgnull_number(queue), args->Flags,
						   !!READ_ONCE(queue->slot));
	NTSTATUS status;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiDisconnectDoorbell(args);
	return dxgnull_end(DXGNULL_DISCONNECT_DOORBELL, &order, status, "hDoorbell=%#lx Bound=%d",
			   dxgnull_number(queue), !!READ_ONCE(queue->slot));
}

NTSTATUS dxgnull_wrong_destroy_doorbell(const DXGKARG_DESTROYDOORBELL *args)
{
	struct dxgnull_queue *queue = args->hDoorbell;
	struct dxgnull_order order = dxgnull_begin(DXGNULL_DESTROY_DOORBELL,
						   "hDoorbell=%#lx Bound=%d",
						   dxgnull_number(queue),
						   !!READ_ONCE(queue->slot));
	NTSTATUS status;

	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiDestroyDoorbell(args);
	return dxgnull_end(DXGNULL_DESTROY_DOORBELL, &order, status, "hDoorbell=%#lx",
			   dxgnull_number(queue));
}

/* One at a time; the device is counted. */
static struct {
	struct device *dev;
	struct dxgnull_order order;
} dxgnull_wrong_reset;

/* The lock keeps the adapter meanwhile, as it does for the resets that the PCI core makes. */
static void dxgnull_wrong_reset_main(struct work_struct *work)
{
	struct device *dev = dxgnull_wrong_reset.dev;
	struct dxgadapter *os_adapter;

	device_lock(dev);
	os_adapter = dev_get_drvdata(dev);
	if (os_adapter) {
		DxgkBeginReset(os_adapter, "ordered");
		dxgnull_order_hold(&dxgnull_wrong_reset.order);
		DxgkEndReset(os_adapter, true);
	}
	device_unlock(dev);
	put_device(dev);
}

static DECLARE_WORK(dxgnull_wrong_reset_work, dxgnull_wrong_reset_main);

static void dxgnull_wrong_reset_begin(struct dxgnull_adapter *adapter,
				      const struct dxgnull_order *order)
{
	if (work_busy(&dxgnull_wrong_reset_work))
		return;
	dxgnull_wrong_reset.dev = get_device(adapter->dev);
	dxgnull_wrong_reset.order = *order;
	schedule_work(&dxgnull_wrong_reset_work);
}

/* After the last call. */
void dxgnull_wrong_doorbell_end(void)
{
	flush_work(&dxgnull_wrong_reset_work);
}

NTSTATUS dxgnull_wrong_notify_work_submission(const DXGKARG_NOTIFYWORKSUBMISSION *args)
{
	struct dxgnull_order order = dxgnull_begin(DXGNULL_NOTIFY_WORK_SUBMISSION,
						   "hHwQueue=%#lx Flags=%#x",
						   dxgnull_number(args->hHwQueue), args->Flags);
	struct dxgnull_wrong_work wrong = { .queue = args->hHwQueue, .reason = order.value };
	NTSTATUS status;

	if (order.action == DXGNULL_WORKER)
		dxgnull_wrong_work_run(&wrong, dxgnull_wrong_disconnect_main);
	if (order.action == DXGNULL_RESET)
		dxgnull_wrong_reset_begin(dxgnull_wrong_adapter(wrong.queue), &order);
	if (order.action == DXGNULL_STATUS)
		status = order.value;
	else
		status = dxgnull_real->DxgkDdiNotifyWorkSubmission(args);
	return dxgnull_end(DXGNULL_NOTIFY_WORK_SUBMISSION, &order, status, "hHwQueue=%#lx",
			   dxgnull_number(args->hHwQueue));
}
