# SPDX-License-Identifier: GPL-2.0-or-later
"""The cpio writer, read back by BusyBox."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from dxglib import paths
from dxglib.cpio import Cpio


def fields(data, number):
    """Header field NUMBER of the first entry."""
    return int(data[6 + 8 * number:14 + 8 * number], 16)


class Writer(unittest.TestCase):
    def test_header(self):
        archive = Cpio()
        archive.file("ab", b"hello", 0o755)
        data = archive.bytes()
        self.assertEqual(data[:6], b"070701")
        self.assertEqual(fields(data, 1), 0o100755)
        self.assertEqual(fields(data, 6), 5)
        self.assertEqual(fields(data, 11), 3)
        self.assertEqual(data[110:113], b"ab\0")
        self.assertEqual(data[116:121], b"hello")

    def test_padded_for_a_second_archive(self):
        archive = Cpio()
        archive.file("x", b"1")
        self.assertEqual(len(archive.bytes()) % 512, 0)

    def test_same_input_same_bytes(self):
        def make():
            archive = Cpio()
            archive.file("a/b/c", b"data")
            archive.link("l", "a/b")
            return archive.bytes()
        self.assertEqual(make(), make())

    def test_parents_are_made_once(self):
        archive = Cpio()
        archive.file("a/b", b"")
        archive.file("a/c", b"")
        # "a", "a/b", "a/c" and the trailer.
        self.assertEqual(archive.bytes().count(b"070701"), 4)

    def test_paths_cannot_leave_the_root(self):
        archive = Cpio()
        archive.file("/../../etc/x", b"")
        self.assertIn(b"etc/x\0", archive.bytes())
        self.assertNotIn(b"..", archive.bytes())

    def test_busybox_reads_it(self):
        archive = Cpio()
        archive.folder("d", 0o700)
        archive.file("d/file", b"x" * 1001, 0o640)
        archive.link("d/link", "file")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([paths.BUSYBOX, "cpio", "-i"], cwd=folder,
                           input=archive.bytes(), check=True,
                           stderr=subprocess.DEVNULL)
            made = Path(folder) / "d"
            self.assertEqual((made / "file").read_bytes(), b"x" * 1001)
            self.assertEqual((made / "file").stat().st_mode & 0o777, 0o640)
            self.assertEqual((made / "link").readlink(), Path("file"))
            self.assertEqual(made.stat().st_mode & 0o777, 0o700)
