/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: PCI identity, registers, properties.
 *
 * The register file is held against docs/specs/dxgpu.rst: reset values, who may
 * write, what every other size, alignment and offset does.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "hw/pci/pci_regs.h"
#include "dxgpu-qtest.h"

/* Beyond the last register of the file, the nodes' included. */
#define REGS_END        0x300

static void test_identity(void)
{
    DxTest *t = dx_start_disabled("");
    uint8_t msix;

    g_assert_cmphex(qpci_config_readw(t->pci, PCI_VENDOR_ID), ==,
                    DXGPU_PCI_VENDOR_ID);
    g_assert_cmphex(qpci_config_readw(t->pci, PCI_DEVICE_ID), ==,
                    DXGPU_PCI_DEVICE_ID);
    g_assert_cmphex(qpci_config_readw(t->pci, PCI_CLASS_DEVICE), ==,
                    DXGPU_PCI_CLASS);
    g_assert_cmphex(qpci_config_readb(t->pci, PCI_REVISION_ID), ==,
                    DXGPU_PCI_REVISION);
    g_assert_cmphex(qpci_config_readb(t->pci, PCI_INTERRUPT_PIN), ==, 0);
    g_assert_cmphex(qpci_find_capability(t->pci, PCI_CAP_ID_EXP, 0), !=, 0);
    msix = qpci_find_capability(t->pci, PCI_CAP_ID_MSIX, 0);
    g_assert_cmphex(msix, !=, 0);
    g_assert_cmphex(qpci_config_readl(t->pci, msix + PCI_MSIX_TABLE) &
                    PCI_MSIX_FLAGS_BIRMASK, ==, DXGPU_BAR_MSIX);
    g_assert_cmphex(qpci_config_readl(t->pci, msix + PCI_MSIX_PBA) &
                    PCI_MSIX_FLAGS_BIRMASK, ==, DXGPU_BAR_MSIX);
    qpci_msix_enable(t->pci);
    g_assert_cmpuint(qpci_msix_table_size(t->pci), ==,
                     DXGPU_VECTOR_NODE(dx_reg(t, DXGPU_REG_NUM_NODES)));
    dx_stop(t);
}

static void test_bars(void)
{
    DxTest *t = dx_start_disabled("slots=5,queues=100,contexts=3,spaces=2");
    uint32_t pref64 = PCI_BASE_ADDRESS_MEM_TYPE_64 |
                      PCI_BASE_ADDRESS_MEM_PREFETCH;

    g_assert_cmphex(qpci_config_readl(t->pci, PCI_BASE_ADDRESS_0) & 0xf, ==, 0);
    g_assert_cmphex(qpci_config_readl(t->pci, PCI_BASE_ADDRESS_1) & 0xf, ==, 0);
    g_assert_cmphex(qpci_config_readl(t->pci, PCI_BASE_ADDRESS_2) & 0xf, ==,
                    pref64);
    g_assert_cmphex(qpci_config_readl(t->pci, PCI_BASE_ADDRESS_4) & 0xf, ==,
                    pref64);
    g_assert_cmphex(t->regs_size, ==, DXGPU_REGS_SIZE);
    g_assert_cmphex(t->doorbells_size, ==,
                    8 * dx_reg(t, DXGPU_REG_DOORBELL_STRIDE));
    g_assert_cmphex(t->status_size, >=, dx_reg(t, DXGPU_REG_STATUS_SIZE));
    dx_stop(t);
}

