// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments that no library would pass: the call fails with the status that it has
 * for them, nothing is created, and the same call with good ones succeeds (KMT-0.2,
 * KMT-0.3, KMT-0.4, KMT-0.5, KMT-CD-4, KMT-CD-9, KMT-CD-10, KMT-CD-12, KMT-CD-13, KMT-CD-14,
 * KMT-CD-15, KMT-CD-16, KMT-CD-17, KMT-CD-18, KMT-CN-2, KMT-NW-1, OBJ-1, SEC-16).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "queue.h"

static struct kmt_session session;

/* One check: got must be want; shows what it was. */
static void expect(int32_t got, int32_t want, const char *what)
{
	if (!ok(got == want, "%s: %#x", what, (uint32_t)want))
		diag("got %#x", (uint32_t)got);
}

/* An X call with a command number and header of any size. */
static int32_t sized_connect(uint32_t doorbell, uint32_t command_bytes, uint32_t header_bytes,
			     uint8_t tail)
{
	struct {
		struct dxg_doorbell_flags call;
		uint8_t tail[64];
	} large = { .call = { .doorbell = doorbell } };
	unsigned long command = _IOC(_IOC_READ | _IOC_WRITE, DXG_IOCTL_TYPE_X, 2, command_bytes);

	large.call.header.size = header_bytes;
	large.call.header.status = 0x55555555;
	memset(large.tail, tail, sizeof(large.tail));
	if (ioctl(session.fd, command, &large) < 0)
		return KMT_ERRNO(errno);
	return large.call.header.status;
}

static void headers(struct queue *queue)
{
	const uint32_t bytes = sizeof(struct dxg_doorbell_flags);
	struct dxg_doorbell_flags connect = { .doorbell = queue->doorbell };
	struct dxg_destroydoorbell destroy = { .doorbell = queue->doorbell, .reserved = 1 };

	expect(sized_connect(queue->doorbell, bytes, bytes, 0), STATUS_SUCCESS,
	       "ConnectDoorbell of the right size");
	expect(sized_connect(queue->doorbell, bytes + 16, bytes + 16, 0), STATUS_SUCCESS,
	       "a larger structure with a zero tail");
	expect(sized_connect(queue->doorbell, bytes + 16, bytes + 16, 1), STATUS_INVALID_PARAMETER,
	       "a larger structure with something in its tail");
	expect(sized_connect(queue->doorbell, bytes, bytes + 8, 0), STATUS_SUCCESS,
	       "a larger header.size alone, with a zero tail");
	expect(sized_connect(queue->doorbell, bytes, bytes + 8, 1), STATUS_INVALID_PARAMETER,
	       "a larger header.size alone, with something in its tail");
	expect(sized_connect(queue->doorbell, bytes, 0xffffffff, 0), STATUS_INVALID_PARAMETER,
	       "a header.size of 4 GiB");
	expect(sized_connect(queue->doorbell, bytes, bytes - 8, 0), STATUS_INVALID_PARAMETER,
	       "a header.size short of the command's size");
	ok(!NT_SUCCESS(sized_connect(queue->doorbell, 8, 8, 0)), "a structure without a header");

	connect.header.flags = 1;
	expect(kmt_call_x(session.fd, DXG_CONNECTDOORBELL, &connect.header),
	       STATUS_INVALID_PARAMETER, "header.flags");
	connect.header.flags = 0;
	connect.header.reserved = 1;
	expect(kmt_call_x(session.fd, DXG_CONNECTDOORBELL, &connect.header),
	       STATUS_INVALID_PARAMETER, "header.reserved");
	connect.header.reserved = 0;
	connect.flags = 1;
	expect(kmt_call_x(session.fd, DXG_CONNECTDOORBELL, &connect.header),
	       STATUS_INVALID_PARAMETER, "ConnectDoorbell's flags (KMT-CN-2)");
	expect(kmt_call_x(session.fd, DXG_NOTIFYWORKSUBMISSION, &connect.header),
	       STATUS_INVALID_PARAMETER, "NotifyWorkSubmission's flags (KMT-NW-1)");
	expect(kmt_call_x(session.fd, DXG_DESTROYDOORBELL, &destroy.header),
	       STATUS_INVALID_PARAMETER, "DestroyDoorbell's reserved word");
	expect(kmt_call(session.fd, DXG_CONNECTDOORBELL, NULL), KMT_ERRNO(EFAULT),
	       "a null pointer");
	expect(kmt_call(session.fd, _IOWR('X', 0x7f, uint64_t[4]), &connect), KMT_ERRNO(ENOTTY),
	       "an unknown X call");
	expect(kmt_call(session.fd, _IOWR('G', 0x7f, uint64_t[4]), &connect), KMT_ERRNO(ENOTTY),
	       "an unknown G call");
	expect(kmt_call(session.fd, _IOWR('G', 0x05, uint64_t), &connect), KMT_ERRNO(ENOTTY),
	       "a G call of another size");
	expect(queue_probe(queue), STATUS_SUCCESS, "the doorbell is none the worse: a probe");
}

