/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dxgkrnl: the OS layer of user-mode work submission.
 *
 * DOC: objects
 *
 *   dxg_adapter <- dxg_process_adapter <- dxg_device <- dxg_context <- dxg_hwqueue <- dxg_doorbell
 *   dxg_process <--------'                  |- dxg_paging_queue - dxg_fence   '- dxg_fence
 *                                           '- dxg_allocation
 *
 * An arrow is a counted reference of the child on its parent. All that a
 * process can name is a struct dxg_object: a type, a count and a handle. The
 * handle table owns the first reference; "destroy" means: mark dead, withdraw
 * the handle, quiesce the hardware, unlink, drop that reference. A release
 * function only frees memory, so it may run anywhere that may sleep.
 *
 * DOC: locks, outermost first
 *
 *   dxg_adapters_lock	list of adapters and of miniports
 *   process->lock	the process's adapters and their user counts
 *   adapter->lock	list of the processes that have the adapter open
 *   pa->lock		makes create, destroy, residency and GPU address calls of
 *			one process on one adapter run one after the other
 *   adapter->guard	shared: a KMD call, or a change of any list below the
 *			adapter. exclusive: reset, power-down and removal, which
 *			thereby may walk every list without the locks above (ORD-26)
 *   doorbell->ops	one API operation on a doorbell at a time (DDI-CN-11)
 *   doorbell->lock	"the LDB lock": state, slot, STAT and zap. Never two, never
 *			during a KMD call: the state CONNECTING stands for it then
 *   page->lock		dxg_cell_page, dxg_allocation: death against page faults
 *   adapter->waiters_lock	list of asynchronous waits; long, so no spin lock
 *   adapter->hang_lock	the text of the last hang
 *   spin locks		hwqueue->lock, adapter->shown_lock, dxg_ids.xa_lock, the handle table's
 *
 * The page-fault handler runs under mmap_lock and takes doorbell->lock or
 * page->lock and nothing else. mmap_lock itself may be taken under pa->lock and
 * above, and never under the guard, so that memory which a process serves itself
 * (userfaultfd, FUSE) cannot hold up a reset.
 *
 * Rejected: SRCU as the removal gate beside a reset lock. Reset has to keep new
 * KMD calls out, not only wait for old ones, so the read-write semaphore is
 * needed anyway, and one gate is easier to be right about than two.
 */
#ifndef _DXGKRNL_H
#define _DXGKRNL_H

#include <linux/bitmap.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "compat.h"
#include "d3dkmddi.h"
#include "ioctl.h"
#include "memory.h"
#include "object.h"
#include "uapi/dxg.h"

#define DXG_CELL_BYTES		64
#define DXG_CELLS_PER_PAGE	(PAGE_SIZE / DXG_CELL_BYTES)
#define DXG_PRIVATE_MAX_BYTES	4096
#define DXG_MAX_NODES		64
#define DXG_RESETS_PER_MINUTE	5
#define DXG_DOORBELL_PAGES	2
#define DXG_SHOWN_BITS		8
#define DXG_HANGS_PER_MINUTE	(DXG_RESETS_PER_MINUTE - 1)

/* ---- adapter ---- */

struct dxgk_miniport {
	struct list_head node;		/* dxg_adapters_lock */
	struct module *owner;
	DRIVER_INITIALIZATION_DATA ddi;
	unsigned int adapters;		/* dxg_adapters_lock */
};

enum dxg_adapter_state {
	DXG_ADAPTER_RUNNING,
	DXG_ADAPTER_STOPPED,		/* resets failed; destroys still reach the KMD */
	DXG_ADAPTER_REMOVED,		/* no KMD call any more */
};

struct dxgadapter {
	struct kref kref;
	struct list_head node;		/* dxg_adapters; dxg_adapters_lock */
	struct dxgk_miniport *miniport;	/* constant */
	const DRIVER_INITIALIZATION_DATA *ddi; /* constant; not used after REMOVED */
	struct device *dev;		/* counted */
	void *context;			/* MiniportDeviceContext, until REMOVED */
	u64 luid;
	struct dentry *debugfs;
	DXGKRNL_INTERFACE interface;

