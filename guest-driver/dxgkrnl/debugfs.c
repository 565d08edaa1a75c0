// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/dxg: "why does my queue not run" in one file.
 *
 *   counters		living objects of the module, one line; all zero when nothing
 *			is open
 *   accounts		what each process and user has of what it may have (quota.c)
 *   <device>/state	adapter, processes, queues, doorbells, one line each; why= says
 *			in a word why a queue does not run (why.c)
 *   <device>/hang	all of this and more, of the moment of the last hang (hang.c)
 *   <device>/slots	the miniport's physical doorbells
 *   <device>/suspend	written: a process id, whose contexts are suspended until it is
 *   <device>/resume	written to this one
 *
 * Lines are a word and key=value pairs; tests and the main job parse them, so
 * keys are only ever added. comm is made one word.
 *
 * A process can hold up its own pa->lock (its mmap_lock may wait for a FUSE
 * server), so a reader holds no other lock over that one and gives up on it after a
 * while: neither other processes nor the adapter's removal must wait for it.
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "dxgkrnl.h"

/* For all processes of one reading together; a suspension takes tdr_timeout_ms at most. */
#define DXG_DEBUGFS_WAIT_MS	5000

static struct dentry *dxg_debugfs_root;

struct dxg_totals {
	unsigned int processes, devices, contexts, queues, doorbells, allocations;
	unsigned long pinned_pages;
};

/* pa->lock held, or the guard exclusively. */
static void dxg_count_process(struct dxg_process_adapter *pa, struct dxg_totals *totals)
{
	struct dxg_allocation *allocation;
	struct dxg_context *context;
	struct dxg_hwqueue *queue;
	struct dxg_device *device;

	totals->processes++;
	list_for_each_entry(device, &pa->devices, node) {
		totals->devices++;
		list_for_each_entry(allocation, &device->allocations, node) {
			totals->allocations++;
			totals->pinned_pages += allocation->memory.count;
		}
		list_for_each_entry(context, &device->contexts, node) {
			totals->contexts++;
			list_for_each_entry(queue, &context->queues, node) {
				totals->queues++;
				totals->doorbells += !!queue->doorbell;
			}
		}
	}
}

static void dxg_show_doorbell(struct seq_file *m, struct dxg_doorbell *doorbell)
{
	mutex_lock(&doorbell->lock);
	seq_printf(m, "doorbell pid=%d doorbell=0x%x queue=0x%x state=%s stat=%llu connects=%llu disconnects=%llu victimized=%llu faults_pdb=%llu faults_dummy=%llu cause=%s\n",
		   doorbell->obj.process->pid, doorbell->obj.handle, doorbell->queue->obj.handle,
		   dxg_doorbell_state_name(doorbell->state), dxg_cell_read(&doorbell->stat),
		   doorbell->connects, doorbell->disconnects, doorbell->victimized,
		   doorbell->faults_slot, doorbell->faults_dummy,
		   doorbell->state == DXG_DOORBELL_CONNECTED ||
		   doorbell->state == DXG_DOORBELL_CONNECTED_NOTIFY ?
			"none" : dxg_cause_name(doorbell->cause));
	mutex_unlock(&doorbell->lock);
}

/* Whose queue it is that keeps the engine from ours. */
static void dxg_show_busy(struct seq_file *m, HANDLE running)
{
	struct dxg_object *obj = dxg_id_get(running, DXG_TYPE_HWQUEUE);

	if (obj)
		seq_printf(m, " busy_pid=%d busy_queue=0x%x", obj->process->pid, obj->handle);
	dxg_object_put(obj);
}

