/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's slot allocator (guest-driver/dxgpu/slots.c), compiled for the
 * host with a device and an OS layer of a few lines: who gets which slot, whose
 * is taken (MOD-4), without a lock held (DDI-CN-8), and, with threads, that a
 * slot is bound to one queue at a time and unbound before it is given on
 * (ORD-8). With ASan and with TSan.
 */
#include <glib.h>
#include <sched.h>

#include "kernel.h"

/* The allocator is included; of its objects it gets what it uses. */
#define _DXGPU_COMMAND_H
#define _DXGPU_PROCESS_H
#include "slots.h"
#include "dxgpu/regs.h"
#include "dxgpu/status.h"

#define SLOTS           3
#define QUEUES          12
#define THREADS         4
#define ROUNDS          300

struct seq_file {
    GString *text;
};

#define seq_printf(m, ...)      g_string_append_printf((m)->text, __VA_ARGS__)
#define seq_putc(m, c)          g_string_append_c((m)->text, c)
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

struct dxgpu_context {
    u32 generation;
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
};

#define dxgpu_queue_record(adapter, id)         (&(adapter)->status[id])
#define dxgpu_read32(record, type, field) \
    (((const struct type *)(record))->field)
#define dxgpu_read64            dxgpu_read32
#define dxgpu_command(adapter, generation, opcode, slot) \
    device_unbind(adapter, opcode, slot)

static void device_unbind(struct dxgpu_adapter *adapter, enum dxgpu_cmd opcode,
                          unsigned int slot);

#include "slots.c"

static struct dxgpu_adapter adapter;
static struct dxgpu_context context;
static struct dxgpu_hwqueue queues[QUEUES];
static struct dxgpu_doorbell doorbells[QUEUES];
/* The device's binding of each slot, and whom the OS layer has told. */
static struct dxgpu_doorbell *_Atomic bound[SLOTS];
static _Atomic unsigned int told[QUEUES];
static bool gone;
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

static void device_unbind(struct dxgpu_adapter *a, enum dxgpu_cmd opcode,
                          unsigned int slot)
{
    g_assert_true(a == &adapter);
    g_assert_cmpint(opcode, ==, DXGPU_CMD_DOORBELL_UNBIND);
    g_assert_cmpuint(slot, <, SLOTS);
    if (impatient) {
        pthread_create(&releaser, NULL, release, impatient);
        impatient = NULL;
        g_usleep(20000);
        g_assert_false(released);
    }
    g_assert_nonnull(atomic_exchange(&bound[slot], NULL));
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
    return gone ? STATUS_INVALID_HANDLE : STATUS_SUCCESS;
}

static void start(void)
{
    unsigned int i;

    memset(&adapter, 0, sizeof(adapter));
    memset(queues, 0, sizeof(queues));
    gone = false;
    adapter.os.DxgkCbDisconnectDoorbell = disconnect;
    for (i = 0; i < QUEUES; i++) {
        queues[i].context = &context;
        queues[i].id = i;
        queues[i].os_handle = &queues[i];
        doorbells[i].hwqueue = &queues[i];
        doorbells[i].os_handle = &doorbells[i];
        told[i] = 0;
    }
    g_assert_cmpint(dxgpu_slots_init(&adapter.slots, &adapter, SLOTS), ==, 0);
}

static void stop(void)
{
    unsigned int i;

    for (i = 0; i < QUEUES; i++) {
        dxgpu_slots_release(&adapter.slots, &doorbells[i]);
        dxgpu_slots_wait_callbacks(&adapter.slots, &queues[i]);
    }
    for (i = 0; i < SLOTS; i++) {
        g_assert_null(bound[i]);
    }
    g_assert_cmpuint(adapter.slots.counters.binds, ==,
                     adapter.slots.counters.unbinds);
    dxgpu_slots_fini(&adapter.slots);
}

/* Connects; the slot's index, or -1. */
static int connect_one(unsigned int i)
{
    struct dxgpu_doorbell *none = NULL;
    struct dxgpu_slot *slot;
    NTSTATUS status = dxgpu_slots_acquire(&adapter.slots, &doorbells[i],
                                          &slot);
    int index;

    if (status) {
        g_assert_cmpint(status, ==, STATUS_DEVICE_BUSY);
        g_assert_null(slot);
        return -1;
    }
    index = dxgpu_slot_index(&adapter.slots, slot);
    g_assert_true(atomic_compare_exchange_strong(&bound[index], &none,
                                                 &doorbells[i]));
    dxgpu_slots_bound(&adapter.slots, slot);
    return index;
}

static void test_free(void)
{
    bool seen[SLOTS] = { false };
    int i, index;

    start();
    for (i = 0; i < SLOTS; i++) {
        index = connect_one(i);
        g_assert_cmpint(index, >=, 0);
        g_assert_false(seen[index]);
        seen[index] = true;
        g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[i]), ==,
                        index);
    }
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[5]), ==, -1);
    dxgpu_slots_release(&adapter.slots, &doorbells[1]);
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[1]), ==, -1);
    index = connect_one(7);
    g_assert_cmpint(index, ==, dxgpu_slots_find(&adapter.slots, &queues[7]));
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 0);
    stop();
}