	/* Capabilities: constant after start. */
	DXGK_DRIVERCAPS caps;
	DXGK_GPUMMUCAPS mmu_caps;
	DXGK_USERMODESUBMISSION_CAPS ums_caps;
	DXGK_DOORBELLAPERTURE aperture;
	DXGKARG_GETNODEMETADATA nodes[DXG_MAX_NODES];

	spinlock_t shown_lock;		/* the table */
	DECLARE_HASHTABLE(shown, DXG_SHOWN_BITS); /* of dxg_shown_page, by pfn */

	struct rw_semaphore guard;
	enum dxg_adapter_state state;	/* written with guard held exclusively */
	unsigned int resets;		/* same */
	unsigned int hangs;		/* same; those resets that were for a hang */
	unsigned long reset_jiffies[DXG_RESETS_PER_MINUTE]; /* same; a ring indexed by hangs */
	bool resetting;			/* same; between DxgkBeginReset and DxgkEndReset */
	NTSTATUS reset_status;		/* same; of the first half */
	bool asleep;			/* same; in D3: no KMD call */
	u64 sleeps;			/* same; times in D3 */
	u64 idle_progress;		/* same; when somebody last looked whether it is idle */
	struct delayed_work idle_work;	/* queued likewise: looks again, see power.c */
	wait_queue_head_t gate;		/* for the end of resetting and of asleep */
	struct work_struct wake_work;	/* queued with guard held */
	struct work_struct reset_work;
	unsigned int reset_seen;	/* resets when the miniport last asked for one */

	struct mutex lock;		/* see above; here: processes */
	struct list_head processes;	/* of dxg_process_adapter */

	wait_queue_head_t events;	/* fence interrupts, suspend acknowledgments, errors */
	struct mutex waiters_lock;
	struct list_head waiters;	/* of dxg_async_wait; waiters_lock */
	struct delayed_work scan_work;

	atomic_t dumps;			/* of hangs, so far */
	struct mutex hang_lock;		/* the two below */
	char *hang;			/* hang_lock: text of the last dump, or NULL */
	size_t hang_bytes;		/* hang_lock */

	atomic64_t connects;
	atomic64_t disconnects;
	atomic64_t victimizations;
	atomic64_t faults;
};

extern struct mutex dxg_adapters_lock;
extern struct list_head dxg_adapters;

void dxg_adapter_put(struct dxgadapter *adapter);
struct dxgadapter *dxg_adapter_get(struct dxgadapter *adapter);
NTSTATUS dxg_adapter_enter(struct dxgadapter *adapter);
bool dxg_adapter_enter_running(struct dxgadapter *adapter);
bool dxg_adapter_enter_destroy(struct dxgadapter *adapter);
void dxg_adapter_exit(struct dxgadapter *adapter);
bool dxg_adapter_enter_awake(struct dxgadapter *adapter);
void dxg_adapter_exit_awake(struct dxgadapter *adapter);
static inline bool dxg_adapter_running(struct dxgadapter *adapter)
{
	return READ_ONCE(adapter->state) == DXG_ADAPTER_RUNNING;
}

/* ---- quotas (quota.c) ---- */

/* What is counted. */
enum dxg_quota {
	DXG_QUOTA_FILES,
	DXG_QUOTA_HANDLES,
	DXG_QUOTA_CONTEXTS,
	DXG_QUOTA_QUEUES,
	DXG_QUOTA_PAGES,		/* of allocations */
	DXG_QUOTA_RANGES,		/* reservations and mappings of GPU addresses */
	DXG_QUOTA_VIEWS,		/* GPU pages in these mappings */
	DXG_QUOTA_WAITS,		/* asynchronous ones */
	DXG_QUOTA_COUNT,
};

/* By whom. */
enum dxg_account_kind {
	DXG_ACCOUNT_PROCESS,		/* an address space */
	DXG_ACCOUNT_USER,
	DXG_ACCOUNT_KINDS,
};

