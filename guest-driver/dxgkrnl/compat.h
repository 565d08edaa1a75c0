/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that this module is built for (6.1 and
 * 6.12). Each entry names the upstream change that it bridges; the code
 * outside this file is written for the newer form.
 */
#ifndef _DXGKRNL_COMPAT_H
#define _DXGKRNL_COMPAT_H

#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/version.h>

/* 6.3, bc292ab00f6c: vm_flags became read-only outside vm_flags_*(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void dxg_vm_flags_mod(struct vm_area_struct *vma, unsigned long set,
				    unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#else
static inline void dxg_vm_flags_mod(struct vm_area_struct *vma, unsigned long set,
				    unsigned long clear)
{
	vm_flags_mod(vma, set, clear);
}
#endif

/* 6.8, 3652117f8548: eventfd_signal() lost its count, which was always 1. */
static inline void dxg_eventfd_signal(struct eventfd_ctx *event)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(event, 1);
#else
	eventfd_signal(event);
#endif
}

#endif /* _DXGKRNL_COMPAT_H */
