/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: the doorbell models (MOD-1, MOD-2, MOD-7, MOD-9, SEC-6) and the
 * distance of doorbells (DEV-6, MOD-8), as a driver meets them.
 *
 * A ring is shown by work of which the device can know by no other means, and
 * that none came by work which stays undone.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "dxgpu-qtest.h"

#define GLOBAL  "doorbell-model=global"
#define NODE    1

static uint32_t value_of(DxQueue *q)
{
    return DXGPU_DOORBELL_VALUE(q->id, NODE);
}

static DxQueue *queue_in(DxSpace *space)
{
    return dx_queue(space, dx_context(space, NODE), 16);
}

static void unbind_queue(DxQueue *q)
{
    dx_command_ok(q->space->t, DXGPU_CMD_DOORBELL_UNBIND, q->space->id, q->id);
}

static void assert_not_executed(DxQueue *q)
{
    dx_settle(q->space->t);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
}

static void test_registers(void)
{
    static const struct {
        const char *properties;
        uint32_t model, slots, stride;
        uint64_t size;          /* of BAR2 */
    } rows[] = {
        { "", DXGPU_CAPS_DEDICATED, 64, 4096, 64 * 4096 },
        { "doorbell-model=dedicated", DXGPU_CAPS_DEDICATED, 64, 4096,
          64 * 4096 },
        { GLOBAL, DXGPU_CAPS_GLOBAL, 1024, 4096, 1024 * 4096 },
        { GLOBAL ",slots=7,spaces=5", DXGPU_CAPS_GLOBAL, 5, 4096, 8 * 4096 },
        { GLOBAL ",spaces=3,doorbell-stride=65536", DXGPU_CAPS_GLOBAL, 3,
          65536, 4 * 65536 },
        { "doorbell-stride=65536,slots=4", DXGPU_CAPS_DEDICATED, 4, 65536,
          4 * 65536 },
        { "doorbell-stride=64", DXGPU_CAPS_DEDICATED, 64, 64, 4096 },
        { "doorbell-stride=64,slots=3", DXGPU_CAPS_DEDICATED, 3, 64, 4096 },
        { "doorbell-stride=512,slots=24,secondary-doorbells=on",
          DXGPU_CAPS_DEDICATED, 24, 512, 8 * 4096 },
    };
    uint32_t models = DXGPU_CAPS_DEDICATED | DXGPU_CAPS_GLOBAL;
    unsigned int i;
    DxTest *t;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        t = dx_start_disabled(rows[i].properties);
        g_test_message("%s", rows[i].properties);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_CAPS) & models, ==, rows[i].model);
        g_assert_cmpuint(t->slots, ==, rows[i].slots);
        g_assert_cmpuint(t->stride, ==, rows[i].stride);
        g_assert_cmphex(t->doorbells_size, ==, rows[i].size);
        dx_stop(t);
    }
}

/* A bad value: QEMU ends and says which, and what is allowed. */
static void test_bad_properties(void)
{
    static const struct {
        const char *properties, *message;
    } bad[] = {
        { "doorbell-model=shared", "property 'doorbell-model' is 'shared', "
          "must be dedicated or global" },
        { "doorbell-model=", "property 'doorbell-model' is ''" },
        { "doorbell-stride=0", "property 'doorbell-stride' is 0, must be a "
          "power of two in 64..65536" },
        { "doorbell-stride=32", "power of two in 64..65536" },
        { "doorbell-stride=131072", "power of two in 64..65536" },
        { "doorbell-stride=4097", "power of two in 64..65536" },
        { GLOBAL ",doorbell-stride=2048", "'doorbell-stride' is 2048, must be "
          "a power of two in 4096..65536" },
        { "doorbell-stride=64,slots=65", "property 'slots' is 65, must be a "
          "multiple of 64, or less than that" },
        { GLOBAL ",spaces=65536,doorbell-stride=65536", "65536 doorbell slots "
          "of 65536 bytes, must be 1073741824 bytes at most" },
    };
    g_autofree char *machine = dx_machine_arguments();
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *line = g_strdup_printf("%s %s -display none -device "
                                                "dxgpu,%s",
                                                getenv("QTEST_QEMU_BINARY"),
                                                machine, bad[i].properties);
        g_autofree char *errors = NULL;
        int status;

        g_assert_true(g_spawn_command_line_sync(line, NULL, &errors, &status,
                                                NULL));
        if (!status || !strstr(errors, bad[i].message)) {
            dx_fail("%s: status %d, \"%s\"", bad[i].properties, status,
                    errors);
        }
    }
}