struct dxg_account;
struct dxg_process;
struct seq_file;

int dxg_quota_open(struct dxg_process *process);
void dxg_quota_close(struct dxg_process *process);
void dxg_quota_exit(void);
bool dxg_quota_charge(struct dxg_process *process, enum dxg_quota quota, unsigned long count);
void dxg_quota_uncharge(struct dxg_process *process, enum dxg_quota quota, unsigned long count);
void dxg_quota_hang(struct dxg_process *process);
bool dxg_quota_hung_too_often(struct dxg_process *process);
void dxg_quota_show(struct seq_file *m);

/* ---- process ---- */

struct dxg_process {
	struct kref kref;
	struct mm_struct *mm;		/* mm_count held */
	pid_t pid;			/* thread group id of the opener */
	char comm[TASK_COMM_LEN];
	struct dxg_handle_table handles;
	struct mutex lock;		/* see above; here: adapters */
	struct list_head adapters;	/* of dxg_process_adapter; lock */
	struct page *dummy;		/* what doorbells show while disconnected (OBJ-6) */
	struct file *map_file;		/* until teardown */
	struct mutex map_lock;		/* one dxg_region_map() at a time */
	struct dxg_region *map_region;	/* map_lock: the region that .mmap shall map */
	struct task_struct *map_task;	/* map_lock: and for whom */
	struct mmu_notifier notifier;
	bool closing;			/* file release has begun */
	bool killed;			/* the end was a fatal signal */
	atomic_t ending;		/* oom.c: the end has begun */
	struct delayed_work mm_exit_work;
	struct work_struct teardown_work;
	struct dxg_account *accounts[DXG_ACCOUNT_KINDS]; /* counted, constant */
};

/* One process on one adapter: the owner of a GPU address space. */
struct dxg_process_adapter {
	struct kref kref;
	struct dxg_process *process;	/* counted */
	struct dxgadapter *adapter;	/* counted */
	struct list_head process_node;	/* process->lock */
	struct list_head adapter_node;	/* adapter->lock + guard shared */
	unsigned int users;		/* process->lock: opened adapters and devices */
	bool pinned;			/* holds a reference on the miniport's module; guard */
	HANDLE kmd;			/* guard */

	struct mutex lock;		/* see above; here: all below */
	struct list_head devices;	/* lock + guard shared */
	struct list_head cell_pages;	/* same */
	struct rb_root_cached reservations; /* of dxg_va; lock */
	struct rb_root_cached mappings;	/* of dxg_va; lock */
	bool ended;			/* lock: the last user has gone, nothing new is made */
	u64 va_hint;			/* lock: where the last free range was found */
	u64 user_va_end;		/* constant: first address above the user part */
	u64 kernel_va_end;		/* constant: first address beyond the space */
};

NTSTATUS dxg_process_adapter_open(struct dxg_process *process, struct dxgadapter *adapter,
				  struct dxg_process_adapter **out);
bool dxg_process_adapter_use(struct dxg_process_adapter *pa);
void dxg_process_adapter_unuse(struct dxg_process_adapter *pa);
void dxg_process_adapter_put(struct dxg_process_adapter *pa);
void dxg_process_adapter_kmd_destroy(struct dxg_process_adapter *pa);

struct dxg_process *dxg_process_create(void);
struct dxg_process *dxg_process_get(struct dxg_process *process);
void dxg_process_put(struct dxg_process *process);
bool dxg_process_owns_mm(struct dxg_process *process);
void dxg_process_release(struct dxg_process *process);
void dxg_process_teardown(struct dxg_process *process);

struct dxg_adapter_handle {
	struct dxg_object obj;
	struct dxg_process_adapter *pa;	/* counted, and one user of it */
};

/* ---- cells (cells.c) ---- */

enum dxg_cell_kind {
	DXG_CELL_STAT,			/* user reads */
	DXG_CELL_LAST_QUEUED,		/* user reads and writes */
	DXG_CELL_FENCE,			/* user reads, device writes */
};

