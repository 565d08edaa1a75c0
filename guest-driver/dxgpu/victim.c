// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: whose doorbell slot is taken when there is none free.
 *
 * DOC: victims
 *
 * MOD-4: of the doorbells that are connected for min_hold_us at least, one whose queue
 * has no work, then the least recently active by the device's clock. If all are younger,
 * the connect waits for the first to come of age instead of taking one: with one busy
 * queue more than slots, each would else take the other's slot as soon as it has it. So
 * a slot changes hands once in min_hold_us at most, whatever processes do. Rejected: an
 * LRU list moved at connect; a busy queue neither connects nor, with RingNeeded, rings,
 * so only the device knows who is active.
 *
 * Of packed slots two kinds can be taken for a doorbell: the slot at its place in a page
 * of its own process, and a page of another process with all that is on it, which is as
 * young, as busy and as lately active as the most so of its doorbells.
 *
 * A slot whose queue was lost in a reset is the best victim of all: the OS layer has
 * aborted its doorbell, and its unbind needs no command.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include "command.h"
#include "process.h"

#define DXGPU_HOLD_MAX_US	50000u

static unsigned int min_hold_us = 1000;
module_param(min_hold_us, uint, 0644);
MODULE_PARM_DESC(min_hold_us,
		 "time in us after its connect in which a doorbell is no victim, 0..50000");

/**
 * dxgpu_slots_hold_us() - how long a doorbell is safe after its connect
 *
 * Return: microseconds, 0..50000.
 */
unsigned int dxgpu_slots_hold_us(void)
{
	return min(READ_ONCE(min_hold_us), DXGPU_HOLD_MAX_US);
}

/* Who goes first: smaller is sooner. */
struct dxgpu_victim_rank {
	bool busy;
	u64 last_active_ns;	/* device clock */
	u64 bound_ns;
};

static bool dxgpu_rank_below(const struct dxgpu_victim_rank *a,
			     const struct dxgpu_victim_rank *b)
{
	if (a->busy != b->busy)
		return b->busy;
	if (a->last_active_ns != b->last_active_ns)
		return a->last_active_ns < b->last_active_ns;
	return a->bound_ns < b->bound_ns;
}

/* Of a bound slot. One that a reset lost goes before all others, however young. */
static struct dxgpu_victim_rank dxgpu_slot_rank(struct dxgpu_slots *slots,
						struct dxgpu_slot *slot)
{
	struct dxgpu_adapter *adapter = slots->adapter;
	struct dxgpu_hwqueue *queue = slot->doorbell->hwqueue;
	struct dxgpu_victim_rank rank = {};
	void __iomem *record;
	u32 state;

	if (queue->context->generation != READ_ONCE(adapter->generation))
		return rank;
	record = dxgpu_queue_record(adapter, queue->id);
	state = dxgpu_read32(record, dxgpu_queue_status, state);
	rank.busy = state == DXGPU_QUEUE_READY || state == DXGPU_QUEUE_RUNNING;
	rank.last_active_ns = dxgpu_read64(record, dxgpu_queue_status, last_active_ns);
	rank.bound_ns = slot->bound_ns;
	return rank;
}

/* Of all of a page, which is that of its last; false if a slot is between two states. */
static bool dxgpu_page_rank(struct dxgpu_slots *slots, struct dxgpu_slot_page *page,
			    struct dxgpu_victim_rank *rank)
{
	struct dxgpu_victim_rank other;
	struct dxgpu_slot *slot;
	u64 bound_ns = 0;
	unsigned int i;

	*rank = (struct dxgpu_victim_rank){};
	for (i = 0; i < slots->places; i++) {
		slot = dxgpu_page_slot(slots, page, i);
		if (slot->state == DXGPU_SLOT_FREE)
			continue;
		if (slot->state != DXGPU_SLOT_BOUND)
			return false;
		other = dxgpu_slot_rank(slots, slot);
		bound_ns = max(bound_ns, other.bound_ns);
		if (dxgpu_rank_below(rank, &other))
			*rank = other;
	}
	rank->bound_ns = bound_ns;
	return page->used;
}

/**
 * dxgpu_slots_victim() - the slot to take for a doorbell
 * @slots: the allocator, locked
 * @doorbell: that is to be connected
 * @ripe_ns: out: the time (ktime) at which the first comes of age if there is none now,
 *           0 if none will
 *
 * Return: a bound slot on a page of the doorbell's process; or one that stands for the
 * page of another process; NULL if there is none now.
 */
struct dxgpu_slot *dxgpu_slots_victim(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell,
				      u64 *ripe_ns)
{
	u64 hold_ns = (u64)dxgpu_slots_hold_us() * NSEC_PER_USEC;
	struct dxgpu_process *process = dxgpu_doorbell_process(doorbell);
	struct dxgpu_victim_rank best_rank = {};
	struct dxgpu_slot *best = NULL;
	u64 now = ktime_get_ns();
	unsigned int i;

	lockdep_assert_held(&slots->lock);
	*ripe_ns = 0;
	for (i = 0; i < slots->count / slots->places; i++) {
		struct dxgpu_slot_page *page = &slots->page[i];
		struct dxgpu_slot *slot = dxgpu_page_slot(slots, page, doorbell->place);
		struct dxgpu_victim_rank rank;

		if (page->taken)
			continue;
		if (page->owner == process) {
			if (slot->state != DXGPU_SLOT_BOUND)
				continue;
			rank = dxgpu_slot_rank(slots, slot);
		} else if (!dxgpu_page_rank(slots, page, &rank)) {
			continue;
		}
		if (rank.bound_ns && now - rank.bound_ns < hold_ns) {
			if (!*ripe_ns || rank.bound_ns + hold_ns < *ripe_ns)
				*ripe_ns = rank.bound_ns + hold_ns;
		} else if (!best || dxgpu_rank_below(&rank, &best_rank)) {
			best = slot;
			best_rank = rank;
		}
	}
	return best;
}
