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

/* enum dxg_cause */
#define dxg_show_cause(value) \
	__print_symbolic(value, { 0, "never-connected" }, { 1, "victimized" }, \
			 { 2, "power-down" }, { 3, "process-end" }, { 4, "error" }, \
			 { 5, "destroyed" })

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

/* What happens to one object of a process. */
DECLARE_EVENT_CLASS(dxg_object,
	TP_PROTO(pid_t pid, u32 handle),
	TP_ARGS(pid, handle),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, handle)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->handle = handle;
	),
	TP_printk("pid=%d handle=0x%x", __entry->pid, __entry->handle)
);

#define DXG_OBJECT_EVENT(name) \
	DEFINE_EVENT(dxg_object, name, TP_PROTO(pid_t pid, u32 handle), TP_ARGS(pid, handle))

DXG_OBJECT_EVENT(dxg_queue_destroy);
DXG_OBJECT_EVENT(dxg_doorbell_create);
DXG_OBJECT_EVENT(dxg_doorbell_notify);
/* The miniport is asked to drop queue and ring; it has, or the device was reset. */
DXG_OBJECT_EVENT(dxg_doorbell_destroy);
DXG_OBJECT_EVENT(dxg_doorbell_destroyed);
DXG_OBJECT_EVENT(dxg_context_resume);

/* A suspend is asked for, and acknowledged: fence says which. */
DECLARE_EVENT_CLASS(dxg_suspend,
	TP_PROTO(pid_t pid, u32 context, u64 fence),
	TP_ARGS(pid, context, fence),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, context)
		__field(u64, fence)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->context = context;
		__entry->fence = fence;
	),
	TP_printk("pid=%d context=0x%x fence=%llu", __entry->pid, __entry->context, __entry->fence)
);

#define DXG_SUSPEND_EVENT(name) \
	DEFINE_EVENT(dxg_suspend, name, TP_PROTO(pid_t pid, u32 context, u64 fence), \
		     TP_ARGS(pid, context, fence))

DXG_SUSPEND_EVENT(dxg_context_suspend);
DXG_SUSPEND_EVENT(dxg_context_suspended);

/* A process: opens /dev/dxg, gets an address space on an adapter, ends. luid is 0 if of none. */
DECLARE_EVENT_CLASS(dxg_process,
	TP_PROTO(pid_t pid, u64 luid),
	TP_ARGS(pid, luid),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u64, luid)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->luid = luid;
	),
	TP_printk("pid=%d luid=0x%llx", __entry->pid, __entry->luid)
);

#define DXG_PROCESS_EVENT(name) \
	DEFINE_EVENT(dxg_process, name, TP_PROTO(pid_t pid, u64 luid), TP_ARGS(pid, luid))

DXG_PROCESS_EVENT(dxg_process_open);
DXG_PROCESS_EVENT(dxg_process_attach);
DXG_PROCESS_EVENT(dxg_process_detach);
DXG_PROCESS_EVENT(dxg_process_end);

/* state is a D3DKMT_DEVICEEXECUTION_STATE. */
TRACE_EVENT(dxg_device_error,
	TP_PROTO(pid_t pid, u32 device, u32 state),
	TP_ARGS(pid, device, state),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, device)
		__field(u32, state)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->device = device;
		__entry->state = state;
	),
	TP_printk("pid=%d device=0x%x state=%u", __entry->pid, __entry->device, __entry->state)
);

/* The miniport has chosen it, for the benefit of by_pid. */
TRACE_EVENT(dxg_doorbell_victim,
	TP_PROTO(pid_t pid, u32 doorbell, pid_t by_pid),
	TP_ARGS(pid, doorbell, by_pid),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, doorbell)
		__field(pid_t, by_pid)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->doorbell = doorbell;
		__entry->by_pid = by_pid;
	),
	TP_printk("pid=%d doorbell=0x%x by_pid=%d", __entry->pid, __entry->doorbell,
		  __entry->by_pid)
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
	TP_PROTO(pid_t pid, u32 doorbell, u32 status, u32 cause, bool was_connected),
	TP_ARGS(pid, doorbell, status, cause, was_connected),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, doorbell)
		__field(u32, status)
		__field(u32, cause)
		__field(bool, was_connected)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->doorbell = doorbell;
		__entry->status = status;
		__entry->cause = cause;
		__entry->was_connected = was_connected;
	),
	TP_printk("pid=%d doorbell=0x%x reason=%s cause=%s was_connected=%d", __entry->pid,
		  __entry->doorbell, dxg_show_status(__entry->status),
		  dxg_show_cause(__entry->cause), __entry->was_connected)
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

/* status: 0 if new work can come, else the adapter is stopped for good. */
TRACE_EVENT(dxg_adapter_reset_done,
	TP_PROTO(u64 luid, u32 status),
	TP_ARGS(luid, status),
	TP_STRUCT__entry(
		__field(u64, luid)
		__field(u32, status)
	),
	TP_fast_assign(
		__entry->luid = luid;
		__entry->status = status;
	),
	TP_printk("luid=0x%llx status=0x%x", __entry->luid, __entry->status)
);

/* pending, at power-down: work is left that goes on in D0; at power-up: the state is lost. */
TRACE_EVENT(dxg_adapter_power,
	TP_PROTO(u64 luid, bool on, bool pending),
	TP_ARGS(luid, on, pending),
	TP_STRUCT__entry(
		__field(u64, luid)
		__field(bool, on)
		__field(bool, pending)
	),
	TP_fast_assign(
		__entry->luid = luid;
		__entry->on = on;
		__entry->pending = pending;
	),
	TP_printk("luid=0x%llx state=%s pending=%d", __entry->luid, __entry->on ? "D0" : "D3",
		  __entry->pending)
);

#endif /* _DXGKRNL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
