# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job's result: checked against the device, and shown.

report.json of dxg-job gives `total` and `processes`; the device's own
counters come through QMP.  What must hold:

    lost and duplicates are 0 and every submission completed
    the output equals the input, byte for byte
    entries executed = submissions; fences written = completions: what the
        device did is what the processes asked for, once each
    doorbell writes <= rings: a ring of a disconnected doorbell goes to the
        dummy page and never reaches the device
    binds = queues + reconnects, and those not unbound are bound still
    no faults
    each move of the guest (moves.py) came in the midst of the job
"""

import json

from dxglib.errors import FAILED, DxgError

COUNTS = ("submissions", "rings", "reconnects", "victimizations",
          "completions", "lost", "duplicates")
FIGURES = ("median_us", "p99_us", "mb_per_s")
HEADS = {"submissions": "submissions", "rings": "rings",
         "reconnects": "reconnects", "victimizations": "victimized",
         "completions": "completions", "lost": "lost", "duplicates": "dupl.",
         "median_us": "median us", "p99_us": "p99 us", "mb_per_s": "MB/s"}


def parse(data):
    """The report's dict; a DxgError when the guest's report is malformed."""
    try:
        report = json.loads(data)
        for row in (report["total"], *report["processes"]):
            for name in COUNTS:
                if not isinstance(row[name], int) or row[name] < 0:
                    raise ValueError(f"{name} is {row[name]!r}")
            for name in FIGURES:
                row[name] = float(row[name])
    except (ValueError, KeyError, TypeError) as error:
        raise DxgError(FAILED, "the job's report.json is malformed: "
                       f"{error!r}") from None
    return report


def check(report, queues, identical, device):
    """What does not hold, as sentences; [] when all is right."""
    total = report["total"]
    summed = {name: sum(row[name] for row in report["processes"])
              for name in COUNTS}
    rules = [
        (identical, "the output differs from the input"),
        (total["submissions"] > 0, "nothing was submitted"),
        (total["lost"] == 0, f"{total['lost']} submissions were lost"),
        (total["duplicates"] == 0,
         f"{total['duplicates']} submissions were executed twice"),
        (total["completions"] == total["submissions"],
         f"{total['submissions']} submissions, but {total['completions']} "
         "completions"),
    ]
    rules += [(summed[name] == total[name],
               f"{name}: the processes' sum is {summed[name]}, the total says "
               f"{total[name]}") for name in COUNTS]
    if device is None:
        rules.append((False, "the device's counters could not be read"))
    else:
        rules += _device_rules(total, queues, device)
    return [text for holds, text in rules if not holds]


def _device_rules(total, queues, device):
    binds = queues + total["reconnects"]
    bound = device["binds"] - device["unbinds"]
    return [
        (device["entries_completed"] == total["submissions"],
         f"the device executed {device['entries_completed']} entries, "
         f"{total['submissions']} were submitted"),
        (device["fence_writes"] == total["completions"],
         f"the device wrote {device['fence_writes']} fences, "
         f"{total['completions']} completions were seen"),
        (device["doorbell_writes"] <= total["rings"],
         f"the device saw {device['doorbell_writes']} doorbell writes, only "
         f"{total['rings']} rings were done"),
        (device["binds"] == binds,
         f"the device saw {device['binds']} binds, {binds} connects were "
         "done"),
        (bound == device["slots_bound"],
         f"{device['binds']} binds and {device['unbinds']} unbinds, but "
         f"{device['slots_bound']} slots are bound"),
        (device["faults"] == 0, f"the device met {device['faults']} faults"),
    ]


def check_moves(moves, migrations, snapshots, submissions):
    """What does not hold of the moves that were asked for (moves.py)."""
    wanted = migrations + 2 * snapshots
    wrong = []
    if len(moves) != wanted:
        wrong.append(f"{len(moves)} of {wanted} moves were made before the "
                     "job ended: a larger --input makes it longer")
    wrong += [f"{move.kind}: the device had executed {move.executed} of "
              f"{submissions} entries, so it was not in the midst of the job"
              for move in moves if not 0 < move.executed < submissions]
    return wrong


def move_line(move, submissions):
    """One line of a move's cost."""
    return (f"{move.kind:<8} after {move.executed:,} of {submissions:,} "
            f"entries: {move.seconds * 1000:,.0f} ms, "
            f"{move.down_s * 1000:,.0f} ms of them standing, "
            f"{move.megabytes:.1f} MB")


def table(report):
    """Lines of the table: a row per process, and the total."""
    names = COUNTS + FIGURES
    rows = [["process", *(HEADS[name] for name in names)]]
    for row in report["processes"]:
        rows.append([str(row.get("pid", "?")), *_cells(row)])
    rows.append(["total", *_cells(report["total"])])
    widths = [max(len(row[column]) for row in rows)
              for column in range(len(names) + 1)]
    lines = ["  ".join(cell.rjust(width)
                       for cell, width in zip(row, widths, strict=True))
             for row in rows]
    lines.insert(len(lines) - 1, "-" * len(lines[0]))
    lines.insert(1, "-" * len(lines[0]))
    return lines


def _cells(row):
    return [f"{row[name]:,}" for name in COUNTS] + \
        [f"{row[name]:,.1f}" for name in FIGURES]


def device_line(device):
    """One line of the device's own counters."""
    return (f"{device['entries_completed']:,} entries executed, "
            f"{device['fence_writes']:,} fences written, "
            f"{device['doorbell_writes']:,} doorbell writes, "
            f"{device['binds']:,} binds, {device['unbinds']:,} unbinds, "
            f"{device['faults']:,} faults")
