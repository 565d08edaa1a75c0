/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: nodes by property, and the packets of the GPU's time and of
 * buffers within buffers (TIMESTAMP, DELAY, INDIRECT).
 *
 * The machine's clock stands unless the test steps it, so times are exact. The
 * waiting helpers step it by a microsecond a look: delays here are far longer.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

#define DELAY_NS        500000000ull

static void put(GByteArray *c, const void *packet, uint32_t bytes)
{
    g_byte_array_append(c, packet, bytes);
}

static void put_timestamp(GByteArray *c, uint64_t gpuva)
{
    struct dxgpu_packet_timestamp p = {
        .header = { .opcode = DXGPU_OP_TIMESTAMP, .bytes = sizeof(p) },
        .gpuva = gpuva,
    };

    put(c, &p, sizeof(p));
}

static void put_delay(GByteArray *c, uint64_t ns)
{
    struct dxgpu_packet_delay p = {
        .header = { .opcode = DXGPU_OP_DELAY, .bytes = sizeof(p) },
        .ns = ns,
    };

    put(c, &p, sizeof(p));
}

static void put_indirect(GByteArray *c, uint64_t gpuva, uint32_t bytes)
{
    struct dxgpu_packet_indirect p = {
        .header = { .opcode = DXGPU_OP_INDIRECT, .bytes = sizeof(p) },
        .gpuva = gpuva,
        .bytes = bytes,
    };

    put(c, &p, sizeof(p));
}

static void test_list(void)
{
    static const uint32_t types[] = {
        DXGPU_NODE_TYPE_COPY, DXGPU_NODE_TYPE_3D, DXGPU_NODE_TYPE_COMPUTE,
        DXGPU_NODE_TYPE_COPY,
    };
    DxTest *t = dx_start("nodes=copy:3d-kernel:compute:copy");
    DxSpace *space = dx_space(t);
    DxQueue *q;
    unsigned int i;

    g_assert_cmpuint(dx_reg(t, DXGPU_REG_NUM_NODES), ==, 4);
    for (i = 0; i < G_N_ELEMENTS(types); i++) {
        g_assert_cmpuint(dx_reg(t, DXGPU_REG_NODE_TYPE(i)), ==, types[i]);
        g_assert_cmpuint(dx_reg(t, DXGPU_REG_NODE_FLAGS(i)), ==,
                         i == 1 ? 0 : DXGPU_NODE_USER_SUBMISSION);
    }
    q = dx_queue(space, dx_context(space, 1), 4);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 0, q->id), ==,
                     DXGPU_CMD_ERR_ARGUMENT);
    dx_assert_works(q);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_CONTEXT_CREATE, 9, space->id, 4),
                     ==, DXGPU_CMD_ERR_ID);
    dx_stop(t);
}

static void test_one_and_sixteen(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("nodes=compute");
    DxQueue *q;
    unsigned int i;

    g_assert_cmpuint(dx_reg(t, DXGPU_REG_NUM_NODES), ==, 1);
    g_assert_cmpuint(qpci_msix_table_size(t->pci), ==, 2);
    dx_assert_works(dx_new_queue(t));
    dx_stop(t);

    t = dx_start("nodes=copy:copy:copy:copy:copy:copy:copy:copy:"
                 "copy:copy:copy:copy:copy:copy:copy:3d");
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_NUM_NODES), ==, 16);
    dx_irq_start(t);
    g_assert_cmpuint(qpci_msix_table_size(t->pci), ==, 17);
    for (i = 0; i < 16; i++) {
        DxSpace *space = dx_space(t);

        q = dx_queue(space, dx_context(space, i), 4);
        dx_fence(c, q->fence.gpuva, ++q->fence_value, DXGPU_FENCE_INTERRUPT);
        dx_submit(q, c);
        dx_kick(q);
        dx_wait_done(q);
        DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_NODE(i)));
        g_assert_cmpuint(dx_node_status(t, i).packets, ==, 1);
    }
    dx_stop(t);
}

/* A bad list: QEMU ends and says why. */
static void test_bad_lists(void)
{
    static const struct {
        const char *list, *message;
    } bad[] = {
        { "gpu", "property 'nodes' has the node 'gpu'" },
        { "3d:", "property 'nodes' has the node ''" },
        { "3d-user", "property 'nodes' has the node '3d-user'" },
        { "3d,,copy", "property 'nodes' has the node '3d,copy'" },
        { "3d:3d:3d:3d:3d:3d:3d:3d:3d:3d:3d:3d:3d:3d:3d:3d:3d",
          "property 'nodes' has 17 nodes, must be 1..16" },
    };
    g_autofree char *machine = dx_machine_arguments();
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *line = g_strdup_printf("%s %s -display none -device "
                                                "dxgpu,nodes=%s",
                                                getenv("QTEST_QEMU_BINARY"),
                                                machine, bad[i].list);
        g_autofree char *errors = NULL;
        int status;

        g_assert_true(g_spawn_command_line_sync(line, NULL, &errors, &status,
                                                NULL));
        if (!status || !strstr(errors, bad[i].message)) {
            dx_fail("nodes=%s: status %d, \"%s\"", bad[i].list, status,
                    errors);
        }
    }
}

static void test_limits(void)
{
    DxTest *t = dx_start("");

    g_assert_cmpuint(dx_reg(t, DXGPU_REG_INDIRECT_DEPTH), ==, 2);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_MAX_DELAY_NS), ==, 1000000000);
    dx_stop(t);
}

