# SPDX-License-Identifier: GPL-2.0-or-later
"""The verdict on the main job: every kind of disagreement must fail."""

import json
import unittest

from dxglib import report
from dxglib.errors import DxgError
from dxglib.moves import Move


def row(**changes):
    made = {"submissions": 10, "rings": 12, "reconnects": 2,
            "victimizations": 2, "completions": 10, "lost": 0,
            "duplicates": 0, "median_us": 5.5, "p99_us": 9, "mb_per_s": 1.5}
    return {**made, **changes}


def device(**changes):
    made = {"entries_completed": 20, "fence_writes": 20, "binds": 12,
            "unbinds": 8, "slots_bound": 4, "doorbell_writes": 22,
            "faults": 0}
    return {**made, **changes}


TOTAL = row(submissions=20, rings=24, reconnects=4, victimizations=4,
            completions=20)


def make(total=None):
    return {"total": total or TOTAL,
            "processes": [row(pid=10), row(pid=11)]}


class Check(unittest.TestCase):
    def failures(self, total=None, identical=True, **counters):
        return report.check(make(total), 8, identical, device(**counters))

    def test_all_right(self):
        self.assertEqual(self.failures(), [])

    def test_each_rule_can_fail(self):
        for counters in ({"entries_completed": 21}, {"fence_writes": 19},
                         {"doorbell_writes": 25},
                         {"binds": 11, "unbinds": 7},
                         {"binds": 13, "unbinds": 9},
                         {"slots_bound": 3}, {"faults": 1}):
            with self.subTest(counters):
                self.assertTrue(self.failures(**counters))

    def test_output_differs(self):
        self.assertEqual(self.failures(identical=False),
                         ["the output differs from the input"])

    def test_lost_duplicates_and_sums(self):
        for change in ({"lost": 1}, {"duplicates": 1}, {"completions": 19},
                       {"submissions": 0}, {"rings": 23}):
            with self.subTest(change):
                self.assertTrue(self.failures({**TOTAL, **change}))

    def test_counters_unreadable(self):
        self.assertTrue(report.check(make(), 8, True, None))


class Moves(unittest.TestCase):
    def failures(self, *executed, migrations=1, snapshots=0):
        made = [Move("migrate", 1, 1, 1, count) for count in executed]
        return report.check_moves(made, migrations, snapshots, 100)

    def test_in_the_midst(self):
        self.assertEqual(self.failures(1), [])
        self.assertEqual(self.failures(1, 50, 99, snapshots=1), [])

    def test_too_few(self):
        self.assertIn("0 of 3", self.failures(snapshots=1)[0])

    def test_before_or_after(self):
        for count in (0, 100):
            self.assertIn("not in the midst", self.failures(count)[0])


class Parse(unittest.TestCase):
    def test_good(self):
        self.assertEqual(report.parse(json.dumps(make()))["total"]["lost"], 0)

    def test_malformed(self):
        for text in ("", "[]", "{}", '{"total": {}, "processes": []}',
                     json.dumps(make({**TOTAL, "lost": -1})),
                     json.dumps(make({**TOTAL, "lost": "0"})),
                     json.dumps(make({**TOTAL, "p99_us": None}))):
            with self.subTest(text), self.assertRaises(DxgError):
                report.parse(text)

    def test_table(self):
        lines = report.table(make())
        self.assertEqual(len(lines), 6)
        self.assertEqual(len({len(line) for line in lines}), 1)
        self.assertIn("total", lines[-1])
