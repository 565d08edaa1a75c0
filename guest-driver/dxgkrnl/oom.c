// SPDX-License-Identifier: GPL-2.0
/*
 * When the kernel is out of memory: wait for what is being freed already.
 *
 * The memory of a process here is not part of its address space. When the OOM killer has
 * ended a process, the kernel takes the end of its address space for the end of its
 * memory, and if there is still none, it kills the next one, while the file's release
 * is just about to give back hundreds of megabytes. So the killer asks us first, and if
 * a process is ending, it gets its answer when pages have come free, or after
 * DXG_OOM_WAIT_MS without any; then it does what it would have done.
 *
 * Nothing on the way to the pages' release allocates memory, and the workqueue that
 * does it has a rescuer, so there is something to wait for.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/notifier.h>
#include <linux/oom.h>

#include "dxgkrnl.h"

#define DXG_OOM_WAIT_MS	1000

/* Processes whose address space or file has ended and that may still have pages. */
static atomic_t dxg_oom_ending;

/* Any context, any number of times for a process that has not ended. */
void dxg_oom_process_ending(struct dxg_process *process)
{
	if (!atomic_xchg(&process->ending, 1))
		atomic_inc(&dxg_oom_ending);
}

/* Its pages are free. After dxg_oom_process_ending(), once. */
void dxg_oom_process_ended(struct dxg_process *process)
{
	atomic_dec(&dxg_oom_ending);
}

static int dxg_oom_notify(struct notifier_block *notifier, unsigned long action, void *data)
{
	unsigned long end = jiffies + msecs_to_jiffies(DXG_OOM_WAIT_MS);
	s64 before = atomic64_read(&dxg_counts.pages);
	unsigned long *freed = data;
	s64 now = before;

	while (now >= before && atomic_read(&dxg_oom_ending) && time_before(jiffies, end)) {
		usleep_range(500, 1000);
		now = atomic64_read(&dxg_counts.pages);
	}
	if (now < before)
		*freed += before - now;
	return NOTIFY_OK;
}

static struct notifier_block dxg_oom_notifier = {
	.notifier_call = dxg_oom_notify,
};

int dxg_oom_init(void)
{
	return register_oom_notifier(&dxg_oom_notifier);
}

void dxg_oom_exit(void)
{
	unregister_oom_notifier(&dxg_oom_notifier);
}
