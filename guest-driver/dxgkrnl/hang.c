// SPDX-License-Identifier: GPL-2.0
/*
 * The dump of the last hang: /sys/kernel/debug/dxg/<device>/hang.
 *
 * Text, made at the moment of a reset before anything is taken apart, so that "why"
 * can be answered afterwards from this one file: the reason and who is guilty, all
 * that "state" and "slots" tell, and what the miniport knows of the hardware, its last
 * commands included. The last one is kept until the next. If there is no memory for it,
 * the reset goes on without.
 *
 * At the reset of an adapter the guard is held exclusively: everything is of one moment. At
 * that of an engine the others go on, and only the guilty process is shown, by its own
 * lock; what the hardware is busy with is the miniport's to tell. Rejected: to take the
 * guard for that one, too, which would make everybody wait for an engine that hangs. If
 * the miniport has reset an engine by itself, the dump is made when it says so, and
 * has what the miniport kept of before ("lost").
 *
 * It is written by the functions that write the files, into a struct seq_file that
 * is nothing but a buffer. Rejected: devcoredump, whose readers are for firmware dumps
 * and which drops the dump after five minutes.
 */
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>

#include "dxgkrnl.h"

#define DXG_HANG_BYTES	(512 * 1024)

/* The first line; false without memory. @node: the engine's, -1 for the whole adapter. */
static bool dxg_hang_begin(struct seq_file *m, struct dxgadapter *adapter,
			   const struct dxg_device *guilty, int node, const char *reason)
{
	u64 ms = div_u64(ktime_get_boottime_ns(), NSEC_PER_MSEC);

	*m = (struct seq_file){ .size = DXG_HANG_BYTES };
	m->buf = kvmalloc(m->size, GFP_KERNEL | __GFP_NOWARN);
	if (!m->buf)
		return false;
	seq_printf(m, "hang number=%d uptime_ms=%llu pid=%d device=0x%x node=%d reason=\"%s\"\n",
		   atomic_inc_return(&adapter->dumps), ms, guilty ? guilty->obj.process->pid : 0,
		   guilty ? guilty->obj.handle : 0, node, reason);
	return true;
}

/* The miniport's part; and then the text takes the place of the one before. */
static void dxg_hang_keep(struct seq_file *m, struct dxgadapter *adapter)
{
	adapter->ddi->DxgkDdiPrintSlots(adapter->context, m);
	adapter->ddi->DxgkDdiCollectDbgInfo(adapter->context, m);
	if (m->count == m->size)
		m->count--;

	mutex_lock(&adapter->hang_lock);
	kvfree(adapter->hang);
	adapter->hang = m->buf;
	adapter->hang_bytes = m->count;
	mutex_unlock(&adapter->hang_lock);
}

/**
 * dxg_hang_capture() - keep what there is to know, before the adapter is reset
 * @adapter: guard held exclusively; the miniport can be called
 * @reason: for the first line
 * @guilty: whose device caused it, or NULL
 */
void dxg_hang_capture(struct dxgadapter *adapter, const char *reason,
		      const struct dxg_device *guilty)
{
	struct seq_file m;

	if (!dxg_hang_begin(&m, adapter, guilty, -1, reason))
		return;
	dxg_show_adapter_locked(&m, adapter);
	dxg_hang_keep(&m, adapter);
}

/**
 * dxg_hang_capture_engine() - the same for one engine
 * @context: that holds it, or did; pa->lock and guard held shared, the device awake
 * @reason: for the first line
 */
void dxg_hang_capture_engine(const struct dxg_context *context, const char *reason)
{
	struct dxgadapter *adapter = dxg_device_adapter(context->device);
	struct seq_file m;

	if (!dxg_hang_begin(&m, adapter, context->device, context->node_ordinal, reason))
		return;
	dxg_show_process_locked(&m, context->device->pa);
	dxg_hang_keep(&m, adapter);
}

/* The dump of the last hang, or a line that says there was none. */
void dxg_hang_show(struct seq_file *m, struct dxgadapter *adapter)
{
	mutex_lock(&adapter->hang_lock);
	if (adapter->hang)
		seq_write(m, adapter->hang, adapter->hang_bytes);
	else
		seq_puts(m, "no hang\n");
	mutex_unlock(&adapter->hang_lock);
}
