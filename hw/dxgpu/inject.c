/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: faults of the hardware on demand (DEV-13).
 *
 * The QOM properties "inject-..." are the host's: given with -device, or set at
 * any time by qom-set; nothing of the guest reaches them, and no reset changes
 * them. The core does what they say (core/engine.c), but for interrupts and
 * FLR, which are the QEMU side's (irq.c, absent.c). They hold until they are
 * set back, so broken hardware is broken also after its reset; those that count
 * down end by themselves. They are not in the saved state: who loads it says
 * what is broken there.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"

#include "dxgpu.h"
#include "trace.h"

static const char *const engine_reset_names[] = {
    [DXGPU_INJECT_RESET_OK] = "ok",
    [DXGPU_INJECT_RESET_REFUSE] = "refuse",
    [DXGPU_INJECT_RESET_IGNORE] = "ignore",
};

static const QEnumLookup engine_reset_lookup = {
    .array = engine_reset_names,
    .size = ARRAY_SIZE(engine_reset_names),
};

/* The core hears of it, once there is one. */
static void dxgpu_inject_changed(DxgpuState *s, const char *name,
                                 uint64_t value)
{
    trace_dxgpu_inject(name, value);
    if (s->core) {
        dxgpu_core_inject(s->core, &s->inject);
    }
}

static bool dxgpu_inject_nodes_ok(uint32_t mask, uint32_t nodes, Error **errp)
{
    if (mask >> nodes) {
        error_setg(errp, "dxgpu: property 'inject-hang-nodes' is 0x%x, must be "
                   "0..0x%x, a bit per node", mask, (1u << nodes) - 1);
        return false;
    }
    return true;
}

bool dxgpu_inject_check(DxgpuState *s, Error **errp)
{
    return dxgpu_inject_nodes_ok(s->inject.hang_nodes, s->config.nodes, errp);
}

static void dxgpu_get_hang_fence(Object *obj, Visitor *v, const char *name,
                                 void *opaque, Error **errp)
{
    visit_type_uint64(v, name, &DXGPU(obj)->inject.hang_fence, errp);
}

static void dxgpu_set_hang_fence(Object *obj, Visitor *v, const char *name,
                                 void *opaque, Error **errp)
{
    DxgpuState *s = DXGPU(obj);
    uint64_t value;

    if (visit_type_uint64(v, name, &value, errp)) {
        s->inject.hang_fence = value;
        dxgpu_inject_changed(s, name, value);
    }
}

static void dxgpu_get_hang_nodes(Object *obj, Visitor *v, const char *name,
                                 void *opaque, Error **errp)
{
    visit_type_uint32(v, name, &DXGPU(obj)->inject.hang_nodes, errp);
}

static void dxgpu_set_hang_nodes(Object *obj, Visitor *v, const char *name,
                                 void *opaque, Error **errp)
{
    DxgpuState *s = DXGPU(obj);
    uint32_t value;

    /* Before realize the number of nodes is not known, and checked then. */
    if (visit_type_uint32(v, name, &value, errp) &&
        (!s->core || dxgpu_inject_nodes_ok(value, s->config.nodes, errp))) {
        s->inject.hang_nodes = value;
        dxgpu_inject_changed(s, name, value);
    }
}

static bool dxgpu_get_hold_rings(Object *obj, Error **errp)
{
    return DXGPU(obj)->inject.hold_rings;
}

static void dxgpu_set_hold_rings(Object *obj, bool value, Error **errp)
{
    DxgpuState *s = DXGPU(obj);

    s->inject.hold_rings = value;
    dxgpu_inject_changed(s, "inject-hold-rings", value);
}

static bool dxgpu_get_hold_suspends(Object *obj, Error **errp)
{
    return DXGPU(obj)->inject.hold_suspends;
}

static void dxgpu_set_hold_suspends(Object *obj, bool value, Error **errp)
{
    DxgpuState *s = DXGPU(obj);

    s->inject.hold_suspends = value;
    dxgpu_inject_changed(s, "inject-hold-suspends", value);
}

static bool dxgpu_get_hold_removals(Object *obj, Error **errp)
{
    return DXGPU(obj)->inject.hold_removals;
}

static void dxgpu_set_hold_removals(Object *obj, bool value, Error **errp)
{
    DxgpuState *s = DXGPU(obj);

    s->inject.hold_removals = value;
    dxgpu_inject_changed(s, "inject-hold-removals", value);
}

static bool dxgpu_get_hold_reset(Object *obj, Error **errp)
{
    return DXGPU(obj)->inject.hold_reset;
}

static void dxgpu_set_hold_reset(Object *obj, bool value, Error **errp)
{
    DxgpuState *s = DXGPU(obj);

    s->inject.hold_reset = value;
    dxgpu_inject_changed(s, "inject-hold-reset", value);
}

static bool dxgpu_get_hold_flr(Object *obj, Error **errp)
{
    return DXGPU(obj)->hold_flr;
}

