# SPDX-License-Identifier: GPL-2.0-or-later
"""The scan of the guest's kernel log."""

import unittest

from dxglib import kmsg

QUIET = """\
[    0.000000] Linux version 6.1.0
[    1.424997] virtio-pci 0000:00:01.0: enabling device (0000 -> 0002)
[    1.5] warning: this is no kernel WARNING
[    2.0] dxgpu 0000:01:00.0: BUGGY is a word
"""


class Scan(unittest.TestCase):
    def test_a_clean_log(self):
        self.assertEqual(kmsg.problems(QUIET), [])

    def test_each_kind(self):
        for line in (
                "[ 1.0] WARNING: CPU: 1 PID: 9 at drivers/x.c:12 f+0x1/0x2",
                "[ 1.0] BUG: kernel NULL pointer dereference, address: 0",
                "[ 1.0] kernel BUG at mm/slub.c:1!",
                "[ 1.0] Oops: 0002 [#1] PREEMPT SMP NOPTI",
                "[ 1.0] INFO: task dxg-job:9 blocked for more than 120 s.",
                "[ 1.0] WARNING: possible circular locking dependency",
                "[ 1.0] [ BUG: Invalid wait context ]",
                "[ 1.0] BUG: sleeping function called from invalid context",
                "[ 1.0] BUG kmalloc-64 (Tainted: G  O): Poison overwritten",
                "[ 1.0] pagealloc: memory corruption",
                "[ 1.0] refcount_t: underflow; use-after-free.",
                "[ 1.0] BUG: KASAN: slab-use-after-free in f",
                "[ 1.0] UBSAN: array-index-out-of-bounds in x.c:1:2",
                "[ 1.0] general protection fault, maybe for address 0x1",
                "[ 1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
                "[ 1.0] rcu: INFO: rcu_preempt self-detected stall on CPU"):
            with self.subTest(line):
                self.assertEqual(kmsg.problems(QUIET + line + "\n"), [line])

    def test_what_follows_is_shown(self):
        text = QUIET + "[ 3] BUG: x\n[ 3] Call Trace:\n[ 3]  f+0x1/0x2\n"
        self.assertEqual(len(kmsg.problems(text)), 3)

    def test_long_logs_are_cut(self):
        self.assertEqual(len(kmsg.problems("[ 3] BUG: x\n" * 500)), 80)

    def test_panic(self):
        text = (QUIET + "[ 3.1] BUG: kernel NULL pointer dereference\r\n"
                "[ 3.2] Kernel panic - not syncing: Fatal exception\r\n")
        self.assertEqual(kmsg.panic(text), "Fatal exception")
        self.assertEqual(kmsg.panic_cause(text),
                         "BUG: kernel NULL pointer dereference")

    def test_no_panic(self):
        self.assertIsNone(kmsg.panic(QUIET))
        self.assertIsNone(kmsg.panic_cause(QUIET))
