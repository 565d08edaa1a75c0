# SPDX-License-Identifier: GPL-2.0-or-later
"""The overlay: idempotent, reversible, and strict about its anchors."""

import tempfile
import unittest
from pathlib import Path

from dxglib import overlay
from dxglib.errors import SetupError


class Overlay(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.qemu = Path(self.folder.name) / "qemu"
        self.repo = Path(self.folder.name) / "repo"
        for line in overlay.DEVICE_LINES + overlay.QTEST_LINES:
            path = self.qemu / line.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"first\n{line.anchor}\nlast\n")
        (self.qemu / "include").mkdir()
        for part in ("hw/dxgpu", "tests/qtest"):
            (self.repo / part).mkdir(parents=True)
            (self.repo / part / "meson.build").write_text("")

    def texts(self):
        return {line.path: (self.qemu / line.path).read_text()
                for line in overlay.DEVICE_LINES + overlay.QTEST_LINES}

    def test_lines_follow_their_anchors(self):
        overlay.apply(self.qemu, self.repo)
        for line in overlay.DEVICE_LINES + overlay.QTEST_LINES:
            self.assertEqual(self.texts()[line.path],
                             f"first\n{line.anchor}\n{line.text}\nlast\n")
        self.assertEqual((self.qemu / "hw/dxgpu").readlink(),
                         self.repo / "hw/dxgpu")

    def test_twice_changes_nothing(self):
        overlay.apply(self.qemu, self.repo)
        before = self.texts()
        stamp = (self.qemu / "meson.build").stat().st_mtime_ns
        overlay.apply(self.qemu, self.repo)
        self.assertEqual(self.texts(), before)
        self.assertEqual((self.qemu / "meson.build").stat().st_mtime_ns,
                         stamp)

    def test_gone_with_our_side(self):
        before = self.texts()
        overlay.apply(self.qemu, self.repo)
        (self.repo / "hw/dxgpu/meson.build").unlink()
        (self.repo / "tests/qtest/meson.build").unlink()
        overlay.apply(self.qemu, self.repo)
        self.assertEqual(self.texts(), before)
        self.assertFalse((self.qemu / "hw/dxgpu").is_symlink())

    def test_moved_anchor_is_named(self):
        (self.qemu / "hw/meson.build").write_text("subdir('other')\n")
        with self.assertRaisesRegex(SetupError, r"hw/meson\.build.*0 times"):
            overlay.apply(self.qemu, self.repo)

    def test_double_anchor_is_refused(self):
        anchor = overlay.DEVICE_LINES[0].anchor
        (self.qemu / "hw/Kconfig").write_text(f"{anchor}\n{anchor}\n")
        with self.assertRaisesRegex(SetupError, "2 times"):
            overlay.apply(self.qemu, self.repo)

    def test_a_real_folder_is_not_replaced(self):
        (self.qemu / "hw/dxgpu").mkdir(parents=True)
        with self.assertRaisesRegex(SetupError, "is no link"):
            overlay.apply(self.qemu, self.repo)

    def test_no_qemu_at_all(self):
        (self.qemu / "hw/Kconfig").unlink()
        with self.assertRaisesRegex(SetupError, "no QEMU source"):
            overlay.apply(self.qemu, self.repo)
