// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: the doorbell DDIs (wddm-semantics 3.7 to 3.10).
 *
 * DOC: life of a doorbell
 *
 * create      checks that the node takes user submission, ring and ring control
 *             against the device's limits, and gives
 *             the device the queue (QUEUE_CREATE latches both addresses,
 *             DDI-CD-8). No slot is taken (DDI-CD-5): slots are few, and a queue
 *             may never submit (DDI-CD-6). Only its place in a page is chosen, if
 *             slots share pages: the address that the process gets is to stay
 *             (KMT-CD-19).
 * connect     takes a slot, if need be from a victim (slots.c), and binds. The
 *             bind makes the device sample WP (DDI-CN-9). In the global model
 *             the process has a slot for all its queues, and nobody is a victim
 *             (global.c, MOD-7).
 * disconnect  gives the slot back by ORD-8; work that is visible goes on
 *             (DDI-DC-4). A victim, which has lost its slot, is sampled all the same:
 *             work may have come since, rung into the dummy page (T27, FH-19).
 *             Nothing of the doorbell is freed (OBJ-19).
 * destroy     disconnect, then QUEUE_REMOVE with acknowledgment: on return the
 *             device has stopped fetching (DDI-DS-1).
 */
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <dxgpu/ring.h>
#include <uapi/dxgpu_umd.h>
#include "command.h"
#include "process.h"

static bool notify;
module_param(notify, bool, 0644);
MODULE_PARM_DESC(notify,
		 "connects answer CONNECTED_NOTIFY_KMD from now on; the device needs no notice, a user-mode driver may want to meet one");

static bool dxgpu_range_valid(struct dxgpu_adapter *adapter, u64 gpuva, u64 bytes, u64 align)
{
	u64 limit = 1ull << adapter->caps.gpuva_bits;

	return IS_ALIGNED(gpuva, align) && gpuva < limit && bytes <= limit - gpuva;
}

/* KMT-CD-12; every number is the OS layer's (KMT-CD-11). */
static bool dxgpu_ring_valid(struct dxgpu_adapter *adapter,
			     const DXGKARG_CREATEDOORBELL *args)
{
	const struct dxgpu_allocation *ring = args->hRingBuffer;
	const struct dxgpu_caps *caps = &adapter->caps;
	u64 entries = args->RingBufferSize / sizeof(struct dxgpu_ring_entry);

	/* A size rounded up to pages would wrap where the process does not. */
	if (ring->bytes != args->RingBufferSize)
		return false;
	if (args->RingBufferSize % sizeof(struct dxgpu_ring_entry) ||
	    !is_power_of_2(entries) || entries < caps->ring_min_entries ||
	    entries > caps->ring_max_entries)
		return false;
	return dxgpu_range_valid(adapter, args->RingBufferGpuVirtualAddress,
				 args->RingBufferSize, DXGPU_RING_ALIGN);
}

static bool dxgpu_ring_control_valid(struct dxgpu_adapter *adapter,
				     const DXGKARG_CREATEDOORBELL *args)
{
	return args->RingBufferControlSize >= sizeof(struct dxgpu_ring_control) &&
	       dxgpu_range_valid(adapter, args->RingBufferControlGpuVirtualAddress,
				 sizeof(struct dxgpu_ring_control), DXGPU_RING_CONTROL_ALIGN);
}

/* What a ring has to write: it is no secret and no authority (SEC-24). */
static void dxgpu_doorbell_tell(struct dxgpu_hwqueue *queue, DXGKARG_CREATEDOORBELL *args)
{
	struct dxgpu_doorbell_data *data = args->PrivateDriverData;
	bool global = queue->adapter->caps.global_doorbells;

	if (args->PrivateDriverDataSize != sizeof(*data))
		return;
	*data = (struct dxgpu_doorbell_data){
		.size = sizeof(*data),
		.flags = global ? DXGPU_DOORBELL_DATA_VALUE : 0,
		.value = global ? DXGPU_DOORBELL_VALUE(queue->id, queue->context->node) : 0,
	};
}

/*
 * DxgkDdiCreateDoorbell: NOT_SUPPORTED on a node without user submission;
 * INVALID_PARAMETER for a ring or ring control whose size, alignment or address
 * the device does not take, or a queue that has a doorbell; NO_MEMORY;
 * DEVICE_REMOVED. The resize flag changes nothing (KMT-CD-16).
 */
