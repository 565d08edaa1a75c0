/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: a GPU-like PCI Express function with doorbells.
 *
 * The datasheet is docs/specs/dxgpu.rst of the project, the registers and
 * memory layouts are include/dxgpu/. This file is the function's front: class,
 * properties, life and reset. What the device does is in core/.
 */
#include "qemu/osdep.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qemu/crc32c.h"
#include "qemu/module.h"
#include "qemu/timer.h"

#include "dxgpu.h"
#include "trace.h"

#define DXGPU_IRQ_MODERATION_MAX_US     1000000

/* QEMU's function takes and returns the inverted running value. */
static uint32_t dxgpu_crc32c(void *opaque, uint32_t crc, const void *data,
                             uint32_t len)
{
    return crc32c(~crc, data, len);
}

static uint64_t dxgpu_clock_ns(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void dxgpu_core_trace(void *opaque, enum dxgpu_core_event event,
                             uint32_t id, uint64_t a, uint64_t b)
{
    switch (event) {
    case DXGPU_EVENT_SAMPLE:
        trace_dxgpu_sample(id, a, b);
        break;
    case DXGPU_EVENT_ENTRY_START:
        trace_dxgpu_entry_start(id, a, b);
        break;
    case DXGPU_EVENT_ENTRY_DONE:
        trace_dxgpu_entry_done(id, a);
        break;
    case DXGPU_EVENT_FENCE:
        trace_dxgpu_fence(id, a, b);
        break;
    case DXGPU_EVENT_FAULT:
        trace_dxgpu_fault(id, a, b);
        break;
    case DXGPU_EVENT_ACK:
        trace_dxgpu_ack(id, a, b);
        break;
    case DXGPU_EVENT_RESET:
        trace_dxgpu_reset_done(a);
        break;
    case DXGPU_EVENT_HANG:
        trace_dxgpu_hang(id, a, b);
        break;
    }
}

static const struct dxgpu_core_ops dxgpu_core_ops = {
    .dma_read = dxgpu_dma_read,
    .dma_write = dxgpu_dma_write,
    .load_u64 = dxgpu_dma_load_u64,
    .store_u64 = dxgpu_dma_store_u64,
    .status_dirty = dxgpu_status_dirty,
    .raise_vector = dxgpu_irq_raise,
    .kick = dxgpu_worker_kick,
    .wake_at = dxgpu_worker_wake_at,
    .crc32c = dxgpu_crc32c,
    .clock_ns = dxgpu_clock_ns,
    .trace = dxgpu_core_trace,
};

static bool dxgpu_check_range(const char *name, uint32_t value, uint32_t min,
                              uint32_t max, Error **errp)
{
    if (value < min || value > max) {
        error_setg(errp, "dxgpu: property '%s' is %u, must be %u..%u", name,
                   value, min, max);
        return false;
    }
    return true;
}

static bool dxgpu_check_properties(DxgpuState *s, Error **errp)
{
    const struct dxgpu_core_config *c = &s->config;

    if (!dxgpu_check_range("slots", c->slots, 1, DXGPU_CORE_LIMIT_SLOTS,
                           errp) ||
        !dxgpu_check_range("queues", c->queues, 1, DXGPU_CORE_LIMIT_QUEUES,
                           errp) ||
        !dxgpu_check_range("contexts", c->contexts, 1,
                           DXGPU_CORE_LIMIT_CONTEXTS, errp) ||
        !dxgpu_check_range("spaces", c->spaces, 1, DXGPU_CORE_LIMIT_SPACES,
                           errp) ||
        !dxgpu_check_range("packet-budget", c->packet_budget, 1,
                           DXGPU_CORE_LIMIT_BUDGET, errp) ||
        !dxgpu_check_range("threads", s->threads, 0,
                           DXGPU_CORE_LIMIT_WORKERS, errp) ||
        !dxgpu_check_range("irq-moderation-us", s->irq_moderation_us, 0,
                           DXGPU_IRQ_MODERATION_MAX_US, errp) ||
        !dxgpu_check_range("ring-max-entries", c->ring_max_entries,
                           DXGPU_CORE_RING_MIN_ENTRIES,
                           DXGPU_CORE_LIMIT_RING_ENTRIES, errp)) {
        return false;
    }
    if (!is_power_of_2(c->ring_max_entries)) {
        error_setg(errp, "dxgpu: property 'ring-max-entries' is %u, must be a "
                   "power of two in %u..%u", c->ring_max_entries,
                   DXGPU_CORE_RING_MIN_ENTRIES, DXGPU_CORE_LIMIT_RING_ENTRIES);
        return false;
    }
    s->config.workers = MAX(s->threads, 1);
    if (!dxgpu_doorbell_check(s, errp)) {
        return false;
    }
    s->caps = DXGPU_CAPS_LARGE_PAGES | DXGPU_CAPS_ENGINE_RESET |
              (c->global_doorbells ? DXGPU_CAPS_GLOBAL
                                   : DXGPU_CAPS_DEDICATED);
    if (c->secondary_doorbells) {
        s->caps |= DXGPU_CAPS_SECONDARY;
    }
    return dxgpu_nodes_init(s, errp) && dxgpu_inject_check(s, errp);
}

static void dxgpu_realize(PCIDevice *pci, Error **errp)
{
    DxgpuState *s = DXGPU(pci);

    if (!dxgpu_check_properties(s, errp) || !dxgpu_status_init(s, errp)) {
        return;
    }
    s->core = dxgpu_core_create(&s->config, &dxgpu_core_ops, s,
                                memory_region_get_ram_ptr(&s->status));
    if (!s->core) {
        error_setg(errp, "dxgpu: not enough memory for %u queues, %u contexts "
                   "and %u spaces", s->config.queues, s->config.contexts,
                   s->config.spaces);
        return;
    }
    dxgpu_mmio_init(s);
    dxgpu_doorbell_init(s);
    if (!dxgpu_pci_init(s, errp)) {
        goto fail_core;
    }
    dxgpu_irq_init(s);
    if (!dxgpu_worker_init(s, errp)) {
        goto fail_irq;
    }
    dxgpu_core_inject(s->core, &s->inject);
    dxgpu_core_set_fault_entry(s->core, s->fault_entry);
    trace_dxgpu_realize(s->config.slots, s->config.queues, s->threads);
    return;

fail_irq:
    dxgpu_irq_exit(s);
    dxgpu_pci_exit(s);
fail_core:
    dxgpu_core_destroy(s->core);
    s->core = NULL;
}

static void dxgpu_exit(PCIDevice *pci)
{
    DxgpuState *s = DXGPU(pci);

    dxgpu_worker_exit(s);
    dxgpu_irq_exit(s);
    dxgpu_pci_exit(s);
    dxgpu_snapshot_free(&s->snapshot);
    dxgpu_core_destroy(s->core);
    s->core = NULL;
}

static void dxgpu_reset_hold(Object *obj, ResetType type)
{
    DxgpuState *s = DXGPU(obj);

    trace_dxgpu_system_reset(type);
    if (type == RESET_TYPE_WAKEUP) {
        dxgpu_pci_wake(s);
        return;
    }
    dxgpu_worker_park(s, DXGPU_PARK_RESET);
    dxgpu_core_cold_reset(s->core);
    dxgpu_irq_reset(s);
    dxgpu_mmio_reset(s);
    dxgpu_pci_reset(s);
    dxgpu_worker_unpark(s, DXGPU_PARK_RESET);
}

static const Property dxgpu_properties[] = {
    DEFINE_PROP_UINT32("slots", DxgpuState, config.slots, 64),
    DEFINE_PROP_UINT32("queues", DxgpuState, config.queues, 4096),
    DEFINE_PROP_UINT32("contexts", DxgpuState, config.contexts, 4096),
    DEFINE_PROP_UINT32("spaces", DxgpuState, config.spaces, 1024),
    DEFINE_PROP_UINT32("ring-max-entries", DxgpuState,
                       config.ring_max_entries, 65536),
    DEFINE_PROP_UINT32("packet-budget", DxgpuState, config.packet_budget, 64),
    DEFINE_PROP_UINT32("threads", DxgpuState, threads, 1),
    DEFINE_PROP_UINT32("irq-moderation-us", DxgpuState, irq_moderation_us, 50),
    DEFINE_PROP_STRING("nodes", DxgpuState, nodes),
    DEFINE_PROP_BOOL("secondary-doorbells", DxgpuState,
                     config.secondary_doorbells, false),
    DEFINE_PROP_STRING("doorbell-model", DxgpuState, doorbell_model),
    DEFINE_PROP_UINT32("doorbell-stride", DxgpuState, config.doorbell_stride,
                       DXGPU_CORE_DOORBELL_PAGE),
};

static const struct {
    const char *name;
    const char *text;
} dxgpu_property_texts[] = {
    { "slots", "physical doorbell slots, 1..4096; not used with "
      "doorbell-model=global" },
    { "queues", "number of queue ids, 1..65536" },
    { "contexts", "number of context ids, 1..65536" },
    { "spaces", "number of address-space ids, 1..65536" },
    { "ring-max-entries",
      "largest ring in entries, a power of two in 2..1048576" },
    { "packet-budget",
      "packets, or 64 KiB chunks, of a queue before the next one's turn, "
      "1..65536" },
    { "threads",
      "worker threads, 1..8, which share the nodes; 0: the main loop, "
      "deterministic" },
    { "irq-moderation-us",
      "shortest time between two messages of a node, 0..1000000 us; 0: none" },
    { "nodes",
      "1..16 types of 3d, compute, copy, separated by colons; with -kernel "
      "behind it a node takes no user submission; 3d:compute:copy" },
    { "secondary-doorbells",
      "on: a second doorbell page for each slot, which doubles BAR2" },
    { "doorbell-model",
      "dedicated: a ring's place names the queue; global: its value does, and "
      "each address space has a slot; dedicated" },
    { "doorbell-stride",
      "bytes from one slot to the next, a power of two in 64..65536, with "
      "doorbell-model=global from 4096; below 4096 slots share pages" },
};

static void dxgpu_class_init(ObjectClass *oc, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(oc);
    ResettableClass *rc = RESETTABLE_CLASS(oc);
    int i;

    k->realize = dxgpu_realize;
    k->exit = dxgpu_exit;
    k->config_read = dxgpu_pci_config_read;
    k->config_write = dxgpu_pci_config_write;
    k->vendor_id = DXGPU_PCI_VENDOR_ID;
    k->device_id = DXGPU_PCI_DEVICE_ID;
    k->class_id = DXGPU_PCI_CLASS;
    k->revision = DXGPU_PCI_REVISION;

    rc->phases.hold = dxgpu_reset_hold;

    dc->desc = "GPU-like device with user-mode submission doorbells";
    dc->vmsd = &dxgpu_vmstate;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, dxgpu_properties);
    for (i = 0; i < ARRAY_SIZE(dxgpu_property_texts); i++) {
        object_class_property_set_description(oc, dxgpu_property_texts[i].name,
                                              dxgpu_property_texts[i].text);
    }
    dxgpu_stats_class_init(oc);
    dxgpu_inject_class_init(oc);
}

static const TypeInfo dxgpu_types[] = {
    {
        .name = TYPE_DXGPU,
        .parent = TYPE_PCI_DEVICE,
        .instance_size = sizeof(DxgpuState),
        .class_init = dxgpu_class_init,
        .interfaces = (InterfaceInfo[]) {
            { INTERFACE_PCIE_DEVICE },
            { }
        },
    },
};

DEFINE_TYPES(dxgpu_types)
