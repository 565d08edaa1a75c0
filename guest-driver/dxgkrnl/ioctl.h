/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of /dev/dxg as functions, and what the dispatcher (file.c) gives them.
 *
 * A function reads and writes the kernel copy of its arguments and returns an
 * NTSTATUS; the dispatcher does all the rest. User memory is touched through
 * dxg_copy_*() only, and never under the guard or a doorbell's lock (KMT-0.6).
 * Any of them may return CANCELLED besides what it says: a fatal signal came (KMT-0.8).
 */
#ifndef _DXGKRNL_IOCTL_H
#define _DXGKRNL_IOCTL_H

#include <linux/types.h>

#include "object.h"

/* One call in progress; lives on the dispatcher's stack. */
struct dxg_call {
	struct dxg_process *process;
	void *args;			/* kernel copy */
	enum dxg_type type;		/* of the handle, for the common destroy call */
	u32 created;			/* destroyed if copying the results out fails (KMT-0.5) */
	u32 *created_list;		/* same, many; freed by the dispatcher */
	u32 created_count;
};

NTSTATUS dxg_open_adapter_from_luid(struct dxg_call *call);
NTSTATUS dxg_enum_adapters2(struct dxg_call *call);
NTSTATUS dxg_enum_adapters3(struct dxg_call *call);
NTSTATUS dxg_query_adapter_info(struct dxg_call *call);
NTSTATUS dxg_create_device(struct dxg_call *call);
NTSTATUS dxg_get_device_state(struct dxg_call *call);
NTSTATUS dxg_create_context_virtual(struct dxg_call *call);
NTSTATUS dxg_create_hwqueue(struct dxg_call *call);
NTSTATUS dxg_submit_command(struct dxg_call *call);
NTSTATUS dxg_submit_signal(struct dxg_call *call);
NTSTATUS dxg_submit_wait(struct dxg_call *call);
NTSTATUS dxg_create_paging_queue(struct dxg_call *call);
NTSTATUS dxg_create_allocation(struct dxg_call *call);
NTSTATUS dxg_destroy_allocation2(struct dxg_call *call);
NTSTATUS dxg_lock2(struct dxg_call *call);
NTSTATUS dxg_unlock2(struct dxg_call *call);
NTSTATUS dxg_make_resident(struct dxg_call *call);
NTSTATUS dxg_evict(struct dxg_call *call);
NTSTATUS dxg_reserve_gpu_va(struct dxg_call *call);
NTSTATUS dxg_map_gpu_va(struct dxg_call *call);
NTSTATUS dxg_free_gpu_va(struct dxg_call *call);
NTSTATUS dxg_wait_from_cpu(struct dxg_call *call);
NTSTATUS dxg_create_doorbell(struct dxg_call *call);
NTSTATUS dxg_connect_doorbell(struct dxg_call *call);
NTSTATUS dxg_destroy_doorbell(struct dxg_call *call);
NTSTATUS dxg_notify_work_submission(struct dxg_call *call);
NTSTATUS dxg_destroy_by_handle(struct dxg_call *call);

NTSTATUS dxg_destroy_object(struct dxg_object *obj);
NTSTATUS dxg_copy_private(u64 user, u32 size, u32 max, void **out);
NTSTATUS dxg_copy_in(void *to, u64 user, size_t size);
NTSTATUS dxg_copy_out(u64 user, const void *from, size_t size);

#endif /* _DXGKRNL_IOCTL_H */
