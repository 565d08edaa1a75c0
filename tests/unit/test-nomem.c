/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No memory: creation of the core, and of room for a snapshot, when the nth
 * allocation fails. Each time it says so, and the sanitizer finds no leak.
 * Nothing else of the core allocates (SEC-1), which is shown as well.
 *
 * The linker puts our functions before the library's (--wrap).
 */
#include <stdlib.h>

#include "fake.h"
#include "snapshot.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

static int left = -1;           /* allocations until one fails; -1: none does */
static unsigned int made;

static bool fails(void)
{
    made++;
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

static void clean(void *opaque, uint32_t offset, uint32_t bytes)
{
    (void)opaque;
    (void)offset;
    (void)bytes;
}

static void test_core(void)
{
    struct dxgpu_core_ops ops = { .status_dirty = clean };
    struct dxgpu_core_config config = fake_config();
    struct dxgpu_status_layout layout;
    struct dxgpu_core *core;
    int n = -1;
    void *status;

    config.workers = 3;
    dxgpu_status_layout(&config, &layout);
    status = aligned_alloc(64, layout.size);
    do {
        left = ++n;
        g_assert_cmpint(n, <, 100);
        core = dxgpu_core_create(&config, &ops, NULL, status);
    } while (!core);
    g_assert_cmpint(left, ==, 0);
    g_assert_cmpint(n, >, 5);
    left = -1;
    g_test_message("%d allocations", n);
    dxgpu_core_destroy(core);
    dxgpu_core_destroy(NULL);
    free(status);
}

static void test_snapshot(void)
{
    struct dxgpu_core_config config = fake_config();
    struct dxgpu_snapshot s;
    unsigned int n;

    for (n = 0; n < 3; n++) {
        left = n;
        g_assert_false(dxgpu_snapshot_init(&config, &s));
        g_assert_null(s.spaces);
        g_assert_null(s.contexts);
        g_assert_null(s.queues);
    }
    left = 3;
    g_assert_true(dxgpu_snapshot_init(&config, &s));
    g_assert_cmpint(left, ==, 0);
    left = -1;
    dxgpu_snapshot_free(&s);
}

static void test_nothing_later(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 5, 1);
    unsigned int before = made;
    int i;

    for (i = 1; i < 10; i++) {
        fake_put_fill(&q, q.data + 4096, 4096, i);
        fake_put_crc(&q, q.data + 4096, q.data + 8, 4096, 0);
        fake_submit_fence(&q, i);
        dxgpu_core_doorbell(f->core, 1, i);
        fake_run(f);
    }
    fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 1);
    fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, 2);
    fake_run(f);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 5, 3);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    fake_run(f);
    dxgpu_core_cold_reset(f->core);
    g_assert_cmpuint(made, ==, before);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/nomem/core", test_core);
    g_test_add_func("/nomem/snapshot", test_snapshot);
    g_test_add_func("/nomem/SEC-1-nothing-later", test_nothing_later);
    return g_test_run();
}
