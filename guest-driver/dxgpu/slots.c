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
 *                                 VICTIM -> BOUND         kept: its connect goes on (CB-DC-6)
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
 * Packed slots share pages. A page is one process's at a time (MOD-9), since who sees
 * it can ring all of it; it is free when all its slots are. A doorbell's place in the
 * page was told to the OS layer at its creation and stays (KMT-CD-19), so it needs a
 * slot at that place: in a page of its process, or in a free page, or that of a victim
 * (victim.c). If the victim is in another process's page, that page is emptied: each of
 * its doorbells is taken, one by one, and until the last is nobody can bind there; but
 * a slot that is free elsewhere by then ends that, and the page stays whose it was. A
 * victim on an own page concerns no other doorbell (MOD-8). A page with one slot is the
 * case that is not packed. Rejected: pages for several processes, each ring of which may
 * cost another one a sample.
 *
 * Connects that find no slot stand in line: with many queues on one slot some
 * would miss it again and again otherwise, and a connect should not fail
 * (KMT-CN-4). Their patience (OP-6) is for a shortage that nobody is ending: it
 * starts anew with each slot that is given to somebody, and while somebody is about
 * to get one, which a host that gives the guest no time can make last for long. That
 * has a bound of its own, what the device may take for a command (decision 5).
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include "command.h"
#include "process.h"

/* OP-6: how long there is no slot to come before a connect fails with DEVICE_BUSY. */
#define DXGPU_SLOT_WAIT_NS	((u64)100 * NSEC_PER_MSEC)
/* What is left of it at least for another look. */
#define DXGPU_SLOT_LOOK_NS	((u64)4 * NSEC_PER_MSEC)

/* A connect that has no slot yet; lives on its stack. Under dxgpu_slots.lock. */
struct dxgpu_slot_waiter {
	struct list_head link;
	struct dxgpu_doorbell *doorbell;
	struct dxgpu_slot_page *page;	/* that is being emptied for it */
	u64 ripe_ns;			/* ktime when a victim comes of age, 0: none will */
	bool refused;			/* the OS layer could not disconnect a victim */
	bool changed;
	wait_queue_head_t wait;
};

static void dxgpu_waiter_changed(struct dxgpu_slot_waiter *waiter)
{
	WRITE_ONCE(waiter->changed, true);
	wake_up(&waiter->wait);
}

/* Only the first in line can go on; the others would wake to no purpose. */
static void dxgpu_slots_changed(struct dxgpu_slots *slots)
{
	struct dxgpu_slot_waiter *first;

	lockdep_assert_held(&slots->lock);
	slots->changes++;
	first = list_first_entry_or_null(&slots->waiters, struct dxgpu_slot_waiter, link);
	if (first)
		dxgpu_waiter_changed(first);
	wake_up_all(&slots->wait);
}

/**
 * dxgpu_slots_init() - all slots free
 * @slots: the allocator
 * @adapter: its adapter
 * @count: slots of the device
 * @places: slots of a page, 1 or more; a divisor of @count
 *
 * Return: 0 or -ENOMEM.
 */
int dxgpu_slots_init(struct dxgpu_slots *slots, struct dxgpu_adapter *adapter,
		     unsigned int count, unsigned int places)
{
	unsigned int i;

	memset(slots, 0, sizeof(*slots));
	slots->slot = kvcalloc(count, sizeof(*slots->slot), GFP_KERNEL);
	slots->page = kvcalloc(count / places, sizeof(*slots->page), GFP_KERNEL);
	if (!slots->slot || !slots->page) {
		kvfree(slots->slot);
		kvfree(slots->page);
		return -ENOMEM;
	}
	slots->adapter = adapter;
	slots->count = count;
	slots->places = places;
	mutex_init(&slots->lock);
	init_waitqueue_head(&slots->wait);
	INIT_LIST_HEAD(&slots->free);
	INIT_LIST_HEAD(&slots->waiters);
	for (i = 0; i < count / places; i++)
		list_add_tail(&slots->page[i].free_link, &slots->free);
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
	kvfree(slots->page);
}

/**
 * dxgpu_slots_place() - the place of a new doorbell in its pages
 * @slots: the allocator
 * @doorbell: the doorbell; its process's places are used evenly
 *
 * dxgpu_slots_unplace() when it is destroyed.
 */
