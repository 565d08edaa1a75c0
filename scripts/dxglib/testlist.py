# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests that there are, as meson lists them, and which of them to run."""

import json
from dataclasses import dataclass
from pathlib import Path

from dxglib import errors, execcmd, paths
from dxglib.errors import DxgError

SUITES = ("unit", "model", "fuzz", "qtest", "guest", "guest-null", "guest-global",
          "guest-6.12", "guest-iommu", "harness", "lint", "sanitize")
# Those that --kernel runs on another kernel.
KERNEL_SUITES = ("guest", "guest-null", "guest-global")
LONG_SUITE = "long"
# What a guest's test may take beside its command: booting, ending.
GUEST_EXTRA_S = 120


@dataclass
class Test:
    """One test program as meson describes it.

    timeout_s  0 for no limit
    parallel   others may run beside it
    priority   those with a higher one are begun earlier; 0 as a rule
    sanitized  on the QEMU with sanitizers (sanitize.py)
    slow       by what all limits are multiplied; DXG_SLOW tells the programs
    restored   its guest goes on from a saved machine (ready.py)
    """

    name: str
    suites: list
    command: list
    env: dict
    folder: str | None
    timeout_s: float
    tap: bool
    parallel: bool = True
    priority: int = 0
    sanitized: bool = False
    slow: int = 1
    restored: bool = False

    @property
    def suite(self):
        found = [suite for suite in SUITES if suite in self.suites]
        return found[0] if found else "other"

    @property
    def title(self):
        return f"{self.suite}:{self.name}"

    @property
    def boots(self):
        """Whether it is one `dxg exec`: its own guest, which we may ask."""
        return (len(self.command) > 1 and self.command[1] == "exec"
                and Path(self.command[0]).name == "dxg")

    def limit_s(self, long):
        """Seconds until it is a hang; 0 for no limit."""
        limit_s = self.timeout_s
        if long and execcmd.LONG_TIMEOUT in self.env:
            limit_s = max(limit_s, GUEST_EXTRA_S
                          + int(self.env[execcmd.LONG_TIMEOUT]))
        return limit_s * self.slow


def load(build=paths.HOST):
    """All tests of a build of the host project, suite by suite."""
    # meson keeps this file up to date; running `meson introspect` for the
    # same text costs half a second.
    path = build / "meson-info/intro-tests.json"
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DxgError(errors.SETUP, f"{path}: {error}",
                       "run: scripts/dxg setup") from None
    tests = [Test(entry["name"],
                  [suite.rpartition(":")[2] for suite in entry["suite"]],
                  entry["cmd"], entry["env"],
                  # As meson test does: programs may be named from there.
                  entry.get("workdir") or str(build),
                  entry.get("timeout") or 0, entry.get("protocol") == "tap",
                  entry.get("is_parallel", True), entry.get("priority", 0))
             for entry in entries]
    rank = {suite: place for place, suite in enumerate(SUITES)}
    return sorted(tests, key=lambda test: rank.get(test.suite, len(rank)))


def choose(tests, filters, long, suites=None):
    """Those that -k and --long ask for, of some suites.

    suites: by default all but "sanitize", which needs a build of its own.
    """
    return [test for test in tests
            if (long or LONG_SUITE not in test.suites)
            and (test.suite in suites if suites else test.suite != "sanitize")
            and (not filters
                 or any(text in test.title for text in filters))]
