# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that moves in the midst of the main job finishes it right.

The report of `dxg run` holds processes, output and the device's counters
against each other, and each move must have come while the job ran.
"""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from dxglib import paths

DXG = str(paths.SCRIPTS / "dxg")
ENV = {**os.environ, "DXG_NO_SETUP": "1"}
INPUT_BYTES = 6_000_001


class Job(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.input = Path(cls.folder.name) / "input"
        cls.input.write_bytes(os.urandom(INPUT_BYTES))

    def run_job(self, *options):
        done = subprocess.run(
            [DXG, "run", "--json", "--input", self.input, "--slots", "4",
             "--queues", "64", *options], text=True, capture_output=True,
            stdin=subprocess.DEVNULL, check=False, env=ENV)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        result = json.loads(done.stdout)
        self.assertEqual(result["failures"], [])
        self.assertEqual(result["total"]["lost"], 0)
        self.assertEqual(result["total"]["duplicates"], 0)
        self.assertGreater(result["total"]["reconnects"], 0)
        for move in result["moves"]:
            print(f"# {move}", flush=True)
        return [move["kind"] for move in result["moves"]]

    def test_migrate_three_times(self):
        kinds = self.run_job("--migrate", "3")
        self.assertEqual(kinds, ["migrate"] * 3)

    def test_main_loop(self):
        kinds = self.run_job("--migrate", "1", "--snapshot", "2",
                             "--device", "threads=0")
        self.assertEqual(kinds, ["save", "restore", "savevm", "loadvm",
                                 "migrate"])

    def test_two_threads(self):
        kinds = self.run_job("--migrate", "2", "--snapshot", "2",
                             "--device", "threads=2")
        self.assertEqual(kinds, ["save", "restore", "savevm", "loadvm",
                                 "migrate", "migrate"])

    def test_back_and_back_again(self):
        kinds = self.run_job("--snapshot", "4", "--cpus", "1")
        self.assertEqual(kinds, ["save", "restore", "savevm", "loadvm"] * 2)


class Streams(unittest.TestCase):
    """Not a byte is lost, come twice or out of order, in either direction."""

    def exec(self, script, data=b""):
        done = subprocess.run(
            [DXG, "exec", "--no-device", "--drivers", "none", "--", "sh",
             "-c", script], input=data, capture_output=True, check=False,
            env=ENV)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_output_during_migrations(self):
        out = self.exec(
            "(i=0; while [ ! -e /tmp/stop ]; do i=$((i+1)); echo $i; done; "
            "echo end) & dxg-host migrate > /dev/null && "
            "dxg-host migrate > /dev/null; touch /tmp/stop; wait")
        lines = out.decode().split()
        self.assertEqual(lines.pop(), "end")
        self.assertGreater(len(lines), 1000)
        self.assertEqual([int(line) for line in lines],
                         list(range(1, len(lines) + 1)))

    def test_both_ways_during_migrations(self):
        data = os.urandom(8_000_000)
        out = self.exec("(dxg-host migrate && dxg-host migrate) > /dev/null & "
                        "cat; wait", data)
        self.assertTrue(out == data)