void dxgpu_slots_place(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell)
{
	u16 *used = dxgpu_doorbell_process(doorbell)->places_used;
	unsigned int i, best = 0;

	mutex_lock(&slots->lock);
	for (i = 1; i < slots->places; i++) {
		if (used[i] < used[best])
			best = i;
	}
	used[best]++;
	doorbell->place = best;
	mutex_unlock(&slots->lock);
}

void dxgpu_slots_unplace(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell)
{
	mutex_lock(&slots->lock);
	dxgpu_doorbell_process(doorbell)->places_used[doorbell->place]--;
	mutex_unlock(&slots->lock);
}

static void dxgpu_slot_assign(struct dxgpu_slots *slots, struct dxgpu_slot *slot,
			      struct dxgpu_doorbell *doorbell)
{
	struct dxgpu_slot_page *page = dxgpu_slot_page(slots, slot);

	if (!page->used++) {
		list_del_init(&page->free_link);
		page->owner = dxgpu_doorbell_process(doorbell);
	}
	slot->state = DXGPU_SLOT_CONNECTING;
	slot->claim++;
	slot->doorbell = doorbell;
	WRITE_ONCE(doorbell->hwqueue->slot, slot);
}

/* A page that is being emptied stays off the list, it is somebody's already. */
static void dxgpu_slot_free(struct dxgpu_slots *slots, struct dxgpu_slot *slot)
{
	struct dxgpu_slot_page *page = dxgpu_slot_page(slots, slot);

	slot->state = DXGPU_SLOT_FREE;
	slot->claim++;
	if (--page->used)
		return;
	page->owner = NULL;
	if (!page->taken)
		list_add_tail(&page->free_link, &slots->free);
}

/* ORD-8 (a) to (c); drops the lock for the command. The slot has no doorbell then. */
static void dxgpu_slot_unbind(struct dxgpu_slots *slots, struct dxgpu_slot *slot)
{
	struct dxgpu_hwqueue *queue = slot->doorbell->hwqueue;

	lockdep_assert_held(&slots->lock);
	slot->state = DXGPU_SLOT_UNBINDING;
	slot->claim++;
	mutex_unlock(&slots->lock);

	dxgpu_hwqueue_expect_sample(queue);
	/* A failure says that the device has no such binding any more. */
	dxgpu_command(slots->adapter, queue->context->generation, DXGPU_CMD_DOORBELL_UNBIND,
		      dxgpu_slot_index(slots, slot));

	mutex_lock(&slots->lock);
	slots->counters.unbinds++;
	WRITE_ONCE(queue->slot, NULL);
	slot->doorbell = NULL;
	dxgpu_slots_changed(slots);
}

/*
 * Takes the slot from its doorbell; drops the lock meanwhile. False: the
 * doorbell's own disconnect or destroy has the slot, pick again (DDI-CN-10). Or the
 * doorbell keeps it, and the waiter is refused.
 */
static bool dxgpu_slot_victimize(struct dxgpu_slots *slots, struct dxgpu_slot *slot,
				 struct dxgpu_slot_waiter *waiter)
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
	if (status == STATUS_DEVICE_BUSY) {
		slot->state = DXGPU_SLOT_BOUND;
		waiter->refused = true;
		return false;
	}
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

/* A slot that nobody has to give up, or NULL. */
static struct dxgpu_slot *dxgpu_slots_find_free(struct dxgpu_slots *slots,
						struct dxgpu_doorbell *doorbell)
{
	struct dxgpu_slot_page *page;
	struct dxgpu_slot *slot;
	unsigned int i;

	/* A page of one slot has none left for its owner. */
	for (i = 0; slots->places > 1 && i < slots->count / slots->places; i++) {
		page = &slots->page[i];
		slot = dxgpu_page_slot(slots, page, doorbell->place);
		if (page->owner == dxgpu_doorbell_process(doorbell) && !page->taken &&
		    slot->state == DXGPU_SLOT_FREE)
			return slot;
	}
	page = list_first_entry_or_null(&slots->free, struct dxgpu_slot_page, free_link);
	return page ? dxgpu_page_slot(slots, page, doorbell->place) : NULL;
}