/* guard held if @reachable. */
static void dxg_show_queue(struct seq_file *m, struct dxg_hwqueue *queue, bool reachable)
{
	struct dxgadapter *adapter = dxg_device_adapter(queue->context->device);
	DXGKARG_QUERYHWQUEUESTATUS args = { .Slot = -1, .StateName = "out-of-reach" };
	u64 fence = dxg_fence_value(queue->fence);
	const char *why;

	if (reachable && queue->kmd) {
		args.hHwQueue = queue->kmd;
		adapter->ddi->DxgkDdiQueryHwQueueStatus(adapter->context, &args);
	}
	why = dxg_queue_why(queue, &args);
	seq_printf(m, "queue pid=%d queue=0x%x context=0x%x node=%u fence=%llu last_queued=%llu device_state=%s wp=%llu rp=%llu slot=%d why=%s",
		   queue->obj.process->pid, queue->obj.handle, queue->context->obj.handle,
		   queue->context->node_ordinal, fence,
		   queue->doorbell ? dxg_cell_read(&queue->doorbell->last_queued) : fence,
		   args.StateName, args.WritePointer, args.ReadPointer, args.Slot, why);
	if (!strcmp(why, "engine-busy"))
		dxg_show_busy(m, args.hRunningHwQueue);
	if (args.FaultCode)
		seq_printf(m, " fault_code=%u", args.FaultCode);
	/* The bit comes before the words; a reader in between sees zeroes. */
	if (test_bit(0, &queue->fault_seen))
		seq_printf(m, " fault_error=0x%x fault_address=0x%llx fault_fence=%llu",
			   queue->fault.error, queue->fault.address, queue->fault.fence);
	seq_putc(m, '\n');
	if (queue->doorbell)
		dxg_show_doorbell(m, queue->doorbell);
}

/* pa->lock and, if @reachable, the guard held shared; or the guard held exclusively. */
static void dxg_show_process(struct seq_file *m, struct dxg_process_adapter *pa, bool reachable)
{
	struct dxg_totals totals = { };
	struct dxg_context *context;
	char comm[TASK_COMM_LEN];
	struct dxg_hwqueue *queue;
	struct dxg_device *device;
	unsigned int i;

	memcpy(comm, pa->process->comm, sizeof(comm));
	for (i = 0; comm[i]; i++) {
		if (!isgraph(comm[i]))
			comm[i] = '_';
	}
	dxg_count_process(pa, &totals);
	seq_printf(m, "process pid=%d comm=%s devices=%u queues=%u doorbells=%u\n",
		   pa->process->pid, comm, totals.devices, totals.queues, totals.doorbells);
	list_for_each_entry(device, &pa->devices, node) {
		list_for_each_entry(context, &device->contexts, node) {
			list_for_each_entry(queue, &context->queues, node)
				dxg_show_queue(m, queue, reachable);
		}
	}
}

static void dxg_show_adapter(struct seq_file *m, struct dxgadapter *adapter,
			     const struct dxg_totals *totals)
{
	static const char * const states[] = {
		[DXG_ADAPTER_RUNNING]	= "RUNNING",
		[DXG_ADAPTER_STOPPED]	= "STOPPED",
		[DXG_ADAPTER_REMOVED]	= "REMOVED",
	};

	seq_printf(m, "adapter luid=%x:%x state=%s processes=%u devices=%u contexts=%u queues=%u doorbells=%u allocations=%u pinned_pages=%lu connects=%lld disconnects=%lld victimizations=%lld faults=%lld resets=%u sleeps=%llu asleep=%d\n",
		   upper_32_bits(adapter->luid), lower_32_bits(adapter->luid),
		   states[READ_ONCE(adapter->state)], totals->processes, totals->devices,
		   totals->contexts, totals->queues, totals->doorbells, totals->allocations,
		   totals->pinned_pages, atomic64_read(&adapter->connects),
		   atomic64_read(&adapter->disconnects), atomic64_read(&adapter->victimizations),
		   atomic64_read(&adapter->faults), READ_ONCE(adapter->resets),
		   READ_ONCE(adapter->sleeps), READ_ONCE(adapter->asleep));
}

