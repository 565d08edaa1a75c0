#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make-corpus.py: write corpus/TARGET/NAME, the fuzzers' first inputs.

Each input is described here in words of its target's record format, which is
told at the top of fuzz-TARGET.c. The files are kept in the repository so that
no test needs Python; after a change here, run this and commit both.
"""

import struct
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"


def u8(*values):
    return bytes(values)


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def packet(opcode, operands=b"", flags=0):
    return struct.pack("<BBHI", opcode, flags, 8 + len(operands), 0) + operands


NOP = packet(0)
FENCE = packet(1, u64(0x1000) + u64(7), flags=1)
COPY = packet(2, u64(0x1000) + u64(0x9000) + u32(4096) + u32(0))
OVERLAP = packet(2, u64(0x1000) + u64(0x1800) + u32(4096) + u32(0))
FILL = packet(3, u64(0x2000) + u32(64) + u32(0xabcdef01))
CRC = packet(4, u64(0x1000) + u64(0x3000) + u32(100) + u32(0))
STAMP = packet(5, u64(0x2008))
DELAY = packet(6, u64(1000))
INDIRECT = packet(7, u64(0x4000) + u32(64) + u32(0))
END = packet(1, u64((1 << 48) - 8) + u64(1))
BEYOND = packet(1, u64(1 << 48) + u64(1))

PACKET = {
    "each": NOP + FENCE + COPY + FILL + CRC + STAMP + DELAY + INDIRECT,
    "long-nop": struct.pack("<BBHI", 0, 0, 256, 0) + bytes(248),
    "end-of-space": END + BEYOND,
    "overlap": OVERLAP,
    "cut": COPY[:24],
}

READ, WRITE, LOAD, STORE = range(4)
FRESH, WHOLE = 4, 8


def pte(page, index, target, flags):
    return u8(1, page) + u16(index) + u8(target, flags)


def raw_pte(page, index, value):
    return u8(0, page) + u16(index) + u64(value)


def access(how, indices=(0, 0, 0, 0), offset=0, length=8):
    size = b"" if how & 2 else u32(length - 1)
    return u8(2, how, *indices) + u16(offset) + size


TABLES = pte(0, 0, 1, 1) + pte(1, 0, 2, 1) + pte(2, 0, 3, 1)
PAGES = TABLES + b"".join(pte(3, i, 16 + i, 7) for i in range(4))
WALK = {
    "read-write": PAGES + access(WRITE | FRESH, length=9000) +
                  access(READ | FRESH, length=9000) +
                  access(STORE) + access(LOAD),
    "scattered": PAGES + pte(3, 1, 40, 7) + pte(3, 2, 30, 3) +
                 access(WRITE | FRESH, offset=0xffc, length=8) +
                 access(READ, length=12288),
    "large": pte(0, 0, 1, 1) + pte(1, 0, 2, 1) + pte(2, 0, 0, 15) +
             access(READ | FRESH, (0, 0, 0, 9), 0xff0, 64),
    "reserved": PAGES + raw_pte(3, 0, 0x4001_0017) + access(READ | FRESH) +
                raw_pte(3, 1, 1 << 63 | 7) + access(LOAD, (0, 0, 0, 1)),
    "no-memory": PAGES + raw_pte(3, 0, 7) + access(LOAD | FRESH) +
                 u8(4, 0) + access(READ | FRESH) + u8(4, 1),
    "stale": PAGES + access(LOAD) + pte(3, 0, 50, 7) + access(LOAD) + u8(3) +
             access(LOAD),
    "beyond": PAGES + u8(2, READ | WHOLE) + u64((1 << 48) - 4) + u32(7),
    "own-tables": TABLES + pte(3, 0, 3, 7) + access(WRITE | FRESH, length=64) +
                  access(READ, length=64),
}


def submit(queue, opcode, a=0x8000, b=0x9000, n=64, flags=0):
    return u8(6, queue, opcode, flags) + u16(a) + u16(b) + u16(n) + u8(0)


def turns(n):
    return u8(5, 0, n - 1)


RING = {
    "each": b"".join(submit(0, op, flags=op == 1) + turns(3)
                     for op in range(8)),
    "three": submit(0, 1) + submit(1, 2) + submit(2, 3) + turns(8) +
             submit(2, 4) + submit(1, 7, a=0x2800) + turns(16),
    "wp-back": submit(0, 1) + turns(4) + u8(3, 0, 0xff) + turns(2),
    "wp-far": u8(2, 2) + u64(1 << 63) + u8(4, 2, 9) + turns(2),
    "delay": submit(0, 6, a=0xffff, n=50000) + turns(2) + submit(1, 1) +
             turns(2) + u8(10, 0) + u32(60000) + turns(4),
    "suspend": submit(1, 2, n=30000) + u8(8, 0, 5) + turns(1) + u8(9, 0) +
               turns(4),
    "new-life": submit(0, 1) + u8(7, 0, 3) + u64(1 << 40) + submit(0, 1) +
                turns(4),
    "bad-entry": u8(1, 2) + u16(4) + u16(12) + u8(0, 1, 0) + u8(3, 2, 1) +
                 turns(2),
    "nested": u8(0, 2) + u16(0x2000) + u8(47) +
              2 * packet(7, u64(0x202000) + u32(48) + u32(0)) +
              u8(1, 2) + u16(0x2000) + u16(48) + u8(0, 1, 0) + u8(3, 2, 1) +
              turns(8),
    "read-only": submit(0, 3, a=0xf000) + turns(2),
}

(SPACE, SPACE_END, INVALIDATE, CONTEXT, CONTEXT_END, SUSPEND, RESUME, QUEUE,
 REMOVE, KICK, BIND, UNBIND, ENGINE_RESET, ENGINE_RESUME) = range(14)


def command(which, *args):
    return u8(0, which, 0) + bytes(args).ljust(6, b"\0")


def run(n):
    return u8(8, n - 1)


# How doorbells lie, if an input begins with it: fuzz.c's layouts.
(DEDICATED, PACKED, PAIRS, SPARSE, GLOBAL, GLOBAL_ONE, GLOBAL_WIDE,
 GLOBAL_SPARSE) = (u8(0xf8 + i) for i in range(8))


def ring(slot, queue, node=0):
    return u8(6, slot | node << 6, queue)


# The ring lies at 0x2000 (128 * 64), ring control at 0x3000 (96 * 128).
SETUP = (command(SPACE, 0) + command(CONTEXT, 0, 0, 0) +
         command(QUEUE, 5, 0, 128, 2, 96, 0))
# A second address space, with queue 6 on node 1.
TWO = (command(SPACE, 1) + command(CONTEXT, 1, 1, 1) +
       command(QUEUE, 6, 1, 128, 2, 96, 0))
WP_ONE = u8(9) + u16(0x3000) + u64(1)
# An entry with one NOP, which is at 0x4000.
ENTRY = (u8(9) + u16(0x2000) + u64(0x4000) + u8(9) + u16(0x2008) + u64(8) +
         u8(9) + u16(0x4000) + u64(8 << 16))
# Faults of the hardware: node 0 hangs; nothing is acknowledged; none.
HANG, HOLD, SOUND = u8(12, 9), u8(12, 0x60), u8(12, 0)
HUNG = (SETUP + command(BIND, 1, 5) + ENTRY + WP_ONE + HANG + u8(6, 1, 1) +
        run(2) + command(SUSPEND, 0, 1) + command(REMOVE, 5, 2) + run(1))
COMMANDS = {
    "life": SETUP + command(BIND, 1, 5) + WP_ONE + u8(6, 1, 1) + run(4) +
            command(UNBIND, 1) + command(REMOVE, 5, 9) + run(2) +
            command(CONTEXT_END, 0) + command(SPACE_END, 0),
    "errors": command(KICK, 5) + SETUP + SETUP + command(SPACE_END, 0) +
              command(CONTEXT_END, 0) + command(BIND, 1, 5) +
              command(BIND, 1, 5) + command(UNBIND, 3) + command(BIND, 9, 5) +
              u8(0, 255, 0) + u32(0x99) + bytes(6),
    "suspend": SETUP + command(BIND, 0, 5) + command(SUSPEND, 0, 1) +
               WP_ONE + u8(6, 0, 1) + run(2) + command(RESUME, 0) + run(4),
    "reset": SETUP + command(BIND, 0, 5) + command(REMOVE, 5, 2) +
             command(INVALIDATE, 0, 0, 0, 3) + u8(7, 2) + command(KICK, 5) +
             run(1) + u8(7, 1) + SETUP + run(1),
    "cold": SETUP + command(BIND, 0, 5) + u8(6, 0, 1) + u8(11, 0) + run(1) +
            u8(7, 1) + SETUP + u8(6, 0, 1),
    "asleep": SETUP + command(BIND, 0, 5) + u8(11, 17) + u8(6, 0, 1) +
              u8(11, 16) + run(2) + u8(10, 7, 7),
    # Slots 4 to 7 of the doorbells are the secondary ones of 0 to 3.
    "secondary": SETUP + command(BIND, 1, 5) + WP_ONE + u8(6, 5, 1) + run(4) +
                 u8(6, 21, 1) + u8(6, 9, 1) + u8(6, 37, 1, 0, 8, 1),
    "hang-reset": HUNG + command(ENGINE_RESET, 0, 3) + run(2) +
                  command(ENGINE_RESUME, 0) + run(2),
    "hang-ends": HUNG + SOUND + run(2) + command(RESUME, 0) + run(2),
    "held-back": SETUP + HOLD + command(SUSPEND, 0, 1) +
                 command(REMOVE, 5, 2) + run(2) + command(ENGINE_RESET, 0, 3) +
                 run(2) + command(SUSPEND, 0, 4) + run(1) + SOUND + run(1),
    "interrupts": u8(10, 0, 7) + SETUP + command(SUSPEND, 0, 1) + run(1) +
                  u8(10, 1, 0),
    # Slot, value and node each have to be those of the queue.
    "global": GLOBAL + SETUP + TWO + command(BIND, 0, 5) + command(BIND, 1, 6) +
              command(BIND, 1, 5) + WP_ONE + ring(0, 5) + ring(0, 6, 1) +
              ring(1, 6, 1) + ring(1, 6) + ring(1, 5) + ring(2, 5) +
              ring(3, 6, 1) + run(4) + command(UNBIND, 1, 5) +
              command(UNBIND, 0, 5) + ring(0, 5) + command(CONTEXT_END, 1),
    "global-wide": GLOBAL_WIDE + SETUP + TWO + command(BIND, 0, 5) +
                   command(BIND, 0, 6) + WP_ONE + ring(0, 5) + ring(2, 5) +
                   u8(6, 32, 0, 16, 8, 5) + run(4) + command(REMOVE, 5, 2),
    "global-life": GLOBAL_SPARSE + SETUP + command(BIND, 0, 5) + WP_ONE +
                   ring(0, 5) + run(4) + command(REMOVE, 5, 9) + run(2) +
                   ring(0, 5) + command(CONTEXT_END, 0) +
                   command(SPACE_END, 0) + command(SPACE, 1) +
                   command(CONTEXT, 0, 1, 0) +
                   command(QUEUE, 5, 0, 128, 2, 96, 0) + command(BIND, 0, 5) +
                   command(BIND, 1, 5) + ring(0, 5) + ring(1, 5) + run(4),
    "packed": PACKED + SETUP + command(BIND, 1, 5) + WP_ONE + ring(1, 5) +
              u8(6, 32, 64, 0, 8, 5) + u8(6, 32, 8, 0, 8, 5) +
              u8(6, 32, 64, 16, 8, 5) + run(4),
    "pairs": PAIRS + SETUP + command(BIND, 1, 5) + WP_ONE + ring(1, 5) +
             ring(5, 5) + ring(9, 5) + run(4),
}

NUMBERS, SPACES, CONTEXTS, NODES, QUEUES = range(5)
LOAD_IT = u8(5, 255)


def number(kind, index, offset, value):
    """The 4-byte number at an offset of an object; 8 bytes for value > 255."""
    wide = 0x88 if value > 255 else 0
    return (u8(0, kind | wide, index, offset // 4) +
            (u64(value) if wide else u8(value)))


def bit(kind, index, number):
    return u8(3, kind, index) + u16(number)


# The slot, and in the global model the value that is written.
def work(rounds, slot=255):
    return u8(6, rounds - 1, slot)


# Offsets are those of snapshot.h; flags lie at byte 4 of each object.
SNAPSHOT = {
    "moved": LOAD_IT + work(2) + LOAD_IT + work(16) + LOAD_IT,
    "rung": work(1) + LOAD_IT + work(4, 0) + LOAD_IT + work(4, 1),
    "state": number(NUMBERS, 0, 0, 2) + LOAD_IT + work(2) +
             number(NUMBERS, 0, 0, 1) + LOAD_IT + work(2),
    "counts": number(NUMBERS, 0, 24, 200) + LOAD_IT +
              number(NUMBERS, 0, 24, 2) + LOAD_IT + work(3),
    "requests": bit(SPACES, 0, 33) + bit(SPACES, 0, 34) +
                bit(CONTEXTS, 0, 33) + bit(CONTEXTS, 0, 34) +
                bit(CONTEXTS, 1, 35) + bit(CONTEXTS, 1, 36) +
                bit(QUEUES, 3, 37) + LOAD_IT + work(3) + LOAD_IT,
    "faulted": bit(QUEUES, 0, 38) + number(QUEUES, 1, 12, 0) + LOAD_IT +
               work(2),
    "slots": number(QUEUES, 2, 12, 3) + LOAD_IT + number(QUEUES, 3, 12, 3) +
             LOAD_IT,
    "ring": number(QUEUES, 0, 24, 1 << 47) + number(QUEUES, 1, 40, 9) +
            LOAD_IT + number(QUEUES, 0, 16, 16) + LOAD_IT + work(4),
    "executing": work(1) + number(QUEUES, 0, 104, 1) + LOAD_IT + work(1) +
                 bit(QUEUES, 1, 40) + LOAD_IT + work(1) +
                 number(QUEUES, 0, 168, 1 << 20) + LOAD_IT + work(4),
    "copied": u8(4, QUEUES, 4, 0) + number(QUEUES, 4, 0, 4) +
              number(QUEUES, 4, 12, 2) + number(NUMBERS, 0, 24, 5) +
              LOAD_IT + work(3),
    "global": GLOBAL + work(2, 0) + LOAD_IT + work(2, 0x51) +
              number(QUEUES, 2, 12, 0) + number(QUEUES, 3, 12, 1) + LOAD_IT +
              work(4, 0x20) + work(4, 0x71) + number(QUEUES, 0, 12, 1) +
              LOAD_IT,
    "packed": PACKED + work(2, 1) + LOAD_IT + number(QUEUES, 2, 12, 3) +
              LOAD_IT + work(4, 3),
}

# QEMU's generic fuzzer: operations with the word FUZZ between them. Region 0
# holds the registers, 3 the doorbells; each DMA read takes the next of the
# patterns.


def operations(*parts):
    return b"FUZZ".join(parts)


def write(offset, value, region=0, size=3):
    return struct.pack("<BBBxxIQ", 3, size,
                       region, offset, value)


def pattern(data):
    return u8(7, 0, 0) + data


def command_args(opcode, *args):
    return [*(write(0x100 + 8 * i, arg) for i, arg in enumerate(args)),
            write(0x140, opcode, size=2)]


ENABLE = write(0x84, 1, size=2)
TABLE = pattern(u64(0x400007))
BEGIN = [ENABLE, *command_args(0x01, 0, 0x400000), *command_args(0x10, 0, 0, 0),
         *command_args(0x20, 0, 0, 0x2000, 16, 0x3000, 0),
         *command_args(0x30, 0, 0)]
ENTRY = u64(0x5000) + u32(24) + u32(0) + u64(1) + bytes(40)
# What the walks and reads of one entry find: WP, the entry, its packet, the fence.
WORK = [*([TABLE] * 5), pattern(u64(1)), *([TABLE] * 4), pattern(ENTRY),
        *([TABLE] * 4), pattern(FENCE), *([TABLE] * 4), *BEGIN]
TIME = u8(9) + u64(1000000)


def generic_rings(*rings):
    """Work, and rings of (offset, value) of the doorbells."""
    return operations(*WORK, *(write(*ring, region=3) for ring in rings), TIME)


GENERIC = {
    "enable": operations(ENABLE, write(0x84, 2, size=2)),
    "queue": operations(*BEGIN, *command_args(0x21, 0, 7)),
    "work": generic_rings((0, 1)),
    "read": operations(u8(2, 2, 0, 0, 0) + u32(0), u8(4, 2, 0, 0)),
}
# The value is the queue and its node; slots are those of address spaces.
GENERIC_GLOBAL = {
    "rings": generic_rings((0, 0), (0, 1), (4096, 0)),
    "unbind": operations(*BEGIN, *command_args(0x31, 0, 0),
                         *command_args(0x21, 0, 7)),
}
# Eight slots to a page; the secondary doorbells follow the second page.
GENERIC_PACKED = {
    "rings": generic_rings((0, 1), (512, 1), (8192, 1)),
    "places": generic_rings((8, 1), (8704, 1), (16384, 1)),
}

for target, inputs in {"packet": PACKET, "walk": WALK, "ring": RING,
                       "commands": COMMANDS, "snapshot": SNAPSHOT,
                       "generic": GENERIC, "generic-global": GENERIC_GLOBAL,
                       "generic-packed": GENERIC_PACKED}.items():
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in inputs.items():
        (folder / name).write_bytes(data)
