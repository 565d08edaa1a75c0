# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrong arguments: exit code 2, the value and the range named, no set-up."""

import errno
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from dxglib import paths, run
from dxglib.errors import UsageError

DXG = str(paths.SCRIPTS / "dxg")


def dxg(*arguments, **env):
    return subprocess.run([DXG, *arguments], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, "DXG_NO_SETUP": "1", **env})


class Usage(unittest.TestCase):
    def refused(self, *arguments, naming):
        done = dxg(*arguments)
        self.assertEqual(done.returncode, 2, done.stderr)
        for text in naming:
            self.assertIn(text, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_no_command(self):
        self.refused(naming=["COMMAND"])

    def test_unknown_command(self):
        self.refused("frobnicate", naming=["frobnicate", "exec"])

    def test_numbers(self):
        for option, value, span in (
                ("--slots", "0", "1..4096"), ("--slots", "4097", "1..4096"),
                ("--slots", "four", "1..4096"), ("--slots", "-1", "-1"),
                ("--slots", "", "1..4096"), ("--slots", "4.5", "1..4096"),
                ("--queues", "0", "1..4096"),
                ("--processes", "257", "1..256"),
                ("--cpus", "0", "1..16"), ("--memory", "1", "128..16384"),
                ("--timeout", "0", "1..86400"),
                ("--migrate", "0", "1..100"),
                ("--snapshot", "101", "1..100")):
            with self.subTest(f"{option} {value}"):
                self.refused("run", option, value, naming=[option, span])

    def test_more_processes_than_queues(self):
        self.refused("run", "--queues", "2", "--processes", "3",
                     naming=["3", "1..2"])

    def test_input_missing(self):
        self.refused("run", "--input", "/nonexistent/file",
                     naming=["/nonexistent/file", "No such file"])

    def test_input_is_a_folder(self):
        self.refused("run", "--input", "/tmp", naming=["/tmp", "directory"])

    def test_input_is_a_device(self):
        self.refused("run", "--input", "/dev/zero",
                     naming=["/dev/zero", "not a regular file"])

    def test_input_empty(self):
        with tempfile.NamedTemporaryFile() as empty:
            self.refused("run", "--input", empty.name,
                         naming=[empty.name, "0 bytes", "1.."])

    def test_input_unreadable(self):
        # Root, as CI is, reads everything: open() itself has to refuse.
        denied = PermissionError(errno.EACCES, "Permission denied")
        with (mock.patch("builtins.open", side_effect=denied),
              self.assertRaisesRegex(UsageError, "/x: Permission denied")):
            run.check_input(Path("/x"))

    def test_unknown_kernel(self):
        self.refused("setup", "--kernel", "5.10", naming=["5.10", "6.1", "6.12"])

    def test_unknown_step(self):
        done = dxg("setup", "--only", "nonsense", DXG_NO_SETUP="0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("qemu-build", done.stderr)

    def test_exec_without_command(self):
        self.refused("exec", naming=["needs a command"])

    def test_exec_missing_files(self):
        self.refused("exec", "--copy", "/nonexistent", "--", "true",
                     naming=["--copy /nonexistent"])
        self.refused("exec", "--module", "/nonexistent.ko", "--", "true",
                     naming=["--module /nonexistent.ko"])

    def test_copy_to_a_relative_place(self):
        self.refused("exec", "--copy", "/etc/passwd:x", "--", "true",
                     naming=["absolute"])

    def test_unknown_driver(self):
        self.refused("exec", "--drivers", "nonsense", "--", "true",
                     naming=["nonsense", "there are"])

    def test_device_with_no_device(self):
        self.refused("exec", "--no-device", "--device", "slots=1", "--",
                     "true", naming=["contradicts"])

    def test_filter_without_a_match(self):
        self.refused("test", "-k", "no-such-test", naming=["no-such-test"])

    def test_numbers_of_test(self):
        for option, value, span in (
                ("--jobs", "0", "1..64"), ("--jobs", "65", "1..64"),
                ("--repeat", "0", "1..100000"), ("--repeat", "x", "x"),
                ("--shuffle", "-1", "-1"),
                ("--shuffle", "4294967296", "0..4294967295")):
            with self.subTest(f"{option} {value}"):
                self.refused("test", f"{option}={value}",
                             naming=[option, span])

    def test_junit_that_cannot_be_written(self):
        self.refused("test", "--junit", "/nonexistent/file",
                     naming=["--junit /nonexistent/file", "No such file"])

    def test_help_tells_the_exit_codes(self):
        done = dxg("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("5 hang", " ".join(done.stdout.split()))
