/* SPDX-License-Identifier: MIT */
/*
 * The inside of a submit queue.
 *
 * submit.c puts entries into the ring and settles the doorbell, wait.c waits for
 * the progress fence, queue.c makes and destroys. The first two reach the kernel
 * and the doorbell only through struct dxg_submit_ops, so that the unit tests
 * can put any sequence of status words under them.
 */
#ifndef DXG_SRC_SUBMIT_H
#define DXG_SRC_SUBMIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <dxg/submit.h>
#include <dxgpu/ring.h>

/* The D3DKMT calls that a living queue makes, and its doorbell store. */
struct dxg_submit_ops {
	void (*ring)(void *doorbell, UINT64 value);
	NTSTATUS (*connect)(const D3DKMT_CONNECT_DOORBELL *args);
	NTSTATUS (*notify)(const D3DKMT_NOTIFY_WORK_SUBMISSION *args);
	NTSTATUS (*wait)(const D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU *args);
	NTSTATUS (*device_state)(D3DKMT_GETDEVICESTATE *args);
};

extern const struct dxg_submit_ops dxg_submit_kmt_ops;

/* Counters that any thread may add to at any time. */
struct dxg_submit_counters {
	atomic_uint_least64_t rings;
	atomic_uint_least64_t connects;
	atomic_uint_least64_t retries;
	atomic_uint_least64_t notifies;
	atomic_uint_least64_t busy;
	atomic_uint_least64_t accepted;
};

/*
 * The eventfds of a queue's sleeping waiters. One that a time-out leaves armed stays
 * so, for the next waiter: the kernel has no call to disarm it and bounds how many
 * a process may arm.
 */
#define DXG_EVENTS	8

struct dxg_event {
	int fd;				/* -1: not opened yet */
	bool taken;			/* by a waiter, to whom the rest belongs then */
	UINT64 armed;			/* fence value at which it fires, 0: none */
};

struct dxg_event_pool {
	pthread_mutex_t lock;
	struct dxg_event events[DXG_EVENTS]; /* lock */
};

struct dxg_submit_queue {
	/* Constant after creation. */
	const struct dxg_submit_ops *ops;
	UINT instance;			/* dxg_kernel_instance() of the maker */
	UINT entries;			/* power of two */
	UINT max_command_bytes;
	D3DKMT_HANDLE device;
	D3DKMT_HANDLE doorbell;
	D3DKMT_HANDLE progress_fence;
	UINT64 progress_gpuva;
	UINT64 first_fence;		/* of the entry with index 0 */
	bool rings_value;		/* ring_value, not the write pointer (UMD-10) */
	UINT ring_value;

	/* Memory shared with the device or the kernel. */
	struct dxgpu_ring_entry *ring;	/* written under lock */
	struct dxgpu_ring_control *control; /* wp is written under lock */
	void *doorbell_va;
	const UINT64 *status;
	const UINT64 *progress;
	UINT64 *last_queued;		/* written under lock */

	pthread_mutex_t lock;
	atomic_uint_least64_t wp;		/* entries ever; written under lock */
	atomic_bool lost;		/* set once: STATUS_DEVICE_REMOVED from here on */
	atomic_bool kick_pending;	/* an entry may not have been seen by the device */
	struct dxg_submit_counters counters;
	struct dxg_event_pool events;

	/* queue.c's: what is to be destroyed. */
	struct dxg_session *session;
	D3DKMT_HANDLE hwqueue;
	struct dxg_buffer ring_buffer;
	struct dxg_buffer control_buffer;
};

/* Locks, counters and pool; the other fields are the caller's. */
void dxg_submit_queue_init(struct dxg_submit_queue *queue);
void dxg_submit_queue_fini(struct dxg_submit_queue *queue);

/* STATUS_INVALID_PARAMETER if queue is NULL or of another process (UMD-11). */
NTSTATUS dxg_submit_queue_check(const struct dxg_submit_queue *queue,
				const char *function);

/*
 * Marks the queue lost and reports why, as far as the device's state tells.
 * Returns STATUS_DEVICE_REMOVED.
 */
NTSTATUS dxg_submit_queue_lose(struct dxg_submit_queue *queue, const char *function);

/* Waits without the check and the kick of dxg_wait(). Takes no lock of the queue. */
NTSTATUS dxg_wait_until(struct dxg_submit_queue *queue, UINT64 fence, UINT64 deadline,
			const char *function);

/* Rings for everything in the ring and acts on the status word. */
NTSTATUS dxg_submit_kick_until(struct dxg_submit_queue *queue, UINT64 deadline,
			       const char *function);

#endif /* DXG_SRC_SUBMIT_H */
