// SPDX-License-Identifier: GPL-2.0
/*
 * NTSTATUS and errno.
 *
 * The classic 'G' calls have only an errno to say what went wrong, so this
 * table is part of the interface; the library has the inverse (wddm-abi section 6).
 */
#include <linux/errno.h>

#include "dxgkrnl.h"

static const struct {
	NTSTATUS status;
	int error;
} dxg_status_table[] = {
	{ STATUS_INVALID_PARAMETER,		EINVAL },
	{ STATUS_DEVICE_REMOVED,		ENODEV },
	{ STATUS_NO_MEMORY,			ENOMEM },
	{ STATUS_ACCESS_VIOLATION,		EFAULT },
	{ STATUS_BUFFER_TOO_SMALL,		EOVERFLOW },
	{ STATUS_NOT_SUPPORTED,			EPERM },
	{ STATUS_DEVICE_BUSY,			EBUSY },
	{ STATUS_CANCELLED,			EINTR },
	{ STATUS_INVALID_HANDLE,		EBADF },
	{ STATUS_ACCESS_DENIED,			EACCES },
	{ STATUS_ILLEGAL_INSTRUCTION,		EOPNOTSUPP },
	{ STATUS_OBJECT_TYPE_MISMATCH,		EPROTOTYPE },
	{ STATUS_OBJECT_NAME_INVALID,		ENOENT },
	{ STATUS_OBJECT_NAME_COLLISION,		EEXIST },
	{ STATUS_INSUFFICIENT_RESOURCES,	ENOSPC },
	{ STATUS_GRAPHICS_ALLOCATION_BUSY,	EINPROGRESS },
	/* Only in this direction: the inverse takes the first match above. */
	{ STATUS_OBJECT_NAME_NOT_FOUND,		ENOENT },
	{ STATUS_NOT_IMPLEMENTED,		EPERM },
	{ STATUS_GRAPHICS_NO_VIDEO_MEMORY,	ENOMEM },
};

int dxg_status_to_errno(NTSTATUS status)
{
	unsigned int i;

	if (NT_SUCCESS(status))
		return status;

	for (i = 0; i < ARRAY_SIZE(dxg_status_table); i++) {
		if (dxg_status_table[i].status == status)
			return -dxg_status_table[i].error;
	}
	return -EINVAL;
}

NTSTATUS dxg_errno_to_status(int error)
{
	unsigned int i;

	if (!error)
		return STATUS_SUCCESS;

	for (i = 0; i < ARRAY_SIZE(dxg_status_table); i++) {
		if (dxg_status_table[i].error == -error)
			return dxg_status_table[i].status;
	}
	return STATUS_UNSUCCESSFUL;
}
