# SPDX-License-Identifier: GPL-2.0-or-later
"""The time-stamp counter's frequency: measured, and told to the guest."""

import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from dxglib import clock, machine


class Clock(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.result = Path(folder.name) / "tsc-khz"
        patch = mock.patch.object(clock, "RESULT", self.result)
        patch.start()
        self.addCleanup(patch.stop)

    def test_measurements_agree(self):
        found = []
        for _ in range(3):
            clock.measure(mock.Mock(command=lambda argv, _what:
                                    subprocess.run(argv, check=True)))
            found.append(int(self.result.read_text()))
            time.sleep(0.1)
        if found[0] == 0:
            self.skipTest("no time-stamp counter on this machine")
        self.assertIn(found[0], clock.KHZ)
        self.assertLess(max(found) - min(found), found[0] // 1000)

    def test_guest_is_told(self):
        self.result.write_text("2600000\n")
        words = machine.kernel_line(machine.Config()).split()
        self.assertIn("tsc_early_khz=2600000", words)

    def test_no_measurement_no_word(self):
        self.assertEqual(clock.kernel_args(), [])
        for text in ("0\n", "", "x", "69515\n"):
            self.result.write_text(text)
            self.assertEqual(clock.kernel_args(), [], text)
