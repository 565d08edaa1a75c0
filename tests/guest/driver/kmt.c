// SPDX-License-Identifier: GPL-2.0-or-later
/* See kmt.h. */
#include "kmt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PAGING_WAIT_NS	(10ull * 1000 * 1000 * 1000)

/* The driver's side of the table is dxgkrnl/status.c; this one is written from the spec. */
static int32_t status_of_errno(int error)
{
	switch (error) {
	case EINVAL:
		return STATUS_INVALID_PARAMETER;
	case EBADF:
		return STATUS_INVALID_HANDLE;
	case ENOMEM:
		return STATUS_NO_MEMORY;
	case EACCES:
		return STATUS_ACCESS_DENIED;
	case EOVERFLOW:
		return STATUS_BUFFER_TOO_SMALL;
	case EPERM:
		return STATUS_NOT_SUPPORTED;
	case ENODEV:
		return STATUS_DEVICE_REMOVED;
	case EINPROGRESS:
		return STATUS_GRAPHICS_ALLOCATION_BUSY;
	default:
		return KMT_ERRNO(error);
	}
}

int32_t kmt_call(int fd, unsigned long command, void *argument)
{
	int result;

	do {
		result = ioctl(fd, command, argument);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? status_of_errno(errno) : result;
}

int32_t kmt_call_x(int fd, unsigned long command, struct dxg_call_header *header)
{
	int result;

	header->size = _IOC_SIZE(command);
	do {
		result = ioctl(fd, command, header);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? KMT_ERRNO(errno) : header->status;
}

int32_t kmt_call_handle(int fd, unsigned long command, uint32_t handle)
{
	struct dxg_handle_arg argument = { .handle = handle };

	return kmt_call(fd, command, &argument);
}

uint64_t kmt_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void kmt_sleep_us(unsigned int microseconds)
{
	struct timespec span = {
		.tv_sec = microseconds / 1000000,
		.tv_nsec = (long)(microseconds % 1000000) * 1000,
	};

	while (nanosleep(&span, &span) && errno == EINTR)
		;
}

static bool luid_is(const struct dxg_luid *one, const struct dxg_luid *other)
{
	return one->low_part == other->low_part && one->high_part == other->high_part;
}

/* The first adapter that is not this one; any if it is NULL. */
static int32_t adapter_open(int fd, const struct dxg_luid *except, struct dxg_luid *luid,
			    uint32_t *adapter)
{
	struct dxg_adapterinfo adapters[16];
	struct dxg_enumadapters3 list = {
		.filter = 1,	/* IncludeComputeOnly */
		.num_adapters = 16,
		.adapters = (uintptr_t)adapters,
	};
	int32_t status = kmt_call(fd, LX_DXENUMADAPTERS3, &list);
	uint32_t i;

	if (!NT_SUCCESS(status))
		return status;
	*adapter = 0;
	for (i = 0; i < list.num_adapters; i++) {
		if (*adapter || (except && luid_is(except, &adapters[i].adapter_luid))) {
			kmt_call_handle(fd, LX_DXCLOSEADAPTER, adapters[i].adapter);
		} else {
			*luid = adapters[i].adapter_luid;
			*adapter = adapters[i].adapter;
		}
	}
	return *adapter ? STATUS_SUCCESS : STATUS_DEVICE_REMOVED;
}

int32_t kmt_adapter_open(int fd, struct dxg_luid *luid, uint32_t *adapter)
{
	return adapter_open(fd, NULL, luid, adapter);
}

int32_t kmt_caps(int fd, uint32_t adapter, struct dxgpu_umd_caps *caps)
{
	struct dxg_queryadapterinfo query = {
		.adapter = adapter,
		.type = 0,	/* KMTQAITYPE_UMDRIVERPRIVATE */
		.private_data = (uintptr_t)caps,
		.private_data_size = sizeof(*caps),
	};

	memset(caps, 0, sizeof(*caps));
	return kmt_call(fd, LX_DXQUERYADAPTERINFO, &query);
}

int32_t kmt_device_create(int fd, uint32_t adapter, uint32_t *device)
{
	struct dxg_createdevice create = { .adapter = adapter };
	int32_t status = kmt_call(fd, LX_DXCREATEDEVICE, &create);

	*device = create.device;
	return status;
}

int32_t kmt_context_create(int fd, uint32_t device, uint32_t node, uint32_t *context)
{
	struct dxg_createcontextvirtual create = {
		.device = device,
		.node_ordinal = node,
		.flags = DXG_CONTEXT_HW_QUEUE_SUPPORTED,
	};
	int32_t status = kmt_call(fd, LX_DXCREATECONTEXTVIRTUAL, &create);

	*context = create.context;
	return status;
}

static int32_t session_device(struct kmt_session *session, uint32_t node)
{
	struct dxg_createpagingqueue paging = { 0 };
	int32_t status;

	status = kmt_device_create(session->fd, session->adapter, &session->device);
	if (!NT_SUCCESS(status))
		return status;
	status = kmt_context_create(session->fd, session->device, node, &session->context);
	if (!NT_SUCCESS(status))
		return status;
	paging.device = session->device;
	status = kmt_call(session->fd, LX_DXCREATEPAGINGQUEUE, &paging);
	if (!NT_SUCCESS(status))
		return status;
	session->paging_queue = paging.paging_queue;
	session->paging_fence = paging.sync_object;
	session->paging_fence_cpu =
		(const volatile uint64_t *)(uintptr_t)paging.fence_cpu_virtual_address;
	return STATUS_SUCCESS;
}

static int32_t session_fill(struct kmt_session *session, const struct dxg_luid *except,
			    uint32_t node)
{
	int32_t status;

	status = adapter_open(session->fd, except, &session->luid, &session->adapter);
	if (!NT_SUCCESS(status))
		return status;
	status = kmt_caps(session->fd, session->adapter, &session->caps);
	if (!NT_SUCCESS(status))
		return status;
	return session_device(session, node);
}

int32_t kmt_session_renew(struct kmt_session *session, uint32_t node)
{
	if (session->device)
		kmt_call_handle(session->fd, LX_DXDESTROYDEVICE, session->device);
	session->device = 0;
	return session_device(session, node);
}

/* With the file in session->fd, which is closed on failure. */
static int32_t session_begin(struct kmt_session *session, const struct dxg_luid *except,
			     uint32_t node)
{
	int32_t status;

	if (session->fd < 0)
		return KMT_ERRNO(errno);
	status = session_fill(session, except, node);
	if (!NT_SUCCESS(status)) {
		close(session->fd);
		session->fd = -1;
	}
	return status;
}

int32_t kmt_session_open(struct kmt_session *session, const char *path, uint32_t node)
{
	memset(session, 0, sizeof(*session));
	session->fd = open(path ? path : DXG_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	return session_begin(session, NULL, node);
}

int32_t kmt_session_open_other(struct kmt_session *session, const struct kmt_session *first,
			       uint32_t node)
{
	memset(session, 0, sizeof(*session));
	session->fd = fcntl(first->fd, F_DUPFD_CLOEXEC, 0);
	return session_begin(session, &first->luid, node);
}

static void keep_first(int32_t *first, int32_t status)
{
	if (NT_SUCCESS(*first))
		*first = status;
}

int32_t kmt_session_close(struct kmt_session *session)
{
	int32_t first = STATUS_SUCCESS;

	keep_first(&first, kmt_call_handle(session->fd, LX_DXDESTROYPAGINGQUEUE,
					   session->paging_queue));
	keep_first(&first, kmt_call_handle(session->fd, LX_DXDESTROYCONTEXT, session->context));
	keep_first(&first, kmt_call_handle(session->fd, LX_DXDESTROYDEVICE, session->device));
	keep_first(&first, kmt_call_handle(session->fd, LX_DXCLOSEADAPTER, session->adapter));
	close(session->fd);
	session->fd = -1;
	return first;
}

uint32_t kmt_execution_state(int fd, uint32_t device)
{
	struct dxg_getdevicestate state = { .device = device, .state_type = 1 };

	return NT_SUCCESS(kmt_call(fd, LX_DXGETDEVICESTATE, &state)) ? state.execution_state : 0;
}

uint64_t kmt_fault_address(int fd, uint32_t device)
{
	struct dxg_getdevicestate state = { .device = device, .state_type = 5 };

	if (!NT_SUCCESS(kmt_call(fd, LX_DXGETDEVICESTATE, &state)))
		return 0;
	return state.page_fault.virtual_address;
}

static int32_t allocation_create(struct kmt_session *session, void *memory, uint64_t bytes,
				 uint32_t *allocation)
{
	struct dxgpu_allocation_data data = { .size = sizeof(data), .bytes = bytes };
	struct dxg_allocationinfo2 info = {
		.sysmem = (uintptr_t)memory,
		.priv_drv_data = (uintptr_t)&data,
		.priv_drv_data_size = sizeof(data),
	};
	struct dxg_createallocation create = {
		.device = session->device,
		.alloc_count = 1,
		.allocation_info = (uintptr_t)&info,
		.flags = memory ? DXG_ALLOCATION_EXISTING_SYSMEM : 0,
	};
	int32_t status = kmt_call(session->fd, LX_DXCREATEALLOCATION, &create);

	*allocation = info.allocation;
	return status;
}

int32_t kmt_allocation_create(struct kmt_session *session, uint64_t bytes, uint32_t *allocation)
{
	return allocation_create(session, NULL, bytes, allocation);
}

int32_t kmt_allocation_pin(struct kmt_session *session, void *memory, uint64_t bytes,
			   uint32_t *allocation)
{
	return allocation_create(session, memory, bytes, allocation);
}

int32_t kmt_allocation_destroy(struct kmt_session *session, uint32_t allocation)
{
	struct dxg_destroyallocation2 destroy = {
		.device = session->device,
		.allocations = (uintptr_t)&allocation,
		.alloc_count = 1,
	};

	return kmt_call(session->fd, LX_DXDESTROYALLOCATION2, &destroy);
}

/* The paging fence is a word in memory: 10 s is far beyond what any paging takes. */
static int32_t paging_wait(struct kmt_session *session, uint64_t value)
{
	uint64_t end = kmt_now_ns() + PAGING_WAIT_NS;

	while (*session->paging_fence_cpu < value) {
		if (kmt_now_ns() > end)
			return STATUS_UNSUCCESSFUL;
		kmt_sleep_us(50);
	}
	return STATUS_SUCCESS;
}

int32_t kmt_make_resident(struct kmt_session *session, uint32_t allocation)
{
	struct dxg_makeresident resident = {
		.paging_queue = session->paging_queue,
		.alloc_count = 1,
		.allocation_list = (uintptr_t)&allocation,
	};
	int32_t status = kmt_call(session->fd, LX_DXMAKERESIDENT, &resident);

	return status == STATUS_PENDING ? paging_wait(session, resident.paging_fence_value) :
					  status;
}

int32_t kmt_evict(struct kmt_session *session, uint32_t allocation)
{
	struct dxg_evict evict = {
		.device = session->device,
		.alloc_count = 1,
		.allocations = (uintptr_t)&allocation,
	};

	return kmt_call(session->fd, LX_DXEVICT, &evict);
}

int32_t kmt_map(struct kmt_session *session, uint32_t allocation, uint64_t offset_pages,
		uint64_t pages, uint64_t protection, uint64_t *gpuva)
{
	struct dxg_mapgpuvirtualaddress map = {
		.paging_queue = session->paging_queue,
		.allocation = allocation,
		.offset_in_pages = offset_pages,
		.size_in_pages = pages,
		.protection = protection,
	};
	int32_t status = kmt_call(session->fd, LX_DXMAPGPUVIRTUALADDRESS, &map);

	*gpuva = map.virtual_address;
	return status == STATUS_PENDING ? paging_wait(session, map.paging_fence_value) : status;
}

int32_t kmt_unmap(struct kmt_session *session, uint64_t gpuva, uint64_t bytes)
{
	struct dxg_freegpuvirtualaddress unmap = {
		.adapter = session->adapter,
		.base_address = gpuva,
		.size = bytes,
	};

	return kmt_call(session->fd, LX_DXFREEGPUVIRTUALADDRESS, &unmap);
}

int32_t kmt_lock(struct kmt_session *session, uint32_t allocation, void **cpu)
{
	struct dxg_lock2 lock = { .device = session->device, .allocation = allocation };
	int32_t status = kmt_call(session->fd, LX_DXLOCK2, &lock);

	*cpu = (void *)(uintptr_t)lock.data;
	return status;
}

static int32_t buffer_fill(struct kmt_session *session, uint32_t flags,
			   struct kmt_buffer *buffer)
{
	uint64_t protection = flags & KMT_BUFFER_READ_ONLY ? 0 : DXG_PROTECTION_WRITE;
	int32_t status = STATUS_SUCCESS;

	if (!(flags & KMT_BUFFER_NOT_RESIDENT))
		status = kmt_make_resident(session, buffer->allocation);
	if (NT_SUCCESS(status) && !(flags & (KMT_BUFFER_NOT_RESIDENT | KMT_BUFFER_NOT_MAPPED)))
		status = kmt_map(session, buffer->allocation, 0, buffer->bytes / KMT_PAGE_BYTES,
				 protection, &buffer->gpuva);
	if (NT_SUCCESS(status) && !(flags & KMT_BUFFER_NO_CPU))
		status = kmt_lock(session, buffer->allocation, &buffer->cpu);
	return status;
}

int32_t kmt_buffer_create(struct kmt_session *session, uint64_t bytes, uint32_t flags,
			  struct kmt_buffer *buffer)
{
	int32_t status;

	memset(buffer, 0, sizeof(*buffer));
	buffer->bytes = (bytes + KMT_PAGE_BYTES - 1) / KMT_PAGE_BYTES * KMT_PAGE_BYTES;
	status = kmt_allocation_create(session, buffer->bytes, &buffer->allocation);
	if (!NT_SUCCESS(status))
		return status;
	status = buffer_fill(session, flags, buffer);
	if (!NT_SUCCESS(status))
		kmt_buffer_destroy(session, buffer);
	return status;
}

int32_t kmt_buffer_destroy(struct kmt_session *session, struct kmt_buffer *buffer)
{
	struct dxg_unlock2 unlock = {
		.device = session->device,
		.allocation = buffer->allocation,
	};
	int32_t first = STATUS_SUCCESS, status;

	if (buffer->cpu) {
		status = kmt_call(session->fd, LX_DXUNLOCK2, &unlock);
		/* On a device in error the lock goes with the allocation (KMT-0.9). */
		if (status != STATUS_DEVICE_REMOVED)
			keep_first(&first, status);
	}
	if (buffer->gpuva)
		keep_first(&first, kmt_unmap(session, buffer->gpuva, buffer->bytes));
	keep_first(&first, kmt_allocation_destroy(session, buffer->allocation));
	memset(buffer, 0, sizeof(*buffer));
	return first;
}

int32_t kmt_wait(struct kmt_session *session, uint32_t fence, uint64_t value)
{
	struct dxg_waitforsyncobjectfromcpu wait = {
		.device = session->device,
		.object_count = 1,
		.objects = (uintptr_t)&fence,
		.fence_values = (uintptr_t)&value,
	};

	return kmt_call(session->fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait);
}
