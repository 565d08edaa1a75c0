// SPDX-License-Identifier: GPL-2.0
/*
 * The dump of the last hang: /sys/kernel/debug/dxg/<device>/hang.
 *
 * Text, made at the moment of a reset before anything is taken apart, so that "why"
 * can be answered afterwards from this one file: the reason and who is guilty, all
 * that "state" and "slots" tell, and what the miniport knows of the hardware, its last
 * commands included. The last one is kept until the next; it is made with the guard held
 * exclusively, so everything in it is of one moment. If there is no memory for it, the
 * reset goes on without.
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

/**
 * dxg_hang_capture() - keep what there is to know
 * @adapter: guard held exclusively; the miniport can be called
 * @reason: for the first line
 * @guilty: whose device caused it, or NULL
 */
void dxg_hang_capture(struct dxgadapter *adapter, const char *reason,
		      const struct dxg_device *guilty)
{
	struct seq_file m = { .size = DXG_HANG_BYTES };
	u64 ms = div_u64(ktime_get_boottime_ns(), NSEC_PER_MSEC);

	m.buf = kvmalloc(m.size, GFP_KERNEL | __GFP_NOWARN);
	if (!m.buf)
		return;
	seq_printf(&m, "hang number=%u uptime_ms=%llu pid=%d device=0x%x reason=\"%s\"\n",
		   adapter->resets + 1, ms, guilty ? guilty->obj.process->pid : 0,
		   guilty ? guilty->obj.handle : 0, reason);
	dxg_show_adapter_locked(&m, adapter);
	adapter->ddi->DxgkDdiPrintSlots(adapter->context, &m);
	adapter->ddi->DxgkDdiCollectDbgInfo(adapter->context, &m);
	if (m.count == m.size)
		m.count--;

	mutex_lock(&adapter->hang_lock);
	kvfree(adapter->hang);
	adapter->hang = m.buf;
	adapter->hang_bytes = m.count;
	mutex_unlock(&adapter->hang_lock);
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
