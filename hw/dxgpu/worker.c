/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: the worker, which runs the core.
 *
 * Two pumps for one state machine. threads=1: an IOThread of the device's own,
 * asleep unless kicked; it does not poll, as that would take CPU time from the
 * vCPUs. threads=0: a bottom half of the main loop that does one turn each time
 * it runs, so the machine stays responsive and a test deterministic.
 *
 * Parking. A request has a number; the bottom half that finds one acknowledges
 * that number and does not run the core, so a late acknowledgement of an older
 * request cannot be taken for a newer one.
 *
 * The waiter first waits a little with the BQL held: a step of the worker is
 * short, and a configuration write that gave the BQL away would let QEMU refuse
 * the configuration accesses of other vCPUs meanwhile, as re-entrant ones. Only
 * a worker that itself waits for the BQL, see dxgpu.h, makes it longer; then
 * the BQL is released. Another thread may take back reasons during that time,
 * so the waiter states its own again. It looks every millisecond, as the signal
 * is sent without the BQL and may come between its look and its sleep.
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/runstate.h"

#include "dxgpu.h"
#include "trace.h"

#define DXGPU_PARK_PATIENCE     200     /* looks with the BQL held */
#define DXGPU_PARK_LOOK_US      50

/* True if the worker may not run now; then the request is acknowledged. */
static bool dxgpu_worker_parked(DxgpuState *s)
{
    uint32_t request = qatomic_load_acquire(&s->park_request);

    if (!request) {
        return false;
    }
    qatomic_store_release(&s->parked, request);
    qemu_cond_broadcast(&s->park_cond);
    return true;
}

static void dxgpu_worker_thread_bh(void *opaque)
{
    DxgpuState *s = opaque;

    while (!dxgpu_worker_parked(s)) {
        if (!dxgpu_core_run(s->core)) {
            break;
        }
    }
}

static void dxgpu_worker_main_bh(void *opaque)
{
    DxgpuState *s = opaque;

    if (!dxgpu_worker_parked(s) && dxgpu_core_run(s->core)) {
        qemu_bh_schedule(s->worker_bh);
    }
}

void dxgpu_worker_kick(void *opaque)
{
    DxgpuState *s = opaque;

    qemu_bh_schedule(s->worker_bh);
}

/* The device clock stands while the machine is stopped, and so does this. */
void dxgpu_worker_wake_at(void *opaque, uint64_t ns)
{
    DxgpuState *s = opaque;

    timer_mod(s->wake_timer, ns);
}

static void dxgpu_worker_request_park(DxgpuState *s, unsigned reason)
{
    s->park_reasons |= reason;
    if (!s->park_request) {
        if (++s->park_sequence == 0) {
            s->park_sequence = 1;
        }
        qatomic_store_release(&s->park_request, s->park_sequence);
    }
    dxgpu_core_yield(s->core);
    qemu_bh_schedule(s->worker_bh);
}

static bool dxgpu_worker_is_parked(DxgpuState *s)
{
    return s->park_request &&
           qatomic_load_acquire(&s->parked) == s->park_request;
}

void dxgpu_worker_park(DxgpuState *s, unsigned reason)
{
    unsigned looks = 0;

    trace_dxgpu_park(s->park_reasons | reason);
    dxgpu_worker_request_park(s, reason);
    if (!s->iothread) {
        /* The bottom half needs the BQL, which we hold: it is not running. */
        return;
    }
    while (!dxgpu_worker_is_parked(s)) {
        if (looks < DXGPU_PARK_PATIENCE) {
            looks++;
            g_usleep(DXGPU_PARK_LOOK_US);
        } else {
            qemu_cond_timedwait_bql(&s->park_cond, 1);
            dxgpu_worker_request_park(s, reason);
        }
    }
}

void dxgpu_worker_unpark(DxgpuState *s, unsigned reason)
{
    s->park_reasons &= ~reason;
    trace_dxgpu_unpark(s->park_reasons);
    if (!s->park_reasons) {
        qatomic_store_release(&s->park_request, 0);
        qemu_bh_schedule(s->worker_bh);
    }
}

static void dxgpu_worker_vm_state(void *opaque, bool running, RunState state)
{
    DxgpuState *s = opaque;

    if (running) {
        dxgpu_worker_unpark(s, DXGPU_PARK_STOPPED);
    } else {
        dxgpu_worker_park(s, DXGPU_PARK_STOPPED);
    }
}

bool dxgpu_worker_init(DxgpuState *s, Error **errp)
{
    static unsigned number;     /* BQL: names must differ */
    g_autofree char *name = NULL;

    if (s->threads) {
        name = g_strdup_printf("dxgpu-worker%u", number++);
        s->iothread = iothread_create(name, errp);
        if (!s->iothread) {
            return false;
        }
        object_property_set_int(OBJECT(s->iothread), "poll-max-ns", 0,
                                &error_abort);
        s->worker_bh = aio_bh_new(iothread_get_aio_context(s->iothread),
                                  dxgpu_worker_thread_bh, s);
    } else {
        s->worker_bh = qemu_bh_new_guarded(dxgpu_worker_main_bh, s,
                                           &DEVICE(s)->mem_reentrancy_guard);
    }
    /*
     * On the main loop also for a thread: a timer of another loop would be
     * counted, but not run, when a test steps the clock.
     */
    s->wake_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, dxgpu_worker_kick, s);
    qemu_cond_init(&s->park_cond);
    if (!runstate_is_running()) {
        dxgpu_worker_park(s, DXGPU_PARK_STOPPED);
    }
    s->vm_state = qdev_add_vm_change_state_handler(DEVICE(s),
                                                   dxgpu_worker_vm_state, s);
    return true;
}

void dxgpu_worker_exit(DxgpuState *s)
{
    qemu_del_vm_change_state_handler(s->vm_state);
    dxgpu_worker_park(s, DXGPU_PARK_EXIT);
    timer_free(s->wake_timer);
    s->wake_timer = NULL;
    qemu_bh_delete(s->worker_bh);
    s->worker_bh = NULL;
    if (s->iothread) {
        iothread_destroy(s->iothread);
        s->iothread = NULL;
    }
    qemu_cond_destroy(&s->park_cond);
}
