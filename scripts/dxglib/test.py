# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg test`: run the tests that meson lists, count each TAP result.

meson's introspection of build/host is the one list (testlist.py); the
programs print TAP.  The last line of stdout is "N passed, N failed" and
", N skipped" when there are some.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

from dxglib import (debug_kernel, errors, execcmd, junit, kernel, lint, paths,
                    results, ready, runner, sanitize, setup, testlist, ui)
from dxglib.errors import UsageError

OUTPUT_TAIL = 30
OUTPUT_WIDTH = 200
SLOWEST = 5
JOBS = range(1, 65)
# The reference machine has two cores. A guest that boots, a fuzzer and a model
# keep one busy each; the tests' own bounds hold with two guests beside each other.
DEFAULT_JOBS = 2
REPEAT = range(1, 100_001)
# So many runs on one machine are worth the saving of it.
RESTORED = 3
SEED_MAX = (1 << 32) - 1

TEST_TEXT = """\
Do the set-up that is stale and run the tests.  -k TEXT keeps those whose
suite:name contains TEXT; several -k add up.  `--list` only names them.

A guest that several of the tests want alike is booted and saved once, and each
of them goes on from there; --no-restore boots for each.  Tests whose machine is
of its own boot in any case.

A failing test leaves its output and, if it booted a guest, the console and
the device's trace below build/failures; its lines here name the folder.

--kernel V runs the guest's tests, and only these, on another kernel, --iommu
behind an IOMMU.  Without them they run on the default one and without; a few
of them (the suites guest-6.12 and guest-iommu) on the other, or behind it.
--kernel debug builds one with the lock validator and other checks first, which
takes minutes; any report of them is a failure.

--sanitize builds QEMU once more, with ASan and UBSan, and runs the suites
qtest, guest and sanitize on it; any report of a sanitizer is a failure.

--coverage runs nothing but the tests of the device's core, with the fuzzers'
inputs, and prints which of its lines they reach.
"""


def add_parser(commands):
    command = commands.add_parser(
        "test", help="run the tests", description=TEST_TEXT,
        usage="dxg test [-k TEXT]... [--list] [--long] [--kernel V] "
              "[--iommu]\n"
              "                [--repeat N] [--shuffle [SEED]] [--jobs N] "
              "[--junit FILE]\n"
              "                [--no-restore] [--sanitize] [--coverage]")
    add = command.add_argument
    add("-k", metavar="TEXT", action="append", default=[], dest="filters",
        help="only tests with TEXT in suite:name; may be repeated")
    add("--list", action="store_true", help="name the tests, run none")
    add("--long", action="store_true",
        help="full counts, which take hours, and also the suite "
             f"'{testlist.LONG_SUITE}'")
    add("--kernel", metavar="V", help=f"{kernel.HELP}; only the suite guest")
    add("--iommu", action="store_true",
        help="with an Intel IOMMU; only the suite guest")
    add("--no-restore", action="store_true",
        help="boot a guest for each test that wants one")
    add("--sanitize", action="store_true",
        help="on a QEMU with ASan and UBSan; only the suites "
             + ", ".join(sanitize.SUITES))
    add("--coverage", action="store_true",
        help="print what the core's tests reach of it")
    add("--repeat", metavar="N", default=1,
        type=execcmd.number("--repeat", REPEAT[0], REPEAT[-1]),
        help="run each test N times and tell how often it failed")
    add("--shuffle", metavar="SEED", nargs="?", const=None,
        default=argparse.SUPPRESS,
        type=execcmd.number("--shuffle", 0, SEED_MAX),
        help="in an order drawn from SEED, or from a random one, which is "
             "printed")
    add("--jobs", metavar="N", default=DEFAULT_JOBS,
        type=execcmd.number("--jobs", JOBS[0], JOBS[-1]),
        help="tests at once (default %(default)s); those that measure time "
             "run alone at the end")
    add("--junit", metavar="FILE", type=Path,
        help="write the results as JUnit XML, too")
    command.set_defaults(handler=_test)


def _test(options):
    if options.coverage:
        from dxglib import coverage
        return coverage.run()
    version = kernel.DEFAULT
    if options.kernel is not None:
        version = kernel.check(options.kernel)
        os.environ["DXG_KERNEL"] = options.kernel
    if options.iommu:
        os.environ["DXG_IOMMU"] = "1"
    if options.long:
        os.environ[execcmd.LONG] = "1"
    if options.junit is not None:
        _check_junit(options.junit)
    setup.ensure(version)
    tests = testlist.choose(testlist.load(), options.filters, options.long,
                            _suites(options))
    if not tests:
        raise UsageError(f"-k {' -k '.join(options.filters)}: no test's "
                         "suite:name contains that; --list names them"
                         if options.filters else "there are no tests")
    seed = _seed(options)
    items = order(tests, options.repeat, seed)
    if seed is not None:
        ui.say(f"order: --shuffle {seed}")
    if options.list:
        for _, title in items:
            print(title)
        return errors.PASS
    suites = {test.suite for test in tests}
    if options.sanitize:
        sanitize.ensure()
        for test in tests:
            test.sanitized = True
            test.slow *= sanitize.SLOW
    if version == debug_kernel.NAME:
        for test in tests:
            test.slow *= debug_kernel.SLOW
    if "guest-6.12" in suites:
        setup.ensure("6.12")
    if "lint" in suites:
        lint.ensure()
    if any("--test-modules" in test.command for test in tests):
        setup.ensure(version, test_modules=True)
    if not options.no_restore:
        _restore([test for test, _ in items if test.boots])
    return _run(options, items, seed)


