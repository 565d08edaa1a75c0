// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: the command window.
 *
 * DOC: command window
 *
 * Arguments, then the opcode, then the result, all under command_lock. A
 * command is sent only to the generation of the hardware that its object lives
 * on. An asynchronous command has a fence as its last argument; the fences come
 * from one counter of the adapter that never goes back, not even over a reset,
 * so that an acknowledgment which an id's former owner left in the status
 * region can never be taken for a new one. They are chosen under the same lock
 * that sends them, so that values reach the device in order.
 *
 * Reading the result flushes every posted write on the way to the device; this
 * is step (b) of ORD-8.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include "command.h"
#include "process.h"

static unsigned int command_timeout_ms = 2000;
module_param(command_timeout_ms, uint, 0644);
MODULE_PARM_DESC(command_timeout_ms,
		 "longest wait for the acknowledgment of a command, in ms; engine or device are reset then");

/* A lost interrupt must cost time, not a hang. */
#define DXGPU_ACK_RECHECK_MS	100u

static NTSTATUS dxgpu_command_status(struct dxgpu_adapter *adapter, enum dxgpu_cmd opcode,
				     u32 result)
{
	switch (result) {
	case DXGPU_CMD_OK:
		return STATUS_SUCCESS;
	case DXGPU_ALL_ONES:
	case DXGPU_CMD_ERR_STATE:
		return STATUS_DEVICE_REMOVED;
	case DXGPU_CMD_ERR_BUSY:
		return STATUS_DEVICE_BUSY;
	case DXGPU_CMD_ERR_ARGUMENT:
		return STATUS_INVALID_PARAMETER;
	case DXGPU_CMD_ERR_HARDWARE:
		return STATUS_UNSUCCESSFUL;
	default:
		dev_err_ratelimited(&adapter->pdev->dev,
				    "command 0x%02x refused with result %u\n",
				    opcode, result);
		return STATUS_UNSUCCESSFUL;
	}
}

/**
 * dxgpu_command_args() - send one command
 * @adapter: the adapter
 * @generation: of the object that the command is about
 * @opcode: the command
 * @args: its arguments, without the fence
 * @count: how many, below DXGPU_CMD_NUM_ARGS
 * @fence: where the chosen fence is stored if the command is async, else NULL
 *
 * May sleep. For an async command success means accepted.
 *
 * Return: DEVICE_REMOVED if the generation is past, the device is not enabled
 * or not there; DEVICE_BUSY and INVALID_PARAMETER from the device; UNSUCCESSFUL if
 * the hardware fails, or for a result that only a bug of this driver can cause
 * (logged).
 */
NTSTATUS dxgpu_command_args(struct dxgpu_adapter *adapter, u32 generation,
			    enum dxgpu_cmd opcode, const u64 *args, unsigned int count,
			    u64 *fence)
{
	NTSTATUS status = STATUS_DEVICE_REMOVED;
	u32 result = DXGPU_CMD_OK;
	unsigned int i;

	mutex_lock(&adapter->command_lock);
	dev_WARN_ONCE(&adapter->pdev->dev, adapter->state == DXGPU_HARDWARE_ASLEEP,
		      "command 0x%02x in D3\n", opcode);
	/* The PCI core may know before we do that nothing can be reached. */
	if (adapter->state != DXGPU_HARDWARE_RUNNING || adapter->generation != generation ||
	    pci_channel_offline(adapter->pdev))
		goto unlock;

	for (i = 0; i < count; i++)
		writeq(args[i], adapter->regs + DXGPU_REG_CMD_ARG(i));
	if (fence) {
		*fence = ++adapter->last_fence;
		writeq(*fence, adapter->regs + DXGPU_REG_CMD_ARG(count));
	}
	writel(opcode, adapter->regs + DXGPU_REG_CMD);
	result = readl(adapter->regs + DXGPU_REG_CMD_RESULT);
	dxgpu_command_log(adapter, opcode, args, count, fence ? *fence : 0, result);
	status = dxgpu_command_status(adapter, opcode, result);
unlock:
	mutex_unlock(&adapter->command_lock);

	/* Somebody else reset the device, or it has vanished: all is lost, and all are told. */
	if (result == DXGPU_CMD_ERR_STATE)
		dxgpu_hardware_lost(adapter, "device found disabled by command", opcode);
	else if (result == DXGPU_ALL_ONES)
		dxgpu_hardware_lost(adapter, "device found absent by command", opcode);
	return status;
}

static bool dxgpu_command_done(struct dxgpu_adapter *adapter, u32 generation,
			       void __iomem *record, u64 fence)
{
	return dxgpu_fence_reached(readq(record), fence) ||
	       READ_ONCE(adapter->generation) != generation;
}

/**
 * dxgpu_command_await() - wait until an async command is acknowledged, or not
 * @adapter: the adapter
 * @generation: that the command was sent to
 * @record: address of the record's fence in the status region
 * @fence: the command's fence
 * @timeout_ms: the longest wait
 *
 * Return: false if neither an acknowledgment nor a reset of the device came.
 */
bool dxgpu_command_await(struct dxgpu_adapter *adapter, u32 generation,
			 void __iomem *record, u64 fence, unsigned int timeout_ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(timeout_ms);
	unsigned long recheck = msecs_to_jiffies(min(timeout_ms, DXGPU_ACK_RECHECK_MS));

	while (!wait_event_timeout(adapter->ack_wait,
				   dxgpu_command_done(adapter, generation, record, fence),
				   recheck)) {
		if (!dxgpu_hardware_present(adapter) || time_after_eq(jiffies, end))
			return dxgpu_command_done(adapter, generation, record, fence);
	}
	return true;
}

/* What an acknowledgment may take. */
unsigned int dxgpu_command_timeout_ms(void)
{
	return READ_ONCE(command_timeout_ms);
}

/**
 * dxgpu_command_wait() - wait until an async command is acknowledged
 * @adapter: the adapter
 * @generation: that the command was sent to
 * @record: address of the record's fence in the status region
 * @fence: the command's fence
 * @what: what has failed if it does not come, for the log
 * @id: the object's
 *
 * Bounded by command_timeout_ms; a device that does not answer in time is
 * reset, because the caller is about to free memory that it may be using
 * (OBJ-24). So on return the command's effect holds in either case.
 *
 * Return: true if the device acknowledged, false if it was reset or removed.
 */
bool dxgpu_command_wait(struct dxgpu_adapter *adapter, u32 generation,
			void __iomem *record, u64 fence, const char *what, u32 id)
{
	if (!dxgpu_command_await(adapter, generation, record, fence, dxgpu_command_timeout_ms()))
		dxgpu_hardware_lost(adapter, what, id);
	return READ_ONCE(adapter->generation) == generation;
}
