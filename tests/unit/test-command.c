/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands: every id, argument and state that can be wrong, with its result
 * and without an effect (SEC-22), and what each success changes.
 */
#include "fake.h"

#define VA 0x10000000ull

static void test_opcodes(void)
{
    struct fake *f = fake_new(NULL);
    uint32_t op, known = 0;

    for (op = 0; op < 0x200; op++) {
        if (fake_cmd1(f, op, 0xffff) != DXGPU_CMD_ERR_OPCODE) {
            known++;
        }
    }
    g_assert_cmpuint(known, ==, 14);
    g_assert_cmpint(fake_cmd1(f, 0xffffffff, 0), ==, DXGPU_CMD_ERR_OPCODE);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_COMMANDS), ==, 0x201);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_COMMAND_ERRORS), ==, 0x201);
    fake_free(f);
}

static void test_disabled(void)
{
    struct fake *f = fake_new(NULL);

    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_SPACE_CREATE, 0, FAKE_BASE), ==,
                    DXGPU_CMD_ERR_STATE);
    fake_run(f);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_SPACE_CREATE, 0, FAKE_BASE), ==,
                    DXGPU_CMD_ERR_STATE);
    g_assert_cmpint(fake_cmd1(f, 0x99, 0), ==, DXGPU_CMD_ERR_OPCODE);
    dxgpu_core_control(f->core, DXGPU_CONTROL_ENABLE);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_SPACE_CREATE, 0, FAKE_BASE), ==,
                    DXGPU_CMD_OK);
    fake_free(f);
}

static void test_space(void)
{
    struct fake *f = fake_new(NULL);
    uint32_t create = DXGPU_CMD_SPACE_CREATE;

    g_assert_cmpint(fake_cmd2(f, create, 4, 0), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd2(f, create, 1ull << 32, 0), ==,
                    DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd2(f, create, 3, 0x1008), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(fake_cmd2(f, create, 3, 1ull << 52), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(fake_cmd2(f, create, 3, 0x1000), ==, DXGPU_CMD_OK);
    g_assert_cmpint(fake_cmd2(f, create, 3, 0x1000), ==,
                    DXGPU_CMD_ERR_EXISTS);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SPACES), ==, 1);

    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_SPACE_DESTROY, 4), ==,
                    DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_SPACE_DESTROY, 2), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    fake_context(f, 0, 3, 0);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_SPACE_DESTROY, 3), ==,
                    DXGPU_CMD_ERR_BUSY);
    fake_cmd1(f, DXGPU_CMD_CONTEXT_DESTROY, 0);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_SPACE_DESTROY, 3), ==,
                    DXGPU_CMD_OK);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SPACES), ==, 0);
    fake_free(f);
}

