// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of logical doorbells: who sees which page, and when.
 *
 * DOC: the two sequences
 *
 * Revoke (ORD-6, RV): STAT, write barrier, zap with TLB shootdown, dummy, and only
 * then is the slot the miniport's. STAT goes first: whoever rings into the dummy
 * must afterwards read RETRY or ABORT (ORD-1), else the ring would be lost
 * unnoticed.
 *
 * Attach (ORD-7, AT): zap of the dummy, the miniport's connect (bind and sample),
 * write barrier, STAT. A CPU that kept a translation to the dummy past STAT would
 * ring into it and read CONNECTED (ORD-17), hence the zap on this side too.
 *
 * Both run under doorbell->lock, which the page-fault handler takes as well, but for
 * the miniport's connect, which may last: the state is CONNECTING meanwhile, and the
 * entries stay empty. A fault during CONNECTING or DISCONNECTING waits, killable, and
 * then decides (ORD-9, MAP-3). The handler never waits for hardware beyond that and
 * never changes state. So does a callback wait, though not for ever (CB-DC-6). ABORT
 * does not wait: the connect finds that it was overtaken, and is undone.
 *
 * Rejected: to hold doorbell->lock during the miniport's connect. A mutex cannot be
 * waited for with a time-out, and a callback that the connect itself waits for would
 * need one; and a process that faults all the time could keep who polls from the lock.
 *
 * DOC: secondary doorbells
 *
 * A doorbell that was created with one has a region of two pages, the second of
 * which is the secondary doorbell (MOD-10). So there is one mapping, one zap, one
 * STAT and one state, and no moment at which only one of the two is attached.
 * Rejected: a region of its own; every sequence above would have two halves.
 *
 * DOC: who may call
 *
 * connect: an API call. revoke with RETRY: the miniport for a victim, from inside
 * another doorbell's connect. revoke with ABORT: errors, reset, removal. The
 * kernel never connects on its own (SM-2). ABORT is final but for destroy (SM-3).
 *
 * Connects and the miniport's disconnects and destroys of one doorbell are kept
 * apart by doorbell->ops (DDI-CN-11). The miniport is never called with doorbell->lock
 * held: it may be waiting there for another thread that is revoking this doorbell as
 * its victim.
 */
#include <linux/jiffies.h>

#include "dxgkrnl.h"
#include "trace.h"

/*
 * How long a callback waits for the end of a connect. More than the device may take for a
 * command, so that of lawful ones only that of a thread which gets no CPU takes longer.
 */
#define DXG_CALLBACK_WAIT_MS	5000

const char *dxg_doorbell_state_name(enum dxg_doorbell_state state)
{
	static const char * const names[] = {
		[DXG_DOORBELL_CREATED]			= "CREATED",
		[DXG_DOORBELL_CONNECTING]		= "CONNECTING",
		[DXG_DOORBELL_CONNECTED]		= "CONNECTED",
		[DXG_DOORBELL_CONNECTED_NOTIFY]		= "CONNECTED_N",
		[DXG_DOORBELL_DISCONNECTING]		= "DISCONNECTING",
		[DXG_DOORBELL_DISCONNECTED_RETRY]	= "DISC_RETRY",
		[DXG_DOORBELL_DISCONNECTED_ABORT]	= "DISC_ABORT",
		[DXG_DOORBELL_DESTROYED]		= "DESTROYED",
	};

	return names[state];
}

const char *dxg_cause_name(enum dxg_cause cause)
{
	static const char * const names[] = {
		[DXG_CAUSE_NEVER]	= "never-connected",
		[DXG_CAUSE_VICTIM]	= "victimized",
		[DXG_CAUSE_POWER]	= "power-down",
		[DXG_CAUSE_ENDING]	= "process-end",
		[DXG_CAUSE_ERROR]	= "error",
		[DXG_CAUSE_DESTROYED]	= "destroyed",
	};

	return names[cause];
}

static bool dxg_doorbell_connected(const struct dxg_doorbell *doorbell)
{
	return doorbell->state == DXG_DOORBELL_CONNECTED ||
	       doorbell->state == DXG_DOORBELL_CONNECTED_NOTIFY;
}

static struct dxgadapter *dxg_doorbell_adapter(const struct dxg_doorbell *doorbell)
{
	return dxg_device_adapter(doorbell->queue->context->device);
}

