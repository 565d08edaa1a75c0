/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's slot allocator (guest-driver/dxgpu/slots.c), compiled for the
 * host with a device and an OS layer of a few lines: who gets which slot, whose
 * is taken (MOD-4, DDI-CN-7), how often (MOD-5), which share a page (MOD-8, MOD-9), without
 * a lock held (DDI-CN-8), not before the callback has returned (ORD-14, CB-DC-3, ILL-3), and,
 * with threads, that a slot is bound to one queue at a time and unbound before it is given
 * on (ORD-8). With ASan and with TSan.
 */
#include <glib.h>
#include <sched.h>

#include "slots-world.h"

#define THREADS         4
#define ROUNDS          300

static void test_free(void)
{
    bool seen[SLOTS] = { false };
    int i, index;

    start();
    for (i = 0; i < SLOTS; i++) {
        index = connect_one(i);
        g_assert_cmpint(index, >=, 0);
        g_assert_false(seen[index]);
        seen[index] = true;
        g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[i]), ==,
                        index);
    }
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[5]), ==, -1);
    dxgpu_slots_release(&adapter.slots, &doorbells[1]);
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[1]), ==, -1);
    index = connect_one(7);
    g_assert_cmpint(index, ==, dxgpu_slots_find(&adapter.slots, &queues[7]));
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 0);
    stop();
}

static void test_victim(void)
{
    struct dxgpu_slot *slot;

    start();
    alone = true;
    connect_one(0);
    connect_one(1);
    connect_one(2);
    adapter.status[0].state = DXGPU_QUEUE_READY;
    adapter.status[0].last_active_ns = 1;
    adapter.status[1].last_active_ns = 30;
    adapter.status[2].last_active_ns = 20;
    /* Without work first, then the longest ago. */
    connect_one(3);
    g_assert_cmpuint(told[2], ==, 1);
    adapter.status[3].last_active_ns = 40;
    connect_one(4);
    g_assert_cmpuint(told[1], ==, 1);
    adapter.status[3].state = adapter.status[4].state = DXGPU_QUEUE_RUNNING;
    adapter.status[4].last_active_ns = 50;
    connect_one(5);
    g_assert_cmpuint(told[0], ==, 1);
    /* One that a reset lost is the best of all. */
    contexts[0].generation = 1;
    connect_one(6);
    contexts[0].generation = 0;
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 4);
    g_assert_cmpint(dxgpu_slots_acquire(&adapter.slots, &doorbells[7], &slot),
                    ==, STATUS_SUCCESS);
    dxgpu_slots_cancel(&adapter.slots, slot);
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[7]), ==, -1);
    stop();
    alone = false;
}

/* Still younger than the longest hold time? A busy host may take its time. */
static bool is_young(unsigned int queue)
{
    return ktime_get_ns() - queues[queue].slot->bound_ns < 50 * NSEC_PER_MSEC;
}

/*
 * One that was connected just now is not taken (MOD-4, SEC-18): an older one is, if
 * it is busy, too; and if there is none, one that has come of age meanwhile.
 */
static void test_young(void)
{
    bool young;
    u64 first;

    start();
    alone = true;
    min_hold_us = 60 * 1000 * 1000;
    connect_one(0);
    connect_one(1);
    connect_one(2);
    queues[1].slot->bound_ns -= 51 * NSEC_PER_MSEC;
    adapter.status[1].state = DXGPU_QUEUE_RUNNING;
    adapter.status[1].last_active_ns = 5;
    connect_one(3);
    young = is_young(0);
    if (young) {
        g_assert_cmpuint(told[1], ==, 1);
        g_assert_cmpuint(adapter.slots.counters.held, ==, 0);
        first = queues[0].slot->bound_ns;
        connect_one(4);
        g_assert_cmpuint(told[0] + told[2] + told[3], ==, 1);
        g_assert_cmpuint(ktime_get_ns() - first, >=, 50 * NSEC_PER_MSEC);
    } else {
        g_test_message("not looked at: the host stood for 50 ms");
    }
    stop();
    alone = false;
}

/* Who gives up a slot that is being unbound waits for the end of it (ORD-8). */
static void test_quarantine(void)
{
    start();
    min_hold_us = 0;
    connect_one(0);
    connect_one(1);
    connect_one(2);
    adapter.status[1].last_active_ns = adapter.status[2].last_active_ns = 1;
    released = false;
    impatient = &doorbells[0];
    connect_one(3);
    pthread_join(releaser, NULL);
    g_assert_true(released);
    g_assert_cmpuint(told[0], ==, 1);
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[0]), ==, -1);
    stop();
}