struct dxg_cell_page {
	struct dxg_object obj;
	struct dxg_region region;
	struct list_head node;		/* pa->cell_pages */
	struct dxg_process_adapter *pa;
	enum dxg_cell_kind kind;
	struct page *page;
	struct mutex lock;		/* gone against faults */
	bool gone;			/* lock */
	DECLARE_BITMAP(used, DXG_CELLS_PER_PAGE); /* pa->lock */
	unsigned long user_addr;
	dma_addr_t bus;			/* DXG_CELL_FENCE; guard */
	bool bus_mapped;		/* guard */
	struct dxg_va *va;		/* DXG_CELL_FENCE */
};

struct dxg_cell {
	struct dxg_cell_page *page;	/* NULL: no cell */
	unsigned int index;
};

NTSTATUS dxg_cell_alloc(struct dxg_process_adapter *pa, enum dxg_cell_kind kind, u64 initial,
			struct dxg_cell *cell);
void dxg_cell_free(struct dxg_cell *cell);
u64 dxg_cell_read(const struct dxg_cell *cell);
void dxg_cell_write(const struct dxg_cell *cell, u64 value);
u64 dxg_cell_user_addr(const struct dxg_cell *cell);
u64 dxg_cell_gpu_addr(const struct dxg_cell *cell);
void *dxg_cell_kernel_addr(const struct dxg_cell *cell);
void dxg_cell_pages_dma_unmap(struct dxg_process_adapter *pa);

/* ---- device, context, queue ---- */

/* D3DKMT_DEVICEEXECUTION_STATE */
enum dxg_execution_state {
	DXG_EXECUTION_ACTIVE			= 1,
	DXG_EXECUTION_RESET			= 2,
	DXG_EXECUTION_HUNG			= 3,
	DXG_EXECUTION_STOPPED			= 4,
	DXG_EXECUTION_ERROR_DMAFAULT		= 6,
	DXG_EXECUTION_ERROR_DMAPAGEFAULT	= 7,
};

struct dxg_fault {
	u64 fence;
	u64 address;
	u64 sequence;
	u32 stage;
	u32 bind_entry;
	u32 flags;
	u32 level;
	u32 error;
};

struct dxg_device {
	struct dxg_object obj;
	struct dxg_process_adapter *pa;	/* counted, and one user of it */
	struct list_head node;		/* pa->devices */
	struct list_head contexts;	/* pa->lock + guard shared */
	struct list_head paging_queues;	/* same */
	struct list_head allocations;	/* same */
	HANDLE kmd;			/* guard */
	enum dxg_execution_state state;	/* set once from ACTIVE by dxg_device_set_error() */
	struct dxg_fault fault;		/* valid before state leaves ACTIVE with a fault */
};

/* What an engine reset took from a context. */
struct dxg_invalidation {
	bool collateral;
	u32 queue;			/* OS handle toward the KMD, 0: unknown */
	u64 fence;			/* of the entry, as the process gave it */
};

struct dxg_context {
	struct dxg_object obj;
	struct dxg_device *device;	/* counted */
	struct list_head node;		/* device->contexts */
	struct list_head queues;	/* pa->lock + guard shared */
	u32 id;				/* OS handle toward the KMD */
	u32 node_ordinal;
	HANDLE kmd;			/* guard */
	u64 suspend_fence;		/* pa->lock, or guard exclusively: last one asked for */
	u64 suspended_fence;		/* written by the interrupt only, grows */
	bool suspended;			/* pa->lock, or guard exclusively: acknowledged or reset */
	bool ending;			/* guard: somebody wants it suspended for good */
	bool held;			/* same; until the administrator resumes it */
	bool asleep;			/* guard exclusively: suspended until D0 */
	unsigned long invalidated;	/* bit 0: by an engine reset, and not acted on yet */
	struct dxg_invalidation invalidation; /* dxg_ids.xa_lock */
	struct work_struct invalidate_work; /* holds a reference while queued */
};

