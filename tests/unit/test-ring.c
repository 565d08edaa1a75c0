/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doorbells, samples, ring arithmetic and entries: DEV-1, DEV-2, DEV-4, DEV-5,
 * ORD-3, ORD-10, ORD-25, ORD-29, SEC-3, SEC-4, SEC-5, FH-15.
 */
#include <stddef.h>
#include <string.h>

#include "fake.h"

static void test_ring_executes(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 5, 2);

    fake_submit_fence(&q, 77);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);

    f->kicks[0] = 0;
    dxgpu_core_doorbell(f->core, 2, 1);
    g_assert_cmpuint(f->kicks[0], ==, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 77);
    g_assert_cmpuint(fake_control(&q)->rp, ==, 1);
    g_assert_cmpuint(fake_control(&q)->ring_needed, ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 5)->rp, ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 5)->wp, ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 5)->entries, ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 5)->rings, ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 5)->state, ==, DXGPU_QUEUE_IDLE);
    g_assert_cmpuint(fake_queue_status(f, 5)->last_active_ns, >, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_MISMATCHES), ==, 0);
    fake_free(f);
}

/* A worker that is awake is not kicked again (SEC-7). */
static void test_kick_once(void)
{
    struct fake *f = fake_new(NULL);
    int i;

    fake_bound_queue(f, 0, 0);
    f->kicks[0] = 0;
    for (i = 0; i < 1000; i++) {
        dxgpu_core_doorbell(f->core, 0, i);
    }
    g_assert_cmpuint(f->kicks[0], ==, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES), ==, 1000);
    fake_free(f);
}

/* A thousand rings fold into one sample (DEV-9, ORD-25). */
static void test_rings_coalesce(void)
{
    struct fake *f = fake_new(NULL);
    uint64_t before;
    int i;

    fake_bound_queue(f, 0, 0);
    before = fake_stat(f, DXGPU_STAT_SAMPLES);
    for (i = 0; i < 1000; i++) {
        dxgpu_core_doorbell(f->core, 0, 0);
    }
    fake_run(f);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SAMPLES), ==, before + 1);
    g_assert_cmpuint(fake_queue_status(f, 0)->rings, ==, 1000);
    fake_free(f);
}

/* The value of a ring is compared for statistics and nothing else (DEV-1). */
static void test_forged_value(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_submit_fence(&q, 1);
    dxgpu_core_doorbell(f->core, 0, 0xffffffffffffffffull);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 0)->state, ==, DXGPU_QUEUE_IDLE);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_MISMATCHES), ==, 1);
    fake_free(f);
}

static void test_unbound(void)
{
    struct fake *f = fake_new(NULL);

    f->kicks[0] = 0;
    dxgpu_core_doorbell(f->core, 0, 0);
    dxgpu_core_doorbell(f->core, 4, 0);
    dxgpu_core_doorbell(f->core, 0xffffffff, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_UNBOUND), ==, 3);
    g_assert_cmpuint(f->kicks[0], ==, 0);
    fake_free(f);
}

static void test_bind_samples(void)
{
    struct fake *f = fake_new(NULL);
    uint64_t root = fake_space(f, 0);
    struct fake_queue q;

    fake_context(f, 0, 0, 0);
    q = fake_queue(f, 1, 0, root, 4);
    fake_submit_fence(&q, 9);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 0, 1), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 9);
    fake_free(f);
}

static void test_kick_samples(void)
{
    struct fake *f = fake_new(NULL);
    uint64_t root = fake_space(f, 0);
    struct fake_queue q;

    fake_context(f, 0, 0, 0);
    q = fake_queue(f, 129, 0, root, 4);
    fake_submit_fence(&q, 9);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 129), ==, DXGPU_CMD_OK);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 9);
    fake_free(f);
}

/* Work whose ring went nowhere is found by the unbind (ORD-3, ORD-8). */
static void test_unbind_samples(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 3);

    fake_submit_fence(&q, 4);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_DOORBELL_UNBIND, 3), ==,
                    DXGPU_CMD_OK);
    dxgpu_core_doorbell(f->core, 3, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_UNBOUND), ==, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 4);
    fake_free(f);
}

/*
 * A ring, an unbind and a bind of the slot to another queue before the worker
 * runs: the ring is the old queue's (DEV-4), the new one gets one sample.
 */
static void test_pending_belongs_to_queue(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue a = fake_bound_queue(f, 0, 0);
    struct fake_queue b = fake_queue(f, 1, 0, a.root, 16);

    fake_submit_fence(&a, 1);
    dxgpu_core_doorbell(f->core, 0, 1);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_DOORBELL_UNBIND, 0), ==,
                    DXGPU_CMD_OK);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 0, 1), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, a.data_bus), ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 0)->rings, ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 1)->samples, ==, 1);

    /* DEV-5: a ring meant for a, after the rebind, is a sample of b. */
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    g_assert_cmpuint(fake_queue_status(f, 1)->samples, ==, 2);
    g_assert_cmpuint(fake_queue_status(f, 1)->state, ==, DXGPU_QUEUE_IDLE);
    g_assert_cmpuint(fake_control(&b)->rp, ==, 0);
    fake_free(f);
}

