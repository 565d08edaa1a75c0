# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg test --sanitize` and `--coverage`: what they read and what they refuse."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from dxglib import coverage, paths, qemu, sanitize, testlist
from dxglib.errors import DxgError, SetupError

GCOV = """\
File '../../hw/include/dxgpu/regs.h'
Lines executed:50.00% of 2
No branches
No calls

File '../../hw/dxgpu/core/exec.c'
Lines executed:97.66% of 128
Branches executed:100.00% of 89
Taken at least once:92.13% of 89
Calls executed:95.00% of 40

Lines executed:97.00% of 130
"""


class Reports(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory(dir=paths.BUILD)
        self.addCleanup(kept.cleanup)
        self.enterContext(mock.patch.object(sanitize, "FOLDER",
                                            Path(kept.name)))

    def test_kept_and_named(self):
        sanitize.environment("qtest:one")
        path = sanitize.folder("qtest:one") / "report.123"
        path.write_text("==123==ERROR: AddressSanitizer: overflow\n  #0 f\n")
        report, = sanitize.reports("qtest:one")
        self.assertIn("AddressSanitizer: overflow", report)
        self.assertIn(str(path.relative_to(paths.REPO)), report)
        self.assertTrue(path.exists())

    def test_none(self):
        sanitize.environment("qtest:one")
        self.assertEqual(sanitize.reports("qtest:one"), [])
        self.assertFalse(sanitize.folder("qtest:one").exists())

    def test_remark(self):
        """What is said of every QEMU with coroutines is no report."""
        sanitize.environment("qtest:one")
        (sanitize.folder("qtest:one") / "report.1").write_text(
            "".join(f"==1==WARNING: {remark} and so on\n"
                    for remark in sanitize.REMARKS))
        self.assertEqual(sanitize.reports("qtest:one"), [])

    def test_older_ones_go(self):
        sanitize.environment("qtest:one")
        (sanitize.folder("qtest:one") / "report.1").write_text("old\n")
        sanitize.environment("qtest:one")
        self.assertEqual(sanitize.reports("qtest:one"), [])

    def test_environment(self):
        names = sanitize.environment("guest:a#2")
        self.assertEqual(names["DXG_QEMU"], qemu.SANITIZED.name)
        for tool in ("ASAN", "UBSAN"):
            self.assertIn("halt_on_error=1", names[f"{tool}_OPTIONS"])
            self.assertIn(str(sanitize.folder("guest:a#2")),
                          names[f"{tool}_OPTIONS"])


class Suppressions(unittest.TestCase):
    def test_nothing_of_ours(self):
        """Each entry is QEMU's or a library's and has its reason above."""
        for path in sanitize.SUPPRESSIONS.glob("*.supp"):
            before = ""
            for line in path.read_text().splitlines():
                with self.subTest(f"{path.name}: {line}"):
                    if line and not line.startswith("#"):
                        self.assertNotIn("dxgpu", line)
                        self.assertNotIn(line.partition(":")[2], ("", "*"))
                        self.assertTrue(before.startswith("#"))
                before = line


class Choice(unittest.TestCase):
    def test_build(self):
        with mock.patch.dict(os.environ, {"DXG_QEMU": "other"}):
            with self.assertRaises(SetupError) as caught:
                qemu.chosen()
        self.assertIn("other", str(caught.exception))
        with mock.patch.dict(os.environ, {"DXG_QEMU": "qemu-sanitize"}):
            self.assertIs(qemu.chosen(), qemu.SANITIZED)

    def test_suites(self):
        tests = [testlist.Test(suite, [suite], ["true"], {}, None, 10, True)
                 for suite in testlist.SUITES]
        usual = [test.suite for test in testlist.choose(tests, [], False)]
        self.assertNotIn("sanitize", usual)
        chosen = testlist.choose(tests, [], False, sanitize.SUITES)
        self.assertEqual({test.suite for test in chosen},
                         set(sanitize.SUITES))

    def test_limit(self):
        test = testlist.Test("a", ["guest"], ["true"], {}, None, 10, True)
        self.assertEqual(test.limit_s(False), 10)
        test.slow = sanitize.SLOW
        self.assertEqual(test.limit_s(False), 10 * sanitize.SLOW)


class Coverage(unittest.TestCase):
    def test_row(self):
        row = coverage.parse(GCOV, [184, 189, 190])
        self.assertEqual((row.name, row.lines, row.percent, row.branches),
                         ("exec.c", 128, 97.66, 89))
        text = coverage.table([row])
        self.assertIn("184 189-190", text)
        self.assertIn("97.7%", text)

    def test_no_row(self):
        with self.assertRaises(DxgError):
            coverage.parse("nothing\n", [])
