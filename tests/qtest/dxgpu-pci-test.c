/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: what PCI Express asks of the function: power states,
 * function-level reset, error reporting, bus mastering.
 *
 * "In mid-work" is made, not hoped for: with threads=0 the machine does a turn
 * between two requests of the test, so a work of many turns is caught in the
 * middle; with threads=1 the work takes far longer than the requests do. That
 * no DMA happens is read from the device's own counters, which see every byte.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "hw/pci/pcie_regs.h"
#include "dxgpu-qtest.h"

#define WORK_BYTES      (4u << 20)
#define WORK_FILLS      200
#define EXTENDED_SPACE  0xb0000000ull   /* where the test puts it on q35 */
#define PCIEXBAR        0x60
#define HEADER(id, version) ((id) | (version) << 16)

/* Work that takes a while and ends with the queue's next fence. */
static void submit_long_work(DxQueue *q)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxBuffer target = dx_buffer(q->space, WORK_BYTES);
    unsigned int i;

    for (i = 0; i < WORK_FILLS; i++) {
        dx_fill(c, target.gpuva, WORK_BYTES, 0x01010101 * (i + 1));
    }
    dx_fence(c, q->fence.gpuva, ++q->fence_value, 0);
    dx_submit(q, c);
}

/* A bound queue that has written some of its work, but not the fence. */
static DxQueue *start_long_work(DxTest *t)
{
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 0);
    submit_long_work(q);
    dx_ring(t, 0, q->wp);
    DX_WAIT(t, dx_stat(t, "fill_bytes") > 0);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
    return q;
}

static void assert_no_dma(DxTest *t)
{
    uint64_t reads = dx_stat(t, "dma_read_bytes");
    uint64_t writes = dx_stat(t, "dma_write_bytes");

    qtest_clock_step(t->qts, 1000000);
    g_usleep(20000);
    g_assert_cmpuint(dx_stat(t, "dma_read_bytes"), ==, reads);
    g_assert_cmpuint(dx_stat(t, "dma_write_bytes"), ==, writes);
}

static void set_power(DxTest *t, uint16_t state)
{
    uint8_t pm = qpci_find_capability(t->pci, PCI_CAP_ID_PM, 0);

    g_assert_cmpuint(pm, !=, 0);
    qpci_config_writew(t->pci, pm + PCI_PM_CTRL, state);
}

static uint16_t power(DxTest *t)
{
    uint8_t pm = qpci_find_capability(t->pci, PCI_CAP_ID_PM, 0);

    return qpci_config_readw(t->pci, pm + PCI_PM_CTRL);
}

static void start_flr(DxTest *t)
{
    uint8_t exp = qpci_find_capability(t->pci, PCI_CAP_ID_EXP, 0);
    uint16_t control;

    g_assert_cmphex(qpci_config_readl(t->pci, exp + PCI_EXP_DEVCAP) &
                    PCI_EXP_DEVCAP_FLR, !=, 0);
    control = qpci_config_readw(t->pci, exp + PCI_EXP_DEVCTL);
    qpci_config_writew(t->pci, exp + PCI_EXP_DEVCTL,
                       control | PCI_EXP_DEVCTL_BCR_FLR);
}

/* Extended configuration space, which libqos does not reach. */
static uint64_t extended(DxTest *t, uint32_t offset)
{
    QPCIDevice *host = qpci_device_find(t->bus, 0);

    qpci_config_writel(host, PCIEXBAR, EXTENDED_SPACE | 1);
    qpci_config_writel(host, PCIEXBAR + 4, 0);
    g_free(host);
    return EXTENDED_SPACE + ((uint64_t)t->pci->devfn << 12) + offset;
}

/* The AER capability is the first extended one. */
static uint32_t aer(DxTest *t, uint32_t offset)
{
    return qtest_readl(t->qts, extended(t, 0x100 + offset));
}

static void inject(DxTest *t, const char *error)
{
    g_autofree char *said = qtest_hmp(t->qts, "pcie_aer_inject_error dx %s",
                                      error);

    g_assert_nonnull(strstr(said, "OK id: dx"));
}

