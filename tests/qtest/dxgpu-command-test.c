/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: the command window.
 *
 * Each command with each mistake that its description names (SEC-22): an error
 * result, and no effect, which is shown by what works afterwards.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

static void test_arguments_by_halves(void)
{
    DxTest *t = dx_start_disabled("");
    unsigned int i;

    for (i = 0; i < DXGPU_CMD_NUM_ARGS; i++) {
        qpci_io_writeq(t->pci, t->regs, DXGPU_REG_CMD_ARG(i),
                       0x1122334455667700ull + i);
    }
    dx_reg_write(t, DXGPU_REG_CMD_ARG(3), 0xaabbccdd);
    dx_reg_write(t, DXGPU_REG_CMD_ARG(4) + 4, 0xeeff0011);
    for (i = 0; i < DXGPU_CMD_NUM_ARGS; i++) {
        uint64_t wanted = i == 3 ? 0x11223344aabbccddull :
                          i == 4 ? 0xeeff001155667704ull :
                          0x1122334455667700ull + i;

        g_assert_cmphex(qpci_io_readq(t->pci, t->regs, DXGPU_REG_CMD_ARG(i)),
                        ==, wanted);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_CMD_ARG(i)), ==,
                        (uint32_t)wanted);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_CMD_ARG(i) + 4), ==, wanted >> 32);
    }
    g_assert_cmpuint(dx_stat(t, "register_bad_access"), ==, 0);
    dx_stop(t);
}

static void test_disabled_device_takes_no_commands(void)
{
    static const uint8_t all[] = {
        DXGPU_CMD_SPACE_CREATE, DXGPU_CMD_SPACE_DESTROY,
        DXGPU_CMD_SPACE_INVALIDATE, DXGPU_CMD_CONTEXT_CREATE,
        DXGPU_CMD_CONTEXT_DESTROY, DXGPU_CMD_CONTEXT_SUSPEND,
        DXGPU_CMD_CONTEXT_RESUME, DXGPU_CMD_QUEUE_CREATE,
        DXGPU_CMD_QUEUE_REMOVE, DXGPU_CMD_QUEUE_KICK, DXGPU_CMD_DOORBELL_BIND,
        DXGPU_CMD_DOORBELL_UNBIND, DXGPU_CMD_ENGINE_RESET,
        DXGPU_CMD_ENGINE_RESUME,
    };
    DxTest *t = dx_start_disabled("");
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(all); i++) {
        g_assert_cmpuint(dx_command(t, all[i], 0, 0x1000000), ==,
                         DXGPU_CMD_ERR_STATE);
    }
    g_assert_cmpuint(dx_stat(t, "command_errors"), ==, G_N_ELEMENTS(all));
    g_assert_cmpuint(dx_stat(t, "spaces"), ==, 0);
    dx_enable(t);
    dx_command_ok(t, DXGPU_CMD_SPACE_CREATE, 0, 0x1000000);
    g_assert_cmpuint(dx_stat(t, "spaces"), ==, 1);
    dx_stop(t);
}

static void test_unknown_commands(void)
{
    DxTest *t = dx_start("");
    static const uint32_t unknown[] = {
        0, 0x04, 0x0f, 0x14, 0x23, 0x32, 0x3f, 0x42, 0xff, 0x101, 0x80000001, 0xffffffff,
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_assert_cmpuint(dx_command(t, unknown[i], 0, 0x1000000), ==,
                         DXGPU_CMD_ERR_OPCODE);
    }
    g_assert_cmpuint(dx_stat(t, "command_errors"), ==, G_N_ELEMENTS(unknown));
    g_assert_cmpuint(dx_stat(t, "commands"), ==, G_N_ELEMENTS(unknown));
    dx_stop(t);
}