static bool dxg_doorbell_settled(const struct dxg_doorbell *doorbell)
{
	return READ_ONCE(doorbell->state) != DXG_DOORBELL_CONNECTING;
}

/* The end of CONNECTING, for those who wait for it; doorbell->lock held. */
static void dxg_doorbell_settle(struct dxg_doorbell *doorbell, enum dxg_doorbell_state state)
{
	WRITE_ONCE(doorbell->state, state);
	wake_up_all(&doorbell->settled);
}

static vm_fault_t dxg_doorbell_fault(struct dxg_region *region, struct vm_fault *vmf)
{
	struct dxg_doorbell *doorbell = container_of(region, struct dxg_doorbell, region);
	struct dxgadapter *adapter = dxg_doorbell_adapter(doorbell);
	unsigned long index = vmf->pgoff - region->pgoff;
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	pgprot_t prot = vma->vm_page_prot;

	if (mutex_lock_killable(&doorbell->lock))
		return VM_FAULT_NOPAGE;
	while (doorbell->state == DXG_DOORBELL_CONNECTING) {
		mutex_unlock(&doorbell->lock);
		if (wait_event_killable(doorbell->settled, dxg_doorbell_settled(doorbell)) ||
		    mutex_lock_killable(&doorbell->lock))
			return VM_FAULT_NOPAGE;
	}

	if (doorbell->state == DXG_DOORBELL_DESTROYED || index >= region->pages) {
		ret = VM_FAULT_SIGBUS;
	} else if (dxg_doorbell_connected(doorbell) &&
		   dxg_aperture_has(adapter, doorbell->shown[index].pfn)) {
		if (!(adapter->aperture.Flags & DXGK_DOORBELLAPERTURE_SYSTEM_MEMORY))
			prot = pgprot_noncached(prot);
		ret = vmf_insert_pfn_prot(vma, vmf->address, doorbell->shown[index].pfn, prot);
		doorbell->faults_slot++;
		trace_dxg_doorbell_fault(doorbell->obj.process->pid, doorbell->obj.handle, true);
	} else {
		ret = vmf_insert_pfn(vma, vmf->address, page_to_pfn(doorbell->obj.process->dummy));
		doorbell->faults_dummy++;
		trace_dxg_doorbell_fault(doorbell->obj.process->pid, doorbell->obj.handle, false);
	}
	mutex_unlock(&doorbell->lock);
	return ret;
}

/* The part of a new doorbell that the state machine owns: CREATED, nothing mapped. */
void dxg_doorbell_init(struct dxg_doorbell *doorbell, bool secondary)
{
	mutex_init(&doorbell->ops);
	mutex_init(&doorbell->lock);
	init_waitqueue_head(&doorbell->settled);
	doorbell->state = DXG_DOORBELL_CREATED;
	dxg_region_init(&doorbell->region, &doorbell->obj, secondary ? DXG_DOORBELL_PAGES : 1,
			true);
	doorbell->region.raw_pfn = true;
	doorbell->region.fault = dxg_doorbell_fault;
}

/* RV. doorbell->lock held; @next is where it ends. */
static void dxg_doorbell_revoke_locked(struct dxg_doorbell *doorbell, u64 reason,
				       enum dxg_doorbell_state next, enum dxg_cause cause)
{
	bool connected = dxg_doorbell_connected(doorbell);

	lockdep_assert_held(&doorbell->lock);
	dxg_cell_write(&doorbell->stat, reason);
	/* STAT before the zap: ORD-6. */
	smp_wmb();
	doorbell->state = DXG_DOORBELL_DISCONNECTING;
	/* While disconnected the entries show the dummy already. */
	if (connected || next == DXG_DOORBELL_DESTROYED)
		dxg_region_zap(&doorbell->region);
	if (connected) {
		dxg_aperture_hide(doorbell);
		dxg_doorbell_trust(doorbell);
		doorbell->disconnects++;
		atomic64_inc(&dxg_doorbell_adapter(doorbell)->disconnects);
	}
	dxg_doorbell_settle(doorbell, next);
	doorbell->cause = cause;
	trace_dxg_doorbell_revoke(doorbell->obj.process->pid, doorbell->obj.handle, reason, cause,
				  connected);
}

