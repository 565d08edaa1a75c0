// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: reset of one engine.
 *
 * DOC: engine reset
 *
 * The device stops the queue that holds the node, if there is one, and the node
 * stands until it is resumed. Two may want it at a time: the OS layer, by
 * DxgkDdiResetHwEngine, for a context whose suspend was not acknowledged; and
 * DxgkDdiDestroyDoorbell, for a queue whose removal was not. So the resets of a node
 * are counted, and only the last resume lets it go on: whoever has reset it can
 * rely on it to stand (DDI-RE-3). A reset of the whole device ends the count.
 *
 * Who has lost work is told by DxgkCbInvalidateHwContext, from the fault of its
 * queue, before dxgpu_engine_reset() returns (DDI-RE-2). Rejected: to name it by
 * reset_queue of the node's record; the id may belong to another queue by then.
 */
#include <linux/jiffies.h>
#include "command.h"
#include "process.h"

static unsigned int engine_reset_timeout_ms = 500;
module_param(engine_reset_timeout_ms, uint, 0644);
MODULE_PARM_DESC(engine_reset_timeout_ms,
		 "longest wait for the reset of an engine, in ms; the whole device is reset then");

/* Before anything else is known of the device. */
void dxgpu_engines_init(struct dxgpu_adapter *adapter)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(adapter->nodes); i++)
		mutex_init(&adapter->nodes[i].reset_lock);
}

static unsigned int *dxgpu_engine_halts(struct dxgpu_node *node, u32 generation)
{
	lockdep_assert_held(&node->reset_lock);
	if (node->halt_generation != generation) {
		node->halt_generation = generation;
		node->halts = 0;
	}
	return &node->halts;
}

/**
 * dxgpu_engine_reset() - reset a node; success is to be followed by a resume
 * @adapter: the adapter
 * @generation: of the object for whose sake it is done
 * @ordinal: the node, below the number of nodes
 *
 * May sleep, up to engine_reset_timeout_ms. When it returns with success nothing of
 * the node executes, and who lost work by it has been reported.
 *
 * Return: NOT_SUPPORTED, UNSUCCESSFUL (refused or not acknowledged),
 * DEVICE_REMOVED (also if the device was reset meanwhile).
 */
NTSTATUS dxgpu_engine_reset(struct dxgpu_adapter *adapter, u32 generation, u32 ordinal)
{
	struct dxgpu_node *node = &adapter->nodes[ordinal];
	NTSTATUS status;
	u64 fence;

	if (!adapter->caps.engine_reset)
		return STATUS_NOT_SUPPORTED;

	mutex_lock(&node->reset_lock);
	status = dxgpu_command_async(adapter, generation, &fence, DXGPU_CMD_ENGINE_RESET, ordinal);
	if (!NT_SUCCESS(status))
		goto unlock;
	if (!dxgpu_command_await(adapter, generation,
				 dxgpu_node_record(adapter, ordinal) +
				 offsetof(struct dxgpu_node_status, reset_fence),
				 fence, READ_ONCE(engine_reset_timeout_ms)))
		status = STATUS_UNSUCCESSFUL;
	else if (READ_ONCE(adapter->generation) != generation)
		status = STATUS_DEVICE_REMOVED;
	else
		(*dxgpu_engine_halts(node, generation))++;
unlock:
	mutex_unlock(&node->reset_lock);
	if (NT_SUCCESS(status))
		dxgpu_hwqueues_faulted(adapter);
	return status;
}

/**
 * dxgpu_engine_resume() - end the stand of a node that dxgpu_engine_reset() began
 * @adapter: the adapter
 * @generation: as given there
 * @ordinal: the node
 *
 * Return: SUCCESS, also if another reset of the node has not been resumed yet;
 * DEVICE_REMOVED; UNSUCCESSFUL.
 */
NTSTATUS dxgpu_engine_resume(struct dxgpu_adapter *adapter, u32 generation, u32 ordinal)
{
	struct dxgpu_node *node = &adapter->nodes[ordinal];
	NTSTATUS status = STATUS_SUCCESS;
	unsigned int *halts;

	mutex_lock(&node->reset_lock);
	halts = dxgpu_engine_halts(node, generation);
	if (*halts && --*halts == 0)
		status = dxgpu_command(adapter, generation, DXGPU_CMD_ENGINE_RESUME, ordinal);
	mutex_unlock(&node->reset_lock);
	return status;
}

/**
 * dxgpu_engine_aborted() - what the last reset of a node took from a queue
 * @adapter: the adapter
 * @ordinal: the node
 * @queue_id: a queue that has not been removed since
 *
 * Return: the entry's fence value as the process gave it, 0 if nothing.
 */
u64 dxgpu_engine_aborted(struct dxgpu_adapter *adapter, u32 ordinal, u32 queue_id)
{
	void __iomem *record = dxgpu_node_record(adapter, ordinal);

	if (dxgpu_read32(record, dxgpu_node_status, reset_queue) != queue_id)
		return 0;
	return dxgpu_read64(record, dxgpu_node_status, reset_entry);
}

/* DxgkDdiResetHwEngine: also INVALID_PARAMETER for a node or engine that is not there. */
NTSTATUS dxgpu_reset_hw_engine(HANDLE hadapter, const DXGKARG_RESETHWENGINE *args)
{
	struct dxgpu_adapter *adapter = hadapter;

	if (args->NodeOrdinal >= adapter->caps.num_nodes || args->EngineOrdinal)
		return STATUS_INVALID_PARAMETER;
	return dxgpu_engine_reset(adapter, READ_ONCE(adapter->generation), args->NodeOrdinal);
}

/* DxgkDdiResumeHwEngine: likewise. */
NTSTATUS dxgpu_resume_hw_engine(HANDLE hadapter, const DXGKARG_RESUMEHWENGINE *args)
{
	struct dxgpu_adapter *adapter = hadapter;

	if (args->NodeOrdinal >= adapter->caps.num_nodes || args->EngineOrdinal)
		return STATUS_INVALID_PARAMETER;
	return dxgpu_engine_resume(adapter, READ_ONCE(adapter->generation), args->NodeOrdinal);
}