/* The id of every command, one past the range and far past 32 bits. */
static void test_ids_out_of_range(void)
{
    DxTest *t = dx_start("slots=3,queues=5,contexts=7,spaces=9");
    static const struct {
        uint8_t opcode;
        uint8_t limit;
    } first[] = {
        { DXGPU_CMD_SPACE_CREATE, 9 }, { DXGPU_CMD_SPACE_DESTROY, 9 },
        { DXGPU_CMD_SPACE_INVALIDATE, 9 }, { DXGPU_CMD_CONTEXT_CREATE, 7 },
        { DXGPU_CMD_CONTEXT_DESTROY, 7 }, { DXGPU_CMD_CONTEXT_SUSPEND, 7 },
        { DXGPU_CMD_CONTEXT_RESUME, 7 }, { DXGPU_CMD_QUEUE_CREATE, 5 },
        { DXGPU_CMD_QUEUE_REMOVE, 5 }, { DXGPU_CMD_QUEUE_KICK, 5 },
        { DXGPU_CMD_DOORBELL_BIND, 3 }, { DXGPU_CMD_DOORBELL_UNBIND, 3 },
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(first); i++) {
        g_assert_cmpuint(dx_command(t, first[i].opcode, first[i].limit, 0), ==,
                         DXGPU_CMD_ERR_ID);
        g_assert_cmpuint(dx_command(t, first[i].opcode, 1ull << 32, 0), ==,
                         DXGPU_CMD_ERR_ID);
        g_assert_cmpuint(dx_command(t, first[i].opcode, ~0ull, 0), ==,
                         DXGPU_CMD_ERR_ID);
    }
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 0, 5), ==,
                     DXGPU_CMD_ERR_ID);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_CONTEXT_CREATE, 0, 9, 0), ==,
                     DXGPU_CMD_ERR_ID);
    dx_space(t);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_CONTEXT_CREATE, 0, 0, 3), ==,
                     DXGPU_CMD_ERR_ID);
    g_assert_cmpuint(dx_stat(t, "contexts"), ==, 0);
    dx_stop(t);
}

static void test_absent_objects(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_tables(t);
    static const uint8_t one[] = {
        DXGPU_CMD_SPACE_DESTROY, DXGPU_CMD_SPACE_INVALIDATE,
        DXGPU_CMD_CONTEXT_DESTROY, DXGPU_CMD_CONTEXT_SUSPEND,
        DXGPU_CMD_CONTEXT_RESUME, DXGPU_CMD_QUEUE_REMOVE,
        DXGPU_CMD_QUEUE_KICK, DXGPU_CMD_DOORBELL_UNBIND,
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(one); i++) {
        g_assert_cmpuint(dx_command(t, one[i], 4, 1), ==,
                         DXGPU_CMD_ERR_NOT_FOUND);
    }
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_CONTEXT_CREATE, 0, 4, 0), ==,
                     DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_CREATE, 0, 4, 0x10000, 16,
                                0x20000, 0), ==, DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 0, 4), ==,
                     DXGPU_CMD_ERR_NOT_FOUND);
    /* A destroyed object is as absent as one that never was. */
    dx_command_ok(t, DXGPU_CMD_SPACE_CREATE, 4, space->root);
    dx_command_ok(t, DXGPU_CMD_SPACE_DESTROY, 4);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_DESTROY, 4), ==,
                     DXGPU_CMD_ERR_NOT_FOUND);
    dx_stop(t);
}

static void test_existing_and_busy_objects(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 1);
    DxQueue *q = dx_queue(space, context, 16);
    DxQueue *other = dx_queue(space, context, 16);

    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_CREATE, space->id,
                                space->root), ==, DXGPU_CMD_ERR_EXISTS);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_CONTEXT_CREATE, context,
                                space->id, 0), ==, DXGPU_CMD_ERR_EXISTS);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_CREATE, q->id, context,
                                q->ring.gpuva, 16, q->control.gpuva, 0), ==,
                     DXGPU_CMD_ERR_EXISTS);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_DESTROY, space->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_CONTEXT_DESTROY, context), ==,
                     DXGPU_CMD_ERR_BUSY);
    dx_bind(q, 9);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 9, other->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 8, q->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 9, q->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 1);

    /* None of this had an effect: all works, and goes in the right order. */
    dx_assert_works(q);
    dx_assert_works(other);
    dx_remove(q);
    dx_remove(other);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 0);
    dx_command_ok(t, DXGPU_CMD_CONTEXT_DESTROY, context);
    dx_command_ok(t, DXGPU_CMD_SPACE_DESTROY, space->id);
    g_assert_cmpuint(dx_stat(t, "contexts"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "spaces"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);
    dx_stop(t);
}