struct dxg_fence {
	struct dxg_object obj;
	struct dxg_device *device;	/* counted */
	struct dxg_cell cell;		/* pa->lock; until the queue is gone */
	struct dxg_cell_page *page;	/* counted: waiters read the value without a lock */
	const u64 *value;		/* in page */
};

struct dxg_hwqueue {
	struct dxg_object obj;
	struct dxg_context *context;	/* counted */
	struct list_head node;		/* context->queues */
	u32 id;				/* OS handle toward the KMD */
	u32 flags;
	HANDLE kmd;			/* guard */
	struct dxg_fence *fence;	/* counted, constant */
	spinlock_t lock;
	struct dxg_doorbell *doorbell;	/* lock; written under pa->lock + guard shared */
	unsigned long fault_seen;	/* bit 0: a fault was taken, further ones say nothing new */
	struct dxg_fault fault;		/* written once, before fault_work is queued */
	struct work_struct fault_work;	/* holds a reference while queued */
};

struct dxg_paging_queue {
	struct dxg_object obj;
	struct dxg_device *device;	/* counted */
	struct list_head node;		/* device->paging_queues */
	struct dxg_fence *fence;	/* counted, constant */
	u64 fence_value;		/* pa->lock */
};

NTSTATUS dxg_device_status(const struct dxg_device *device);
struct dxg_device *dxg_device_lookup(struct dxg_process *process, u32 handle, NTSTATUS *status);
bool dxg_device_destroy(struct dxg_device *device);
void dxg_device_abort_doorbells(struct dxg_device *device);
void dxg_device_set_error(struct dxg_device *device, enum dxg_execution_state state,
			  const struct dxg_fault *fault);
void dxg_device_quiesce(struct dxg_device *device);
bool dxg_context_destroy(struct dxg_context *context);
bool dxg_context_acknowledged(const struct dxg_context *context);
bool dxg_context_suspend(struct dxg_context *context);
void dxg_context_hold(struct dxg_context *context);
void dxg_context_unhold(struct dxg_context *context);
void dxg_context_trust(struct dxg_context *context);
void dxg_context_suspend_completed(struct dxgadapter *adapter, HANDLE id, u64 fence);
bool dxg_hwqueue_destroy(struct dxg_hwqueue *queue);
bool dxg_hwqueue_pending(struct dxg_hwqueue *queue, u64 *progress);
void dxg_hwqueue_fault_work(struct work_struct *work);
void dxg_hwqueue_faulted(struct dxgadapter *adapter,
			 const DXGKARGCB_NOTIFY_INTERRUPT_DATA *data);
bool dxg_paging_queue_destroy(struct dxg_paging_queue *queue);
u64 dxg_paging_queue_complete(struct dxg_paging_queue *queue);

static inline struct dxgadapter *dxg_device_adapter(const struct dxg_device *device)
{
	return device->pa->adapter;
}

/* ---- doorbells ---- */

enum dxg_doorbell_state {
	DXG_DOORBELL_CREATED,
	DXG_DOORBELL_CONNECTING,
	DXG_DOORBELL_CONNECTED,
	DXG_DOORBELL_CONNECTED_NOTIFY,
	DXG_DOORBELL_DISCONNECTING,
	DXG_DOORBELL_DISCONNECTED_RETRY,
	DXG_DOORBELL_DISCONNECTED_ABORT,
	DXG_DOORBELL_DESTROYED,
};

/* Why a doorbell is not connected; names: dxg_cause_name(). */
enum dxg_cause {
	DXG_CAUSE_NEVER,		/* it has not been yet */
	DXG_CAUSE_VICTIM,		/* its slot serves another queue */
	DXG_CAUSE_POWER,		/* the device went to sleep */
	DXG_CAUSE_ENDING,		/* its process ends */
	DXG_CAUSE_ERROR,		/* its device is in error, or the adapter stopped */
	DXG_CAUSE_DESTROYED,
};

