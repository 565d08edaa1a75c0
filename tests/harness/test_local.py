# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU_SRC and KERNEL_DEBS: local copies are taken instead of downloads.

Each test runs the set-up of a copy of scripts/ in a folder of its own, so the
build folder of this checkout stays as it is.
"""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from dxglib import paths


class Local(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.top = Path(holder.name)
        self.repo = self.top / "repo"
        shutil.copytree(paths.SCRIPTS, self.repo / "scripts",
                        ignore=shutil.ignore_patterns("__pycache__"))

    def setup_step(self, step, **env):
        return subprocess.run(
            [self.repo / "scripts/dxg", "setup", "--only", step], text=True,
            capture_output=True, stdin=subprocess.DEVNULL, check=False,
            env={**os.environ, **{name: str(value)
                                  for name, value in env.items()}})

    def refused(self, done, *naming):
        self.assertEqual(done.returncode, 3, done.stderr)
        for text in naming:
            self.assertIn(str(text), done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_qemu_source_is_copied(self):
        tree = self.top / "qemu"
        tree.mkdir()
        (tree / "configure").write_text("#!/bin/sh\n")
        (tree / "VERSION").write_text("10.0.99\n")
        (tree / "system").mkdir()
        (tree / "system/physmem.c").write_text("mended upstream\n")
        done = self.setup_step("qemu-source", QEMU_SRC=tree)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("10.0.99, iotlb not there to mend", done.stderr)
        copy = self.repo / "build/qemu-src"
        self.assertEqual((copy / "VERSION").read_text(), "10.0.99\n")
        self.assertFalse(copy.is_symlink())

    def test_qemu_source_is_none(self):
        self.refused(self.setup_step("qemu-source", QEMU_SRC=self.top),
                     f"QEMU_SRC={self.top}", "configure")

    def test_qemu_source_is_missing(self):
        self.refused(self.setup_step("qemu-source", QEMU_SRC="/nonexistent"),
                     "QEMU_SRC=/nonexistent")

    def test_kernel_packages_are_missing(self):
        self.refused(self.setup_step("kernel-6.1", KERNEL_DEBS=self.top),
                     f"KERNEL_DEBS={self.top}", "linux-image-6.1")
