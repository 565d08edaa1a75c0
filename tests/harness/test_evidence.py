# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests below the runner: what a failing one leaves, and that none is left.

The device is there, no driver of ours: these test the harness alone.
"""

import signal
import time
from pathlib import Path

import fakes
from dxglib import paths, proc, testlist

DXG = str(paths.SCRIPTS / "dxg")


def guest(name, script, *options):
    """A Test that is a shell script in a guest of its own."""
    return testlist.Test(
        name, ["guest"], [DXG, "exec", "--tap", "--drivers", "none", *options,
                          "--", "sh", "-c", script],
        {}, None, 300, True)


def below(pid):
    """Process ids of all descendants of PID."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *below(int(child))]
    return found


class Guests(fakes.Case):
    def test_a_failing_guest_leaves_console_and_trace(self):
        found, = self.outcomes(guest(
            "bad", "echo 1..1; echo not ok 1 - broken; "
                   "echo '<6>seen-on-the-console' > /dev/kmsg; exit 1"))
        self.assertEqual(found.summary.failures, ["not ok 1 - broken"],
                         found.stderr)
        left = {path.name: path.read_text(errors="replace")
                for path in found.place.iterdir()}
        self.assertEqual(sorted(left), [
            "command.txt", "console.log", "qemu.log", "stderr.txt",
            "stdout.txt", "trace.log"])
        self.assertIn("seen-on-the-console", left["console.log"])
        self.assertIn("dxgpu_realize", left["trace.log"])
        self.assertIn("not ok 1", left["stdout.txt"])
        self.assertIn("--tap", left["command.txt"])

    def test_so_does_one_that_panics_and_one_that_hangs(self):
        found = self.outcomes(
            guest("panic", "echo c > /proc/sysrq-trigger"),
            guest("hang", "sleep 1000", "--timeout", "1"), jobs=2)
        console = {outcome.test.name: (outcome.place / "console.log")
                   .read_text(errors="replace") for outcome in found}
        self.assertIn("Kernel panic", console["panic"])
        self.assertIn("Show Blocked State", console["hang"])

    def test_a_passing_guest_leaves_nothing(self):
        found, = self.outcomes(guest("good", "echo 1..1; echo ok 1"))
        self.assertIsNone(found.place, found.stderr)
        self.assertFalse((self.failures / "guest.good").exists())

    def test_interrupt_ends_all_guests(self):
        child = self.dxg([guest(f"t{n}", "sleep 1000") for n in range(2)],
                         "test", "--jobs", "2")
        until = time.monotonic() + 120
        while len(emulators := [
                pid for pid in below(child.pid)
                if b"qemu" in Path(f"/proc/{pid}/cmdline").read_bytes()]) < 2:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130, err)
        for pid in emulators:
            self.assertTrue(proc.wait_gone(pid, 20), "QEMU still runs")