/* Every victim is being destroyed: nobody lets go, and the connect gives up. */
static void test_busy(void)
{
    start();
    connect_one(0);
    connect_one(1);
    connect_one(2);
    gone = true;
    g_assert_cmpint(connect_one(3), ==, -1);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 1);
    g_assert_cmpuint(adapter.slots.counters.victim_gone, ==, SLOTS);
    gone = false;
    dxgpu_slots_release(&adapter.slots, &doorbells[0]);
    g_assert_cmpint(connect_one(3), >=, 0);
    stop();
}

/* The same with a page of which one doorbell does not go. */
static void test_packed_busy(void)
{
    start_with(2, 2, 3);
    connect_one(0);
    connect_one(3);
    gone = true;
    g_assert_cmpint(connect_one(1), ==, -1);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 1);
    g_assert_cmpuint(adapter.slots.counters.victim_gone, ==, 2);
    gone = false;
    dxgpu_slots_release(&adapter.slots, &doorbells[0]);
    dxgpu_slots_release(&adapter.slots, &doorbells[3]);
    g_assert_cmpint(connect_one(1), >=, 0);
    stop();
}

static void *slow_connector(void *opaque)
{
    int index;

    return GINT_TO_POINTER(try_connect(GPOINTER_TO_UINT(opaque), &index));
}

/* Each slot is taken for one of these, and the OS layer is at it until slow ends. */
static void start_slow(pthread_t threads[SLOTS])
{
    unsigned int i;

    start();
    for (i = 0; i < SLOTS; i++) {
        connect_one(i);
    }
    slow = true;
    for (i = 0; i < SLOTS; i++) {
        pthread_create(&threads[i], NULL, slow_connector,
                       GUINT_TO_POINTER(SLOTS + i));
    }
    while (told[0] + told[1] + told[2] < SLOTS) {
        g_usleep(1000);
    }
}

static NTSTATUS slow_join(pthread_t thread)
{
    void *status;

    pthread_join(thread, &status);
    return GPOINTER_TO_INT(status);
}

static void stop_slow(pthread_t threads[SLOTS])
{
    unsigned int i;

    slow = false;
    for (i = 0; i < SLOTS; i++) {
        g_assert_cmpint(slow_join(threads[i]), ==, STATUS_SUCCESS);
    }
    stop();
}

/*
 * A host that gives the guest little time: what takes a moment takes many times the
 * patience of a connect, for the first in line and for the next, and nobody is refused.
 */
static void test_moving(void)
{
    pthread_t threads[SLOTS], first, second;

    start_slow(threads);
    pthread_create(&first, NULL, slow_connector, GUINT_TO_POINTER(6));
    pthread_create(&second, NULL, slow_connector, GUINT_TO_POINTER(7));
    g_usleep(350000);
    slow = false;
    g_assert_cmpint(slow_join(first), ==, STATUS_SUCCESS);
    g_assert_cmpint(slow_join(second), ==, STATUS_SUCCESS);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 0);
    stop_slow(threads);
}

/* But not for ever. */
static void test_moving_end(void)
{
    pthread_t threads[SLOTS];
    u64 began;

    start_slow(threads);
    command_timeout_ms = 250;
    began = ktime_get_ns();
    g_assert_cmpint(connect_one(6), ==, -1);
    g_assert_cmpuint(ktime_get_ns() - began, >=, 250 * NSEC_PER_MSEC);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 1);
    stop_slow(threads);
}

/* A fatal signal, or the loss of the device, ends the wait. */
static void test_moving_ended(void)
{
    pthread_t threads[SLOTS], first;

    start_slow(threads);
    command_timeout_ms = 10 * 1000;
    pthread_create(&first, NULL, slow_connector, GUINT_TO_POINTER(6));
    g_usleep(20000);
    unit_killed = true;
    g_assert_cmpint(slow_join(first), ==, STATUS_CANCELLED);
    unit_killed = false;
    pthread_create(&first, NULL, slow_connector, GUINT_TO_POINTER(6));
    g_usleep(20000);
    WRITE_ONCE(adapter.generation, 1);
    g_assert_cmpint(slow_join(first), ==, STATUS_DEVICE_REMOVED);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 0);
    stop_slow(threads);
}

/*
 * With one queue more than slots, each of which connects as soon as it can: a slot
 * changes hands once in the hold time at most, and all get their turns (MOD-5).
 */
