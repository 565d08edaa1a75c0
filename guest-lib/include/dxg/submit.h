/* SPDX-License-Identifier: MIT */
/*
 * The submission helper: queues that one can submit to.
 *
 * A session is an open adapter with a device, a context on one node and a paging
 * queue. A buffer is memory that CPU and device share. A submit queue is a
 * hardware queue in user-mode submission with its ring and doorbell; submitting is
 * a store to the ring and a store to the doorbell, without a system call unless the
 * doorbell has been taken away meanwhile.
 *
 *	dxg_session_open(NULL, &session);
 *	dxg_buffer_create(session, 65536, 0, &data);
 *	dxg_submit_queue_create(session, NULL, &queue);
 *	dxg_commands_copy(&commands, ...);
 *	dxg_submit(queue, &commands, timeout_ns, &fence);
 *	dxg_wait(queue, fence, timeout_ns);
 *
 * What dxg_submit() promises (ORD-5, ORD-24, UMD-1 to UMD-9):
 *  - a command buffer is put into the ring once and executes once, however often
 *    the doorbell is taken away; a retry rings the same write pointer again;
 *  - the status word is read after every ring, never before and never cached;
 *  - it comes back within timeout_ns, plus the time of one system call;
 *  - it may be called from any thread, also for the same queue (UMD-7).
 *
 * All functions that can fail return NTSTATUS and leave a text for dxg_last_error().
 * Times are in nanoseconds and relative; DXG_FOREVER waits without bound. The
 * clock is CLOCK_MONOTONIC.
 *
 * When the device or the queue is lost, calls return STATUS_DEVICE_REMOVED and the text
 * says why. Then destroy the queue, its buffers and the session; a new session may be
 * opened at once (UMD-4).
 *
 * Fork: objects belong to the process that made them. In a child each call
 * returns STATUS_INVALID_PARAMETER, and the memory behind buffers, rings and doorbells
 * is not mapped (UMD-11). A child opens its own session.
 */
#ifndef DXG_SUBMIT_H
#define DXG_SUBMIT_H

#include <dxg/d3dkmthk.h>
#include <dxg/error.h>
#include <dxg/packets.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DXG_FOREVER	UINT64_MAX
#define DXG_NODE_ANY	UINT32_MAX

struct dxg_session;
struct dxg_submit_queue;

/* ---- session ---- */

/* Set size to sizeof; a zeroed rest means the first adapter and its first node. */
struct dxg_session_options {
	UINT size;			/* of this structure, bytes */
	UINT adapter_index;		/* in the order of D3DKMTEnumAdapters3 */
	UINT node;			/* DXG_NODE_ANY: first with user-mode submission */
	UINT reserved;			/* zero */
};

/* The handles behind a session, for D3DKMT calls of one's own. */
struct dxg_session_handles {
	D3DKMT_HANDLE adapter;
	D3DKMT_HANDLE device;
	D3DKMT_HANDLE context;
	D3DKMT_HANDLE paging_queue;
	D3DKMT_HANDLE paging_fence;
	UINT node;
};

/*
 * dxg_session_open - enumerate, open, create device, paging queue and context
 * @options: NULL for the first adapter and any node with user-mode submission
 * @session: out
 *
 * STATUS_INVALID_PARAMETER: adapter_index or node out of range, reserved not zero.
 * STATUS_NOT_SUPPORTED: the node has no user-mode submission. Else as the D3DKMT calls.
 * Threads: any.
 */
NTSTATUS dxg_session_open(const struct dxg_session_options *options,
			  struct dxg_session **session);

/*
 * dxg_session_close - destroy all that belongs to the session
 * @session: NULL is allowed
 *
 * Queues and buffers of the session must have been destroyed before. In a child after
 * fork it only frees the memory of its copy. Threads: the last user calls it.
 */
void dxg_session_close(struct dxg_session *session);

/* Handles stay the session's own. Threads: any. */
void dxg_session_get_handles(const struct dxg_session *session,
			     struct dxg_session_handles *handles);

/* ---- buffers ---- */

/* Read it freely, change nothing. */
struct dxg_buffer {
	void *cpu;			/* page aligned */
	UINT64 gpuva;
	UINT64 bytes;			/* rounded up to pages */
	D3DKMT_HANDLE allocation;
	UINT flags;
};

#define DXG_BUFFER_GPU_READ_ONLY	0x1u	/* a write by the device faults */

/*
 * dxg_buffer_create - memory that is resident, GPU-mapped and CPU-mapped
 * @session: owner
 * @bytes: 1 .. 1 GiB; rounded up to 4096
 * @flags: DXG_BUFFER_*
 * @buffer: out; zeroed memory
 *
 * On failure @buffer is all zero. Threads: any. Fork: not mapped in a child.
 */
NTSTATUS dxg_buffer_create(struct dxg_session *session, UINT64 bytes, UINT flags,
			   struct dxg_buffer *buffer);

/*
 * dxg_buffer_destroy - give the memory back
 * @session: owner
 * @buffer: zeroed afterwards; an all-zero one is allowed
 *
 * The device must have completed every command that uses it. Threads: any.
 */
