/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: one per change of state that a reader of a trace would miss.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dxg

#if !defined(_DXGKRNL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DXGKRNL_TRACE_H

#include <linux/tracepoint.h>

#define dxg_show_status(value) \
	__print_symbolic(value, { 0, "CONNECTED" }, { 1, "NOTIFY" }, { 2, "RETRY" }, { 3, "ABORT" })

TRACE_EVENT(dxg_queue_create,
	TP_PROTO(pid_t pid, u32 queue, u32 node),
	TP_ARGS(pid, queue, node),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, queue)
		__field(u32, node)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->queue = queue;
		__entry->node = node;
	),
	TP_printk("pid=%d queue=0x%x node=%u", __entry->pid, __entry->queue, __entry->node)
);

TRACE_EVENT(dxg_queue_destroy,
	TP_PROTO(pid_t pid, u32 queue),
	TP_ARGS(pid, queue),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, queue)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->queue = queue;
	),
	TP_printk("pid=%d queue=0x%x", __entry->pid, __entry->queue)
);

TRACE_EVENT(dxg_queue_fault,
	TP_PROTO(pid_t pid, u32 queue, u64 address, u32 error),
	TP_ARGS(pid, queue, address, error),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, queue)
		__field(u64, address)
		__field(u32, error)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->queue = queue;
		__entry->address = address;
		__entry->error = error;
	),
	TP_printk("pid=%d queue=0x%x address=0x%llx error=0x%x", __entry->pid, __entry->queue,
		  __entry->address, __entry->error)
);

/* A connect call to the miniport has ended; status is what user space now reads. */
TRACE_EVENT(dxg_doorbell_connect,
	TP_PROTO(pid_t pid, u32 doorbell, u32 status, u64 pfn),
	TP_ARGS(pid, doorbell, status, pfn),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, doorbell)
		__field(u32, status)
		__field(u64, pfn)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->doorbell = doorbell;
		__entry->status = status;
		__entry->pfn = pfn;
	),
	TP_printk("pid=%d doorbell=0x%x status=%s pfn=0x%llx", __entry->pid, __entry->doorbell,
		  dxg_show_status(__entry->status), __entry->pfn)
);

TRACE_EVENT(dxg_doorbell_revoke,
	TP_PROTO(pid_t pid, u32 doorbell, u32 status, bool was_connected),
	TP_ARGS(pid, doorbell, status, was_connected),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, doorbell)
		__field(u32, status)
		__field(bool, was_connected)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->doorbell = doorbell;
		__entry->status = status;
		__entry->was_connected = was_connected;
	),
	TP_printk("pid=%d doorbell=0x%x reason=%s was_connected=%d", __entry->pid,
		  __entry->doorbell, dxg_show_status(__entry->status), __entry->was_connected)
);

TRACE_EVENT(dxg_doorbell_fault,
	TP_PROTO(pid_t pid, u32 doorbell, bool slot),
	TP_ARGS(pid, doorbell, slot),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, doorbell)
		__field(bool, slot)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->doorbell = doorbell;
		__entry->slot = slot;
	),
	TP_printk("pid=%d doorbell=0x%x page=%s", __entry->pid, __entry->doorbell,
		  __entry->slot ? "slot" : "dummy")
);

/* A context has lost work, or is to blame for it, by the reset of its engine. */
TRACE_EVENT(dxg_engine_reset,
	TP_PROTO(pid_t pid, u32 node, u32 queue, u64 fence, bool collateral),
	TP_ARGS(pid, node, queue, fence, collateral),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, node)
		__field(u32, queue)
		__field(u64, fence)
		__field(bool, collateral)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->node = node;
		__entry->queue = queue;
		__entry->fence = fence;
		__entry->collateral = collateral;
	),
	TP_printk("pid=%d node=%u queue=0x%x fence=%llu collateral=%d", __entry->pid,
		  __entry->node, __entry->queue, __entry->fence, __entry->collateral)
);

TRACE_EVENT(dxg_adapter_reset,
	TP_PROTO(u64 luid, unsigned int resets),
	TP_ARGS(luid, resets),
	TP_STRUCT__entry(
		__field(u64, luid)
		__field(unsigned int, resets)
	),
	TP_fast_assign(
		__entry->luid = luid;
		__entry->resets = resets;
	),
	TP_printk("luid=0x%llx resets=%u", __entry->luid, __entry->resets)
);

#endif /* _DXGKRNL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
