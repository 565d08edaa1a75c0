/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: the property "nodes": how many engines of which type there are.
 *
 * A list of types, separated by colons as a comma ends the property:
 * "3d:compute:copy". A type followed by "-kernel" is a node that takes no user
 * submission: its queues are not bound to doorbells. Rejected: a property for
 * the number of each type, which cannot say the order, and the order is what
 * the guest sees.
 *
 * The kinds of all nodes are kept in one word, 4 bits each: the type's index
 * and the flag. So a saved state is compared with one number.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/cutils.h"

#include "dxgpu.h"

#define DXGPU_NODES_DEFAULT     "3d:compute:copy"
#define DXGPU_KIND_BITS         4
#define DXGPU_KIND_TYPE         7
#define DXGPU_KIND_KERNEL       8

static const struct {
    const char *name;
    uint32_t type;              /* DXGK_ENGINE_TYPE */
} node_types[] = {
    { "3d", DXGPU_NODE_TYPE_3D },
    { "compute", DXGPU_NODE_TYPE_COMPUTE },
    { "copy", DXGPU_NODE_TYPE_COPY },
};

/* The kind of a node by its name; -1 if there is none. */
static int dxgpu_node_kind(const char *name)
{
    const char *rest;
    int i;

    for (i = 0; i < ARRAY_SIZE(node_types); i++) {
        if (!strstart(name, node_types[i].name, &rest)) {
            continue;
        }
        if (!*rest) {
            return i;
        }
        if (!strcmp(rest, "-kernel")) {
            return i | DXGPU_KIND_KERNEL;
        }
    }
    return -1;
}

bool dxgpu_nodes_init(DxgpuState *s, Error **errp)
{
    const char *list = s->nodes ? s->nodes : DXGPU_NODES_DEFAULT;
    g_auto(GStrv) names = g_strsplit(list, ":", 0);
    unsigned count = g_strv_length(names);
    unsigned i;
    int kind;

    if (count < 1 || count > DXGPU_MAX_NODES) {
        error_setg(errp, "dxgpu: property 'nodes' has %u nodes, must be 1..%u",
                   count, DXGPU_MAX_NODES);
        return false;
    }
    s->config.nodes = count;
    s->config.kernel_nodes = 0;
    s->node_kinds = 0;
    for (i = 0; i < count; i++) {
        kind = dxgpu_node_kind(names[i]);
        if (kind < 0) {
            error_setg(errp, "dxgpu: property 'nodes' has the node '%s', must "
                       "be one of 3d, compute, copy, 3d-kernel, "
                       "compute-kernel, copy-kernel, separated by colons",
                       names[i]);
            return false;
        }
        s->node_kinds |= (uint64_t)kind << i * DXGPU_KIND_BITS;
        if (kind & DXGPU_KIND_KERNEL) {
            s->config.kernel_nodes |= 1u << i;
        }
    }
    return true;
}

uint32_t dxgpu_node_type(DxgpuState *s, unsigned node)
{
    unsigned kind = s->node_kinds >> node * DXGPU_KIND_BITS;

    return node_types[kind & DXGPU_KIND_TYPE].type;
}
