// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: what the wrong KMD is told to do. Not part of what there is to learn here.
 *
 * With misbehave=1 the table's functions are wrapped, and orders are taken from the
 * parameter "orders", at load or later:
 *
 *   echo 'ConnectDoorbell=status:0xc0000001*1' > /sys/module/dxgnull/parameters/orders
 *
 *   FUNCTION=ACTION[:VALUE][*COUNT][@SKIP], several with spaces in between; every
 *   writing replaces those before it, an empty one withdraws all. FUNCTION is a DDI name
 *   without DxgkDdi, or CbDisconnectDoorbell. The first SKIP calls are served well, then
 *   COUNT calls obey (all, if it is not given). Actions:
 *
 *   status:N		returns N at once and does nothing
 *   claims:N		does its work and returns N
 *   null		returns SUCCESS with a null handle and has made nothing (DDI-CD-7)
 *   late:MS		does its work MS ms late
 *   hold		does its work when the orders are written the next time
 *   linger		ConnectDoorbell: does its work, and returns when the orders are written
 *			the next time
 *   silent		SuspendContext: suspends, answers PENDING, acknowledges never
 *   stale		SuspendContext: an acknowledgment of an older fence first (DDI-SC-2)
 *   bind		CreateDoorbell: takes a slot (ILL-1)
 *   data:N		CreateDoorbell: N into the first word of the private data
 *   place:N		CreateDoorbell: N as the doorbell's place in its page (KMT-CD-19)
 *   address		ConnectDoorbell: an address outside of the aperture (DDI-CN-6)
 *   below		ConnectDoorbell: the page before the aperture
 *   kernel		ConnectDoorbell: a page of the miniport's own memory
 *   misaligned		ConnectDoorbell: an address inside of a slot
 *   same		ConnectDoorbell: the first slot's address, whatever the slot (DDI-CN-5)
 *   single		ConnectDoorbell: no secondary doorbell, where one is asked for (MOD-10)
 *   answer:N		ConnectDoorbell: N as the doorbell's status (DDI-CN-2)
 *   stranger		ConnectDoorbell: first a callback for a doorbell that is not the
 *			queue's (CB-DC-1)
 *   self		ConnectDoorbell: first a callback for this very doorbell (CB-DC-6)
 *   deputy		ConnectDoorbell: the same from a work item, for which it waits (CB-DC-6)
 *   worker:N		NotifyWorkSubmission: a work item disconnects the doorbell with
 *			reason N, before the call returns
 *   reset		NotifyWorkSubmission: a work item resets the adapter as a bus does, and is
 *			done with it when the orders are written the next time
 *   reason:N		CbDisconnectDoorbell: N as the reason (CB-DC-4)
 *   shared		QueryAdapterInfo: pages of doorbells are several processes' (MOD-9)
 *   bytes:N		QueryAdapterInfo: a doorbell of N bytes (DDI-QA-2)
 *   secondary:N	QueryAdapterInfo: secondary doorbells of N bytes, of which there are none
 *
 * The OS layer must survive all of them with the statuses that the semantics
 * give, and without a leak.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>
#include "misbehave.h"

const char * const dxgnull_function_names[DXGNULL_FUNCTIONS] = {
	[DXGNULL_ADD_DEVICE]		= "AddDevice",
	[DXGNULL_START_DEVICE]		= "StartDevice",
	[DXGNULL_STOP_DEVICE]		= "StopDevice",
	[DXGNULL_QUERY_ADAPTER_INFO]	= "QueryAdapterInfo",
	[DXGNULL_GET_NODE_METADATA]	= "GetNodeMetadata",
	[DXGNULL_CREATE_PROCESS]	= "CreateProcess",
	[DXGNULL_DESTROY_PROCESS]	= "DestroyProcess",
	[DXGNULL_CREATE_DEVICE]		= "CreateDevice",
	[DXGNULL_DESTROY_DEVICE]	= "DestroyDevice",
	[DXGNULL_CREATE_CONTEXT]	= "CreateContext",
	[DXGNULL_DESTROY_CONTEXT]	= "DestroyContext",
	[DXGNULL_CREATE_HWQUEUE]	= "CreateHwQueue",
	[DXGNULL_DESTROY_HWQUEUE]	= "DestroyHwQueue",
	[DXGNULL_CREATE_ALLOCATION]	= "CreateAllocation",
	[DXGNULL_DESTROY_ALLOCATION]	= "DestroyAllocation",
	[DXGNULL_BUILD_PAGING_BUFFER]	= "BuildPagingBuffer",
	[DXGNULL_CREATE_DOORBELL]	= "CreateDoorbell",
	[DXGNULL_CONNECT_DOORBELL]	= "ConnectDoorbell",
	[DXGNULL_DISCONNECT_DOORBELL]	= "DisconnectDoorbell",
	[DXGNULL_DESTROY_DOORBELL]	= "DestroyDoorbell",
	[DXGNULL_NOTIFY_WORK_SUBMISSION] = "NotifyWorkSubmission",
	[DXGNULL_SUSPEND_CONTEXT]	= "SuspendContext",
	[DXGNULL_RESUME_CONTEXT]	= "ResumeContext",
	[DXGNULL_RESET_HW_ENGINE]	= "ResetHwEngine",
	[DXGNULL_RESUME_HW_ENGINE]	= "ResumeHwEngine",
	[DXGNULL_RESET_FROM_TIMEOUT]	= "ResetFromTimeout",
	[DXGNULL_RESTART_FROM_TIMEOUT]	= "RestartFromTimeout",
	[DXGNULL_SET_POWER_STATE]	= "SetPowerState",
	[DXGNULL_CB_DISCONNECT_DOORBELL] = "CbDisconnectDoorbell",
};

