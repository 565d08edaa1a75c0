// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: the allocator of physical doorbell slots.
 *
 * DOC: slots
 *
 * A connect gets a free slot, or that of a victim. A slot goes through these
 * states, each change under dxgpu_slots.lock:
 *
 *  FREE -> CONNECTING -> BOUND -> UNBINDING -> FREE       own disconnect
 *                        BOUND -> VICTIM -> UNBINDING -> CONNECTING (of another)
 *                                 VICTIM -> UNBINDING     own disconnect is faster
 *                                 VICTIM -> DYING -> UNBINDING   destroyed meanwhile
 *
 * The victim is marked before the lock is dropped for DxgkCbDisconnectDoorbell, so
 * two CPUs never ask for the same one; a grown claim tells the asker that the
 * victim's own disconnect took the slot over meanwhile. (The callback may then
 * reach a newer connection of that doorbell; its process sees RETRY and connects
 * once more.) UNBINDING is the quarantine: it lasts until the device has unbound,
 * the read of the result has flushed posted writes, and the old queue is marked
 * for its final sample (ORD-8). A hwqueue keeps its slot pointer until then, so
 * that neither its disconnect returns early nor its reconnect binds twice.
 *
 * Victim choice is MOD-4: not one younger than min_hold_us unless all are, then
 * one whose queue has no work, then the least recently active by the device's
 * clock. Rejected: an LRU list moved at connect; a busy queue neither connects
 * nor, with RingNeeded, rings, so only the device knows who is active.
 *
 * Connects that find no slot stand in line: with many queues on one slot some
 * would miss it again and again otherwise, and a connect should not fail
 * (KMT-CN-4). Their patience (OP-6) starts anew with each slot that is given to
 * somebody, so that a line that moves slowly fails nobody.
 *
 * A slot whose queue was lost in a reset is the best victim of all: the OS layer
 * has aborted its doorbell, and its unbind needs no command.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include "command.h"
#include "process.h"

static unsigned int min_hold_us = 1000;
module_param(min_hold_us, uint, 0644);
MODULE_PARM_DESC(min_hold_us,
		 "time in us after its connect in which a doorbell is no victim unless all are that young");

/* OP-6: how long no slot changes hands before a connect fails with DEVICE_BUSY. */
#define DXGPU_SLOT_WAIT_MS	100

static const char * const dxgpu_slot_state_names[] = {
	[DXGPU_SLOT_FREE] = "free",
	[DXGPU_SLOT_CONNECTING] = "connecting",
	[DXGPU_SLOT_BOUND] = "bound",
	[DXGPU_SLOT_VICTIM] = "victim",
	[DXGPU_SLOT_DYING] = "dying",
	[DXGPU_SLOT_UNBINDING] = "unbinding",
};

/* A connect that has no slot yet; lives on its stack. Under dxgpu_slots.lock. */
struct dxgpu_slot_waiter {
	struct list_head link;
	struct completion changed;
};

/* Only the first in line can go on; the others would wake to no purpose. */
static void dxgpu_slots_changed(struct dxgpu_slots *slots)
{
	struct dxgpu_slot_waiter *first;

	lockdep_assert_held(&slots->lock);
	first = list_first_entry_or_null(&slots->waiters, struct dxgpu_slot_waiter, link);
	if (first)
		complete(&first->changed);
	wake_up_all(&slots->wait);
}

/**
 * dxgpu_slots_init() - all slots free
 * @slots: the allocator
 * @adapter: its adapter
 * @count: slots of the device
 *
 * Return: 0 or -ENOMEM.
 */
int dxgpu_slots_init(struct dxgpu_slots *slots, struct dxgpu_adapter *adapter,
		     unsigned int count)
{
	unsigned int i;

	memset(slots, 0, sizeof(*slots));
	slots->slot = kvcalloc(count, sizeof(*slots->slot), GFP_KERNEL);
	if (!slots->slot)
		return -ENOMEM;
	slots->adapter = adapter;
	slots->count = count;
	mutex_init(&slots->lock);
	init_waitqueue_head(&slots->wait);
	INIT_LIST_HEAD(&slots->free);
	INIT_LIST_HEAD(&slots->waiters);
	for (i = 0; i < count; i++)
		list_add_tail(&slots->slot[i].free_link, &slots->free);
	return 0;
}

/**
 * dxgpu_slots_fini() - end the allocator; every doorbell is destroyed
 * @slots: the allocator
 */
