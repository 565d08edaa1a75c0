/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects, the two kinds of handles to them, their counts, and statuses.
 *
 * Part of dxgkrnl.h, where the object tree and the lock order are told.
 */
#ifndef _DXGKRNL_OBJECT_H
#define _DXGKRNL_OBJECT_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "ntdef.h"

/* ---- counts and statuses ---- */

enum dxg_type {
	DXG_TYPE_ADAPTER,		/* an opened adapter */
	DXG_TYPE_DEVICE,
	DXG_TYPE_CONTEXT,
	DXG_TYPE_HWQUEUE,
	DXG_TYPE_DOORBELL,
	DXG_TYPE_ALLOCATION,
	DXG_TYPE_PAGING_QUEUE,
	DXG_TYPE_FENCE,
	DXG_TYPE_CELL_PAGE,		/* has no handle */
	DXG_TYPE_COUNT,
};

/* Living objects of the module, for debugfs and leak tests. */
struct dxg_counts {
	atomic_t objects[DXG_TYPE_COUNT];
	atomic_t processes;
	atomic_t handles;
	atomic_t accounts;
	atomic64_t pages;		/* kernel or pinned user pages held */
};

extern struct dxg_counts dxg_counts;

/**
 * dxg_status_to_errno() - the errno that stands for a status in a 'G' call
 * @status: any NTSTATUS
 *
 * Return: the status itself if it is a success (>= 0), else -errno.
 */
int dxg_status_to_errno(NTSTATUS status);

/**
 * dxg_errno_to_status() - the status for an error that the kernel reported
 * @error: -errno
 */
NTSTATUS dxg_errno_to_status(int error);

/* ---- objects and handles (handle.c) ---- */

struct dxg_object;
struct dxg_process;

struct dxg_object {
	struct kref kref;
	enum dxg_type type;
	bool dead;			/* pa->lock; true once destroy began */
	u32 handle;			/* set before publishing, then constant */
	struct dxg_process *process;	/* constant; kept by the parent chain */
	void (*release)(struct dxg_object *obj);
};

struct dxg_handle_table {
	struct xarray objects;		/* handle -> object; its xa_lock */
	u32 next;			/* xa_lock */
};

void dxg_object_init(struct dxg_object *obj, enum dxg_type type, struct dxg_process *process,
		     void (*release)(struct dxg_object *obj));
void dxg_object_get(struct dxg_object *obj);
void dxg_object_put(struct dxg_object *obj);
void dxg_handle_table_init(struct dxg_handle_table *table);
void dxg_handle_table_destroy(struct dxg_handle_table *table);
NTSTATUS dxg_handle_reserve(struct dxg_process *process, u32 *handle);
void dxg_handle_unreserve(struct dxg_process *process, u32 handle);
void dxg_handle_publish(struct dxg_object *obj, u32 handle);
void dxg_handle_withdraw(struct dxg_object *obj);
struct dxg_object *dxg_handle_get(struct dxg_process *process, u32 handle, enum dxg_type type);
struct dxg_object *dxg_handle_get_any(struct dxg_process *process, u32 handle);

/*
 * OS handles, as the miniports get them: numbers too, not pointers, because a
 * callback may come for an object that is just being destroyed. Contexts, queues
 * and doorbells of all adapters share one array; the disconnect callback names no
 * adapter. Erased after the KMD's destroy call.
 */
extern struct xarray dxg_ids;		/* id -> object; xa_lock, taken in interrupts */

NTSTATUS dxg_id_alloc(struct dxg_object *obj, u32 *id);
void dxg_id_free(u32 id);
struct dxg_object *dxg_id_get(HANDLE id, enum dxg_type type);

static inline HANDLE dxg_id_to_handle(u32 id)
{
	return (HANDLE)(uintptr_t)id;
}

#endif /* _DXGKRNL_OBJECT_H */