static void test_invalidate(void)
{
    struct fake *f = fake_new(NULL);
    uint32_t op = DXGPU_CMD_SPACE_INVALIDATE;

    fake_space(f, 0);
    g_assert_cmpint(fake_cmd4(f, op, 4, 0, 0, 1), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd4(f, op, 1, 0, 0, 1), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(fake_cmd4(f, op, 0, 1ull << 48, 0, 1), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(fake_cmd4(f, op, 0, 4096, 1ull << 48, 1), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(fake_cmd4(f, op, 0, 0, 1ull << 48, 1), ==, DXGPU_CMD_OK);

    /* Two before the worker comes: the newer fence speaks for both. */
    g_assert_cmpint(fake_cmd4(f, op, 0, 0, 0, 2), ==, DXGPU_CMD_OK);
    fake_run(f);
    g_assert_cmpuint(fake_space_status(f, 0)->invalidate_fence, ==, 2);

    /* The fence comes, and stays, though the space is gone. */
    g_assert_cmpint(fake_cmd4(f, op, 0, 0, 0, 3), ==, DXGPU_CMD_OK);
    fake_cmd1(f, DXGPU_CMD_SPACE_DESTROY, 0);
    fake_run(f);
    g_assert_cmpuint(fake_space_status(f, 0)->invalidate_fence, ==, 3);
    fake_free(f);
}

static void test_context(void)
{
    struct fake *f = fake_new(NULL);
    uint32_t create = DXGPU_CMD_CONTEXT_CREATE;
    uint64_t root = fake_space(f, 0);

    g_assert_cmpint(fake_cmd3(f, create, 8, 0, 0), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd3(f, create, 0, 4, 0), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd3(f, create, 0, 0, 3), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd3(f, create, 0, 1, 0), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(fake_cmd3(f, create, 0, 0, 2), ==, DXGPU_CMD_OK);
    g_assert_cmpint(fake_cmd3(f, create, 0, 0, 0), ==, DXGPU_CMD_ERR_EXISTS);

    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_DESTROY, 8), ==,
                    DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_DESTROY, 7), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, 8, 1), ==,
                    DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, 7, 1), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 8), ==,
                    DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 7), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0), ==,
                    DXGPU_CMD_OK);

    fake_queue(f, 0, 0, root, 16);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_DESTROY, 0), ==,
                    DXGPU_CMD_ERR_BUSY);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 0, 1);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_DESTROY, 0), ==,
                    DXGPU_CMD_ERR_BUSY);
    fake_run(f);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_DESTROY, 0), ==,
                    DXGPU_CMD_OK);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_CONTEXTS), ==, 0);
    fake_free(f);
}

static enum dxgpu_cmd_result create_queue(struct fake *f, uint64_t id,
                                          uint64_t context, uint64_t ring,
                                          uint64_t entries, uint64_t control)
{
    return fake_command(f, DXGPU_CMD_QUEUE_CREATE, id, context, ring, entries,
                        control, 0);
}

static void test_queue_create(void)
{
    const uint64_t end = 1ull << 48;
    struct fake *f = fake_new(NULL);

    fake_space(f, 0);
    fake_context(f, 0, 0, 0);
    g_assert_cmpint(create_queue(f, 130, 0, VA, 16, VA), ==,
                    DXGPU_CMD_ERR_ID);
    g_assert_cmpint(create_queue(f, 0, 8, VA, 16, VA), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(create_queue(f, 0, 1, VA, 16, VA), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(create_queue(f, 0, 0, VA, 0, VA), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, VA, 1, VA), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, VA, 24, VA), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, VA, 2048, VA), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, VA, 1ull << 63, VA), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, VA + 32, 16, VA), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, VA, 16, VA + 64), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, end - 256, 16, VA), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, -512ull, 16, VA), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpint(create_queue(f, 0, 0, VA, 16, end), ==,
                    DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, 0);
    g_assert_cmpuint(fake_queue_status(f, 0)->state, ==, DXGPU_QUEUE_ABSENT);

    g_assert_cmpint(create_queue(f, 0, 0, VA, 1024, end - 128), ==,
                    DXGPU_CMD_OK);
    g_assert_cmpint(create_queue(f, 0, 0, VA, 16, VA), ==,
                    DXGPU_CMD_ERR_EXISTS);
    g_assert_cmpint(create_queue(f, 1, 0, end - 512, 16, VA), ==,
                    DXGPU_CMD_OK);
    g_assert_cmpuint(fake_queue_status(f, 0)->state, ==, DXGPU_QUEUE_IDLE);

    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 130, 1), ==,
                    DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 2, 1), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 130), ==,
                    DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 2), ==,
                    DXGPU_CMD_ERR_NOT_FOUND);
    fake_free(f);
}