/*
 * A queue goes with its pending bit still set, as more queues than one turn
 * samples are before it. Who gets its id has not asked for a sample (KMT-CD-5,
 * SM-1, OBJ-3, DEV-4).
 */
static void test_pending_goes_with_queue(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue first = fake_bound_queue(f, 0, 0), q;
    const uint32_t last = f->config.packet_budget + 8;
    uint32_t i;

    for (i = 1; i <= last; i++) {
        fake_queue(f, i, 0, first.root, 16);
    }
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 1, last), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    for (i = 0; i < last; i++) {
        fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, i);
    }
    dxgpu_core_doorbell(f->core, 1, 0);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_DOORBELL_UNBIND, 1), ==,
                    DXGPU_CMD_OK);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, last), ==,
                    DXGPU_CMD_OK);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, last, 7), ==,
                    DXGPU_CMD_OK);
    g_assert_true(dxgpu_core_run(f->core, 0));
    g_assert_cmpuint(fake_queue_status(f, last)->remove_fence, ==, 7);

    q = fake_queue(f, last, 0, first.root, 16);
    fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, 1);
    fake_submit_fence(&q, 3);
    fake_run(f);
    g_assert_cmpuint(fake_queue_status(f, 0)->samples, ==, 2);
    g_assert_cmpuint(fake_queue_status(f, last)->samples, ==, 0);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);
    fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, last);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 3);
    fake_free(f);
}

/* Drained, the queue is looked at once more before it is left (ORD-29). */
static void test_sample_when_drained(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_submit_fence(&q, 1);
    dxgpu_core_doorbell(f->core, 0, 1);
    g_assert_true(dxgpu_core_run(f->core, 0));
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 1);
    fake_submit_fence(&q, 2);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 2);
    fake_free(f);
}

/* Many times round the ring; each entry once and in order. */
static void test_wrap(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    int i, j;

    for (i = 0; i < 20; i++) {
        for (j = 0; j < 13; j++) {
            fake_put_fence(&q, q.data + 8 * (q.wp % 64), q.wp, 0);
            fake_submit(&q);
        }
        dxgpu_core_doorbell(f->core, 0, q.wp);
        fake_run(f);
        g_assert_cmpuint(fake_control(&q)->rp, ==, q.wp);
        g_assert_cmpuint(fake_load(f, q.data_bus + 8 * ((q.wp - 1) % 64)), ==,
                         q.wp - 1);
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_ENTRIES_COMPLETED), ==, 260);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FENCE_WRITES), ==, 260);
    fake_free(f);
}

static void test_full_ring(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    int i;

    for (i = 0; i < 16; i++) {
        fake_submit_fence(&q, i);
    }
    dxgpu_core_doorbell(f->core, 0, 16);
    fake_run(f);
    g_assert_cmpuint(fake_control(&q)->rp, ==, 16);
    fake_free(f);
}

/* Counts begin anywhere, and pass 2^64. */
static void test_count_overflow(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    struct fake_queue b = fake_queue(f, 1, 0, q.root, 16);
    uint64_t start = -3ull;
    int i;

    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 1, 1), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    g_assert_cmpint(fake_command(f, DXGPU_CMD_QUEUE_CREATE, 1, 0, b.ring, 16,
                                 b.control, start), ==, DXGPU_CMD_OK);
    b.wp = start;
    fake_store_wp(&b, start);
    for (i = 0; i < 6; i++) {
        fake_submit_fence(&b, 100 + i);
    }
    fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 1);
    fake_run(f);
    g_assert_cmpuint(fake_control(&b)->rp, ==, 3);
    g_assert_cmpuint(fake_load(f, b.data_bus), ==, 105);
    fake_free(f);
}

static void test_wp_beyond_ring(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_store_wp(&q, 17);
    dxgpu_core_doorbell(f->core, 0, 17);
    fake_run(f);
    fake_assert_fault(&q, DXGPU_FAULT_WP);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS), ==, 0);
    fake_free(f);
}

static void test_wp_backwards(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_submit_fence(&q, 1);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    fake_store_wp(&q, 0);
    dxgpu_core_doorbell(f->core, 0, 0);
    fake_run(f);
    fake_assert_fault(&q, DXGPU_FAULT_WP);
    fake_free(f);
}