static const char * const dxgnull_action_names[] = {
	[DXGNULL_OBEY]		= "obey",
	[DXGNULL_STATUS]	= "status",
	[DXGNULL_CLAIMS]	= "claims",
	[DXGNULL_NULL]		= "null",
	[DXGNULL_LATE]		= "late",
	[DXGNULL_HOLD]		= "hold",
	[DXGNULL_LINGER]	= "linger",
	[DXGNULL_SILENT]	= "silent",
	[DXGNULL_STALE]		= "stale",
	[DXGNULL_BIND]		= "bind",
	[DXGNULL_DATA]		= "data",
	[DXGNULL_PLACE]		= "place",
	[DXGNULL_ADDRESS]	= "address",
	[DXGNULL_BELOW]		= "below",
	[DXGNULL_KERNEL]	= "kernel",
	[DXGNULL_MISALIGNED]	= "misaligned",
	[DXGNULL_SAME]		= "same",
	[DXGNULL_SINGLE]	= "single",
	[DXGNULL_ANSWER]	= "answer",
	[DXGNULL_STRANGER]	= "stranger",
	[DXGNULL_SELF]		= "self",
	[DXGNULL_DEPUTY]	= "deputy",
	[DXGNULL_WORKER]	= "worker",
	[DXGNULL_RESET]		= "reset",
	[DXGNULL_REASON]	= "reason",
	[DXGNULL_SHARED]	= "shared",
	[DXGNULL_BYTES]		= "bytes",
	[DXGNULL_SECONDARY]	= "secondary",
};

/* A test that dies while it holds a call leaves a machine that can be stopped. */
#define DXGNULL_HOLD_TIMEOUT	(60 * HZ)

static DEFINE_SPINLOCK(dxgnull_orders_lock);
static struct dxgnull_order dxgnull_orders[DXGNULL_FUNCTIONS];
static u32 dxgnull_orders_written;
static DECLARE_WAIT_QUEUE_HEAD(dxgnull_orders_changed);

/* Cuts the number off that follows @mark in @word; false if it is no number. */
static bool dxgnull_order_number(char *word, char mark, u32 *value)
{
	char *number = strchr(word, mark);

	if (!number)
		return true;
	*number++ = 0;
	return !kstrtou32(number, 0, value);
}

static int dxgnull_order_parse(char *word, struct dxgnull_order *orders)
{
	char *action = strchr(word, '=');
	struct dxgnull_order order = { };
	int function, index;

	if (!action)
		return -EINVAL;
	*action++ = 0;
	if (!dxgnull_order_number(action, '@', &order.skip) ||
	    !dxgnull_order_number(action, '*', &order.left) ||
	    !dxgnull_order_number(action, ':', &order.value))
		return -EINVAL;
	function = match_string(dxgnull_function_names, DXGNULL_FUNCTIONS, word);
	index = match_string(dxgnull_action_names, ARRAY_SIZE(dxgnull_action_names), action);
	if (function < 0 || index < 0)
		return -EINVAL;
	order.action = index;
	orders[function] = order;
	return 0;
}

static int dxgnull_orders_set(const char *text, const struct kernel_param *kp)
{
	struct dxgnull_order orders[DXGNULL_FUNCTIONS] = { };
	char *copy, *rest, *word;
	int ret = 0;

	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = strim(copy);
	while (!ret && (word = strsep(&rest, " "))) {
		if (*word)
			ret = dxgnull_order_parse(word, orders);
	}
	kfree(copy);
	if (ret)
		return ret;
	spin_lock(&dxgnull_orders_lock);
	memcpy(dxgnull_orders, orders, sizeof(orders));
	WRITE_ONCE(dxgnull_orders_written, dxgnull_orders_written + 1);
	spin_unlock(&dxgnull_orders_lock);
	wake_up_all(&dxgnull_orders_changed);
	return 0;
}

static const struct kernel_param_ops dxgnull_orders_ops = {
	.set = dxgnull_orders_set,
};

module_param_cb(orders, &dxgnull_orders_ops, NULL, 0200);
MODULE_PARM_DESC(orders, "FUNCTION=ACTION[:VALUE][*COUNT][@SKIP] ..., see orders.c");

/* The order for this call. */
struct dxgnull_order dxgnull_order_take(enum dxgnull_function function)
{
	struct dxgnull_order *place = &dxgnull_orders[function];
	struct dxgnull_order order = { };

	spin_lock(&dxgnull_orders_lock);
	if (place->skip) {
		place->skip--;
	} else {
		order = *place;
		if (place->left && !--place->left)
			place->action = DXGNULL_OBEY;
	}
	order.written = dxgnull_orders_written;
	spin_unlock(&dxgnull_orders_lock);
	return order;
}

/* Sleeps until there are other orders than those that @order was taken from. */
void dxgnull_order_hold(const struct dxgnull_order *order)
{
	wait_event_timeout(dxgnull_orders_changed,
			   READ_ONCE(dxgnull_orders_written) != order->written,
			   DXGNULL_HOLD_TIMEOUT);
}
