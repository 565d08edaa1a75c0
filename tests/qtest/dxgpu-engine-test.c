/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: faults on demand, and the reset of an engine (DEV-13, DDI-RE-1,
 * DDI-RE-3, DDI-RE-7, FH-16, FH-23, FH-27); rings that are late (ORD-8), and a
 * ring entry whose fetch faults (FH-13).
 *
 * A queue is told to hang by the fence value of its entry. Neighbours on its
 * node and on others have work all the while, and none of it is lost or done
 * twice.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "dxgpu-qtest.h"

#define BAD             0xbadbadull
#define WORK_BYTES      (256 * 1024)
#define WORK_FILLS      300

#define SET(t, name, format, value) \
    qtest_qmp_assert_success((t)->qts, "{'execute': 'qom-set', 'arguments': " \
                             "{'path': %s, 'property': %s, 'value': " format \
                             "}}", DX_QOM_PATH, name, value)

typedef struct World {
    DxTest *t;
    DxQueue *bad;               /* node 0, context of its own */
    DxQueue *same;              /* node 0 */
    DxQueue *other;             /* node 1 */
} World;

static World begin(const char *properties)
{
    World w = { .t = dx_start(properties) };
    DxSpace *space = dx_space(w.t);

    w.bad = dx_queue(space, dx_context(space, 0), 16);
    w.same = dx_queue(space, dx_context(space, 0), 16);
    w.other = dx_queue(space, dx_context(space, 1), 16);
    SET(w.t, "inject-hang-fence", "%" PRIu64, (uint64_t)BAD);
    return w;
}

/* An entry that hangs before its fence is written. */
static void hang(World *w)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    struct dxgpu_ring_entry entry = { .fence_value = BAD };
    uint64_t before = dx_stat(w->t, "hangs");

    dx_fence(c, w->bad->fence.gpuva, 0xffff, 0);
    entry.command_gpuva = dx_place(w->bad, c->data, c->len);
    entry.command_bytes = c->len;
    dx_submit_entry(w->bad, &entry);
    dx_kick(w->bad);
    DX_WAIT(w->t, dx_stat(w->t, "hangs") == before + 1);
}

static void submit(DxQueue *q)
{
    dx_submit_fence(q);
    dx_kick(q);
}

static uint64_t reset_start(DxTest *t, uint32_t node)
{
    dx_command_ok(t, DXGPU_CMD_ENGINE_RESET, node, ++t->last_fence);
    return t->last_fence;
}

static void reset(DxTest *t, uint32_t node)
{
    uint64_t fence = reset_start(t, node);

    DX_WAIT(t, dx_node_status(t, node).reset_fence == fence);
}

static void resume(DxTest *t, uint32_t node)
{
    dx_command_ok(t, DXGPU_CMD_ENGINE_RESUME, node);
}

static void assert_done_once(DxQueue *q)
{
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, q->fence_value);
    g_assert_cmpuint(dx_queue_status(q->space->t, q->id).entries, ==, q->wp);
}

