/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: saving and loading of the device's state.
 *
 * The machine is stopped, so the worker is parked, between two steps. The core
 * gives and takes a snapshot (core/snapshot.h); here it gets the form that
 * QEMU's migration knows. The stream is not trusted: sizes are compared before
 * an array is read, arrays have room for the most that the configuration
 * allows, and the core checks every number.
 *
 * Both sides need the same limits, as the guest has read them; packet-budget,
 * irq-moderation-us and threads may differ. Counters of the property "stats"
 * travel; the faults that are injected are the host's and stay behind.
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie_aer.h"
#include "migration/vmstate.h"
#include "qemu/error-report.h"

#include "dxgpu.h"
#include "trace.h"

static int dxgpu_make_snapshot(DxgpuState *s)
{
    dxgpu_snapshot_free(&s->snapshot);
    return dxgpu_snapshot_init(&s->config, &s->snapshot) ? 0 : -ENOMEM;
}

static int dxgpu_pre_save(void *opaque)
{
    DxgpuState *s = opaque;
    int ret = dxgpu_make_snapshot(s);

    if (!ret) {
        dxgpu_core_save(s->core, &s->snapshot);
    }
    return ret;
}

static int dxgpu_post_save(void *opaque)
{
    DxgpuState *s = opaque;

    dxgpu_snapshot_free(&s->snapshot);
    return 0;
}

static int dxgpu_pre_load(void *opaque)
{
    return dxgpu_make_snapshot(opaque);
}

static int dxgpu_post_load(void *opaque, int version_id)
{
    DxgpuState *s = opaque;
    char why[160];
    bool ok;

    ok = !(s->irq_pending >> dxgpu_vectors(s));
    if (!ok) {
        snprintf(why, sizeof(why), "vectors 0x%x are due, must be 0..0x%x",
                 s->irq_pending, (1u << dxgpu_vectors(s)) - 1);
    } else {
        ok = dxgpu_core_load(s->core, &s->snapshot, why, sizeof(why));
    }
    trace_dxgpu_load(s->snapshot.num_queues, ok);
    dxgpu_snapshot_free(&s->snapshot);
    if (!ok) {
        error_report("dxgpu: the saved state is not valid: %s", why);
        return -EINVAL;
    }
    /* The machine that was saved may have had another FLR than this one. */
    dxgpu_absent_end(s);
    dxgpu_pci_post_load(s);
    dxgpu_irq_wake(s);
    return 0;
}

static bool dxgpu_counts_fit(void *opaque, int version_id)
{
    DxgpuState *s = opaque;

    return s->snapshot.num_spaces <= s->config.spaces &&
           s->snapshot.num_contexts <= s->config.contexts &&
           s->snapshot.num_queues <= s->config.queues;
}