void dxgpu_slots_fini(struct dxgpu_slots *slots)
{
	unsigned int i, used = 0;

	for (i = 0; i < slots->count; i++)
		used += slots->slot[i].state != DXGPU_SLOT_FREE;
	if (used)
		dev_err(&slots->adapter->pdev->dev, "doorbell slots unclean (%u/%u)\n",
			used, slots->count);
	mutex_destroy(&slots->lock);
	kvfree(slots->slot);
}

static void dxgpu_slot_assign(struct dxgpu_slot *slot, struct dxgpu_doorbell *doorbell)
{
	slot->state = DXGPU_SLOT_CONNECTING;
	slot->claim++;
	slot->doorbell = doorbell;
	WRITE_ONCE(doorbell->hwqueue->slot, slot);
}

static void dxgpu_slot_free(struct dxgpu_slots *slots, struct dxgpu_slot *slot)
{
	slot->state = DXGPU_SLOT_FREE;
	slot->claim++;
	list_add_tail(&slot->free_link, &slots->free);
}

/* ORD-8 (a) to (c); drops the lock for the command. The slot has no doorbell then. */
static void dxgpu_slot_unbind(struct dxgpu_slots *slots, struct dxgpu_slot *slot)
{
	struct dxgpu_hwqueue *queue = slot->doorbell->hwqueue;

	lockdep_assert_held(&slots->lock);
	slot->state = DXGPU_SLOT_UNBINDING;
	slot->claim++;
	mutex_unlock(&slots->lock);

	/* A failure says that the device has no such binding any more. */
	dxgpu_command(slots->adapter, queue->context->generation, DXGPU_CMD_DOORBELL_UNBIND,
		      dxgpu_slot_index(slots, slot));

	mutex_lock(&slots->lock);
	slots->counters.unbinds++;
	WRITE_ONCE(queue->slot, NULL);
	slot->doorbell = NULL;
	dxgpu_slots_changed(slots);
}

struct dxgpu_victim_rank {
	bool young;
	bool busy;
	u64 last_active_ns;	/* device clock */
	u64 bound_ns;
};

static bool dxgpu_rank_below(const struct dxgpu_victim_rank *a,
			     const struct dxgpu_victim_rank *b)
{
	if (a->young != b->young)
		return b->young;
	if (a->busy != b->busy)
		return b->busy;
	if (a->last_active_ns != b->last_active_ns)
		return a->last_active_ns < b->last_active_ns;
	return a->bound_ns < b->bound_ns;
}

static struct dxgpu_slot *dxgpu_slots_choose_victim(struct dxgpu_slots *slots)
{
	struct dxgpu_adapter *adapter = slots->adapter;
	u64 min_hold_ns = (u64)READ_ONCE(min_hold_us) * NSEC_PER_USEC;
	struct dxgpu_victim_rank best_rank = {};
	struct dxgpu_slot *best = NULL;
	u64 now = ktime_get_ns();
	unsigned int i;

	lockdep_assert_held(&slots->lock);
	for (i = 0; i < slots->count; i++) {
		struct dxgpu_slot *slot = &slots->slot[i];
		struct dxgpu_hwqueue *queue;
		struct dxgpu_victim_rank rank;
		void __iomem *record;
		u32 state;

		if (slot->state != DXGPU_SLOT_BOUND)
			continue;
		queue = slot->doorbell->hwqueue;
		if (queue->context->generation != READ_ONCE(adapter->generation))
			return slot;

		record = dxgpu_queue_record(adapter, queue->id);
		state = dxgpu_read32(record, dxgpu_queue_status, state);
		rank.young = now - slot->bound_ns < min_hold_ns;
		rank.busy = state == DXGPU_QUEUE_READY || state == DXGPU_QUEUE_RUNNING;
		rank.last_active_ns = dxgpu_read64(record, dxgpu_queue_status,
						   last_active_ns);
		rank.bound_ns = slot->bound_ns;
		if (!best || dxgpu_rank_below(&rank, &best_rank)) {
			best = slot;
			best_rank = rank;
		}
	}
	if (best)
		slots->counters.all_young += best_rank.young;
	return best;
}

/*
 * Takes the slot from its doorbell; drops the lock meanwhile. False: the
 * doorbell's own disconnect or destroy has the slot, pick again (DDI-CN-10).
 */
