/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: MSI-X messages.
 *
 * msix_notify() needs the BQL, which the worker does not take. So a vector is
 * a bit that anybody may set, and a bottom half of the main loop sends the
 * messages. Requests that come before it runs fold into one message, which is
 * right for both kinds of vector: the driver looks at causes and fences, it
 * does not count messages.
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "hw/pci/msix.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"

#include "dxgpu.h"
#include "trace.h"

void dxgpu_irq_raise(void *opaque, uint32_t vector)
{
    DxgpuState *s = opaque;

    qatomic_or(&s->irq_pending, 1u << vector);
    qemu_bh_schedule(s->irq_bh);
}

static void dxgpu_irq_deliver(void *opaque)
{
    DxgpuState *s = opaque;
    PCIDevice *pci = PCI_DEVICE(s);
    uint32_t pending;
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
        if (s->lose_interrupts) {
            s->lose_interrupts--;
            trace_dxgpu_interrupt_lost(vector);
            continue;
        }
        trace_dxgpu_interrupt(vector);
        dxgpu_core_count(s->core, DXGPU_STAT_INTERRUPTS, 1);
        msix_notify(pci, vector);
    }
}

void dxgpu_irq_init(DxgpuState *s)
{
    s->irq_bh = qemu_bh_new_guarded(dxgpu_irq_deliver, s,
                                    &DEVICE(s)->mem_reentrancy_guard);
}

void dxgpu_irq_reset(DxgpuState *s)
{
    qatomic_set(&s->irq_pending, 0);
}

void dxgpu_irq_wake(DxgpuState *s)
{
    qemu_bh_schedule(s->irq_bh);
}

void dxgpu_irq_exit(DxgpuState *s)
{
    qemu_bh_delete(s->irq_bh);
    s->irq_bh = NULL;
}
