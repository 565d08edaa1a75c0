/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dxgpu.ko: the adapter, and the rules that all files share.
 *
 * DOC: who may touch what
 *
 * The miniport has one structure per DDI object. The OS layer never makes two
 * calls for the same object at a time and destroys children before parents, so
 * an object's own fields need no lock unless another path reads them too. Three
 * paths do: interrupts, victimization and reset. The locks, outermost first:
 *
 *  dxgpu_adapter.process_lock (mutex)  the list of processes, for the restart
 *  dxgpu_pagetable.lock (mutex)        the tables of one process
 *  dxgpu_slots.lock (mutex)            slots, hwqueue.slot, hwqueue.callbacks
 *  dxgpu_node.reset_lock (mutex)       reset and resume of an engine
 *  dxgpu_adapter.command_lock (mutex)  the command window, the fence counter,
 *                                      the generation and the hardware state
 *  dxgpu_adapter.object_lock (spin, interrupts off)  hwqueues by id, contexts
 *                                      that wait for a suspend acknowledgment
 *
 * None is held across DxgkCbDisconnectDoorbell (DDI-CN-8) or, but for reset_lock,
 * over the wait for an acknowledgment; dxgpu_slots.lock is not held over a
 * command either. object_lock is held across DxgkCbNotifyInterrupt and
 * DxgkCbInvalidateHwContext, so that a handle in a report is alive; these
 * callbacks never sleep and call back nothing.
 *
 * DOC: generations
 *
 * A reset of the device takes away everything that the driver made on it. Each
 * object remembers the generation of the hardware that it was made on, and a
 * command carries it: if it is not the present one the command is not sent and
 * gives STATUS_DEVICE_REMOVED. Destroy paths take this for success, because the
 * device has no such object any more. A removed device (reads give all ones)
 * is the same thing with no next generation. Rejected: walking all objects at
 * reset to mark each; it needs every lock of the driver in the one path that
 * must not wait.
 */
#ifndef _DXGPU_ADAPTER_H
#define _DXGPU_ADAPTER_H

#include <linux/idr.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <d3dkmddi.h>
#include <dxgpu/regs.h>
#include <dxgpu/status.h>
#include "slots.h"

/* Every limit of the device, as its registers tell it; constant after start. */
struct dxgpu_caps {
	u32 version;
	bool engine_reset;
	bool global_doorbells;		/* see global.c */
	u32 num_nodes;
	u32 num_slots;
	u32 max_queues;
	u32 max_contexts;
	u32 max_spaces;
	u32 doorbell_stride;
	u32 doorbell_places;		/* slots of a page; 1 if they are not packed */
	u32 doorbell_size;
	u32 ring_min_entries;
	u32 ring_max_entries;
	u32 max_command_bytes;
	u32 max_transfer_bytes;
	u32 gpuva_bits;
	u32 queue_offset;		/* records in the status region */
	u32 queue_stride;
	u32 context_offset;
	u32 context_stride;
	u32 space_offset;
	u32 space_stride;
	u32 node_offset;
	u32 node_stride;
	u32 fault_offset;
	u32 secondary_offset;		/* secondary doorbells, in the doorbell BAR */
	u32 secondary_stride;
	u32 secondary_size;		/* of one; 0: there are none */
	u32 node_flags[DXGPU_MAX_NODES];
};

enum dxgpu_hardware_state {
	DXGPU_HARDWARE_STOPPED,		/* no DMA, takes no commands */
	DXGPU_HARDWARE_RUNNING,
	DXGPU_HARDWARE_ASLEEP,		/* in D3, or about to: no register is touched */
	DXGPU_HARDWARE_GONE,		/* reads give all ones; final */
};

/* A command that was sent, for the dump of a hang. */
struct dxgpu_command_record {
	u64 ns;				/* boot time */
	u64 args[2];			/* the first ones */
	u64 fence;			/* 0: not asynchronous */
	u32 opcode;
	u32 result;
};

#define DXGPU_COMMANDS_KEPT	32
#define DXGPU_LOST_BYTES	16384

struct dxgpu_node {
	struct dxgpu_adapter *adapter;
	unsigned int ordinal;
	u64 last_packets;		/* DxgkDdiQueryEngineStatus only */
	struct mutex reset_lock;	/* one engine reset at a time; the two below */
	unsigned int halts;		/* resets that were not followed by their resume */
	u32 halt_generation;		/* that @halts counts for */
	char irq_name[32];
};

/*
 * @pdev, @caps, the mappings, @nodes, @os: constant between start and stop.
 * @state, @generation: written under @command_lock, read anywhere.
 */
struct dxgpu_adapter {
	struct pci_dev *pdev;
	struct dxgadapter *os_adapter;	/* constant from probe to remove */
	DXGKRNL_INTERFACE os;
	struct dxgpu_caps caps;

	void __iomem *regs;
	void __iomem *doorbells;
	void __iomem *status;
	unsigned int irqs;		/* vectors requested so far */
	struct dxgpu_node nodes[DXGPU_MAX_NODES];

	struct mutex command_lock;	/* the command window, the four below */
	enum dxgpu_hardware_state state;
	u32 generation;
	u32 resets_before_sleep;	/* the device's RESET_COUNT */
	u64 last_fence;			/* of the last asynchronous command */
	struct dxgpu_command_record commands[DXGPU_COMMANDS_KEPT]; /* a ring; command_lock */
	u64 commands_sent;		/* command_lock */
	char lost[DXGPU_LOST_BYTES];	/* command_lock: see debug.c */
	size_t lost_bytes;		/* command_lock */
	wait_queue_head_t ack_wait;	/* woken by ACK and when @generation changes */
	struct work_struct reset_seen_work; /* the device was reset; by us? */

