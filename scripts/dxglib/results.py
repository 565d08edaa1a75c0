# SPDX-License-Identifier: GPL-2.0-or-later
"""The last result of every test: build/results.json.

A list of {"suite", "test", "variant", "name", "result", "time"}: the program as
`dxg test --list` names it, what the whole run had otherwise than usual ("" or
words such as "iommu"), one of its TAP results, "pass", "fail" or "skip", and
when the program began, in seconds since the epoch.  A program that runs again
in the same variant replaces all of its lines; what was not run keeps them.
"""

import json
import os

from dxglib import paths

FILE = paths.BUILD / "results.json"


def load(path=None):
    """All results, those of FILE by default; none when no test ran yet."""
    path = path or FILE
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return []


def record(outcomes, variant="", path=None):
    """Take over what OUTCOMES (runner.Outcome) say of a run in VARIANT."""
    path = path or FILE
    ran = {(outcome.test.suite, outcome.test.name, variant)
           for outcome in outcomes}
    # A file may be older than the variants.
    lines = [line for line in load(path)
             if (line["suite"], line["test"],
                 line.get("variant", "")) not in ran]
    lines += [{"suite": outcome.test.suite, "test": outcome.test.name,
               "variant": variant, "name": case.name, "result": case.outcome,
               "time": round(outcome.began)}
              for outcome in outcomes for case in outcome.summary.cases]
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(lines, indent=0) + "\n")
    os.replace(new, path)
