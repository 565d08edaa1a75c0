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
struct dxgpu_process;
struct dxgpu_adapter;

enum dxgpu_slot_state {
	DXGPU_SLOT_FREE,
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
	u64 bound_ns;				/* ktime when BOUND was reached */
	u64 claim;				/* grows with each change of who acts on the slot */
	u64 binds;
	u64 victimizations;
};

/* The slots of a page: one, or, if they are packed, as many as it has places. */
struct dxgpu_slot_page {
	struct dxgpu_process *owner;	/* whose doorbells are on it; NULL if it is free */
	unsigned int used;		/* slots that are not free */
	bool taken;			/* is being emptied for another process */
	struct list_head free_link;	/* dxgpu_slots.free if no slot is used, and not taken */
};

/* At most so many slots on a page: see DXGPU_REG_DOORBELL_STRIDE. */
#define DXGPU_PLACES_MAX	64

/* Counters since the adapter's start. */
struct dxgpu_slot_counters {
	u64 binds;
	u64 unbinds;
	u64 victimizations;
	u64 held;		/* connects that waited for a doorbell to come of age */
	u64 wait_ns;		/* that connects spent here */
	u64 pages_taken;	/* from another process */
	u64 victim_gone;	/* victims that were destroyed before the callback */
	u64 busy;		/* connects that found no slot in the bound */
};

struct dxgpu_slots {
	struct dxgpu_adapter *adapter;
	struct mutex lock;	/* all that follows, and each slot */
	wait_queue_head_t wait;	/* of who waits for one certain slot or queue */
	unsigned int count;
	unsigned int places;	/* slots of a page */
	struct dxgpu_slot *slot;
	struct dxgpu_slot_page *page;
	struct list_head free;	/* pages */
	struct list_head waiters;	/* of dxgpu_slot_waiter, first come first */
	u64 grants;		/* slots given to connects, ever */
	u64 changes;		/* of any slot's state that the first in line may wait for */
	struct dxgpu_slot_counters counters;
};

int dxgpu_slots_init(struct dxgpu_slots *slots, struct dxgpu_adapter *adapter,
		     unsigned int count, unsigned int places);
void dxgpu_slots_fini(struct dxgpu_slots *slots);
void dxgpu_slots_place(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell);
void dxgpu_slots_unplace(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell);
NTSTATUS dxgpu_slots_acquire(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell,
			     struct dxgpu_slot **result);
void dxgpu_slots_bound(struct dxgpu_slots *slots, struct dxgpu_slot *slot);
void dxgpu_slots_cancel(struct dxgpu_slots *slots, struct dxgpu_slot *slot);
bool dxgpu_slots_release(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell);
void dxgpu_slots_wait_callbacks(struct dxgpu_slots *slots, struct dxgpu_hwqueue *queue);
int dxgpu_slots_find(struct dxgpu_slots *slots, struct dxgpu_hwqueue *queue);

static inline unsigned int dxgpu_slot_index(struct dxgpu_slots *slots,
					    struct dxgpu_slot *slot)
{
	return slot - slots->slot;
}

static inline struct dxgpu_slot_page *dxgpu_slot_page(struct dxgpu_slots *slots,
						      struct dxgpu_slot *slot)
{
	return &slots->page[dxgpu_slot_index(slots, slot) / slots->places];
}

static inline struct dxgpu_slot *dxgpu_page_slot(struct dxgpu_slots *slots,
						 struct dxgpu_slot_page *page,
						 unsigned int place)
{
	return &slots->slot[(page - slots->page) * slots->places + place];
}

/* victim.c */
unsigned int dxgpu_slots_hold_us(void);
struct dxgpu_slot *dxgpu_slots_victim(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell,
				      u64 *ripe_ns);

#endif /* _DXGPU_SLOTS_H */
