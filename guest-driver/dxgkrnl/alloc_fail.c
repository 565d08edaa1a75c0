// SPDX-License-Identifier: GPL-2.0
/*
 * The test build's failing allocations: which one fails, and what came of it.
 *
 * Module parameter "fail", for both modules:
 *
 *   written "NTH,TIMES"	from now on allocation NTH of the writing process fails
 *				and TIMES - 1 after it; 0,0 ends it. Given at insmod, it counts
 *				from the module's own start on
 *   read			calls=N failures=N memory=N dma=N coherent=N ids=N site=S:
 *				allocations seen and failed since then, what both modules
 *				hold now, and the last place that failed
 */
#include <linux/atomic.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(dxg_alloc_lock);
/* All under dxg_alloc_lock. */
static pid_t dxg_alloc_tgid;
static unsigned int dxg_alloc_nth;
static unsigned int dxg_alloc_times;
static unsigned int dxg_alloc_calls;
static unsigned int dxg_alloc_failures;
static char dxg_alloc_site[96] = "none";

static atomic_t dxg_alloc_live[DXG_ALLOC_KINDS];

bool dxg_alloc_fails(const char *function, unsigned int line, const char *what)
{
	unsigned long flags;
	bool fails = false;

	if (!in_task() || task_tgid_nr(current) != READ_ONCE(dxg_alloc_tgid))
		return false;
	spin_lock_irqsave(&dxg_alloc_lock, flags);
	dxg_alloc_calls++;
	if (dxg_alloc_nth && dxg_alloc_calls >= dxg_alloc_nth)
		fails = dxg_alloc_calls - dxg_alloc_nth < dxg_alloc_times;
	if (fails) {
		dxg_alloc_failures++;
		snprintf(dxg_alloc_site, sizeof(dxg_alloc_site), "%s:%u:%s", function, line, what);
	}
	spin_unlock_irqrestore(&dxg_alloc_lock, flags);
	return fails;
}
EXPORT_SYMBOL_GPL(dxg_alloc_fails);

void dxg_alloc_count(enum dxg_alloc_kind kind, int change)
{
	atomic_add(change, &dxg_alloc_live[kind]);
}
EXPORT_SYMBOL_GPL(dxg_alloc_count);

static int dxg_alloc_set(const char *text, const struct kernel_param *param)
{
	unsigned int nth, times;
	unsigned long flags;

	if (sscanf(text, "%u,%u", &nth, &times) != 2)
		return -EINVAL;
	spin_lock_irqsave(&dxg_alloc_lock, flags);
	WRITE_ONCE(dxg_alloc_tgid, task_tgid_nr(current));
	dxg_alloc_nth = nth;
	dxg_alloc_times = times;
	dxg_alloc_calls = 0;
	dxg_alloc_failures = 0;
	spin_unlock_irqrestore(&dxg_alloc_lock, flags);
	return 0;
}

static int dxg_alloc_get(char *text, const struct kernel_param *param)
{
	unsigned long flags;
	int length;

	spin_lock_irqsave(&dxg_alloc_lock, flags);
	length = scnprintf(text, PAGE_SIZE,
			   "calls=%u failures=%u memory=%d dma=%d coherent=%d ids=%d site=%s\n",
			   dxg_alloc_calls, dxg_alloc_failures,
			   atomic_read(&dxg_alloc_live[DXG_ALLOC_MEMORY]),
			   atomic_read(&dxg_alloc_live[DXG_ALLOC_DMA]),
			   atomic_read(&dxg_alloc_live[DXG_ALLOC_COHERENT]),
			   atomic_read(&dxg_alloc_live[DXG_ALLOC_ID]), dxg_alloc_site);
	spin_unlock_irqrestore(&dxg_alloc_lock, flags);
	return length;
}

static const struct kernel_param_ops dxg_alloc_ops = {
	.set = dxg_alloc_set,
	.get = dxg_alloc_get,
};
module_param_cb(fail, &dxg_alloc_ops, NULL, 0600);
MODULE_PARM_DESC(fail, "test build: allocation NTH of the writer fails, and TIMES - 1 after it");