/* WP taken back while the entry executes must not run the ring dry past WP. */
static void test_wp_taken_back(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    int i;

    for (i = 0; i < 12; i++) {
        fake_put_nop(&q, 8);
    }
    fake_submit(&q);
    dxgpu_core_doorbell(f->core, 0, 1);
    g_assert_true(dxgpu_core_run(f->core, 0));     /* 8 of 12 packets */
    fake_store_wp(&q, 0);
    dxgpu_core_doorbell(f->core, 0, 0);
    fake_run(f);
    fake_assert_fault(&q, DXGPU_FAULT_WP);
    g_assert_cmpuint(fake_control(&q)->rp, ==, 0);
    fake_free(f);
}

/* RP and RingNeeded in memory are output only (SEC-5). */
static void test_rp_is_output(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_control(&q)->rp = 0xdeadbeef;
    fake_control(&q)->ring_needed = 0;
    fake_submit_fence(&q, 8);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 8);
    g_assert_cmpuint(fake_control(&q)->rp, ==, 1);
    g_assert_cmpuint(fake_control(&q)->ring_needed, ==, 1);
    fake_free(f);
}

/* What a process does while the device looks at its WP. */
static struct fake_queue *looked_at;
static bool ring_at_look;

static void at_look(struct fake *f, uint64_t bus)
{
    struct fake_queue *q = looked_at;

    if (bus != q->control_bus + offsetof(struct dxgpu_ring_control, wp)) {
        return;
    }
    g_assert_cmpuint(fake_control(q)->ring_needed, ==, 1);
    if (ring_at_look) {
        ring_at_look = false;
        fake_submit_fence(q, 5);
        dxgpu_core_doorbell(f->core, 0, 1);
    }
}

/* RingNeeded is there before WP is read: who does not ring is seen (ORD-29). */
static void test_ring_needed_first(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_run(f);
    fake_control(&q)->ring_needed = 0;
    looked_at = &q;
    f->on_read = at_look;
    fake_submit_fence(&q, 8);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 8);
    fake_free(f);
}

/* A ring that comes just after WP was read asks for another look (ORD-10). */
static void test_ring_during_sample(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_run(f);
    looked_at = &q;
    f->on_read = at_look;
    ring_at_look = true;
    dxgpu_core_doorbell(f->core, 0, 0);
    fake_run(f);
    g_assert_false(ring_at_look);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 5);
    fake_free(f);
}

/* Where the ring is and how large is what the driver has said, once (SEC-3). */
static void test_latched(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint8_t *control = fake_ptr(f, q.control_bus);
    const size_t wp_bytes = sizeof(fake_control(&q)->wp);
    int i;

    for (i = 1; i <= 40; i++) {
        fake_submit_fence(&q, i);
        memset(control + wp_bytes, i,
               sizeof(struct dxgpu_ring_control) - wp_bytes);
        dxgpu_core_doorbell(f->core, 0, i);
        fake_run(f);
        g_assert_cmpuint(fake_load(f, q.data_bus), ==, i);
        g_assert_cmpuint(fake_control(&q)->rp, ==, i);
    }
    fake_store_wp(&q, 40 + 17);
    dxgpu_core_doorbell(f->core, 0, 57);
    fake_run(f);
    fake_assert_fault(&q, DXGPU_FAULT_WP);
    fake_free(f);
}

static void bad_entry(void (*spoil)(struct dxgpu_ring_entry *e), uint32_t code)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    volatile struct dxgpu_queue_status *status;

    fake_submit_fence(&q, 1);
    fake_submit_fence(&q, 2);
    spoil(fake_entry(&q, 1));
    dxgpu_core_doorbell(f->core, 0, 2);
    fake_run(f);
    status = fake_assert_fault(&q, code);
    g_assert_cmpuint(status->fault_rp, ==, 1);
    g_assert_cmpuint(status->fault_fence, ==, 2);
    g_assert_cmpuint(status->rp, ==, 1);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 1);
    fake_free(f);
}

static void spoil_alignment(struct dxgpu_ring_entry *e)
{
    e->command_gpuva += 4;
}

static void spoil_zero(struct dxgpu_ring_entry *e)
{
    e->command_bytes = 0;
}

static void spoil_odd(struct dxgpu_ring_entry *e)
{
    e->command_bytes = 12;
}

static void spoil_long(struct dxgpu_ring_entry *e)
{
    e->command_bytes = DXGPU_CORE_MAX_COMMAND_BYTES + 8;
}

static void spoil_flags(struct dxgpu_ring_entry *e)
{
    e->flags = 1;
}

static void spoil_reserved(struct dxgpu_ring_entry *e)
{
    e->reserved = 1;
}

static void spoil_end(struct dxgpu_ring_entry *e)
{
    e->command_gpuva = (1ull << 48) - 8;
}

static void spoil_beyond(struct dxgpu_ring_entry *e)
{
    e->command_gpuva = 1ull << 48;
}

