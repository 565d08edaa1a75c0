// SPDX-License-Identifier: GPL-2.0
/*
 * Adapters: the guard, the life of the structure, and the processes that have
 * one open.
 *
 * Every KMD call, and every change of a list below an adapter, happens between
 * dxg_adapter_enter() (or one of its sisters) and dxg_adapter_exit(), i.e. with the
 * guard held shared. Reset, power-down and removal hold it exclusively: they see no
 * call in flight and stable lists. Enter must not be nested: a waiting writer would
 * stop the second one. Enter also wakes a device that sleeps (power.c).
 *
 * Who asks for something new enters by dxg_adapter_enter(), where a fatal signal ends
 * every wait (KMT-0.8). Who takes something apart, or goes on with what was begun,
 * has to come to an end of it and enters by one of the others, signal or not: their
 * waits are those for the device, which has bounds of its own.
 *
 * The structure lives until the last reference is dropped; the miniport's part
 * ends with DXG_ADAPTER_REMOVED. A process that has the adapter open pins the
 * miniport's module.
 */
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "dxgkrnl.h"
#include "trace.h"

/* How long new work waits for the end of a reset that somebody else makes. */
#define DXG_RESET_WAIT_MS	10000

/* List of adapters, list of miniports. */
DEFINE_MUTEX(dxg_adapters_lock);
LIST_HEAD(dxg_adapters);

static void dxg_adapter_release(struct kref *kref)
{
	struct dxgadapter *adapter = container_of(kref, struct dxgadapter, kref);

	put_device(adapter->dev);
	kvfree(adapter->hang);
	kfree(adapter);
}

struct dxgadapter *dxg_adapter_get(struct dxgadapter *adapter)
{
	kref_get(&adapter->kref);
	return adapter;
}

void dxg_adapter_put(struct dxgadapter *adapter)
{
	kref_put(&adapter->kref, dxg_adapter_release);
}

/*
 * Takes the guard shared when the device is awake. Who may be killed lets a work item wake
 * it, since the PM core waits uninterruptibly. false: killed, and nothing is held.
 */
static bool dxg_adapter_lock_awake_killable(struct dxgadapter *adapter)
{
	dxg_power_want(adapter);
	if (down_read_killable(&adapter->guard))
		goto err_put;
	while (adapter->asleep) {
		dxg_power_wake(adapter);
		up_read(&adapter->guard);
		if (wait_event_killable(adapter->gate, !READ_ONCE(adapter->asleep)) ||
		    down_read_killable(&adapter->guard))
			goto err_put;
	}
	return true;

err_put:
	dxg_power_put(adapter);
	return false;
}

/* The same for who must not be killed. */
static void dxg_adapter_lock_awake(struct dxgadapter *adapter)
{
	dxg_power_get(adapter);
	down_read(&adapter->guard);
	/* Only while the whole system sleeps, from which it will wake us. */
	while (adapter->asleep) {
		up_read(&adapter->guard);
		wait_event(adapter->gate, !READ_ONCE(adapter->asleep));
		down_read(&adapter->guard);
	}
}

static bool dxg_adapter_usable(const struct dxgadapter *adapter)
{
	return adapter->state == DXG_ADAPTER_RUNNING && !adapter->resetting;
}

/**
 * dxg_adapter_enter() - begin KMD calls for new work
 * @adapter: kept by the caller
 *
 * Wakes the device, and waits while a reset is in progress, up to DXG_RESET_WAIT_MS.
 *
 * Return: unless SUCCESS there is nothing to exit. DEVICE_REMOVED if the adapter is
 * stopped, removed or still in reset; CANCELLED if a fatal signal came (KMT-0.8).
 */
NTSTATUS dxg_adapter_enter(struct dxgadapter *adapter)
{
	long patience = msecs_to_jiffies(DXG_RESET_WAIT_MS);

	if (!dxg_adapter_lock_awake_killable(adapter))
		return STATUS_CANCELLED;
	while (adapter->resetting && patience) {
		dxg_adapter_exit(adapter);
		patience = wait_event_killable_timeout(adapter->gate,
						       !READ_ONCE(adapter->resetting), patience);
		if (patience < 0 || !dxg_adapter_lock_awake_killable(adapter))
			return STATUS_CANCELLED;
	}
	if (dxg_adapter_usable(adapter))
		return STATUS_SUCCESS;
	dxg_adapter_exit(adapter);
	return STATUS_DEVICE_REMOVED;
}

