# SPDX-License-Identifier: GPL-2.0-or-later
"""A reader of TAP (versions 12 to 14, as GLib, KTAP and our tests print it).

Each result line is counted once.  Subtests, indented by four spaces, are
counted one by one in place of the line that sums them up; that line counts
only when it fails although all its subtests passed.
"""

import re
from dataclasses import dataclass, field

_RESULT = re.compile(r"^(not )?ok\b(?:\s+(\d+))?(?:\s*-)?\s*(.*)$")
_PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*(.*))?$")
_DIRECTIVE = re.compile(r"\s*#\s*(skip|todo)\b[:\s]*(.*)$", re.I)


@dataclass
class Summary:
    """What a TAP stream said.

    failures  texts of failed results, and of defects of the stream itself
    skips     [(name, reason)]
    """

    passed: int = 0
    failures: list = field(default_factory=list)
    skips: list = field(default_factory=list)

    @property
    def failed(self):
        return len(self.failures)

    @property
    def skipped(self):
        return len(self.skips)


class _Level:
    """Results of one nesting level, until the line that sums it up."""

    def __init__(self):
        self.seen = 0
        self.plan = None
        self.failed = 0


def parse(text):
    """Read a whole TAP stream."""
    summary = Summary()
    levels = [_Level()]
    bailed = False
    for raw in text.splitlines():
        line = raw.rstrip()
        indent = len(line) - len(line.lstrip(" "))
        depth, rest = divmod(indent, 4)
        line = line.strip()
        if rest:
            continue
        if line.startswith("Bail out!"):
            summary.failures.append(line)
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
                summary.skips.append(("all", reason.strip(" #")))
            continue
        inner = levels[depth + 1] if depth + 1 < len(levels) else None
        del levels[depth + 1:]
        _count(summary, levels[depth], result, inner)
    if not bailed:
        _check_plan(summary, levels[0])
    return summary


def _count(summary, level, result, inner):
    level.seen += 1
    failed = bool(result.group(1))
    number = result.group(2) or str(level.seen)
    name = result.group(3)
    directive = _DIRECTIVE.search(name)
    if directive:
        name = name[:directive.start()]
    name = name.strip() or f"test {number}"
    if inner is not None:
        _check_plan(summary, inner, f"{name}: ")
        level.failed += inner.failed
        if failed and not inner.failed:
            summary.failures.append(f"not ok {number} - {name}")
            level.failed += 1
    elif directive and directive.group(1).lower() == "skip":
        summary.skips.append((name, directive.group(2).strip()))
    elif failed and not directive:
        summary.failures.append(f"not ok {number} - {name}")
        level.failed += 1
    elif failed:
        summary.skips.append((name, f"known: {directive.group(2).strip()}"))
    else:
        summary.passed += 1


def _check_plan(summary, level, prefix=""):
    if level.plan is None:
        summary.failures.append(f"{prefix}no plan (1..N): the program ended "
                                f"early, after {level.seen} results")
        level.failed += 1
    elif level.plan != level.seen:
        summary.failures.append(f"{prefix}{level.seen} results, but the plan "
                                f"is 1..{level.plan}")
        level.failed += 1