static void dxg_doorbell_apply_reason(struct dxg_doorbell *doorbell, D3DDDI_DOORBELLSTATUS reason,
				      enum dxg_cause cause)
{
	if (doorbell->state == DXG_DOORBELL_DISCONNECTED_ABORT ||
	    doorbell->state == DXG_DOORBELL_DESTROYED)
		return;
	if (reason == D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT)
		dxg_doorbell_revoke_locked(doorbell, reason, DXG_DOORBELL_DISCONNECTED_ABORT,
					   cause);
	else if (dxg_doorbell_connected(doorbell))
		dxg_doorbell_revoke_locked(doorbell, reason, DXG_DOORBELL_DISCONNECTED_RETRY,
					   cause);
}

/*
 * Takes the slot page away from user space (T12..T14, T23, T25, T26); never weakens ABORT
 * (SM-3). On return no CPU translates to the slot. Sleeps; takes doorbell->lock.
 */
static void dxg_doorbell_revoke(struct dxg_doorbell *doorbell, D3DDDI_DOORBELLSTATUS reason,
				enum dxg_cause cause)
{
	mutex_lock(&doorbell->lock);
	dxg_doorbell_apply_reason(doorbell, reason, cause);
	mutex_unlock(&doorbell->lock);
}

/* Its device is in error: ABORT, without a word to the miniport. */
void dxg_doorbell_abort(struct dxg_doorbell *doorbell)
{
	dxg_doorbell_revoke(doorbell, D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT, DXG_CAUSE_ERROR);
}

/**
 * dxg_doorbell_disconnect() - OS-initiated disconnect: revoke, then tell the miniport (ORD-15)
 * @doorbell: kept by the caller
 * @reason: RETRY or ABORT
 * @cause: for the reader of traces and debugfs
 */
void dxg_doorbell_disconnect(struct dxg_doorbell *doorbell, D3DDDI_DOORBELLSTATUS reason,
			     enum dxg_cause cause)
{
	struct dxgadapter *adapter = dxg_doorbell_adapter(doorbell);
	DXGKARG_DISCONNECTDOORBELL args = { };
	bool entered = dxg_adapter_enter_destroy(adapter);

	mutex_lock(&doorbell->ops);
	dxg_doorbell_revoke(doorbell, reason, cause);
	if (entered && doorbell->kmd) {
		args.hDoorbell = doorbell->kmd;
		adapter->ddi->DxgkDdiDisconnectDoorbell(&args);
	}
	mutex_unlock(&doorbell->ops);
	if (entered)
		dxg_adapter_exit(adapter);
}

/*
 * T20. guard held exclusively, all contexts suspended: RETRY, and the slot is given back.
 * True: it was connected till now.
 */
bool dxg_doorbell_power_down(struct dxg_doorbell *doorbell)
{
	DXGKARG_DISCONNECTDOORBELL args = { .hDoorbell = doorbell->kmd };
	bool connected;

	mutex_lock(&doorbell->ops);
	mutex_lock(&doorbell->lock);
	connected = dxg_doorbell_connected(doorbell);
	dxg_doorbell_apply_reason(doorbell, D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
				  DXG_CAUSE_POWER);
	mutex_unlock(&doorbell->lock);
	if (doorbell->kmd)
		dxg_doorbell_adapter(doorbell)->ddi->DxgkDdiDisconnectDoorbell(&args);
	mutex_unlock(&doorbell->ops);
	return connected;
}

/**
 * dxg_doorbell_set_offset() - the place of a new doorbell in its pages
 * @doorbell: nobody else knows it yet
 * @offset: what the miniport says, in bytes
 *
 * Return: false if no doorbell of the adapter's size can lie there, aligned (KMT-CD-19).
 */
bool dxg_doorbell_set_offset(struct dxg_doorbell *doorbell, u32 offset)
{
	struct dxgadapter *adapter = dxg_doorbell_adapter(doorbell);
	u32 bytes = adapter->ums_caps.DoorbellSizeInBytes;

	if (dxg_doorbell_has_secondary(doorbell))
		bytes = max(bytes, adapter->ums_caps.SecondaryDoorbellSizeInBytes);
	if (offset % bytes || offset > PAGE_SIZE - bytes) {
		dev_warn_once(adapter->dev, "miniport puts a doorbell of %u bytes at %u in its page\n",
			      bytes, offset);
		return false;
	}
	doorbell->offset = offset;
	return true;
}

