/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: what a queue cannot reach.
 *
 * A queue sees the memory of its own address space, and memory only: not that
 * of another space (SEC-9), not the registers of this device or another one,
 * not what lies outside RAM (SEC-23), and not the status region (DEV-7). Each
 * attempt must fault, and its target must be as it was.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

#define PAGE            DXGPU_PAGE_SIZE

/* A register of the machine's I/O APIC that keeps what is written. */
#define IOAPIC_SELECT   0xfec00000ull

static DxQueue *queue_in(DxSpace *space)
{
    return dx_queue(space, dx_context(space, 0), 16);
}

/* The same GPUVA in two spaces, at the same time, many times over. */
static void test_spaces_are_apart(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("packet-budget=1");
    DxSpace *space[2];
    DxQueue *q[2];
    uint64_t src[2], dst[2];
    uint64_t gpuva = 0x123400000000ull;
    unsigned int i, j;

    for (i = 0; i < 2; i++) {
        space[i] = dx_space(t);
        q[i] = queue_in(space[i]);
        src[i] = dx_memory(t, PAGE, PAGE);
        dst[i] = dx_memory(t, PAGE, PAGE);
        dx_map(space[i], gpuva, src[i], PAGE, DX_READ);
        dx_map(space[i], gpuva + PAGE, dst[i], PAGE, DX_WRITE);
        dx_write_pattern(t, src[i], PAGE, 100 + i);
        for (j = 0; j < 20; j++) {
            dx_copy(c, gpuva + j * 100, gpuva + PAGE + j * 100, 100);
        }
        dx_submit(q[i], c);
    }
    dx_park(t);
    dx_kick(q[0]);
    dx_kick(q[1]);
    dx_unpark(t);
    for (i = 0; i < 2; i++) {
        dx_wait_done(q[i]);
        dx_assert_pattern(t, dst[i], 2000, 100 + i);
    }
    dx_stop(t);
}

/* What is mapped in one space only is not there for the other one. */
static void test_foreign_memory_is_out_of_reach(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *mine = dx_space(t);
    DxSpace *theirs = dx_space(t);
    DxQueue *attacker = queue_in(mine);
    DxQueue *victim = queue_in(theirs);
    struct dxgpu_queue_status status;

    /* The victim's fence page is in the TLB when the attacker tries. */
    dx_assert_works(victim);
    dx_fence(c, victim->fence.gpuva, 0xbad, 0);
    dx_submit(attacker, c);
    dx_kick(attacker);
    status = dx_wait_fault(attacker, DXGPU_FAULT_UNMAPPED);
    g_assert_cmphex(status.fault_gpuva, ==, victim->fence.gpuva);
    g_assert_cmpuint(dx_fence_now(victim), ==, 1);
    dx_assert_works(victim);
    dx_stop(t);
}

/* 0x20000000 is past the 256 MiB of RAM; nothing answers there. */
static void test_tables_outside_memory(void)
{
    static const uint64_t outside[] = { 0x20000000, DXGPU_PTE_ADDR_MASK };
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint64_t gpuva = 0x00ab54321000ull;
    unsigned int level, i;

    for (level = 1; level < DXGPU_PT_LEVELS; level++) {
        for (i = 0; i < G_N_ELEMENTS(outside); i++) {
            DxQueue *q = queue_in(space);
            uint64_t at = dx_entry(space, gpuva, level);
            uint64_t old = qtest_readq(t->qts, at);
            struct dxgpu_queue_status status;

            qtest_writeq(t->qts, at, outside[i] | DXGPU_PTE_VALID);
            dx_fence(c, gpuva, 1, 0);
            dx_submit(q, c);
            dx_kick(q);
            status = dx_wait_fault(q, DXGPU_FAULT_BUS);
            g_assert_cmpuint(status.fault_level, ==, level - 1);
            g_assert_cmphex(status.fault_gpuva, ==, gpuva);
            qtest_writeq(t->qts, at, old);
        }
    }
    dx_stop(t);
}

static void test_root_outside_memory(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_tables(t);
    DxQueue *q, *good = dx_new_queue(t);
    struct dxgpu_queue_status status;

    dx_command_ok(t, DXGPU_CMD_SPACE_CREATE, space->id, 0x20000000);
    q = queue_in(space);
    dx_kick(q);
    status = dx_wait_fault(q, DXGPU_FAULT_BUS);
    g_assert_cmpuint(status.fault_level, ==, DXGPU_PT_LEVELS - 1);
    dx_assert_works(good);
    dx_stop(t);
}