static void test_capabilities(void)
{
    DxTest *t = dx_start("");
    uint8_t pm = qpci_find_capability(t->pci, PCI_CAP_ID_PM, 0);
    uint16_t pmc = qpci_config_readw(t->pci, pm + PCI_PM_PMC);

    g_assert_cmpuint(pmc & PCI_PM_CAP_VER_MASK, ==, 3);
    g_assert_cmphex(pmc & (PCI_PM_CAP_D1 | PCI_PM_CAP_D2 |
                           PCI_PM_CAP_PME_MASK), ==, 0);
    g_assert_cmphex(power(t), ==, PCI_PM_CTRL_NO_SOFT_RESET);
    g_assert_cmphex(aer(t, 0), ==,
                    HEADER(PCI_EXT_CAP_ID_ERR, PCI_ERR_VER));
    dx_stop(t);
}

/* D1 and D2 do not exist. */
static void test_no_other_states(void)
{
    DxTest *t = dx_start("");

    set_power(t, 1);
    g_assert_cmphex(power(t) & PCI_PM_CTRL_STATE_MASK, ==, 0);
    set_power(t, 2);
    g_assert_cmphex(power(t) & PCI_PM_CTRL_STATE_MASK, ==, 0);
    dx_assert_works(dx_new_queue(t));
    dx_stop(t);
}

static void d3_in_mid_work(const char *properties)
{
    DxTest *t = dx_start(properties);
    DxQueue *q = start_long_work(t);

    set_power(t, 3);
    assert_no_dma(t);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
    /* No register and no status: the BARs are not there. */
    g_assert_cmphex(dx_reg(t, DXGPU_REG_MAGIC), !=, DXGPU_MAGIC);
    set_power(t, 0);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, q->fence_value);
    g_assert_cmpuint(dx_stat(t, "fill_bytes"), ==,
                     (uint64_t)WORK_BYTES * WORK_FILLS);
    dx_stop(t);
}

static void test_d3_main_loop(void)
{
    d3_in_mid_work("packet-budget=4");
}

static void test_d3_thread(void)
{
    d3_in_mid_work("threads=1");
}

/* A ring that nobody heard is made up for by the sample of the way back. */
static void test_d3_loses_no_ring(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 0);
    dx_settle(t);
    set_power(t, 3);
    dx_submit_fence(q);
    dx_ring(t, 0, q->wp);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 0);
    set_power(t, 0);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    dx_stop(t);
}

/* Twice down, twice up, and down while the machine is stopped. */
static void test_d3_and_stop(void)
{
    DxTest *t = dx_start("threads=1");
    DxQueue *q = start_long_work(t);

    dx_park(t);
    set_power(t, 3);
    set_power(t, 3);
    dx_unpark(t);
    assert_no_dma(t);
    dx_park(t);
    set_power(t, 0);
    set_power(t, 0);
    assert_no_dma(t);
    dx_unpark(t);
    dx_wait_done(q);
    dx_stop(t);
}

/* A message that is due while asleep comes after. */
static void test_d3_holds_interrupts(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_irq_start(t);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK);
    dx_park(t);
    dx_suspend_start(t, q->context);
    set_power(t, 3);
    dx_unpark(t);
    assert_no_dma(t);
    g_assert_false(dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    set_power(t, 0);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmpuint(dx_context_status(t, q->context).suspended, ==, 1);
    dx_stop(t);
}

/* The state after a reset: nothing bound, no object, and it can begin anew. */
static void assert_as_new(DxTest *t, DxQueue *q)
{
    struct dxgpu_queue_status status;

    dx_map_bars(t);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 0);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, 0);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "contexts"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "spaces"), ==, 0);
    status = dx_queue_status(t, q->id);
    g_assert_cmpuint(status.state, ==, DXGPU_QUEUE_ABSENT);
    g_assert_cmpuint(status.rp, ==, 0);
    dx_enable(t);
    dx_assert_works(dx_new_queue(t));
}

static void flr_in_mid_work(const char *properties)
{
    DxTest *t = dx_start(properties);
    DxQueue *q = start_long_work(t);

    start_flr(t);
    g_assert_cmphex(qpci_config_readw(t->pci, PCI_COMMAND) &
                    (PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY), ==, 0);
    assert_no_dma(t);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
    assert_as_new(t, q);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
    dx_stop(t);
}

static void test_flr_main_loop(void)
{
    flr_in_mid_work("packet-budget=4");
}

static void test_flr_thread(void)
{
    flr_in_mid_work("threads=1");
}

static void test_flr_wakes(void)
{
    DxTest *t = dx_start("threads=1");
    DxQueue *q = start_long_work(t);

    set_power(t, 3);
    start_flr(t);
    g_assert_cmphex(power(t), ==, PCI_PM_CTRL_NO_SOFT_RESET);
    assert_as_new(t, q);
    dx_stop(t);
}