static void test_bad_arguments(void)
{
    DxTest *t = dx_start("ring-max-entries=64");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    uint64_t end = 1ull << DXGPU_GPUVA_BITS;
    const uint64_t queues[][4] = {
        /* ring, entries, control, start */
        { 0x10020, 16, 0x20000, 0 },            /* ring not aligned */
        { 0x10000, 16, 0x20040, 0 },            /* control not aligned */
        { 0x10000, 0, 0x20000, 0 },
        { 0x10000, 1, 0x20000, 0 },             /* below the minimum */
        { 0x10000, 12, 0x20000, 0 },            /* not a power of two */
        { 0x10000, 128, 0x20000, 0 },           /* above the maximum */
        { 0x10000, 1ull << 32, 0x20000, 0 },
        { 0x10000, (1ull << 32) + 16, 0x20000, 0 },
        { end, 16, 0x20000, 0 },                /* beyond the address space */
        { end - 64, 16, 0x20000, 0 },           /* begins inside */
        { 0x10000, 16, end, 0 },
        { ~0ull << 6, 16, 0x20000, 0 },
        { 0x10000, 16, ~0ull << 7, 0 },
    };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(queues); i++) {
        uint32_t result = dx_command(t, DXGPU_CMD_QUEUE_CREATE, 0, context,
                                     queues[i][0], queues[i][1], queues[i][2],
                                     queues[i][3]);

        if (result != DXGPU_CMD_ERR_ARGUMENT) {
            dx_fail("QUEUE_CREATE number %u gave result %u", i, result);
        }
    }
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 0);

    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_CREATE, 5, 0x1000800), ==,
                     DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_CREATE, 5, 1ull << 52), ==,
                     DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_INVALIDATE, space->id, end,
                                0x1000, 1), ==, DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_INVALIDATE, space->id,
                                0x1000, ~0ull, 1), ==,
                     DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpuint(dx_stat(t, "spaces"), ==, 1);
    dx_stop(t);
}

static void test_id_again_after_remove(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    unsigned int i;

    for (i = 0; i < 10; i++) {
        dx_bind(q, i);
        dx_assert_works(q);
        dx_remove(q);
        /* The id is another queue now: counts begin anew, as commanded. */
        dx_store_wp(q, 100 * i);
        dx_create(q);
        g_assert_cmpuint(dx_queue_status(t, q->id).entries, ==, 0);
        g_assert_cmpuint(dx_queue_status(t, q->id).rp, ==, 100 * i);
        g_assert_cmpuint(dx_queue_status(t, q->id).rings, ==, 0);
    }
    dx_assert_works(q);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 1);
    dx_stop(t);
}

/* While it is being removed the queue is neither there nor free. */
static void test_commands_while_removing(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t fence;

    dx_park(t);
    fence = dx_remove_start(q);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_KICK, q->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 0, q->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_REMOVE, q->id, fence + 1),
                     ==, DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_CONTEXT_DESTROY, q->context), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_queue_status(t, q->id).remove_fence, ==, 0);
    dx_unpark(t);
    DX_WAIT(t, dx_queue_status(t, q->id).remove_fence == fence);
    dx_command_ok(t, DXGPU_CMD_CONTEXT_DESTROY, q->context);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/command/arguments-by-words-and-halves",
                   test_arguments_by_halves);
    qtest_add_func("dxgpu/command/disabled-device-takes-no-commands",
                   test_disabled_device_takes_no_commands);
    qtest_add_func("dxgpu/command/SEC-22-unknown-commands",
                   test_unknown_commands);
    qtest_add_func("dxgpu/command/SEC-22-ids-out-of-range",
                   test_ids_out_of_range);
    qtest_add_func("dxgpu/command/SEC-22-absent-objects", test_absent_objects);
    qtest_add_func("dxgpu/command/SEC-22-existing-and-busy-objects",
                   test_existing_and_busy_objects);
    qtest_add_func("dxgpu/command/SEC-22-bad-arguments", test_bad_arguments);
    qtest_add_func("dxgpu/command/OBJ-24-id-again-after-remove",
                   test_id_again_after_remove);
    qtest_add_func("dxgpu/command/SEC-22-commands-while-removing",
                   test_commands_while_removing);
    return g_test_run();
}
