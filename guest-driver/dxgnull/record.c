// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: the record of the calls that the OS layer makes. Not part of what there is
 * to learn here.
 *
 * With misbehave=1 /sys/kernel/debug/dxgnull/calls has two lines of key=value pairs for
 * each call of a wrapped function and for each DxgkCbDisconnectDoorbell:
 *
 *   enter FUNCTION tid=T passive=P ARGUMENTS	as the callee found them
 *   leave FUNCTION tid=T status=S RESULTS	what the caller gets
 *
 * The lines stand in the order in which things happened; a thread's calls are nested.
 * passive: could the caller sleep? Handles are numbers. Writing to the file empties it.
 * What no longer fits is counted, in a last line "lost calls=N".
 *
 * Rejected: trace events. A ring of the kernel's that drops the oldest lines
 * would let a test see a call end that never began.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include "misbehave.h"

#define DXGNULL_RECORD_BYTES	(2u << 20)
#define DXGNULL_LINE_BYTES	320u

static DEFINE_MUTEX(dxgnull_record_lock);
/* dxgnull_record_lock, all of them. */
static char *dxgnull_record;		/* NULL: misbehave=0, or no memory */
static size_t dxgnull_record_bytes;
static unsigned int dxgnull_record_lost;
static struct dentry *dxgnull_record_folder;

static void dxgnull_record_line(const char *word, enum dxgnull_function function,
				const char *result, struct va_format *rest)
{
	mutex_lock(&dxgnull_record_lock);
	/* The last line's place is kept for the count of what is lost. */
	if (dxgnull_record && DXGNULL_RECORD_BYTES - dxgnull_record_bytes >=
	    2 * DXGNULL_LINE_BYTES)
		dxgnull_record_bytes += scnprintf(dxgnull_record + dxgnull_record_bytes,
						  DXGNULL_LINE_BYTES, "%s %s tid=%d %s %pV\n",
						  word, dxgnull_function_names[function],
						  task_pid_nr(current), result, rest);
	else
		dxgnull_record_lost++;
	mutex_unlock(&dxgnull_record_lock);
}

/**
 * dxgnull_begin() - a call of a wrapped function
 * @function: which
 * @format: its arguments, key=value
 *
 * Return: what to make of it. Lateness is over.
 */
struct dxgnull_order dxgnull_begin(enum dxgnull_function function, const char *format, ...)
{
	/* Before anything here can sleep. */
	const char *passive = preemptible() ? "passive=1" : "passive=0";
	struct va_format rest = { .fmt = format };
	struct dxgnull_order order;
	va_list arguments;

	va_start(arguments, format);
	rest.va = &arguments;
	dxgnull_record_line("enter", function, passive, &rest);
	va_end(arguments);
	order = dxgnull_order_take(function);
	if (order.action == DXGNULL_LATE)
		msleep(order.value);
	if (order.action == DXGNULL_HOLD)
		dxgnull_order_hold(&order);
	return order;
}

/**
 * dxgnull_end() - its end
 * @function: which
 * @order: from dxgnull_begin()
 * @status: what it has come to
 * @format: its results, key=value
 *
 * Return: what it says it has come to.
 */
NTSTATUS dxgnull_end(enum dxgnull_function function, const struct dxgnull_order *order,
		     NTSTATUS status, const char *format, ...)
{
	struct va_format rest = { .fmt = format };
	va_list arguments;
	char result[24];

	if (order->action == DXGNULL_CLAIMS)
		status = order->value;
	scnprintf(result, sizeof(result), "status=%#x", (u32)status);
	va_start(arguments, format);
	rest.va = &arguments;
	dxgnull_record_line("leave", function, result, &rest);
	va_end(arguments);
	return status;
}

/* The same where there is no result but the status. */
NTSTATUS dxgnull_end_void(enum dxgnull_function function, const struct dxgnull_order *order,
			  NTSTATUS status)
{
	return dxgnull_end(function, order, status, "%s", "");
}

static ssize_t dxgnull_record_read(struct file *file, char __user *to, size_t bytes, loff_t *at)
{
	ssize_t ret;

	mutex_lock(&dxgnull_record_lock);
	if (dxgnull_record_lost &&
	    DXGNULL_RECORD_BYTES - dxgnull_record_bytes >= DXGNULL_LINE_BYTES) {
		dxgnull_record_bytes += scnprintf(dxgnull_record + dxgnull_record_bytes,
						  DXGNULL_LINE_BYTES, "lost calls=%u\n",
						  dxgnull_record_lost);
		dxgnull_record_lost = 0;
	}
	ret = simple_read_from_buffer(to, bytes, at, dxgnull_record, dxgnull_record_bytes);
	mutex_unlock(&dxgnull_record_lock);
	return ret;
}

static ssize_t dxgnull_record_write(struct file *file, const char __user *from, size_t bytes,
				    loff_t *at)
{
	mutex_lock(&dxgnull_record_lock);
	dxgnull_record_bytes = 0;
	dxgnull_record_lost = 0;
	mutex_unlock(&dxgnull_record_lock);
	return bytes;
}

static const struct file_operations dxgnull_record_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= dxgnull_record_read,
	.write	= dxgnull_record_write,
	.llseek	= default_llseek,
};

/* 0 or -ENOMEM. */
int dxgnull_record_init(void)
{
	dxgnull_record = kvmalloc(DXGNULL_RECORD_BYTES, GFP_KERNEL);
	if (!dxgnull_record)
		return -ENOMEM;
	dxgnull_record_folder = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("calls", 0600, dxgnull_record_folder, NULL, &dxgnull_record_fops);
	return 0;
}

/* No call comes any more. */
void dxgnull_record_exit(void)
{
	debugfs_remove(dxgnull_record_folder);
	kvfree(dxgnull_record);
}