static void hang_and_reset(const char *properties)
{
    World w = begin(properties);
    uint64_t suspend, removal;
    unsigned int i;

    dx_irq_start(w.t);
    dx_reg_write(w.t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK | DXGPU_INT_FAULT);
    dx_bind(w.bad, 0);
    hang(&w);
    for (i = 0; i < 3; i++) {
        submit(w.same);
        submit(w.other);
    }
    assert_done_once(w.other);
    suspend = dx_suspend_start(w.t, w.bad->context);
    removal = dx_remove_start(w.bad);
    dx_settle(w.t);
    g_assert_cmpuint(dx_fence_now(w.same), ==, 0);
    g_assert_cmpuint(dx_node_status(w.t, 0).running_queue, ==, w.bad->id);
    g_assert_cmpuint(dx_context_status(w.t, w.bad->context).suspend_fence, ==,
                     0);
    g_assert_cmpuint(dx_queue_status(w.t, w.bad->id).remove_fence, ==, 0);
    /* Unbound at once, and the slot serves another. */
    g_assert_cmpuint(dx_stat(w.t, "slots_bound"), ==, 0);
    dx_bind(w.same, 0);
    g_assert_false(dx_irq_taken(w.t, DXGPU_VECTOR_EVENT));

    reset(w.t, 0);
    g_assert_cmpuint(dx_node_status(w.t, 0).reset_queue, ==, w.bad->id);
    DX_WAIT(w.t, dx_context_status(w.t, w.bad->context).suspend_fence ==
            suspend);
    DX_WAIT(w.t, dx_queue_status(w.t, w.bad->id).remove_fence == removal);
    DX_WAIT(w.t, dx_irq_taken(w.t, DXGPU_VECTOR_EVENT));
    g_assert_cmphex(dx_reg(w.t, DXGPU_REG_INT_CAUSE), ==,
                    DXGPU_INT_ACK | DXGPU_INT_FAULT);

    submit(w.same);
    dx_settle(w.t);
    g_assert_cmpuint(dx_fence_now(w.same), ==, 0);
    submit(w.other);
    assert_done_once(w.other);
    resume(w.t, 0);
    assert_done_once(w.same);
    g_assert_cmpuint(dx_fence_now(w.bad), ==, 0);

    /* The id and the context are as good as new. */
    dx_resume(w.t, w.bad->context);
    w.bad->wp = 0;
    dx_store_wp(w.bad, 0);
    dx_create(w.bad);
    dx_assert_works(w.bad);
    g_assert_cmpuint(dx_stat(w.t, "engine_resets"), ==, 1);
    dx_stop(w.t);
}

static void test_hang_and_reset(void)
{
    hang_and_reset("");
}

static void test_hang_and_reset_thread(void)
{
    hang_and_reset("threads=1");
}

static void test_hang_and_reset_threads(void)
{
    hang_and_reset("threads=3");
}

/* What is read of the record, and that the queue stays where it is. */
static void test_record(void)
{
    World w = begin("");
    struct dxgpu_queue_status status;

    hang(&w);
    reset(w.t, 0);
    status = dx_wait_fault(w.bad, DXGPU_FAULT_RESET);
    g_assert_cmpuint(status.fault_fence, ==, BAD);
    g_assert_cmpuint(status.fault_gpuva, ==, 0);
    g_assert_cmpuint(status.fault_rp, ==, 0);
    resume(w.t, 0);
    dx_kick(w.bad);
    dx_assert_works(w.same);
    g_assert_cmpuint(dx_fence_now(w.bad), ==, 0);
    reset(w.t, 0);
    g_assert_cmpuint(dx_node_status(w.t, 0).reset_queue, ==, DXGPU_NO_QUEUE);
    g_assert_cmpuint(dx_stat(w.t, "faults"), ==, 1);
    dx_remove(w.bad);
    dx_stop(w.t);
}

/* Resets, one after the other, in the midst of long packets: each byte once. */
static void test_mid_packet(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    World w = begin("threads=2");
    DxBuffer target = dx_buffer(w.same->space, WORK_BYTES);
    unsigned int i, resets;

    for (i = 0; i < WORK_FILLS; i++) {
        dx_fill(c, target.gpuva, WORK_BYTES, i);
    }
    dx_fence(c, w.same->fence.gpuva, ++w.same->fence_value, 0);
    dx_submit(w.same, c);
    dx_kick(w.same);
    for (resets = 0; resets < 20; resets++) {
        uint64_t bytes = dx_stat(w.t, "fill_bytes");

        reset(w.t, 0);
        g_assert_cmpuint(dx_node_status(w.t, 0).reset_queue, ==,
                         DXGPU_NO_QUEUE);
        resume(w.t, 0);
        DX_WAIT(w.t, dx_stat(w.t, "fill_bytes") > bytes ||
                dx_fence_now(w.same));
    }
    assert_done_once(w.same);
    g_assert_cmpuint(dx_stat(w.t, "fill_bytes"), ==, WORK_FILLS * WORK_BYTES);
    g_assert_cmpuint(dx_stat(w.t, "faults"), ==, 0);
    dx_stop(w.t);
}