/* Is what the miniport's connect returned a doorbell that we may show? (DDI-CN-2, DDI-CN-6) */
static bool dxg_doorbell_validate(const struct dxg_doorbell *doorbell,
				  const DXGKARG_CONNECTDOORBELL *args,
				  unsigned long pfn[DXG_DOORBELL_PAGES])
{
	struct dxgadapter *adapter = dxg_doorbell_adapter(doorbell);

	if (args->Status != D3DDDI_DOORBELLSTATUS_CONNECTED &&
	    args->Status != D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD) {
		dev_warn_once(adapter->dev, "miniport connected a doorbell with status %d (0..1)\n",
			      args->Status);
		return false;
	}
	if (!dxg_aperture_page(adapter, args->KernelCpuVirtualAddress,
			       adapter->ums_caps.DoorbellSizeInBytes, doorbell->offset, &pfn[0]))
		return false;
	return !dxg_doorbell_has_secondary(doorbell) ||
	       dxg_aperture_page(adapter, args->SecondaryKernelCpuVirtualAddress,
				 adapter->ums_caps.SecondaryDoorbellSizeInBytes,
				 doorbell->offset, &pfn[1]);
}

/* DDI-CN-1 */
static UINT dxg_doorbell_connect_flags(const struct dxg_doorbell *doorbell)
{
	return dxg_doorbell_has_secondary(doorbell) ? DXGK_CONNECTDOORBELL_SECONDARY : 0;
}

/*
 * AT. doorbell->lock and ->ops held, adapter running; the lock is dropped for the
 * miniport. *undo: the miniport believes in a binding that we do not; it has to be
 * told once doorbell->lock is free.
 */
static NTSTATUS dxg_doorbell_attach(struct dxg_doorbell *doorbell, bool *undo)
{
	struct dxgadapter *adapter = dxg_doorbell_adapter(doorbell);
	DXGKARG_CONNECTDOORBELL args = {
		.hDoorbell = doorbell->kmd,
		.Flags = dxg_doorbell_connect_flags(doorbell),
	};
	enum dxg_doorbell_state previous = doorbell->state;
	unsigned long pfn[DXG_DOORBELL_PAGES] = { };
	NTSTATUS status;

	doorbell->state = DXG_DOORBELL_CONNECTING;
	dxg_region_zap(&doorbell->region);

	WRITE_ONCE(doorbell->connecting, current);
	mutex_unlock(&doorbell->lock);
	status = adapter->ddi->DxgkDdiConnectDoorbell(&args);
	mutex_lock(&doorbell->lock);
	WRITE_ONCE(doorbell->connecting, NULL);

	*undo = NT_SUCCESS(status);
	/* ABORT came first, and is final (SM-3). */
	if (doorbell->state != DXG_DOORBELL_CONNECTING)
		return STATUS_DEVICE_REMOVED;
	/* Passing shortages bind nothing and change nothing (T5, KMT-CN-6). */
	if (status == STATUS_DEVICE_BUSY || status == STATUS_CANCELLED) {
		dxg_doorbell_settle(doorbell, previous);
		return status;
	}
	if (!NT_SUCCESS(status) || !dxg_doorbell_validate(doorbell, &args, pfn) ||
	    !dxg_aperture_show(doorbell, pfn)) {
		dxg_doorbell_revoke_locked(doorbell, D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT,
					   DXG_DOORBELL_DISCONNECTED_ABORT, DXG_CAUSE_ERROR);
		return STATUS_DEVICE_REMOVED;
	}
	*undo = false;

	dxg_doorbell_settle(doorbell, args.Status == D3DDDI_DOORBELLSTATUS_CONNECTED ?
				      DXG_DOORBELL_CONNECTED : DXG_DOORBELL_CONNECTED_NOTIFY);
	doorbell->connects++;
	atomic64_inc(&adapter->connects);
	/* STAT last: ORD-4. */
	smp_wmb();
	dxg_cell_write(&doorbell->stat, args.Status);
	trace_dxg_doorbell_connect(doorbell->obj.process->pid, doorbell->obj.handle, args.Status,
				   pfn[0]);
	return STATUS_SUCCESS;
}

/*
 * T6: connected already; one sample. Same locks and *undo as attach. It keeps its state, so
 * that it may become a victim meanwhile, whatever the miniport takes for the sample.
 */
