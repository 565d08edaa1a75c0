# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixes of QEMU: made once, left out where not needed, never half made."""

import tempfile
import unittest
from pathlib import Path

from dxglib import qemu_fixes
from dxglib.errors import SetupError


def defective(fix):
    """A file that has the defect: what the fix exchanges, one after another."""
    return "\n".join(["first", *(old for old, _ in fix.exchanges), "last"])


class Fixes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.qemu = Path(self.folder.name)
        for fix in qemu_fixes.FIXES:
            self.path(fix).parent.mkdir(parents=True, exist_ok=True)
            self.path(fix).write_text(defective(fix))

    def path(self, fix):
        return self.qemu / fix.path

    def test_each_is_known_by_what_it_takes_away(self):
        for fix in qemu_fixes.FIXES:
            self.assertIsNotNone(qemu_fixes.fixed(defective(fix), fix))
            self.assertTrue(any(fix.defect in old for old, _ in fix.exchanges))

    def test_every_exchange_is_made(self):
        self.assertEqual(qemu_fixes.apply(self.qemu),
                         [fix.name for fix in qemu_fixes.FIXES])
        for fix in qemu_fixes.FIXES:
            text = self.path(fix).read_text()
            self.assertEqual(text, "\n".join(
                ["first", *(new for _, new in fix.exchanges), "last"]))

    def test_twice_changes_nothing(self):
        qemu_fixes.apply(self.qemu)
        before = [self.path(fix).read_text() for fix in qemu_fixes.FIXES]
        self.assertEqual(qemu_fixes.apply(self.qemu), [])
        self.assertEqual(before, [self.path(fix).read_text()
                                  for fix in qemu_fixes.FIXES])

    def test_a_source_without_the_defect_is_left_alone(self):
        for fix in qemu_fixes.FIXES:
            self.path(fix).write_text("mended upstream\n")
        self.assertEqual(qemu_fixes.apply(self.qemu), [])
        for fix in qemu_fixes.FIXES:
            self.assertEqual(self.path(fix).read_text(), "mended upstream\n")

    def test_a_defect_in_an_unknown_source_is_refused(self):
        for fix in qemu_fixes.FIXES:
            self.path(fix).write_text(f"first\n{fix.defect}last\n")
        with self.assertRaisesRegex(SetupError, "0 times"):
            qemu_fixes.apply(self.qemu)

    def test_no_source_is_named(self):
        with self.assertRaisesRegex(SetupError, "no QEMU source"):
            qemu_fixes.apply(self.qemu / "elsewhere")


if __name__ == "__main__":
    unittest.main()
