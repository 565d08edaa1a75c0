// SPDX-License-Identifier: GPL-2.0-or-later
/* See objects.h. */
#include "objects.h"

const char *const object_names[NUM_OBJECTS] = {
	"adapter", "device", "context", "paging queue", "allocation", "hardware queue",
	"progress fence", "doorbell",
};

int32_t object_destroy(struct kmt_session *session, enum object kind, uint32_t handle)
{
	static const unsigned long commands[NUM_OBJECTS] = {
		[OBJECT_ADAPTER] = LX_DXCLOSEADAPTER,
		[OBJECT_DEVICE] = LX_DXDESTROYDEVICE,
		[OBJECT_CONTEXT] = LX_DXDESTROYCONTEXT,
		[OBJECT_PAGING_QUEUE] = LX_DXDESTROYPAGINGQUEUE,
		[OBJECT_HWQUEUE] = LX_DXDESTROYHWQUEUE,
		[OBJECT_FENCE] = LX_DXDESTROYSYNCHRONIZATIONOBJECT,
	};

	if (kind == OBJECT_ALLOCATION)
		return kmt_allocation_destroy(session, handle);
	if (kind == OBJECT_DOORBELL)
		return doorbell_destroy(session->fd, handle);
	return kmt_call_handle(session->fd, commands[kind], handle);
}

void objects_gather(const struct kmt_session *session, const struct queue *queue,
		    uint32_t handles[NUM_OBJECTS])
{
	handles[OBJECT_ADAPTER] = session->adapter;
	handles[OBJECT_DEVICE] = session->device;
	handles[OBJECT_CONTEXT] = session->context;
	handles[OBJECT_PAGING_QUEUE] = session->paging_queue;
	handles[OBJECT_ALLOCATION] = queue->commands.allocation;
	handles[OBJECT_HWQUEUE] = queue->queue;
	handles[OBJECT_FENCE] = queue->fence;
	handles[OBJECT_DOORBELL] = queue->doorbell;
}

uint32_t object_make(struct kmt_session *session, enum object kind, struct queue *queue)
{
	struct dxg_createpagingqueue paging = { .device = session->device };
	struct dxg_createhwqueue hwqueue;
	struct dxg_luid luid;
	uint32_t handle = 0;

	switch (kind) {
	case OBJECT_ADAPTER:
		kmt_adapter_open(session->fd, &luid, &handle);
		break;
	case OBJECT_DEVICE:
		kmt_device_create(session->fd, session->adapter, &handle);
		break;
	case OBJECT_CONTEXT:
		kmt_context_create(session->fd, session->device, 0, &handle);
		break;
	case OBJECT_PAGING_QUEUE:
		if (!kmt_call(session->fd, LX_DXCREATEPAGINGQUEUE, &paging))
			handle = paging.paging_queue;
		break;
	case OBJECT_ALLOCATION:
		kmt_allocation_create(session, KMT_PAGE_BYTES, &handle);
		break;
	case OBJECT_HWQUEUE:
		if (!hwqueue_create(session->fd, session->context, &hwqueue))
			handle = hwqueue.queue;
		break;
	case OBJECT_DOORBELL:
		if (!queue_doorbell_create(queue, 0))
			handle = queue->doorbell;
		break;
	default:
		break;
	}
	return handle;
}