/* CreateDoorbell on a hardware queue with one bad ring after another. */
static void rings(void)
{
	struct dxg_createdoorbell doorbell;
	struct kmt_buffer ring, control, odd, large, absent, unmapped, partial;
	struct dxg_createhwqueue hwqueue;
	int fd = session.fd;
	uint64_t beyond = (uint64_t)session.caps.ring_max_entries * 2 *
			  sizeof(struct dxgpu_ring_entry);

	must(hwqueue_create(fd, session.context, &hwqueue), "hardware queue");
	must(kmt_buffer_create(&session, QUEUE_RING_BYTES, 0, &ring), "ring");
	must(kmt_buffer_create(&session, KMT_PAGE_BYTES, 0, &control), "ring control");
	must(kmt_buffer_create(&session, 3 * KMT_PAGE_BYTES, 0, &odd), "ring of 3 pages");
	must(kmt_buffer_create(&session, beyond, KMT_BUFFER_NO_CPU, &large), "large ring");
	must(kmt_buffer_create(&session, QUEUE_RING_BYTES, KMT_BUFFER_NOT_RESIDENT, &absent),
	     "absent ring");
	must(kmt_buffer_create(&session, QUEUE_RING_BYTES, KMT_BUFFER_NOT_MAPPED, &unmapped),
	     "unmapped ring");
	must(kmt_buffer_create(&session, 2 * QUEUE_RING_BYTES, KMT_BUFFER_NOT_MAPPED, &partial),
	     "half of a ring");
	must(kmt_map(&session, partial.allocation, 0, 1, DXG_PROTECTION_WRITE, &partial.gpuva),
	     "mapping of a half");
	partial.bytes = KMT_PAGE_BYTES;

#define REFUSED(ring_handle, control_handle, flags, status, what) \
	expect(doorbell_create(fd, hwqueue.queue, ring_handle, control_handle, flags, &doorbell), \
	       status, what)
	REFUSED(odd.allocation, control.allocation, 0, STATUS_INVALID_PARAMETER,
		"a ring of 384 entries");
	REFUSED(large.allocation, control.allocation, 0, STATUS_INVALID_PARAMETER,
		"a ring beyond the device's limit");
	REFUSED(absent.allocation, control.allocation, 0, STATUS_INVALID_PARAMETER,
		"a ring that is not resident (KMT-CD-10)");
	REFUSED(unmapped.allocation, control.allocation, 0, STATUS_INVALID_PARAMETER,
		"a ring without a GPU address");
	REFUSED(partial.allocation, control.allocation, 0, STATUS_INVALID_PARAMETER,
		"a ring that is half mapped");
	REFUSED(ring.allocation, absent.allocation, 0, STATUS_INVALID_PARAMETER,
		"a ring control that is not resident");
	REFUSED(ring.allocation, unmapped.allocation, 0, STATUS_INVALID_PARAMETER,
		"a ring control without a GPU address");
	REFUSED(ring.allocation, 0, 0, STATUS_INVALID_PARAMETER, "no ring control (KMT-CD-14)");
	REFUSED(0, control.allocation, 0, STATUS_INVALID_PARAMETER, "no ring");
	REFUSED(ring.allocation, ring.allocation, 0, STATUS_INVALID_PARAMETER,
		"a ring that is its own control (KMT-CD-13)");
	REFUSED(ring.allocation, control.allocation, DXG_DOORBELL_REQUIRE_SECONDARY,
		STATUS_NOT_SUPPORTED, "a secondary doorbell (KMT-CD-15)");
	REFUSED(ring.allocation, control.allocation, 1u << 2, STATUS_INVALID_PARAMETER,
		"a reserved flag");
	REFUSED(ring.allocation, control.allocation, 1u << 31, STATUS_INVALID_PARAMETER,
		"the last reserved flag");
	REFUSED(ring.allocation, control.allocation, DXG_DOORBELL_RESIZE, STATUS_SUCCESS,
		"good arguments on the same queue (KMT-CD-4, KMT-CD-16)");
#undef REFUSED
	doorbell_destroy(fd, doorbell.doorbell);
	kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, hwqueue.queue);
	kmt_buffer_destroy(&session, &partial);
	kmt_buffer_destroy(&session, &unmapped);
	kmt_buffer_destroy(&session, &absent);
	kmt_buffer_destroy(&session, &large);
	kmt_buffer_destroy(&session, &odd);
	kmt_buffer_destroy(&session, &control);
	kmt_buffer_destroy(&session, &ring);
}

