# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of TAP (versions 12 to 14, as GLib, KTAP and our tests print it).

Each result line is counted once.  Subtests, indented by four spaces, are
counted one by one in place of the line that sums them up; that line counts
only when it fails although all its subtests passed.
"""

import re
from dataclasses import dataclass, field

PASS, FAIL, SKIP = "pass", "fail", "skip"

_RESULT = re.compile(r"^(not )?ok\b(?:\s+(\d+))?(?:\s*-)?\s*(.*)$")
_PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*(.*))?$")
_DIRECTIVE = re.compile(r"\s*#\s*(skip|todo)\b[:\s]*(.*)$", re.I)


@dataclass
class Case:
    """One result, or one defect of the stream itself (a failure).

    text    what failed, or why it is skipped; "" when it passed
    at      when the line came, on the clock of read()'s caller; 0 unknown
    remarks the comment lines that follow a failure
    """

    name: str
    outcome: str
    text: str = ""
    at: float = 0.0
    remarks: list = field(default_factory=list)


@dataclass
class Summary:
    """What a TAP stream said."""

    cases: list = field(default_factory=list)

    def _texts(self, outcome):
        return [case.text for case in self.cases if case.outcome == outcome]

    @property
    def passed(self):
        return len(self._texts(PASS))

    @property
    def failures(self):
        """Texts of failed results, and of defects of the stream."""
        return self._texts(FAIL)

    @property
    def failed(self):
        return len(self.failures)

    @property
    def skips(self):
        """[(name, reason)]"""
        return [(case.name, case.text) for case in self.cases
                if case.outcome == SKIP]

    @property
    def skipped(self):
        return len(self.skips)

    def fail(self, text, name=None, at=0.0):
        """Count one more failure."""
        self.cases.append(Case(name or text, FAIL, text, at))


class _Level:
    """Results of one nesting level, until the line that sums it up."""

    def __init__(self):
        self.seen = 0
        self.plan = None
        self.failed = 0


def parse(text):
    """Read a whole TAP stream."""
    return read((0.0, line) for line in text.splitlines())


def read(lines):
    """Read a whole TAP stream of lines with their times: (at, line)."""
    summary = Summary()
    levels = [_Level()]
    bailed = False
    last = None    # the failure that remarks may follow
    at = 0.0
    for at, raw in lines:
        line = raw.rstrip()
        indent = len(line) - len(line.lstrip(" "))
        depth, rest = divmod(indent, 4)
        line = line.strip()
        if line.startswith("#") and last is not None:
            last.remarks.append(line[1:].removeprefix(" "))
            continue
        if rest:
            continue
        if line.startswith("Bail out!"):
            summary.fail(line, at=at)
            bailed = True
            break
        plan = _PLAN.match(line)
        result = _RESULT.match(line)
        if not plan and not result:
            continue
        if depth > len(levels):
            continue
        if depth == len(levels):
            levels.append(_Level())
        if plan:
            level = levels[depth]
            level.plan = int(plan.group(1))
            if level.plan == 0 and depth == 0:
                reason = _DIRECTIVE.sub(r"\2", f" # {plan.group(2) or ''}")
                summary.cases.append(
                    Case("all", SKIP, reason.strip(" #"), at))
            continue
        inner = levels[depth + 1] if depth + 1 < len(levels) else None
        del levels[depth + 1:]
        before = len(summary.cases)
        _count(summary, levels[depth], result, inner, at)
        new = summary.cases[before:]
        last = new[-1] if new and new[-1].outcome == FAIL else None
    if not bailed:
        _check_plan(summary, levels[0], at)
    return summary


def _count(summary, level, result, inner, at):
    level.seen += 1
    failed = bool(result.group(1))
    number = result.group(2) or str(level.seen)
    name = result.group(3)
    directive = _DIRECTIVE.search(name)
    if directive:
        name = name[:directive.start()]
    name = name.strip() or f"test {number}"
    if inner is not None:
        _check_plan(summary, inner, at, f"{name}: ")
        level.failed += inner.failed
        if failed and not inner.failed:
            summary.fail(f"not ok {number} - {name}", name, at)
            level.failed += 1
    elif directive and directive.group(1).lower() == "skip":
        summary.cases.append(Case(name, SKIP, directive.group(2).strip(), at))
    elif failed and not directive:
        summary.fail(f"not ok {number} - {name}", name, at)
        level.failed += 1
    elif failed:
        summary.cases.append(Case(
            name, SKIP, f"known: {directive.group(2).strip()}", at))
    else:
        summary.cases.append(Case(name, PASS, at=at))


def _check_plan(summary, level, at, prefix=""):
    if level.plan is None:
        summary.fail(f"{prefix}no plan (1..N): the program ended early, after "
                     f"{level.seen} results", at=at)
        level.failed += 1
    elif level.plan != level.seen:
        summary.fail(f"{prefix}{level.seen} results, but the plan is "
                     f"1..{level.plan}", at=at)
        level.failed += 1