NTSTATUS dxgpu_create_doorbell(DXGKARG_CREATEDOORBELL *args)
{
	struct dxgpu_hwqueue *queue = args->hHwQueue;
	struct dxgpu_adapter *adapter = queue->adapter;
	struct dxgpu_doorbell *doorbell;
	NTSTATUS status;

	if (!(adapter->caps.node_flags[queue->context->node] & DXGPU_NODE_USER_SUBMISSION))
		return STATUS_NOT_SUPPORTED;
	if (args->Flags & ~DXGK_CREATEDOORBELL_RESIZE || queue->on_device ||
	    !args->hRingBuffer || !args->hRingBufferControl ||
	    args->hRingBuffer == args->hRingBufferControl ||
	    !dxgpu_ring_valid(adapter, args) || !dxgpu_ring_control_valid(adapter, args))
		return STATUS_INVALID_PARAMETER;

	doorbell = kzalloc(sizeof(*doorbell), GFP_KERNEL_ACCOUNT);
	if (!doorbell)
		return STATUS_NO_MEMORY;
	doorbell->adapter = adapter;
	doorbell->hwqueue = queue;
	doorbell->os_handle = args->hDoorbell;
	dxgpu_slots_place(&adapter->slots, doorbell);
	WRITE_ONCE(queue->sampled_at, 0);

	spin_lock_irq(&adapter->object_lock);
	queue->fault_reported = false;
	queue->removing = false;
	queue->on_device = true;
	spin_unlock_irq(&adapter->object_lock);

	status = dxgpu_command(adapter, queue->context->generation, DXGPU_CMD_QUEUE_CREATE,
			       queue->id, queue->context->id,
			       args->RingBufferGpuVirtualAddress,
			       args->RingBufferSize / sizeof(struct dxgpu_ring_entry),
			       args->RingBufferControlGpuVirtualAddress,
			       args->InitialWritePointer);
	if (!NT_SUCCESS(status)) {
		WRITE_ONCE(queue->on_device, false);
		dxgpu_slots_unplace(&adapter->slots, doorbell);
		kfree(doorbell);
		return status;
	}
	dxgpu_doorbell_tell(queue, args);
	/* Not packed, there is one place, the first. */
	args->DoorbellOffset = doorbell->place * adapter->caps.doorbell_stride;
	args->hDoorbell = doorbell;
	return STATUS_SUCCESS;
}

/* A slot of its own, by the allocator. */
static NTSTATUS dxgpu_dedicated_bind(struct dxgpu_doorbell *doorbell, u32 *index)
{
	struct dxgpu_hwqueue *queue = doorbell->hwqueue;
	struct dxgpu_adapter *adapter = doorbell->adapter;
	struct dxgpu_slot *slot;
	NTSTATUS status;

	status = dxgpu_slots_acquire(&adapter->slots, doorbell, &slot);
	if (status != STATUS_SUCCESS)
		return status;
	*index = dxgpu_slot_index(&adapter->slots, slot);
	status = dxgpu_command(adapter, queue->context->generation, DXGPU_CMD_DOORBELL_BIND,
			       *index, queue->id);
	if (NT_SUCCESS(status))
		dxgpu_slots_bound(&adapter->slots, slot);
	else
		dxgpu_slots_cancel(&adapter->slots, slot);
	return status;
}

/* True if it was bound till now, so that the queue was sampled. */
static bool dxgpu_doorbell_unbind(struct dxgpu_doorbell *doorbell)
{
	struct dxgpu_adapter *adapter = doorbell->adapter;

	if (adapter->caps.global_doorbells)
		return dxgpu_global_unbind(doorbell->hwqueue);
	return dxgpu_slots_release(&adapter->slots, doorbell);
}

/* A sample is all that is asked for: connected already (T6), or disconnected already. */
static NTSTATUS dxgpu_rekick(struct dxgpu_doorbell *doorbell)
{
	struct dxgpu_hwqueue *queue = doorbell->hwqueue;

	return dxgpu_command(doorbell->adapter, queue->context->generation,
			     DXGPU_CMD_QUEUE_KICK, queue->id);
}