/* One doorbell per queue, one queue per ring. */
static void uniqueness(struct queue *queue)
{
	struct dxg_createdoorbell doorbell;
	struct dxg_createhwqueue hwqueue;
	struct kmt_buffer ring, control;
	int fd = session.fd;

	must(hwqueue_create(fd, session.context, &hwqueue), "hardware queue");
	must(kmt_buffer_create(&session, QUEUE_RING_BYTES, 0, &ring), "ring");
	must(kmt_buffer_create(&session, KMT_PAGE_BYTES, 0, &control), "ring control");
	expect(doorbell_create(fd, queue->queue, ring.allocation, control.allocation, 0, &doorbell),
	       STATUS_INVALID_PARAMETER, "a second doorbell of a queue (OBJ-1)");
	expect(doorbell_create(fd, queue->queue, ring.allocation, control.allocation,
			       DXG_DOORBELL_RESIZE, &doorbell),
	       STATUS_INVALID_PARAMETER, "the same as a resize (KMT-CD-17)");
	expect(doorbell_create(fd, hwqueue.queue, queue->ring.allocation, control.allocation, 0,
			       &doorbell),
	       STATUS_INVALID_PARAMETER, "a ring that serves another doorbell (KMT-CD-13)");
	expect(queue_probe(queue), STATUS_SUCCESS, "the first doorbell is untouched: a probe");
	kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, hwqueue.queue);
	kmt_buffer_destroy(&session, &control);
	kmt_buffer_destroy(&session, &ring);
}

static int32_t create_with_private(uint32_t queue, const struct kmt_buffer *ring,
				   const struct kmt_buffer *control, void *data, uint32_t bytes)
{
	struct dxg_createdoorbell create = {
		.queue = queue,
		.ring_buffer = ring->allocation,
		.ring_buffer_control = control->allocation,
		.priv_drv_data = (uintptr_t)data,
		.priv_drv_data_size = bytes,
	};
	int32_t status = kmt_call_x(session.fd, DXG_CREATEDOORBELL, &create.header);

	if (NT_SUCCESS(status))
		doorbell_destroy(session.fd, create.doorbell);
	return status;
}