static bool dxgpu_slot_victimize(struct dxgpu_slots *slots, struct dxgpu_slot *slot)
{
	struct dxgpu_hwqueue *queue = slot->doorbell->hwqueue;
	DXGKARGCB_DISCONNECTDOORBELL args = {
		.hHwQueue = queue->os_handle,
		.hDoorbell = slot->doorbell->os_handle,
		.DisconnectReason = D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
	};
	NTSTATUS status;
	u64 claim;

	lockdep_assert_held(&slots->lock);
	slot->state = DXGPU_SLOT_VICTIM;
	claim = ++slot->claim;
	WRITE_ONCE(queue->callbacks, queue->callbacks + 1);
	mutex_unlock(&slots->lock);

	status = slots->adapter->os.DxgkCbDisconnectDoorbell(&args);

	mutex_lock(&slots->lock);
	WRITE_ONCE(queue->callbacks, queue->callbacks - 1);
	dxgpu_slots_changed(slots);
	if (slot->claim != claim)
		return false;
	if (!NT_SUCCESS(status)) {
		slot->state = DXGPU_SLOT_DYING;
		slots->counters.victim_gone++;
		return false;
	}
	slot->victimizations++;
	slots->counters.victimizations++;
	dxgpu_slot_unbind(slots, slot);
	return true;
}

/*
 * One attempt of the first waiter; the lock may be dropped and taken again. The
 * waiter leaves the line before it drops the lock, so that the next one can take
 * another victim meanwhile, and comes back to its head if that was in vain.
 */
static struct dxgpu_slot *dxgpu_slots_try(struct dxgpu_slots *slots,
					  struct dxgpu_slot_waiter *waiter)
{
	struct dxgpu_slot *slot;

	lockdep_assert_held(&slots->lock);
	if (slots->waiters.next != &waiter->link)
		return NULL;

	slot = list_first_entry_or_null(&slots->free, struct dxgpu_slot, free_link);
	if (slot) {
		list_del_init(&waiter->link);
		list_del_init(&slot->free_link);
		dxgpu_slots_changed(slots);
		return slot;
	}
	slot = dxgpu_slots_choose_victim(slots);
	if (!slot)
		return NULL;
	list_del_init(&waiter->link);
	dxgpu_slots_changed(slots);
	if (dxgpu_slot_victimize(slots, slot))
		return slot;
	list_add(&waiter->link, &slots->waiters);
	/* It may have missed a change while it was out of the line. */
	complete(&waiter->changed);
	return NULL;
}

/**
 * dxgpu_slots_acquire() - get a slot for a doorbell that is not connected
 * @slots: the allocator
 * @doorbell: the doorbell; no other call for it is under way
 * @result: the slot, in the state CONNECTING: bind, then dxgpu_slots_bound() or
 *          dxgpu_slots_cancel()
 *
 * May sleep. Calls DxgkCbDisconnectDoorbell without a lock held (DDI-CN-8).
 *
 * Return: SUCCESS; DEVICE_BUSY if nobody got a slot for 100 ms (OP-6): whoever
 * stands behind n others waits n such times at most; CANCELLED if a fatal signal
 * came (KMT-0.8).
 */
NTSTATUS dxgpu_slots_acquire(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell,
			     struct dxgpu_slot **result)
{
	const unsigned long patience = msecs_to_jiffies(DXGPU_SLOT_WAIT_MS);
	struct dxgpu_slot_waiter waiter;
	struct dxgpu_slot *slot;
	long left = patience;
	u64 grants;

	/*
	 * A former slot may be in quarantine still. Or it is bound, and a callback
	 * that came late took this connection of the doorbell for the one before it.
	 */
	dxgpu_slots_release(slots, doorbell);

	init_completion(&waiter.changed);
	mutex_lock(&slots->lock);
	grants = slots->grants;
	list_add_tail(&waiter.link, &slots->waiters);
	for (;;) {
		reinit_completion(&waiter.changed);
		slot = dxgpu_slots_try(slots, &waiter);
		if (slot || (left <= 0 && grants == slots->grants))
			break;
		if (grants != slots->grants)
			left = patience;
		grants = slots->grants;
		mutex_unlock(&slots->lock);
		left = wait_for_completion_killable_timeout(&waiter.changed, left);
		mutex_lock(&slots->lock);
		if (left < 0)
			break;
	}
	if (slot) {
		dxgpu_slot_assign(slot, doorbell);
		slots->grants++;
	} else {
		list_del(&waiter.link);
		slots->counters.busy += !left;
		dxgpu_slots_changed(slots);
	}
	mutex_unlock(&slots->lock);

	*result = slot;
	if (slot)
		return STATUS_SUCCESS;
	return left < 0 ? STATUS_CANCELLED : STATUS_DEVICE_BUSY;
}

/**
 * dxgpu_slots_bound() - the slot from dxgpu_slots_acquire() is bound
 * @slots: the allocator
 * @slot: the slot; it may become a victim at once
 */
