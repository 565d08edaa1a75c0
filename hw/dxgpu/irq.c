/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: MSI-X messages.
 *
 * msix_notify() needs the BQL, which the worker does not take. So a vector is
 * a bit that anybody may set, and a bottom half of the main loop sends the
 * messages. Requests that come before it runs fold into one message, which is
 * right for both kinds of vector: the driver looks at causes and fences, it
 * does not count messages.
 *
 * Any process can ask for a message with each of its small packets. So after a
 * message of a node's vector that vector is quiet for irq-moderation-us: what
 * becomes due then is one message at the end of that time (SEC-20). The vector
 * of events, which tells of faults and acknowledgments, is never quiet. Both
 * times are of the virtual clock; they are not saved, as a vector that is not
 * quiet is right too.
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "hw/pci/msix.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"

#include "dxgpu.h"
#include "trace.h"

void dxgpu_irq_raise(void *opaque, uint32_t vector)
{
    DxgpuState *s = opaque;

    qatomic_or(&s->irq_pending, 1u << vector);
    qemu_bh_schedule(s->irq_bh);
}

/* Whether the vector is quiet at now; if not, from now on it is. */
static bool dxgpu_irq_is_quiet(DxgpuState *s, unsigned vector, int64_t now)
{
    if (vector == DXGPU_VECTOR_EVENT || !s->irq_moderation_us) {
        return false;
    }
    if (now < s->irq_quiet_until[vector]) {
        return true;
    }
    s->irq_quiet_until[vector] = now + s->irq_moderation_us * (int64_t)SCALE_US;
    return false;
}

static void dxgpu_irq_deliver(void *opaque)
{
    DxgpuState *s = opaque;
    PCIDevice *pci = PCI_DEVICE(s);
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    int64_t next = INT64_MAX;
    uint32_t pending, early = 0;
    unsigned vector;

    /* A function in D3hot sends nothing; it does so when it is back. */
    if (s->asleep) {
        return;
    }
    pending = qatomic_xchg(&s->irq_pending, 0);
    /* While disabled a message would only stay as a stale pending bit. */
    if (!msix_enabled(pci)) {
        return;
    }
    while (pending) {
        vector = ctz32(pending);
        pending &= pending - 1;
        if (dxgpu_irq_is_quiet(s, vector, now)) {
            early |= 1u << vector;
            next = MIN(next, s->irq_quiet_until[vector]);
            continue;
        }
        if (s->lose_interrupts) {
            s->lose_interrupts--;
            trace_dxgpu_interrupt_lost(vector);
            continue;
        }
        trace_dxgpu_interrupt(vector);
        dxgpu_core_count(s->core, DXGPU_STAT_INTERRUPTS, 1);
        msix_notify(pci, vector);
    }
    if (early) {
        qatomic_or(&s->irq_pending, early);
        timer_mod(s->irq_timer, next);
    }
}

static void dxgpu_irq_due(void *opaque)
{
    DxgpuState *s = opaque;

    qemu_bh_schedule(s->irq_bh);
}

void dxgpu_irq_init(DxgpuState *s)
{
    s->irq_bh = qemu_bh_new_guarded(dxgpu_irq_deliver, s,
                                    &DEVICE(s)->mem_reentrancy_guard);
    s->irq_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, dxgpu_irq_due, s);
}

void dxgpu_irq_reset(DxgpuState *s)
{
    qatomic_set(&s->irq_pending, 0);
    memset(s->irq_quiet_until, 0, sizeof(s->irq_quiet_until));
}

void dxgpu_irq_wake(DxgpuState *s)
{
    /* After a load the clock may be an earlier one. */
    memset(s->irq_quiet_until, 0, sizeof(s->irq_quiet_until));
    qemu_bh_schedule(s->irq_bh);
}

void dxgpu_irq_exit(DxgpuState *s)
{
    timer_free(s->irq_timer);
    s->irq_timer = NULL;
    qemu_bh_delete(s->irq_bh);
    s->irq_bh = NULL;
}