/* Structures in memory that the kernel can read and not write: KMT-0.5. */
static void copy_out(void)
{
	char before[DEBUGFS_TEXT_BYTES], after[DEBUGFS_TEXT_BYTES];
	struct dxg_createdoorbell *create;
	struct dxg_createdevice *device;
	struct dxg_createhwqueue hwqueue;
	struct kmt_buffer ring, control;
	uint8_t data[32] = { 0 };
	int fd = session.fd;
	void *page;

	page = mmap(NULL, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (page == MAP_FAILED)
		bail("no page");
	must(hwqueue_create(fd, session.context, &hwqueue), "hardware queue");
	must(kmt_buffer_create(&session, QUEUE_RING_BYTES, 0, &ring), "ring");
	must(kmt_buffer_create(&session, KMT_PAGE_BYTES, 0, &control), "ring control");
	counters_read(before);

	expect(create_with_private(hwqueue.queue, &ring, &control, data, 17),
	       STATUS_INVALID_PARAMETER, "17 bytes of private data (KMT-CD-18)");
	ok(!NT_SUCCESS(create_with_private(hwqueue.queue, &ring, &control, NULL, 16)),
	   "private data at address 0");
	ok(!NT_SUCCESS(create_with_private(hwqueue.queue, &ring, &control,
					   (void *)0xffff888000000000, 16)),
	   "private data at a kernel address");

	create = page;
	create->header.size = sizeof(*create);
	create->queue = hwqueue.queue;
	create->ring_buffer = ring.allocation;
	create->ring_buffer_control = control.allocation;
	mprotect(page, KMT_PAGE_BYTES, PROT_READ);
	ok(!NT_SUCCESS(kmt_call(fd, DXG_CREATEDOORBELL, page)), "CreateDoorbell without copy-out");

	mprotect(page, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE);
	memset(page, 0, KMT_PAGE_BYTES);
	device = page;
	device->adapter = session.adapter;
	mprotect(page, KMT_PAGE_BYTES, PROT_READ);
	ok(!NT_SUCCESS(kmt_call(fd, LX_DXCREATEDEVICE, page)), "CreateDevice without copy-out");
	if (!ok(counters_settle(before, 1000, after), "neither has left anything"))
		diag("before: %s; after: %s", before, after);
	expect(create_with_private(hwqueue.queue, &ring, &control, data, 16), STATUS_SUCCESS,
	       "the queue is still free for a doorbell");
	munmap(page, KMT_PAGE_BYTES);
	kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, hwqueue.queue);
	kmt_buffer_destroy(&session, &control);
	kmt_buffer_destroy(&session, &ring);
}

/* Puts a call's structure into memory that cannot be written, and makes the call. */
static int32_t call_read_only(void *page, unsigned long command, const void *args, size_t bytes)
{
	int32_t status;

	memcpy(page, args, bytes);
	mprotect(page, KMT_PAGE_BYTES, PROT_READ);
	status = kmt_call(session.fd, command, page);
	mprotect(page, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE);
	return status;
}

/*
 * An effect that cannot be taken back is not made if the answer has no place (KMT-0.3); a
 * call that answers by errno alone needs none.
 */