static void test_capabilities(void)
{
    static const struct {
        uint32_t offset, value;
    } fixed[] = {
        { DXGPU_REG_MAGIC, DXGPU_MAGIC },
        { DXGPU_REG_VERSION, DXGPU_VERSION },
        { DXGPU_REG_CAPS, DXGPU_CAPS_DEDICATED | DXGPU_CAPS_LARGE_PAGES |
                          DXGPU_CAPS_ENGINE_RESET },
        { DXGPU_REG_NUM_NODES, 3 },
        { DXGPU_REG_NUM_SLOTS, 64 },
        { DXGPU_REG_MAX_QUEUES, 4096 },
        { DXGPU_REG_MAX_CONTEXTS, 4096 },
        { DXGPU_REG_MAX_SPACES, 1024 },
        { DXGPU_REG_DOORBELL_STRIDE, 4096 },
        { DXGPU_REG_DOORBELL_SIZE, DXGPU_DOORBELL_BYTES },
        { DXGPU_REG_RING_MIN_ENTRIES, 2 },
        { DXGPU_REG_RING_MAX_ENTRIES, 65536 },
        { DXGPU_REG_MAX_COMMAND_BYTES, 65536 },
        { DXGPU_REG_MAX_TRANSFER_BYTES, 16777216 },
        { DXGPU_REG_GPUVA_BITS, DXGPU_GPUVA_BITS },
        { DXGPU_REG_STATUS_QUEUE_STRIDE, sizeof(struct dxgpu_queue_status) },
        { DXGPU_REG_STATUS_CONTEXT_STRIDE,
          sizeof(struct dxgpu_context_status) },
        { DXGPU_REG_STATUS_SPACE_STRIDE, sizeof(struct dxgpu_space_status) },
        { DXGPU_REG_STATUS_NODE_STRIDE, sizeof(struct dxgpu_node_status) },
        { DXGPU_REG_STATUS, DXGPU_STATUS_DISABLED },
        { DXGPU_REG_CONTROL, 0 },
        { DXGPU_REG_RESET_COUNT, 0 },
        { DXGPU_REG_INT_CAUSE, 0 },
        { DXGPU_REG_INT_ENABLE, 0 },
        { DXGPU_REG_CMD_ARG(0), 0 },
        { DXGPU_REG_CMD_ARG(7) + 4, 0 },
        { DXGPU_REG_CMD, 0 },
        { DXGPU_REG_CMD_RESULT, 0 },
        { DXGPU_REG_NODE_TYPE(0), DXGPU_NODE_TYPE_3D },
        { DXGPU_REG_NODE_TYPE(1), DXGPU_NODE_TYPE_COMPUTE },
        { DXGPU_REG_NODE_TYPE(2), DXGPU_NODE_TYPE_COPY },
        { DXGPU_REG_NODE_FLAGS(0), DXGPU_NODE_USER_SUBMISSION },
        { DXGPU_REG_NODE_FLAGS(1), DXGPU_NODE_USER_SUBMISSION },
        { DXGPU_REG_NODE_FLAGS(2), DXGPU_NODE_USER_SUBMISSION },
    };
    DxTest *t = dx_start_disabled("");
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(fixed); i++) {
        if (dx_reg(t, fixed[i].offset) != fixed[i].value) {
            dx_fail("register 0x%03x reads 0x%x, expected 0x%x",
                    fixed[i].offset, dx_reg(t, fixed[i].offset),
                    fixed[i].value);
        }
    }
    dx_stop(t);
}

static void test_properties_in_registers(void)
{
    DxTest *t = dx_start_disabled("slots=7,queues=33,contexts=5,spaces=3,"
                                  "ring-max-entries=128");

    g_assert_cmpuint(dx_reg(t, DXGPU_REG_NUM_SLOTS), ==, 7);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_MAX_QUEUES), ==, 33);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_MAX_CONTEXTS), ==, 5);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_MAX_SPACES), ==, 3);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RING_MAX_ENTRIES), ==, 128);
    dx_stop(t);
}

static gint compare_ranges(gconstpointer a, gconstpointer b)
{
    const uint32_t *x = a, *y = b;

    return x[0] < y[0] ? -1 : x[0] > y[0];
}

