/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world of the slot allocator's tests: the allocator itself, compiled for the
 * host, and around it a device that notes which doorbell each slot is bound to, an OS
 * layer that notes whom it was told to disconnect, QUEUES queues of up to PROCESSES
 * processes, and a connect as DxgkDdiConnectDoorbell makes it.
 *
 * For one translation unit. start_with() makes it anew, stop() ends it and holds
 * that nothing is bound, placed or counted any more.
 */
#ifndef DXGPU_TESTS_SLOTS_WORLD_H
#define DXGPU_TESTS_SLOTS_WORLD_H

#include <glib.h>

#include "kernel.h"

/* The allocator is included; of its objects it gets what it uses. */
#define _DXGPU_COMMAND_H
#define _DXGPU_PROCESS_H
#include "slots.h"
#include "dxgpu/regs.h"
#include "dxgpu/status.h"

#define SLOTS           3
#define SLOTS_MAX       8
#define QUEUES          12
#define PROCESSES       4

#define dev_err(dev, ...)       g_error(__VA_ARGS__)

struct dxgpu_adapter {
    struct {
        int dev;
    } *pdev;
    DXGKRNL_INTERFACE os;
    u32 generation;
    struct dxgpu_slots slots;
    struct dxgpu_queue_status status[QUEUES];
};

struct dxgpu_process {
    u16 places_used[DXGPU_PLACES_MAX];
};

struct dxgpu_context {
    u32 generation;
    struct dxgpu_process *process;
};

struct dxgpu_hwqueue {
    struct dxgpu_context *context;
    HANDLE os_handle;
    u32 id;
    struct dxgpu_slot *slot;
    unsigned int callbacks;
};

struct dxgpu_doorbell {
    struct dxgpu_hwqueue *hwqueue;
    HANDLE os_handle;
    unsigned int place;
};

#define dxgpu_doorbell_process(d)       ((d)->hwqueue->context->process)

#define dxgpu_queue_record(adapter, id)         (&(adapter)->status[id])
#define dxgpu_read32(record, type, field) \
    (((const struct type *)(record))->field)
#define dxgpu_read64            dxgpu_read32
#define dxgpu_command(adapter, generation, opcode, slot) \
    device_unbind(adapter, opcode, slot)

static void device_unbind(struct dxgpu_adapter *adapter, enum dxgpu_cmd opcode,
                          unsigned int slot);
static void dxgpu_hwqueue_expect_sample(struct dxgpu_hwqueue *queue);

static unsigned int command_timeout_ms;

static unsigned int dxgpu_command_timeout_ms(void)
{
    return command_timeout_ms;
}

#include "slots.c"
#include "victim.c"

static struct dxgpu_adapter adapter;
static struct dxgpu_process processes[PROCESSES];
static struct dxgpu_context contexts[PROCESSES];
static struct dxgpu_hwqueue queues[QUEUES];
static struct dxgpu_doorbell doorbells[QUEUES];
/* The device's binding of each slot, and whom the OS layer has told. */
static struct dxgpu_doorbell *_Atomic bound[SLOTS_MAX];
static _Atomic unsigned int told[QUEUES];
/* A sample of it is about to be asked for: every unbind does, and is told of before. */
static _Atomic bool expected[QUEUES];
static bool gone;
static bool kept;               /* the OS layer cannot disconnect it in time */
/* Whose slot is given back while the OS layer is told to disconnect another's. */
static struct dxgpu_doorbell *leaver;
static _Atomic bool slow;       /* the OS layer does not come to an end */
static bool alone;              /* one thread: no lock is held by another */

/* Whose slot somebody wants released while the device is unbinding it. */
static struct dxgpu_doorbell *impatient;
static pthread_t releaser;
static _Atomic bool released;

static void *release(void *opaque)
{
    dxgpu_slots_release(&adapter.slots, opaque);
    released = true;
    return NULL;
}

static void dxgpu_hwqueue_expect_sample(struct dxgpu_hwqueue *queue)
{
    expected[queue->id] = true;
}

static void device_unbind(struct dxgpu_adapter *a, enum dxgpu_cmd opcode,
                          unsigned int slot)
{
    struct dxgpu_doorbell *d;

    g_assert_true(a == &adapter);
    g_assert_cmpint(opcode, ==, DXGPU_CMD_DOORBELL_UNBIND);
    g_assert_cmpuint(slot, <, a->slots.count);
    if (impatient) {
        pthread_create(&releaser, NULL, release, impatient);
        impatient = NULL;
        g_usleep(20000);
        g_assert_false(released);
    }
    d = atomic_exchange(&bound[slot], NULL);
    g_assert_nonnull(d);
    g_assert_true(atomic_exchange(&expected[d->hwqueue->id], false));
}