static void test_hang_ends(void)
{
    World w = begin("threads=1");
    uint64_t suspend;

    hang(&w);
    suspend = dx_suspend_start(w.t, w.bad->context);
    dx_settle(w.t);
    SET(w.t, "inject-hang-fence", "%" PRIu64, (uint64_t)0);
    DX_WAIT(w.t, dx_context_status(w.t, w.bad->context).suspend_fence ==
            suspend);
    dx_resume(w.t, w.bad->context);
    dx_wait_done(w.bad);
    g_assert_cmpuint(dx_fence_now(w.bad), ==, 0xffff);
    dx_stop(w.t);
}

static void test_hang_node(void)
{
    World w = begin("");

    SET(w.t, "inject-hang-nodes", "%u", 2u);
    submit(w.other);
    dx_settle(w.t);
    g_assert_cmpuint(dx_fence_now(w.other), ==, 0);
    dx_assert_works(w.same);
    SET(w.t, "inject-hang-nodes", "%u", 0u);
    assert_done_once(w.other);
    dx_stop(w.t);
}

static void test_held_back(void)
{
    World w = begin("threads=1");
    uint64_t suspend, removal;

    SET(w.t, "inject-hold-suspends", "%i", true);
    SET(w.t, "inject-hold-removals", "%i", true);
    suspend = dx_suspend_start(w.t, w.same->context);
    removal = dx_remove_start(w.bad);
    dx_settle(w.t);
    g_assert_cmpuint(dx_context_status(w.t, w.same->context).suspend_fence, ==,
                     0);
    g_assert_cmpuint(dx_queue_status(w.t, w.bad->id).remove_fence, ==, 0);
    dx_assert_works(w.other);
    SET(w.t, "inject-hold-removals", "%i", false);
    DX_WAIT(w.t, dx_queue_status(w.t, w.bad->id).remove_fence == removal);
    g_assert_cmpuint(dx_context_status(w.t, w.same->context).suspend_fence, ==,
                     0);
    reset(w.t, 0);
    DX_WAIT(w.t, dx_context_status(w.t, w.same->context).suspend_fence ==
            suspend);
    dx_stop(w.t);
}

/*
 * Rings that are held back: they come when they are not, and the end of a
 * binding does not wait for that (DEV-4, ORD-8).
 */
static void rings_held(const char *properties)
{
    World w = begin(properties);

    dx_bind(w.same, 0);
    dx_bind(w.other, 1);
    dx_settle(w.t);
    SET(w.t, "inject-hold-rings", "%i", true);
    dx_submit_fence(w.same);
    dx_ring(w.t, 0, w.same->wp);
    dx_submit_fence(w.other);
    dx_ring(w.t, 1, w.other->wp);
    dx_settle(w.t);
    g_assert_cmpuint(dx_stat(w.t, "doorbell_writes"), ==, 2);
    g_assert_cmpuint(dx_fence_now(w.same), ==, 0);
    g_assert_cmpuint(dx_fence_now(w.other), ==, 0);

    dx_unbind(w.t, 0);
    assert_done_once(w.same);
    dx_settle(w.t);
    g_assert_cmpuint(dx_fence_now(w.other), ==, 0);
    SET(w.t, "inject-hold-rings", "%i", false);
    assert_done_once(w.other);
    dx_submit_fence(w.other);
    dx_ring(w.t, 1, w.other->wp);
    assert_done_once(w.other);
    dx_stop(w.t);
}

static void test_rings_held(void)
{
    rings_held("");
}

