/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core with one or several worker threads, and rings and commands from
 * others: nothing is lost and nothing is done twice, however binds, unbinds,
 * suspends, invalidates, removals, resets and snapshots fall. It runs with
 * ASan and once more with TSan.
 *
 * Rings come without a lock from several threads; commands from one at a time,
 * as under the BQL. Every wait is bounded by the test's own time-out.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "fake.h"
#include "snapshot.h"

#define QUEUES 12
#define SLOTS 4
#define RINGERS 3
#define ENTRIES_PER_QUEUE 2000
#define SEVERAL 3
#define HANGS 300
#define HANG_FENCE 0xbadbadull

static struct fake *f;
static _Atomic bool stop;
static struct fake_queue queues[QUEUES];
static _Atomic uint32_t waits;
static pthread_t workers[SEVERAL];
static _Atomic bool halt;       /* the machine is to stop, as for a snapshot */
static _Atomic uint32_t halted; /* threads that have */

static bool ends(void)
{
    if (halt) {
        halted++;
        while (halt && !stop) {
            sched_yield();
        }
        halted--;
    }
    return stop;
}

/* Sleeps as a real worker does: only when the core says so, until a kick. */
static void *worker(void *opaque)
{
    uint32_t index = GPOINTER_TO_UINT(opaque);
    uint32_t seen = 0;

    while (!ends()) {
        while (f->kicks[index] == seen) {
            if (ends()) {
                return NULL;
            }
            sched_yield();
        }
        seen = f->kicks[index];
        while (dxgpu_core_run(f->core, index)) {
            if (ends()) {
                return NULL;
            }
        }
        waits++;
    }
    return NULL;
}

/* A hostile process: rings every slot, also unbound and foreign ones. */
static void *ringer(void *opaque)
{
    uint32_t slot = GPOINTER_TO_UINT(opaque);

    while (!ends()) {
        slot++;
        dxgpu_core_doorbell(f->core, slot % (SLOTS + 1), slot);
        sched_yield();
    }
    return NULL;
}

static void wait_for(volatile uint64_t *word, uint64_t value)
{
    while (atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)word,
                                memory_order_acquire) != value) {
        sched_yield();
    }
}

static void start(pthread_t *thread, void *(*run)(void *), uintptr_t arg)
{
    g_assert_cmpint(pthread_create(thread, NULL, run, (void *)arg), ==, 0);
}

static void start_workers(void)
{
    uint32_t i;

    for (i = 0; i < f->config.workers; i++) {
        start(&workers[i], worker, i);
    }
}

static void stop_workers(void)
{
    uint32_t i;

    stop = true;
    for (i = 0; i < f->config.workers; i++) {
        pthread_join(workers[i], NULL);
    }
}

static struct dxgpu_core_config config_of(const void *count)
{
    struct dxgpu_core_config config = fake_config();

    config.workers = GPOINTER_TO_UINT(count);
    return config;
}

/* One entry of a queue: a copy, and the fence that carries its number. */
static bool try_submit(struct fake_queue *q)
{
    uint64_t rp = fake_load(f, q->control_bus +
                            offsetof(struct dxgpu_ring_control, rp));

    if (q->wp == ENTRIES_PER_QUEUE || q->wp - rp == q->entries) {
        return false;
    }
    fake_put_copy(q, q->data + 4096, q->data + 8192, 64);
    fake_put_fence(q, q->data, q->wp + 1, 0);
    fake_submit(q);
    return true;
}

static bool all_done(void)
{
    int i;

    for (i = 0; i < QUEUES; i++) {
        if (fake_load(f, queues[i].data_bus) != ENTRIES_PER_QUEUE) {
            return false;
        }
    }
    return true;
}

/*
 * More queues than slots; a submitter that binds, rings and unbinds as a
 * driver does, with suspends and invalidates in between.
 */
static void test_exactly_once(const void *count)
{
    struct dxgpu_core_config config = config_of(count);
    pthread_t ringers[RINGERS];
    uint32_t slot = 0, bound[SLOTS] = { 0 };
    uint64_t root, fence = 0;
    int i, round = 0;

    stop = false;
    f = fake_new(&config);
    root = fake_space(f, 0);
    for (i = 0; i < 3; i++) {
        fake_context(f, i, 0, i);
    }
    for (i = 0; i < QUEUES; i++) {
        queues[i] = fake_queue(f, i, i % 3, root, 16);
    }
    start_workers();
    for (i = 0; i < RINGERS; i++) {
        start(&ringers[i], ringer, i);
    }

    while (!all_done()) {
        i = round++ % QUEUES;
        while (try_submit(&queues[i])) {
            continue;
        }
        /* The ring goes into the dummy: the bind's sample has to find it. */
        slot = (slot + 1) % SLOTS;
        if (bound[slot]) {
            g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_DOORBELL_UNBIND, slot), ==,
                            DXGPU_CMD_OK);
        }
        bound[slot] = 0;
        if (fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, slot, i) == DXGPU_CMD_OK) {
            bound[slot] = 1;
        }
        if (round % 7 == 0) {
            fence++;
            fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, i % 3, fence);
            wait_for(&fake_context_status(f, i % 3)->suspend_fence, fence);
            fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, i % 3);
        }
        if (round % 5 == 0) {
            fence++;
            fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, fence);
            wait_for(&fake_space_status(f, 0)->invalidate_fence, fence);
        }
    }

    /* The last RP may follow the last fence. */
    for (i = 0; i < QUEUES; i++) {
        wait_for(&fake_control(&queues[i])->rp, ENTRIES_PER_QUEUE);
    }
    stop_workers();
    for (i = 0; i < RINGERS; i++) {
        pthread_join(ringers[i], NULL);
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_ENTRIES_COMPLETED), ==,
                     QUEUES * ENTRIES_PER_QUEUE);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FENCE_WRITES), ==,
                     QUEUES * ENTRIES_PER_QUEUE);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_COPY_BYTES), ==,
                     QUEUES * ENTRIES_PER_QUEUE * 64);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FAULTS), ==, 0);
    g_test_message("worker slept %u times", waits);
    fake_free(f);
}

