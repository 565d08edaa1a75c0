# SPDX-License-Identifier: GPL-2.0-or-later
"""The last result of every test: build/results.json.

A list of {"suite", "test", "name", "result", "time"}: the program as `dxg test
--list` names it, one of its TAP results, "pass", "fail" or "skip", and when
the program began, in seconds since the epoch.  A program that runs again
replaces all of its lines; what was not run keeps them.
"""

import json
import os

from dxglib import paths

FILE = paths.BUILD / "results.json"


def load(path=FILE):
    """All results; none when no test ran yet."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return []


def record(outcomes, path=FILE):
    """Take over what OUTCOMES (runner.Outcome) say."""
    ran = {(outcome.test.suite, outcome.test.name) for outcome in outcomes}
    lines = [line for line in load(path)
             if (line["suite"], line["test"]) not in ran]
    lines += [{"suite": outcome.test.suite, "test": outcome.test.name,
               "name": case.name, "result": case.outcome,
               "time": round(outcome.began)}
              for outcome in outcomes for case in outcome.summary.cases]
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(lines, indent=0) + "\n")
    os.replace(new, path)