/**
 * dxg_adapter_enter_running() - begin KMD calls for what was begun and has to be ended
 * @adapter: kept by the caller
 *
 * As dxg_adapter_enter(), but no signal stops it.
 *
 * Return: false, and nothing to exit, if the adapter is stopped, removed or in reset.
 */
bool dxg_adapter_enter_running(struct dxgadapter *adapter)
{
	unsigned long patience = msecs_to_jiffies(DXG_RESET_WAIT_MS);

	dxg_adapter_lock_awake(adapter);
	while (adapter->resetting && patience) {
		dxg_adapter_exit(adapter);
		patience = wait_event_timeout(adapter->gate, !READ_ONCE(adapter->resetting),
					      patience);
		dxg_adapter_lock_awake(adapter);
	}
	if (dxg_adapter_usable(adapter))
		return true;
	dxg_adapter_exit(adapter);
	return false;
}

/* The same for destroys, which a stopped adapter, or one in reset, still has to serve. */
bool dxg_adapter_enter_destroy(struct dxgadapter *adapter)
{
	dxg_adapter_lock_awake(adapter);
	if (adapter->state != DXG_ADAPTER_REMOVED)
		return true;
	dxg_adapter_exit(adapter);
	return false;
}

void dxg_adapter_exit(struct dxgadapter *adapter)
{
	up_read(&adapter->guard);
	dxg_power_put(adapter);
}

/**
 * dxg_adapter_enter_awake() - begin KMD calls that only look
 * @adapter: kept by the caller
 *
 * Wakes nothing and waits for nobody; ended by dxg_adapter_exit_awake().
 *
 * Return: false, and nothing to exit, if the device sleeps or is removed.
 */
bool dxg_adapter_enter_awake(struct dxgadapter *adapter)
{
	down_read(&adapter->guard);
	if (adapter->state != DXG_ADAPTER_REMOVED && !adapter->asleep)
		return true;
	up_read(&adapter->guard);
	return false;
}

void dxg_adapter_exit_awake(struct dxgadapter *adapter)
{
	up_read(&adapter->guard);
}

/* ---- a process on an adapter ---- */

static void dxg_process_adapter_release(struct kref *kref)
{
	struct dxg_process_adapter *pa = container_of(kref, struct dxg_process_adapter, kref);

	dxg_adapter_put(pa->adapter);
	dxg_process_put(pa->process);
	kfree(pa);
}

void dxg_process_adapter_put(struct dxg_process_adapter *pa)
{
	kref_put(&pa->kref, dxg_process_adapter_release);
}

static NTSTATUS dxg_process_adapter_kmd_create(struct dxg_process_adapter *pa)
{
	struct dxgadapter *adapter = pa->adapter;
	DXGKARG_CREATEPROCESS args = { .hDxgkProcess = pa };
	NTSTATUS status;

	/* Another process's open may be waiting for the device under it. */
	if (mutex_lock_killable(&adapter->lock))
		return STATUS_CANCELLED;
	status = dxg_adapter_enter(adapter);
	if (!NT_SUCCESS(status))
		goto out_unlock;
	status = STATUS_DEVICE_REMOVED;
	if (!try_module_get(adapter->miniport->owner))
		goto out_exit;
	status = adapter->ddi->DxgkDdiCreateProcess(adapter->context, &args);
	if (NT_SUCCESS(status) && !args.hKmdProcess)
		status = STATUS_UNSUCCESSFUL;
	if (NT_SUCCESS(status)) {
		pa->kmd = args.hKmdProcess;
		pa->pinned = true;
		list_add_tail(&pa->adapter_node, &adapter->processes);
		trace_dxg_process_attach(pa->process->pid, adapter->luid);
	} else {
		module_put(adapter->miniport->owner);
	}
out_exit:
	dxg_adapter_exit(adapter);
out_unlock:
	mutex_unlock(&adapter->lock);
	return status;
}