static void test_hold(void)
{
    const unsigned int rounds = 40;
    unsigned int i;
    u64 began, ns;

    start();
    min_hold_us = 2000;
    began = ktime_get_ns();
    for (i = 0; i < rounds * (SLOTS + 1); i++) {
        g_assert_cmpint(connect_one(i % (SLOTS + 1)), >=, 0);
    }
    ns = ktime_get_ns() - began;
    g_assert_cmpuint(adapter.slots.counters.victimizations, <=,
                     SLOTS * (ns / 2000000 + 1));
    g_assert_cmpuint(adapter.slots.counters.held, >, rounds);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 0);
    for (i = 0; i < SLOTS + 1; i++) {
        g_assert_cmpuint(told[i], >=, rounds / 2);
    }
    /* One that is free needs no wait. */
    dxgpu_slots_release(&adapter.slots, &doorbells[3]);
    i = adapter.slots.counters.held;
    connect_one(4);
    g_assert_cmpuint(adapter.slots.counters.held, ==, i);
    /* Nobody waits for longer than the most that there is. */
    min_hold_us = 1000000000;
    g_assert_cmpuint(dxgpu_slots_hold_us(), ==, 50000);
    g_assert_cmpint(connect_one(5), >=, 0);
    stop();
}

/* The page of each bound slot is that of its process and of no other. */
static void assert_pages_apart(unsigned int places)
{
    struct dxgpu_process *owner[SLOTS_MAX] = { NULL };
    struct dxgpu_doorbell *d;
    unsigned int i;

    for (i = 0; i < adapter.slots.count; i++) {
        d = atomic_load(&bound[i]);
        if (!d) {
            continue;
        }
        g_assert_cmpuint(d->place, ==, i % places);
        if (!owner[i / places]) {
            owner[i / places] = dxgpu_doorbell_process(d);
        }
        g_assert_true(owner[i / places] == dxgpu_doorbell_process(d));
    }
}

/* Two pages of four places, three processes. */
static void test_packed(void)
{
    unsigned int i, held;

    start_with(8, 4, 3);
    /* Places are given evenly: four queues of a process have four. */
    for (i = 0; i < QUEUES; i++) {
        g_assert_cmpuint(doorbells[i].place, ==, i / 3);
    }
    /* Process 0 has one page, process 1 the other. */
    for (i = 0; i < QUEUES; i += 3) {
        connect_one(i);
        connect_one(i + 1);
    }
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 0);
    assert_pages_apart(4);
    /* The other's is longer idle: it is taken as a whole. */
    for (i = 0; i < QUEUES; i += 3) {
        adapter.status[i].last_active_ns = 100 + i;
        adapter.status[i + 1].last_active_ns = 10 + i;
    }
    adapter.status[1].last_active_ns = 50;
    connect_one(2);
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 4);
    g_assert_cmpuint(adapter.slots.counters.pages_taken, ==, 1);
    for (i = 0; i < QUEUES; i++) {
        g_assert_cmpuint(told[i], ==, i % 3 == 1);
    }
    assert_pages_apart(4);
    /* Room on its own page is taken from nobody. */
    connect_one(5);
    connect_one(8);
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 4);
    /* One busy doorbell keeps its page. */
    adapter.status[2].last_active_ns = 1;
    adapter.status[8].state = DXGPU_QUEUE_RUNNING;
    connect_one(1);
    g_assert_cmpuint(told[0] + told[3] + told[6] + told[9], ==, 4);
    g_assert_cmpuint(told[2] + told[5] + told[8], ==, 0);
    assert_pages_apart(4);
    held = adapter.slots.counters.pages_taken;
    g_assert_cmpuint(held, ==, 2);
    stop();
}

/* A free place on another's page is free for nobody else. */
static void test_packed_apart(void)
{
    start_with(8, 4, 3);
    connect_one(0);
    connect_one(4);
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 0);
    assert_pages_apart(4);
    connect_one(3);
    connect_one(7);
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 0);
    assert_pages_apart(4);
    stop();
}

/* A victim at its own place on its own page: the neighbours stay (MOD-8). */
static void test_packed_own_page(void)
{
    unsigned int i;

    start_with(2, 2, 1);
    for (i = 0; i < QUEUES; i++) {
        g_assert_cmpuint(doorbells[i].place, ==, i % 2);
    }
    connect_one(0);
    connect_one(1);
    adapter.status[1].last_active_ns = 1;
    adapter.status[0].last_active_ns = 2;
    connect_one(2);
    g_assert_cmpuint(told[0], ==, 1);
    g_assert_cmpuint(told[1], ==, 0);
    g_assert_cmpuint(adapter.slots.counters.pages_taken, ==, 0);
    stop();
}

/*
 * The OS layer waits in vain for a victim's connect: the connect is refused at once, the
 * victim keeps its slot, and is as good a victim as before (CB-DC-6, SEC-18).
 */
static void test_kept(void)
{
    int index;

    start_with(1, 1, 2);
    index = connect_one(0);
    kept = true;
    g_assert_cmpint(connect_one(1), ==, -1);
    g_assert_cmpuint(told[0], ==, 1);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 1);
    g_assert_cmpuint(adapter.slots.counters.victim_gone, ==, 0);
    g_assert_cmpint(dxgpu_slots_find(&adapter.slots, &queues[0]), ==, index);
    g_assert_cmpint(adapter.slots.slot[index].state, ==, DXGPU_SLOT_BOUND);
    kept = false;
    g_assert_cmpint(connect_one(1), ==, index);
    g_assert_cmpuint(told[0], ==, 2);
    stop();
}

