// SPDX-License-Identifier: GPL-2.0-or-later
/* See queue.h. */
#include "queue.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define CONNECT_ROUNDS	16u
#define BUSY_WAIT_NS	(5ull * 1000 * 1000 * 1000)
#define PROBE_WAIT_NS	(10ull * 1000 * 1000 * 1000)

static void doorbell_describe(uint32_t queue, uint32_t ring, uint32_t control, uint32_t flags,
			      struct dxg_createdoorbell *create)
{
	memset(create, 0, sizeof(*create));
	create->queue = queue;
	create->ring_buffer = ring;
	create->ring_buffer_control = control;
	create->flags = flags;
}

int32_t doorbell_create(int fd, uint32_t queue, uint32_t ring, uint32_t control, uint32_t flags,
			struct dxg_createdoorbell *create)
{
	doorbell_describe(queue, ring, control, flags, create);
	return kmt_call_x(fd, DXG_CREATEDOORBELL, &create->header);
}

int32_t doorbell_connect(int fd, uint32_t doorbell)
{
	struct dxg_doorbell_flags connect = { .doorbell = doorbell };

	return kmt_call_x(fd, DXG_CONNECTDOORBELL, &connect.header);
}

int32_t doorbell_notify(int fd, uint32_t doorbell)
{
	struct dxg_doorbell_flags notify = { .doorbell = doorbell };

	return kmt_call_x(fd, DXG_NOTIFYWORKSUBMISSION, &notify.header);
}

int32_t doorbell_destroy(int fd, uint32_t doorbell)
{
	struct dxg_destroydoorbell destroy = { .doorbell = doorbell };

	return kmt_call_x(fd, DXG_DESTROYDOORBELL, &destroy.header);
}

int32_t hwqueue_create(int fd, uint32_t context, struct dxg_createhwqueue *create)
{
	memset(create, 0, sizeof(*create));
	create->context = context;
	create->flags = DXG_HWQUEUE_USER_MODE_SUBMISSION;
	return kmt_call(fd, LX_DXCREATEHWQUEUE, create);
}

static int32_t queue_memory(struct queue *queue, uint64_t ring_bytes)
{
	struct kmt_session *session = queue->session;
	int32_t status;

	status = kmt_buffer_create(session, ring_bytes, 0, &queue->ring);
	if (!NT_SUCCESS(status))
		return status;
	queue->entries = (uint32_t)(queue->ring.bytes / sizeof(struct dxgpu_ring_entry));
	status = kmt_buffer_create(session, KMT_PAGE_BYTES, 0, &queue->control);
	if (!NT_SUCCESS(status))
		return status;
	return kmt_buffer_create(session, (uint64_t)queue->entries * QUEUE_COMMAND_BYTES, 0,
				 &queue->commands);
}

static volatile struct dxgpu_ring_control *ring_control(const struct queue *queue)
{
	return queue->control.cpu;
}

int32_t queue_doorbell_create(struct queue *queue, uint32_t flags)
{
	struct dxg_createdoorbell doorbell;
	int32_t status;

	ring_control(queue)->wp = 0;
	ring_control(queue)->rp = 0;
	memset(&queue->data, 0, sizeof(queue->data));
	doorbell_describe(queue->queue, queue->ring.allocation, queue->control.allocation, flags,
			  &doorbell);
	doorbell.priv_drv_data = (uintptr_t)&queue->data;
	doorbell.priv_drv_data_size = sizeof(queue->data);
	status = kmt_call_x(queue->session->fd, DXG_CREATEDOORBELL, &doorbell.header);
	if (!NT_SUCCESS(status))
		return status;
	queue->doorbell = doorbell.doorbell;
	queue->bell = (volatile uint64_t *)(uintptr_t)doorbell.doorbell_cpu_va;
	queue->secondary =
		(volatile uint64_t *)(uintptr_t)doorbell.doorbell_secondary_cpu_va;
	queue->stat = (const volatile uint64_t *)(uintptr_t)doorbell.doorbell_status_cpu_va;
	queue->last_queued = (volatile uint64_t *)(uintptr_t)doorbell.last_queued_value_cpu_va;
	queue->fence_base = *queue->fence_cpu;
	queue->wp = 0;
	return STATUS_SUCCESS;
}

