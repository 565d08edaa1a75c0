/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where doorbells lie, and which slot a write to them rings: DEV-1, DEV-3,
 * MOD-10.
 */
#include "fake.h"

#define STRIDE  4096

static struct fake *with_secondary(void)
{
    struct dxgpu_core_config config = fake_config();

    config.secondary_doorbells = true;
    return fake_new(&config);
}

static void test_layout(void)
{
    struct dxgpu_core_config c = fake_config();
    struct dxgpu_doorbell_layout l;

    dxgpu_doorbell_layout(&c, &l);
    g_assert_cmpuint(l.stride, ==, STRIDE);
    g_assert_cmpuint(l.size, ==, 4 * STRIDE);
    g_assert_cmpuint(l.secondary_offset, ==, 0);
    g_assert_cmpuint(l.secondary_stride, ==, 0);
    g_assert_cmpuint(l.secondary_bytes, ==, 0);

    c.secondary_doorbells = true;
    for (c.slots = 1; c.slots <= DXGPU_CORE_LIMIT_SLOTS; c.slots++) {
        dxgpu_doorbell_layout(&c, &l);
        g_assert_cmpuint(l.secondary_offset, >=, c.slots * l.stride);
        g_assert_cmpuint(l.secondary_offset % 4096, ==, 0);
        g_assert_cmpuint(l.secondary_stride % 4096, ==, 0);
        g_assert_cmpuint(l.secondary_stride, >, 0);
        g_assert_cmpuint(l.secondary_bytes, ==, DXGPU_DOORBELL_BYTES);
        g_assert_cmpuint(l.size, ==, l.secondary_offset +
                                     c.slots * l.secondary_stride);
    }
}

/* Each doorbell rings the queue of its slot and no other. */
static void test_decode(void)
{
    struct fake *f = with_secondary();
    struct dxgpu_doorbell_layout l;
    uint64_t root = fake_space(f, 0);
    uint32_t slot, i, bytes;
    uint64_t rings;

    dxgpu_doorbell_layout(&f->config, &l);
    fake_context(f, 0, 0, 0);
    for (slot = 0; slot < 4; slot++) {
        fake_queue(f, 10 + slot, 0, root, 4);
        g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, slot, 10 + slot),
                        ==, DXGPU_CMD_OK);
    }
    for (bytes = 4; bytes <= 8; bytes += 4) {
        for (slot = 0; slot < 4; slot++) {
            g_assert_true(dxgpu_core_doorbell_write(f->core, slot * l.stride,
                                                    bytes, 0));
            g_assert_true(dxgpu_core_doorbell_write(
                              f->core, l.secondary_offset +
                              slot * l.secondary_stride, bytes, 0));
            fake_run(f);
            for (i = 0; i < 4; i++) {
                rings = bytes / 4 * 2 - (i > slot ? 2 : 0);
                g_assert_cmpuint(fake_queue_status(f, 10 + i)->rings, ==,
                                 rings);
            }
        }
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES), ==, 16);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_SECONDARY), ==, 8);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_UNBOUND), ==, 0);

    /* Behind the last. */
    g_assert_true(dxgpu_core_doorbell_write(f->core, l.size, 8, 0));
    g_assert_true(dxgpu_core_doorbell_write(f->core, 1ull << 44, 4, 0));
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_UNBOUND), ==, 2);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES), ==, 16);
    fake_free(f);
}

static void test_without(void)
{
    struct fake *f = fake_new(NULL);
    uint32_t slot;

    fake_bound_queue(f, 0, 0);
    for (slot = 4; slot < 8; slot++) {
        g_assert_true(dxgpu_core_doorbell_write(f->core, slot * STRIDE, 8,
                                                0));
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_UNBOUND), ==, 4);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES), ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_SECONDARY), ==, 0);
    fake_free(f);
}

static void test_sizes_and_places(void)
{
    struct fake *f = with_secondary();
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    struct dxgpu_doorbell_layout l;
    uint64_t bad = 0, at;
    uint32_t bytes, part;

    dxgpu_doorbell_layout(&f->config, &l);
    fake_run(f);
    fake_submit_fence(&q, 3);
    for (part = 0; part < 2; part++) {
        for (at = 0; at < l.stride; at++) {
            for (bytes = 1; bytes <= 8; bytes *= 2) {
                if (at == 0 && bytes >= 4) {
                    continue;
                }
                g_assert_false(dxgpu_core_doorbell_write(
                                   f->core, part * l.secondary_offset + at,
                                   bytes, 1));
                bad++;
            }
        }
    }
    fake_run(f);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_BAD_ACCESS), ==, bad);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES), ==, 0);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);
    g_assert_true(dxgpu_core_doorbell_write(f->core, l.secondary_offset, 4,
                                            1));
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 3);
    fake_free(f);
}

/* Bound and unbound together; asleep, both are dropped (MOD-10, ORD-8). */
static void test_one_binding(void)
{
    struct fake *f = with_secondary();
    struct fake_queue q = fake_bound_queue(f, 7, 2);
    struct dxgpu_doorbell_layout l;
    uint64_t second;

    dxgpu_doorbell_layout(&f->config, &l);
    second = l.secondary_offset + 2 * l.secondary_stride;
    fake_submit_fence(&q, 1);
    dxgpu_core_doorbell_write(f->core, second, 8, q.wp);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_MISMATCHES), ==, 0);

    /* A ring that was there before the unbind is honoured (DEV-4). */
    fake_submit_fence(&q, 2);
    dxgpu_core_doorbell_write(f->core, second, 8, q.wp);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_DOORBELL_UNBIND, 2), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 2);

    fake_submit_fence(&q, 3);
    dxgpu_core_doorbell_write(f->core, 2 * l.stride, 8, q.wp);
    dxgpu_core_doorbell_write(f->core, second, 8, q.wp);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 2);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_UNBOUND), ==, 2);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_SECONDARY), ==, 2);

    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 2, 7), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 3);
    dxgpu_core_set_asleep(f->core, true);
    dxgpu_core_doorbell_write(f->core, second, 8, q.wp);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_ASLEEP), ==, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_SECONDARY), ==, 2);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/doorbell/layout", test_layout);
    g_test_add_func("/doorbell/decode", test_decode);
    g_test_add_func("/doorbell/no-secondary", test_without);
    g_test_add_func("/doorbell/sizes-and-places", test_sizes_and_places);
    g_test_add_func("/doorbell/one-binding", test_one_binding);
    return g_test_run();
}
