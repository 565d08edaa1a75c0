# SPDX-License-Identifier: GPL-2.0-or-later
"""dxg exec with real guests: exit codes, streams, files, and no orphans.

No device and no driver of ours is used: these test the harness alone.
"""

import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from dxglib import kernel, modules, paths, proc

DXG = str(paths.SCRIPTS / "dxg")
BARE = ("--no-device", "--drivers", "none")
ENV = {**os.environ, "DXG_NO_SETUP": "1"}


def children(pid):
    """Process ids of PID's children (QEMU is one of dxg's)."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


class Guest(unittest.TestCase):
    # test_ready.py runs the same on guests that do not boot.
    options = BARE

    def exec(self, *arguments, command, data=b"", env=ENV):
        return subprocess.run([DXG, "exec", *self.options, *arguments, "--",
                               *command], input=data, capture_output=True,
                              check=False, env=env)

    def test_exit_code_and_streams(self):
        done = self.exec(command=["sh", "-c",
                                  "cat; echo to-stderr >&2; exit 7"],
                        data=b"from stdin\n")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertEqual(done.stdout, b"from stdin\n")
        self.assertEqual(done.stderr, b"to-stderr\n")

    def test_large_data_both_ways(self):
        data = os.urandom(3_000_000)
        done = self.exec(command=["cat"], data=data)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout == data)

    def test_arguments_arrive_as_they_are(self):
        words = ["a b", "it's", "$HOME", "*", "", "\\n"]
        done = self.exec(command=["printf", "[%s]", *words])
        self.assertEqual(done.stdout.decode(),
                         "".join(f"[{word}]" for word in words))

    def test_own_program_files_and_output(self):
        with tempfile.TemporaryDirectory() as folder:
            top = Path(folder)
            (top / "hello.c").write_text(
                "#include <stdio.h>\n#include <math.h>\n"
                "int main(int c, char **v)\n{\n"
                "\tprintf(\"%s %.0f\\n\", v[1], floor(c + 0.5));\n"
                "\treturn 3;\n}\n")
            subprocess.run(["gcc", "-o", top / "hello", top / "hello.c",
                            "-lm"], check=True)
            (top / "data").write_text("copied")
            done = self.exec("--copy", str(top / "data"),
                             "--copy", f"{top / 'data'}:/etc/other",
                             command=[str(top / "hello"), "hi"])
            self.assertEqual((done.returncode, done.stdout), (3, b"hi 2\n"),
                             done.stderr)
            done = self.exec("--copy", f"{top / 'data'}:/etc/other",
                             "--out", str(top / "got"),
                             command=["sh", "-c", "mkdir /out/sub; "
                                      "cp /etc/other /out/sub/x; "
                                      "ln -s /etc/passwd /out/link"])
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((top / "got/sub/x").read_text(), "copied")
            self.assertFalse((top / "got/link").exists())

    def test_panic(self):
        with tempfile.TemporaryDirectory() as folder:
            console = Path(folder) / "console"
            done = self.exec("--keep-console", str(console), command=[
                "sh", "-c", "echo c > /proc/sysrq-trigger"])
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn(b"sysrq triggered crash", done.stderr)
            self.assertIn(b"Kernel panic", console.read_bytes())

    def test_hang(self):
        done = self.exec("--timeout", "2", command=["sleep", "1000"])
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn(b"no end after 2 s", done.stderr)
        self.assertIn(b"Show Blocked State", done.stderr)

    def test_full_counts_are_asked_for_in_the_guest(self):
        command = ["sh", "-c", "echo \"<$DXG_LONG>\"; sleep 3"]
        for long, said in (("0", b"<>\n"), ("1", b"<1>\n")):
            with self.subTest(long):
                done = self.exec(
                    "--timeout", "1", command=command,
                    env={**ENV, "DXG_LONG": long, "DXG_LONG_TIMEOUT": "60"})
                self.assertEqual((done.returncode, done.stdout),
                                 (0 if long == "1" else 5, said), done.stderr)

    def test_kernel_warning_fails_the_run(self):
        line = "WARNING: CPU: 0 PID: 1 at test.c:1 f+0x1/0x2"
        command = ["sh", "-c", f"echo '<4>{line}' > /dev/kmsg; "
                   "echo 1..1; echo ok 1"]
        done = self.exec(command=command)
        self.assertEqual(done.returncode, 1)
        self.assertIn(line.encode(), done.stderr)
        done = self.exec("--tap", command=command)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Bail out! kernel log: ", done.stdout)

    def test_guest_switches_itself_off(self):
        done = self.exec(command=["poweroff", "-f"])
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"switched itself off", done.stderr)

    def test_bad_module(self):
        with tempfile.TemporaryDirectory() as folder:
            module = Path(folder) / "bad.ko"
            module.write_bytes(b"no module")
            done = self.exec("--module", str(module), command=["true"])
            self.assertEqual(done.returncode, 3)
            self.assertIn(b"cannot insert /dxg/modules/bad.ko", done.stderr)

    def test_module_with_parameters(self):
        driver = modules.built(kernel.DEFAULT).get("dxgnull")
        if not driver:
            self.skipTest("the modules are not built")
        done = subprocess.run(
            [DXG, "exec", "--no-device", "--drivers", "dxgkrnl", "--module",
             f"{driver}:slots=3:notify=1", "--", "cat",
             "/sys/module/dxgnull/parameters/slots",
             "/sys/module/dxgnull/parameters/notify"],
            capture_output=True, check=False, env=ENV)
        self.assertEqual((done.returncode, done.stdout), (0, b"3\nY\n"),
                         done.stderr)

    def test_qemu_that_does_not_start(self):
        done = self.exec("--qemu=-nonsense", command=["true"])
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"-nonsense", done.stderr)

    def test_signals_leave_no_orphan(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143),
                             (signal.SIGKILL, -signal.SIGKILL)):
            with self.subTest(number):
                self._signalled(number, code)

    def _signalled(self, number, code):
        child = subprocess.Popen(
            [DXG, "exec", *self.options, "--", "sh", "-c",
             "echo up; sleep 1000"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=ENV)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.assertEqual(child.stdout.readline(), b"up\n")
        emulators = children(child.pid)
        self.assertTrue(emulators)
        child.send_signal(number)
        child.communicate(timeout=20)
        self.assertEqual(child.returncode, code)
        for pid in emulators:
            self.assertTrue(proc.wait_gone(pid, 20), "QEMU still runs")

    def test_shell_reads_commands(self):
        done = subprocess.run([DXG, "shell", *BARE], input=b"echo $((6*7))\n",
                              capture_output=True, check=False, env=ENV)
        self.assertEqual((done.returncode, done.stdout), (0, b"42\n"),
                         done.stderr)
