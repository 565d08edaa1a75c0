// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: the doorbell DDIs and the physical doorbells, "slots".
 *
 * DOC: rotation, the part of a miniport
 *
 * There are fewer slots than queues. A connect that finds none free takes the
 * one whose queue has been quiet longest (MOD-4), in this order (ORD-8):
 *
 *   1. wait in line for other connects; mark the slot as changing: nobody frees it
 *   2. DxgkCbDisconnectDoorbell for its owner, with no lock held (DDI-CN-8): status
 *      first, then the mapping goes; on return no CPU reaches the slot. If it fails the
 *      owner keeps the slot, and the connect answers DEVICE_BUSY (CB-DC-6)
 *   3. sample the old owner once more, for what was rung before
 *   4. bind, and sample the newcomer, for what it wrote while disconnected
 *
 * The owner may be disconnected or destroyed by another thread during 2. That
 * thread waits until the change is over, so both handles in the call stay good.
 * Rejected: to let it free the slot meanwhile and to look again after the callback;
 * it saves a short wait and costs a count of callbacks (dxgpu.ko pays it).
 *
 * A slot is a page of its own, so that one mapping shows one doorbell (DEV-6).
 */
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/string.h>
#include "dxgnull.h"

/*
 * OP-6. Whoever is the first of the line has a slot to take, so there is no shortage: a
 * line that does not move for so long is one that something is wrong with.
 */
#define DXGNULL_CONNECT_TIMEOUT		msecs_to_jiffies(2000)

static struct dxgnull_adapter *dxgnull_queue_adapter(struct dxgnull_queue *queue)
{
	return queue->context->space->adapter;
}

/* KMT-CD-12; every number is the OS layer's (KMT-CD-11). */
static bool dxgnull_ring_valid(const DXGKARG_CREATEDOORBELL *args)
{
	const struct dxgnull_allocation *ring = args->hRingBuffer;
	u64 entries = args->RingBufferSize / sizeof(struct dxgpu_ring_entry);

	/* A size rounded up to pages would wrap where the process does not. */
	return ring->bytes == args->RingBufferSize &&
	       !(args->RingBufferSize % sizeof(struct dxgpu_ring_entry)) &&
	       is_power_of_2(entries) && entries >= DXGNULL_RING_MIN_ENTRIES &&
	       entries <= DXGNULL_RING_MAX_ENTRIES &&
	       IS_ALIGNED(args->RingBufferGpuVirtualAddress, DXGPU_RING_ALIGN) &&
	       dxgnull_gpuva_ok(args->RingBufferGpuVirtualAddress, args->RingBufferSize);
}

static bool dxgnull_ring_control_valid(const DXGKARG_CREATEDOORBELL *args)
{
	u64 bytes = sizeof(struct dxgpu_ring_control);

	return args->RingBufferControlSize >= bytes &&
	       IS_ALIGNED(args->RingBufferControlGpuVirtualAddress, DXGPU_RING_CONTROL_ALIGN) &&
	       dxgnull_gpuva_ok(args->RingBufferControlGpuVirtualAddress, bytes);
}

/*
 * DxgkDdiCreateDoorbell: INVALID_PARAMETER for a ring or ring control whose size,
 * alignment or address is not possible, a queue that has a doorbell, or a
 * node without user-mode submission. No slot is taken (DDI-CD-5).
 */
