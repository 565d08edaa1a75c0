// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/dxg: open, release, and the one dispatcher of all calls.
 *
 * A call is looked up by its whole number; the arguments are copied in once, the
 * function works on the copy, and results are copied out last. 'G' calls answer by errno,
 * 'X' calls by header.status (uapi/dxg.h). A user's mistake is never logged. Words that
 * are mere padding in the D3DKMT structure are not looked at: a C compiler may leave
 * anything there.
 *
 * If results cannot be copied out, what was created is destroyed again (KMT-0.5). Other
 * effects cannot be taken back, so these calls write the structure once before they do
 * anything, as it was, and fail then (KMT-0.3). A 'G' call that answers by errno alone
 * writes nothing. What is left is a process that unmaps its own arguments during a
 * call: it gets ACCESS_VIOLATION and the effect.
 *
 * mmap of this file is refused: mappings are made by create calls (MAP-1).
 */
#include <linux/fs.h>
#include <linux/slab.h>

#include "dxgkrnl.h"

#define DXG_ARGS_MAX_BYTES	128

enum dxg_answer {
	DXG_ANSWER_UNDONE,		/* what was created goes if the answer cannot be given */
	DXG_ANSWER_PROBED,		/* tried before anything is done */
	DXG_ANSWER_NONE,		/* the structure is not written */
};

struct dxg_ioctl {
	unsigned int cmd;
	s32 (*fn)(struct dxg_call *call); /* NTSTATUS */
	enum dxg_answer answer;
	enum dxg_type type;		/* for dxg_destroy_by_handle() */
	bool entry;			/* libdxg reopens the device if it answers ENOTTY */
};

static const struct dxg_ioctl dxg_ioctls[] = {
	{ LX_DXOPENADAPTERFROMLUID, dxg_open_adapter_from_luid, .entry = true },
	{ LX_DXCREATEDEVICE, dxg_create_device },
	{ LX_DXCREATECONTEXTVIRTUAL, dxg_create_context_virtual },
	{ LX_DXDESTROYCONTEXT, dxg_destroy_by_handle, DXG_ANSWER_NONE, DXG_TYPE_CONTEXT },
	{ LX_DXCREATEALLOCATION, dxg_create_allocation },
	{ LX_DXCREATEPAGINGQUEUE, dxg_create_paging_queue },
	{ LX_DXRESERVEGPUVIRTUALADDRESS, dxg_reserve_gpu_va, DXG_ANSWER_PROBED },
	{ LX_DXQUERYADAPTERINFO, dxg_query_adapter_info },
	{ LX_DXMAKERESIDENT, dxg_make_resident, DXG_ANSWER_PROBED },
	{ LX_DXMAPGPUVIRTUALADDRESS, dxg_map_gpu_va, DXG_ANSWER_PROBED },
	{ LX_DXGETDEVICESTATE, dxg_get_device_state },
	{ LX_DXDESTROYALLOCATION2, dxg_destroy_allocation2, DXG_ANSWER_NONE },
	{ LX_DXENUMADAPTERS2, dxg_enum_adapters2, .entry = true },
	{ LX_DXCLOSEADAPTER, dxg_destroy_by_handle, DXG_ANSWER_NONE, DXG_TYPE_ADAPTER },
	{ LX_DXCREATEHWQUEUE, dxg_create_hwqueue },
	{ LX_DXDESTROYDEVICE, dxg_destroy_by_handle, DXG_ANSWER_NONE, DXG_TYPE_DEVICE },
	{ LX_DXDESTROYHWQUEUE, dxg_destroy_by_handle, DXG_ANSWER_NONE, DXG_TYPE_HWQUEUE },
	{ LX_DXDESTROYPAGINGQUEUE, dxg_destroy_by_handle, DXG_ANSWER_NONE, DXG_TYPE_PAGING_QUEUE },
	{ LX_DXDESTROYSYNCHRONIZATIONOBJECT, dxg_destroy_by_handle, DXG_ANSWER_NONE,
	  DXG_TYPE_FENCE },
	{ LX_DXEVICT, dxg_evict, DXG_ANSWER_PROBED },
	{ LX_DXFREEGPUVIRTUALADDRESS, dxg_free_gpu_va, DXG_ANSWER_NONE },
	{ LX_DXLOCK2, dxg_lock2, DXG_ANSWER_PROBED },
	{ LX_DXSUBMITCOMMANDTOHWQUEUE, dxg_submit_command, DXG_ANSWER_NONE },
	{ LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE, dxg_submit_signal, DXG_ANSWER_NONE },
	{ LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE, dxg_submit_wait, DXG_ANSWER_NONE },
	{ LX_DXUNLOCK2, dxg_unlock2, DXG_ANSWER_NONE },
	{ LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, dxg_wait_from_cpu, DXG_ANSWER_NONE },
	{ LX_DXENUMADAPTERS3, dxg_enum_adapters3, .entry = true },
	{ DXG_CREATEDOORBELL, dxg_create_doorbell },
	{ DXG_CONNECTDOORBELL, dxg_connect_doorbell, DXG_ANSWER_PROBED },
	{ DXG_DESTROYDOORBELL, dxg_destroy_doorbell, DXG_ANSWER_PROBED },
	{ DXG_NOTIFYWORKSUBMISSION, dxg_notify_work_submission, DXG_ANSWER_PROBED },
};