void dxgpu_slots_bound(struct dxgpu_slots *slots, struct dxgpu_slot *slot)
{
	mutex_lock(&slots->lock);
	slot->state = DXGPU_SLOT_BOUND;
	slot->bound_ns = ktime_get_ns();
	slot->binds++;
	slots->counters.binds++;
	dxgpu_slots_changed(slots);
	mutex_unlock(&slots->lock);
}

/**
 * dxgpu_slots_cancel() - the slot from dxgpu_slots_acquire() could not be bound
 * @slots: the allocator
 * @slot: the slot
 */
void dxgpu_slots_cancel(struct dxgpu_slots *slots, struct dxgpu_slot *slot)
{
	mutex_lock(&slots->lock);
	WRITE_ONCE(slot->doorbell->hwqueue->slot, NULL);
	slot->doorbell = NULL;
	dxgpu_slot_free(slots, slot);
	dxgpu_slots_changed(slots);
	mutex_unlock(&slots->lock);
}

/**
 * dxgpu_slots_release() - take a doorbell's slot, if it has one, back to the pool
 * @slots: the allocator
 * @doorbell: the doorbell; no other call for it is under way
 *
 * May sleep. On return ORD-8 is complete for the slot, whoever did it.
 *
 * Return: true if it was this call, so that the queue was sampled after it began.
 */
bool dxgpu_slots_release(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell)
{
	struct dxgpu_hwqueue *queue = doorbell->hwqueue;
	struct dxgpu_slot *slot;
	bool sampled = false;

	mutex_lock(&slots->lock);
	while ((slot = queue->slot)) {
		if (slot->state != DXGPU_SLOT_UNBINDING) {
			dxgpu_slot_unbind(slots, slot);
			dxgpu_slot_free(slots, slot);
			dxgpu_slots_changed(slots);
			sampled = true;
			break;
		}
		mutex_unlock(&slots->lock);
		wait_event(slots->wait, READ_ONCE(queue->slot) != slot);
		mutex_lock(&slots->lock);
	}
	mutex_unlock(&slots->lock);
	return sampled;
}

/**
 * dxgpu_slots_wait_callbacks() - wait until no callback names a queue
 * @slots: the allocator
 * @queue: the queue, without a slot
 *
 * Must not be called with anything held that DxgkCbDisconnectDoorbell needs.
 */
void dxgpu_slots_wait_callbacks(struct dxgpu_slots *slots, struct dxgpu_hwqueue *queue)
{
	wait_event(slots->wait, !READ_ONCE(queue->callbacks));
	/* The one that counted down last still holds the lock to say so. */
	mutex_lock(&slots->lock);
	mutex_unlock(&slots->lock);
}

/**
 * dxgpu_slots_find() - the slot of a queue
 * @slots: the allocator
 * @queue: the queue
 *
 * Return: its index, -1 if it has none.
 */
int dxgpu_slots_find(struct dxgpu_slots *slots, struct dxgpu_hwqueue *queue)
{
	int index = -1;

	mutex_lock(&slots->lock);
	if (queue->slot)
		index = dxgpu_slot_index(slots, queue->slot);
	mutex_unlock(&slots->lock);
	return index;
}

/* Of DxgkDdiPrintSlots: a line of totals, then one line per slot. */
void dxgpu_slots_print(HANDLE hadapter, struct seq_file *m)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct dxgpu_slots *slots = &adapter->slots;
	const struct dxgpu_slot_counters *c = &slots->counters;
	u64 now = ktime_get_ns();
	unsigned int i;

	mutex_lock(&slots->lock);
	seq_printf(m, "slots count=%u binds=%llu unbinds=%llu victimizations=%llu all_young=%llu victim_gone=%llu busy=%llu\n",
		   slots->count, c->binds, c->unbinds, c->victimizations, c->all_young,
		   c->victim_gone, c->busy);
	for (i = 0; i < slots->count; i++) {
		const struct dxgpu_slot *slot = &slots->slot[i];

		seq_printf(m, "slot=%u state=%s binds=%llu victimizations=%llu", i,
			   dxgpu_slot_state_names[slot->state], slot->binds,
			   slot->victimizations);
		if (slot->doorbell)
			seq_printf(m, " queue=%u", slot->doorbell->hwqueue->id);
		if (slot->state == DXGPU_SLOT_BOUND)
			seq_printf(m, " held_us=%llu",
				   div_u64(now - slot->bound_ns, NSEC_PER_USEC));
		seq_putc(m, '\n');
	}
	mutex_unlock(&slots->lock);
}