static const VMStateDescription vmstate_dxgpu_space = {
    .name = "dxgpu/space",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(id, struct dxgpu_snapshot_space),
        VMSTATE_UINT32(flags, struct dxgpu_snapshot_space),
        VMSTATE_UINT64(root, struct dxgpu_snapshot_space),
        VMSTATE_UINT64(fence, struct dxgpu_snapshot_space),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_dxgpu_context = {
    .name = "dxgpu/context",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(id, struct dxgpu_snapshot_context),
        VMSTATE_UINT32(flags, struct dxgpu_snapshot_context),
        VMSTATE_UINT32(space, struct dxgpu_snapshot_context),
        VMSTATE_UINT32(node, struct dxgpu_snapshot_context),
        VMSTATE_UINT64(fence, struct dxgpu_snapshot_context),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_dxgpu_frame = {
    .name = "dxgpu/frame",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(gpuva, struct dxgpu_snapshot_frame),
        VMSTATE_UINT32(bytes, struct dxgpu_snapshot_frame),
        VMSTATE_UINT32(offset, struct dxgpu_snapshot_frame),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_dxgpu_queue = {
    .name = "dxgpu/queue",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(id, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(flags, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(context, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(slot, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(entries, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(ring_value, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(ring, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(control, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(wp, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(rp, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(samples, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(completed, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(rings, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(rings_seen, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(fence, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(entry_fence, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(depth, struct dxgpu_snapshot_queue),
        VMSTATE_STRUCT_ARRAY(frames, struct dxgpu_snapshot_queue,
                             1 + DXGPU_CORE_INDIRECT_DEPTH, 1,
                             vmstate_dxgpu_frame,
                             struct dxgpu_snapshot_frame),
        VMSTATE_UINT8(opcode, struct dxgpu_snapshot_queue),
        VMSTATE_UINT8(op_flags, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(bytes, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(done, struct dxgpu_snapshot_queue),
        VMSTATE_UINT32(pattern, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(src, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(dst, struct dxgpu_snapshot_queue),
        VMSTATE_UINT64(value, struct dxgpu_snapshot_queue),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_dxgpu_node = {
    .name = "dxgpu/node",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(flags, struct dxgpu_snapshot_node),
        VMSTATE_UINT64(packets, struct dxgpu_snapshot_node),
        VMSTATE_UINT64(busy_ns, struct dxgpu_snapshot_node),
        VMSTATE_UINT64(fence, struct dxgpu_snapshot_node),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription dxgpu_vmstate = {
    .name = "dxgpu",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = dxgpu_pre_save,
    .post_save = dxgpu_post_save,
    .pre_load = dxgpu_pre_load,
    .post_load = dxgpu_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(config.slots, DxgpuState,
                             "property 'slots' differs"),
        VMSTATE_UINT32_EQUAL(config.queues, DxgpuState,
                             "property 'queues' differs"),
        VMSTATE_UINT32_EQUAL(config.contexts, DxgpuState,
                             "property 'contexts' differs"),
        VMSTATE_UINT32_EQUAL(config.spaces, DxgpuState,
                             "property 'spaces' differs"),
        VMSTATE_UINT32_EQUAL(config.ring_max_entries, DxgpuState,
                             "property 'ring-max-entries' differs"),
        VMSTATE_UINT32_EQUAL(config.nodes, DxgpuState,
                             "property 'nodes' differs"),
        VMSTATE_UINT64_EQUAL(node_kinds, DxgpuState,
                             "property 'nodes' differs"),
        VMSTATE_UINT32_EQUAL(caps, DxgpuState,
                             "property 'secondary-doorbells' or "
                             "'doorbell-model' differs"),
        VMSTATE_UINT32_EQUAL(config.doorbell_stride, DxgpuState,
                             "property 'doorbell-stride' differs"),
        VMSTATE_PCI_DEVICE(parent_obj, DxgpuState),
        VMSTATE_STRUCT(parent_obj.exp.aer_log, DxgpuState, 0,
                       vmstate_pcie_aer_log, PCIEAERLog),
        VMSTATE_MSIX(parent_obj, DxgpuState),
        VMSTATE_UINT64_ARRAY(cmd_args, DxgpuState, DXGPU_CMD_NUM_ARGS),
        VMSTATE_UINT32(cmd_result, DxgpuState),
        VMSTATE_UINT32(irq_pending, DxgpuState),
        VMSTATE_UINT32(snapshot.state, DxgpuState),
        VMSTATE_UINT32(snapshot.reset_count, DxgpuState),
        VMSTATE_UINT32(snapshot.int_cause, DxgpuState),
        VMSTATE_UINT32(snapshot.int_enable, DxgpuState),
        VMSTATE_STRUCT_ARRAY(snapshot.nodes, DxgpuState, DXGPU_MAX_NODES, 1,
                             vmstate_dxgpu_node, struct dxgpu_snapshot_node),
        VMSTATE_UINT64_ARRAY(snapshot.stats, DxgpuState, DXGPU_STAT_COUNT),
        VMSTATE_UINT32(snapshot.num_spaces, DxgpuState),
        VMSTATE_UINT32(snapshot.num_contexts, DxgpuState),
        VMSTATE_UINT32(snapshot.num_queues, DxgpuState),
        VMSTATE_VALIDATE("more objects than the properties allow",
                         dxgpu_counts_fit),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(snapshot.spaces, DxgpuState,
                                             snapshot.num_spaces,
                                             vmstate_dxgpu_space,
                                             struct dxgpu_snapshot_space),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(snapshot.contexts, DxgpuState,
                                             snapshot.num_contexts,
                                             vmstate_dxgpu_context,
                                             struct dxgpu_snapshot_context),
        VMSTATE_STRUCT_VARRAY_POINTER_UINT32(snapshot.queues, DxgpuState,
                                             snapshot.num_queues,
                                             vmstate_dxgpu_queue,
                                             struct dxgpu_snapshot_queue),
        VMSTATE_END_OF_LIST()
    },
};
