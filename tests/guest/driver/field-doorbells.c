// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of fields.h: waits and doorbells. */
#include "field-rows.h"

/* ---- waits ---- */

static void wait_fill(struct fields_world *world, void *argument)
{
	struct dxg_waitforsyncobjectfromcpu *args = argument;

	world->handle = world->queue.fence;
	world->number = 0;
	args->device = world->session.device;
	args->object_count = 1;
	args->objects = address(&world->handle);
	args->fence_values = address(&world->number);
}

static const struct field wait_fields[] = {
	HANDLE(dxg_waitforsyncobjectfromcpu, device, DEVICE),
	NUMBER(dxg_waitforsyncobjectfromcpu, object_count, { 0, BAD },
	       { DXG_WAIT_MAX_OBJECTS + 1, BAD }, { 0xffffffff, BAD }),
	HANDLES(dxg_waitforsyncobjectfromcpu, objects, FENCE),
	INPUT(dxg_waitforsyncobjectfromcpu, fence_values, 8),
	/* No descriptor, one that is no eventfd, one with more than 32 bits. */
	NUMBER(dxg_waitforsyncobjectfromcpu, async_event, { 0x7fffffff, BAD }, { 1, BAD },
	       { 0xffffffff, BAD }, { 1ull << 32, BAD }, { ~0ull, BAD }),
	FLAGS(dxg_waitforsyncobjectfromcpu, flags, DXG_WAIT_ANY),
	ANY(dxg_waitforsyncobjectfromcpu, reserved),
	END
};

/* ---- doorbells ---- */

static void doorbell_undo(struct fields_world *world, void *argument)
{
	const struct dxg_createdoorbell *args = argument;

	doorbell_destroy(world->session.fd, args->doorbell);
}

static void doorbell_fill(struct fields_world *world, void *argument)
{
	struct dxg_createdoorbell *args = argument;

	if (world->spare[OBJECT_DOORBELL])
		doorbell_destroy(world->session.fd, world->spare[OBJECT_DOORBELL]);
	world->spare[OBJECT_DOORBELL] = 0;
	args->queue = world->bare.queue;
	args->ring_buffer = world->bare.ring.allocation;
	args->ring_buffer_control = world->bare.control.allocation;
	args->priv_drv_data = address(world->blob);
	args->priv_drv_data_size = PRIVATE_BYTES;
}

static const struct field doorbell_fields[] = {
	HEADER(dxg_createdoorbell),
	HANDLE(dxg_createdoorbell, queue, HWQUEUE),
	HANDLE(dxg_createdoorbell, ring_buffer, ALLOCATION),
	HANDLE(dxg_createdoorbell, ring_buffer_control, ALLOCATION),
	FLAGS(dxg_createdoorbell, flags, DXG_DOORBELL_REQUIRE_SECONDARY | DXG_DOORBELL_RESIZE),
	NUMBER(dxg_createdoorbell, priv_drv_data_size, { DXG_DOORBELL_PRIVATE_MAX_BYTES + 1, BAD },
	       { 0xffffffff, BAD }),
	ANY(dxg_createdoorbell, reserved0),
	BOTH(dxg_createdoorbell, priv_drv_data, PRIVATE_BYTES),
	ANY(dxg_createdoorbell, doorbell_cpu_va),
	ANY(dxg_createdoorbell, doorbell_secondary_cpu_va),
	ANY(dxg_createdoorbell, doorbell_status_cpu_va),
	ANY(dxg_createdoorbell, last_queued_value_cpu_va),
	ANY(dxg_createdoorbell, doorbell),
	ANY(dxg_createdoorbell, reserved1),
	END
};

static void flags_fill(struct fields_world *world, void *argument)
{
	((struct dxg_doorbell_flags *)argument)->doorbell = world->queue.doorbell;
}

static const struct field flags_fields[] = {
	HEADER(dxg_doorbell_flags),
	HANDLE(dxg_doorbell_flags, doorbell, DOORBELL),
	ZERO(dxg_doorbell_flags, flags),
	END
};

static void destroy_doorbell_fill(struct fields_world *world, void *argument)
{
	((struct dxg_destroydoorbell *)argument)->doorbell = fields_spare(world, OBJECT_DOORBELL);
}

static void destroy_doorbell_undo(struct fields_world *world, void *argument)
{
	(void)argument;
	world->spare[OBJECT_DOORBELL] = 0;
}

static const struct field destroy_doorbell_fields[] = {
	HEADER(dxg_destroydoorbell),
	HANDLE(dxg_destroydoorbell, doorbell, DOORBELL),
	ZERO(dxg_destroydoorbell, reserved),
	END
};

const struct fields_call fields_doorbell_calls[] = {
	QUIET("WaitForSynchronizationObjectFromCpu", LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU,
	      wait, NULL),
	CALL("CreateDoorbell", DXG_CREATEDOORBELL, doorbell, doorbell_undo),
	CALL("ConnectDoorbell", DXG_CONNECTDOORBELL, flags, NULL),
	CALL("NotifyWorkSubmission", DXG_NOTIFYWORKSUBMISSION, flags, NULL),
	CALL("DestroyDoorbell", DXG_DESTROYDOORBELL, destroy_doorbell, destroy_doorbell_undo),
	END_CALLS
};