static NTSTATUS disconnect(const DXGKARGCB_DISCONNECTDOORBELL *args)
{
    struct dxgpu_doorbell *d = args->hDoorbell;

    g_assert_true(args->hHwQueue == d->hwqueue);
    g_assert_cmpint(args->DisconnectReason, ==,
                    D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY);
    if (alone) {
        g_assert_cmpint(pthread_mutex_trylock(&adapter.slots.lock.lock), ==,
                        0);
        mutex_unlock(&adapter.slots.lock);
    }
    atomic_fetch_add(&told[d->hwqueue->id], 1);
    if (leaver) {
        dxgpu_slots_release(&adapter.slots, leaver);
        leaver = NULL;
    }
    while (slow) {
        g_usleep(1000);
    }
    if (kept) {
        return STATUS_DEVICE_BUSY;
    }
    return gone ? STATUS_INVALID_HANDLE : STATUS_SUCCESS;
}

/* Queue i is process i mod users'. */
static void start_with(unsigned int slots, unsigned int places, unsigned int users)
{
    unsigned int i;

    memset(&adapter, 0, sizeof(adapter));
    memset(queues, 0, sizeof(queues));
    memset(processes, 0, sizeof(processes));
    memset(contexts, 0, sizeof(contexts));
    for (i = 0; i < PROCESSES; i++) {
        contexts[i].process = &processes[i];
    }
    gone = false;
    min_hold_us = 0;
    command_timeout_ms = 60 * 1000;
    adapter.os.DxgkCbDisconnectDoorbell = disconnect;
    for (i = 0; i < QUEUES; i++) {
        queues[i].context = &contexts[i % users];
        queues[i].id = i;
        queues[i].os_handle = &queues[i];
        doorbells[i].hwqueue = &queues[i];
        doorbells[i].os_handle = &doorbells[i];
        told[i] = 0;
        expected[i] = false;
    }
    g_assert_cmpint(dxgpu_slots_init(&adapter.slots, &adapter, slots, places),
                    ==, 0);
    for (i = 0; i < QUEUES; i++) {
        dxgpu_slots_place(&adapter.slots, &doorbells[i]);
    }
}

static void start(void)
{
    start_with(SLOTS, 1, 1);
}

static void stop(void)
{
    unsigned int i;

    for (i = 0; i < QUEUES; i++) {
        dxgpu_slots_release(&adapter.slots, &doorbells[i]);
        dxgpu_slots_wait_callbacks(&adapter.slots, &queues[i]);
        dxgpu_slots_unplace(&adapter.slots, &doorbells[i]);
    }
    for (i = 0; i < adapter.slots.count; i++) {
        g_assert_null(bound[i]);
    }
    for (i = 0; i < PROCESSES * DXGPU_PLACES_MAX; i++) {
        g_assert_cmpuint(processes[i / DXGPU_PLACES_MAX]
                             .places_used[i % DXGPU_PLACES_MAX], ==, 0);
    }
    g_assert_cmpuint(adapter.slots.counters.binds, ==,
                     adapter.slots.counters.unbinds);
    dxgpu_slots_fini(&adapter.slots);
}

static NTSTATUS try_connect(unsigned int i, int *index)
{
    struct dxgpu_doorbell *none = NULL;
    struct dxgpu_slot *slot;
    NTSTATUS status = dxgpu_slots_acquire(&adapter.slots, &doorbells[i],
                                          &slot);

    *index = -1;
    if (status) {
        g_assert_null(slot);
        return status;
    }
    *index = dxgpu_slot_index(&adapter.slots, slot);
    g_assert_true(atomic_compare_exchange_strong(&bound[*index], &none,
                                                 &doorbells[i]));
    dxgpu_slots_bound(&adapter.slots, slot);
    return status;
}

/* Connects; the slot's index, or -1. */
static int connect_one(unsigned int i)
{
    NTSTATUS status;
    int index;

    status = try_connect(i, &index);
    g_assert_true(status == STATUS_SUCCESS || status == STATUS_DEVICE_BUSY);
    return index;
}

#endif
