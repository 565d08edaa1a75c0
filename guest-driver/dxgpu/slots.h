/* SPDX-License-Identifier: GPL-2.0 */
/* dxgpu.ko: the physical doorbell slots; see slots.c. */
#ifndef _DXGPU_SLOTS_H
#define _DXGPU_SLOTS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <d3dkmddi.h>

struct dxgpu_doorbell;
struct dxgpu_hwqueue;
struct seq_file;

enum dxgpu_slot_state {
	DXGPU_SLOT_FREE,	/* on the free list */
	DXGPU_SLOT_CONNECTING,	/* given to a doorbell that is about to bind */
	DXGPU_SLOT_BOUND,
	DXGPU_SLOT_VICTIM,	/* bound; the OS layer is taking it from its doorbell */
	DXGPU_SLOT_DYING,	/* bound; its doorbell's destroy is on the way (DDI-CN-10) */
	DXGPU_SLOT_UNBINDING,	/* in quarantine: ORD-8 is not complete */
};

/* All fields are under dxgpu_slots.lock. */
struct dxgpu_slot {
	enum dxgpu_slot_state state;
	struct dxgpu_doorbell *doorbell;	/* NULL if free */
	struct list_head free_link;
	u64 bound_ns;				/* ktime when BOUND was reached */
	u64 claim;				/* grows with each change of who acts on the slot */
	u64 binds;
	u64 victimizations;
};

/* Counters since the adapter's start. */
struct dxgpu_slot_counters {
	u64 binds;
	u64 unbinds;
	u64 victimizations;
	u64 all_young;		/* victims inside the minimum hold time */
	u64 victim_gone;	/* victims that were destroyed before the callback */
	u64 busy;		/* connects that found no slot in the bound */
};

struct dxgpu_slots {
	struct dxgpu_adapter *adapter;
	struct mutex lock;	/* all that follows, and each slot */
	wait_queue_head_t wait;	/* of who waits for one certain slot or queue */
	unsigned int count;
	struct dxgpu_slot *slot;
	struct list_head free;
	struct list_head waiters;	/* of dxgpu_slot_waiter, first come first */
	u64 grants;		/* slots given to connects, ever */
	struct dxgpu_slot_counters counters;
};

int dxgpu_slots_init(struct dxgpu_slots *slots, struct dxgpu_adapter *adapter,
		     unsigned int count);
void dxgpu_slots_fini(struct dxgpu_slots *slots);
NTSTATUS dxgpu_slots_acquire(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell,
			     struct dxgpu_slot **result);
void dxgpu_slots_bound(struct dxgpu_slots *slots, struct dxgpu_slot *slot);
void dxgpu_slots_cancel(struct dxgpu_slots *slots, struct dxgpu_slot *slot);
bool dxgpu_slots_release(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell);
void dxgpu_slots_wait_callbacks(struct dxgpu_slots *slots, struct dxgpu_hwqueue *queue);
int dxgpu_slots_find(struct dxgpu_slots *slots, struct dxgpu_hwqueue *queue);
void dxgpu_slots_print(HANDLE hadapter, struct seq_file *m);

static inline unsigned int dxgpu_slot_index(struct dxgpu_slots *slots,
					    struct dxgpu_slot *slot)
{
	return slot - slots->slot;
}

#endif /* _DXGPU_SLOTS_H */
