/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: the workers, which run the core.
 *
 * Two pumps for one state machine. threads=1 or more: an IOThread of the
 * device's own for each, asleep unless kicked; it does not poll, as that would
 * take CPU time from the vCPUs. threads=0: a bottom half of the main loop that
 * does one turn each time it runs, so the machine stays responsive and a test
 * deterministic.
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
static bool dxgpu_worker_parked(DxgpuWorker *w)
{
    uint32_t request = qatomic_load_acquire(&w->s->park_request);

    if (!request) {
        return false;
    }
    qatomic_store_release(&w->parked, request);
    qemu_cond_broadcast(&w->s->park_cond);
    return true;
}

static void dxgpu_worker_thread_bh(void *opaque)
{
    DxgpuWorker *w = opaque;

    while (!dxgpu_worker_parked(w)) {
        if (!dxgpu_core_run(w->s->core, w->index)) {
            break;
        }
    }
}

static void dxgpu_worker_main_bh(void *opaque)
{
    DxgpuWorker *w = opaque;

    if (!dxgpu_worker_parked(w) && dxgpu_core_run(w->s->core, w->index)) {
        qemu_bh_schedule(w->bh);
    }
}

void dxgpu_worker_kick(void *opaque, uint32_t worker)
{
    DxgpuState *s = opaque;

    qemu_bh_schedule(s->workers[worker].bh);
}

static void dxgpu_worker_woken(void *opaque)
{
    DxgpuWorker *w = opaque;

    qemu_bh_schedule(w->bh);
}

/* The device clock stands while the machine is stopped, and so does this. */
void dxgpu_worker_wake_at(void *opaque, uint32_t worker, uint64_t ns)
{
    DxgpuState *s = opaque;

    timer_mod(s->workers[worker].wake_timer, ns);
}

static void dxgpu_worker_schedule_all(DxgpuState *s)
{
    uint32_t i;

    for (i = 0; i < s->config.workers; i++) {
        qemu_bh_schedule(s->workers[i].bh);
    }
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
    dxgpu_worker_schedule_all(s);
}

static bool dxgpu_worker_all_parked(DxgpuState *s)
{
    uint32_t i;

    for (i = 0; i < s->config.workers; i++) {
        if (qatomic_load_acquire(&s->workers[i].parked) != s->park_request) {
            return false;
        }
    }
    return s->park_request;
}

void dxgpu_worker_park(DxgpuState *s, unsigned reason)
{
    unsigned looks = 0;

    trace_dxgpu_park(s->park_reasons | reason);
    dxgpu_worker_request_park(s, reason);
    if (!s->threads) {
        /* The bottom half needs the BQL, which we hold: it is not running. */
        return;
    }
    while (!dxgpu_worker_all_parked(s)) {
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
        dxgpu_worker_schedule_all(s);
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

static void dxgpu_worker_destroy(DxgpuWorker *w)
{
    if (w->bh) {
        timer_free(w->wake_timer);
        qemu_bh_delete(w->bh);
    }
    if (w->iothread) {
        iothread_destroy(w->iothread);
    }
    memset(w, 0, sizeof(*w));
}

static bool dxgpu_worker_create(DxgpuState *s, uint32_t index, Error **errp)
{
    static unsigned number;     /* BQL: names must differ */
    DxgpuWorker *w = &s->workers[index];
    g_autofree char *name = NULL;

    w->s = s;
    w->index = index;
    if (s->threads) {
        name = g_strdup_printf("dxgpu-worker%u", number++);
        w->iothread = iothread_create(name, errp);
        if (!w->iothread) {
            return false;
        }
        object_property_set_int(OBJECT(w->iothread), "poll-max-ns", 0,
                                &error_abort);
        w->bh = aio_bh_new(iothread_get_aio_context(w->iothread),
                           dxgpu_worker_thread_bh, w);
    } else {
        w->bh = qemu_bh_new_guarded(dxgpu_worker_main_bh, w,
                                    &DEVICE(s)->mem_reentrancy_guard);
    }
    /*
     * On the main loop also for a thread: a timer of another loop would be
     * counted, but not run, when a test steps the clock.
     */
    w->wake_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, dxgpu_worker_woken, w);
    return true;
}

bool dxgpu_worker_init(DxgpuState *s, Error **errp)
{
    uint32_t i;

    for (i = 0; i < s->config.workers; i++) {
        if (!dxgpu_worker_create(s, i, errp)) {
            do {
                dxgpu_worker_destroy(&s->workers[i]);
            } while (i--);
            return false;
        }
    }
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
    uint32_t i;

    qemu_del_vm_change_state_handler(s->vm_state);
    dxgpu_worker_park(s, DXGPU_PARK_EXIT);
    for (i = 0; i < s->config.workers; i++) {
        dxgpu_worker_destroy(&s->workers[i]);
    }
    qemu_cond_destroy(&s->park_cond);
}
