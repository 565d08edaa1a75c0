/* SPDX-License-Identifier: GPL-2.0 */
/* dxgpu.ko: the DDI objects of a process, from its address space to its doorbells. */
#ifndef _DXGPU_PROCESS_H
#define _DXGPU_PROCESS_H

#include "adapter.h"
#include "pagetable.h"

/* One per process and adapter: a GPU address space. */
struct dxgpu_process {
	struct dxgpu_adapter *adapter;
	struct list_head link;		/* adapter->processes */
	u32 space_id;
	u32 generation;			/* changed by a restart, when nothing else runs */
	struct mutex lock;		/* @pagetable */
	struct dxgpu_pagetable pagetable;
	u16 places_used[DXGPU_PLACES_MAX]; /* doorbells, by place; under adapter->slots.lock */
};

struct dxgpu_device {
	struct dxgpu_process *process;
};

struct dxgpu_context {
	struct dxgpu_adapter *adapter;
	HANDLE os_handle;
	u32 id;
	u32 generation;
	u32 node;
	struct dxgpu_process *process;
	/* The rest is under adapter->object_lock. */
	bool suspended;			/* and acknowledged */
	struct list_head suspend_link;	/* adapter->suspending while an acknowledgment is due */
	u64 suspend_fence;		/* the device's */
	u64 os_suspend_fence;		/* the OS layer's, reported back */
};

struct dxgpu_hwqueue {
	struct dxgpu_adapter *adapter;
	struct dxgpu_context *context;
	HANDLE os_handle;
	u32 id;
	bool on_device;			/* QUEUE_CREATE done; that is, it has a doorbell object */
	bool fault_reported;		/* under adapter->object_lock */
	bool removing;			/* same: QUEUE_REMOVE is not acknowledged */
	bool bound;			/* same: global model, has a doorbell */
	u64 sampled_at;			/* see "samples" in hwqueue.c; create, unbind, kick */
	/* The rest is under adapter->slots.lock. */
	struct dxgpu_slot *slot;	/* of its doorbell, until ORD-8 is complete */
	unsigned int callbacks;		/* DxgkCbDisconnectDoorbell under way for it */
};

struct dxgpu_doorbell {
	struct dxgpu_adapter *adapter;
	struct dxgpu_hwqueue *hwqueue;
	HANDLE os_handle;
	bool connected_once;		/* written by connect, which is alone (DDI-CN-11) */
	unsigned int place;		/* of its slots in their pages; constant */
};

static inline struct dxgpu_process *dxgpu_doorbell_process(const struct dxgpu_doorbell *doorbell)
{
	return doorbell->hwqueue->context->process;
}

/* The KMD's part of an allocation. */
struct dxgpu_allocation {
	u64 bytes;			/* asked for by the UMD; the memory has whole pages */
};

/* process.c */
NTSTATUS dxgpu_create_process(HANDLE hadapter, DXGKARG_CREATEPROCESS *args);
NTSTATUS dxgpu_destroy_process(HANDLE hadapter, HANDLE hprocess);
NTSTATUS dxgpu_build_paging_buffer(HANDLE hadapter, DXGKARG_BUILDPAGINGBUFFER *args);
NTSTATUS dxgpu_processes_restore(struct dxgpu_adapter *adapter);

/* device.c */
NTSTATUS dxgpu_create_device(HANDLE hadapter, DXGKARG_CREATEDEVICE *args);
NTSTATUS dxgpu_destroy_device(HANDLE hdevice);

/* allocation.c */
NTSTATUS dxgpu_create_allocation(HANDLE hadapter, DXGKARG_CREATEALLOCATION *args);
NTSTATUS dxgpu_destroy_allocation(HANDLE hadapter, HANDLE hallocation);

/* context.c */
NTSTATUS dxgpu_create_context(HANDLE hdevice, DXGKARG_CREATECONTEXT *args);
NTSTATUS dxgpu_destroy_context(HANDLE hcontext);
NTSTATUS dxgpu_suspend_context(HANDLE hadapter, const DXGKARG_SUSPENDCONTEXT *args);
NTSTATUS dxgpu_resume_context(HANDLE hadapter, const DXGKARG_RESUMECONTEXT *args);
void dxgpu_contexts_acknowledge(struct dxgpu_adapter *adapter);

/* hwqueue.c */
NTSTATUS dxgpu_create_hwqueue(HANDLE hcontext, DXGKARG_CREATEHWQUEUE *args);
NTSTATUS dxgpu_destroy_hwqueue(HANDLE hhwqueue);
NTSTATUS dxgpu_query_hwqueue_status(HANDLE hadapter, DXGKARG_QUERYHWQUEUESTATUS *args);
void dxgpu_hwqueue_expect_sample(struct dxgpu_hwqueue *queue);
void dxgpu_hwqueues_faulted(struct dxgpu_adapter *adapter);
void dxgpu_hwqueue_invalidate(struct dxgpu_hwqueue *queue, u64 fence, bool collateral);

/* doorbell.c */
NTSTATUS dxgpu_create_doorbell(DXGKARG_CREATEDOORBELL *args);
NTSTATUS dxgpu_connect_doorbell(DXGKARG_CONNECTDOORBELL *args);
NTSTATUS dxgpu_disconnect_doorbell(const DXGKARG_DISCONNECTDOORBELL *args);
NTSTATUS dxgpu_destroy_doorbell(const DXGKARG_DESTROYDOORBELL *args);
NTSTATUS dxgpu_notify_work_submission(const DXGKARG_NOTIFYWORKSUBMISSION *args);
void dxgpu_print_slots(HANDLE hadapter, struct seq_file *m);

#endif /* _DXGPU_PROCESS_H */
