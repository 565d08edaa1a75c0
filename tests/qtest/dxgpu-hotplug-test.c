/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: a device that comes and goes behind a root port, two devices
 * in one machine, as many slots as there can be.
 *
 * The test is the hotplug driver of the machine: it programs the port's windows
 * and the power of its slot. The port's own hotplug is used, not ACPI's, so
 * that a write of the slot's control register is all that a removal needs.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "dxgpu-qtest.h"

#define WORK_BYTES      (4u << 20)
#define WORK_FILLS      200
#define LOOK_BYTES      (64u << 10)
#define PORT_DEVFN      (2 << 3)
#define BUS_OF_PORT     1
#define WINDOW          0xf000e000u     /* 0xe0000000 .. 0xf00fffff */
#define MEMORY_FIRST    (16ull << 20)
#define MEMORY_SECOND   (128ull << 20)
#define SLOT_ON         PCI_EXP_SLTCTL_PWR_IND_ON
#define SLOT_OFF        (PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF)

/* A machine of which this test finds the devices itself. */
static QTestState *start_machine(const char *devices)
{
    g_autofree char *machine = dx_machine_arguments();

    return qtest_initf("%s -global ICH9-LPC.acpi-pci-hotplug-with-bridge-"
                       "support=off %s", machine, devices);
}

/* The device at devfn, with the guest memory from first on for it. */
static DxTest *attach(QTestState *qts, QPCIBus *bus, int devfn,
                      uint64_t first)
{
    DxTest *t = g_new0(DxTest, 1);

    t->qts = qts;
    t->bus = bus;
    t->pci = qpci_device_find(bus, devfn);
    g_assert_nonnull(t->pci);
    t->memory_next = first;
    t->objects = g_ptr_array_new_with_free_func(g_free);
    dx_map_bars(t);
    dx_enable(t);
    return t;
}

static void detach(DxTest *t)
{
    g_ptr_array_free(t->objects, true);
    g_free(t->pci);
    g_free(t);
}

/* Bus 1 behind the port, and one window of memory for both kinds. */
static QPCIDevice *open_port(QPCIBus *bus)
{
    QPCIDevice *port = qpci_device_find(bus, PORT_DEVFN);

    g_assert_nonnull(port);
    qpci_config_writel(port, PCI_PRIMARY_BUS,
                       BUS_OF_PORT << 8 | BUS_OF_PORT << 16);
    qpci_config_writel(port, PCI_MEMORY_BASE, WINDOW);
    qpci_config_writel(port, PCI_PREF_MEMORY_BASE, WINDOW);
    qpci_config_writel(port, PCI_PREF_BASE_UPPER32, 0);
    qpci_config_writel(port, PCI_PREF_LIMIT_UPPER32, 0);
    qpci_device_enable(port);
    return port;
}

static void slot_power(QPCIDevice *port, uint16_t value)
{
    uint8_t exp = qpci_find_capability(port, PCI_CAP_ID_EXP, 0);

    qpci_config_writew(port, exp + PCI_EXP_SLTCTL, value);
}

static DxQueue *start_long_work(DxTest *t, DxBuffer *target)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxQueue *q = dx_new_queue(t);
    unsigned int i;

    *target = dx_buffer(q->space, WORK_BYTES);
    for (i = 0; i < WORK_FILLS; i++) {
        dx_fill(c, target->gpuva, WORK_BYTES, 0x01010101 * (i + 1));
    }
    dx_fence(c, q->fence.gpuva, ++q->fence_value, 0);
    dx_submit(q, c);
    dx_bind(q, 0);
    dx_ring(t, 0, q->wp);
    DX_WAIT(t, qtest_readb(t->qts, target->bus + 1));
    return q;
}

/*
 * Nobody writes there any more. A look at a part is enough, as each fill goes
 * over the whole with another pattern, and cheap: the socket is a narrow one.
 */
static void assert_quiet(QTestState *qts, uint64_t bus)
{
    g_autofree uint8_t *before = g_malloc(LOOK_BYTES);
    g_autofree uint8_t *after = g_malloc(LOOK_BYTES);

    qtest_bufread(qts, bus, before, LOOK_BYTES);
    qtest_clock_step(qts, 1000000);
    g_usleep(100000);
    qtest_bufread(qts, bus, after, LOOK_BYTES);
    g_assert_cmpmem(before, LOOK_BYTES, after, LOOK_BYTES);
}

/* Plugged, at work, unplugged, three times. */
static void plug_and_unplug(const char *threads)
{
    QTestState *qts = start_machine("-device pcie-root-port,id=rp,chassis=1,"
                                    "slot=1,addr=2");
    QPCIBus *bus = qpci_new_pc(qts, NULL);
    QPCIDevice *port = open_port(bus);
    unsigned int i;

    slot_power(port, SLOT_OFF);
    for (i = 0; i < 3; i++) {
        DxBuffer target;
        DxQueue *q;
        DxTest *t;

        qtest_qmp_assert_success(qts, "{'execute': 'device_add', 'arguments': "
                                 "{'driver': 'dxgpu', 'id': 'dx', 'bus': 'rp',"
                                 " 'slots': 8, 'threads': %d}}",
                                 atoi(threads));
        slot_power(port, SLOT_ON);
        t = attach(qts, bus, BUS_OF_PORT << 8, MEMORY_FIRST);
        g_assert_cmpuint(t->slots, ==, 8);
        dx_assert_works(dx_new_queue(t));
        q = start_long_work(t, &target);
        g_assert_cmpuint(dx_fence_now(q), ==, 0);

        qtest_qmp_assert_success(qts, "{'execute': 'device_del', 'arguments': "
                                 "{'id': 'dx'}}");
        slot_power(port, SLOT_OFF);
        qtest_qmp_eventwait(qts, "DEVICE_DELETED");
        assert_quiet(qts, target.bus);
        g_assert_cmpuint(dx_fence_now(q), ==, 0);
        g_assert_null(qpci_device_find(bus, BUS_OF_PORT << 8));
        detach(t);
        /* The next one finds memory as a machine does that was just made. */
        qtest_memset(qts, MEMORY_FIRST, 0, 64 << 20);
    }
    g_free(port);
    qpci_free_pc(bus);
    qtest_quit(qts);
}

