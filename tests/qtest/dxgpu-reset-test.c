/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: reset by register and by the system, stop and end of QEMU.
 *
 * The promise is the same each time (DEV-12): nothing is bound, no object is
 * left, and no DMA is in flight. The last is tested where it counts, with a
 * queue that fills memory without end: after the reset the memory is the
 * test's, and whatever it writes there stays.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "dxgpu-qtest.h"

#define FILL_BYTES      (512 * 1024)

typedef struct Load {
    DxQueue *q;
    DxBuffer target;
} Load;

/* A bound queue that is in the midst of some minutes of work. */
static Load start_load(DxTest *t, uint32_t slot)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxSpace *space = dx_space(t);
    uint64_t before = dx_stat(t, "fill_bytes");
    struct dxgpu_ring_entry entry = { 0 };
    Load load;
    unsigned int i;

    load.q = dx_queue(space, dx_context(space, slot % 3), 64);
    load.target = dx_buffer(space, FILL_BYTES);
    for (i = 0; i < 2600; i++) {
        dx_fill(c, load.target.gpuva, FILL_BYTES, 0xbad);
    }
    entry.command_gpuva = dx_place(load.q, c->data, c->len);
    entry.command_bytes = c->len;
    for (i = 0; i < 64; i++) {
        dx_submit_entry(load.q, &entry);
    }
    dx_bind(load.q, slot);
    dx_ring(t, slot, load.q->wp);
    DX_WAIT(t, dx_stat(t, "fill_bytes") > before);
    return load;
}

/* Nothing of the load reaches memory any more. */
static void assert_quiet(DxTest *t, const Load *load)
{
    g_autofree uint8_t *zeroes = g_malloc0(FILL_BYTES);
    g_autofree uint8_t *found = g_malloc(FILL_BYTES);
    uint64_t bytes = dx_stat(t, "fill_bytes");
    uint64_t written = dx_stat(t, "dma_write_bytes");

    qtest_memset(t->qts, load->target.bus, 0, FILL_BYTES);
    g_usleep(20000);
    dx_settle(t);
    qtest_bufread(t->qts, load->target.bus, found, FILL_BYTES);
    g_assert_cmpmem(found, FILL_BYTES, zeroes, FILL_BYTES);
    g_assert_cmpuint(dx_stat(t, "fill_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "dma_write_bytes"), ==, written);
}

/* The helpers number objects from 0 again, as the device knows none. */
static void forget_objects(DxTest *t)
{
    t->next_space = 0;
    t->next_context = 0;
    t->next_queue = 0;
}

static void assert_zero(DxTest *t, uint32_t from, uint32_t bytes)
{
    g_autofree uint8_t *zeroes = g_malloc0(bytes);
    g_autofree uint8_t *found = g_malloc(bytes);

    qpci_memread(t->pci, t->status, from, found, bytes);
    g_assert_cmpmem(found, bytes, zeroes, bytes);
}

/* The status region but for the nodes' records, and the current numbers. */
static void assert_empty(DxTest *t)
{
    uint32_t queues = dx_reg(t, DXGPU_REG_MAX_QUEUES);
    uint32_t i;

    assert_zero(t, dx_reg(t, DXGPU_REG_STATUS_QUEUE_OFFSET),
                queues * dx_reg(t, DXGPU_REG_STATUS_QUEUE_STRIDE));
    assert_zero(t, dx_reg(t, DXGPU_REG_STATUS_CONTEXT_OFFSET),
                dx_reg(t, DXGPU_REG_MAX_CONTEXTS) *
                dx_reg(t, DXGPU_REG_STATUS_CONTEXT_STRIDE));
    assert_zero(t, dx_reg(t, DXGPU_REG_STATUS_SPACE_OFFSET),
                dx_reg(t, DXGPU_REG_MAX_SPACES) *
                dx_reg(t, DXGPU_REG_STATUS_SPACE_STRIDE));
    assert_zero(t, dx_reg(t, DXGPU_REG_STATUS_FAULT_OFFSET),
                DIV_ROUND_UP(queues, 64) * 8);
    for (i = 0; i < dx_reg(t, DXGPU_REG_NUM_NODES); i++) {
        struct dxgpu_node_status node = dx_node_status(t, i);

        g_assert_cmpuint(node.running_queue, ==, DXGPU_NO_QUEUE);
        g_assert_cmpuint(node.runnable, ==, 0);
        g_assert_cmpuint(node.packets, ==, 0);
        g_assert_cmpuint(node.busy_ns, ==, 0);
    }
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "contexts"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "spaces"), ==, 0);
}