static void unanswerable(void)
{
	struct dxg_doorbell_flags connect = { .header.size = sizeof(connect) };
	struct dxg_destroydoorbell destroy = { .header.size = sizeof(destroy) };
	struct dxg_reservegpuvirtualaddress reserve = { .size = 1 << 20 };
	struct dxg_waitforsyncobjectfromcpu wait = { 0 };
	struct dxg_handle_arg handle = { 0 };
	struct queue queue;
	uint64_t value = 0;
	void *page;
	int event;

	page = mmap(NULL, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (page == MAP_FAILED || event < 0)
		bail("no page or eventfd");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");

	connect.doorbell = queue.doorbell;
	ok(!NT_SUCCESS(call_read_only(page, DXG_CONNECTDOORBELL, &connect, sizeof(connect))) &&
	   *queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_RETRY,
	   "ConnectDoorbell without copy-out does not connect");
	destroy.doorbell = queue.doorbell;
	ok(!NT_SUCCESS(call_read_only(page, DXG_DESTROYDOORBELL, &destroy, sizeof(destroy))) &&
	   queue_probe(&queue) == STATUS_SUCCESS,
	   "DestroyDoorbell without copy-out does not destroy");
	reserve.adapter_or_paging_queue = session.adapter;
	reserve.base_address = 1ull << 32;
	ok(!NT_SUCCESS(call_read_only(page, LX_DXRESERVEGPUVIRTUALADDRESS, &reserve,
				      sizeof(reserve))) &&
	   kmt_call(session.fd, LX_DXRESERVEGPUVIRTUALADDRESS, &reserve) == STATUS_SUCCESS,
	   "ReserveGpuVirtualAddress without copy-out reserves nothing");
	kmt_unmap(&session, reserve.base_address, reserve.size);

	wait.device = session.device;
	wait.object_count = 1;
	wait.objects = (uintptr_t)&queue.fence;
	wait.fence_values = (uintptr_t)&value;
	wait.async_event = (uint64_t)event;
	expect(call_read_only(page, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait, sizeof(wait)),
	       STATUS_SUCCESS, "a wait by eventfd needs no copy-out");
	ok(read(event, &value, sizeof(value)) == sizeof(value), "and it was made");
	must(doorbell_destroy(session.fd, queue.doorbell), "doorbell");
	queue.doorbell = 0;
	handle.handle = queue.queue;
	expect(call_read_only(page, LX_DXDESTROYHWQUEUE, &handle, sizeof(handle)), STATUS_SUCCESS,
	       "DestroyHwQueue needs no copy-out");
	queue.queue = 0;
	expect(queue_destroy(&queue), STATUS_SUCCESS, "the rest is destroyed");
	munmap(page, KMT_PAGE_BYTES);
	close(event);
}

static void contexts_and_queues(void)
{
	struct dxg_createcontextvirtual context = {
		.device = session.device,
		.flags = DXG_CONTEXT_HW_QUEUE_SUPPORTED,
	};
	struct dxg_createhwqueue hwqueue = {
		.context = session.context,
		.flags = DXG_HWQUEUE_USER_MODE_SUBMISSION | 1u << 31,
	};
	struct dxg_createdevice device = { .adapter = session.adapter, .flags = 1u << 31 };

	expect(kmt_call(session.fd, LX_DXCREATEDEVICE, &device), STATUS_INVALID_PARAMETER,
	       "CreateDevice with a reserved flag");
	context.node_ordinal = session.caps.num_nodes;
	expect(kmt_call(session.fd, LX_DXCREATECONTEXTVIRTUAL, &context), STATUS_INVALID_PARAMETER,
	       "a context on a node that is not there");
	context.node_ordinal = 0;
	context.engine_affinity = 2;
	expect(kmt_call(session.fd, LX_DXCREATECONTEXTVIRTUAL, &context), STATUS_INVALID_PARAMETER,
	       "a context on a second physical adapter");
	context.engine_affinity = 0;
	context.flags |= 1u << 31;
	expect(kmt_call(session.fd, LX_DXCREATECONTEXTVIRTUAL, &context), STATUS_INVALID_PARAMETER,
	       "a context with a reserved flag");
	expect(kmt_call(session.fd, LX_DXCREATEHWQUEUE, &hwqueue), STATUS_INVALID_PARAMETER,
	       "a queue with a reserved flag");
}

static int32_t allocate(uint64_t bytes, uint32_t data_size, uint32_t count, uint32_t flags,
			uint64_t sysmem, uint64_t reserved)
{
	struct dxgpu_allocation_data data = { .size = data_size, .bytes = bytes };
	struct dxg_allocationinfo2 info = {
		.sysmem = sysmem,
		.priv_drv_data = (uintptr_t)&data,
		.priv_drv_data_size = data_size,
		.reserved[4] = reserved,
	};
	struct dxg_createallocation create = {
		.device = session.device,
		.alloc_count = count,
		.allocation_info = (uintptr_t)&info,
		.flags = flags,
	};
	int32_t status = kmt_call(session.fd, LX_DXCREATEALLOCATION, &create);

	if (NT_SUCCESS(status))
		kmt_allocation_destroy(&session, info.allocation);
	return status;
}

static void allocations(void)
{
	const uint32_t size = sizeof(struct dxgpu_allocation_data);
	uint64_t kernel = 0xffff888000000000ull;

	expect(allocate(KMT_PAGE_BYTES, size, 1, 0, 0, 0), STATUS_SUCCESS, "a good allocation");
	expect(allocate(0, size, 1, 0, 0, 0), STATUS_INVALID_PARAMETER, "0 bytes");
	ok(!NT_SUCCESS(allocate(1ull << 60, size, 1, 0, 0, 0)), "2^60 bytes");
	ok(!NT_SUCCESS(allocate(~0ull, size, 1, 0, 0, 0)), "2^64 - 1 bytes");
	expect(allocate(KMT_PAGE_BYTES, size - 4, 1, 0, 0, 0), STATUS_INVALID_PARAMETER,
	       "private data that is too short");
	expect(allocate(KMT_PAGE_BYTES, size, 0, 0, 0, 0), STATUS_INVALID_PARAMETER,
	       "no allocation at all");
	expect(allocate(KMT_PAGE_BYTES, size, DXG_ALLOCATION_MAX_COUNT + 1, 0, 0, 0),
	       STATUS_INVALID_PARAMETER, "1025 allocations");
	expect(allocate(KMT_PAGE_BYTES, size, 1, 1u << 31, 0, 0), STATUS_INVALID_PARAMETER,
	       "a reserved flag of CreateAllocation2");
	expect(allocate(KMT_PAGE_BYTES, size, 1, 0, 0, 1), STATUS_INVALID_PARAMETER,
	       "a reserved word of D3DDDI_ALLOCATIONINFO2");
	ok(!NT_SUCCESS(allocate(KMT_PAGE_BYTES, size, 1, DXG_ALLOCATION_EXISTING_SYSMEM, 0, 0)),
	   "existing memory at address 0");
	ok(!NT_SUCCESS(allocate(KMT_PAGE_BYTES, size, 1, DXG_ALLOCATION_EXISTING_SYSMEM, kernel,
				0)), "existing memory of the kernel");
	ok(!NT_SUCCESS(allocate(KMT_PAGE_BYTES, size, 1, DXG_ALLOCATION_EXISTING_SYSMEM,
				(uintptr_t)&session | 1, 0)), "existing memory, misaligned");
}

static int32_t map_at(uint32_t allocation, uint64_t base, uint64_t offset, uint64_t pages,
		      uint64_t protection, uint64_t *gpuva)
{
	struct dxg_mapgpuvirtualaddress map = {
		.paging_queue = session.paging_queue,
		.base_address = base,
		.allocation = allocation,
		.offset_in_pages = offset,
		.size_in_pages = pages,
		.protection = protection,
	};
	int32_t status = kmt_call(session.fd, LX_DXMAPGPUVIRTUALADDRESS, &map);

	*gpuva = map.virtual_address;
	return status;
}

static void addresses(void)
{
	struct kmt_buffer buffer;
	uint64_t gpuva, top = 1ull << session.caps.gpuva_bits;

	must(kmt_buffer_create(&session, 4 * KMT_PAGE_BYTES, 0, &buffer), "buffer");
#define REFUSED(base, offset, pages, protection, what) \
	expect(map_at(buffer.allocation, base, offset, pages, protection, &gpuva), \
	       STATUS_INVALID_PARAMETER, what)
	REFUSED(0, 0, 5, 1, "a mapping beyond the allocation's end");
	REFUSED(0, 4, 1, 1, "a mapping from the allocation's end");
	REFUSED(0, ~0ull, 2, 1, "an offset that wraps");
	REFUSED(0, 0, ~0ull, 1, "a size that wraps");
	REFUSED(0, 0, 1ull << 52, 1, "a size whose bytes wrap");
	REFUSED(0x10001, 0, 1, 1, "a misaligned base address");
	REFUSED(buffer.gpuva, 0, 1, 1, "a base address in use");
	REFUSED(top, 0, 1, 1, "a base address beyond the space");
	REFUSED(top / 2 + 0x10000, 0, 1, 1, "a base address in the kernel's half");
	REFUSED(0, 0, 1, 1ull << 63, "a reserved protection bit");
#undef REFUSED
	expect(kmt_unmap(&session, buffer.gpuva + 1, KMT_PAGE_BYTES), STATUS_INVALID_PARAMETER,
	       "FreeGpuVirtualAddress, misaligned");
	expect(kmt_unmap(&session, buffer.gpuva, 0), STATUS_INVALID_PARAMETER,
	       "FreeGpuVirtualAddress of 0 bytes");
	expect(kmt_unmap(&session, buffer.gpuva, ~0ull << 12), STATUS_INVALID_PARAMETER,
	       "FreeGpuVirtualAddress of nearly all");
	expect(kmt_unmap(&session, top / 2 + 0x10000, KMT_PAGE_BYTES), STATUS_INVALID_PARAMETER,
	       "FreeGpuVirtualAddress in the kernel's half");
	expect(kmt_unmap(&session, 0x123450000000, KMT_PAGE_BYTES), STATUS_INVALID_PARAMETER,
	       "FreeGpuVirtualAddress of what is not mapped");
	expect(kmt_buffer_destroy(&session, &buffer), STATUS_SUCCESS, "the buffer is still whole");
}

static void lists(struct queue *queue)
{
	uint32_t handles[DXG_WAIT_MAX_OBJECTS + 1] = { queue->fence };
	uint64_t values[DXG_WAIT_MAX_OBJECTS + 1] = { 0 };
	struct dxg_waitforsyncobjectfromcpu wait = {
		.device = session.device,
		.object_count = 1,
		.objects = (uintptr_t)handles,
		.fence_values = (uintptr_t)values,
	};
	struct dxg_makeresident resident = {
		.paging_queue = session.paging_queue,
		.allocation_list = (uintptr_t)handles,
	};

	expect(kmt_call(session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait),
	       STATUS_SUCCESS, "a wait for what has come already");
	wait.object_count = 0;
	expect(kmt_call(session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait),
	       STATUS_INVALID_PARAMETER, "a wait for 0 objects");
	wait.object_count = DXG_WAIT_MAX_OBJECTS + 1;
	expect(kmt_call(session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait),
	       STATUS_INVALID_PARAMETER, "a wait for 33 objects");
	wait.object_count = 1;
	wait.flags = 1u << 1;
	expect(kmt_call(session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait),
	       STATUS_INVALID_PARAMETER, "a wait with a reserved flag");
	wait.flags = 0;
	wait.async_event = 0x7fffffff;
	ok(!NT_SUCCESS(kmt_call(session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait)),
	   "a wait with an event that is no descriptor");
	wait.async_event = (uint64_t)session.fd;
	ok(!NT_SUCCESS(kmt_call(session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait)),
	   "a wait with a descriptor that is no eventfd");
	wait.async_event = 0;
	wait.objects = 8;
	ok(!NT_SUCCESS(kmt_call(session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait)),
	   "a wait with its list at address 8");

	resident.alloc_count = 0;
	expect(kmt_call(session.fd, LX_DXMAKERESIDENT, &resident), STATUS_INVALID_PARAMETER,
	       "MakeResident of nothing");
	resident.alloc_count = DXG_MAKERESIDENT_MAX_COUNT + 1;
	expect(kmt_call(session.fd, LX_DXMAKERESIDENT, &resident), STATUS_INVALID_PARAMETER,
	       "MakeResident of 10241 allocations");
}

static void queries(void)
{
	uint8_t blob[256];
	struct dxg_queryadapterinfo query = {
		.adapter = session.adapter,
		.private_data = (uintptr_t)blob,
		.private_data_size = 4,
	};

	ok(!NT_SUCCESS(kmt_call(session.fd, LX_DXQUERYADAPTERINFO, &query)),
	   "QueryAdapterInfo into 4 bytes");
	query.private_data_size = 0xffffffff;
	ok(!NT_SUCCESS(kmt_call(session.fd, LX_DXQUERYADAPTERINFO, &query)),
	   "QueryAdapterInfo into 4 GiB");
	query.private_data_size = sizeof(blob);
	query.type = 0xfffffff;
	ok(!NT_SUCCESS(kmt_call(session.fd, LX_DXQUERYADAPTERINFO, &query)),
	   "QueryAdapterInfo of an unknown type");
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct queue queue;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&queue), "first work");

	headers(&queue);
	rings();
	uniqueness(&queue);
	copy_out();
	unanswerable();
	contexts_and_queues();
	allocations();
	addresses();
	lists(&queue);
	queries();

	expect(queue_probe(&queue), STATUS_SUCCESS, "at the end the queue works");
	expect(queue_destroy(&queue), STATUS_SUCCESS, "and is destroyed");
	expect(kmt_session_close(&session), STATUS_SUCCESS, "as is all else");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