NTSTATUS dxg_copy_in(void *to, u64 user, size_t size)
{
	return copy_from_user(to, u64_to_user_ptr(user), size) ? STATUS_ACCESS_VIOLATION :
								 STATUS_SUCCESS;
}

NTSTATUS dxg_copy_out(u64 user, const void *from, size_t size)
{
	return copy_to_user(u64_to_user_ptr(user), from, size) ? STATUS_ACCESS_VIOLATION :
								 STATUS_SUCCESS;
}

/**
 * dxg_copy_private() - a kernel copy of private driver data
 * @user: address, not looked at if @size is 0
 * @size: bytes
 * @max: most that is accepted
 * @out: kfree() it; NULL if @size is 0
 *
 * Return: INVALID_PARAMETER beyond @max, ACCESS_VIOLATION, NO_MEMORY.
 */
NTSTATUS dxg_copy_private(u64 user, u32 size, u32 max, void **out)
{
	void *data;

	*out = NULL;
	if (!size)
		return STATUS_SUCCESS;
	if (size > max)
		return STATUS_INVALID_PARAMETER;
	data = memdup_user(u64_to_user_ptr(user), size);
	if (IS_ERR(data))
		return dxg_errno_to_status(PTR_ERR(data));
	*out = data;
	return STATUS_SUCCESS;
}

static void dxg_destroy_handle(struct dxg_process *process, u32 handle)
{
	struct dxg_object *obj = dxg_handle_get_any(process, handle);

	if (obj)
		dxg_destroy_object(obj);
	dxg_object_put(obj);
}

/* The end of a call; if it failed, of what it created too. */
static void dxg_call_end(struct dxg_call *call, bool failed)
{
	u32 i;

	if (failed && call->created)
		dxg_destroy_handle(call->process, call->created);
	for (i = 0; failed && i < call->created_count; i++)
		dxg_destroy_handle(call->process, call->created_list[i]);
	kvfree(call->created_list);
}

static const struct dxg_ioctl *dxg_ioctl_find(unsigned int cmd)
{
	const struct dxg_ioctl *ioctl;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxg_ioctls); i++) {
		ioctl = &dxg_ioctls[i];
		if (ioctl->cmd == cmd)
			return ioctl;
		/* A larger 'X' structure is another number for the same call. */
		if (_IOC_TYPE(cmd) == DXG_IOCTL_TYPE_X &&
		    _IOC_TYPE(ioctl->cmd) == DXG_IOCTL_TYPE_X &&
		    _IOC_NR(cmd) == _IOC_NR(ioctl->cmd) && _IOC_DIR(cmd) == _IOC_DIR(ioctl->cmd) &&
		    _IOC_SIZE(cmd) > _IOC_SIZE(ioctl->cmd))
			return ioctl;
	}
	return NULL;
}

/* Must the answer have a place now, and has none? */
static bool dxg_answer_probe(const struct dxg_ioctl *ioctl, void __user *user, const void *args)
{
	return ioctl->answer == DXG_ANSWER_PROBED &&
	       copy_to_user(user, args, _IOC_SIZE(ioctl->cmd));
}