	spinlock_t object_lock;		/* the two below; taken in interrupts */
	struct xarray queues;		/* id to dxgpu_hwqueue; changed under @object_lock */
	struct list_head suspending;	/* dxgpu_context.suspend_link */

	struct mutex process_lock;	/* the list below */
	struct list_head processes;	/* dxgpu_process.link */

	struct ida space_ids;
	struct ida context_ids;
	struct ida queue_ids;

	struct dxgpu_slots slots;	/* none of them in the global model */
	atomic64_t global_binds;
	atomic64_t global_unbinds;
};

/* All that the event vector can tell. */
#define DXGPU_INT_CAUSES	(DXGPU_INT_ACK | DXGPU_INT_FAULT | DXGPU_INT_RESET_DONE)

/* A device that answers reads with this is no longer on the bus. */
#define DXGPU_ALL_ONES	0xffffffffu

static inline void __iomem *dxgpu_queue_record(struct dxgpu_adapter *adapter, u32 id)
{
	return adapter->status + adapter->caps.queue_offset +
	       (size_t)id * adapter->caps.queue_stride;
}

static inline void __iomem *dxgpu_context_record(struct dxgpu_adapter *adapter, u32 id)
{
	return adapter->status + adapter->caps.context_offset +
	       (size_t)id * adapter->caps.context_stride;
}

static inline void __iomem *dxgpu_space_record(struct dxgpu_adapter *adapter, u32 id)
{
	return adapter->status + adapter->caps.space_offset +
	       (size_t)id * adapter->caps.space_stride;
}

static inline void __iomem *dxgpu_node_record(struct dxgpu_adapter *adapter, u32 ordinal)
{
	return adapter->status + adapter->caps.node_offset +
	       (size_t)ordinal * adapter->caps.node_stride;
}

/* One field of a record; each is written by the device as one release store. */
#define dxgpu_read32(record, type, field) \
	readl((record) + offsetof(struct type, field))
#define dxgpu_read64(record, type, field) \
	readq((record) + offsetof(struct type, field))

/* caps.c */
int dxgpu_caps_read(struct dxgpu_adapter *adapter, size_t doorbell_bytes,
		    size_t status_bytes);
NTSTATUS dxgpu_query_adapter_info(HANDLE hadapter, const DXGKARG_QUERYADAPTERINFO *args);
NTSTATUS dxgpu_get_node_metadata(HANDLE hadapter, UINT ordinal,
				 DXGKARG_GETNODEMETADATA *args);
NTSTATUS dxgpu_query_engine_status(HANDLE hadapter, DXGKARG_QUERYENGINESTATUS *args);

/* interrupt.c */
int dxgpu_interrupt_request(struct dxgpu_adapter *adapter);
void dxgpu_interrupt_free(struct dxgpu_adapter *adapter);

/* global.c */
NTSTATUS dxgpu_global_bind(struct dxgpu_hwqueue *queue, u32 *slot);
bool dxgpu_global_unbind(struct dxgpu_hwqueue *queue);
int dxgpu_global_find(struct dxgpu_hwqueue *queue);
void dxgpu_global_print(struct dxgpu_adapter *adapter, struct seq_file *m);

/* debug.c */
void dxgpu_command_log(struct dxgpu_adapter *adapter, u32 opcode, const u64 *args,
		       unsigned int count, u64 fence, u32 result);
void dxgpu_debug_lost(struct dxgpu_adapter *adapter, const char *what, u32 id);
void dxgpu_collect_dbg_info(HANDLE hadapter, struct seq_file *m);

/* engine.c */
void dxgpu_engines_init(struct dxgpu_adapter *adapter);
NTSTATUS dxgpu_engine_reset(struct dxgpu_adapter *adapter, u32 generation, u32 node);
NTSTATUS dxgpu_engine_resume(struct dxgpu_adapter *adapter, u32 generation, u32 node);
u64 dxgpu_engine_aborted(struct dxgpu_adapter *adapter, u32 node, u32 queue_id);
NTSTATUS dxgpu_reset_hw_engine(HANDLE hadapter, const DXGKARG_RESETHWENGINE *args);
NTSTATUS dxgpu_resume_hw_engine(HANDLE hadapter, const DXGKARG_RESUMEHWENGINE *args);

/* reset.c */
bool dxgpu_hardware_present(struct dxgpu_adapter *adapter);
bool dxgpu_hardware_reachable(struct dxgpu_adapter *adapter);
void dxgpu_hardware_gone(struct dxgpu_adapter *adapter);
int dxgpu_hardware_reset(struct dxgpu_adapter *adapter);
int dxgpu_hardware_enable(struct dxgpu_adapter *adapter);
void dxgpu_hardware_lost(struct dxgpu_adapter *adapter, const char *what, u32 id);
void dxgpu_reset_seen(struct work_struct *work);
NTSTATUS dxgpu_reset_from_timeout(HANDLE hadapter);
NTSTATUS dxgpu_restart_from_timeout(HANDLE hadapter);

#endif /* _DXGPU_ADAPTER_H */
