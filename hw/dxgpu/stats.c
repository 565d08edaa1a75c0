/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: the read-only QOM property "stats", a dictionary of all counters:
 * qom-get {"path": "/machine/peripheral/ID", "property": "stats"}.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"

#include "dxgpu.h"

static void dxgpu_stats_get(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    DxgpuState *s = DXGPU(obj);
    uint64_t value;
    bool ok = true;
    int i;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (i = 0; ok && i < DXGPU_STAT_COUNT; i++) {
        /* Before realize there is no core and nothing to count. */
        value = s->core ? dxgpu_core_stat(s->core, i) : 0;
        ok = visit_type_uint64(v, dxgpu_stat_name(i), &value, errp);
    }
    if (ok) {
        visit_check_struct(v, errp);
    }
    visit_end_struct(v, NULL);
}

void dxgpu_stats_class_init(ObjectClass *oc)
{
    object_class_property_add(oc, "stats", "struct", dxgpu_stats_get, NULL,
                              NULL, NULL);
    object_class_property_set_description(oc, "stats",
        "counters of the device since it was made (read-only), saved with it");
}
