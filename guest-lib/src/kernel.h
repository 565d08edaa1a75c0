/* SPDX-License-Identifier: MIT */
/*
 * The way into the kernel: /dev/dxg, opened once per process, on first use.
 *
 * Nothing happens at load time. An "instance" is one opening of the node by one
 * process. Its number and file descriptor lie together in one word on a page that
 * the kernel wipes in a child (MADV_WIPEONFORK), so a child starts without an
 * instance, whatever made it, and finds out with one load. Rejected: comparing
 * getpid(), a system call in the submission path; pthread_atfork(), which a raw
 * clone() goes past; a mutex around opening, which may be held during a fork.
 */
#ifndef DXG_SRC_KERNEL_H
#define DXG_SRC_KERNEL_H

#include <dxg/ntstatus.h>
#include "error.h"

enum dxg_call_mode {
	DXG_CALL_WITH_HANDLE,	/* needs an instance: without one no handle can be right */
	DXG_CALL_MAY_OPEN,	/* enumerating and opening: makes an instance if there is none */
};

/*
 * Calls the driver; a call that a signal interrupts is repeated. A positive result
 * is a success status. Without an instance, STATUS_INVALID_PARAMETER (UMD-11).
 */
NTSTATUS dxg_kernel_call(unsigned long request, void *args, enum dxg_call_mode mode);

/* The number of this process's instance, 0 if it has none. Never the same in a child. */
UINT dxg_kernel_instance(void);

/*
 * The body of a D3DKMT function of a 'G' call: the caller's structure is the
 * kernel's (layout.c proves it). The rest is what the error text shall name.
 */
#define DXG_THUNK(request, mode, args, format, ...)				\
	(!(args) ? dxg_report(STATUS_INVALID_PARAMETER,			\
			      "%s: the argument is NULL", __func__) :		\
	 dxg_report(dxg_kernel_call(request, (void *)(args), mode),		\
		    "%s: " format, __func__, ##__VA_ARGS__))

#endif /* DXG_SRC_KERNEL_H */
