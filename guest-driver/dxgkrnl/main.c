// SPDX-License-Identifier: GPL-2.0
/*
 * The module: parameters, the misc device, and what lives as long as it does.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "dxgkrnl.h"

unsigned int dxg_tdr_timeout_ms = 2000;
module_param_named(tdr_timeout_ms, dxg_tdr_timeout_ms, uint, 0644);
MODULE_PARM_DESC(tdr_timeout_ms,
		 "wait for a context's suspension, or without progress at process end, before the adapter is reset (ms, default 2000)");

unsigned int dxg_max_files = 256;
module_param_named(max_files, dxg_max_files, uint, 0644);
MODULE_PARM_DESC(max_files,
		 "open files, and so GPU address spaces, per process; here and below a user may have three times as many (default 256)");

unsigned int dxg_max_contexts = 1024;
module_param_named(max_contexts, dxg_max_contexts, uint, 0644);
MODULE_PARM_DESC(max_contexts, "contexts per process (default 1024)");

unsigned int dxg_max_queues = 1024;
module_param_named(max_queues, dxg_max_queues, uint, 0644);
MODULE_PARM_DESC(max_queues, "hardware queues, and so doorbells, per process (default 1024)");

unsigned int dxg_max_handles = 65536;
module_param_named(max_handles, dxg_max_handles, uint, 0644);
MODULE_PARM_DESC(max_handles, "handles per process (default 65536)");

unsigned int dxg_max_pinned_mb = 256;
module_param_named(max_pinned_mb, dxg_max_pinned_mb, uint, 0644);
MODULE_PARM_DESC(max_pinned_mb, "memory of a process's allocations (MiB, default 256)");

unsigned int dxg_max_gpu_ranges = 16384;
module_param_named(max_gpu_ranges, dxg_max_gpu_ranges, uint, 0644);
MODULE_PARM_DESC(max_gpu_ranges, "reservations and mappings of GPU addresses per process (default 16384)");

struct workqueue_struct *dxg_wq;
/* Ends of processes: seconds if work is left, and nothing else shall wait for them (FH-27). */
struct workqueue_struct *dxg_exit_wq;

static struct miscdevice dxg_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "dxg",
	.fops	= &dxg_fops,
	/* As on WSL: every user may compute; what a process may do is bounded by quotas. */
	.mode	= 0666,
};

static int __init dxg_init(void)
{
	int ret = -ENOMEM;

	dxg_wq = alloc_workqueue("dxgkrnl", WQ_UNBOUND, 0);
	if (!dxg_wq)
		return -ENOMEM;
	/* It frees memory, and so must not wait for any. */
	dxg_exit_wq = alloc_workqueue("dxgkrnl-exit", WQ_UNBOUND | WQ_MEM_RECLAIM, WQ_MAX_ACTIVE);
	if (!dxg_exit_wq)
		goto err_wq;
	ret = dxg_mapping_init();
	if (ret)
		goto err_exit_wq;
	ret = dxg_oom_init();
	if (ret)
		goto err_mapping;
	dxg_debugfs_init();
	ret = misc_register(&dxg_misc);
	if (ret)
		goto err_debugfs;
	return 0;

err_debugfs:
	dxg_debugfs_exit();
	dxg_oom_exit();
err_mapping:
	dxg_mapping_exit();
err_exit_wq:
	destroy_workqueue(dxg_exit_wq);
err_wq:
	destroy_workqueue(dxg_wq);
	return ret;
}

static void __exit dxg_exit(void)
{
	misc_deregister(&dxg_misc);
	dxg_debugfs_exit();
	dxg_oom_exit();
	destroy_workqueue(dxg_exit_wq);
	destroy_workqueue(dxg_wq);
	dxg_quota_exit();
	dxg_mapping_exit();
	xa_destroy(&dxg_ids);
}

module_init(dxg_init);
module_exit(dxg_exit);

MODULE_DESCRIPTION("OS layer of WDDM user-mode work submission");
MODULE_LICENSE("GPL");
