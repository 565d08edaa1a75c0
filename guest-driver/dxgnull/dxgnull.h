/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dxgnull.ko: a miniport without hardware, to read and to copy.
 *
 * DOC: what it is
 *
 * The same table of functions as dxgpu.ko behind the same OS layer, with a GPU
 * made of kernel threads: one engine for each node, which reads rings and
 * executes packets as the datasheet of dxgpu describes them. Its doorbells are
 * pages of ordinary memory. Nobody traps a store there, so an engine polls the
 * write pointers of its bound queues (the model of MOD-2 and DEV-9 with a slot
 * for each), or, with notify=1, connect answers CONNECTED_NOTIFY_KMD and each
 * process calls D3DKMTNotifyWorkSubmission after its ring (T9). When notify changes,
 * all doorbells are disconnected, and each learns the new answer when it connects.
 *
 *   main.c       module, parameters, the table, life of an adapter
 *   caps.c       what the adapter says of itself
 *   space.c      GPU address spaces
 *   object.c     devices, contexts, queues, allocations
 *   doorbell.c   create, connect, disconnect, destroy; the slots and their victims
 *   engine.c     sampling, round robin, suspend
 *   packet.c     one packet
 *   power.c      the sleep of the system and of an idle device
 *   misbehave.c, misbehave.h, orders.c, record.c, wrong_doorbell.c
 *                a wrong KMD on demand and a record of its calls, for tests of the OS layer
 *
 * DOC: locks, outermost first
 *
 *   dxgnull_adapter.lock (mutex)  all that is not said to be otherwise below.
 *                                 Never held over DxgkCbDisconnectDoorbell (DDI-CN-8)
 *                                 nor while a packet is executed
 *   dxgnull_space.lock (rwsem)    its pages. An engine reads a step at a time, paging
 *                                 writes: when an unmap returns no step uses what it
 *                                 removed, so that a flush has nothing left to do
 *
 * One lock for everything is slow and easy to be right about. A miniport of real
 * hardware will want dxgpu.ko's finer ones; see adapter.h there.
 *
 * Who executes owns: between dxgnull_engine_pick() and the end of the turn the
 * fields of dxgnull_queue that are marked "turn" belong to the engine's thread.
 */
#ifndef _DXGNULL_H
#define _DXGNULL_H

#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <d3dkmddi.h>
#include <dxgpu/packet.h>
#include <dxgpu/ring.h>
#include <dxgpu/status.h>

#define DXGNULL_NODES			3
#define DXGNULL_MAX_SLOTS		64
#define DXGNULL_GPUVA_BITS		48
#define DXGNULL_RING_MIN_ENTRIES	2
#define DXGNULL_RING_MAX_ENTRIES	65536
#define DXGNULL_MAX_COMMAND_BYTES	(64 * 1024)
#define DXGNULL_MAX_TRANSFER_BYTES	(16 * 1024 * 1024)
#define DXGNULL_MAX_DELAY_NS		1000000000u
#define DXGNULL_INDIRECT_DEPTH		2
#define DXGNULL_STEP_BYTES		(64 * 1024)	/* of a long packet, in one step */

struct dxgnull_adapter;
struct dxgnull_queue;

/* The KMD's process: a GPU address space. */
struct dxgnull_space {
	struct dxgnull_adapter *adapter;
	struct rw_semaphore lock;	/* @pages */
	struct xarray pages;		/* GPU page number to dxgnull_entry() */
};

struct dxgnull_device {
	struct dxgnull_space *space;
};

struct dxgnull_context {
	struct dxgnull_space *space;
	HANDLE os_handle;
	unsigned int node;
	bool suspended;
	bool acknowledge;		/* when its turn ends; a suspend came in between */
	u64 suspend_fence;
};

struct dxgnull_allocation {
	u64 bytes;			/* asked for by the UMD; the memory has whole pages */
};

struct dxgnull_fault {
	u32 code;			/* enum dxgpu_fault_code */
	u32 access;			/* enum dxgpu_fault_access */
	u64 gpuva;
};

/* A command buffer in execution: the entry's own, then those of INDIRECT packets. */
struct dxgnull_frame {
	u64 gpuva;
	u32 bytes;
	u32 offset;			/* of the next packet */
};