NTSTATUS dxgnull_create_doorbell(DXGKARG_CREATEDOORBELL *args)
{
	struct dxgnull_queue *queue = args->hHwQueue;
	struct dxgnull_adapter *adapter = dxgnull_queue_adapter(queue);

	if (args->Flags & ~DXGK_CREATEDOORBELL_RESIZE || !list_empty(&queue->link) ||
	    !args->hRingBuffer || !args->hRingBufferControl ||
	    args->hRingBuffer == args->hRingBufferControl || !dxgnull_ring_valid(args) ||
	    !dxgnull_ring_control_valid(args) || !dxgnull_node_is_user(queue->context->node))
		return STATUS_INVALID_PARAMETER;

	mutex_lock(&adapter->lock);
	queue->os_doorbell = args->hDoorbell;
	queue->ring_gpuva = args->RingBufferGpuVirtualAddress;
	queue->control_gpuva = args->RingBufferControlGpuVirtualAddress;
	queue->entries = args->RingBufferSize / sizeof(struct dxgpu_ring_entry);
	queue->wp = args->InitialWritePointer;
	queue->rp = args->InitialWritePointer;
	queue->active = false;
	/* Of an earlier doorbell; this one has no work before it is connected (KMT-CD-5). */
	queue->sample = false;
	queue->last_active = 0;
	queue->packet.valid = false;
	queue->faulted = false;
	list_add_tail(&queue->link, &dxgnull_queue_engine(queue)->queues);
	mutex_unlock(&adapter->lock);
	args->hDoorbell = queue;
	return STATUS_SUCCESS;
}

/* A free slot, or that of the queue that has been quiet longest. adapter->lock held. */
static struct dxgnull_slot *dxgnull_slot_find(struct dxgnull_adapter *adapter)
{
	struct dxgnull_slot *slot, *oldest = NULL;

	for (slot = adapter->slots; slot < adapter->slots + adapter->num_slots; slot++) {
		if (!slot->queue)
			return slot;
		if (!oldest || slot->queue->last_active < oldest->queue->last_active)
			oldest = slot;
	}
	return oldest;
}

static void dxgnull_changed(struct dxgnull_adapter *adapter)
{
	WRITE_ONCE(adapter->changes, adapter->changes + 1);
	wake_up_all(&adapter->changed);
}

/* The slot's owner leaves it. adapter->lock held. */
static void dxgnull_slot_free(struct dxgnull_slot *slot)
{
	struct dxgnull_queue *queue = slot->queue;

	queue->slot = NULL;
	slot->queue = NULL;
	dxgnull_queue_sample(queue);
}

static NTSTATUS dxgnull_queue_callback(struct dxgnull_queue *queue, D3DDDI_DOORBELLSTATUS reason)
{
	DXGKARGCB_DISCONNECTDOORBELL args = {
		.hHwQueue = queue->os_handle,
		.hDoorbell = queue->os_doorbell,
		.DisconnectReason = reason,
	};

	return dxgnull_queue_adapter(queue)->os.DxgkCbDisconnectDoorbell(&args);
}

/* Drops adapter->lock for the callback: steps 1 to 3. DEVICE_BUSY: its owner keeps the slot. */
static NTSTATUS dxgnull_slot_take(struct dxgnull_adapter *adapter, struct dxgnull_slot *slot,
				  D3DDDI_DOORBELLSTATUS reason)
{
	NTSTATUS status;

	slot->changing = true;
	mutex_unlock(&adapter->lock);
	status = dxgnull_queue_callback(slot->queue, reason);
	mutex_lock(&adapter->lock);
	if (NT_SUCCESS(status))
		dxgnull_slot_free(slot);
	WRITE_ONCE(slot->changing, false);
	return NT_SUCCESS(status) ? STATUS_SUCCESS : STATUS_DEVICE_BUSY;
}

/* A connect in the line of those that want a slot. On its stack. */
struct dxgnull_turn {
	struct list_head link;
};

/* Leaves the line; the next one looks. adapter->lock held. */
static void dxgnull_turn_end(struct dxgnull_adapter *adapter, struct dxgnull_turn *turn)
{
	list_del(&turn->link);
	dxgnull_changed(adapter);
}

/*
 * Waits until @turn is the first of the line, as long as the line moves. adapter->lock
 * held; dropped meanwhile. DEVICE_BUSY or CANCELLED, and the line is left.
 */
