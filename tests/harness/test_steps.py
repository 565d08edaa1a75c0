# SPDX-License-Identifier: GPL-2.0-or-later
"""When a set-up step is stale, and what its failure says."""

import contextlib
import io
import os
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from dxglib import host, modules, paths, proc, steps
from dxglib.errors import SetupError


class Steps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        for name in ("STAMP", "LOG"):
            patch = mock.patch.object(paths, name, self.top / name.lower())
            patch.start()
            self.addCleanup(patch.stop)
        self.inputs = self.top / "in"
        self.inputs.mkdir()
        (self.inputs / "a").write_text("1")
        self.output = self.top / "made"
        self.runs = 0

    def step(self, run=None):
        def make(_context):
            self.runs += 1
            self.output.write_text("x")
        return steps.Step("one", "test", lambda: ("v1", self.inputs),
                          [self.output], run or make)

    def update(self, step):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            ran = step.update()
        return ran, said.getvalue()

    def test_runs_once(self):
        ran, said = self.update(self.step())
        self.assertTrue(ran)
        self.assertIn("one: done in", said)
        ran, said = self.update(self.step())
        self.assertFalse(ran)
        self.assertEqual(said, "")
        self.assertEqual(self.runs, 1)

    def test_changed_added_and_removed_inputs(self):
        self.update(self.step())
        (self.inputs / "a").write_text("22")
        self.assertTrue(self.update(self.step())[0])
        (self.inputs / "b").write_text("1")
        self.assertTrue(self.update(self.step())[0])
        (self.inputs / "b").unlink()
        self.assertTrue(self.update(self.step())[0])
        self.assertFalse(self.update(self.step())[0])

    def test_missing_output(self):
        self.update(self.step())
        self.output.unlink()
        self.assertTrue(self.update(self.step())[0])

    def test_failure_shows_the_logs_tail_and_stays_stale(self):
        def run(context):
            context.command(["sh", "-c", "echo the reason; exit 7"],
                            "making it", ["a hint"])
        with self.assertRaises(SetupError) as caught:
            self.update(self.step(run))
        self.assertIn("making it failed (status 7)",
                      caught.exception.message)
        self.assertIn("| the reason", caught.exception.detail)
        self.assertIn("a hint", caught.exception.detail)
        self.assertFalse(self.step().fresh())

    def test_unmade_output_is_an_error(self):
        with self.assertRaisesRegex(SetupError, "was not made"):
            self.update(self.step(lambda context: None))

    def test_unknown_program(self):
        def run(context):
            context.command(["/nonexistent/tool"], "making it")
        with self.assertRaisesRegex(SetupError, "cannot run"):
            self.update(self.step(run))

    def test_link_farm(self):
        farm = self.top / "farm"
        modules.link_farm(farm, {"": self.inputs, "sub": self.inputs})
        (farm / "a.o").write_text("built")
        self.assertEqual((farm / "sub/a").read_text(), "1")
        (self.inputs / "a").unlink()
        (self.inputs / "c").write_text("3")
        modules.link_farm(farm, {"": self.inputs})
        left = sorted(str(path.relative_to(farm))
                      for path in farm.rglob("*") if not path.is_dir())
        self.assertEqual(left, ["a.o", "c"])


class HostPart(unittest.TestCase):
    def test_a_file_no_longer_made_is_no_longer_there(self):
        """A change of what meson makes as it reads begins from nothing."""
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(paths, "TESTS", Path(folder)):
            found = {}
            for name, text in (("makes", "configure_file(output: 'a.h')\n"),
                               ("other", "test('a')\n")):
                (Path(folder) / name).mkdir()
                found[name] = Path(folder) / name / "meson.build"
                found[name].write_text(text)
            before = steps.fingerprint(*host.setup_inputs())
            found["other"].write_text("test('another')\n")
            self.assertEqual(steps.fingerprint(*host.setup_inputs()), before)
            found["makes"].write_text("configure_file(output: 'another.h')\n")
            self.assertNotEqual(steps.fingerprint(*host.setup_inputs()),
                                before)


class Children(unittest.TestCase):
    def test_end_reaches_the_whole_group(self):
        read, write = os.pipe()
        child = proc.spawn(["sh", "-c", "sleep 100 & echo $!; wait"],
                           stdout=write)
        os.close(write)
        with os.fdopen(read) as lines:
            grandchild = int(lines.readline())
        begin = time.monotonic()
        proc.end(child)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertTrue(proc.wait_gone(grandchild, 5))