static void test_status_layout(void)
{
    DxTest *t = dx_start_disabled("slots=1,queues=65,contexts=7,spaces=9");
    uint32_t ranges[][2] = {
        { dx_reg(t, DXGPU_REG_STATUS_QUEUE_OFFSET),
          65 * dx_reg(t, DXGPU_REG_STATUS_QUEUE_STRIDE) },
        { dx_reg(t, DXGPU_REG_STATUS_CONTEXT_OFFSET),
          7 * dx_reg(t, DXGPU_REG_STATUS_CONTEXT_STRIDE) },
        { dx_reg(t, DXGPU_REG_STATUS_SPACE_OFFSET),
          9 * dx_reg(t, DXGPU_REG_STATUS_SPACE_STRIDE) },
        { dx_reg(t, DXGPU_REG_STATUS_NODE_OFFSET),
          3 * dx_reg(t, DXGPU_REG_STATUS_NODE_STRIDE) },
        { dx_reg(t, DXGPU_REG_STATUS_FAULT_OFFSET), 2 * 8 },
    };
    uint32_t end = 0;
    unsigned int i;

    qsort(ranges, G_N_ELEMENTS(ranges), sizeof(ranges[0]), compare_ranges);
    for (i = 0; i < G_N_ELEMENTS(ranges); i++) {
        g_assert_cmphex(ranges[i][0] % 8, ==, 0);
        g_assert_cmphex(ranges[i][0], >=, end);
        end = ranges[i][0] + ranges[i][1];
    }
    g_assert_cmphex(end, <=, dx_reg(t, DXGPU_REG_STATUS_SIZE));
    g_assert_cmphex(t->status_size, >=, dx_reg(t, DXGPU_REG_STATUS_SIZE));
    dx_stop(t);
}

static void test_status_region_is_read_only(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint32_t at = dx_reg(t, DXGPU_REG_STATUS_QUEUE_OFFSET);
    struct dxgpu_queue_status before, after;

    dx_assert_works(q);
    before = dx_queue_status(t, q->id);
    g_assert_cmpuint(before.entries, ==, 1);
    qpci_io_writeb(t->pci, t->status, at, 0xff);
    qpci_io_writel(t->pci, t->status, at, 0xffffffff);
    qpci_io_writeq(t->pci, t->status, at + 16, ~0ull);
    after = dx_queue_status(t, q->id);
    g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
    dx_assert_works(q);
    dx_stop(t);
}

/* Every dword of the file, as if it were a control register. */
static void test_read_only_registers(void)
{
    static const uint32_t writable[] = {
        DXGPU_REG_CONTROL, DXGPU_REG_INT_ENABLE, DXGPU_REG_CMD,
        DXGPU_REG_CMD_RESULT,
    };
    DxTest *t = dx_start_disabled("");
    uint32_t before[REGS_END / 4];
    uint32_t i, j;

    for (i = 0; i < REGS_END / 4; i++) {
        before[i] = dx_reg(t, i * 4);
    }
    for (i = 0; i < REGS_END / 4; i++) {
        bool skip = i * 4 >= DXGPU_REG_CMD_ARG(0) &&
                    i * 4 < DXGPU_REG_CMD_ARG(DXGPU_CMD_NUM_ARGS);

        for (j = 0; j < G_N_ELEMENTS(writable); j++) {
            skip |= writable[j] == i * 4;
        }
        if (!skip) {
            dx_reg_write(t, i * 4, ~before[i]);
        }
    }
    for (i = 0; i < REGS_END / 4; i++) {
        if (dx_reg(t, i * 4) != before[i]) {
            dx_fail("register 0x%03x went from 0x%x to 0x%x by a write",
                    i * 4, before[i], dx_reg(t, i * 4));
        }
    }
    dx_stop(t);
}

