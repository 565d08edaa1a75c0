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
#include "access.h"
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
 * Statuses of an argument that is no structure, with their texts: function is the
 * caller's __func__.
 */
NTSTATUS dxg_null_argument(const char *function);
NTSTATUS dxg_bad_argument(const char *function, const void *args);

/*
 * The body of a D3DKMT function of a 'G' call: the caller's structure is the
 * kernel's (layout.c proves it), and nobody but the kernel looks into it unless the
 * call has failed. The rest is what the error text shall name; it may use fields of args.
 */
#define DXG_THUNK(request, mode, args, format, ...)				\
({										\
	NTSTATUS thunk_status;							\
										\
	if (!(args))								\
		thunk_status = dxg_null_argument(__func__);			\
	else									\
		thunk_status = dxg_kernel_call(request, (void *)(args), mode);	\
	if ((args) && !NT_SUCCESS(thunk_status)) {				\
		if (dxg_caller_readable(args, sizeof(*(args))))		\
			dxg_report(thunk_status, "%s: " format, __func__,	\
				   ##__VA_ARGS__);				\
		else								\
			thunk_status = dxg_bad_argument(__func__, args);	\
	}									\
	thunk_status;								\
})

#endif /* DXG_SRC_KERNEL_H */