/* A page of the aperture that a doorbell shows (aperture.c). */
struct dxg_shown_page {
	struct hlist_node node;		/* adapter->shown; shown_lock */
	unsigned long pfn;
	const struct dxg_process_adapter *pa; /* who sees it */
};

struct dxg_doorbell {
	struct dxg_object obj;
	struct dxg_hwqueue *queue;	/* counted */
	struct dxg_allocation *ring;	/* counted, and one hardware reference */
	struct dxg_allocation *control;	/* same */
	u32 id;				/* OS handle toward the KMD */
	HANDLE kmd;			/* guard + ops */
	struct mutex ops;		/* see above */
	struct mutex lock;		/* see above; state .. last_queued, counts */
	enum dxg_doorbell_state state;	/* lock */
	enum dxg_cause cause;		/* lock: of the last disconnect */
	struct dxg_shown_page shown[DXG_DOORBELL_PAGES]; /* lock: the slot's, while connected */
	wait_queue_head_t settled;	/* of who waits for the end of CONNECTING */
	struct task_struct *connecting;	/* lock: who is inside the KMD's connect, for CB-DC-6 */
	struct dxg_region region;	/* one page, or two: the secondary doorbell is the second */
	unsigned long user_addr;	/* constant after create */
	u32 offset;			/* in each page of the region; constant after create */
	struct dxg_cell stat;		/* value: lock */
	struct dxg_cell last_queued;
	u64 trusted_until;		/* lock, or guard; ns: see power.c */
	u64 connects;			/* lock, as the following */
	u64 disconnects;
	u64 victimized;
	u64 faults_slot;
	u64 faults_dummy;
};

bool dxg_aperture_has(const struct dxgadapter *adapter, unsigned long pfn);
bool dxg_aperture_page(const struct dxgadapter *adapter, const void *address, u32 bytes,
		       u32 place, unsigned long *pfn);
bool dxg_aperture_show(struct dxg_doorbell *doorbell, const unsigned long pfn[DXG_DOORBELL_PAGES]);
void dxg_aperture_hide(struct dxg_doorbell *doorbell);

void dxg_doorbell_init(struct dxg_doorbell *doorbell, bool secondary);
bool dxg_doorbell_set_offset(struct dxg_doorbell *doorbell, u32 offset);
NTSTATUS dxg_doorbell_connect(struct dxg_doorbell *doorbell);
NTSTATUS dxg_doorbell_disconnect_callback(const DXGKARGCB_DISCONNECTDOORBELL *args);
void dxg_doorbell_abort(struct dxg_doorbell *doorbell);
void dxg_doorbell_disconnect(struct dxg_doorbell *doorbell, D3DDDI_DOORBELLSTATUS reason,
			     enum dxg_cause cause);
bool dxg_doorbell_power_down(struct dxg_doorbell *doorbell);
void dxg_doorbell_end(struct dxg_doorbell *doorbell, bool kmd);
void dxg_doorbell_kmd_destroy(struct dxg_doorbell *doorbell);
bool dxg_doorbell_destroy(struct dxg_doorbell *doorbell);

/*
 * How long the device takes at most for the sample of a disconnect or a resume, if its host is
 * not busy. For so long a last-queued value holds up the sleep of the device, be it false or
 * not; longer only while the miniport says that a sample is to come (power.c).
 */
#define DXG_SAMPLE_GRACE_MS	250

/* The device has hardly sampled its queue yet. */
static inline void dxg_doorbell_trust(struct dxg_doorbell *doorbell)
{
	WRITE_ONCE(doorbell->trusted_until, ktime_get_ns() + DXG_SAMPLE_GRACE_MS * NSEC_PER_MSEC);
}

const char *dxg_doorbell_state_name(enum dxg_doorbell_state state);
const char *dxg_cause_name(enum dxg_cause cause);

static inline bool dxg_doorbell_has_secondary(const struct dxg_doorbell *doorbell)
{
	return doorbell->region.pages == DXG_DOORBELL_PAGES;
}

