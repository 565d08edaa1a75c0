/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: the machine, the device's BARs, registers, status, interrupts.
 *
 * The machine is q35 with 256 MiB and nothing but the device. QEMU insists on a
 * BIOS; as no CPU ever runs here, a file of zeroes does, and the tests depend
 * on no firmware package. Messages of MSI-X go to guest memory instead of the
 * interrupt controller: a dword per vector, which the test polls and clears.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qobject/qdict.h"
#include "qobject/qnum.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "dxgpu-qtest.h"

#define DX_BIOS_BYTES   65536
#define DX_MEMORY_FIRST (16 * 1024 * 1024)
#define DX_WAIT_US      (120 * G_USEC_PER_SEC)
#define DX_POLL_US      200
#define DX_MESSAGE      0xd0d00000u

/* Of a file that has no name, so nothing stays behind whatever happens. */
static int dx_bios_fd = -1;

char *dx_machine_arguments(void)
{
    if (dx_bios_fd < 0) {
        dx_bios_fd = memfd_create("dxgpu-qtest-bios", MFD_CLOEXEC);
        g_assert_cmpint(dx_bios_fd, >=, 0);
        g_assert_cmpint(ftruncate(dx_bios_fd, DX_BIOS_BYTES), ==, 0);
    }
    /* Without vapic QEMU does not look for an option ROM either. */
    return g_strdup_printf("-machine q35 -m 256M -nodefaults "
                           "-global apic-common.vapic=off -bios /proc/%d/fd/%d",
                           getpid(), dx_bios_fd);
}

void dx_map_bars(DxTest *t)
{
    t->regs = qpci_iomap(t->pci, DXGPU_BAR_REGS, &t->regs_size);
    t->doorbells = qpci_iomap(t->pci, DXGPU_BAR_DOORBELL, &t->doorbells_size);
    t->status = qpci_iomap(t->pci, DXGPU_BAR_STATUS, &t->status_size);
    qpci_device_enable(t->pci);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_MAGIC), ==, DXGPU_MAGIC);
    t->slots = dx_reg(t, DXGPU_REG_NUM_SLOTS);
    t->stride = dx_reg(t, DXGPU_REG_DOORBELL_STRIDE);
    t->messages = 0;
}

static void dx_found(QPCIDevice *dev, int devfn, void *data)
{
    DxTest *t = data;

    g_assert_null(t->pci);
    t->pci = dev;
}

static DxTest *dx_start_machine(const char *arguments, const char *properties)
{
    g_autofree char *machine = dx_machine_arguments();
    DxTest *t = g_new0(DxTest, 1);

    t->qts = qtest_initf("%s %s -device dxgpu,id=dx%s%s%s", machine,
                         arguments,
                         strstr(properties, "threads=") ? "" : ",threads=0",
                         *properties ? "," : "", properties);
    t->bus = qpci_new_pc(t->qts, NULL);
    qpci_device_foreach(t->bus, DXGPU_PCI_VENDOR_ID, DXGPU_PCI_DEVICE_ID,
                        dx_found, t);
    g_assert_nonnull(t->pci);
    t->memory_next = DX_MEMORY_FIRST;
    t->objects = g_ptr_array_new_with_free_func(g_free);
    dx_map_bars(t);
    return t;
}

DxTest *dx_start_disabled(const char *properties)
{
    return dx_start_machine("", properties);
}

DxTest *dx_start_behind(const char *arguments, const char *properties)
{
    DxTest *t = dx_start_machine(arguments, properties);

    dx_enable(t);
    return t;
}

DxTest *dx_start(const char *properties)
{
    return dx_start_behind("", properties);
}

void dx_stop(DxTest *t)
{
    g_ptr_array_free(t->objects, true);
    g_free(t->pci);
    qpci_free_pc(t->bus);
    qtest_quit(t->qts);
    g_free(t);
}

void dx_enable(DxTest *t)
{
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_ENABLE);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_STATUS) == DXGPU_STATUS_ENABLED);
}

void dx_set_bus_master(DxTest *t, bool on)
{
    uint16_t command = qpci_config_readw(t->pci, PCI_COMMAND);

    command &= ~PCI_COMMAND_MASTER;
    command |= on ? PCI_COMMAND_MASTER : 0;
    qpci_config_writew(t->pci, PCI_COMMAND, command);
}

uint32_t dx_reg(DxTest *t, uint32_t offset)
{
    return qpci_io_readl(t->pci, t->regs, offset);
}

void dx_reg_write(DxTest *t, uint32_t offset, uint32_t value)
{
    qpci_io_writel(t->pci, t->regs, offset, value);
}

uint32_t dx_command_args(DxTest *t, uint32_t opcode, const uint64_t *args,
                         unsigned int count)
{
    unsigned int i;

    g_assert_cmpuint(count, <=, DXGPU_CMD_NUM_ARGS);
    for (i = 0; i < count; i++) {
        qpci_io_writeq(t->pci, t->regs, DXGPU_REG_CMD_ARG(i), args[i]);
    }
    dx_reg_write(t, DXGPU_REG_CMD, opcode);
    return dx_reg(t, DXGPU_REG_CMD_RESULT);
}