/* A lone ring after the worker went to sleep always wakes it. */
static void test_no_lost_wakeup(const void *count)
{
    struct dxgpu_core_config config = config_of(count);
    struct fake_queue q;
    int i;

    stop = false;
    f = fake_new(&config);
    start_workers();
    q.f = f;
    {
        uint64_t root = fake_space(f, 0);

        fake_context(f, 0, 0, 0);
        q = fake_queue(f, 0, 0, root, 2);
        fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 0, 0);
    }
    for (i = 1; i <= 20000; i++) {
        fake_submit_fence(&q, i);
        dxgpu_core_doorbell(f->core, 0, i);
        wait_for(&fake_control(&q)->rp, i);
    }
    stop_workers();
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_ENTRIES_COMPLETED), ==, 20000);
    fake_free(f);
}

/* Queues come and go, and the device is reset, under rings and load. */
static void test_remove_and_reset(const void *count)
{
    struct dxgpu_core_config config = config_of(count);
    pthread_t ringers[RINGERS];
    uint64_t root, resets = 0;
    int i, round;

    stop = false;
    f = fake_new(&config);
    start_workers();
    for (i = 0; i < RINGERS; i++) {
        start(&ringers[i], ringer, i);
    }
    for (round = 1; round <= 60; round++) {
        f->mem_used = 0;
        root = fake_space(f, 0);
        /* Another node for each context each time, so another worker. */
        fake_context(f, 0, 0, round % 3);
        fake_context(f, 1, 0, (round + 1) % 3);
        for (i = 0; i < 4; i++) {
            queues[i] = fake_queue(f, i, i % 2, root, 16);
            fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, i, i);
            while (queues[i].wp < 16) {
                fake_put_fill(&queues[i], queues[i].data, 4096, round);
                fake_submit(&queues[i]);
            }
        }
        for (i = 0; i < 4; i += 2) {
            g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, i, round),
                            ==, DXGPU_CMD_OK);
        }
        for (i = 0; i < 4; i += 2) {
            wait_for(&fake_queue_status(f, i)->remove_fence, round);
            g_assert_cmpint(fake_command(f, DXGPU_CMD_QUEUE_CREATE, i, i % 2,
                                         queues[i].ring, 16,
                                         queues[i].control, 0), ==,
                            DXGPU_CMD_OK);
        }
        dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
        resets++;
        /* The count is what grows last. */
        while (dxgpu_core_reset_count(f->core) != resets) {
            sched_yield();
        }
        g_assert_cmpint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_DISABLED);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, 0);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, 0);
        dxgpu_core_control(f->core, DXGPU_CONTROL_ENABLE);
    }
    stop_workers();
    for (i = 0; i < RINGERS; i++) {
        pthread_join(ringers[i], NULL);
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FAULTS), ==, 0);
    fake_free(f);
}

/* The machine stops, is saved, and goes on from what was saved (DEV-14). */
static void save_and_load(uint32_t threads)
{
    struct dxgpu_snapshot s;
    char why[160] = "";

    g_assert_true(dxgpu_snapshot_init(&f->config, &s));
    halt = true;
    dxgpu_core_yield(f->core);
    while (halted < threads) {
        sched_yield();
    }
    dxgpu_core_save(f->core, &s);
    g_assert_true(dxgpu_core_load(f->core, &s, why, sizeof(why)));
    g_assert_cmpstr(why, ==, "");
    halt = false;
    while (halted) {
        sched_yield();
    }
    dxgpu_snapshot_free(&s);
}

