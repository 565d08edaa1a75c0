# SPDX-License-Identifier: GPL-2.0-or-later
"""Test programs made up for a test of the runner, and a dxg that runs them."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from dxglib import paths, proc, results, runner
from dxglib.testlist import Test

PASSING = "echo 1..1; echo ok 1 - fine"
FAILING = "echo 1..2; echo ok 1 - fine; echo not ok 2 - broken; " \
          "echo '# because'; echo said-so >&2; exit 1"
_DXG = """
import sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
from dxglib import paths, results
paths.HOST = Path({host!r})
paths.FAILURES = Path({failures!r})
results.FILE = Path({results!r})
from dxglib.cli import main
sys.exit(main(sys.argv[1:]))
"""


def fake(name, script, suite="unit", **more):
    """A Test that is a shell script printing TAP."""
    return Test(name, [suite], ["sh", "-c", script], more.pop("env", {}),
                None, more.pop("timeout_s", 60), more.pop("tap", True),
                **more)


class Case(unittest.TestCase):
    """A test case with a folder of its own, for evidence and results too."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        self.failures = self.top / "failures"
        self.results = self.top / "results.json"
        for patch in (mock.patch.object(paths, "FAILURES", self.failures),
                      mock.patch.object(results, "FILE", self.results)):
            patch.start()
            self.addCleanup(patch.stop)

    def outcomes(self, *tests, jobs=1):
        """Run the tests; their outcomes as they came."""
        return list(runner.run_all([(test, test.title) for test in tests],
                                   jobs))

    def dxg(self, tests, *arguments):
        """A running dxg whose list of tests is TESTS."""
        host = self.top / "host"
        (host / "meson-info").mkdir(parents=True, exist_ok=True)
        (host / "meson-info/intro-tests.json").write_text(json.dumps([{
            "name": test.name, "suite": [f"dxgpu:{test.suite}"],
            "cmd": test.command, "env": test.env, "workdir": None,
            "timeout": test.timeout_s, "is_parallel": test.parallel,
            "priority": test.priority,
            "protocol": "tap" if test.tap else "exitcode"}
            for test in tests]))
        script = _DXG.format(scripts=str(paths.SCRIPTS), host=str(host),
                             failures=str(self.failures),
                             results=str(self.results))
        child = proc.spawn([sys.executable, "-I", "-c", script, *arguments],
                           stdin=subprocess.DEVNULL, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env={**os.environ, "DXG_NO_SETUP": "1"})
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def run_dxg(self, tests, *arguments):
        """(exit code, lines of stdout, stderr) of `dxg test ARGUMENTS`."""
        # One after the other, so that the order is the list's.
        child = self.dxg(tests, "test", "--jobs", "1", *arguments)
        out, err = child.communicate(timeout=120)
        return child.returncode, out.splitlines(), err