void dx_ring(DxTest *t, uint32_t slot, uint64_t value)
{
    qpci_io_writeq(t->pci, t->doorbells, (uint64_t)slot * t->stride, value);
}

static QDict *dx_stats(DxTest *t)
{
    QDict *answer, *stats;

    answer = qtest_qmp(t->qts, "{'execute': 'qom-get', 'arguments': "
                       "{'path': %s, 'property': 'stats'}}", DX_QOM_PATH);
    stats = qdict_get_qdict(answer, "return");
    g_assert_nonnull(stats);
    qobject_ref(stats);
    qobject_unref(answer);
    return stats;
}

uint64_t dx_stat(DxTest *t, const char *name)
{
    QDict *stats = dx_stats(t);
    QNum *number = qobject_to(QNum, qdict_get(stats, name));
    uint64_t value;

    if (!number || !qnum_get_try_uint(number, &value)) {
        g_error("stats has no counter \"%s\"", name);
    }
    qobject_unref(stats);
    return value;
}

static void dx_read_status(DxTest *t, uint32_t offset, void *buf, size_t bytes)
{
    g_assert_cmpuint(offset + bytes, <=, t->status_size);
    qpci_memread(t->pci, t->status, offset, buf, bytes);
}

/* The tests run on little-endian hosts only, as does the guest's layout. */
#define DX_RECORD(t, type, array, index) ({ \
        type dx_record; \
        dx_read_status(t, dx_reg(t, DXGPU_REG_STATUS_##array##_OFFSET) + \
                       (index) * dx_reg(t, DXGPU_REG_STATUS_##array##_STRIDE), \
                       &dx_record, sizeof(dx_record)); \
        dx_record; })

struct dxgpu_queue_status dx_queue_status(DxTest *t, uint32_t queue)
{
    return DX_RECORD(t, struct dxgpu_queue_status, QUEUE, queue);
}

struct dxgpu_context_status dx_context_status(DxTest *t, uint32_t context)
{
    return DX_RECORD(t, struct dxgpu_context_status, CONTEXT, context);
}

struct dxgpu_node_status dx_node_status(DxTest *t, uint32_t node)
{
    return DX_RECORD(t, struct dxgpu_node_status, NODE, node);
}

uint64_t dx_invalidate_fence(DxTest *t, uint32_t space)
{
    return DX_RECORD(t, struct dxgpu_space_status, SPACE,
                     space).invalidate_fence;
}

bool dx_fault_bit(DxTest *t, uint32_t queue)
{
    uint8_t byte;

    dx_read_status(t, dx_reg(t, DXGPU_REG_STATUS_FAULT_OFFSET) + queue / 8,
                   &byte, 1);
    return byte & (1u << queue % 8);
}

void dx_irq_start(DxTest *t)
{
    unsigned int i, vectors;
    uint64_t entry;

    qpci_msix_enable(t->pci);
    vectors = qpci_msix_table_size(t->pci);
    t->messages = dx_memory(t, 4096, 4096);
    for (i = 0; i < vectors; i++) {
        entry = t->pci->msix_table_off + i * PCI_MSIX_ENTRY_SIZE;
        qpci_io_writel(t->pci, t->pci->msix_table_bar,
                       entry + PCI_MSIX_ENTRY_LOWER_ADDR, t->messages + 4 * i);
        qpci_io_writel(t->pci, t->pci->msix_table_bar,
                       entry + PCI_MSIX_ENTRY_UPPER_ADDR, 0);
        qpci_io_writel(t->pci, t->pci->msix_table_bar,
                       entry + PCI_MSIX_ENTRY_DATA, DX_MESSAGE + i);
        qpci_io_writel(t->pci, t->pci->msix_table_bar,
                       entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    }
}

bool dx_irq_taken(DxTest *t, uint32_t vector)
{
    uint32_t message = qtest_readl(t->qts, t->messages + 4 * vector);

    if (!message) {
        return false;
    }
    g_assert_cmphex(message, ==, DX_MESSAGE + vector);
    qtest_writel(t->qts, t->messages + 4 * vector, 0);
    return true;
}

void dx_wait_turn(DxTest *t, gint64 began, const char *condition,
                  const char *file, int line)
{
    gint64 waited = g_get_monotonic_time() - began;

    if (waited > DX_WAIT_US) {
        g_printerr("%s:%d: waited %d s in vain for: %s\n", file, line,
                   (int)(waited / G_USEC_PER_SEC), condition);
        abort();
    }
    qtest_clock_step(t->qts, 1000);
    if (waited > DX_POLL_US) {
        g_usleep(DX_POLL_US);
    }
}

void dx_settle(DxTest *t)
{
    QDict *before = dx_stats(t), *after;
    unsigned int same = 0;

    while (same < 5) {
        qtest_clock_step(t->qts, 1000);
        g_usleep(DX_POLL_US);
        after = dx_stats(t);
        same = qobject_is_equal(QOBJECT(before), QOBJECT(after)) ? same + 1 : 0;
        qobject_unref(before);
        before = after;
    }
    qobject_unref(before);
}

void dx_park(DxTest *t)
{
    qtest_qmp_assert_success(t->qts, "{'execute': 'stop'}");
}

void dx_unpark(DxTest *t)
{
    qtest_qmp_assert_success(t->qts, "{'execute': 'cont'}");
}