static void test_wrong_sizes(void)
{
    DxTest *t = dx_start_disabled("");
    uint64_t bad = dx_stat(t, "register_bad_access");
    uint32_t i;

    for (i = 0; i < REGS_END; i++) {
        g_assert_cmphex(qpci_io_readb(t->pci, t->regs, i), ==, 0);
        if (i % 2 == 0) {
            g_assert_cmphex(qpci_io_readw(t->pci, t->regs, i), ==, 0);
        }
    }
    g_assert_cmpuint(dx_stat(t, "register_bad_access"), ==,
                     bad + REGS_END + REGS_END / 2);

    bad = dx_stat(t, "register_bad_access");
    for (i = 0; i < REGS_END; i++) {
        qpci_io_writeb(t->pci, t->regs, i, 0xff);
    }
    g_assert_cmpuint(dx_stat(t, "register_bad_access"), ==, bad + REGS_END);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, 0);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_CMD_ARG(0)), ==, 0);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmphex(dx_stat(t, "commands"), ==, 0);
    dx_stop(t);
}

/* QEMU may cut an access that is not aligned: each piece must be harmless. */
static void test_unaligned(void)
{
    DxTest *t = dx_start_disabled("");
    uint64_t bad;
    uint32_t i;

    for (i = 0; i + 4 <= REGS_END; i++) {
        if (i % 4) {
            bad = dx_stat(t, "register_bad_access");
            g_assert_cmphex(qpci_io_readl(t->pci, t->regs, i), ==, 0);
            qpci_io_writel(t->pci, t->regs, i, 0xffffffff);
            g_assert_cmpuint(dx_stat(t, "register_bad_access"), >=, bad + 2);
        }
    }
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, 0);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmphex(dx_stat(t, "commands"), ==, 0);
    dx_stop(t);
}

static void test_quad_of_single_registers(void)
{
    DxTest *t = dx_start_disabled("");
    uint64_t bad = dx_stat(t, "register_bad_access");

    g_assert_cmphex(qpci_io_readq(t->pci, t->regs, DXGPU_REG_MAGIC), ==, 0);
    g_assert_cmphex(qpci_io_readq(t->pci, t->regs, DXGPU_REG_STATUS), ==, 0);
    qpci_io_writeq(t->pci, t->regs, DXGPU_REG_INT_CAUSE, ~0ull);
    qpci_io_writeq(t->pci, t->regs, DXGPU_REG_CMD, DXGPU_CMD_SPACE_CREATE);
    g_assert_cmpuint(dx_stat(t, "register_bad_access"), ==, bad + 4);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, 0);
    g_assert_cmphex(dx_stat(t, "commands"), ==, 0);
    dx_stop(t);
}

static void read_and_write(DxTest *t, QPCIBar bar, uint64_t at,
                           unsigned int bytes)
{
    switch (bytes) {
    case 1:
        qpci_io_readb(t->pci, bar, at);
        qpci_io_writeb(t->pci, bar, at, 0xff);
        break;
    case 2:
        qpci_io_readw(t->pci, bar, at);
        qpci_io_writew(t->pci, bar, at, 0xffff);
        break;
    case 4:
        qpci_io_readl(t->pci, bar, at);
        qpci_io_writel(t->pci, bar, at, 0xffffffff);
        break;
    default:
        qpci_io_readq(t->pci, bar, at);
        qpci_io_writeq(t->pci, bar, at, ~0ull);
        break;
    }
}

/* All sizes where no register is, and 8 bytes where only one of 4 is. */
static void test_every_size(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t bad = dx_stat(t, "register_bad_access"), count = 0, at;
    unsigned int bytes;

    for (at = 0; at < REGS_END; at += 8) {
        if (at < DXGPU_REG_CMD_ARG(0) ||
            at >= DXGPU_REG_CMD_ARG(DXGPU_CMD_NUM_ARGS)) {
            read_and_write(t, t->regs, at, 8);
            count += 2;
        }
    }
    /* The odd step visits every alignment. QEMU may cut what is not aligned. */
    for (at = REGS_END; at < t->regs_size; at += 251) {
        for (bytes = 1; bytes <= 8; bytes *= 2) {
            if (at % bytes == 0) {
                read_and_write(t, t->regs, at, bytes);
                count += 2;
            }
        }
    }
    g_assert_cmpuint(dx_stat(t, "register_bad_access"), ==, bad + count);
    for (at = REGS_END + 1; at + 8 <= t->regs_size; at += 1021) {
        for (bytes = 2; bytes <= 8; bytes *= 2) {
            bad = dx_stat(t, "register_bad_access");
            read_and_write(t, t->regs, at, bytes);
            g_assert_cmpuint(dx_stat(t, "register_bad_access"), >=, bad + 2);
        }
    }
    dx_assert_works(q);
    dx_stop(t);
}

