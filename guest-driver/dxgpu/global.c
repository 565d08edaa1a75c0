// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: doorbells of the global model, where a ring's value names the queue.
 *
 * DOC: global
 *
 * Each address space has a slot, with its number, and all its queues are bound to
 * that one. So connecting takes nothing from anybody, and neither waits nor fails
 * while the device works (MOD-7). The device lets a ring through only to a queue that
 * is bound to the slot that was written to, and binds a queue to no other slot than
 * its address space's: a process that has the page reaches its own queues, whatever
 * it writes (MOD-9, SEC-6).
 *
 * All doorbells of a process show the same page, each by a mapping of its own, which
 * the OS layer takes away by itself (DDI-CN-5). A process can ring a queue whose
 * doorbell was taken through that of another one; the unbind masks the queue, so the
 * ring reaches nothing.
 *
 * dxgpu_hwqueue.bound is written by connect, disconnect and destroy, which the OS
 * layer keeps apart for one doorbell (DDI-CN-11), under object_lock for those who
 * print it.
 */
#include <linux/seq_file.h>
#include "command.h"
#include "process.h"

static void dxgpu_global_set(struct dxgpu_hwqueue *queue, bool bound)
{
	struct dxgpu_adapter *adapter = queue->adapter;

	spin_lock_irq(&adapter->object_lock);
	queue->bound = bound;
	spin_unlock_irq(&adapter->object_lock);
	atomic64_inc(bound ? &adapter->global_binds : &adapter->global_unbinds);
}

/**
 * dxgpu_global_bind() - let the rings of a queue through
 * @queue: that is on the device and not bound
 * @slot: out: where it is rung
 *
 * The device samples the queue (DDI-CN-9). Return: SUCCESS; DEVICE_REMOVED.
 */
NTSTATUS dxgpu_global_bind(struct dxgpu_hwqueue *queue, u32 *slot)
{
	NTSTATUS status;

	*slot = queue->context->process->space_id;
	status = dxgpu_command(queue->adapter, queue->context->generation,
			       DXGPU_CMD_DOORBELL_BIND, *slot, queue->id);
	if (NT_SUCCESS(status))
		dxgpu_global_set(queue, true);
	return status;
}

/**
 * dxgpu_global_unbind() - mask a queue, if it is bound
 * @queue: whose doorbell no process sees any more
 *
 * May sleep. On return ORD-8 is complete: the command's result was read.
 *
 * Return: true if it was bound.
 */
bool dxgpu_global_unbind(struct dxgpu_hwqueue *queue)
{
	if (!queue->bound)
		return false;
	dxgpu_hwqueue_expect_sample(queue);
	/* A failure says that the device has no such binding any more. */
	dxgpu_command(queue->adapter, queue->context->generation, DXGPU_CMD_DOORBELL_UNBIND,
		      queue->context->process->space_id, queue->id);
	dxgpu_global_set(queue, false);
	return true;
}

/**
 * dxgpu_global_find() - the slot of a queue
 * @queue: the queue
 *
 * Return: its number, -1 if it is not bound.
 */
int dxgpu_global_find(struct dxgpu_hwqueue *queue)
{
	return READ_ONCE(queue->bound) ? (int)queue->context->process->space_id : -1;
}

/* Of DxgkDdiPrintSlots: a line of totals, then one line per bound queue. */
void dxgpu_global_print(struct dxgpu_adapter *adapter, struct seq_file *m)
{
	struct dxgpu_hwqueue *queue;
	unsigned long id;

	seq_printf(m, "slots model=global count=%u binds=%lld unbinds=%lld victimizations=0\n",
		   adapter->caps.num_slots, atomic64_read(&adapter->global_binds),
		   atomic64_read(&adapter->global_unbinds));
	spin_lock_irq(&adapter->object_lock);
	xa_for_each(&adapter->queues, id, queue) {
		if (queue->bound)
			seq_printf(m, "slot=%u state=bound queue=%u\n",
				   queue->context->process->space_id, queue->id);
	}
	spin_unlock_irq(&adapter->object_lock);
}