static void dxgpu_set_hold_flr(Object *obj, bool value, Error **errp)
{
    DxgpuState *s = DXGPU(obj);

    s->hold_flr = value;
    if (!value) {
        dxgpu_absent_end(s);
    }
    trace_dxgpu_inject("inject-hold-flr", value);
}

static void dxgpu_get_fault_entry(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    DxgpuState *s = DXGPU(obj);
    uint32_t value = s->core ? dxgpu_core_fault_entry(s->core)
                             : s->fault_entry;

    visit_type_uint32(v, name, &value, errp);
}

/* Not with the others, or each change of those would begin to count anew. */
static void dxgpu_set_fault_entry(Object *obj, Visitor *v, const char *name,
                                  void *opaque, Error **errp)
{
    DxgpuState *s = DXGPU(obj);
    uint32_t value;

    if (visit_type_uint32(v, name, &value, errp)) {
        s->fault_entry = value;
        trace_dxgpu_inject(name, value);
        if (s->core) {
            dxgpu_core_set_fault_entry(s->core, value);
        }
    }
}

static int dxgpu_get_engine_reset(Object *obj, Error **errp)
{
    return DXGPU(obj)->inject.engine_reset;
}

static void dxgpu_set_engine_reset(Object *obj, int value, Error **errp)
{
    DxgpuState *s = DXGPU(obj);

    s->inject.engine_reset = value;
    dxgpu_inject_changed(s, "inject-engine-reset", value);
}

static void dxgpu_get_lose_interrupts(Object *obj, Visitor *v,
                                      const char *name, void *opaque,
                                      Error **errp)
{
    visit_type_uint32(v, name, &DXGPU(obj)->lose_interrupts, errp);
}

static void dxgpu_set_lose_interrupts(Object *obj, Visitor *v,
                                      const char *name, void *opaque,
                                      Error **errp)
{
    DxgpuState *s = DXGPU(obj);
    uint32_t value;

    if (visit_type_uint32(v, name, &value, errp)) {
        s->lose_interrupts = value;
        trace_dxgpu_inject(name, value);
    }
}

void dxgpu_inject_class_init(ObjectClass *oc)
{
    object_class_property_add(oc, "inject-hang-fence", "uint64",
                              dxgpu_get_hang_fence, dxgpu_set_hang_fence,
                              NULL, NULL);
    object_class_property_set_description(oc, "inject-hang-fence",
        "ring entries with this fence_value hang; 0: none");
    object_class_property_add(oc, "inject-hang-nodes", "uint32",
                              dxgpu_get_hang_nodes, dxgpu_set_hang_nodes,
                              NULL, NULL);
    object_class_property_set_description(oc, "inject-hang-nodes",
        "a bit per node: what it executes next hangs; 0: none");
    object_class_property_add(oc, "inject-fault-entry", "uint32",
                              dxgpu_get_fault_entry, dxgpu_set_fault_entry,
                              NULL, NULL);
    object_class_property_set_description(oc, "inject-fault-entry",
        "of the ring entries that are fetched from now on, the one that "
        "page-faults; counts down; 0: none");
    object_class_property_add_bool(oc, "inject-hold-rings",
                                   dxgpu_get_hold_rings, dxgpu_set_hold_rings);
    object_class_property_set_description(oc, "inject-hold-rings",
        "doorbell writes are not delivered before it is off");
    object_class_property_add_bool(oc, "inject-hold-suspends",
                                   dxgpu_get_hold_suspends,
                                   dxgpu_set_hold_suspends);
    object_class_property_set_description(oc, "inject-hold-suspends",
        "suspends are not acknowledged before it is off, or their node reset");
    object_class_property_add_bool(oc, "inject-hold-removals",
                                   dxgpu_get_hold_removals,
                                   dxgpu_set_hold_removals);
    object_class_property_set_description(oc, "inject-hold-removals",
        "removals are not acknowledged before it is off, or their node reset");
    object_class_property_add_bool(oc, "inject-hold-reset",
                                   dxgpu_get_hold_reset,
                                   dxgpu_set_hold_reset);
    object_class_property_set_description(oc, "inject-hold-reset",
        "a reset by register does not end before it is off");
    object_class_property_add_bool(oc, "inject-hold-flr", dxgpu_get_hold_flr,
                                   dxgpu_set_hold_flr);
    object_class_property_set_description(oc, "inject-hold-flr",
        "the function is absent from its next FLR on, before it is off");
    object_class_property_add_enum(oc, "inject-engine-reset",
                                   "DxgpuEngineReset", &engine_reset_lookup,
                                   dxgpu_get_engine_reset,
                                   dxgpu_set_engine_reset);
    object_class_property_set_description(oc, "inject-engine-reset",
        "what ENGINE_RESET does: ok, refuse (ERR_HARDWARE), ignore (no "
        "acknowledgement)");
    object_class_property_add(oc, "inject-lose-interrupts", "uint32",
                              dxgpu_get_lose_interrupts,
                              dxgpu_set_lose_interrupts, NULL, NULL);
    object_class_property_set_description(oc, "inject-lose-interrupts",
        "how many of the next MSI-X messages are lost");
}