static void test_doorbell(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 1);
    uint32_t bind = DXGPU_CMD_DOORBELL_BIND;
    uint32_t unbind = DXGPU_CMD_DOORBELL_UNBIND;

    fake_queue(f, 1, 0, q.root, 16);
    g_assert_cmpint(fake_cmd2(f, bind, 4, 1), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd2(f, bind, 0, 130), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd2(f, bind, 0, 9), ==, DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(fake_cmd2(f, bind, 1, 1), ==, DXGPU_CMD_ERR_BUSY);
    g_assert_cmpint(fake_cmd2(f, bind, 0, 0), ==, DXGPU_CMD_ERR_BUSY);
    g_assert_cmpint(fake_cmd1(f, unbind, 4), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(fake_cmd1(f, unbind, 0), ==, DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, 1);

    g_assert_cmpint(fake_cmd1(f, unbind, 1), ==, DXGPU_CMD_OK);
    g_assert_cmpint(fake_cmd2(f, bind, 1, 1), ==, DXGPU_CMD_OK);
    g_assert_cmpint(fake_cmd2(f, bind, 3, 0), ==, DXGPU_CMD_OK);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, 2);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_BINDS), ==, 3);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_UNBINDS), ==, 1);
    fake_free(f);
}

static void test_interrupt_registers(void)
{
    struct fake *f = fake_new(NULL);

    fake_space(f, 0);
    fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, 1);
    fake_run(f);
    g_assert_cmpuint(dxgpu_core_int_cause(f->core), ==, DXGPU_INT_ACK);
    g_assert_cmpuint(f->vectors[0], ==, 0);

    /* Enabled with the cause set: fires. Set again: does not. */
    dxgpu_core_set_int_enable(f->core, 0xffffffff);
    g_assert_cmpuint(dxgpu_core_int_enable(f->core), ==, 7);
    g_assert_cmpuint(f->vectors[0], ==, 1);
    fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, 2);
    fake_run(f);
    g_assert_cmpuint(f->vectors[0], ==, 1);

    /* Cleared by writing 1, others stay; then it fires again. */
    dxgpu_core_int_clear(f->core, DXGPU_INT_FAULT);
    g_assert_cmpuint(dxgpu_core_int_cause(f->core), ==, DXGPU_INT_ACK);
    dxgpu_core_int_clear(f->core, DXGPU_INT_ACK);
    g_assert_cmpuint(dxgpu_core_int_cause(f->core), ==, 0);
    fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, 3);
    fake_run(f);
    g_assert_cmpuint(f->vectors[0], ==, 2);
    fake_free(f);
}

static void test_config(void)
{
    static const struct dxgpu_core_ops none;
    struct dxgpu_core_config config;

#define REFUSED(field, value)                                               \
    do {                                                                    \
        config = fake_config();                                             \
        config.field = value;                                               \
        g_assert_null(dxgpu_core_create(&config, &none, NULL, NULL));       \
    } while (0)

    REFUSED(slots, 0);
    REFUSED(slots, DXGPU_CORE_LIMIT_SLOTS + 1);
    REFUSED(queues, 0);
    REFUSED(queues, DXGPU_CORE_LIMIT_QUEUES + 1);
    REFUSED(contexts, 0);
    REFUSED(spaces, 0);
    REFUSED(packet_budget, 0);
    REFUSED(ring_max_entries, 0);
    REFUSED(ring_max_entries, 1);
    REFUSED(ring_max_entries, 24);
    REFUSED(ring_max_entries, DXGPU_CORE_LIMIT_RING_ENTRIES * 2);
}

/* Every counter has a name of its own. */
static void test_stat_names(void)
{
    int i, j;

    for (i = 0; i < DXGPU_STAT_COUNT; i++) {
        g_assert_nonnull(dxgpu_stat_name(i));
        for (j = 0; j < i; j++) {
            g_assert_cmpstr(dxgpu_stat_name(i), !=, dxgpu_stat_name(j));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/command/opcodes", test_opcodes);
    g_test_add_func("/command/disabled", test_disabled);
    g_test_add_func("/command/space", test_space);
    g_test_add_func("/command/invalidate", test_invalidate);
    g_test_add_func("/command/context", test_context);
    g_test_add_func("/command/queue-create", test_queue_create);
    g_test_add_func("/command/doorbell", test_doorbell);
    g_test_add_func("/interrupt/registers", test_interrupt_registers);
    g_test_add_func("/create/config", test_config);
    g_test_add_func("/stats/names", test_stat_names);
    return g_test_run();
}