static void test_victim(void)
{
    struct dxgpu_slot *slot;

    start();
    alone = true;
    min_hold_us = 0;
    connect_one(0);
    connect_one(1);
    connect_one(2);
    adapter.status[0].state = DXGPU_QUEUE_READY;
    adapter.status[0].last_active_ns = 1;
    adapter.status[1].last_active_ns = 30;
    adapter.status[2].last_active_ns = 20;
    /* Without work first, then the longest ago. */
    connect_one(3);
    g_assert_cmpuint(told[2], ==, 1);
    adapter.status[3].last_active_ns = 40;
    connect_one(4);
    g_assert_cmpuint(told[1], ==, 1);
    adapter.status[3].state = adapter.status[4].state = DXGPU_QUEUE_RUNNING;
    adapter.status[4].last_active_ns = 50;
    connect_one(5);
    g_assert_cmpuint(told[0], ==, 1);
    /* One that a reset lost is the best of all. */
    context.generation = 1;
    connect_one(6);
    context.generation = 0;
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 4);
    g_assert_cmpint(dxgpu_slots_acquire(&adapter.slots, &doorbells[7], &slot),
                    ==, STATUS_SUCCESS);
    dxgpu_slots_cancel(&adapter.slots, slot);
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[7]), ==, -1);
    stop();
    alone = false;
}

/* One that was connected just now is taken only if all were (MOD-4, SEC-18). */
static void test_young(void)
{
    start();
    alone = true;
    min_hold_us = 60 * 1000 * 1000;
    connect_one(0);
    connect_one(1);
    connect_one(2);
    queues[1].slot->bound_ns -= 61ull * 1000 * 1000 * 1000;
    adapter.status[1].state = DXGPU_QUEUE_RUNNING;
    adapter.status[1].last_active_ns = 5;
    connect_one(3);
    g_assert_cmpuint(told[1], ==, 1);
    g_assert_cmpuint(adapter.slots.counters.all_young, ==, 0);
    adapter.status[0].last_active_ns = 2;
    adapter.status[2].last_active_ns = 1;
    adapter.status[3].last_active_ns = 3;
    connect_one(4);
    g_assert_cmpuint(told[2], ==, 1);
    g_assert_cmpuint(adapter.slots.counters.all_young, ==, 1);
    stop();
    alone = false;
}

/* Who gives up a slot that is being unbound waits for the end of it (ORD-8). */
static void test_quarantine(void)
{
    start();
    min_hold_us = 0;
    connect_one(0);
    connect_one(1);
    connect_one(2);
    adapter.status[1].last_active_ns = adapter.status[2].last_active_ns = 1;
    released = false;
    impatient = &doorbells[0];
    connect_one(3);
    pthread_join(releaser, NULL);
    g_assert_true(released);
    g_assert_cmpuint(told[0], ==, 1);
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[0]), ==, -1);
    stop();
}

/* Every victim is being destroyed: nobody lets go, and the connect gives up. */
static void test_busy(void)
{
    start();
    connect_one(0);
    connect_one(1);
    connect_one(2);
    gone = true;
    g_assert_cmpint(connect_one(3), ==, -1);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 1);
    g_assert_cmpuint(adapter.slots.counters.victim_gone, ==, SLOTS);
    gone = false;
    dxgpu_slots_release(&adapter.slots, &doorbells[0]);
    g_assert_cmpint(connect_one(3), >=, 0);
    stop();
}

static void *connector(void *opaque)
{
    unsigned int thread = GPOINTER_TO_UINT(opaque), i, n;

    for (n = 0; n < ROUNDS; n++) {
        i = thread + n % (QUEUES / THREADS) * THREADS;
        /* A busy host may be slower than the patience of a connect. */
        connect_one(i);
        if (n % 3 == 0) {
            sched_yield();
        }
        if (n % 5 == thread) {
            dxgpu_slots_release(&adapter.slots, &doorbells[i]);
            dxgpu_slots_wait_callbacks(&adapter.slots, &queues[i]);
        }
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t threads[THREADS];
    struct seq_file m = { g_string_new(NULL) };
    unsigned int i;

    start();
    min_hold_us = 10;
    for (i = 0; i < THREADS; i++) {
        g_assert_cmpint(pthread_create(&threads[i], NULL, connector,
                                       GUINT_TO_POINTER(i)), ==, 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    dxgpu_slots_print(&adapter, &m);
    g_test_message("%s", m.text->str);
    g_string_free(m.text, TRUE);
    g_assert_cmpuint(adapter.slots.counters.victimizations, >, 0);
    g_assert_cmpuint(adapter.slots.grants, >, THREADS * ROUNDS / 2);
    stop();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/slots/free", test_free);
    g_test_add_func("/slots/MOD-4-victim", test_victim);
    g_test_add_func("/slots/MOD-4-young", test_young);
    g_test_add_func("/slots/ORD-8-quarantine", test_quarantine);
    g_test_add_func("/slots/DDI-CN-10-busy", test_busy);
    g_test_add_func("/slots/thread/ORD-8", test_threads);
    return g_test_run();
}
