# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg test --sanitize`: the device's tests on a QEMU that checks itself.

QEMU is built once more (qemu.SANITIZED) with AddressSanitizer, its search for
leaks included, and UndefinedBehaviorSanitizer.  A test fails on any report,
also on one that the test itself did not notice; reports are kept in
build/sanitize/SUITE.NAME.  What is not ours and known is listed, with the
reason, in tests/sanitize/*.supp; nothing of hw/dxgpu may be there (the harness's
tests look).

Everything takes longer there, SLOW times at most (testlist.Test.slow).
"""

import functools
import os
import shutil

from dxglib import paths, qemu, setup

SUITES = ("qtest", "guest", "sanitize")
SLOW = 6
FOLDER = paths.BUILD / "sanitize"
SUPPRESSIONS = paths.TESTS / "sanitize"
REPORT_LINES = 40
# Said of QEMU's coroutines, whose switches it is told of, and no report.
REMARKS = (
    "ASan doesn't fully support makecontext/swapcontext",
    "ASan is ignoring requested __asan_handle_no_return",
    "False positive error reports may follow",
    "For details see ")


def ensure():
    """The set-up that only these tests need."""
    for step in setup.sanitize_steps():
        setup.ensure(only=step.name)


def folder(title):
    """Where the reports of a test are kept."""
    return FOLDER / title.replace(":", ".")


def environment(title):
    """What lets a test run on that QEMU; earlier reports are removed."""
    shutil.rmtree(folder(title), ignore_errors=True)
    folder(title).mkdir(parents=True)
    log = f"log_path={folder(title) / 'report'}"
    # A report ends the program, so that it is not lost among what follows.
    common = f"{log}:halt_on_error=1"
    return {
        "DXG_QEMU": qemu.SANITIZED.name,
        # Frame pointers end at GLib, which has none.
        "ASAN_OPTIONS": f"{common}:detect_leaks=1:fast_unwind_on_malloc=0",
        "UBSAN_OPTIONS": f"{common}:print_stacktrace=1:suppressions="
                         f"{SUPPRESSIONS / 'ubsan.supp'}",
        "LSAN_OPTIONS": f"{log}:print_suppressions=0:suppressions="
                        f"{SUPPRESSIONS / 'lsan.supp'}",
        "ASAN_SYMBOLIZER_PATH": symbolizer(),
    }


@functools.cache
def symbolizer():
    """The program that puts names to addresses, "" when there is none."""
    return shutil.which("llvm-symbolizer") or \
        shutil.which("llvm-symbolizer-14") or ""


def reports(title):
    """The failures that the sanitizers report of a test, a text each.

    A folder without a report is removed.
    """
    found = []
    for path in sorted(folder(title).glob("report.*")):
        lines = [line for line in path.read_text(errors="replace").splitlines()
                 if line.strip()
                 and not any(remark in line for remark in REMARKS)]
        if not lines:
            continue
        where = path.relative_to(paths.REPO)
        found.append("\n     | ".join([f"sanitizer's report {where}:",
                                       *lines[:REPORT_LINES]]))
    if not found:
        shutil.rmtree(folder(title), ignore_errors=True)
    return found