static NTSTATUS dxgnull_turn_wait(struct dxgnull_adapter *adapter, struct dxgnull_turn *turn)
{
	unsigned int changes;
	long left;

	list_add_tail(&turn->link, &adapter->line);
	while (!list_is_first(&turn->link, &adapter->line)) {
		changes = adapter->changes;
		mutex_unlock(&adapter->lock);
		left = wait_event_killable_timeout(adapter->changed,
						   READ_ONCE(adapter->changes) != changes,
						   DXGNULL_CONNECT_TIMEOUT);
		mutex_lock(&adapter->lock);
		if (left <= 0) {
			dxgnull_turn_end(adapter, turn);
			return left ? STATUS_CANCELLED : STATUS_DEVICE_BUSY;
		}
	}
	return STATUS_SUCCESS;
}

/*
 * DxgkDdiConnectDoorbell: DEVICE_BUSY if the line did not move for 2 s (OP-6), or the
 * victim cannot be disconnected; CANCELLED if a fatal signal came; DEVICE_REMOVED after a
 * reset; NOT_SUPPORTED for a secondary doorbell (MOD-10).
 */
NTSTATUS dxgnull_connect_doorbell(DXGKARG_CONNECTDOORBELL *args)
{
	struct dxgnull_queue *queue = args->hDoorbell;
	struct dxgnull_adapter *adapter = dxgnull_queue_adapter(queue);
	struct dxgnull_slot *slot;
	struct dxgnull_turn turn;
	NTSTATUS status;

	if (args->Flags & DXGK_CONNECTDOORBELL_SECONDARY)
		return STATUS_NOT_SUPPORTED;

	mutex_lock(&adapter->lock);
	if (args->Flags & DXGK_CONNECTDOORBELL_REKICK) {
		dxgnull_queue_sample(queue);
		mutex_unlock(&adapter->lock);
		return STATUS_SUCCESS;
	}
	status = dxgnull_turn_wait(adapter, &turn);
	if (status != STATUS_SUCCESS)
		goto unlock;
	/* Only the first of the line changes slots, so there is always one to be had. */
	slot = dxgnull_slot_find(adapter);
	if (slot->queue) {
		status = dxgnull_slot_take(adapter, slot,
					   D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY);
		if (status != STATUS_SUCCESS)
			goto end_turn;
		adapter->victimizations++;
	}
	if (queue->lost) {
		status = STATUS_DEVICE_REMOVED;
		goto end_turn;
	}
	slot->queue = queue;
	queue->slot = slot;
	adapter->binds++;
	queue->last_active = ktime_get_ns();
	dxgnull_queue_sample(queue);

	args->KernelCpuVirtualAddress = adapter->doorbells + (slot - adapter->slots) * PAGE_SIZE;
	args->SecondaryKernelCpuVirtualAddress = NULL;
	queue->notify = READ_ONCE(dxgnull_notify);
	args->Status = D3DDDI_DOORBELLSTATUS_CONNECTED;
	if (queue->notify)
		args->Status = D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD;
end_turn:
	dxgnull_turn_end(adapter, &turn);
unlock:
	mutex_unlock(&adapter->lock);
	return status;
}

/*
 * Disconnects every doorbell, so that each is connected anew, with another answer
 * (CB-DC-7). DEVICE_BUSY or CANCELLED as for a connect; not all are disconnected then.
 */
NTSTATUS dxgnull_slots_disconnect(struct dxgnull_adapter *adapter)
{
	struct dxgnull_slot *slot;
	struct dxgnull_turn turn;
	NTSTATUS status;

	mutex_lock(&adapter->lock);
	status = dxgnull_turn_wait(adapter, &turn);
	if (status != STATUS_SUCCESS)
		goto unlock;
	for (slot = adapter->slots;
	     slot < adapter->slots + adapter->num_slots && status == STATUS_SUCCESS; slot++) {
		if (slot->queue)
			status = dxgnull_slot_take(adapter, slot,
						   D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY);
	}
	dxgnull_turn_end(adapter, &turn);
unlock:
	mutex_unlock(&adapter->lock);
	return status;
}