static void spoil_unmapped(struct dxgpu_ring_entry *e)
{
    e->command_gpuva = 0x5000;
}

static void test_bad_entries(void)
{
    bad_entry(spoil_alignment, DXGPU_FAULT_ENTRY);
    bad_entry(spoil_zero, DXGPU_FAULT_ENTRY);
    bad_entry(spoil_odd, DXGPU_FAULT_ENTRY);
    bad_entry(spoil_long, DXGPU_FAULT_ENTRY);
    bad_entry(spoil_flags, DXGPU_FAULT_ENTRY);
    bad_entry(spoil_reserved, DXGPU_FAULT_ENTRY);
    bad_entry(spoil_end, DXGPU_FAULT_ADDRESS);
    bad_entry(spoil_beyond, DXGPU_FAULT_ADDRESS);
    bad_entry(spoil_unmapped, DXGPU_FAULT_UNMAPPED);
}

/* FH-16: the neighbour on the same node goes on; only removal ends a fault. */
static void test_fault_stops_one(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue a = fake_bound_queue(f, 0, 0);
    struct fake_queue b = fake_queue(f, 1, 0, a.root, 16);

    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 1, 1), ==,
                    DXGPU_CMD_OK);
    fake_store_wp(&a, 100);
    fake_submit_fence(&b, 5);
    dxgpu_core_doorbell(f->core, 0, 0);
    dxgpu_core_doorbell(f->core, 1, 0);
    fake_run(f);
    fake_assert_fault(&a, DXGPU_FAULT_WP);
    g_assert_cmpuint(fake_load(f, b.data_bus), ==, 5);

    fake_store_wp(&a, 0);
    fake_submit_fence(&a, 6);
    dxgpu_core_doorbell(f->core, 0, 0);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, a.data_bus), ==, 0);
    g_assert_cmpuint(fake_queue_status(f, 0)->rings, ==, 2);

    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 0, 3), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    g_assert_false(fake_fault_bit(f, 0));
    g_assert_cmpuint(fake_queue_status(f, 0)->fault_code, ==, 0);
    fake_free(f);
}

/* Asleep, rings are dropped and counted; waking up samples (DEV-1). */
static void test_asleep(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 7, 2);

    fake_run(f);
    fake_submit_fence(&q, 5);
    dxgpu_core_set_asleep(f->core, true);
    dxgpu_core_doorbell(f->core, 2, 1);
    dxgpu_core_doorbell(f->core, 3, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_ASLEEP), ==, 2);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES), ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_UNBOUND), ==, 0);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);

    dxgpu_core_set_asleep(f->core, false);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 5);
    dxgpu_core_doorbell(f->core, 2, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES), ==, 1);

    /* A reset wakes the device. */
    dxgpu_core_set_asleep(f->core, true);
    dxgpu_core_cold_reset(f->core);
    dxgpu_core_doorbell(f->core, 2, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_ASLEEP), ==, 2);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ring/executes", test_ring_executes);
    g_test_add_func("/ring/kick-once", test_kick_once);
    g_test_add_func("/ring/coalesce", test_rings_coalesce);
    g_test_add_func("/ring/forged-value", test_forged_value);
    g_test_add_func("/ring/unbound-slot", test_unbound);
    g_test_add_func("/sample/bind", test_bind_samples);
    g_test_add_func("/sample/kick", test_kick_samples);
    g_test_add_func("/sample/unbind", test_unbind_samples);
    g_test_add_func("/sample/pending-belongs-to-queue",
                    test_pending_belongs_to_queue);
    g_test_add_func("/sample/pending-goes-with-queue",
                    test_pending_goes_with_queue);
    g_test_add_func("/sample/drained", test_sample_when_drained);
    g_test_add_func("/arithmetic/wrap", test_wrap);
    g_test_add_func("/arithmetic/full", test_full_ring);
    g_test_add_func("/arithmetic/count-overflow", test_count_overflow);
    g_test_add_func("/arithmetic/wp-beyond-ring", test_wp_beyond_ring);
    g_test_add_func("/arithmetic/wp-backwards", test_wp_backwards);
    g_test_add_func("/arithmetic/wp-taken-back", test_wp_taken_back);
    g_test_add_func("/arithmetic/rp-is-output", test_rp_is_output);
    g_test_add_func("/sample/ring-needed-first", test_ring_needed_first);
    g_test_add_func("/sample/ring-during-sample", test_ring_during_sample);
    g_test_add_func("/arithmetic/SEC-3-latched", test_latched);
    g_test_add_func("/entry/bad", test_bad_entries);
    g_test_add_func("/fault/stops-one-queue", test_fault_stops_one);
    g_test_add_func("/ring/asleep", test_asleep);
    return g_test_run();
}