static void reset_start(DxTest *t)
{
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
}

/* As a driver does it: the count tells, the state confirms. */
static void reset(DxTest *t)
{
    uint32_t count = dx_reg(t, DXGPU_REG_RESET_COUNT);

    reset_start(t);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_RESET_COUNT) == count + 1);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_DISABLED);
}

static void test_states(void)
{
    DxTest *t = dx_start_disabled("");

    dx_reg_write(t, DXGPU_REG_CONTROL, 0);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_DISABLED);
    reset(t);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 1);
    dx_enable(t);
    dx_enable(t);
    /* Bits that mean nothing are no bits. */
    dx_reg_write(t, DXGPU_REG_CONTROL, ~(DXGPU_CONTROL_ENABLE |
                                         DXGPU_CONTROL_RESET));
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_ENABLED);

    /* While the worker rests a reset stays under way: nothing is taken. */
    dx_park(t);
    reset_start(t);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_RESETTING);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_CREATE, 0, 0x1000000), ==,
                     DXGPU_CMD_ERR_STATE);
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_ENABLE);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_RESETTING);
    reset_start(t);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 1);
    dx_unpark(t);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    /* The second request met the first one under way: one reset. */
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 2);
    g_assert_cmpuint(dx_stat(t, "resets"), ==, 2);
    dx_stop(t);
}

/* All kinds of state at once, then none. */
static void check_register_reset(const char *properties)
{
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    DxQueue *idle = dx_queue(space, dx_context(space, 0), 4);
    DxQueue *faulted = dx_queue(space, dx_context(space, 1), 4);
    DxQueue *suspended = dx_queue(space, dx_context(space, 2), 4);
    Load load = start_load(t, 3);
    uint64_t unbound;
    uint32_t i;

    dx_bind(idle, 0);
    dx_assert_works(idle);
    dx_store_wp(faulted, 99);
    dx_bind(faulted, 1);
    dx_wait_fault(faulted, DXGPU_FAULT_WP);
    dx_bind(suspended, 2);
    dx_suspend(t, suspended->context);
    dx_invalidate(space);

    reset(t);
    assert_empty(t);
    assert_quiet(t, &load);
    unbound = dx_stat(t, "doorbell_unbound");
    for (i = 0; i < 4; i++) {
        dx_ring(t, i, 1);
    }
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, unbound + 4);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_CREATE, 0, space->root), ==,
                     DXGPU_CMD_ERR_STATE);

    /* The same ids are free, and nothing of the old ones shows. */
    dx_enable(t);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_UNBIND, 0), ==,
                     DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_KICK, load.q->id), ==,
                     DXGPU_CMD_ERR_NOT_FOUND);
    forget_objects(t);
    for (i = 0; i < 4; i++) {
        DxQueue *q = dx_new_queue(t);

        dx_bind(q, i);
        dx_assert_works(q);
        g_assert_cmpuint(dx_queue_status(t, q->id).entries, ==, 1);
    }
    dx_stop(t);
}

static void test_register_reset(void)
{
    check_register_reset("threads=0,queues=64,contexts=64,spaces=64");
}

static void test_register_reset_thread(void)
{
    check_register_reset("threads=1,queues=64,contexts=64,spaces=64");
}

static void test_reset_interrupt(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_irq_start(t);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_RESET_DONE);
    /* A cause that speaks of what the reset ends goes with it. */
    dx_store_wp(q, 99);
    dx_kick(q);
    dx_wait_fault(q, DXGPU_FAULT_WP);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_FAULT);
    reset_start(t);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_RESET_DONE);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, DXGPU_INT_RESET_DONE);
    dx_reg_write(t, DXGPU_REG_INT_CAUSE, DXGPU_INT_RESET_DONE);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
    dx_stop(t);
}

/* Requests that wait for the worker when the reset comes. */
static void test_reset_drops_requests(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxQueue *other = dx_new_queue(t);
    uint64_t fence = 77;

    dx_submit_fence(other);
    dx_bind(other, 0);
    dx_park(t);
    dx_remove_start(q);
    dx_suspend_start(t, other->context);
    dx_command_ok(t, DXGPU_CMD_SPACE_INVALIDATE, other->space->id, 0, 0,
                  fence);
    dx_ring(t, 0, 1);
    reset_start(t);
    dx_unpark(t);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    dx_settle(t);
    g_assert_cmpuint(dx_queue_status(t, q->id).remove_fence, ==, 0);
    g_assert_cmpuint(dx_context_status(t, other->context).suspend_fence, ==,
                     0);
    g_assert_cmpuint(dx_invalidate_fence(t, other->space->id), ==, 0);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_RESET_DONE);
    /* And requests work as ever afterwards. */
    dx_enable(t);
    forget_objects(t);
    q = dx_new_queue(t);
    dx_assert_works(q);
    dx_suspend(t, q->context);
    dx_invalidate(q->space);
    dx_remove(q);
    dx_stop(t);
}