/* What "state" shows, with the guard held exclusively, which keeps every list. */
void dxg_show_adapter_locked(struct seq_file *m, struct dxgadapter *adapter)
{
	struct dxg_process_adapter *pa;
	struct dxg_totals totals = { };

	list_for_each_entry(pa, &adapter->processes, adapter_node)
		dxg_count_process(pa, &totals);
	dxg_show_adapter(m, adapter, &totals);
	list_for_each_entry(pa, &adapter->processes, adapter_node)
		dxg_show_process(m, pa, true);
}

/* The same of one process, with its pa->lock and the guard held shared; the totals are its. */
void dxg_show_process_locked(struct seq_file *m, struct dxg_process_adapter *pa)
{
	struct dxg_totals totals = { };

	dxg_count_process(pa, &totals);
	dxg_show_adapter(m, pa->adapter, &totals);
	dxg_show_process(m, pa, true);
}

static bool dxg_lock_until(struct mutex *lock, unsigned long deadline)
{
	while (!mutex_trylock(lock)) {
		if (time_after(jiffies, deadline))
			return false;
		usleep_range(500, 1000);
	}
	return true;
}

/* The processes of an adapter, with references; NULL without memory. */
static struct dxg_process_adapter **dxg_processes_get(struct dxgadapter *adapter,
						      unsigned int *count)
{
	struct dxg_process_adapter *pa, **list;

	*count = 0;
	mutex_lock(&adapter->lock);
	list_for_each_entry(pa, &adapter->processes, adapter_node)
		(*count)++;
	list = kvcalloc(*count + 1, sizeof(*list), GFP_KERNEL);
	*count = 0;
	if (list) {
		list_for_each_entry(pa, &adapter->processes, adapter_node) {
			kref_get(&pa->kref);
			list[(*count)++] = pa;
		}
	}
	mutex_unlock(&adapter->lock);
	return list;
}

static int dxg_state_show(struct seq_file *m, void *data)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(DXG_DEBUGFS_WAIT_MS);
	struct dxgadapter *adapter = m->private;
	struct dxg_process_adapter **list;
	struct dxg_totals totals = { };
	unsigned int count, i;
	bool reachable;

	list = dxg_processes_get(adapter, &count);
	if (!list)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		if (dxg_lock_until(&list[i]->lock, deadline)) {
			dxg_count_process(list[i], &totals);
			mutex_unlock(&list[i]->lock);
		}
	}
	dxg_show_adapter(m, adapter, &totals);
	for (i = 0; i < count; i++) {
		if (dxg_lock_until(&list[i]->lock, deadline)) {
			reachable = dxg_adapter_enter_awake(adapter);
			dxg_show_process(m, list[i], reachable);
			if (reachable)
				dxg_adapter_exit_awake(adapter);
			mutex_unlock(&list[i]->lock);
		} else {
			seq_printf(m, "busy pid=%d\n", list[i]->process->pid);
		}
		dxg_process_adapter_put(list[i]);
	}
	kvfree(list);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxg_state);

static void dxg_hold_process(struct dxg_process_adapter *pa, bool hold)
{
	struct dxg_context *context;
	struct dxg_device *device;

	list_for_each_entry(device, &pa->devices, node) {
		list_for_each_entry(context, &device->contexts, node) {
			if (hold)
				dxg_context_hold(context);
			else
				dxg_context_unhold(context);
		}
	}
}

/* EINVAL, ENOMEM; ESRCH if no such process has the adapter open; EBUSY if one of them is. */
static ssize_t dxg_hold_write(struct file *file, const char __user *from, size_t bytes, bool hold)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(DXG_DEBUGFS_WAIT_MS);
	struct dxg_process_adapter **list;
	unsigned int count, i;
	ssize_t ret = -ESRCH;
	int pid, error;

	error = kstrtoint_from_user(from, bytes, 0, &pid);
	if (error)
		return error;
	list = dxg_processes_get(file_inode(file)->i_private, &count);
	if (!list)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		if (list[i]->process->pid == pid) {
			if (dxg_lock_until(&list[i]->lock, deadline)) {
				dxg_hold_process(list[i], hold);
				mutex_unlock(&list[i]->lock);
				ret = ret == -EBUSY ? ret : (ssize_t)bytes;
			} else {
				ret = -EBUSY;
			}
		}
		dxg_process_adapter_put(list[i]);
	}
	kvfree(list);
	return ret;
}

