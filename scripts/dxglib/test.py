# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg test`: run the tests that meson lists, count each TAP result.

meson's introspection of build/host is the one list (suites unit, qtest,
guest, guest-6.12, harness, lint); the programs print TAP.  The last line of
stdout is "N passed, N failed" and ", N skipped" when there are some.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from dxglib import errors, kernel, lint, paths, proc, setup, tap, ui
from dxglib.errors import DxgError, UsageError

SUITES = ("unit", "fuzz", "qtest", "guest", "guest-6.12", "harness", "lint")
OUTPUT_TAIL = 30
OUTPUT_WIDTH = 200
LONG_SUITE = "long"

TEST_TEXT = """\
Do the set-up that is stale and run the tests.  -k TEXT keeps those whose
suite:name contains TEXT; several -k add up.  `--list` only names them.

--kernel V runs the guest's tests, and only these, on another kernel.  Without
it they run on the default one, a few of them (the suite guest-6.12) on the
other.
"""


@dataclass
class Test:
    """One test program as meson describes it."""

    name: str
    suites: list
    command: list
    env: dict
    folder: str | None
    timeout_s: float
    tap: bool

    @property
    def suite(self):
        found = [suite for suite in SUITES if suite in self.suites]
        return found[0] if found else "other"

    @property
    def title(self):
        return f"{self.suite}:{self.name}"


def add_parser(commands):
    command = commands.add_parser("test", help="run the tests",
                                  usage="dxg test [-k TEXT]... [--list] "
                                        "[--long] [--kernel V]",
                                  description=TEST_TEXT)
    command.add_argument("-k", metavar="TEXT", action="append", default=[],
                         dest="filters", help="only tests with TEXT in "
                         "suite:name; may be repeated")
    command.add_argument("--list", action="store_true",
                         help="name the tests, run none")
    command.add_argument("--long", action="store_true",
                         help=f"also those of the suite '{LONG_SUITE}'")
    command.add_argument("--kernel", metavar="V",
                         help=f"{kernel.HELP}; only the suite guest")
    command.set_defaults(handler=_test)


def load():
    """All tests of build/host, suite by suite."""
    # meson keeps this file up to date; running `meson introspect` for the
    # same text costs half a second.
    path = paths.HOST / "meson-info/intro-tests.json"
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DxgError(errors.SETUP, f"{path}: {error}",
                       "run: scripts/dxg setup") from None
    tests = [Test(entry["name"],
                  [suite.rpartition(":")[2] for suite in entry["suite"]],
                  entry["cmd"], entry["env"],
                  # As meson test does: programs may be named from there.
                  entry.get("workdir") or str(paths.HOST),
                  entry.get("timeout") or 0, entry.get("protocol") == "tap")
             for entry in entries]
    rank = {suite: place for place, suite in enumerate(SUITES)}
    return sorted(tests, key=lambda test: rank.get(test.suite, len(rank)))


def choose(tests, filters, long, suite=None):
    """Those that -k and --long ask for, of all suites or of one."""
    return [test for test in tests
            if (long or LONG_SUITE not in test.suites)
            and suite in (None, test.suite)
            and (not filters
                 or any(text in test.title for text in filters))]


def _test(options):
    version = kernel.DEFAULT
    if options.kernel is not None:
        version = kernel.check(options.kernel)
        os.environ["DXG_KERNEL"] = options.kernel
    setup.ensure(version)
    tests = choose(load(), options.filters, options.long,
                   "guest" if options.kernel is not None else None)
    if not tests:
        raise UsageError(f"-k {' -k '.join(options.filters)}: no test's "
                         "suite:name contains that; --list names them"
                         if options.filters else "there are no tests")
    if options.list:
        for test in tests:
            print(test.title)
        return errors.PASS
    suites = {test.suite for test in tests}
    if "guest-6.12" in suites:
        setup.ensure("6.12")
    if "lint" in suites:
        lint.ensure()
    if any("--test-modules" in test.command for test in tests):
        setup.ensure(version, test_modules=True)
    total = tap.Summary()
    for test in tests:
        summary = run(test)
        total.passed += summary.passed
        total.failures += summary.failures
        total.skips += summary.skips
    line = f"{total.passed} passed, {total.failed} failed"
    if total.skipped:
        line += f", {total.skipped} skipped"
    print(line, flush=True)
    return errors.FAILED if total.failed else errors.PASS


def run(test):
    """Run one test, print its line, return its Summary."""
    begin = time.monotonic()
    output, said, error = _output(test)
    elapsed = time.monotonic() - begin
    if test.tap:
        summary = tap.parse(output)
        if error and not summary.failed:
            summary.failures.append(error)
    else:
        summary = tap.Summary(passed=0 if error else 1,
                              failures=[error] if error else [])
    counts = f"{summary.passed} passed"
    if summary.failed:
        counts += f", {summary.failed} failed"
    if summary.skipped:
        counts += f", {summary.skipped} skipped"
    mark = "FAIL" if summary.failed else "ok  "
    print(f"{mark} {test.title:<34} {counts:<34} {ui.seconds(elapsed):>8}")
    for name, reason in summary.skips:
        print(f"     skipped: {name}: {reason or 'no reason given'}")
    if summary.failed:
        for failure in summary.failures:
            print(f"     {failure}")
        if error and error not in summary.failures:
            print(f"     {error}")
        print("     --- end of its output ---")
        for text in (output, said):
            lines = [line for line in text.splitlines()
                     if not line.startswith("ok ")]
            for line in lines[-OUTPUT_TAIL:]:
                print(f"     | {line[:OUTPUT_WIDTH]}")
    sys.stdout.flush()
    return summary


def _output(test):
    """(stdout, stderr, what went wrong or None) of one run."""
    env = {**os.environ, "DXG_NO_SETUP": "1", **test.env}
    try:
        child = proc.spawn(test.command, cwd=test.folder, env=env,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    except OSError as error:
        return "", "", f"cannot run {test.command[0]}: {error.strerror}"
    begin = time.monotonic()
    error = None
    try:
        while child.returncode is None:
            # In slices, so that a signal is seen soon (see guest._waking).
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, err = child.communicate(timeout=0.5)
            if test.timeout_s and time.monotonic() - begin > test.timeout_s \
                    and child.returncode is None:
                error = f"hang: no end after {test.timeout_s:g} s"
                proc.end(child)
                out, err = child.communicate()
        if child.returncode and error is None:
            error = f"exit status {child.returncode}"
    finally:
        if child.returncode is None:
            proc.end(child)
    return (out.decode(errors="replace"), err.decode(errors="replace"), error)