/* A pending ring of a queue does not reach its successor of the same id. */
static void test_reset_drops_rings(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 0);
    dx_settle(t);
    dx_submit_fence(q);
    dx_park(t);
    dx_ring(t, 0, 1);
    reset_start(t);
    dx_unpark(t);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    dx_enable(t);
    forget_objects(t);
    q = dx_new_queue(t);
    dx_submit_fence(q);
    /* Work of a neighbour makes the worker look for what is pending. */
    dx_assert_works(dx_new_queue(t));
    dx_settle(t);
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    g_assert_cmpuint(dx_queue_status(t, q->id).samples, ==, 0);
    dx_stop(t);
}

/* The tables of before the reset are not walked, their TLB entries unused. */
static void test_no_translation_survives(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    uint64_t gpuva = 0x123400000000ull;
    uint64_t page[2] = { dx_memory(t, 4096, 4096), dx_memory(t, 4096, 4096) };
    unsigned int i;

    for (i = 0; i < 2; i++) {
        DxSpace *space = dx_space(t);
        DxQueue *q = dx_queue(space, dx_context(space, 0), 4);

        dx_map(space, gpuva, page[i], 4096, DX_RW);
        dx_fence(c, gpuva, i + 1, 0);
        dx_submit(q, c);
        dx_kick(q);
        dx_wait_done(q);
        reset(t);
        dx_enable(t);
        forget_objects(t);
    }
    g_assert_cmpuint(qtest_readq(t->qts, page[0]), ==, 1);
    g_assert_cmpuint(qtest_readq(t->qts, page[1]), ==, 2);
    dx_stop(t);
}

static void check_resets_under_load(const char *properties)
{
    DxTest *t = dx_start(properties);
    uint64_t memory = t->memory_next;
    unsigned int i;

    for (i = 0; i < 10; i++) {
        Load load = start_load(t, i);

        reset(t);
        assert_quiet(t, &load);
        dx_enable(t);
        /* Memory of the last round may be used again: nobody else does. */
        qtest_memset(t->qts, memory, 0, t->memory_next - memory);
        t->memory_next = memory;
        forget_objects(t);
    }
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 10);
    dx_assert_works(dx_new_queue(t));
    dx_stop(t);
}

static void test_resets_under_load(void)
{
    check_resets_under_load("threads=0");
}

static void test_resets_under_load_thread(void)
{
    check_resets_under_load("threads=1");
}

/* As a system reset leaves it: BARs have to be mapped again. */
static void check_system_reset(const char *properties)
{
    DxTest *t = dx_start(properties);
    Load load = start_load(t, 5);
    uint32_t command;
    unsigned int i;

    dx_irq_start(t);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK | DXGPU_INT_FAULT);
    for (i = 0; i < 3; i++) {
        qtest_system_reset(t->qts);
        command = qpci_config_readw(t->pci, PCI_COMMAND);
        g_assert_cmphex(command & PCI_COMMAND_MASTER, ==, 0);
        dx_map_bars(t);
        g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==,
                         DXGPU_STATUS_DISABLED);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, 0);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
        g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 0);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_CMD_ARG(0)), ==, 0);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_CMD_RESULT), ==, 0);
        assert_empty(t);
        assert_quiet(t, &load);
        dx_ring(t, 5, load.q->wp);
        dx_settle(t);
        g_assert_cmpuint(dx_stat(t, "queues"), ==, 0);

        dx_enable(t);
        dx_irq_start(t);
        forget_objects(t);
        load = start_load(t, 5);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
        dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK);
        dx_suspend(t, load.q->context);
        DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
        dx_resume(t, load.q->context);
    }
    dx_stop(t);
}

static void test_system_reset(void)
{
    check_system_reset("threads=0,queues=64,contexts=64,spaces=64");
}

static void test_system_reset_thread(void)
{
    check_system_reset("threads=1,queues=64,contexts=64,spaces=64");
}

static void set_hold_reset(DxTest *t, bool on)
{
    qtest_qom_set_bool(t->qts, DX_QOM_PATH, "inject-hold-reset", on);
}

