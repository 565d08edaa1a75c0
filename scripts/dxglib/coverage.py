# SPDX-License-Identifier: GPL-2.0-or-later
"""`dxg test --coverage`: which lines of the device's core its tests reach.

The host project is built once more, in build/coverage, with gcc's counters;
the core's unit tests run there, and the fuzzers' inputs: the corpus, regressions
and what earlier runs of the fuzzers found (build/fuzz).  gcov, which comes with
gcc, makes the table.  Lines that nothing reached are named.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dxglib import errors, host, paths, proc, qemu, setup, testlist
from dxglib.errors import DxgError
from dxglib.steps import Step

FOLDER = paths.BUILD / "coverage"
OBJECTS = FOLDER / "hw/libdxgpu_core.a.p"
SOURCES = paths.HW / "dxgpu/core"
LIMIT_S = 900
_FILE = re.compile(r"^File '(.*)'\nLines executed:([\d.]+)% of (\d+)\n"
                   r"(?:Branches executed:[\d.]+% of (\d+)\n"
                   r"Taken at least once:([\d.]+)% of \d+\n)?", re.M)


@dataclass
class Row:
    """Figures of one file; missed: numbers of lines not reached."""

    name: str
    lines: int
    percent: float
    branches: int
    taken: float
    missed: list


def _configure(context):
    shutil.rmtree(FOLDER, ignore_errors=True)
    context.command([paths.MESON, "setup", FOLDER, paths.REPO,
                     "-Db_coverage=true", "-Doptimization=0"],
                    "meson setup", env=qemu.tools_env())
    return ""


def _tests():
    """The core's tests without threads' own sanitizer, as meson lists them."""
    return [entry for entry in testlist.load(FOLDER)
            if entry.suite == "unit" and not entry.name.endswith("-tsan")
            and entry.name.startswith(("core-", "replay-"))]


def _build(context):
    targets = [os.path.relpath(entry.command[0], FOLDER)
               for entry in _tests()]
    context.command(["ninja", "-j", qemu.JOBS, "-C", FOLDER, *targets],
                    "building the core's tests", env=qemu.tools_env())
    return ""


def steps():
    """The set-up that only this needs."""
    return [Step("coverage-configure", "configure the core's tests",
                 host.setup_inputs, [FOLDER / "build.ninja"], _configure),
            Step("coverage-build", "build the core's tests with counters",
                 host.build_inputs, [OBJECTS], _build)]


def run():
    """Run the tests and print the table; an exit code."""
    for step in steps():
        setup.ensure(only=step.name)
    for counters in FOLDER.rglob("*.gcda"):
        counters.unlink()
    for entry in _tests():
        _run(entry)
    rows = [_row(path) for path in sorted(OBJECTS.glob("*.gcda"))]
    print(table(rows))
    return errors.PASS


def _run(entry):
    command = list(entry.command)
    name = entry.name.removeprefix("replay-")
    if name != entry.name:
        command.append(paths.BUILD / "fuzz" / name / "found")
    print(f"     {entry.title}", flush=True)
    # gcov's counters are written at exit, which a leak would not change.
    try:
        done = subprocess.run([str(word) for word in command], check=False,
                              cwd=FOLDER, env={**os.environ, **entry.env},
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise DxgError(errors.HANG, f"{entry.title}: no end after "
                       f"{LIMIT_S} s") from None
    if done.returncode:
        raise DxgError(errors.FAILED, f"{entry.title} failed (status "
                       f"{done.returncode})", done.stderr.decode(
                           errors="replace").splitlines()[-10:])


def _row(counters):
    """The figures of the file whose counters these are."""
    text = proc.output(["gcov", "--branch-probabilities", "--stdout",
                        "--object-directory", OBJECTS, counters],
                       cwd=FOLDER)
    # Sources follow one another, each with its name at line 0.
    own = next((part for part in re.split(r"^ *-: *0:Source:", text, flags=re.M)
                if part.split("\n", 1)[0].endswith(".c")), "")
    missed = [int(number) for number in
              re.findall(r"^ *#####: *(\d+):", own, re.M)]
    said = proc.output(["gcov", "--branch-probabilities", "--no-output",
                        "--object-directory", OBJECTS, counters],
                       cwd=FOLDER)
    return parse(said, missed)


def parse(said, missed):
    """The Row of a core's file in what gcov says."""
    for name, percent, lines, branches, taken in _FILE.findall(said):
        if Path(name).parent.name == SOURCES.name and name.endswith(".c"):
            return Row(Path(name).name, int(lines), float(percent),
                       int(branches or 0), float(taken or 100), missed)
    raise DxgError(errors.SETUP, "gcov names no file of the core",
                   said.splitlines()[:10])


def table(rows):
    """The text of the table, with a line of totals."""
    out = [f"{'file':<16}{'lines':>7}{'reached':>10}{'branches':>10}"
           f"{'taken':>9}  lines not reached"]
    for row in rows:
        out.append(f"{row.name:<16}{row.lines:>7}{row.percent:>9.1f}%"
                   f"{row.branches:>10}{row.taken:>8.1f}%  "
                   + ranges(row.missed))
    lines = sum(row.lines for row in rows)
    reached = sum(row.lines * row.percent for row in rows)
    branches = sum(row.branches for row in rows)
    taken = sum(row.branches * row.taken for row in rows)
    out.append(f"{'all':<16}{lines:>7}{reached / max(lines, 1):>9.1f}%"
               f"{branches:>10}{taken / max(branches, 1):>8.1f}%")
    return "\n".join(out)


def ranges(numbers):
    """[1, 2, 3, 7] as "1-3 7"."""
    found = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return " ".join(str(first) if first == last else f"{first}-{last}"
                    for first, last in found)
