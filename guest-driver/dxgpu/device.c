// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: devices. The hardware knows none; a device is where contexts find
 * their process.
 */
#include <linux/slab.h>
#include "process.h"

/* DxgkDdiCreateDevice: NO_MEMORY; INVALID_PARAMETER without a process. */
NTSTATUS dxgpu_create_device(HANDLE hadapter, DXGKARG_CREATEDEVICE *args)
{
	struct dxgpu_device *device;

	if (!args->hKmdProcess)
		return STATUS_INVALID_PARAMETER;
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		return STATUS_NO_MEMORY;
	device->process = args->hKmdProcess;
	args->hDevice = device;
	return STATUS_SUCCESS;
}

/* DxgkDdiDestroyDevice: its contexts are destroyed before. */
NTSTATUS dxgpu_destroy_device(HANDLE hdevice)
{
	kfree(hdevice);
	return STATUS_SUCCESS;
}