/* A reset that does not end, by the host's order, but when that is taken back. */
static void check_held(const char *properties)
{
    DxTest *t = dx_start(properties);
    Load load = start_load(t, 0);
    uint32_t count = dx_reg(t, DXGPU_REG_RESET_COUNT);

    set_hold_reset(t, true);
    reset_start(t);
    dx_settle(t);
    assert_quiet(t, &load);
    dx_ring(t, 0, load.q->wp);
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_ENABLE);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_RESETTING);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, count);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_CREATE, 0, 0x1000000), ==,
                     DXGPU_CMD_ERR_STATE);
    set_hold_reset(t, false);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_RESET_COUNT) == count + 1);
    assert_empty(t);
    assert_quiet(t, &load);
    dx_enable(t);
    forget_objects(t);
    dx_assert_works(dx_new_queue(t));
    dx_stop(t);
}

static void test_held(void)
{
    check_held("threads=0,queues=64,contexts=64,spaces=64");
}

static void test_held_threads(void)
{
    check_held("threads=2,queues=64,contexts=64,spaces=64");
}

/* A system reset that meets a reset by register under way. */
static void test_system_reset_while_resetting(void)
{
    DxTest *t = dx_start("");
    Load load = start_load(t, 0);

    dx_park(t);
    reset_start(t);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_RESETTING);
    qtest_system_reset(t->qts);
    dx_unpark(t);
    dx_map_bars(t);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_DISABLED);
    dx_settle(t);
    /* The reset by register is over too: it does not strike later. */
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 0);
    assert_quiet(t, &load);
    dx_enable(t);
    forget_objects(t);
    dx_assert_works(dx_new_queue(t));
    dx_stop(t);
}

/* A stopped machine is a quiet one; it goes on where it was. */
static void check_stop(const char *properties)
{
    DxTest *t = dx_start(properties);
    Load load = start_load(t, 1);
    uint64_t filled;
    unsigned int i;

    for (i = 0; i < 10; i++) {
        dx_park(t);
        filled = dx_stat(t, "fill_bytes");
        assert_quiet(t, &load);
        dx_unpark(t);
        DX_WAIT(t, dx_stat(t, "fill_bytes") > filled);
    }
    g_assert_cmpuint(dx_stat(t, "faults"), ==, 0);
    dx_stop(t);
}

static void test_stop(void)
{
    check_stop("threads=0");
}

static void test_stop_thread(void)
{
    check_stop("threads=1");
}

/* dx_stop() asserts that QEMU ends as it should, whatever is under way. */
static void test_quit_under_load(void)
{
    static const char *const threads[] = { "threads=0", "threads=1" };
    unsigned int i;

    for (i = 0; i < 6; i++) {
        DxTest *t = dx_start(threads[i % 2]);

        start_load(t, 0);
        if (i / 2 == 1) {
            reset_start(t);
        } else if (i / 2 == 2) {
            dx_park(t);
            reset_start(t);
        }
        dx_stop(t);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/reset/states", test_states);
    qtest_add_func("dxgpu/reset/DEV-12-by-register", test_register_reset);
    qtest_add_func("dxgpu/reset/interrupt", test_reset_interrupt);
    qtest_add_func("dxgpu/reset/requests-are-dropped",
                   test_reset_drops_requests);
    qtest_add_func("dxgpu/reset/FH-12-rings-are-dropped",
                   test_reset_drops_rings);
    qtest_add_func("dxgpu/reset/no-translation-survives",
                   test_no_translation_survives);
    qtest_add_func("dxgpu/reset/DEV-12-again-and-again-under-load",
                   test_resets_under_load);
    qtest_add_func("dxgpu/reset/DEV-12-by-the-system", test_system_reset);
    qtest_add_func("dxgpu/reset/DEV-13-held", test_held);
    qtest_add_func("dxgpu/reset/by-the-system-while-resetting",
                   test_system_reset_while_resetting);
    qtest_add_func("dxgpu/reset/stopped-machine-is-quiet", test_stop);
    qtest_add_func("dxgpu/reset/quit-under-load", test_quit_under_load);
    qtest_add_func("dxgpu/reset/thread/DEV-12-by-register",
                   test_register_reset_thread);
    qtest_add_func("dxgpu/reset/thread/DEV-12-again-and-again-under-load",
                   test_resets_under_load_thread);
    qtest_add_func("dxgpu/reset/threads/DEV-13-held", test_held_threads);
    qtest_add_func("dxgpu/reset/thread/DEV-12-by-the-system",
                   test_system_reset_thread);
    qtest_add_func("dxgpu/reset/thread/stopped-machine-is-quiet",
                   test_stop_thread);
    return g_test_run();
}