static NTSTATUS dxg_doorbell_rekick(struct dxg_doorbell *doorbell, bool *undo)
{
	DXGKARG_CONNECTDOORBELL args = {
		.hDoorbell = doorbell->kmd,
		.Flags = dxg_doorbell_connect_flags(doorbell) | DXGK_CONNECTDOORBELL_REKICK,
	};
	NTSTATUS status;

	mutex_unlock(&doorbell->lock);
	status = dxg_doorbell_adapter(doorbell)->ddi->DxgkDdiConnectDoorbell(&args);
	mutex_lock(&doorbell->lock);
	if (NT_SUCCESS(status) || status == STATUS_DEVICE_BUSY || status == STATUS_CANCELLED)
		return status;
	dxg_doorbell_apply_reason(doorbell, D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT,
				  DXG_CAUSE_ERROR);
	*undo = true;
	return STATUS_DEVICE_REMOVED;
}

/**
 * dxg_doorbell_connect() - T3..T7
 * @doorbell: kept by the caller
 *
 * On SUCCESS the doorbell was bound, the queue sampled and STAT written; it may
 * have been victimised again since.
 *
 * Return: INVALID_PARAMETER if destroyed, DEVICE_REMOVED if ABORT or if it became
 * so, DEVICE_BUSY if the miniport has no slot and none in time (OP-6), CANCELLED if a
 * fatal signal came.
 */
NTSTATUS dxg_doorbell_connect(struct dxg_doorbell *doorbell)
{
	struct dxgadapter *adapter = dxg_doorbell_adapter(doorbell);
	DXGKARG_DISCONNECTDOORBELL disconnect = { };
	bool undo = false;
	NTSTATUS status;

	status = dxg_adapter_enter(adapter);
	if (!NT_SUCCESS(status))
		return status;
	status = STATUS_CANCELLED;
	if (mutex_lock_killable(&doorbell->ops))
		goto out_exit;
	if (mutex_lock_killable(&doorbell->lock))
		goto out_unlock_ops;

	switch (doorbell->state) {
	case DXG_DOORBELL_CREATED:
	case DXG_DOORBELL_DISCONNECTED_RETRY:
		status = dxg_doorbell_attach(doorbell, &undo);
		break;
	case DXG_DOORBELL_CONNECTED:
	case DXG_DOORBELL_CONNECTED_NOTIFY:
		status = dxg_doorbell_rekick(doorbell, &undo);
		break;
	case DXG_DOORBELL_DISCONNECTED_ABORT:
		status = STATUS_DEVICE_REMOVED;
		break;
	default:
		status = STATUS_INVALID_PARAMETER;
		break;
	}
	mutex_unlock(&doorbell->lock);

	if (undo) {
		disconnect.hDoorbell = doorbell->kmd;
		adapter->ddi->DxgkDdiDisconnectDoorbell(&disconnect);
	}
out_unlock_ops:
	mutex_unlock(&doorbell->ops);
out_exit:
	dxg_adapter_exit(adapter);
	return status;
}

/*
 * T29. The end for user space: STAT=ABORT, every entry gone, later faults SIGBUS
 * (OBJ-23). Then the miniport's object, so that nobody fetches the ring. guard as
 * @kmd says.
 */
void dxg_doorbell_end(struct dxg_doorbell *doorbell, bool kmd)
{
	mutex_lock(&doorbell->ops);
	mutex_lock(&doorbell->lock);
	dxg_doorbell_revoke_locked(doorbell, D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT,
				   DXG_DOORBELL_DESTROYED, DXG_CAUSE_DESTROYED);
	mutex_unlock(&doorbell->lock);
	if (kmd)
		dxg_doorbell_kmd_destroy(doorbell);
	mutex_unlock(&doorbell->ops);
}

/*
 * End of the miniport's object: no fault finds the slot any more, then the device
 * drops queue and slot. doorbell->ops held, or guard held exclusively.
 */
void dxg_doorbell_kmd_destroy(struct dxg_doorbell *doorbell)
{
	struct dxgadapter *adapter = dxg_doorbell_adapter(doorbell);
	DXGKARG_DESTROYDOORBELL args = { .hDoorbell = doorbell->kmd };

	if (!doorbell->kmd)
		return;
	doorbell->kmd = NULL;
	trace_dxg_doorbell_destroy(doorbell->obj.process->pid, doorbell->obj.handle);
	adapter->ddi->DxgkDdiDestroyDoorbell(&args);
	trace_dxg_doorbell_destroyed(doorbell->obj.process->pid, doorbell->obj.handle);
}