static void test_system_reset_wakes(void)
{
    DxTest *t = dx_start("threads=1");
    DxQueue *q = start_long_work(t);

    set_power(t, 3);
    qtest_system_reset(t->qts);
    assert_as_new(t, q);
    dx_stop(t);
}

/* An FLR while a reset by register is under way: the greater one wins. */
static void test_flr_in_a_reset(void)
{
    DxTest *t = dx_start("packet-budget=1");
    DxQueue *q = start_long_work(t);

    dx_park(t);
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_RESETTING);
    start_flr(t);
    dx_unpark(t);
    assert_no_dma(t);
    assert_as_new(t, q);
    dx_stop(t);
}

static void assert_absent(DxTest *t, bool had_bars)
{
    uint64_t rings = dx_stat(t, "doorbell_writes");

    g_assert_cmphex(qpci_config_readl(t->pci, PCI_VENDOR_ID), ==, ~0u);
    g_assert_cmphex(qpci_config_readw(t->pci, PCI_COMMAND), ==, 0xffff);
    g_assert_cmphex(qpci_config_readb(t->pci, PCI_REVISION_ID), ==, 0xff);
    g_assert_cmphex(qpci_config_readl(t->pci, PCI_BASE_ADDRESS_0), ==, ~0u);
    g_assert_cmphex(aer(t, 0), ==, ~0u);
    if (!had_bars) {
        g_assert_cmphex(dx_reg(t, DXGPU_REG_MAGIC), !=, DXGPU_MAGIC);
        return;
    }
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_ENABLE);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_STATUS), ==, ~0u);
    g_assert_cmphex(qpci_io_readb(t->pci, t->regs, 1), ==, 0xff);
    g_assert_cmphex(qpci_io_readq(t->pci, t->status, 0), ==, ~0ull);
    dx_ring(t, 0, 1);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, rings);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 0);
}

/*
 * An FLR after which the function does not come back, by the host's order, but
 * when that is taken back. No other reset makes it absent, and none ends it.
 */
static void flr_held(const char *properties)
{
    DxTest *t = dx_start(properties);
    uint32_t id = qpci_config_readl(t->pci, PCI_VENDOR_ID);
    DxQueue *q;
    int i;

    qtest_qom_set_bool(t->qts, DX_QOM_PATH, "inject-hold-flr", true);
    qtest_system_reset(t->qts);
    g_assert_cmphex(qpci_config_readl(t->pci, PCI_VENDOR_ID), ==, id);
    dx_map_bars(t);
    dx_enable(t);
    q = start_long_work(t);

    for (i = 0; i < 2; i++) {
        start_flr(t);
        assert_absent(t, i == 0);
        assert_no_dma(t);
        qpci_config_writew(t->pci, PCI_COMMAND,
                           PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
        qtest_system_reset(t->qts);
        assert_absent(t, i == 0);
        qtest_qom_set_bool(t->qts, DX_QOM_PATH, "inject-hold-flr", i == 0);
        if (i == 0) {
            /* It is on still: nothing is new. */
            assert_absent(t, true);
            qtest_qom_set_bool(t->qts, DX_QOM_PATH, "inject-hold-flr", false);
            qtest_qom_set_bool(t->qts, DX_QOM_PATH, "inject-hold-flr", true);
        }
        g_assert_cmphex(qpci_config_readl(t->pci, PCI_VENDOR_ID), ==, id);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_MAGIC), !=, ~0u);
        g_assert_cmphex(qpci_config_readw(t->pci, PCI_COMMAND) &
                        (PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY), ==, 0);
        assert_no_dma(t);
    }
    assert_as_new(t, q);
    start_flr(t);
    g_assert_cmphex(qpci_config_readl(t->pci, PCI_VENDOR_ID), ==, id);
    dx_stop(t);
}

/* A machine that was saved before its FLR is loaded after that: it is there. */
static void test_flr_held_load(void)
{
    DxTest *t = dx_start("");
    DxTest *other = dx_start_incoming("inject-hold-flr=on");
    int fd = dx_stream_file();
    g_autofree char *result = NULL;

    dx_save(t, fd);
    start_flr(other);
    assert_absent(other, true);
    result = dx_load(other, fd);
    g_assert_cmpstr(result, ==, "completed");
    g_assert_cmphex(qpci_config_readl(other->pci, PCI_VENDOR_ID), ==,
                    qpci_config_readl(t->pci, PCI_VENDOR_ID));
    g_assert_cmphex(dx_reg(other, DXGPU_REG_MAGIC), ==, DXGPU_MAGIC);
    close(fd);
    dx_stop(other);
    dx_stop(t);
}