/* The other BARs take everything and stay what they are. */
static void test_every_size_of_the_other_bars(void)
{
    DxTest *t = dx_start("queues=64,contexts=16,spaces=8");
    DxQueue *q = dx_new_queue(t);
    uint64_t msix_size, at;
    QPCIBar bars[2];
    unsigned int i, bytes;

    bars[0] = qpci_iomap(t->pci, DXGPU_BAR_MSIX, &msix_size);
    bars[1] = t->status;
    for (i = 0; i < 2; i++) {
        uint64_t size = i ? t->status_size : msix_size;

        for (at = 0; at + 8 <= size; at += at < 0x100 ? 1 : 61) {
            for (bytes = 1; bytes <= 8; bytes *= 2) {
                read_and_write(t, bars[i], at, bytes);
            }
        }
    }
    g_assert_cmpuint(dx_queue_status(t, q->id).state, ==, DXGPU_QUEUE_IDLE);
    g_assert_cmpuint(dx_stat(t, "register_bad_access"), ==, 0);
    dx_assert_works(q);
    dx_stop(t);
}

static void test_holes(void)
{
    static const uint32_t holes[] = {
        0x03c, 0x068, 0x08c, 0x098, 0x0fc, 0x148, 0x1fc, 0x208, 0x20c,
        DXGPU_REG_NODE_TYPE(3), DXGPU_REG_NODE_FLAGS(15), 0x1000, 0xfffc,
    };
    DxTest *t = dx_start_disabled("");
    uint64_t bad = dx_stat(t, "register_bad_access");
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(holes); i++) {
        dx_reg_write(t, holes[i], 0xffffffff);
        g_assert_cmphex(dx_reg(t, holes[i]), ==, 0);
        g_assert_cmpuint(dx_stat(t, "register_bad_access"), ==,
                         bad + 2 * (i + 1));
    }
    dx_stop(t);
}

static void test_stats_start_at_zero(void)
{
    static const char *const names[] = {
        "doorbell_writes", "doorbell_secondary", "doorbell_unbound",
        "doorbell_bad_access",
        "register_bad_access", "commands", "command_errors", "binds",
        "unbinds", "samples", "entries_completed", "packets", "fence_writes",
        "fence_interrupts", "interrupts", "copy_bytes", "fill_bytes",
        "crc_bytes", "dma_read_bytes", "dma_write_bytes", "tlb_hits",
        "tlb_misses", "faults", "removes", "suspends", "slots_bound",
        "queues", "contexts", "spaces", "resets", "invalidates",
        "doorbell_mismatches",
    };
    DxTest *t = dx_start_disabled("");
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_cmpuint(dx_stat(t, names[i]), ==, 0);
    }
    dx_stop(t);
}

/* property, value, then what the message must name besides the two. */
static const char *const bad_properties[][4] = {
    { "slots", "0", "1", "4096" },
    { "slots", "4097", "1", "4096" },
    { "queues", "0", "1", "65536" },
    { "queues", "65537", "1", "65536" },
    { "contexts", "0", "1", "65536" },
    { "contexts", "65537", "1", "65536" },
    { "spaces", "0", "1", "65536" },
    { "spaces", "65537", "1", "65536" },
    { "threads", "9", "0", "8" },
    { "packet-budget", "0", "1", "65536" },
    { "packet-budget", "65537", "1", "65536" },
    { "irq-moderation-us", "1000001", "0", "1000000" },
    { "ring-max-entries", "1", "2", "1048576" },
    { "ring-max-entries", "96", "2", "1048576" },
    { "ring-max-entries", "2097152", "2", "1048576" },
};

