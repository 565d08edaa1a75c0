/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share: an input read piece by piece, a small world, and
 * the invariants that hold between two calls of the core whatever a guest does.
 *
 * A target is one file with LLVMFuzzerTestOneInput(). libFuzzer's main calls
 * it in the fuzz build; replay.c's main in the unit build. Every input gets a
 * world of its own, with zeroed memory, so that a file found once fails again.
 * A broken invariant aborts through g_assert, as everything in fake.h does.
 *
 * The world is tests/unit's with less memory (FAKE_BYTES is set by the build):
 * 64 MiB for each input would be all that a fuzzer does.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "fake.h"
#include "state.h"

struct input {
    const uint8_t *at;
    size_t left;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next bytes, little-endian; zeros after the end. */
uint8_t input_u8(struct input *in);
uint16_t input_u16(struct input *in);
uint32_t input_u32(struct input *in);
uint64_t input_u64(struct input *in);
/* Fills len bytes, with zeros after the end. */
void input_bytes(struct input *in, void *buf, size_t len);

/* An enabled device with zeroed memory; config as fake_new(). */
struct fake *fuzz_new(const struct dxgpu_core_config *config);

/*
 * A small one with two workers, whose memory begins with a page that serves as
 * root table and maps itself and what follows at GPUVA 0 up: the device reads
 * and writes its own tables.
 *
 * An input whose first byte is 0xf8 or more chooses with it how the doorbells
 * lie: the model, their distance, whether there are secondary ones. One with
 * another first byte has dedicated doorbells, two to a slot, a page each, and
 * the byte is the target's.
 */
struct fake *fuzz_new_mirror(struct input *in);

/*
 * Writes to the doorbells. The right queue was rung and no other: the one that
 * is bound to the place, in the global model the one of the address space whose
 * slot it is that the value names (DEV-1, SEC-7, MOD-9). One that is of a wrong
 * size or place rings nobody (DEV-3).
 */
void fuzz_ring(struct fake *f, uint64_t offset, uint32_t bytes,
               uint64_t value);

/* Everything of a fuzz_new_mirror() that the front may change. */
struct fuzz_objects {
    struct dxgpu_space spaces[2];
    struct dxgpu_context contexts[3];
    struct dxgpu_queue queues[70];
    struct dxgpu_node nodes[3];
    uint32_t slots[4];
    struct dxgpu_request *requests[2];
    uint64_t pending[2][2];
};

/* Copies it, so that two states can be compared byte by byte. */
void fuzz_take(struct fake *f, struct fuzz_objects *o);

/*
 * One dxgpu_core_run() of each worker, one after the other, with all invariants
 * of it: no more steps than the budget, no more samples, the consistency of
 * fuzz_check(). Returns true if one of them has more to do.
 */
bool fuzz_run(struct fake *f);

/*
 * The tables agree with one another, with the counters, with the status region
 * and with what the worker was told. Not while a turn is under way.
 */
void fuzz_check(struct fake *f);

/*
 * All there is comes to an end: each queue is removed and acknowledged in a
 * bounded number of rounds, then the device is reset and its tables are empty.
 */
void fuzz_end(struct fake *f);

#endif /* FUZZ_H */
