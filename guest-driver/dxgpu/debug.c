// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: what the hardware looks like, as text for the dump of a hang.
 *
 * DOC: debug information
 *
 * One line each: the device, its nodes, every queue that is on it with its whole status
 * record, contexts whose suspension is not acknowledged, and the last commands, the
 * oldest first. A device that did not do what it must is reset here before the OS
 * layer hears of it, and so may be one of its engines; a reset clears the records. So
 * this text is taken first, into a buffer that is there from the start, and the next dump
 * has it under the word "lost". Registers and records are read only while they can be.
 */
#include <linux/ktime.h>
#include <linux/seq_file.h>
#include "command.h"
#include "process.h"

static const char *dxgpu_command_name(u32 opcode)
{
	switch (opcode) {
	case DXGPU_CMD_SPACE_CREATE:
		return "space-create";
	case DXGPU_CMD_SPACE_DESTROY:
		return "space-destroy";
	case DXGPU_CMD_SPACE_INVALIDATE:
		return "space-invalidate";
	case DXGPU_CMD_CONTEXT_CREATE:
		return "context-create";
	case DXGPU_CMD_CONTEXT_DESTROY:
		return "context-destroy";
	case DXGPU_CMD_CONTEXT_SUSPEND:
		return "context-suspend";
	case DXGPU_CMD_CONTEXT_RESUME:
		return "context-resume";
	case DXGPU_CMD_QUEUE_CREATE:
		return "queue-create";
	case DXGPU_CMD_QUEUE_REMOVE:
		return "queue-remove";
	case DXGPU_CMD_QUEUE_KICK:
		return "queue-kick";
	case DXGPU_CMD_DOORBELL_BIND:
		return "doorbell-bind";
	case DXGPU_CMD_DOORBELL_UNBIND:
		return "doorbell-unbind";
	default:
		return "other";
	}
}

/**
 * dxgpu_command_log() - remember a command
 * @adapter: command_lock held
 * @opcode: the command
 * @args: its arguments
 * @count: how many
 * @fence: that was chosen for it, 0 if it is not asynchronous
 * @result: the device's answer
 */
void dxgpu_command_log(struct dxgpu_adapter *adapter, u32 opcode, const u64 *args,
		       unsigned int count, u64 fence, u32 result)
{
	struct dxgpu_command_record *record;

	lockdep_assert_held(&adapter->command_lock);
	record = &adapter->commands[adapter->commands_sent++ % DXGPU_COMMANDS_KEPT];
	record->ns = ktime_get_boottime_ns();
	record->opcode = opcode;
	record->result = result;
	record->args[0] = count > 0 ? args[0] : 0;
	record->args[1] = count > 1 ? args[1] : 0;
	record->fence = fence;
}

static void dxgpu_print_commands(struct dxgpu_adapter *adapter, struct seq_file *m)
{
	u64 now = ktime_get_boottime_ns();
	u64 i = 0;

	lockdep_assert_held(&adapter->command_lock);
	if (adapter->commands_sent > DXGPU_COMMANDS_KEPT)
		i = adapter->commands_sent - DXGPU_COMMANDS_KEPT;
	for (; i < adapter->commands_sent; i++) {
		const struct dxgpu_command_record *record =
			&adapter->commands[i % DXGPU_COMMANDS_KEPT];

		seq_printf(m, "command number=%llu age_us=%llu opcode=0x%02x name=%s args=0x%llx,0x%llx fence=%llu result=%u\n",
			   i, div_u64(now - record->ns, NSEC_PER_USEC), record->opcode,
			   dxgpu_command_name(record->opcode), record->args[0], record->args[1],
			   record->fence, record->result);
	}
}

static void dxgpu_print_queue(struct dxgpu_hwqueue *queue, struct seq_file *m)
{
	void __iomem *record = dxgpu_queue_record(queue->adapter, queue->id);

	seq_printf(m, "hardware_queue id=%u os=0x%lx context=%u node=%u state=%u wp=%llu rp=%llu entries=%llu rings=%llu samples=%llu last_active_ns=%llu fault_code=%u fault_gpuva=0x%llx fault_fence=%llu fault_rp=%llu\n",
		   queue->id, (unsigned long)queue->os_handle, queue->context->id,
		   queue->context->node,
		   dxgpu_read32(record, dxgpu_queue_status, state),
		   dxgpu_read64(record, dxgpu_queue_status, wp),
		   dxgpu_read64(record, dxgpu_queue_status, rp),
		   dxgpu_read64(record, dxgpu_queue_status, entries),
		   dxgpu_read64(record, dxgpu_queue_status, rings),
		   dxgpu_read64(record, dxgpu_queue_status, samples),
		   dxgpu_read64(record, dxgpu_queue_status, last_active_ns),
		   dxgpu_read32(record, dxgpu_queue_status, fault_code),
		   dxgpu_read64(record, dxgpu_queue_status, fault_gpuva),
		   dxgpu_read64(record, dxgpu_queue_status, fault_fence),
		   dxgpu_read64(record, dxgpu_queue_status, fault_rp));
}