static int32_t queue_objects(struct queue *queue, uint32_t context)
{
	struct dxg_createhwqueue hwqueue;
	int32_t status;

	status = hwqueue_create(queue->session->fd, context, &hwqueue);
	if (!NT_SUCCESS(status))
		return status;
	queue->queue = hwqueue.queue;
	queue->fence = hwqueue.progress_fence;
	queue->fence_cpu = (const volatile uint64_t *)(uintptr_t)hwqueue.progress_fence_cpu_va;
	queue->fence_gpuva = hwqueue.progress_fence_gpu_va;
	return queue_doorbell_create(queue, 0);
}

int32_t queue_create(struct queue *queue, struct kmt_session *session, uint32_t context,
		     uint64_t ring_bytes)
{
	int32_t status;

	memset(queue, 0, sizeof(*queue));
	queue->session = session;
	status = queue_memory(queue, ring_bytes);
	if (NT_SUCCESS(status))
		status = queue_objects(queue, context);
	if (!NT_SUCCESS(status))
		queue_destroy(queue);
	return status;
}

static void keep_first(int32_t *first, int32_t status)
{
	if (NT_SUCCESS(*first))
		*first = status;
}

int32_t queue_destroy(struct queue *queue)
{
	struct kmt_session *session = queue->session;
	int32_t first = STATUS_SUCCESS;

	if (queue->doorbell)
		keep_first(&first, doorbell_destroy(session->fd, queue->doorbell));
	if (queue->queue)
		keep_first(&first, kmt_call_handle(session->fd, LX_DXDESTROYHWQUEUE, queue->queue));
	if (queue->commands.allocation)
		keep_first(&first, kmt_buffer_destroy(session, &queue->commands));
	if (queue->control.allocation)
		keep_first(&first, kmt_buffer_destroy(session, &queue->control));
	if (queue->ring.allocation)
		keep_first(&first, kmt_buffer_destroy(session, &queue->ring));
	memset(queue, 0, sizeof(*queue));
	return first;
}

uint64_t queue_read_pointer(const struct queue *queue)
{
	return ring_control(queue)->rp;
}

bool queue_has_room(const struct queue *queue)
{
	return queue->wp - queue_read_pointer(queue) < queue->entries;
}

struct dxg_commands queue_commands(struct queue *queue)
{
	uint64_t offset = queue->wp % queue->entries * QUEUE_COMMAND_BYTES;

	return (struct dxg_commands) {
		.cpu = (uint8_t *)queue->commands.cpu + offset,
		.gpuva = queue->commands.gpuva + offset,
		.capacity_bytes = QUEUE_COMMAND_BYTES,
	};
}

void queue_publish_entry(struct queue *queue, const struct dxgpu_ring_entry *entry)
{
	struct dxgpu_ring_entry *ring = queue->ring.cpu;

	ring[queue->wp % queue->entries] = *entry;
	atomic_thread_fence(memory_order_release);
	ring_control(queue)->wp = ++queue->wp;
}

uint64_t queue_publish(struct queue *queue, struct dxg_commands *commands)
{
	struct dxgpu_ring_entry entry = { .fence_value = queue->fence_base + queue->wp + 1 };

	dxg_commands_fence(commands, queue->fence_gpuva, entry.fence_value,
			   DXGPU_FENCE_INTERRUPT);
	entry.command_gpuva = commands->gpuva;
	entry.command_bytes = commands->bytes;
	*queue->last_queued = entry.fence_value;
	queue_publish_entry(queue, &entry);
	return entry.fence_value;
}

uint64_t queue_value(const struct queue *queue)
{
	return queue->data.flags & DXGPU_DOORBELL_DATA_VALUE ? queue->data.value : queue->wp;
}