/*
 * doorbell->lock for a callback. A connect is waited for: it may be about to return with the
 * slot that the callback is for. Not by itself, and not without end, for it may wait for the
 * callback (CB-DC-6); the lock is not held then.
 */
static NTSTATUS dxg_doorbell_lock_callback(struct dxg_doorbell *doorbell)
{
	long left = msecs_to_jiffies(DXG_CALLBACK_WAIT_MS);

	if (READ_ONCE(doorbell->connecting) == current)
		return STATUS_INVALID_PARAMETER;
	mutex_lock(&doorbell->lock);
	while (doorbell->state == DXG_DOORBELL_CONNECTING) {
		mutex_unlock(&doorbell->lock);
		left = wait_event_timeout(doorbell->settled, dxg_doorbell_settled(doorbell), left);
		if (!left)
			return STATUS_DEVICE_BUSY;
		mutex_lock(&doorbell->lock);
	}
	return STATUS_SUCCESS;
}

/**
 * dxg_doorbell_disconnect_callback() - DxgkCbDisconnectDoorbell
 * @args: names queue and doorbell by the OS handles
 *
 * Runs in the miniport's context, usually inside the connect of another doorbell
 * (CB-DC-1..7).
 *
 * Return: INVALID_PARAMETER if the queue has no such doorbell, or if it is called from within
 * its connect; DEVICE_BUSY if a connect of it in another thread, which may wait for this call,
 * did not end in 5 s (CB-DC-6). The doorbell is as before, in this case connected perhaps.
 */
NTSTATUS dxg_doorbell_disconnect_callback(const DXGKARGCB_DISCONNECTDOORBELL *args)
{
	D3DDDI_DOORBELLSTATUS reason = args->DisconnectReason;
	struct dxg_doorbell *doorbell;
	struct dxgadapter *adapter;
	struct dxg_hwqueue *queue;
	struct dxg_object *obj;
	NTSTATUS status;

	obj = dxg_id_get(args->hHwQueue, DXG_TYPE_HWQUEUE);
	if (!obj)
		return STATUS_INVALID_PARAMETER;
	queue = container_of(obj, struct dxg_hwqueue, obj);
	adapter = dxg_device_adapter(queue->context->device);

	spin_lock(&queue->lock);
	doorbell = queue->doorbell;
	if (doorbell && args->hDoorbell && args->hDoorbell != dxg_id_to_handle(doorbell->id))
		doorbell = NULL;
	if (doorbell)
		dxg_object_get(&doorbell->obj);
	spin_unlock(&queue->lock);
	if (!doorbell) {
		dxg_object_put(obj);
		return STATUS_INVALID_PARAMETER;
	}
	/* The doorbell keeps its queue. */
	dxg_object_put(obj);

	if (reason != D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY &&
	    reason != D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT) {
		dev_warn_once(adapter->dev, "miniport gave disconnect reason %d (2..3)\n", reason);
		reason = D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY;
	}

	status = dxg_doorbell_lock_callback(doorbell);
	if (status != STATUS_SUCCESS) {
		if (status == STATUS_DEVICE_BUSY)
			dev_warn_once(adapter->dev, "miniport disconnects a doorbell whose connect goes on for %u ms: not done\n",
				      DXG_CALLBACK_WAIT_MS);
		else
			dev_warn_once(adapter->dev, "miniport disconnects a doorbell from within its own connect: refused\n");
		dxg_object_put(&doorbell->obj);
		return status;
	}
	if (dxg_doorbell_connected(doorbell)) {
		doorbell->victimized++;
		atomic64_inc(&adapter->victimizations);
		trace_dxg_doorbell_victim(doorbell->obj.process->pid, doorbell->obj.handle,
					  task_tgid_nr(current));
	}
	dxg_doorbell_apply_reason(doorbell, reason,
				  reason == D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY ?
				  DXG_CAUSE_VICTIM : DXG_CAUSE_ERROR);
	mutex_unlock(&doorbell->lock);
	dxg_object_put(&doorbell->obj);
	return STATUS_SUCCESS;
}
