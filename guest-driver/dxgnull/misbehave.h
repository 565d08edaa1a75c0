/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dxgnull.ko: what the parts of the wrong KMD share. Not part of what there is to learn here.
 *
 *   orders.c		the parameter "orders"
 *   record.c		the calls that came, for a test to read
 *   misbehave.c	the table: adapters, objects, scheduling
 *   wrong_doorbell.c	the doorbell calls
 *
 * A wrapped function is dxgnull_begin(), what the order says, dxgnull_end().
 */
#ifndef _DXGNULL_MISBEHAVE_H
#define _DXGNULL_MISBEHAVE_H

#include "dxgnull.h"

enum dxgnull_function {
	DXGNULL_ADD_DEVICE,
	DXGNULL_START_DEVICE,
	DXGNULL_STOP_DEVICE,
	DXGNULL_QUERY_ADAPTER_INFO,
	DXGNULL_GET_NODE_METADATA,
	DXGNULL_CREATE_PROCESS,
	DXGNULL_DESTROY_PROCESS,
	DXGNULL_CREATE_DEVICE,
	DXGNULL_DESTROY_DEVICE,
	DXGNULL_CREATE_CONTEXT,
	DXGNULL_DESTROY_CONTEXT,
	DXGNULL_CREATE_HWQUEUE,
	DXGNULL_DESTROY_HWQUEUE,
	DXGNULL_CREATE_ALLOCATION,
	DXGNULL_DESTROY_ALLOCATION,
	DXGNULL_BUILD_PAGING_BUFFER,
	DXGNULL_CREATE_DOORBELL,
	DXGNULL_CONNECT_DOORBELL,
	DXGNULL_DISCONNECT_DOORBELL,
	DXGNULL_DESTROY_DOORBELL,
	DXGNULL_NOTIFY_WORK_SUBMISSION,
	DXGNULL_SUSPEND_CONTEXT,
	DXGNULL_RESUME_CONTEXT,
	DXGNULL_RESET_HW_ENGINE,
	DXGNULL_RESUME_HW_ENGINE,
	DXGNULL_RESET_FROM_TIMEOUT,
	DXGNULL_RESTART_FROM_TIMEOUT,
	DXGNULL_SET_POWER_STATE,
	DXGNULL_CB_DISCONNECT_DOORBELL,
	DXGNULL_FUNCTIONS
};

/* What the actions do, orders.c says. */
enum dxgnull_action {
	DXGNULL_OBEY,			/* no order: the function as it is */
	DXGNULL_STATUS,
	DXGNULL_CLAIMS,
	DXGNULL_NULL,
	DXGNULL_LATE,
	DXGNULL_HOLD,
	DXGNULL_LINGER,
	DXGNULL_SILENT,
	DXGNULL_STALE,
	DXGNULL_BIND,
	DXGNULL_DATA,
	DXGNULL_PLACE,
	DXGNULL_ADDRESS,
	DXGNULL_BELOW,
	DXGNULL_KERNEL,
	DXGNULL_MISALIGNED,
	DXGNULL_SAME,
	DXGNULL_SINGLE,
	DXGNULL_ANSWER,
	DXGNULL_STRANGER,
	DXGNULL_SELF,
	DXGNULL_DEPUTY,
	DXGNULL_WORKER,
	DXGNULL_RESET,
	DXGNULL_REASON,
	DXGNULL_SHARED,
	DXGNULL_BYTES,
	DXGNULL_SECONDARY,
};

struct dxgnull_order {
	enum dxgnull_action action;
	u32 value;
	u32 skip;			/* calls that come first and obey no order */
	u32 left;			/* calls; 0: all */
	u32 written;			/* how often there were orders before it was taken */
};

/* orders.c */
extern const char * const dxgnull_function_names[DXGNULL_FUNCTIONS];
struct dxgnull_order dxgnull_order_take(enum dxgnull_function function);
void dxgnull_order_hold(const struct dxgnull_order *order);

/* record.c */
int dxgnull_record_init(void);
void dxgnull_record_exit(void);
__printf(2, 3)
struct dxgnull_order dxgnull_begin(enum dxgnull_function function, const char *format, ...);
__printf(4, 5)
NTSTATUS dxgnull_end(enum dxgnull_function function, const struct dxgnull_order *order,
		     NTSTATUS status, const char *format, ...);
NTSTATUS dxgnull_end_void(enum dxgnull_function function, const struct dxgnull_order *order,
			  NTSTATUS status);

/* misbehave.c */
extern const DRIVER_INITIALIZATION_DATA *dxgnull_real;

/* wrong_doorbell.c */
void dxgnull_wrong_interface(DXGKRNL_INTERFACE *interface);
NTSTATUS dxgnull_wrong_create_doorbell(DXGKARG_CREATEDOORBELL *args);
NTSTATUS dxgnull_wrong_connect_doorbell(DXGKARG_CONNECTDOORBELL *args);
NTSTATUS dxgnull_wrong_disconnect_doorbell(const DXGKARG_DISCONNECTDOORBELL *args);
NTSTATUS dxgnull_wrong_destroy_doorbell(const DXGKARG_DESTROYDOORBELL *args);
NTSTATUS dxgnull_wrong_notify_work_submission(const DXGKARG_NOTIFYWORKSUBMISSION *args);
void dxgnull_wrong_doorbell_end(void);

/* A handle as text, of either side: handles of the other side mean nothing but themselves. */
static inline unsigned long dxgnull_number(const void *handle)
{
	return (unsigned long)handle;
}

#endif /* _DXGNULL_MISBEHAVE_H */