static void dxgpu_print_records(struct dxgpu_adapter *adapter, struct seq_file *m)
{
	struct dxgpu_context *context;
	struct dxgpu_hwqueue *queue;
	unsigned long id;
	unsigned int i;

	for (i = 0; i < adapter->caps.num_nodes; i++) {
		void __iomem *record = dxgpu_node_record(adapter, i);

		seq_printf(m, "node ordinal=%u running_queue=%d runnable=%u packets=%llu busy_ns=%llu\n",
			   i, (int)dxgpu_read32(record, dxgpu_node_status, running_queue),
			   dxgpu_read32(record, dxgpu_node_status, runnable),
			   dxgpu_read64(record, dxgpu_node_status, packets),
			   dxgpu_read64(record, dxgpu_node_status, busy_ns));
	}
	spin_lock_irq(&adapter->object_lock);
	xa_for_each(&adapter->queues, id, queue) {
		if (queue->on_device && queue->context->generation == adapter->generation)
			dxgpu_print_queue(queue, m);
	}
	list_for_each_entry(context, &adapter->suspending, suspend_link)
		seq_printf(m, "suspending context=%u os=0x%lx fence=%llu acknowledged=%llu\n",
			   context->id, (unsigned long)context->os_handle, context->suspend_fence,
			   dxgpu_read64(dxgpu_context_record(adapter, context->id),
					dxgpu_context_status, suspend_fence));
	spin_unlock_irq(&adapter->object_lock);
}

static void dxgpu_print_hardware(struct dxgpu_adapter *adapter, struct seq_file *m)
{
	static const char * const states[] = {
		[DXGPU_HARDWARE_STOPPED] = "stopped",
		[DXGPU_HARDWARE_RUNNING] = "running",
		[DXGPU_HARDWARE_ASLEEP] = "asleep",
		[DXGPU_HARDWARE_GONE] = "gone",
	};

	lockdep_assert_held(&adapter->command_lock);
	seq_printf(m, "hardware state=%s generation=%u last_fence=%llu commands=%llu",
		   states[adapter->state], adapter->generation, adapter->last_fence,
		   adapter->commands_sent);
	if (dxgpu_hardware_reachable(adapter))
		seq_printf(m, " status=0x%x reset_count=%u int_cause=0x%x int_enable=0x%x\n",
			   readl(adapter->regs + DXGPU_REG_STATUS),
			   readl(adapter->regs + DXGPU_REG_RESET_COUNT),
			   readl(adapter->regs + DXGPU_REG_INT_CAUSE),
			   readl(adapter->regs + DXGPU_REG_INT_ENABLE));
	else
		seq_puts(m, " registers=out-of-reach\n");
	if (dxgpu_hardware_reachable(adapter) && adapter->state == DXGPU_HARDWARE_RUNNING)
		dxgpu_print_records(adapter, m);
	dxgpu_print_commands(adapter, m);
}

/**
 * dxgpu_debug_lost() - keep the text before a reset that the OS layer has not asked for
 * @adapter: command_lock held
 * @what: the device did not do
 * @id: of which object
 */
void dxgpu_debug_lost(struct dxgpu_adapter *adapter, const char *what, u32 id)
{
	struct seq_file m = { .buf = adapter->lost, .size = sizeof(adapter->lost) };

	seq_printf(&m, "lost uptime_ms=%llu reason=\"%s %u\"\n",
		   div_u64(ktime_get_boottime_ns(), NSEC_PER_MSEC), what, id);
	dxgpu_print_hardware(adapter, &m);
	/* A text that did not fit is cut; what matters most came first. */
	adapter->lost_bytes = min(m.count, sizeof(adapter->lost) - 1);
}

/* DxgkDdiCollectDbgInfo. */
void dxgpu_collect_dbg_info(HANDLE hadapter, struct seq_file *m)
{
	struct dxgpu_adapter *adapter = hadapter;

	mutex_lock(&adapter->command_lock);
	dxgpu_print_hardware(adapter, m);
	if (adapter->lost_bytes)
		seq_write(m, adapter->lost, adapter->lost_bytes);
	adapter->lost_bytes = 0;
	mutex_unlock(&adapter->command_lock);
}
