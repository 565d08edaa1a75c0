// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <sys/eventfd.h>
#include "fake.h"

static struct fake *current;

static void fake_ring(void *doorbell, UINT64 wp)
{
	struct fake *fake = current;
	const struct dxgpu_ring_entry *last = &fake->ring[(wp - 1) % FAKE_ENTRIES];

	*(UINT64 *)doorbell = wp;
	fake->rings++;
	fake->last_rung = wp;
	if (wp && (fake->control.wp != wp || fake->last_queued != wp ||
		   last->fence_value != wp))
		fake->order_wrong = true;
	if (fake->word < fake->num_words)
		fake->status = fake->words[fake->word++];
	else if (!fake->repeat_words)
		fake->status = D3DDDI_DOORBELLSTATUS_CONNECTED;
}

static NTSTATUS fake_connect(const D3DKMT_CONNECT_DOORBELL *args)
{
	struct fake *fake = current;

	fake->connect_calls++;
	if (args->hDoorbell != FAKE_DOORBELL || args->Flags.Value)
		return STATUS_INVALID_PARAMETER;
	if (fake->connect < fake->num_connects)
		return fake->connects[fake->connect++];
	if (fake->repeat_connects && fake->num_connects)
		return fake->connects[fake->num_connects - 1];
	return STATUS_SUCCESS;
}

static NTSTATUS fake_notify(const D3DKMT_NOTIFY_WORK_SUBMISSION *args)
{
	current->notify_calls++;
	return args->hDoorbell == FAKE_DOORBELL ? STATUS_SUCCESS :
						  STATUS_INVALID_PARAMETER;
}

/* Fires the event only if the fence is there already; nothing comes later. */
static NTSTATUS fake_wait(const D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU *args)
{
	struct fake *fake = current;

	fake->wait_calls++;
	if (!args->hAsyncEvent)
		return STATUS_NOT_SUPPORTED;
	if (fake->progress >= args->FenceValueArray[0])
		eventfd_write((int)(intptr_t)args->hAsyncEvent, 1);
	return fake->wait_result;
}

static NTSTATUS fake_device_state(D3DKMT_GETDEVICESTATE *args)
{
	if (args->StateType == D3DKMT_DEVICESTATE_EXECUTION) {
		args->ExecutionState = current->state;
	} else {
		memset(&args->PageFaultState, 0, sizeof(args->PageFaultState));
		args->PageFaultState.FaultedVirtualAddress = 0xabc000;
	}
	return STATUS_SUCCESS;
}

static const struct dxg_submit_ops fake_ops = {
	.ring = fake_ring,
	.connect = fake_connect,
	.notify = fake_notify,
	.wait = fake_wait,
	.device_state = fake_device_state,
};

void fake_init(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	current = fake;
	fake->status = D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY;
	fake->state = D3DKMT_DEVICEEXECUTION_ACTIVE;
	dxg_submit_queue_init(&fake->queue);
	fake->queue.ops = &fake_ops;
	fake->queue.entries = FAKE_ENTRIES;
	fake->queue.max_command_bytes = 4096;
	fake->queue.doorbell = FAKE_DOORBELL;
	fake->queue.progress_gpuva = (UINT64)(uintptr_t)&fake->progress;
	fake->queue.first_fence = 1;
	fake->queue.ring = fake->ring;
	fake->queue.control = &fake->control;
	fake->queue.doorbell_va = &fake->doorbell;
	fake->queue.status = &fake->status;
	fake->queue.progress = &fake->progress;
	fake->queue.last_queued = &fake->last_queued;
}

void fake_fini(struct fake *fake)
{
	dxg_submit_queue_fini(&fake->queue);
	current = NULL;
}

void fake_ring_says(struct fake *fake, UINT64 word)
{
	fake->words[fake->num_words++] = word;
}

void fake_connect_says(struct fake *fake, NTSTATUS status)
{
	fake->connects[fake->num_connects++] = status;
}

void fake_execute(struct fake *fake, UINT entries, bool publish_rp)
{
	const struct dxgpu_packet_fence_write *fence;
	const struct dxgpu_ring_entry *entry;

	while (entries--) {
		entry = &fake->ring[fake->progress % FAKE_ENTRIES];
		fence = (const void *)(uintptr_t)(entry->command_gpuva +
						  entry->command_bytes -
						  sizeof(*fence));
		fake->progress = fence->value;
		if (publish_rp)
			fake->control.rp++;
	}
}