struct dxgnull_packet {
	union {
		struct dxgpu_packet_header header;
		struct dxgpu_packet_fence_write fence_write;
		struct dxgpu_packet_copy copy;
		struct dxgpu_packet_fill fill;
		struct dxgpu_packet_crc32c crc32c;
		struct dxgpu_packet_timestamp timestamp;
		struct dxgpu_packet_delay delay;
		struct dxgpu_packet_indirect indirect;
	};
	bool valid;
	u32 done;			/* bytes of a transfer */
	u32 crc;			/* of those */
	u64 waited_ns;			/* of a DELAY */
};

struct dxgnull_slot {
	struct dxgnull_queue *queue;	/* that it is bound to */
	bool changing;			/* its owner is being told; @queue stays until it was */
};

/* A hardware queue; the second half is that of its doorbell. */
struct dxgnull_queue {
	struct dxgnull_context *context;
	HANDLE os_handle;

	struct list_head link;		/* engine->queues while it has a doorbell */
	HANDLE os_doorbell;
	struct dxgnull_slot *slot;
	bool notify;			/* the last connect said so: it is not polled */
	bool sample;			/* read WP before the engine goes idle */
	bool lost;			/* of a GPU that was reset since: final */
	bool faulted;			/* final */
	u64 ring_gpuva;			/* constant while it has a doorbell, as the next two */
	u64 control_gpuva;
	u32 entries;
	u64 wp;				/* at the last sample */
	u64 rp;				/* turn; entries completed */
	u64 last_active;		/* ns: bound, or found with new work */

	bool active;			/* turn: @entry is being executed */
	struct dxgpu_ring_entry entry;	/* turn, like all that follows */
	struct dxgnull_frame frames[DXGNULL_INDIRECT_DEPTH + 1];
	unsigned int depth;
	struct dxgnull_packet packet;
	struct dxgnull_fault fault;
};

struct dxgnull_engine {
	struct dxgnull_adapter *adapter;
	unsigned int node;
	struct task_struct *thread;
	wait_queue_head_t wake;
	bool woken;			/* @wake's condition; without the lock */
	struct list_head queues;	/* of dxgnull_queue, in the order of their turns */
	struct dxgnull_queue *running;
	u64 packets;			/* written in a turn */
	u64 last_packets;		/* DxgkDdiQueryEngineStatus only */
};

struct dxgnull_adapter {
	struct device *dev;
	struct list_head node;		/* of all adapters; main.c */
	DXGKRNL_INTERFACE os;
	void *doorbells;		/* num_slots pages */
	unsigned int num_slots;

	struct mutex lock;		/* see above */
	wait_queue_head_t changed;	/* the end of a turn, of a slot's change */
	unsigned int changes;		/* of slots and of the line */
	struct list_head line;		/* of struct dxgnull_turn: connects, one at a time */
	u64 binds;
	u64 victimizations;
	struct dxgnull_slot slots[DXGNULL_MAX_SLOTS];
	struct dxgnull_engine engines[DXGNULL_NODES];
};

extern bool dxgnull_notify;
extern unsigned int dxgnull_poll_us;

/* caps.c */
NTSTATUS dxgnull_query_adapter_info(HANDLE hadapter, const DXGKARG_QUERYADAPTERINFO *args);
NTSTATUS dxgnull_get_node_metadata(HANDLE hadapter, UINT ordinal, DXGKARG_GETNODEMETADATA *args);
NTSTATUS dxgnull_query_engine_status(HANDLE hadapter, DXGKARG_QUERYENGINESTATUS *args);
bool dxgnull_node_is_user(unsigned int node);

/* space.c */
NTSTATUS dxgnull_create_process(HANDLE hadapter, DXGKARG_CREATEPROCESS *args);
NTSTATUS dxgnull_destroy_process(HANDLE hadapter, HANDLE hprocess);
NTSTATUS dxgnull_build_paging_buffer(HANDLE hadapter, DXGKARG_BUILDPAGINGBUFFER *args);
bool dxgnull_gpuva_ok(u64 gpuva, u64 bytes);
bool dxgnull_read(struct dxgnull_space *space, u64 gpuva, void *to, size_t bytes,
		  struct dxgnull_fault *fault);
bool dxgnull_write(struct dxgnull_space *space, u64 gpuva, const void *from, size_t bytes,
		   struct dxgnull_fault *fault);
void *dxgnull_page(struct dxgnull_space *space, u64 gpuva, size_t *bytes, bool write,
		   struct dxgnull_fault *fault);