/* Many queues of two processes on two slots; each ring executes its own. */
static void test_rings_execute(void)
{
    DxTest *t = dx_start(GLOBAL);
    DxSpace *space[2] = { dx_space(t), dx_space(t) };
    DxQueue *q[32];
    unsigned int i, round;

    for (i = 0; i < G_N_ELEMENTS(q); i++) {
        q[i] = queue_in(space[i % 2]);
        dx_bind(q[i], space[i % 2]->id);
    }
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, G_N_ELEMENTS(q));
    for (round = 1; round <= 3; round++) {
        for (i = 0; i < G_N_ELEMENTS(q); i++) {
            dx_submit_fence(q[i]);
        }
        for (i = 0; i < G_N_ELEMENTS(q); i++) {
            g_assert_cmpuint(dx_fence_now(q[i]), ==, round - 1);
            dx_ring(t, q[i]->space->id, value_of(q[i]));
            dx_wait_done(q[i]);
        }
    }
    /* Nobody's doorbell was taken for somebody else (MOD-7). */
    g_assert_cmpuint(dx_stat(t, "unbinds"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "doorbell_mismatches"), ==, 0);
    dx_stop(t);
}

/* Whatever a process writes to its slot, the other's queue does not hear. */
static void test_foreign_values(void)
{
    DxTest *t = dx_start(GLOBAL ",queues=64,spaces=4");
    DxSpace *mine = dx_space(t), *theirs = dx_space(t);
    DxQueue *q = queue_in(mine), *other = queue_in(theirs);
    uint64_t samples;
    uint32_t id, node;

    dx_bind(q, mine->id);
    dx_bind(other, theirs->id);
    dx_settle(t);
    samples = dx_queue_status(t, other->id).samples;
    dx_submit_fence(other);
    for (node = 0; node < 4; node++) {
        for (id = 0; id < 66; id++) {
            dx_ring(t, mine->id, DXGPU_DOORBELL_VALUE(id, node));
        }
    }
    dx_ring(t, 2, value_of(other));
    dx_ring(t, 3, value_of(q));
    dx_ring(t, mine->id, UINT64_MAX);
    assert_not_executed(other);
    g_assert_cmpuint(dx_queue_status(t, other->id).samples, ==, samples);
    g_assert_cmpuint(dx_queue_status(t, other->id).rings, ==, 0);
    g_assert_cmpuint(dx_queue_status(t, q->id).rings, ==, 1);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 4 * 66 - 1 + 3);
    dx_ring(t, theirs->id, value_of(other));
    dx_wait_done(other);
    dx_stop(t);
}

/* A driver's mistake is refused, not obeyed: the slot is the space's own. */
static void test_bind_errors(void)
{
    DxTest *t = dx_start(GLOBAL ",spaces=4");
    DxSpace *mine = dx_space(t), *theirs = dx_space(t);
    DxQueue *q = queue_in(mine);

    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, theirs->id, q->id),
                     ==, DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 4, q->id), ==,
                     DXGPU_CMD_ERR_ID);
    dx_bind(q, mine->id);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, mine->id, q->id),
                     ==, DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_UNBIND, theirs->id,
                                q->id), ==, DXGPU_CMD_ERR_NOT_FOUND);
    unbind_queue(q);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_UNBIND, mine->id, q->id),
                     ==, DXGPU_CMD_ERR_NOT_FOUND);
    dx_stop(t);
}

/* One queue masked, sampled a last time, its neighbour untouched (MOD-7). */
static void test_unbind(void)
{
    DxTest *t = dx_start(GLOBAL);
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space), *neighbour = queue_in(space);

    dx_bind(q, space->id);
    dx_bind(neighbour, space->id);
    dx_settle(t);
    dx_submit_fence(q);
    unbind_queue(q);
    dx_wait_done(q);
    dx_submit_fence(q);
    dx_ring(t, space->id, value_of(q));
    assert_not_executed(q);
    dx_submit_fence(neighbour);
    dx_ring(t, space->id, value_of(neighbour));
    dx_wait_done(neighbour);
    dx_bind(q, space->id);
    dx_wait_done(q);
    dx_remove(q);
    dx_ring(t, space->id, value_of(q));
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 2);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 1);
    dx_stop(t);
}