/* Of a page, too, nobody is asked after the first who keeps his slot. */
static void test_packed_kept(void)
{
    start_with(2, 2, 2);
    connect_one(0);
    connect_one(2);
    kept = true;
    g_assert_cmpint(connect_one(1), ==, -1);
    g_assert_cmpuint(told[0] + told[2], ==, 1);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 1);
    kept = false;
    g_assert_cmpint(connect_one(1), >=, 0);
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 2);
    assert_pages_apart(2);
    stop();
}

/*
 * Who empties a page, and waits for the rest of it, takes a slot that is free elsewhere
 * meanwhile; the page stays whose it was.
 */
static void test_packed_free_elsewhere(void)
{
    int index;

    start_with(4, 2, 3);
    connect_one(0);
    connect_one(3);
    index = connect_one(1);
    adapter.status[1].last_active_ns = 1;
    gone = true;
    leaver = &doorbells[1];
    g_assert_cmpint(connect_one(2), ==, index);
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 0);
    g_assert_cmpuint(adapter.slots.counters.pages_taken, ==, 1);
    gone = false;
    dxgpu_slots_release(&adapter.slots, &doorbells[0]);
    g_assert_cmpint(connect_one(0), >=, 0);
    assert_pages_apart(2);
    g_assert_cmpuint(adapter.slots.counters.victimizations, ==, 0);
    stop();
}

static void *connector(void *opaque)
{
    unsigned int thread = GPOINTER_TO_UINT(opaque), i, n;

    for (n = 0; n < ROUNDS; n++) {
        i = thread + n % (QUEUES / THREADS) * THREADS;
        connect_one(i);
        if (n % 3 == 0) {
            sched_yield();
        }
        if (n % 5 == thread) {
            dxgpu_slots_release(&adapter.slots, &doorbells[i]);
            dxgpu_slots_wait_callbacks(&adapter.slots, &queues[i]);
        }
    }
    return NULL;
}

static void threads_on(unsigned int slots, unsigned int places, unsigned int users)
{
    pthread_t threads[THREADS];
    unsigned int i;

    start_with(slots, places, users);
    min_hold_us = 10;
    for (i = 0; i < THREADS; i++) {
        g_assert_cmpint(pthread_create(&threads[i], NULL, connector,
                                       GUINT_TO_POINTER(i)), ==, 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    g_test_message("%" G_GUINT64_FORMAT " slots given, %" G_GUINT64_FORMAT " taken from a victim",
                   (guint64)adapter.slots.grants,
                   (guint64)adapter.slots.counters.victimizations);
    g_assert_cmpuint(adapter.slots.counters.victimizations, >, 0);
    /* Nobody dies here, so each connect had its slot (KMT-CN-4). */
    g_assert_cmpuint(adapter.slots.counters.busy, ==, 0);
    g_assert_cmpuint(adapter.slots.grants, ==, THREADS * ROUNDS);
    assert_pages_apart(places);
    stop();
}

static void test_threads(void)
{
    threads_on(SLOTS, 1, 1);
}

static void test_packed_threads(void)
{
    threads_on(4, 2, 3);
    threads_on(4, 4, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/slots/free", test_free);
    g_test_add_func("/slots/MOD-4-victim", test_victim);
    g_test_add_func("/slots/MOD-4-young", test_young);
    g_test_add_func("/slots/ORD-8-quarantine", test_quarantine);
    g_test_add_func("/slots/DDI-CN-10-busy", test_busy);
    g_test_add_func("/slots/OP-6-packed-busy", test_packed_busy);
    g_test_add_func("/slots/SEC-18-kept", test_kept);
    g_test_add_func("/slots/SEC-18-packed-kept", test_packed_kept);
    g_test_add_func("/slots/KMT-CN-4-packed-free-elsewhere",
                    test_packed_free_elsewhere);
    g_test_add_func("/slots/MOD-5-hold", test_hold);
    g_test_add_func("/slots/MOD-9-packed", test_packed);
    g_test_add_func("/slots/MOD-9-packed-apart", test_packed_apart);
    g_test_add_func("/slots/MOD-8-packed-own-page", test_packed_own_page);
    g_test_add_func("/slots/thread/KMT-CN-4-moving", test_moving);
    g_test_add_func("/slots/thread/OP-6-moving-end", test_moving_end);
    g_test_add_func("/slots/thread/KMT-0.8-moving-ended", test_moving_ended);
    g_test_add_func("/slots/thread/ORD-8", test_threads);
    g_test_add_func("/slots/thread/MOD-9-packed", test_packed_threads);
    return g_test_run();
}