/* Snapshots at any step of the workers: nothing lost, nothing done twice. */
static void test_snapshots(const void *count)
{
    struct dxgpu_core_config config = config_of(count);
    pthread_t ringers[RINGERS];
    uint32_t slot = 0, snapshots = 0;
    uint64_t root;
    int i, round;

    stop = false;
    config.packet_budget = 1;
    f = fake_new(&config);
    root = fake_space(f, 0);
    for (i = 0; i < 3; i++) {
        fake_context(f, i, 0, i);
    }
    for (i = 0; i < QUEUES; i++) {
        queues[i] = fake_queue(f, i, i % 3, root, 16);
    }
    start_workers();
    for (i = 0; i < RINGERS; i++) {
        start(&ringers[i], ringer, i);
    }
    for (round = 0; !all_done(); round++) {
        i = round % QUEUES;
        while (try_submit(&queues[i])) {
            continue;
        }
        slot = (slot + 1) % SLOTS;
        fake_cmd1(f, DXGPU_CMD_DOORBELL_UNBIND, slot);
        g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, slot, i), ==,
                        DXGPU_CMD_OK);
        if (round % 4 == 0) {
            save_and_load(RINGERS + config.workers);
            snapshots++;
        }
    }
    for (i = 0; i < QUEUES; i++) {
        wait_for(&fake_control(&queues[i])->rp, ENTRIES_PER_QUEUE);
    }
    stop_workers();
    for (i = 0; i < RINGERS; i++) {
        pthread_join(ringers[i], NULL);
    }
    g_assert_cmpuint(snapshots, >, QUEUES);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_ENTRIES_COMPLETED), ==,
                     QUEUES * ENTRIES_PER_QUEUE);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FENCE_WRITES), ==,
                     QUEUES * ENTRIES_PER_QUEUE);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_COPY_BYTES), ==,
                     QUEUES * ENTRIES_PER_QUEUE * 64);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FAULTS), ==, 0);
    g_test_message("%u snapshots", snapshots);
    fake_free(f);
}

/*
 * Again and again a queue hangs, is to be removed, and its engine is reset, on
 * one node after the other; what the others were given is done once (FH-27).
 */
static void test_engine_reset(const void *count)
{
    const struct dxgpu_inject faults = { .hang_fence = HANG_FENCE };
    struct dxgpu_core_config config = config_of(count);
    pthread_t ringers[RINGERS];
    struct fake_queue bad;
    uint64_t root, round;
    uint32_t node;
    int i;

    stop = false;
    f = fake_new(&config);
    root = fake_space(f, 0);
    for (i = 0; i < 3; i++) {
        fake_context(f, i, 0, i);
        fake_context(f, 3 + i, 0, i);
    }
    for (i = 0; i < QUEUES; i++) {
        queues[i] = fake_queue(f, i, i % 3, root, 16);
        if (i < SLOTS) {
            fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, i, i);
        }
    }
    bad = fake_queue(f, QUEUES, 3, root, 16);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, QUEUES, 0);
    fake_run(f);
    dxgpu_core_inject(f->core, &faults);
    start_workers();
    for (i = 0; i < RINGERS; i++) {
        start(&ringers[i], ringer, i);
    }

    for (round = 1; round <= HANGS; round++) {
        node = round % 3;
        g_assert_cmpint(fake_command(f, DXGPU_CMD_QUEUE_CREATE, QUEUES,
                                     3 + node, bad.ring, 16, bad.control,
                                     bad.wp), ==, DXGPU_CMD_OK);
        fake_submit_fence(&bad, round);
        fake_entry(&bad, bad.wp - 1)->fence_value = HANG_FENCE;
        fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, QUEUES);
        for (i = 0; i < QUEUES; i++) {
            try_submit(&queues[i]);
            fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, i);
        }
        while (fake_stat(f, DXGPU_STAT_HANGS) != round) {
            sched_yield();
        }
        fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, QUEUES, round);
        g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_ENGINE_RESET, node, round), ==,
                        DXGPU_CMD_OK);
        wait_for(&fake_node_status(f, node)->reset_fence, round);
        g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_ENGINE_RESUME, node), ==,
                        DXGPU_CMD_OK);
        wait_for(&fake_queue_status(f, QUEUES)->remove_fence, round);
    }
    for (i = 0; i < QUEUES; i++) {
        wait_for(&fake_control(&queues[i])->rp, queues[i].wp);
        g_assert_cmpuint(fake_load(f, queues[i].data_bus), ==, queues[i].wp);
        wait_for(&fake_queue_status(f, i)->entries, queues[i].wp);
    }
    stop_workers();
    for (i = 0; i < RINGERS; i++) {
        pthread_join(ringers[i], NULL);
    }
    g_assert_cmpuint(fake_load(f, bad.data_bus), ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FAULTS), ==, HANGS);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_ENGINE_RESETS), ==, HANGS);
    fake_free(f);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestDataFunc run;
    } tests[] = {
        { "exactly-once", test_exactly_once },
        { "no-lost-wakeup", test_no_lost_wakeup },
        { "remove-and-reset", test_remove_and_reset },
        { "engine-reset", test_engine_reset },
        { "snapshots", test_snapshots },
    };
    unsigned int i, count;

    g_test_init(&argc, &argv, NULL);
    for (i = 0; i < G_N_ELEMENTS(tests); i++) {
        for (count = 1; count <= SEVERAL; count += SEVERAL - 1) {
            g_autofree char *path = g_strdup_printf("/threads/%u/%s", count,
                                                    tests[i].name);

            g_test_add_data_func(path, GUINT_TO_POINTER(count), tests[i].run);
        }
    }
    return g_test_run();
}
