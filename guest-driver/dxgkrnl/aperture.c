// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbell aperture: which of its pages is shown to which process.
 *
 * DOC: one page, one process
 *
 * A miniport says where a doorbell is, and what it says is not believed: the place is
 * inside the aperture (DDI-CN-6, SEC-14), and no other process sees that page at the
 * time (MOD-9). Doorbells of one process may share pages and even addresses (DDI-CN-5);
 * hardware that has fewer pages than there are processes says so with
 * DXGK_DOORBELLAPERTURE_SHARED_PAGES, and only then may processes share them.
 *
 * A page is a process's from the connect until the zap of the last doorbell that shows
 * it, so it is free again when DxgkCbDisconnectDoorbell returns: a miniport that gives a
 * slot on only then never meets this check.
 *
 * The pages are in a hash table with entries that lie in the doorbells, so a connect
 * allocates nothing. Rejected: an array with a place for each page of the aperture, which
 * may have a gigabyte.
 */
#include <linux/device.h>

#include "dxgkrnl.h"

/* Is the page inside the doorbell aperture? Checked again at each fault (SEC-14). */
bool dxg_aperture_has(const struct dxgadapter *adapter, unsigned long pfn)
{
	unsigned long first = adapter->aperture.PhysicalAddress >> PAGE_SHIFT;

	return pfn >= first && pfn - first < adapter->aperture.Size >> PAGE_SHIFT;
}

/**
 * dxg_aperture_page() - the page frame of a doorbell
 * @adapter: whose aperture it has to be
 * @address: what the miniport says, a kernel address, may be any
 * @bytes: the doorbell's size
 * @place: where in its page it has to be
 * @pfn: out
 *
 * Return: false if it does not lie in the aperture as a whole, at that place (DDI-CN-6).
 */
bool dxg_aperture_page(const struct dxgadapter *adapter, const void *address, u32 bytes,
		       u32 place, unsigned long *pfn)
{
	u64 offset = address - adapter->aperture.KernelCpuVirtualAddress;

	/* An address below the aperture wraps to a large offset. */
	if (offset >= adapter->aperture.Size || bytes > adapter->aperture.Size - offset ||
	    offset_in_page(offset) != place) {
		dev_warn_once(adapter->dev, "miniport connected a doorbell at %#llx (below %#llx, at %#x in its page)\n",
			      offset, adapter->aperture.Size, place);
		return false;
	}
	*pfn = (adapter->aperture.PhysicalAddress + offset) >> PAGE_SHIFT;
	return true;
}

/* adapter->shown_lock. All that show a page are one process's, so the first one tells. */
static bool dxg_aperture_foreign(struct dxgadapter *adapter, unsigned long pfn,
				 const struct dxg_process_adapter *pa)
{
	struct dxg_shown_page *shown;

	if (adapter->aperture.Flags & DXGK_DOORBELLAPERTURE_SHARED_PAGES)
		return false;
	hash_for_each_possible(adapter->shown, shown, node, pfn) {
		if (shown->pfn == pfn)
			return shown->pa != pa;
	}
	return false;
}

/**
 * dxg_aperture_show() - the pages of a doorbell become its process's
 * @doorbell: shows none; its lock is held
 * @pfn: as many as it has, from dxg_aperture_page()
 *
 * Return: false, and it shows none, if another process sees one of them.
 */
bool dxg_aperture_show(struct dxg_doorbell *doorbell, const unsigned long pfn[DXG_DOORBELL_PAGES])
{
	struct dxg_process_adapter *pa = doorbell->queue->context->device->pa;
	struct dxgadapter *adapter = pa->adapter;
	bool foreign = false;
	unsigned int i;

	spin_lock(&adapter->shown_lock);
	for (i = 0; i < doorbell->region.pages && !foreign; i++)
		foreign = dxg_aperture_foreign(adapter, pfn[i], pa);
	for (i = 0; i < doorbell->region.pages && !foreign; i++) {
		doorbell->shown[i].pfn = pfn[i];
		doorbell->shown[i].pa = pa;
		hash_add(adapter->shown, &doorbell->shown[i].node, pfn[i]);
	}
	spin_unlock(&adapter->shown_lock);
	if (foreign)
		dev_warn_once(adapter->dev, "miniport connected a doorbell to a page that another process sees\n");
	return !foreign;
}

/* The doorbell's lock is held, and no CPU translates to its pages any more. */
void dxg_aperture_hide(struct dxg_doorbell *doorbell)
{
	struct dxgadapter *adapter = dxg_device_adapter(doorbell->queue->context->device);
	unsigned int i;

	spin_lock(&adapter->shown_lock);
	for (i = 0; i < doorbell->region.pages; i++) {
		hash_del(&doorbell->shown[i].node);
		/* No page of the aperture: a fault's second look refuses it (SEC-14). */
		doorbell->shown[i].pfn = 0;
	}
	spin_unlock(&adapter->shown_lock);
}