static void assert_names(const char *message, const char *const words[4])
{
    unsigned int i;

    for (i = 0; i < 4; i++) {
        if (!strstr(message, words[i])) {
            dx_fail("%s=%s: the message lacks \"%s\": %s", words[0], words[1],
                    words[i], message);
        }
    }
}

/* By hot-plug: the failed device leaves a QEMU that can take a good one. */
static void test_bad_properties(void)
{
    g_autofree char *machine = dx_machine_arguments();
    QTestState *qts = qtest_initf("%s -device pcie-root-port,id=root,slot=1",
                                  machine);
    QDict *answer, *error;
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(bad_properties); i++) {
        g_autofree char *command = g_strdup_printf(
            "{'execute': 'device_add', 'arguments': {'driver': 'dxgpu', "
            "'bus': 'root', 'id': 'dx', '%s': %s}}", bad_properties[i][0],
            bad_properties[i][1]);

        qtest_qmp_send_raw(qts, "%s", command);
        answer = qtest_qmp_receive(qts);
        error = qdict_get_qdict(answer, "error");
        g_assert_nonnull(error);
        assert_names(qdict_get_str(error, "desc"), bad_properties[i]);
        qobject_unref(answer);
    }
    qtest_qmp_assert_success(qts, "{'execute': 'device_add', 'arguments': "
                             "{'driver': 'dxgpu', 'bus': 'root', 'id': 'dx', "
                             "'slots': 4096, 'threads': 1}}");
    qtest_quit(qts);
}

static void test_bad_property_on_the_command_line(void)
{
    g_autofree char *machine = dx_machine_arguments();
    g_autofree char *command = NULL;
    g_autofree char *message = NULL;
    int status;

    command = g_strdup_printf("timeout 60 %s %s -display none -accel qtest "
                              "-device dxgpu,%s=%s",
                              getenv("QTEST_QEMU_BINARY"), machine,
                              bad_properties[1][0], bad_properties[1][1]);
    g_assert_true(g_spawn_command_line_sync(command, NULL, &message, &status,
                                            NULL));
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    assert_names(message, bad_properties[1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/regs/pci-identity", test_identity);
    qtest_add_func("dxgpu/regs/bar-types-and-sizes", test_bars);
    qtest_add_func("dxgpu/regs/reset-values", test_capabilities);
    qtest_add_func("dxgpu/regs/properties-show-in-registers",
                   test_properties_in_registers);
    qtest_add_func("dxgpu/regs/status-records-do-not-overlap",
                   test_status_layout);
    qtest_add_func("dxgpu/regs/DEV-7-status-region-is-read-only",
                   test_status_region_is_read_only);
    qtest_add_func("dxgpu/regs/read-only-registers-ignore-writes",
                   test_read_only_registers);
    qtest_add_func("dxgpu/regs/wrong-sizes-are-ignored-and-counted",
                   test_wrong_sizes);
    qtest_add_func("dxgpu/regs/unaligned-accesses-are-ignored-and-counted",
                   test_unaligned);
    qtest_add_func("dxgpu/regs/quads-of-single-registers-are-ignored",
                   test_quad_of_single_registers);
    qtest_add_func("dxgpu/regs/every-size-is-ignored-and-counted",
                   test_every_size);
    qtest_add_func("dxgpu/regs/every-size-of-the-other-bars",
                   test_every_size_of_the_other_bars);
    qtest_add_func("dxgpu/regs/holes-are-ignored-and-counted", test_holes);
    qtest_add_func("dxgpu/regs/stats-start-at-zero", test_stats_start_at_zero);
    qtest_add_func("dxgpu/regs/bad-properties-are-refused",
                   test_bad_properties);
    qtest_add_func("dxgpu/regs/bad-property-ends-qemu",
                   test_bad_property_on_the_command_line);
    return g_test_run();
}