void dxg_buffer_destroy(struct dxg_session *session, struct dxg_buffer *buffer);

/* ---- queues ---- */

/* Set size to sizeof; zero in another field means its default. */
struct dxg_submit_queue_options {
	UINT size;			/* of this structure, bytes */
	UINT ring_entries;		/* power of two, whole pages (128), device's limits */
};

/* Counts since creation. Each only grows; they are read one by one. */
struct dxg_submit_stats {
	UINT64 submissions;		/* entries put into the ring */
	UINT64 rings;			/* stores to the doorbell, also into the dummy page */
	UINT64 connects_first;		/* 0 or 1 */
	UINT64 reconnects;		/* successful connects after the first */
	UINT64 retries;			/* status word RETRY after a ring */
	UINT64 notifies;		/* status word CONNECTED_NOTIFY_KMD after a ring */
	UINT64 busy;			/* connects that returned STATUS_DEVICE_BUSY */
	UINT64 accepted;		/* gave up re-ringing after a good connect (UMD-5) */
};

/*
 * dxg_submit_queue_create - hardware queue, ring, ring control and doorbell
 * @session: owner
 * @options: NULL for the defaults
 * @queue: out; not connected yet, the first submission does it (UMD-6)
 *
 * STATUS_INVALID_PARAMETER: ring_entries is no power of two or out of range.
 * STATUS_NO_MEMORY: also when the process has used up its quota of queues.
 * Threads: any.
 */
NTSTATUS dxg_submit_queue_create(struct dxg_session *session,
				 const struct dxg_submit_queue_options *options,
				 struct dxg_submit_queue **queue);

/*
 * dxg_submit_queue_destroy - take the queue down, in any state
 * @queue: NULL is allowed; nobody may use it any more
 * @drain_timeout_ns: how long to wait for work that was submitted; 0 = not at all.
 *
 * What has not completed by then never executes (KMT-HQ-7).
 */
void dxg_submit_queue_destroy(struct dxg_submit_queue *queue,
			      UINT64 drain_timeout_ns);

/*
 * dxg_submit - put a command buffer into the ring and make the device look
 * @queue: the queue
 * @commands: packets; the fence packet is appended here. The device reads the
 *	buffer until the fence has been reached: leave it alone until then.
 * @timeout_ns: bound for waiting for a free ring entry and for a connection
 * @fence: out: the value that the progress fence reaches on completion; values
 *	of a queue are consecutive, starting at 1. 0 if nothing was submitted.
 *
 * STATUS_SUCCESS: it will execute.
 * STATUS_TIMEOUT: the ring was full all the time; nothing was submitted.
 * STATUS_BUFFER_TOO_SMALL: no room for the fence packet; nothing was submitted.
 * STATUS_INVALID_PARAMETER: more bytes than the device takes, or misaligned; nothing
 *	was submitted. No packet at all is allowed: only the fence is written.
 * STATUS_DEVICE_BUSY: in the ring, but no connection could be had in time. Do
 *	not submit it again: dxg_submit_kick(), dxg_wait() and the next dxg_submit() try
 *	to connect again.
 * STATUS_DEVICE_REMOVED: the queue is lost.
 * Threads: any.
 */
NTSTATUS dxg_submit(struct dxg_submit_queue *queue, struct dxg_commands *commands,
		    UINT64 timeout_ns, UINT64 *fence);

/*
 * dxg_submit_kick - ring again for what is in the ring, connecting if need be
 *
 * Harmless at any time (ORD-25). Statuses as dxg_submit(). Threads: any.
 */
NTSTATUS dxg_submit_kick(struct dxg_submit_queue *queue, UINT64 timeout_ns);

/*
 * dxg_wait - wait until the progress fence has reached a value
 * @fence: from dxg_submit(); 0 is reached at once
 *
 * STATUS_TIMEOUT: not reached in timeout_ns. STATUS_DEVICE_REMOVED: it never will be.
 * STATUS_INVALID_PARAMETER: a value that was never given out. A short wait spins; a
 * long one sleeps until the device's interrupt. Threads: any.
 */
NTSTATUS dxg_wait(struct dxg_submit_queue *queue, UINT64 fence, UINT64 timeout_ns);

/* The progress fence now; no system call. Threads: any. */
UINT64 dxg_submit_queue_progress(const struct dxg_submit_queue *queue);

/*
 * The ring control's RP now: entries that the device says it completed. It follows the
 * progress fence. Threads: any.
 */
UINT64 dxg_submit_queue_completed(const struct dxg_submit_queue *queue);

/*
 * The progress fence's handle, for D3DKMTWaitForSynchronizationObjectFromCpu: to wait
 * for several queues at once, or by an event of one's own. Threads: any.
 */
D3DKMT_HANDLE dxg_submit_queue_fence(const struct dxg_submit_queue *queue);

/* Threads: any. */
void dxg_submit_queue_get_stats(const struct dxg_submit_queue *queue,
				struct dxg_submit_stats *stats);

#ifdef __cplusplus
}
#endif

#endif /* DXG_SUBMIT_H */