/* From a page that was to be emptied, be it empty or not, everybody may take again. */
static void dxgpu_page_release(struct dxgpu_slots *slots, struct dxgpu_slot_page *page)
{
	page->taken = false;
	if (!page->used)
		list_add(&page->free_link, &slots->free);
}

/*
 * Takes all slots of a page, dropping the lock for each. False: some are on their way
 * with their own doorbell's disconnect or destroy, or the waiter is refused one.
 */
static bool dxgpu_page_empty(struct dxgpu_slots *slots, struct dxgpu_slot_page *page,
			     struct dxgpu_slot_waiter *waiter)
{
	struct dxgpu_slot *slot;
	unsigned int i;

	for (i = 0; i < slots->places && !waiter->refused; i++) {
		slot = dxgpu_page_slot(slots, page, i);
		if (slot->state == DXGPU_SLOT_BOUND && dxgpu_slot_victimize(slots, slot, waiter))
			dxgpu_slot_free(slots, slot);
	}
	return !page->used;
}

/*
 * One attempt of the first waiter; the lock may be dropped and taken again. The
 * waiter leaves the line before it drops the lock, so that the next one can take
 * another victim meanwhile, and comes back to its head if that was in vain.
 */
static struct dxgpu_slot *dxgpu_slots_try(struct dxgpu_slots *slots,
					  struct dxgpu_slot_waiter *waiter)
{
	struct dxgpu_doorbell *doorbell = waiter->doorbell;
	struct dxgpu_slot_page *page = waiter->page;
	struct dxgpu_slot *slot = NULL;
	u64 changes;
	bool done;

	lockdep_assert_held(&slots->lock);
	waiter->ripe_ns = 0;
	if (slots->waiters.next != &waiter->link)
		return NULL;

	slot = dxgpu_slots_find_free(slots, doorbell);
	if (slot) {
		if (page)
			dxgpu_page_release(slots, page);
		waiter->page = NULL;
		list_del_init(&waiter->link);
		dxgpu_slots_changed(slots);
		return slot;
	}
	if (!page) {
		slot = dxgpu_slots_victim(slots, doorbell, &waiter->ripe_ns);
		if (!slot)
			return NULL;
		page = dxgpu_slot_page(slots, slot);
		if (page->owner != dxgpu_doorbell_process(doorbell)) {
			page->taken = true;
			waiter->page = page;
			slots->counters.pages_taken++;
		}
	}
	list_del_init(&waiter->link);
	dxgpu_slots_changed(slots);
	changes = slots->changes;
	if (waiter->page) {
		done = dxgpu_page_empty(slots, page, waiter);
		if (done) {
			dxgpu_page_release(slots, page);
			waiter->page = NULL;
			slot = dxgpu_page_slot(slots, page, doorbell->place);
		}
	} else {
		done = dxgpu_slot_victimize(slots, slot, waiter);
		if (done)
			dxgpu_slot_free(slots, slot);
	}
	if (done)
		return slot;
	list_add(&waiter->link, &slots->waiters);
	/* It was out of the line meanwhile, and was not told. */
	if (slots->changes != changes)
		dxgpu_waiter_changed(waiter);
	return NULL;
}

/*
 * Until something changed, a victim came of age, or nothing is left of the patience;
 * false: a fatal signal. Who was woken for a reason has something left, however late it
 * is that he runs: the reason is to be looked at.
 */
static bool dxgpu_waiter_sleep(struct dxgpu_slot_waiter *waiter, u64 *left_ns)
{
	u64 now = ktime_get_ns(), ns = *left_ns;
	int ret;

	if (waiter->ripe_ns)
		ns = waiter->ripe_ns > now ? min(waiter->ripe_ns - now, ns) : 0;
	if (!ns)
		return true;
	ret = __wait_event_hrtimeout(waiter->wait, READ_ONCE(waiter->changed), ns_to_ktime(ns),
				     TASK_KILLABLE);
	if (ret == -ETIME && ns == *left_ns)
		*left_ns = 0;
	else
		*left_ns -= min(*left_ns - min(*left_ns, DXGPU_SLOT_LOOK_NS),
				ktime_get_ns() - now);
	return ret != -ERESTARTSYS;
}

