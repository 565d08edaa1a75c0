// SPDX-License-Identifier: GPL-2.0
/*
 * Objects and handles.
 *
 * A handle is the key of a per-process xarray, given out cyclically over all 32
 * bits: a value comes back only after some four thousand million creations, so
 * a stale handle finds nothing (OBJ-16, OBJ-17). That is an index with an
 * implicit generation; a separate generation field beside a small index was
 * rejected, because it wraps after 2^bits reuses of one index.
 *
 * A handle is reserved first (the key is taken, look-up finds nothing) and
 * published when the object is complete, so that nobody meets a half-made one.
 * The table owns the reference that the object was created with.
 */
#include <linux/slab.h>

#include "dxgkrnl.h"

struct dxg_counts dxg_counts;

DEFINE_XARRAY_FLAGS(dxg_ids, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_IRQ);
static u32 dxg_next_id;			/* dxg_ids.xa_lock */

void dxg_object_init(struct dxg_object *obj, enum dxg_type type, struct dxg_process *process,
		     void (*release)(struct dxg_object *obj))
{
	kref_init(&obj->kref);
	obj->type = type;
	obj->process = process;
	obj->release = release;
	atomic_inc(&dxg_counts.objects[type]);
}

void dxg_object_get(struct dxg_object *obj)
{
	kref_get(&obj->kref);
}

static void dxg_object_release(struct kref *kref)
{
	struct dxg_object *obj = container_of(kref, struct dxg_object, kref);
	enum dxg_type type = obj->type;

	obj->release(obj);
	atomic_dec(&dxg_counts.objects[type]);
}

/* May sleep. A null object is no object. */
void dxg_object_put(struct dxg_object *obj)
{
	if (obj)
		kref_put(&obj->kref, dxg_object_release);
}

void dxg_handle_table_init(struct dxg_handle_table *table)
{
	xa_init_flags(&table->objects, XA_FLAGS_ALLOC1);
}

void dxg_handle_table_destroy(struct dxg_handle_table *table)
{
	WARN_ON_ONCE(!xa_empty(&table->objects));
	xa_destroy(&table->objects);
}

/**
 * dxg_handle_reserve() - take a handle that finds nothing yet
 * @process: whose
 * @handle: out
 *
 * Return: NO_MEMORY if the quota (module parameter max_handles) or the memory is used
 * up.
 */
NTSTATUS dxg_handle_reserve(struct dxg_process *process, u32 *handle)
{
	struct dxg_handle_table *table = &process->handles;
	int ret;

	if (!dxg_quota_charge(process, DXG_QUOTA_HANDLES, 1))
		return STATUS_NO_MEMORY;

	ret = xa_alloc_cyclic(&table->objects, handle, NULL, XA_LIMIT(1, U32_MAX), &table->next,
			      GFP_KERNEL_ACCOUNT);
	if (ret < 0) {
		dxg_quota_uncharge(process, DXG_QUOTA_HANDLES, 1);
		return STATUS_NO_MEMORY;
	}
	atomic_inc(&dxg_counts.handles);
	return STATUS_SUCCESS;
}

/* Give a reserved or published handle back. */
void dxg_handle_unreserve(struct dxg_process *process, u32 handle)
{
	if (!handle)
		return;
	xa_erase(&process->handles.objects, handle);
	dxg_quota_uncharge(process, DXG_QUOTA_HANDLES, 1);
	atomic_dec(&dxg_counts.handles);
}

/* The object's first reference goes over to the table. */
void dxg_handle_publish(struct dxg_object *obj, u32 handle)
{
	obj->handle = handle;
	/* The slot exists since the reservation, so this allocates nothing. */
	xa_store(&obj->process->handles.objects, handle, obj, GFP_KERNEL);
}

/* Withdraw the handle, if there is one, and drop the table's reference. Once per object. */
void dxg_handle_withdraw(struct dxg_object *obj)
{
	dxg_handle_unreserve(obj->process, obj->handle);
	dxg_object_put(obj);
}

struct dxg_object *dxg_handle_get_any(struct dxg_process *process, u32 handle)
{
	struct dxg_object *obj;

	xa_lock(&process->handles.objects);
	obj = xa_load(&process->handles.objects, handle);
	if (obj && !kref_get_unless_zero(&obj->kref))
		obj = NULL;
	xa_unlock(&process->handles.objects);
	return obj;
}

/**
 * dxg_handle_get() - the object of a handle, with a reference
 * @process: the caller's
 * @handle: from user space
 * @type: the only type that is accepted
 *
 * Return: NULL for zero, stale, foreign and wrong-type handles.
 */
struct dxg_object *dxg_handle_get(struct dxg_process *process, u32 handle, enum dxg_type type)
{
	struct dxg_object *obj = dxg_handle_get_any(process, handle);

	if (obj && obj->type != type) {
		dxg_object_put(obj);
		obj = NULL;
	}
	return obj;
}

/* An OS handle for the miniport, cyclic as the user's handles. NO_MEMORY. */
NTSTATUS dxg_id_alloc(struct dxg_object *obj, u32 *id)
{
	int ret = xa_alloc_cyclic_irq(&dxg_ids, id, obj, XA_LIMIT(1, U32_MAX), &dxg_next_id,
				      GFP_KERNEL_ACCOUNT);

	return ret < 0 ? STATUS_NO_MEMORY : STATUS_SUCCESS;
}

/* Zero is no handle. Before the object's last reference goes. */
void dxg_id_free(u32 id)
{
	if (id)
		xa_erase_irq(&dxg_ids, id);
}

/* The object behind an OS handle, with a reference; NULL if it is gone or of another type. */
struct dxg_object *dxg_id_get(HANDLE id, enum dxg_type type)
{
	struct dxg_object *obj;

	xa_lock_irq(&dxg_ids);
	obj = xa_load(&dxg_ids, (unsigned long)id);
	if (obj && (obj->type != type || !kref_get_unless_zero(&obj->kref)))
		obj = NULL;
	xa_unlock_irq(&dxg_ids);
	return obj;
}