/* A queue that aims at the device's own registers and doorbells. */
static void test_device_memory_is_out_of_reach(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *victim = queue_in(space);
    DxBuffer b = dx_buffer(space, PAGE);
    uint64_t regs = dx_reserve(space, PAGE);
    uint64_t slot = dx_reserve(space, PAGE);
    uint64_t nothing = dx_reserve(space, PAGE);
    uint64_t bad = dx_stat(t, "register_bad_access");
    uint64_t commands;
    unsigned int kind;

    dx_bind(victim, 0);
    dx_settle(t);
    dx_map(space, regs, t->regs.addr, PAGE, DX_RW);
    dx_map(space, slot, t->doorbells.addr, PAGE, DX_RW);
    dx_map(space, nothing, 0x20000000, PAGE, DX_RW);
    for (kind = 0; kind < 7; kind++) {
        DxQueue *q = queue_in(space);

        commands = dx_stat(t, "commands");
        switch (kind) {
        case 0:
            dx_fill(c, regs + DXGPU_REG_INT_ENABLE, 4, DXGPU_INT_ACK);
            break;
        case 1:
            dx_copy(c, regs, b.gpuva, 4);
            break;
        case 2:
            dx_fence(c, slot, 1, 0);
            break;
        case 3:
            dx_fill(c, slot, 4, 1);
            break;
        case 4:
            dx_crc(c, regs, b.gpuva, 4, 0);
            break;
        case 5:
            dx_crc(c, b.gpuva, regs + DXGPU_REG_CONTROL, 8, 0);
            break;
        default:
            dx_fence(c, nothing, 1, 0);
            break;
        }
        dx_submit(q, c);
        dx_command_ok(t, DXGPU_CMD_QUEUE_KICK, q->id);
        dx_wait_fault(q, DXGPU_FAULT_BUS);
        g_assert_cmpuint(dx_stat(t, "commands"), ==, commands + 1);
    }
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, 0);
    g_assert_cmphex(qtest_readl(t->qts, b.bus), ==, 0);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "register_bad_access"), ==, bad);
    dx_assert_works(victim);
    dx_stop(t);
}

/* Another device, which no guard of this one's own would protect. */
static void test_other_devices_are_out_of_reach(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint64_t gpuva = dx_reserve(space, PAGE);
    DxBuffer b = dx_buffer(space, PAGE);
    unsigned int kind;

    qtest_writel(t->qts, IOAPIC_SELECT, 1);
    g_assert_cmphex(qtest_readl(t->qts, IOAPIC_SELECT), ==, 1);
    dx_map(space, gpuva, IOAPIC_SELECT, PAGE, DX_RW);
    for (kind = 0; kind < 4; kind++) {
        DxQueue *q = queue_in(space);

        switch (kind) {
        case 0:
            dx_fill(c, gpuva, 4, 0x10);
            break;
        case 1:
            dx_copy(c, b.gpuva, gpuva, 4);
            break;
        case 2:
            dx_copy(c, gpuva, b.gpuva, 4);
            break;
        default:
            dx_fence(c, gpuva, 0x10, 0);
            break;
        }
        dx_submit(q, c);
        dx_kick(q);
        dx_wait_fault(q, DXGPU_FAULT_BUS);
        g_assert_cmphex(qtest_readl(t->qts, IOAPIC_SELECT), ==, 1);
        g_assert_cmphex(qtest_readl(t->qts, b.bus), ==, 0);
    }
    dx_stop(t);
}

/* BAR4 is RAM, but not for queues to write. */
static void test_status_region_is_out_of_reach(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint64_t gpuva = dx_reserve(space, PAGE);
    uint32_t at = dx_reg(t, DXGPU_REG_STATUS_QUEUE_OFFSET);
    struct dxgpu_queue_status before, after;
    DxQueue *first = queue_in(space);
    unsigned int kind;

    g_assert_cmpuint(first->id, ==, 0);
    g_assert_cmphex(at % PAGE, ==, 0);
    dx_assert_works(first);
    dx_settle(t);
    before = dx_queue_status(t, first->id);
    dx_map(space, gpuva, t->status.addr + at, PAGE, DX_RW);
    for (kind = 0; kind < 2; kind++) {
        DxQueue *q = queue_in(space);

        if (kind) {
            dx_fence(c, gpuva + 16, 0xbad, 0);
        } else {
            dx_fill(c, gpuva + 16, 64, 0xbad);
        }
        dx_submit(q, c);
        dx_kick(q);
        dx_settle(t);
        after = dx_queue_status(t, first->id);
        g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
    }
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/isolation/SEC-9-spaces-are-apart",
                   test_spaces_are_apart);
    qtest_add_func("dxgpu/isolation/SEC-9-foreign-memory-is-out-of-reach",
                   test_foreign_memory_is_out_of_reach);
    qtest_add_func("dxgpu/isolation/SEC-23-tables-outside-memory",
                   test_tables_outside_memory);
    qtest_add_func("dxgpu/isolation/SEC-23-root-outside-memory",
                   test_root_outside_memory);
    qtest_add_func("dxgpu/isolation/SEC-23-device-memory-is-out-of-reach",
                   test_device_memory_is_out_of_reach);
    qtest_add_func("dxgpu/isolation/SEC-23-other-devices-are-out-of-reach",
                   test_other_devices_are_out_of_reach);
    qtest_add_func("dxgpu/isolation/DEV-7-status-region-is-out-of-reach",
                   test_status_region_is_out_of_reach);
    return g_test_run();
}