/*
 * DxgkDdiConnectDoorbell: DEVICE_BUSY if there was no slot and none to come for 100 ms, or
 * nobody got one for command_timeout_ms (OP-6, slots.c); CANCELLED if a fatal signal came
 * first; DEVICE_REMOVED if the device or the queue is lost; NOT_SUPPORTED for a secondary
 * doorbell if the device has none (MOD-10). Binding and unbinding a slot concern both of
 * its doorbells.
 */
NTSTATUS dxgpu_connect_doorbell(DXGKARG_CONNECTDOORBELL *args)
{
	struct dxgpu_doorbell *doorbell = args->hDoorbell;
	struct dxgpu_hwqueue *queue = doorbell->hwqueue;
	struct dxgpu_adapter *adapter = doorbell->adapter;
	bool secondary = args->Flags & DXGK_CONNECTDOORBELL_SECONDARY;
	NTSTATUS status;
	u32 index;

	if (args->Flags & DXGK_CONNECTDOORBELL_REKICK)
		return dxgpu_rekick(doorbell);
	if (secondary && !adapter->caps.secondary_size)
		return STATUS_NOT_SUPPORTED;
	if (queue->context->generation != READ_ONCE(adapter->generation))
		return STATUS_DEVICE_REMOVED;

	status = adapter->caps.global_doorbells ? dxgpu_global_bind(queue, &index) :
						  dxgpu_dedicated_bind(doorbell, &index);
	if (status != STATUS_SUCCESS)
		return status;

	doorbell->connected_once = true;
	args->KernelCpuVirtualAddress = (void __force *)adapter->doorbells +
		(size_t)index * adapter->caps.doorbell_stride;
	args->SecondaryKernelCpuVirtualAddress = secondary ?
		(void __force *)adapter->doorbells + adapter->caps.secondary_offset +
		(size_t)index * adapter->caps.secondary_stride : NULL;
	args->Status = D3DDDI_DOORBELLSTATUS_CONNECTED;
	if (READ_ONCE(notify))
		args->Status = D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD;
	return STATUS_SUCCESS;
}

/*
 * DxgkDdiDisconnectDoorbell: SUCCESS, also if not bound (DDI-DC-1). A queue that was never
 * connected has no work (KMT-CD-5).
 */
NTSTATUS dxgpu_disconnect_doorbell(const DXGKARG_DISCONNECTDOORBELL *args)
{
	struct dxgpu_doorbell *doorbell = args->hDoorbell;

	if (!dxgpu_doorbell_unbind(doorbell) && doorbell->connected_once) {
		dxgpu_hwqueue_expect_sample(doorbell->hwqueue);
		dxgpu_rekick(doorbell);
	}
	return STATUS_SUCCESS;
}

/*
 * The device has not let go of the queue in time. Its engine is reset, and its
 * context is to blame; true if the removal is acknowledged then.
 */
static bool dxgpu_queue_recover(struct dxgpu_hwqueue *queue, u32 generation, u64 fence)
{
	struct dxgpu_adapter *adapter = queue->adapter;
	u32 node = queue->context->node;
	NTSTATUS status;
	bool removed;

	mutex_lock(&adapter->command_lock);
	dxgpu_debug_lost(adapter, "late removal of queue", queue->id);
	mutex_unlock(&adapter->command_lock);
	status = dxgpu_engine_reset(adapter, generation, node);
	if (!NT_SUCCESS(status))
		return false;
	/* Its record may be gone already, and with it the fault's report. */
	spin_lock_irq(&adapter->object_lock);
	if (!queue->fault_reported)
		dxgpu_hwqueue_invalidate(queue, dxgpu_engine_aborted(adapter, node, queue->id),
					 false);
	queue->fault_reported = true;
	spin_unlock_irq(&adapter->object_lock);

	removed = dxgpu_command_await(adapter, generation,
				      dxgpu_queue_record(adapter, queue->id) +
				      offsetof(struct dxgpu_queue_status, remove_fence),
				      fence, dxgpu_command_timeout_ms());
	status = dxgpu_engine_resume(adapter, generation, node);
	return removed && NT_SUCCESS(status);
}

/*
 * QUEUE_REMOVE, and what it takes to get it done: when this returns the device
 * fetches nothing of the queue any more (OBJ-24).
 */