/* ---- waits, errors, teardown ---- */

NTSTATUS dxg_fence_create(struct dxg_device *device, u64 initial, struct dxg_fence **out);
void dxg_fence_destroy(struct dxg_fence *fence);
u64 dxg_fence_value(const struct dxg_fence *fence);
void dxg_wait_notify(struct dxgadapter *adapter);
void dxg_wait_scan_work(struct work_struct *work);
void dxg_wait_scan(struct dxgadapter *adapter);

bool dxg_engine_reset(struct dxg_context *context, unsigned int seen_resets, const char *reason);
void dxg_engine_invalidated(struct dxgadapter *adapter,
			    const DXGKARGCB_INVALIDATEHWCONTEXT *data);
void dxg_engine_invalidate_work(struct work_struct *work);
void dxg_adapter_reset(struct dxgadapter *adapter, unsigned int seen_resets,
		       struct dxg_device *guilty, const char *reason);
NTSTATUS dxg_adapter_reset_begin_locked(struct dxgadapter *adapter, struct dxg_device *guilty,
					const char *reason);
void dxg_adapter_reset_end_locked(struct dxgadapter *adapter, NTSTATUS status);
void dxg_adapter_reset_locked(struct dxgadapter *adapter, struct dxg_device *guilty,
			      const char *reason, bool hang);
void dxg_adapter_reset_work(struct work_struct *work);
bool dxg_adapter_suspend_all(struct dxgadapter *adapter);
void dxg_adapter_stop_locked(struct dxgadapter *adapter, enum dxg_adapter_state state);
void dxg_adapter_destroy_kmd_objects_locked(struct dxgadapter *adapter, bool surprise);
void dxg_adapter_dma_unmap_locked(struct dxgadapter *adapter);
void dxg_process_teardown_work(struct work_struct *work);
void dxg_process_mm_exit_work(struct work_struct *work);

/* ---- out of memory (oom.c) ---- */

void dxg_oom_process_ending(struct dxg_process *process);
void dxg_oom_process_ended(struct dxg_process *process);
int dxg_oom_init(void);
void dxg_oom_exit(void);

/* ---- power ---- */

void dxg_power_get(struct dxgadapter *adapter);
void dxg_power_want(struct dxgadapter *adapter);
void dxg_power_wake(struct dxgadapter *adapter);
void dxg_power_wake_work(struct work_struct *work);
void dxg_power_put(struct dxgadapter *adapter);
void dxg_power_idle_work(struct work_struct *work);
void dxg_adapter_wake_locked(struct dxgadapter *adapter);

/* ---- why ---- */

struct seq_file;

const char *dxg_queue_why(struct dxg_hwqueue *queue, const DXGKARG_QUERYHWQUEUESTATUS *status);
void dxg_show_adapter_locked(struct seq_file *m, struct dxgadapter *adapter);
void dxg_show_process_locked(struct seq_file *m, struct dxg_process_adapter *pa);
void dxg_hang_capture(struct dxgadapter *adapter, const char *reason,
		      const struct dxg_device *guilty);
void dxg_hang_capture_engine(const struct dxg_context *context, const char *reason);
void dxg_hang_show(struct seq_file *m, struct dxgadapter *adapter);

/* ---- module ---- */

extern unsigned int dxg_tdr_timeout_ms;
extern unsigned int dxg_max_files;
extern unsigned int dxg_max_contexts;
extern unsigned int dxg_max_queues;
extern unsigned int dxg_max_handles;
extern unsigned int dxg_max_pinned_mb;
extern unsigned int dxg_max_gpu_ranges;
extern struct workqueue_struct *dxg_wq;
extern struct workqueue_struct *dxg_exit_wq;
extern const struct file_operations dxg_fops;

void dxg_debugfs_init(void);
void dxg_debugfs_exit(void);
void dxg_debugfs_add(struct dxgadapter *adapter);
void dxg_debugfs_remove(struct dxgadapter *adapter);

#endif /* _DXGKRNL_H */