/*
 * Is somebody at work that ends with a slot for the first in line, or with a look of his?
 * Not who destroys a DYING slot's doorbell: he may wait for the adapter's guard, behind one who
 * wants it exclusively and waits for the connects here to be done with it.
 */
static bool dxgpu_slots_moving(struct dxgpu_slots *slots)
{
	struct dxgpu_slot_waiter *first;
	unsigned int i;

	lockdep_assert_held(&slots->lock);
	first = list_first_entry_or_null(&slots->waiters, struct dxgpu_slot_waiter, link);
	if (first && (first->changed || first->ripe_ns))
		return true;
	for (i = 0; i < slots->count; i++) {
		switch (slots->slot[i].state) {
		case DXGPU_SLOT_CONNECTING:
		case DXGPU_SLOT_VICTIM:
		case DXGPU_SLOT_UNBINDING:
			return true;
		default:
			break;
		}
	}
	return false;
}

/* The longest wait for a line that moves but gives nobody a slot. */
static u64 dxgpu_slots_limit_ns(void)
{
	return max(DXGPU_SLOT_WAIT_NS, (u64)dxgpu_command_timeout_ms() * NSEC_PER_MSEC);
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
 * Return: SUCCESS; DEVICE_BUSY if for 100 ms nobody got a slot or was about to (OP-6),
 * or nobody got one for command_timeout_ms: whoever stands behind n others waits n
 * such times at most; or if the OS layer could not disconnect the victim; CANCELLED if a
 * fatal signal came (KMT-0.8); DEVICE_REMOVED if the device was lost or reset meanwhile.
 */
NTSTATUS dxgpu_slots_acquire(struct dxgpu_slots *slots, struct dxgpu_doorbell *doorbell,
			     struct dxgpu_slot **result)
{
	struct dxgpu_slot_waiter waiter = { .doorbell = doorbell };
	u64 began = ktime_get_ns(), granted_ns = began, left_ns = DXGPU_SLOT_WAIT_NS;
	u32 generation = doorbell->hwqueue->context->generation;
	NTSTATUS status = STATUS_SUCCESS;
	bool held = false, alive;
	struct dxgpu_slot *slot;
	u64 grants;

	/*
	 * A former slot may be in quarantine still. Or it is bound, and a callback
	 * that came late took this connection of the doorbell for the one before it.
	 */
	dxgpu_slots_release(slots, doorbell);

	init_waitqueue_head(&waiter.wait);
	mutex_lock(&slots->lock);
	grants = slots->grants;
	list_add_tail(&waiter.link, &slots->waiters);
	for (;;) {
		waiter.changed = false;
		slot = dxgpu_slots_try(slots, &waiter);
		if (slot)
			break;
		held |= waiter.ripe_ns;
		if (generation != READ_ONCE(slots->adapter->generation)) {
			status = STATUS_DEVICE_REMOVED;
			break;
		}
		/* That took the OS layer long, and who keeps his slot is the best victim still. */
		if (waiter.refused) {
			status = STATUS_DEVICE_BUSY;
			break;
		}
		if (grants != slots->grants) {
			grants = slots->grants;
			granted_ns = ktime_get_ns();
			left_ns = DXGPU_SLOT_WAIT_NS;
		} else if (!left_ns) {
			if (!dxgpu_slots_moving(slots) ||
			    ktime_get_ns() - granted_ns >= dxgpu_slots_limit_ns()) {
				status = STATUS_DEVICE_BUSY;
				break;
			}
			left_ns = DXGPU_SLOT_WAIT_NS;
		}
		mutex_unlock(&slots->lock);
		alive = dxgpu_waiter_sleep(&waiter, &left_ns);
		mutex_lock(&slots->lock);
		if (!alive) {
			status = STATUS_CANCELLED;
			break;
		}
	}
	slots->counters.held += held;
	slots->counters.wait_ns += ktime_get_ns() - began;
	if (slot) {
		dxgpu_slot_assign(slots, slot, doorbell);
		slots->grants++;
	} else {
		if (waiter.page)
			dxgpu_page_release(slots, waiter.page);
		list_del(&waiter.link);
		slots->counters.busy += status == STATUS_DEVICE_BUSY;
		dxgpu_slots_changed(slots);
	}
	mutex_unlock(&slots->lock);

	*result = slot;
	return status;
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