bool dxgnull_load_u64(struct dxgnull_space *space, u64 gpuva, u64 *value,
		      struct dxgnull_fault *fault);
bool dxgnull_store_u64(struct dxgnull_space *space, u64 gpuva, u64 value,
		       struct dxgnull_fault *fault);

/* object.c */
NTSTATUS dxgnull_create_device(HANDLE hadapter, DXGKARG_CREATEDEVICE *args);
NTSTATUS dxgnull_destroy_device(HANDLE hdevice);
NTSTATUS dxgnull_create_context(HANDLE hdevice, DXGKARG_CREATECONTEXT *args);
NTSTATUS dxgnull_destroy_context(HANDLE hcontext);
NTSTATUS dxgnull_create_hwqueue(HANDLE hcontext, DXGKARG_CREATEHWQUEUE *args);
NTSTATUS dxgnull_destroy_hwqueue(HANDLE hhwqueue);
NTSTATUS dxgnull_query_hwqueue_status(HANDLE hadapter, DXGKARG_QUERYHWQUEUESTATUS *args);
NTSTATUS dxgnull_create_allocation(HANDLE hadapter, DXGKARG_CREATEALLOCATION *args);
NTSTATUS dxgnull_destroy_allocation(HANDLE hadapter, HANDLE hallocation);

/* doorbell.c */
NTSTATUS dxgnull_create_doorbell(DXGKARG_CREATEDOORBELL *args);
NTSTATUS dxgnull_connect_doorbell(DXGKARG_CONNECTDOORBELL *args);
NTSTATUS dxgnull_disconnect_doorbell(const DXGKARG_DISCONNECTDOORBELL *args);
NTSTATUS dxgnull_destroy_doorbell(const DXGKARG_DESTROYDOORBELL *args);
NTSTATUS dxgnull_notify_work_submission(const DXGKARG_NOTIFYWORKSUBMISSION *args);
NTSTATUS dxgnull_slots_disconnect(struct dxgnull_adapter *adapter);
void dxgnull_queue_disconnect(struct dxgnull_queue *queue, D3DDDI_DOORBELLSTATUS reason);
void dxgnull_print_slots(HANDLE hadapter, struct seq_file *m);

/* engine.c */
int dxgnull_engines_start(struct dxgnull_adapter *adapter);
void dxgnull_engines_stop(struct dxgnull_adapter *adapter);
struct dxgnull_engine *dxgnull_queue_engine(struct dxgnull_queue *queue);
void dxgnull_queue_sample(struct dxgnull_queue *queue);
void dxgnull_queue_wait_stopped(struct dxgnull_queue *queue);
NTSTATUS dxgnull_suspend_context(HANDLE hadapter, const DXGKARG_SUSPENDCONTEXT *args);
NTSTATUS dxgnull_resume_context(HANDLE hadapter, const DXGKARG_RESUMECONTEXT *args);
NTSTATUS dxgnull_reset_hw_engine(HANDLE hadapter, const DXGKARG_RESETHWENGINE *args);
NTSTATUS dxgnull_resume_hw_engine(HANDLE hadapter, const DXGKARG_RESUMEHWENGINE *args);
NTSTATUS dxgnull_reset_from_timeout(HANDLE hadapter);
NTSTATUS dxgnull_restart_from_timeout(HANDLE hadapter);

/* packet.c */
bool dxgnull_packet_fetch(struct dxgnull_queue *queue);
bool dxgnull_packet_step(struct dxgnull_engine *engine, struct dxgnull_queue *queue);

/* power.c */
extern const struct dev_pm_ops dxgnull_pm_ops;
NTSTATUS dxgnull_set_power_state(HANDLE hadapter, DEVICE_POWER_STATE state);
void dxgnull_power_init(struct platform_device *pdev);
void dxgnull_power_fini(struct platform_device *pdev);

/* misbehave.c, if it is there: Kbuild */
#ifdef DXGNULL_MISBEHAVE
const DRIVER_INITIALIZATION_DATA *dxgnull_misbehave(const DRIVER_INITIALIZATION_DATA *table);
void dxgnull_misbehave_end(void);
#else
static inline const DRIVER_INITIALIZATION_DATA *
dxgnull_misbehave(const DRIVER_INITIALIZATION_DATA *table)
{
	return table;
}

static inline void dxgnull_misbehave_end(void)
{
}
#endif

#endif /* _DXGNULL_H */