static void dxgpu_queue_remove(struct dxgpu_hwqueue *queue)
{
	struct dxgpu_adapter *adapter = queue->adapter;
	u32 generation = queue->context->generation;
	NTSTATUS status;
	u64 fence;

	spin_lock_irq(&adapter->object_lock);
	queue->removing = true;
	spin_unlock_irq(&adapter->object_lock);

	status = dxgpu_command_async(adapter, generation, &fence, DXGPU_CMD_QUEUE_REMOVE,
				     queue->id);
	if (status == STATUS_DEVICE_REMOVED)
		return;
	if (NT_SUCCESS(status) &&
	    dxgpu_command_await(adapter, generation,
				dxgpu_queue_record(adapter, queue->id) +
				offsetof(struct dxgpu_queue_status, remove_fence),
				fence, dxgpu_command_timeout_ms()))
		return;
	if (!NT_SUCCESS(status) || !dxgpu_queue_recover(queue, generation, fence))
		dxgpu_hardware_lost(adapter, "failed removal of queue", queue->id);
}

/*
 * DxgkDdiDestroyDoorbell: SUCCESS; bounded by command_timeout_ms, the same and an
 * engine reset if that is not enough, and then a reset.
 */
NTSTATUS dxgpu_destroy_doorbell(const DXGKARG_DESTROYDOORBELL *args)
{
	struct dxgpu_doorbell *doorbell = args->hDoorbell;
	struct dxgpu_hwqueue *queue = doorbell->hwqueue;

	dxgpu_doorbell_unbind(doorbell);
	dxgpu_queue_remove(queue);
	WRITE_ONCE(queue->on_device, false);
	dxgpu_slots_unplace(&doorbell->adapter->slots, doorbell);
	kfree(doorbell);
	return STATUS_SUCCESS;
}

/* DxgkDdiNotifyWorkSubmission: the device has seen the ring; a sample more does no harm. */
NTSTATUS dxgpu_notify_work_submission(const DXGKARG_NOTIFYWORKSUBMISSION *args)
{
	struct dxgpu_hwqueue *queue = args->hHwQueue;

	if (queue->on_device)
		dxgpu_command(queue->adapter, queue->context->generation,
			      DXGPU_CMD_QUEUE_KICK, queue->id);
	return STATUS_SUCCESS;
}

static const char * const dxgpu_slot_state_names[] = {
	[DXGPU_SLOT_FREE] = "free",
	[DXGPU_SLOT_CONNECTING] = "connecting",
	[DXGPU_SLOT_BOUND] = "bound",
	[DXGPU_SLOT_VICTIM] = "victim",
	[DXGPU_SLOT_DYING] = "dying",
	[DXGPU_SLOT_UNBINDING] = "unbinding",
};

/* A line of totals, then one line per slot. */
static void dxgpu_slots_print(struct dxgpu_adapter *adapter, struct seq_file *m)
{
	struct dxgpu_slots *slots = &adapter->slots;
	const struct dxgpu_slot_counters *c = &slots->counters;
	u64 now = ktime_get_ns();
	unsigned int i;

	mutex_lock(&slots->lock);
	seq_printf(m, "slots count=%u places=%u policy=lru min_hold_us=%u binds=%llu unbinds=%llu victimizations=%llu held=%llu wait_us=%llu pages_taken=%llu victim_gone=%llu busy=%llu\n",
		   slots->count, slots->places, dxgpu_slots_hold_us(),
		   c->binds, c->unbinds, c->victimizations, c->held,
		   div_u64(c->wait_ns, NSEC_PER_USEC), c->pages_taken, c->victim_gone, c->busy);
	for (i = 0; i < slots->count; i++) {
		const struct dxgpu_slot *slot = &slots->slot[i];

		seq_printf(m, "slot=%u state=%s binds=%llu victimizations=%llu", i,
			   dxgpu_slot_state_names[slot->state], slot->binds,
			   slot->victimizations);
		if (slot->doorbell)
			seq_printf(m, " queue=%u", slot->doorbell->hwqueue->id);
		if (slot->state == DXGPU_SLOT_BOUND)
			seq_printf(m, " held_us=%llu",
				   div_u64(now - slot->bound_ns, NSEC_PER_USEC));
		seq_putc(m, '\n');
	}
	mutex_unlock(&slots->lock);
}

/* DxgkDdiPrintSlots. */
void dxgpu_print_slots(HANDLE hadapter, struct seq_file *m)
{
	struct dxgpu_adapter *adapter = hadapter;

	if (adapter->caps.global_doorbells)
		dxgpu_global_print(adapter, m);
	else
		dxgpu_slots_print(adapter, m);
}