static void test_rings_held_threads(void)
{
    rings_held("threads=2");
}

static uint64_t entries_to_fault(DxTest *t)
{
    QDict *answer = qtest_qmp(t->qts, "{'execute': 'qom-get', 'arguments': "
                              "{'path': %s, 'property': 'inject-fault-entry'}}",
                              DX_QOM_PATH);
    uint64_t entries = qdict_get_int(answer, "return");

    qobject_unref(answer);
    return entries;
}

/* The third entry faults, of whichever queue it is; then no other one. */
static void fault_entry(const char *properties)
{
    World w = begin(properties);
    struct dxgpu_queue_status status;

    g_assert_cmpuint(entries_to_fault(w.t), ==, 3);
    dx_assert_works(w.same);
    SET(w.t, "inject-hang-fence", "%" PRIu64, (uint64_t)0);
    dx_assert_works(w.other);
    g_assert_cmpuint(entries_to_fault(w.t), ==, 1);
    submit(w.bad);
    status = dx_wait_fault(w.bad, DXGPU_FAULT_UNMAPPED);
    g_assert_cmphex(status.fault_gpuva, ==, w.bad->ring.gpuva);
    g_assert_cmpuint(dx_fence_now(w.bad), ==, 0);
    g_assert_cmpuint(entries_to_fault(w.t), ==, 0);
    dx_assert_works(w.same);
    dx_assert_works(w.other);

    SET(w.t, "inject-fault-entry", "%u", 1u);
    submit(w.other);
    dx_wait_fault(w.other, DXGPU_FAULT_UNMAPPED);
    dx_assert_works(w.same);
    g_assert_cmpuint(dx_stat(w.t, "faults"), ==, 2);
    dx_stop(w.t);
}

static void test_fault_entry(void)
{
    fault_entry("inject-fault-entry=3");
}

static void test_fault_entry_threads(void)
{
    fault_entry("threads=2,inject-fault-entry=3");
}

