/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's tests talk to /dev/dxg without the library: they must be able to
 * say what no library says. This is the smallest layer that makes that bearable:
 * a call, a session (adapter, device, context, paging queue) and a buffer.
 *
 * Statuses are NTSTATUS values. A 'G' call answers with an errno, which is turned
 * into the one status that the driver's table has for it; an 'X' call
 * answers with the status itself. What the dispatcher met (EFAULT, EINTR, ENOTTY)
 * becomes KMT_ERRNO(errno), which no NTSTATUS of the driver equals.
 *
 * Nothing here prints or exits. A session and its buffers belong to one thread
 * at a time; calls on different handles may be made from any thread.
 */
#ifndef DXG_TESTS_KMT_H
#define DXG_TESTS_KMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <dxg/ntstatus.h>
#include "uapi/dxg.h"
#include "uapi/dxgpu_umd.h"

/* Customer bit set, severity error: a failure that carries no NTSTATUS. */
#define KMT_ERRNO(error)	((int32_t)(0xe0000000u | (uint32_t)(error)))

#define KMT_PAGE_BYTES		4096u

struct kmt_session {
	int fd;
	struct dxg_luid luid;
	uint32_t adapter;
	uint32_t device;
	uint32_t context;
	uint32_t paging_queue;
	uint32_t paging_fence;
	const volatile uint64_t *paging_fence_cpu;
	struct dxgpu_umd_caps caps;
};

struct kmt_buffer {
	uint32_t allocation;
	uint64_t gpuva;
	void *cpu;
	uint64_t bytes;		/* whole pages */
};

/* One ioctl on any descriptor; restarts after EINTR unless a signal is fatal. */
int32_t kmt_call(int fd, unsigned long command, void *argument);

/* One 'X' call: fills header.size from the command's number, gives header.status. */
int32_t kmt_call_x(int fd, unsigned long command, struct dxg_call_header *header);

/* A call that takes one handle, such as LX_DXDESTROYDEVICE. */
int32_t kmt_call_handle(int fd, unsigned long command, uint32_t handle);

/* The first adapter of an open /dev/dxg, opened. */
int32_t kmt_adapter_open(int fd, struct dxg_luid *luid, uint32_t *adapter);

/* The device's limits by KMTQAITYPE_UMDRIVERPRIVATE. */
int32_t kmt_caps(int fd, uint32_t adapter, struct dxgpu_umd_caps *caps);

int32_t kmt_device_create(int fd, uint32_t adapter, uint32_t *device);
int32_t kmt_context_create(int fd, uint32_t device, uint32_t node, uint32_t *context);

/*
 * Opens path (NULL: /dev/dxg, read-only as libdxg does) and makes one of each.
 * On failure nothing stays open. node is the context's node.
 */
int32_t kmt_session_open(struct kmt_session *session, const char *path, uint32_t node);

/*
 * The same on another adapter than the first session's, by the same open file, so that the
 * handles of both are of one table. Its descriptor is a duplicate.
 */
int32_t kmt_session_open_other(struct kmt_session *session, const struct kmt_session *first,
			       uint32_t node);

/*
 * Destroys the device with all that was made on it, and makes a new one with a new
 * context and paging queue: what a process does whose device is in error.
 */
int32_t kmt_session_renew(struct kmt_session *session, uint32_t node);

/* Destroys one by one what the session made; statuses are the caller's to compare. */
int32_t kmt_session_close(struct kmt_session *session);

/* Is the adapter's doorbell model the global one, in which no doorbell is ever wanting? */
static inline bool kmt_global(const struct kmt_session *session)
{
	return session->caps.doorbell_model == DXGPU_DOORBELLS_GLOBAL;
}

/*
 * Doorbells that are connected at a time; in the global model, where there is no such number,
 * 1: the fewest that there can be, for tests that make so many and more.
 */
static inline uint32_t kmt_num_slots(const struct kmt_session *session)
{
	return kmt_global(session) ? 1 : session->caps.num_slots;
}

/* D3DKMT_DEVICEEXECUTION_STATE of a device, 0 if the call failed. */
uint32_t kmt_execution_state(int fd, uint32_t device);

/* The address of the fault that put a device in error, 0 if there is none. */
uint64_t kmt_fault_address(int fd, uint32_t device);

#define KMT_BUFFER_READ_ONLY	(1u << 0)	/* mapped without Write */
#define KMT_BUFFER_NOT_RESIDENT	(1u << 1)	/* neither made resident nor mapped */
#define KMT_BUFFER_NOT_MAPPED	(1u << 2)	/* resident, without a GPU address */
#define KMT_BUFFER_NO_CPU	(1u << 3)	/* not locked */

/*
 * Allocates, makes resident, maps at any GPU address and locks, each step unless a
 * flag leaves it out. On failure everything is undone.
 */
int32_t kmt_buffer_create(struct kmt_session *session, uint64_t bytes, uint32_t flags,
			  struct kmt_buffer *buffer);
int32_t kmt_buffer_destroy(struct kmt_session *session, struct kmt_buffer *buffer);

/* The steps, for tests that take them one by one. */
int32_t kmt_allocation_create(struct kmt_session *session, uint64_t bytes, uint32_t *allocation);
/* Of memory of the caller, which is pinned: whole pages. */
int32_t kmt_allocation_pin(struct kmt_session *session, void *memory, uint64_t bytes,
			   uint32_t *allocation);
int32_t kmt_allocation_destroy(struct kmt_session *session, uint32_t allocation);
int32_t kmt_make_resident(struct kmt_session *session, uint32_t allocation);
int32_t kmt_evict(struct kmt_session *session, uint32_t allocation);
int32_t kmt_map(struct kmt_session *session, uint32_t allocation, uint64_t offset_pages,
		uint64_t pages, uint64_t protection, uint64_t *gpuva);
int32_t kmt_unmap(struct kmt_session *session, uint64_t gpuva, uint64_t bytes);
int32_t kmt_lock(struct kmt_session *session, uint32_t allocation, void **cpu);

/* Blocks in the kernel until the fence object has reached value. */
int32_t kmt_wait(struct kmt_session *session, uint32_t fence, uint64_t value);

/* Monotonic time in nanoseconds. */
uint64_t kmt_now_ns(void);
void kmt_sleep_us(unsigned int microseconds);

#endif /* DXG_TESTS_KMT_H */