/* The miniport's part ends: guard held, either way. */
void dxg_process_adapter_kmd_destroy(struct dxg_process_adapter *pa)
{
	struct dxgadapter *adapter = pa->adapter;

	if (pa->kmd)
		adapter->ddi->DxgkDdiDestroyProcess(adapter->context, pa->kmd);
	pa->kmd = NULL;
	if (pa->pinned)
		module_put(adapter->miniport->owner);
	pa->pinned = false;
}

/**
 * dxg_process_adapter_open() - one more user of an adapter by a process
 * @process: the caller's
 * @adapter: kept by the caller
 * @out: with a reference; the use is given back with dxg_process_adapter_unuse()
 *
 * The first user makes the GPU address space.
 *
 * Return: NO_MEMORY, DEVICE_REMOVED, CANCELLED, or what the miniport says.
 */
NTSTATUS dxg_process_adapter_open(struct dxg_process *process, struct dxgadapter *adapter,
				  struct dxg_process_adapter **out)
{
	u32 bits = adapter->mmu_caps.VirtualAddressBitCount;
	struct dxg_process_adapter *pa;
	NTSTATUS status;

	mutex_lock(&process->lock);
	list_for_each_entry(pa, &process->adapters, process_node) {
		if (pa->adapter == adapter)
			goto found;
	}

	status = STATUS_NO_MEMORY;
	pa = kzalloc(sizeof(*pa), GFP_KERNEL_ACCOUNT);
	if (!pa)
		goto out_unlock;
	kref_init(&pa->kref);
	pa->process = dxg_process_get(process);
	pa->adapter = dxg_adapter_get(adapter);
	mutex_init(&pa->lock);
	INIT_LIST_HEAD(&pa->adapter_node);
	INIT_LIST_HEAD(&pa->devices);
	INIT_LIST_HEAD(&pa->cell_pages);
	pa->reservations = RB_ROOT_CACHED;
	pa->mappings = RB_ROOT_CACHED;
	pa->user_va_end = 1ull << (min(bits, 48u) - 1);
	pa->kernel_va_end = 1ull << bits;

	status = dxg_process_adapter_kmd_create(pa);
	if (!NT_SUCCESS(status)) {
		dxg_process_adapter_put(pa);
		goto out_unlock;
	}
	list_add_tail(&pa->process_node, &process->adapters);

found:
	pa->users++;
	kref_get(&pa->kref);
	*out = pa;
	status = STATUS_SUCCESS;
out_unlock:
	mutex_unlock(&process->lock);
	return status;
}

/* One more user, if there is one already; false if the last has just gone. */
bool dxg_process_adapter_use(struct dxg_process_adapter *pa)
{
	bool used;

	mutex_lock(&pa->process->lock);
	used = pa->users;
	if (used)
		pa->users++;
	mutex_unlock(&pa->process->lock);
	return used;
}

/* The last user ends the GPU address space. The caller keeps pa and holds no lock. */
void dxg_process_adapter_unuse(struct dxg_process_adapter *pa)
{
	struct dxg_process *process = pa->process;
	struct dxgadapter *adapter = pa->adapter;
	bool entered;

	mutex_lock(&process->lock);
	if (--pa->users) {
		mutex_unlock(&process->lock);
		return;
	}
	list_del(&pa->process_node);
	mutex_unlock(&process->lock);

	mutex_lock(&adapter->lock);
	entered = dxg_adapter_enter_destroy(adapter);
	if (entered)
		dxg_process_adapter_kmd_destroy(pa);
	list_del_init(&pa->adapter_node);
	trace_dxg_process_detach(process->pid, adapter->luid);
	if (entered)
		dxg_adapter_exit(adapter);
	mutex_unlock(&adapter->lock);

	/* A call by the handle that is being closed may be under way. */
	mutex_lock(&pa->lock);
	WARN_ON_ONCE(!list_empty(&pa->cell_pages));
	dxg_va_destroy_all(pa);
	pa->ended = true;
	mutex_unlock(&pa->lock);
	dxg_process_adapter_put(pa);
}