/* The delay lasts as long as it says; the node is busy for that time. */
static void delay_lasts(const char *properties)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start(properties);
    DxQueue *q = dx_new_queue(t);
    DxQueue *other = dx_queue(q->space, q->context, 4);
    DxBuffer times = dx_buffer(q->space, 16);
    uint64_t ns;

    put_timestamp(c, times.gpuva);
    put_delay(c, DELAY_NS);
    put_timestamp(c, times.gpuva + 8);
    dx_submit(q, c);
    dx_kick(q);
    DX_WAIT(t, dx_queue_status(t, q->id).state == DXGPU_QUEUE_RUNNING);
    dx_settle(t);
    dx_submit_fence(other);
    dx_kick(other);
    dx_settle(t);
    g_assert_cmpuint(dx_queue_status(t, q->id).rp, ==, 0);
    g_assert_cmpuint(dx_fence_now(other), ==, 0);
    g_assert_cmpuint(dx_node_status(t, 0).running_queue, ==, q->id);

    qtest_clock_step(t->qts, DELAY_NS);
    dx_wait_done(q);
    dx_wait_done(other);
    ns = qtest_readq(t->qts, times.bus + 8) - qtest_readq(t->qts, times.bus);
    g_assert_cmpuint(ns, >=, DELAY_NS);
    dx_settle(t);
    g_assert_cmpuint(dx_node_status(t, 0).busy_ns, >=, DELAY_NS);
    g_assert_cmpuint(dx_node_status(t, 0).running_queue, ==, DXGPU_NO_QUEUE);
    dx_stop(t);
}

static void test_delay(void)
{
    delay_lasts("");
}

static void test_delay_with_a_thread(void)
{
    delay_lasts("threads=1");
}

/* Suspend, removal and reset do not wait for it. */
static void test_delay_is_no_obstacle(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("threads=1");
    DxQueue *q = dx_new_queue(t);
    DxQueue *r;

    put_delay(c, 1000000000);
    dx_fence(c, q->fence.gpuva, ++q->fence_value, 0);
    dx_submit(q, c);
    dx_kick(q);
    DX_WAIT(t, dx_node_status(t, 0).running_queue == q->id);
    dx_suspend(t, q->context);
    qtest_clock_step(t->qts, 2000000000);
    dx_settle(t);
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    dx_resume(t, q->context);
    qtest_clock_step(t->qts, 1000000000);
    DX_WAIT(t, dx_node_status(t, 0).running_queue == q->id ||
            dx_fence_now(q) == 1);
    qtest_clock_step(t->qts, 1000000000);
    dx_wait_done(q);

    r = dx_queue(q->space, q->context, 4);
    put_delay(c, 1000000000);
    dx_submit(r, c);
    dx_kick(r);
    DX_WAIT(t, dx_node_status(t, 0).running_queue == r->id);
    dx_remove(r);
    dx_assert_works(q);

    put_delay(c, 1000000000);
    dx_submit(q, c);
    dx_kick(q);
    DX_WAIT(t, dx_node_status(t, 0).running_queue == q->id);
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    qtest_clock_step(t->qts, 2000000000);
    dx_stop(t);
}

static void test_indirect(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("packet-budget=2");
    DxQueue *q = dx_new_queue(t);
    DxBuffer target = dx_buffer(q->space, 8192);
    uint64_t inner, outer, deep;
    uint32_t inner_bytes, outer_bytes;

    dx_fill(c, target.gpuva, 4096, 0x5a5a5a5a);
    dx_nop(c, 8);
    inner_bytes = c->len;
    inner = dx_place(q, c->data, c->len);
    g_byte_array_set_size(c, 0);
    put_indirect(c, inner, inner_bytes);
    dx_copy(c, target.gpuva, target.gpuva + 4096, 4096);
    outer_bytes = c->len;
    outer = dx_place(q, c->data, c->len);
    g_byte_array_set_size(c, 0);
    put_indirect(c, outer, outer_bytes);
    dx_fence(c, q->fence.gpuva, ++q->fence_value, 0);
    dx_submit(q, c);
    dx_kick(q);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    g_assert_cmphex(qtest_readl(t->qts, target.bus + 8188), ==, 0x5a5a5a5a);

    put_indirect(c, outer, outer_bytes);
    outer_bytes = c->len;
    deep = dx_place(q, c->data, c->len);
    g_byte_array_set_size(c, 0);
    put_indirect(c, deep, outer_bytes);
    dx_submit(q, c);
    dx_kick(q);
    dx_wait_fault(q, DXGPU_FAULT_OPERAND);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/nodes/list", test_list);
    qtest_add_func("dxgpu/nodes/one-and-sixteen", test_one_and_sixteen);
    qtest_add_func("dxgpu/nodes/bad-lists", test_bad_lists);
    qtest_add_func("dxgpu/packets/limits", test_limits);
    qtest_add_func("dxgpu/packets/delay-lasts", test_delay);
    qtest_add_func("dxgpu/packets/indirect", test_indirect);
    qtest_add_func("dxgpu/packets/thread/delay-lasts",
                   test_delay_with_a_thread);
    qtest_add_func("dxgpu/packets/thread/DEV-10-delay-is-no-obstacle",
                   test_delay_is_no_obstacle);
    return g_test_run();
}