uint64_t queue_ring(struct queue *queue)
{
	atomic_thread_fence(memory_order_release);
	*queue->bell = queue_value(queue);
	atomic_thread_fence(memory_order_seq_cst);
	queue->rings++;
	return *queue->stat;
}

int32_t queue_deliver(struct queue *queue)
{
	uint64_t busy_until = 0;
	unsigned int round = 0;

	while (round < CONNECT_ROUNDS) {
		uint64_t stat = queue_ring(queue);
		int32_t status;

		if (stat == DXG_DOORBELLSTATUS_CONNECTED)
			return STATUS_SUCCESS;
		if (stat == DXG_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD)
			return doorbell_notify(queue->session->fd, queue->doorbell);
		if (stat != DXG_DOORBELLSTATUS_DISCONNECTED_RETRY)
			return STATUS_DEVICE_REMOVED;
		queue->retries++;
		status = doorbell_connect(queue->session->fd, queue->doorbell);
		if (status == STATUS_DEVICE_BUSY) {
			queue->busy++;
			if (!busy_until)
				busy_until = kmt_now_ns() + BUSY_WAIT_NS;
			else if (kmt_now_ns() > busy_until)
				return status;
			kmt_sleep_us(1000);
			continue;
		}
		if (!NT_SUCCESS(status))
			return status;
		queue->connects++;
		if (round++)
			sched_yield();
	}
	return STATUS_SUCCESS;	/* visible before a successful connect: KMT-CN-15 */
}

int32_t queue_wait(const struct queue *queue, uint64_t value, uint64_t timeout_ns)
{
	uint64_t start = kmt_now_ns();
	unsigned int spins = 0;

	while (*queue->fence_cpu < value) {
		if (*queue->stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT)
			return STATUS_DEVICE_REMOVED;
		if (kmt_now_ns() - start > timeout_ns)
			return STATUS_TIMEOUT;
		if (++spins < 32)
			sched_yield();
		else
			kmt_sleep_us(100);
	}
	atomic_thread_fence(memory_order_acquire);
	return STATUS_SUCCESS;
}

uint64_t queue_publish_fence(struct queue *queue)
{
	struct dxg_commands commands = queue_commands(queue);

	return queue_publish(queue, &commands);
}

uint64_t queue_publish_delay(struct queue *queue, uint64_t ns)
{
	struct dxg_commands commands = queue_commands(queue);
	struct dxgpu_packet_delay delay = {
		.header = { .opcode = DXGPU_OP_DELAY, .bytes = sizeof(delay) },
		.ns = ns,
	};

	dxg_commands_append(&commands, &delay, sizeof(delay));
	return queue_publish(queue, &commands);
}

bool queue_completes(const struct queue *queue, uint64_t value, uint64_t timeout_ns)
{
	return queue_wait(queue, value, timeout_ns) == STATUS_SUCCESS &&
	       *queue->fence_cpu == value;
}

int32_t queue_open(struct queue *queue, struct kmt_session *own)
{
	int32_t status = kmt_session_open(own, NULL, 0);

	if (!NT_SUCCESS(status))
		return status;
	status = queue_create(queue, own, own->context, QUEUE_RING_BYTES);
	if (!NT_SUCCESS(status))
		kmt_session_close(own);
	return status;
}

int32_t queue_probe(struct queue *queue)
{
	uint64_t fence = queue_publish_fence(queue);
	int32_t status = queue_deliver(queue);

	return NT_SUCCESS(status) ? queue_wait(queue, fence, PROBE_WAIT_NS) : status;
}

int32_t queue_works(void)
{
	struct kmt_session own;
	struct queue queue;
	int32_t status = queue_open(&queue, &own);

	if (!NT_SUCCESS(status))
		return status;
	status = queue_probe(&queue);
	queue_destroy(&queue);
	kmt_session_close(&own);
	return status;
}