static void test_flr_held(void)
{
    flr_held("packet-budget=4");
}

static void test_flr_held_thread(void)
{
    flr_held("threads=1");
}

static void test_injected_errors(void)
{
    DxTest *t = dx_start("");
    uint64_t at = extended(t, 0x100 + PCI_ERR_UNCOR_STATUS);

    g_assert_cmphex(aer(t, PCI_ERR_UNCOR_STATUS), ==, 0);
    inject(t, "POISON_TLP 1 2 3 4");
    g_assert_cmphex(aer(t, PCI_ERR_UNCOR_STATUS), ==, PCI_ERR_UNC_POISON_TLP);
    /* A header is logged in the order of the link, the highest byte first. */
    g_assert_cmphex(GUINT32_FROM_BE(aer(t, PCI_ERR_HEADER_LOG + 4)), ==, 2);
    qtest_writel(t->qts, at, PCI_ERR_UNC_POISON_TLP);
    g_assert_cmphex(aer(t, PCI_ERR_UNCOR_STATUS), ==, 0);

    g_assert_cmphex(aer(t, PCI_ERR_COR_STATUS), ==, 0);
    inject(t, "BAD_TLP");
    g_assert_cmphex(aer(t, PCI_ERR_COR_STATUS), ==, PCI_ERR_COR_BAD_TLP);
    /* It is a report, nothing more: the device goes on. */
    dx_assert_works(dx_new_queue(t));
    dx_stop(t);
}

static void bus_master_in_mid_work(const char *properties)
{
    DxTest *t = dx_start(properties);
    DxQueue *idle = dx_new_queue(t);
    DxQueue *q;

    dx_bind(idle, 1);
    dx_settle(t);
    q = start_long_work(t);
    dx_set_bus_master(t, false);
    dx_wait_fault(q, DXGPU_FAULT_BUS);
    assert_no_dma(t);

    /* Who did not need memory meanwhile goes on as if nothing had been. */
    dx_submit_fence(idle);
    dx_set_bus_master(t, true);
    dx_ring(t, 1, idle->wp);
    dx_wait_done(idle);
    g_assert_cmpuint(dx_queue_status(t, q->id).state, ==,
                     DXGPU_QUEUE_FAULTED);
    dx_stop(t);
}

static void test_bus_master_main_loop(void)
{
    bus_master_in_mid_work("packet-budget=4");
}

static void test_bus_master_thread(void)
{
    bus_master_in_mid_work("threads=1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/pci/capabilities", test_capabilities);
    qtest_add_func("dxgpu/pci/power/no-D1-no-D2", test_no_other_states);
    qtest_add_func("dxgpu/pci/power/D3-in-mid-work", test_d3_main_loop);
    qtest_add_func("dxgpu/pci/power/DEV-1-D3-loses-no-ring",
                   test_d3_loses_no_ring);
    qtest_add_func("dxgpu/pci/power/D3-holds-interrupts",
                   test_d3_holds_interrupts);
    qtest_add_func("dxgpu/pci/power/thread/D3-in-mid-work", test_d3_thread);
    qtest_add_func("dxgpu/pci/power/thread/D3-and-stop", test_d3_and_stop);
    qtest_add_func("dxgpu/pci/power/thread/system-reset-wakes",
                   test_system_reset_wakes);
    qtest_add_func("dxgpu/pci/flr/DEV-12-in-mid-work", test_flr_main_loop);
    qtest_add_func("dxgpu/pci/flr/DEV-12-in-a-reset", test_flr_in_a_reset);
    qtest_add_func("dxgpu/pci/flr/DEV-13-held", test_flr_held);
    qtest_add_func("dxgpu/pci/flr/DEV-13-held-then-loaded",
                   test_flr_held_load);
    qtest_add_func("dxgpu/pci/flr/thread/DEV-13-held", test_flr_held_thread);
    qtest_add_func("dxgpu/pci/flr/thread/DEV-12-in-mid-work",
                   test_flr_thread);
    qtest_add_func("dxgpu/pci/flr/thread/DEV-12-in-D3", test_flr_wakes);
    qtest_add_func("dxgpu/pci/aer/injected-errors", test_injected_errors);
    qtest_add_func("dxgpu/pci/bus-master/FH-13-off-in-mid-work",
                   test_bus_master_main_loop);
    qtest_add_func("dxgpu/pci/bus-master/thread/FH-13-off-in-mid-work",
                   test_bus_master_thread);
    return g_test_run();
}