/* The same for one, connected or not, whose queue the caller keeps, with any reason. */
void dxgnull_queue_disconnect(struct dxgnull_queue *queue, D3DDDI_DOORBELLSTATUS reason)
{
	struct dxgnull_adapter *adapter = dxgnull_queue_adapter(queue);
	struct dxgnull_turn turn;

	mutex_lock(&adapter->lock);
	if (dxgnull_turn_wait(adapter, &turn) != STATUS_SUCCESS)
		goto unlock;
	if (queue->slot) {
		dxgnull_slot_take(adapter, queue->slot, reason);
	} else {
		mutex_unlock(&adapter->lock);
		dxgnull_queue_callback(queue, reason);
		mutex_lock(&adapter->lock);
	}
	dxgnull_turn_end(adapter, &turn);
unlock:
	mutex_unlock(&adapter->lock);
}

static bool dxgnull_slot_changing(struct dxgnull_queue *queue)
{
	struct dxgnull_slot *slot = READ_ONCE(queue->slot);

	return slot && READ_ONCE(slot->changing);
}

/* adapter->lock held; may be dropped meanwhile. */
static void dxgnull_slot_release(struct dxgnull_adapter *adapter, struct dxgnull_queue *queue)
{
	while (dxgnull_slot_changing(queue)) {
		mutex_unlock(&adapter->lock);
		wait_event(adapter->changed, !dxgnull_slot_changing(queue));
		mutex_lock(&adapter->lock);
	}
	if (queue->slot) {
		dxgnull_slot_free(queue->slot);
		dxgnull_changed(adapter);
	}
}

/*
 * DxgkDdiDisconnectDoorbell: SUCCESS, also if not bound (DDI-DC-1); visible work goes on. One
 * sample: a victim may have been given work since (T27), one never connected has none.
 */
NTSTATUS dxgnull_disconnect_doorbell(const DXGKARG_DISCONNECTDOORBELL *args)
{
	struct dxgnull_queue *queue = args->hDoorbell;
	struct dxgnull_adapter *adapter = dxgnull_queue_adapter(queue);

	mutex_lock(&adapter->lock);
	dxgnull_slot_release(adapter, queue);
	if (queue->last_active)
		dxgnull_queue_sample(queue);
	mutex_unlock(&adapter->lock);
	return STATUS_SUCCESS;
}

/* DxgkDdiDestroyDoorbell: on return the ring is not fetched any more (DDI-DS-1). */
NTSTATUS dxgnull_destroy_doorbell(const DXGKARG_DESTROYDOORBELL *args)
{
	struct dxgnull_queue *queue = args->hDoorbell;
	struct dxgnull_adapter *adapter = dxgnull_queue_adapter(queue);

	mutex_lock(&adapter->lock);
	dxgnull_slot_release(adapter, queue);
	list_del_init(&queue->link);
	dxgnull_queue_wait_stopped(queue);
	mutex_unlock(&adapter->lock);
	return STATUS_SUCCESS;
}

/* DxgkDdiNotifyWorkSubmission: a ring for a queue that is not polled; otherwise one sample more. */
NTSTATUS dxgnull_notify_work_submission(const DXGKARG_NOTIFYWORKSUBMISSION *args)
{
	struct dxgnull_queue *queue = args->hHwQueue;
	struct dxgnull_adapter *adapter = dxgnull_queue_adapter(queue);

	mutex_lock(&adapter->lock);
	dxgnull_queue_sample(queue);
	mutex_unlock(&adapter->lock);
	return STATUS_SUCCESS;
}

/* DxgkDdiPrintSlots: a line of totals, then one line per slot. */
void dxgnull_print_slots(HANDLE hadapter, struct seq_file *m)
{
	struct dxgnull_adapter *adapter = hadapter;
	unsigned int i;

	mutex_lock(&adapter->lock);
	seq_printf(m, "slots count=%u binds=%llu victimizations=%llu\n", adapter->num_slots,
		   adapter->binds, adapter->victimizations);
	for (i = 0; i < adapter->num_slots; i++) {
		struct dxgnull_slot *slot = &adapter->slots[i];

		seq_printf(m, "slot=%u state=%s\n", i,
			   !slot->queue ? "free" : slot->changing ? "changing" : "bound");
	}
	mutex_unlock(&adapter->lock);
}
