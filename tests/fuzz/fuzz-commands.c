/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the front. Commands of the window in any order with any
 * arguments, doorbells, registers, resets, sleep, and turns of the worker in
 * between. A command that fails must have had no effect (SEC-22); all that
 * fuzz_check() knows must hold after each record.
 *
 * The world is fuzz_new_mirror()'s: queues of any geometry find memory.
 *
 * Input: how doorbells lie, then one record after the other; its first byte
 * mod 13 is what to do (0 to 5: a command), see record().
 */
#include <string.h>

#include "fuzz.h"

#define MAX_RECORDS     300
#define MAX_TURNS       300
#define MAX_BYTES       (1u << 20)

static const uint8_t opcodes[] = {
    DXGPU_CMD_SPACE_CREATE, DXGPU_CMD_SPACE_DESTROY,
    DXGPU_CMD_SPACE_INVALIDATE, DXGPU_CMD_CONTEXT_CREATE,
    DXGPU_CMD_CONTEXT_DESTROY, DXGPU_CMD_CONTEXT_SUSPEND,
    DXGPU_CMD_CONTEXT_RESUME, DXGPU_CMD_QUEUE_CREATE, DXGPU_CMD_QUEUE_REMOVE,
    DXGPU_CMD_QUEUE_KICK, DXGPU_CMD_DOORBELL_BIND, DXGPU_CMD_DOORBELL_UNBIND,
    DXGPU_CMD_ENGINE_RESET, DXGPU_CMD_ENGINE_RESUME,
};

static void command(struct fake *f, struct input *in)
{
    static struct fuzz_objects before, after;
    uint64_t args[DXGPU_CMD_NUM_ARGS] = { 0 };
    uint8_t which = input_u8(in), wide = input_u8(in);
    uint32_t opcode = which < 240 ? opcodes[which % G_N_ELEMENTS(opcodes)]
                                  : input_u32(in);
    uint64_t errors = fake_stat(f, DXGPU_STAT_COMMAND_ERRORS);
    uint64_t count = fake_stat(f, DXGPU_STAT_COMMANDS);
    enum dxgpu_cmd_result result;
    uint32_t i;

    for (i = 0; i < 6; i++) {
        args[i] = wide >> i & 1 ? input_u64(in) : input_u8(in);
    }
    if (!(wide & 64)) {
        /* Plausible places: the argument's small number becomes one. */
        if (opcode == DXGPU_CMD_SPACE_CREATE) {
            args[1] = FAKE_BASE;
        } else if (opcode == DXGPU_CMD_QUEUE_CREATE) {
            args[2] *= DXGPU_RING_ALIGN;
            args[3] = 2u << args[3] % 8;
            args[4] *= DXGPU_RING_CONTROL_ALIGN;
        }
    }
    fuzz_take(f, &before);
    result = dxgpu_core_command(f->core, opcode, args);
    fuzz_take(f, &after);

    g_assert_cmpuint(result, <=, DXGPU_CMD_ERR_HARDWARE);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_COMMANDS), ==, count + 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_COMMAND_ERRORS), ==,
                     errors + (result != DXGPU_CMD_OK));
    if (result) {
        g_assert_true(!memcmp(&before, &after, sizeof(before)));
    }
    if (dxgpu_core_status(f->core) != DXGPU_STATUS_ENABLED) {
        g_assert_true(result == DXGPU_CMD_ERR_STATE ||
                      result == DXGPU_CMD_ERR_OPCODE);
    }
}

static void turns(struct fake *f, uint32_t n, uint32_t *left)
{
    while (n-- && *left && fake_stat(f, DXGPU_STAT_CRC_BYTES) +
           fake_stat(f, DXGPU_STAT_COPY_BYTES) < MAX_BYTES) {
        --*left;
        if (!fuzz_run(f)) {
            break;
        }
    }
}

/*
 * A write to the doorbells: of a slot, of its secondary doorbell, behind the
 * last, or of any size anywhere; a value of 8 bits and a node.
 */
static void ring(struct fake *f, struct input *in)
{
    uint8_t at = input_u8(in);
    uint64_t offset = at % 16 * f->config.doorbell_stride;
    uint32_t bytes = at & 16 ? 4 : 8;

    if (at & 32) {
        offset += input_u16(in);
        bytes = input_u8(in);
    }
    fuzz_ring(f, offset, bytes, DXGPU_DOORBELL_VALUE(input_u8(in), at >> 6));
}

/* Faults of the hardware, a bit or two each. */
static void inject(struct fake *f, uint8_t bits)
{
    const struct dxgpu_inject faults = {
        .hang_fence = bits >> 3 & 3,
        .hang_nodes = bits & 7,
        .hold_rings = bits % 5 == 4,
        .hold_suspends = bits >> 5 & 1,
        .hold_removals = bits >> 6 & 1,
        .hold_reset = bits >> 7 & 1,
        .engine_reset = bits % 3,
    };

    dxgpu_core_inject(f->core, &faults);
    dxgpu_core_set_fault_entry(f->core, bits % 7);
}

static void record(struct fake *f, struct input *in, uint32_t *left)
{
    uint64_t value;
    uint16_t at;

    switch (input_u8(in) % 13) {
    case 6:
        ring(f, in);
        break;
    case 7:
        dxgpu_core_control(f->core, input_u8(in));
        break;
    case 8:
        turns(f, 1 + input_u8(in) % 16, left);
        break;
    case 9:                     /* memory, tables included */
        at = input_u16(in);
        value = input_u64(in);
        memcpy(f->mem + (at & ~7u), &value, sizeof(value));
        break;
    case 10:
        dxgpu_core_int_clear(f->core, input_u8(in));
        dxgpu_core_set_int_enable(f->core, input_u8(in));
        g_assert_cmpuint(dxgpu_core_int_enable(f->core) & ~7u, ==, 0);
        g_assert_cmpuint(dxgpu_core_int_cause(f->core) & ~7u, ==, 0);
        break;
    case 11:
        at = input_u8(in);
        if (at < 16) {
            dxgpu_core_cold_reset(f->core);
            g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 0);
        } else if (at < 64) {
            dxgpu_core_set_asleep(f->core, at & 1);
        } else if (at < 96) {
            f->bus_master = at & 1;
        } else {
            f->clock += input_u32(in);
        }
        break;
    case 12:
        inject(f, input_u8(in));
        break;
    default:
        command(f, in);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    uint32_t records = 0, left = MAX_TURNS;
    struct fake *f = fuzz_new_mirror(&in);

    while (in.left && records++ < MAX_RECORDS) {
        record(f, &in, &left);
        fuzz_check(f);
    }
    fuzz_end(f);
    return 0;
}