static long dxg_ioctl_classic(const struct dxg_ioctl *ioctl, struct dxg_process *process,
			      void __user *user)
{
	u8 args[DXG_ARGS_MAX_BYTES] __aligned(8);
	struct dxg_call call = { .process = process, .args = args, .type = ioctl->type };
	size_t size = _IOC_SIZE(ioctl->cmd);
	NTSTATUS status;

	if (!dxg_process_owns_mm(process))
		return ioctl->entry ? -ENOTTY : -EINVAL;
	if (copy_from_user(args, user, size) || dxg_answer_probe(ioctl, user, args))
		return -EFAULT;

	status = ioctl->fn(&call);
	/* The number of adapters goes out with BUFFER_TOO_SMALL as well. */
	if (ioctl->answer != DXG_ANSWER_NONE &&
	    (NT_SUCCESS(status) || status == STATUS_BUFFER_TOO_SMALL) &&
	    copy_to_user(user, args, size))
		status = STATUS_ACCESS_VIOLATION;
	dxg_call_end(&call, !NT_SUCCESS(status));
	return dxg_status_to_errno(status);
}

/* The caller's structure has at least our size, and nothing beyond it (KMT-0.2). */
static NTSTATUS dxg_header_check(const struct dxg_call_header *header, size_t size,
				 const u8 __user *user)
{
	int zeroed;

	if (header->flags || header->reserved || header->size < size || header->size > PAGE_SIZE)
		return STATUS_INVALID_PARAMETER;
	if (header->size == size)
		return STATUS_SUCCESS;
	zeroed = check_zeroed_user(user + size, header->size - size);
	if (zeroed < 0)
		return STATUS_ACCESS_VIOLATION;
	return zeroed ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static long dxg_ioctl_extended(const struct dxg_ioctl *ioctl, struct dxg_process *process,
			       u8 __user *user)
{
	u8 args[DXG_ARGS_MAX_BYTES] __aligned(8);
	struct dxg_call call = { .process = process, .args = args, .type = ioctl->type };
	struct dxg_call_header *header = (struct dxg_call_header *)args;
	size_t size = _IOC_SIZE(ioctl->cmd);
	NTSTATUS status;
	bool fault;

	if (copy_from_user(args, user, size) || dxg_answer_probe(ioctl, user, args))
		return -EFAULT;

	if (dxg_process_owns_mm(process))
		status = dxg_header_check(header, size, user);
	else
		status = STATUS_INVALID_PARAMETER;
	if (NT_SUCCESS(status))
		status = ioctl->fn(&call);

	header->status = status;
	if (NT_SUCCESS(status))
		fault = copy_to_user(user, args, size);
	else
		fault = copy_to_user(user, header, sizeof(*header));
	dxg_call_end(&call, fault || !NT_SUCCESS(status));
	return fault ? -EFAULT : 0;
}

static long dxg_unlocked_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct dxg_ioctl *ioctl = dxg_ioctl_find(cmd);
	struct dxg_process *process = file->private_data;

	if (!ioctl)
		return -ENOTTY;
	if (_IOC_TYPE(cmd) == DXG_IOCTL_TYPE_X)
		return dxg_ioctl_extended(ioctl, process, (u8 __user *)arg);
	return dxg_ioctl_classic(ioctl, process, (void __user *)arg);
}

static int dxg_open(struct inode *inode, struct file *file)
{
	struct dxg_process *process;
	unsigned int i;

	BUILD_BUG_ON(sizeof(struct dxg_createdoorbell) > DXG_ARGS_MAX_BYTES);
	for (i = 0; i < ARRAY_SIZE(dxg_ioctls); i++) {
		if (WARN_ON_ONCE(_IOC_SIZE(dxg_ioctls[i].cmd) > DXG_ARGS_MAX_BYTES))
			return -EINVAL;
	}
	/* A kernel thread has no address space to bind to. */
	if (!current->mm)
		return -EINVAL;
	process = dxg_process_create();
	if (IS_ERR(process))
		return PTR_ERR(process);
	file->private_data = process;
	return nonseekable_open(inode, file);
}

static int dxg_release(struct inode *inode, struct file *file)
{
	dxg_process_teardown(file->private_data);
	return 0;
}

const struct file_operations dxg_fops = {
	.owner		= THIS_MODULE,
	.open		= dxg_open,
	.release	= dxg_release,
	.unlocked_ioctl	= dxg_unlocked_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};