static void set_power(DxTest *t, uint16_t state)
{
    uint8_t pm = qpci_find_capability(t->pci, PCI_CAP_ID_PM, 0);

    qpci_config_writew(t->pci, pm + PCI_PM_CTRL, state);
}

/* D3hot keeps the bindings, a reset ends them (DEV-12). */
static void test_power_and_reset(void)
{
    DxTest *t = dx_start(GLOBAL);
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);

    dx_bind(q, space->id);
    dx_settle(t);
    set_power(t, 3);
    set_power(t, 0);
    dx_submit_fence(q);
    dx_ring(t, space->id, value_of(q));
    dx_wait_done(q);

    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    dx_enable(t);
    dx_ring(t, space->id, value_of(q));
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);
    dx_stop(t);
}

/* Bindings and a ring that waits go with the machine. */
static void migrate(const void *model)
{
    bool global = model;
    const char *properties = global ? GLOBAL ",secondary-doorbells=on"
                                    : "doorbell-stride=64";
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    DxQueue *q[2] = { queue_in(space), queue_in(space) };
    uint32_t slot[2] = { global ? space->id : 1, global ? space->id : 2 };
    unsigned int i;

    for (i = 0; i < 2; i++) {
        dx_bind(q[i], slot[i]);
    }
    dx_settle(t);
    dx_park(t);
    dx_submit_fence(q[0]);
    dx_ring(t, slot[0], value_of(q[0]));
    dx_move_to(t, global ? GLOBAL ",secondary-doorbells=on,threads=0"
                         : "doorbell-stride=64,threads=0");
    dx_unpark(t);
    dx_wait_done(q[0]);
    for (i = 0; i < 2; i++) {
        dx_settle(t);
        dx_submit_fence(q[i]);
        dx_ring(t, slot[i], value_of(q[i]));
        dx_wait_done(q[i]);
    }
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 2);
    dx_stop(t);
}

/* Doorbells that share a page, or lie pages apart: each rings its own. */
static void stride(const void *properties)
{
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    DxQueue *q[16];
    uint64_t at;
    unsigned int i;

    for (i = 0; i < t->slots; i++) {
        q[i] = queue_in(space);
        dx_bind(q[i], i);
    }
    dx_unbind(t, 5);
    dx_settle(t);
    for (i = 0; i < t->slots; i++) {
        dx_submit_fence(q[i]);
        dx_ring(t, i, q[i]->wp);
        if (i == 5) {
            assert_not_executed(q[i]);
        } else {
            dx_wait_done(q[i]);
        }
    }
    /* Between two doorbells there is none. */
    dx_submit_fence(q[0]);
    for (at = 8; at < MIN(t->stride, 4096u); at += 8) {
        qpci_io_writeq(t->pci, t->doorbells, at, q[0]->wp);
    }
    assert_not_executed(q[0]);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/models/registers", test_registers);
    qtest_add_func("dxgpu/models/bad-properties", test_bad_properties);
    qtest_add_func("dxgpu/models/MOD-2-rings-execute", test_rings_execute);
    qtest_add_func("dxgpu/models/SEC-6-foreign-values", test_foreign_values);
    qtest_add_func("dxgpu/models/MOD-9-bind-errors", test_bind_errors);
    qtest_add_func("dxgpu/models/MOD-7-unbind", test_unbind);
    qtest_add_func("dxgpu/models/DEV-12-power-and-reset",
                   test_power_and_reset);
    qtest_add_data_func("dxgpu/models/migrate-global", "", migrate);
    qtest_add_data_func("dxgpu/models/migrate-packed", NULL, migrate);
    qtest_add_data_func("dxgpu/models/MOD-8-packed",
                        "slots=16,doorbell-stride=512", stride);
    qtest_add_data_func("dxgpu/models/MOD-8-one-page",
                        "slots=16,doorbell-stride=64", stride);
    qtest_add_data_func("dxgpu/models/DEV-6-far-apart",
                        "slots=16,doorbell-stride=65536", stride);
    return g_test_run();
}