static void test_main_loop(void)
{
    plug_and_unplug("0");
}

static void test_thread(void)
{
    plug_and_unplug("1");
}

/* The slot loses its power while the device works: gone without a word. */
static void test_power_off(void)
{
    QTestState *qts = start_machine("-device pcie-root-port,id=rp,chassis=1,"
                                    "slot=1,addr=2 "
                                    "-device dxgpu,id=dx,bus=rp,threads=1");
    QPCIBus *bus = qpci_new_pc(qts, NULL);
    QPCIDevice *port = open_port(bus);
    DxTest *t = attach(qts, bus, BUS_OF_PORT << 8, MEMORY_FIRST);
    DxBuffer target;
    DxQueue *q = start_long_work(t, &target);

    slot_power(port, SLOT_OFF);
    assert_quiet(qts, target.bus);
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    detach(t);
    g_free(port);
    qpci_free_pc(bus);
    qtest_quit(qts);
}

/* Two devices know nothing of each other. */
static void test_two_devices(void)
{
    QTestState *qts = start_machine("-device dxgpu,id=dx,addr=3,threads=1 "
                                    "-device dxgpu,id=dy,addr=4,threads=1,"
                                    "slots=2,nodes=copy");
    QPCIBus *bus = qpci_new_pc(qts, NULL);
    DxTest *a = attach(qts, bus, 3 << 3, MEMORY_FIRST);
    DxTest *b = attach(qts, bus, 4 << 3, MEMORY_SECOND);
    DxBuffer target_a, target_b;
    DxQueue *qa, *qb;

    g_assert_cmpuint(a->slots, ==, 64);
    g_assert_cmpuint(b->slots, ==, 2);
    g_assert_cmpuint(dx_reg(b, DXGPU_REG_NUM_NODES), ==, 1);
    qa = start_long_work(a, &target_a);
    qb = start_long_work(b, &target_b);
    dx_wait_done(qa);
    dx_wait_done(qb);

    /* A reset of one, in mid-work, is nothing to the other. */
    dx_unbind(a, 0);
    dx_unbind(b, 0);
    qb = dx_new_queue(b);
    qa = start_long_work(a, &target_a);
    dx_reg_write(a, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
    dx_assert_works(qb);
    DX_WAIT(a, dx_reg(a, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(dx_fence_now(qa), ==, 0);
    assert_quiet(qts, target_a.bus);
    dx_assert_works(qb);

    /* A reset of the system is for both, whatever they do. */
    dx_enable(a);
    qa = start_long_work(a, &target_a);
    qb = start_long_work(b, &target_b);
    qtest_system_reset(qts);
    assert_quiet(qts, target_a.bus);
    assert_quiet(qts, target_b.bus);
    g_assert_cmpuint(dx_fence_now(qa), ==, 0);
    g_assert_cmpuint(dx_fence_now(qb), ==, 0);
    dx_map_bars(a);
    dx_map_bars(b);
    dx_enable(a);
    dx_enable(b);
    dx_assert_works(dx_new_queue(a));
    dx_assert_works(dx_new_queue(b));
    detach(a);
    detach(b);
    qpci_free_pc(bus);
    qtest_quit(qts);
}

/* Slots of all parts of the BAR, each with a queue of its own. */
static void test_4096_slots(void)
{
    DxTest *t = dx_start("slots=4096");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    g_autoptr(GPtrArray) queues = g_ptr_array_new();
    unsigned int slot, i;
    DxQueue *q;

    g_assert_cmpuint(t->slots, ==, 4096);
    g_assert_cmphex(t->doorbells_size, ==, 16 << 20);
    for (slot = 0; slot < 4096; slot += 45) {
        q = dx_queue(space, context, 2);
        dx_bind(q, slot);
        g_ptr_array_add(queues, q);
    }
    dx_settle(t);
    for (i = 0; i < queues->len; i++) {
        q = queues->pdata[i];
        dx_submit_fence(q);
        dx_ring(t, i * 45, q->wp);
        dx_wait_done(q);
        g_assert_cmpuint(dx_fence_now(q), ==, 1);
    }
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, queues->len);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, queues->len);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/hotplug/plug-and-unplug", test_main_loop);
    qtest_add_func("dxgpu/hotplug/thread/plug-and-unplug", test_thread);
    qtest_add_func("dxgpu/hotplug/thread/power-off-in-mid-work",
                   test_power_off);
    qtest_add_func("dxgpu/many/thread/two-devices", test_two_devices);
    qtest_add_func("dxgpu/many/4096-slots", test_4096_slots);
    return g_test_run();
}