/* The engine that cannot be reset; the device can. */
static void test_reset_refused(void)
{
    World w = begin("");
    uint64_t fence;

    hang(&w);
    SET(w.t, "inject-engine-reset", "%s", "refuse");
    g_assert_cmpuint(dx_command(w.t, DXGPU_CMD_ENGINE_RESET, 0, 1), ==,
                     DXGPU_CMD_ERR_HARDWARE);
    SET(w.t, "inject-engine-reset", "%s", "ignore");
    fence = reset_start(w.t, 0);
    dx_settle(w.t);
    g_assert_cmpuint(dx_node_status(w.t, 0).reset_fence, <, fence);
    g_assert_cmpuint(dx_command(w.t, DXGPU_CMD_ENGINE_RESUME, 0), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_queue_status(w.t, w.bad->id).state, ==,
                     DXGPU_QUEUE_RUNNING);

    dx_reg_write(w.t, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
    DX_WAIT(w.t, dx_reg(w.t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    dx_enable(w.t);
    w.t->next_space = w.t->next_context = w.t->next_queue = 0;
    dx_assert_works(dx_new_queue(w.t));
    dx_stop(w.t);
}

static void test_ids(void)
{
    DxTest *t = dx_start("nodes=3d");
    uint32_t commands[] = { DXGPU_CMD_ENGINE_RESET, DXGPU_CMD_ENGINE_RESUME };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_assert_cmpuint(dx_command(t, commands[i], 1, 1), ==,
                         DXGPU_CMD_ERR_ID);
        g_assert_cmpuint(dx_command(t, commands[i], 1ull << 32, 1), ==,
                         DXGPU_CMD_ERR_ID);
        g_assert_cmpuint(dx_command(t, commands[i], ~0ull, 1), ==,
                         DXGPU_CMD_ERR_ID);
    }
    reset(t, 0);
    resume(t, 0);
    resume(t, 0);
    dx_assert_works(dx_new_queue(t));
    dx_stop(t);
}

static void test_lost_interrupts(void)
{
    DxTest *t = dx_start("inject-lose-interrupts=1");
    DxQueue *q = dx_new_queue(t);

    dx_irq_start(t);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK);
    dx_suspend(t, q->context);
    dx_settle(t);
    g_assert_false(dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_ACK);
    dx_reg_write(t, DXGPU_REG_INT_CAUSE, DXGPU_INT_ACK);
    dx_suspend(t, q->context);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmpuint(dx_stat(t, "interrupts"), ==, 1);
    dx_stop(t);
}

/* A value that is refused is named, with what is allowed, and has no effect. */
static void test_bad_values(void)
{
    static const struct {
        const char *property;
        const char *value;
        const char *message;
    } rows[] = {
        { "inject-hang-nodes", "8",
          "dxgpu: property 'inject-hang-nodes' is 0x8, must be 0..0x7, a bit "
          "per node" },
        { "inject-engine-reset", "'never'",
          "Parameter 'inject-engine-reset' does not accept value 'never'" },
        { "inject-hang-fence", "'0xbad'", NULL },
        { "inject-fault-entry", "4294967296", NULL },
        { "inject-fault-entry", "true", NULL },
        { "inject-hold-removals", "1", NULL },
        { "inject-hold-flr", "1", NULL },
        { "inject-hold-reset", "'on'", NULL },
        { "inject-hold-rings", "1", NULL },
        { "inject-hold-suspends", "'maybe'", NULL },
        { "inject-lose-interrupts", "4294967296", NULL },
    };
    World w = begin("");
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        QObject *value = qobject_from_json(rows[i].value, &error_abort);
        QDict *answer = qtest_qmp(w.t->qts, "{'execute': 'qom-set', "
                                  "'arguments': {'path': %s, 'property': %s, "
                                  "'value': %p}}", DX_QOM_PATH,
                                  rows[i].property, value);
        QDict *error = qdict_get_qdict(answer, "error");

        g_assert_nonnull(error);
        if (rows[i].message) {
            g_assert_cmpstr(qdict_get_str(error, "desc"), ==, rows[i].message);
        }
        qobject_unref(answer);
    }
    dx_assert_works(w.bad);
    dx_remove(w.bad);
    dx_stop(w.t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/engine/FH-27-hang-and-reset", test_hang_and_reset);
    qtest_add_func("dxgpu/engine/record", test_record);
    qtest_add_func("dxgpu/engine/hang-node", test_hang_node);
    qtest_add_func("dxgpu/engine/FH-6-reset-refused", test_reset_refused);
    qtest_add_func("dxgpu/engine/ORD-8-rings-held", test_rings_held);
    qtest_add_func("dxgpu/engine/FH-13-fault-entry", test_fault_entry);
    qtest_add_func("dxgpu/engine/SEC-22-ids", test_ids);
    qtest_add_func("dxgpu/engine/DEV-13-lost-interrupts",
                   test_lost_interrupts);
    qtest_add_func("dxgpu/engine/bad-values", test_bad_values);
    qtest_add_func("dxgpu/engine/thread/FH-27-hang-and-reset",
                   test_hang_and_reset_thread);
    qtest_add_func("dxgpu/engine/threads/FH-27-hang-and-reset",
                   test_hang_and_reset_threads);
    qtest_add_func("dxgpu/engine/threads/mid-packet", test_mid_packet);
    qtest_add_func("dxgpu/engine/threads/ORD-8-rings-held",
                   test_rings_held_threads);
    qtest_add_func("dxgpu/engine/threads/FH-13-fault-entry",
                   test_fault_entry_threads);
    qtest_add_func("dxgpu/engine/thread/hang-ends", test_hang_ends);
    qtest_add_func("dxgpu/engine/thread/DEV-13-held-back", test_held_back);
    return g_test_run();
}
