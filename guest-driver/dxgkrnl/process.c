// SPDX-License-Identifier: GPL-2.0
/*
 * Processes: one per open file, bound to the address space that opened it.
 *
 * Handles, mappings and calls belong to that mm; a descriptor that was passed on
 * or inherited is good for nothing but keeping the objects (OBJ-16, FH-26). The
 * mm's end is learnt from an mmu notifier, because with such a descriptor around
 * the file's release may be far away. What the file may have is counted over all files
 * of the mm, and over all of the user (quota.c).
 */
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "dxgkrnl.h"
#include "trace.h"

/*
 * How long the end of an address space waits for the file's release, which
 * normally follows at once and does the same and more.
 */
#define DXG_MM_EXIT_DELAY_MS	100

static void dxg_process_free(struct kref *kref)
{
	struct dxg_process *process = container_of(kref, struct dxg_process, kref);

	dxg_handle_table_destroy(&process->handles);
	if (process->dummy) {
		__free_page(process->dummy);
		atomic64_dec(&dxg_counts.pages);
	}
	dxg_quota_close(process);
	mmdrop(process->mm);
	kfree(process);
	atomic_dec(&dxg_counts.processes);
}

struct dxg_process *dxg_process_get(struct dxg_process *process)
{
	kref_get(&process->kref);
	return process;
}

void dxg_process_put(struct dxg_process *process)
{
	kref_put(&process->kref, dxg_process_free);
}

/* Is the caller a thread of the process that opened the file? */
bool dxg_process_owns_mm(struct dxg_process *process)
{
	return current->mm == process->mm;
}

/* Is a fatal signal ending this very process, as far as the running task can tell? */
static bool dxg_process_being_killed(const struct dxg_process *process)
{
	return (current->flags & PF_EXITING) && task_tgid_nr(current) == process->pid &&
	       (current->exit_code & 0x7f);
}

static void dxg_notifier_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct dxg_process *process = container_of(notifier, struct dxg_process, notifier);

	if (READ_ONCE(process->closing))
		return;
	if (dxg_process_being_killed(process))
		WRITE_ONCE(process->killed, true);
	dxg_oom_process_ending(process);
	queue_delayed_work(dxg_exit_wq, &process->mm_exit_work,
			   msecs_to_jiffies(DXG_MM_EXIT_DELAY_MS));
}

static const struct mmu_notifier_ops dxg_notifier_ops = {
	.release = dxg_notifier_release,
};

/**
 * dxg_process_create() - for an open of /dev/dxg
 *
 * Return: the process, or ERR_PTR(-ENOMEM, -EINTR, -EMFILE beyond max_files).
 */
struct dxg_process *dxg_process_create(void)
{
	struct dxg_process *process;
	int ret;

	process = kzalloc(sizeof(*process), GFP_KERNEL_ACCOUNT);
	if (!process)
		return ERR_PTR(-ENOMEM);
	process->mm = current->mm;
	process->pid = task_tgid_nr(current);
	ret = dxg_quota_open(process);
	if (ret) {
		kfree(process);
		return ERR_PTR(ret);
	}
	mmgrab(process->mm);
	atomic_inc(&dxg_counts.processes);
	kref_init(&process->kref);
	get_task_comm(process->comm, current->group_leader);
	dxg_handle_table_init(&process->handles);
	mutex_init(&process->lock);
	mutex_init(&process->map_lock);
	INIT_LIST_HEAD(&process->adapters);
	INIT_DELAYED_WORK(&process->mm_exit_work, dxg_process_mm_exit_work);
	INIT_WORK(&process->teardown_work, dxg_process_teardown_work);

	ret = -ENOMEM;
	process->dummy = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!process->dummy)
		goto err_put;
	atomic64_inc(&dxg_counts.pages);

	process->map_file = dxg_mapping_file(process);
	if (IS_ERR(process->map_file)) {
		ret = PTR_ERR(process->map_file);
		goto err_put;
	}
	process->notifier.ops = &dxg_notifier_ops;
	ret = mmu_notifier_register(&process->notifier, process->mm);
	if (ret)
		goto err_fput;
	trace_dxg_process_open(process->pid, 0);
	return process;

err_fput:
	fput(process->map_file);
err_put:
	dxg_process_put(process);
	return ERR_PTR(ret);
}

/* The end, as far as it needs the exiting task: what kind of end it is, and no more notices. */
void dxg_process_release(struct dxg_process *process)
{
	WRITE_ONCE(process->closing, true);
	dxg_oom_process_ending(process);
	if (dxg_process_being_killed(process))
		process->killed = true;
	mmu_notifier_unregister(&process->notifier, process->mm);
	cancel_delayed_work_sync(&process->mm_exit_work);
}