def _restore(runs):
    """Let those RUNS go on from a saved machine which want the same one."""
    from dxglib import cli

    # A new one: defaults come from the environment, which has changed.
    parser = cli.parser()
    keys = {test.title: ready.key(execcmd.config_of(
        parser.parse_args(test.command[1:]))) for test in runs}
    shared = Counter(keys[test.title] for test in runs)
    for test in runs:
        test.restored = shared[keys[test.title]] >= RESTORED


def _suites(options):
    """The suites that --kernel, --iommu and --sanitize limit the tests to."""
    if options.iommu:
        return ("guest",)
    if options.kernel is not None:
        return testlist.KERNEL_SUITES
    return sanitize.SUITES if options.sanitize else None


def variant(options):
    """What makes this run another than the usual one, for its record."""
    words = []
    if options.kernel not in (None, kernel.DEFAULT):
        words.append(f"kernel {options.kernel}")
    if options.iommu:
        words.append("iommu")
    if options.sanitize:
        words.append("sanitize")
    return ", ".join(words)


def _check_junit(path):
    """Refuse a file that could not be written after all the tests."""
    try:
        with open(path, "ab"):
            pass
    except OSError as error:
        raise UsageError(f"--junit {path}: {error.strerror}") from None


def _seed(options):
    """The seed of the order; None for the list's own."""
    if not hasattr(options, "shuffle"):
        return None
    if options.shuffle is None:
        return random.SystemRandom().randrange(SEED_MAX + 1)
    return options.shuffle


def order(tests, repeat=1, seed=None):
    """[(test, title)]: all tests REPEAT times, each time in an own order."""
    draw = random.Random(seed)
    items = []
    for run in range(1, repeat + 1):
        turn = list(tests)
        if seed is not None:
            draw.shuffle(turn)
        items += [(test, test.title if repeat == 1 else f"{test.title}#{run}")
                  for test in turn]
    return items


def _run(options, items, seed):
    begin = time.monotonic()
    outcomes = []
    for outcome in runner.run_all(items, options.jobs, options.long):
        show(outcome)
        outcomes.append(outcome)
    results.record(outcomes, variant(options))
    if options.junit is not None:
        properties = {"kernel": options.kernel or kernel.DEFAULT}
        if seed is not None:
            properties["seed"] = str(seed)
        junit.write(options.junit, outcomes, time.monotonic() - begin,
                    properties)
    for line in summing_up(outcomes, options.repeat, seed):
        print(line)
    sys.stdout.flush()
    failed = any(outcome.summary.failed for outcome in outcomes)
    return errors.FAILED if failed else errors.PASS


def show(outcome):
    """Print one test's line and, when it failed, why."""
    summary = outcome.summary
    mark = "FAIL" if summary.failed else "ok  "
    counts = _counts(summary.passed, summary.failed, summary.skipped)
    lines = [f"{mark} {outcome.title:<34} {counts:<34} "
             f"{ui.seconds(outcome.seconds):>8}"]
    lines += [f"     skipped: {name}: {reason or 'no reason given'}"
              for name, reason in summary.skips]
    if summary.failed:
        lines += [f"     {failure}" for failure in summary.failures]
        if outcome.error and outcome.error not in summary.failures:
            lines.append(f"     {outcome.error}")
        lines.append("     --- end of its output ---")
        for text in (outcome.stdout, outcome.stderr):
            said = [line for line in text.splitlines()
                    if not line.startswith("ok ")]
            lines += [f"     | {line[:OUTPUT_WIDTH]}"
                      for line in said[-OUTPUT_TAIL:]]
        lines.append(f"     evidence: {_short(outcome.place)}")
    # In one piece: what else writes to a log cannot come in between.
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def summing_up(outcomes, repeat=1, seed=None):
    """The lines after all tests; the last one is the verdict."""
    lines = []
    if repeat > 1:
        failed = Counter(outcome.test.title for outcome in outcomes
                         if outcome.summary.failed)
        lines += [f"failed {count} of {repeat} times: {title}"
                  for title, count in failed.most_common()]
        lines.append(f"failed in none of {repeat} runs: "
                     f"{len(outcomes) // repeat - len(failed)} tests")
    slow = sorted(outcomes, key=lambda outcome: -outcome.seconds)[:SLOWEST]
    lines.append("slowest: " + ", ".join(
        f"{outcome.title} {ui.seconds(outcome.seconds)}" for outcome in slow))
    if seed is not None:
        lines.append(f"order: --shuffle {seed}")
    lines.append(_counts(*(sum(getattr(outcome.summary, name)
                               for outcome in outcomes)
                           for name in ("passed", "failed", "skipped")),
                         always=True))
    return lines


def _counts(passed, failed, skipped, always=False):
    text = f"{passed} passed"
    if failed or always:
        text += f", {failed} failed"
    if skipped:
        text += f", {skipped} skipped"
    return text


def _short(place):
    try:
        return place.relative_to(paths.REPO)
    except ValueError:
        return place