static ssize_t dxg_suspend_write(struct file *file, const char __user *from, size_t bytes,
				 loff_t *at)
{
	return dxg_hold_write(file, from, bytes, true);
}

static ssize_t dxg_resume_write(struct file *file, const char __user *from, size_t bytes,
				loff_t *at)
{
	return dxg_hold_write(file, from, bytes, false);
}

static const struct file_operations dxg_suspend_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= dxg_suspend_write,
};

static const struct file_operations dxg_resume_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= dxg_resume_write,
};

static int dxg_slots_show(struct seq_file *m, void *data)
{
	struct dxgadapter *adapter = m->private;

	if (dxg_adapter_enter_awake(adapter)) {
		adapter->ddi->DxgkDdiPrintSlots(adapter->context, m);
		dxg_adapter_exit_awake(adapter);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxg_slots);

static int dxg_hang_file_show(struct seq_file *m, void *data)
{
	dxg_hang_show(m, m->private);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxg_hang_file);

static int dxg_counters_show(struct seq_file *m, void *data)
{
	static const char * const names[] = {
		[DXG_TYPE_ADAPTER]	= "adapters",
		[DXG_TYPE_DEVICE]	= "devices",
		[DXG_TYPE_CONTEXT]	= "contexts",
		[DXG_TYPE_HWQUEUE]	= "queues",
		[DXG_TYPE_DOORBELL]	= "doorbells",
		[DXG_TYPE_ALLOCATION]	= "allocations",
		[DXG_TYPE_PAGING_QUEUE]	= "paging_queues",
		[DXG_TYPE_FENCE]	= "fences",
		[DXG_TYPE_CELL_PAGE]	= "cell_pages",
	};
	unsigned int i;

	seq_printf(m, "processes=%d", atomic_read(&dxg_counts.processes));
	for (i = 0; i < DXG_TYPE_COUNT; i++)
		seq_printf(m, " %s=%d", names[i], atomic_read(&dxg_counts.objects[i]));
	seq_printf(m, " pages=%lld handles=%d accounts=%d\n", atomic64_read(&dxg_counts.pages),
		   atomic_read(&dxg_counts.handles), atomic_read(&dxg_counts.accounts));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxg_counters);

static int dxg_accounts_show(struct seq_file *m, void *data)
{
	dxg_quota_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxg_accounts);

void dxg_debugfs_init(void)
{
	dxg_debugfs_root = debugfs_create_dir("dxg", NULL);
	debugfs_create_file("counters", 0444, dxg_debugfs_root, NULL, &dxg_counters_fops);
	debugfs_create_file("accounts", 0400, dxg_debugfs_root, NULL, &dxg_accounts_fops);
}

void dxg_debugfs_exit(void)
{
	debugfs_remove(dxg_debugfs_root);
}

void dxg_debugfs_add(struct dxgadapter *adapter)
{
	adapter->debugfs = debugfs_create_dir(dev_name(adapter->dev), dxg_debugfs_root);
	debugfs_create_file("state", 0400, adapter->debugfs, adapter, &dxg_state_fops);
	debugfs_create_file("hang", 0400, adapter->debugfs, adapter, &dxg_hang_file_fops);
	debugfs_create_file("slots", 0400, adapter->debugfs, adapter, &dxg_slots_fops);
	debugfs_create_file("suspend", 0200, adapter->debugfs, adapter, &dxg_suspend_fops);
	debugfs_create_file("resume", 0200, adapter->debugfs, adapter, &dxg_resume_fops);
}

void dxg_debugfs_remove(struct dxgadapter *adapter)
{
	debugfs_remove(adapter->debugfs);
}
