# SPDX-License-Identifier: GPL-2.0-or-later
"""The TAP reader: what counts, and what must never pass for a success."""

import unittest

from dxglib import tap


class Tap(unittest.TestCase):
    def check(self, text, passed, failed, skipped=0):
        summary = tap.parse(text)
        self.assertEqual(
            (summary.passed, summary.failed, summary.skipped),
            (passed, failed, skipped), summary)
        return summary

    def test_all_pass(self):
        self.check("TAP version 13\n1..2\nok 1 - a\nok 2 - b\n", 2, 0)

    def test_plan_at_the_end(self):
        self.check("ok 1 a\nok 2 b\n1..2\n", 2, 0)

    def test_failure_is_named(self):
        summary = self.check("1..2\nok 1 - a\nnot ok 2 - b\n", 1, 1)
        self.assertEqual(summary.failures, ["not ok 2 - b"])

    def test_no_number_no_dash(self):
        self.check("1..2\nok\nok second\n", 2, 0)

    def test_empty_output_fails(self):
        self.check("", 0, 1)

    def test_missing_plan_fails(self):
        self.check("ok 1 - a\n", 1, 1)

    def test_too_few_results_fail(self):
        self.check("1..3\nok 1\nok 2\n", 2, 1)

    def test_too_many_results_fail(self):
        self.check("1..1\nok 1\nok 2\n", 2, 1)

    def test_bail_out_fails_and_ends(self):
        self.check("1..2\nok 1\nBail out! kernel log\nok 2\n", 1, 1)

    def test_skip_with_reason(self):
        summary = self.check("1..1\nok 1 - a # SKIP no KVM\n", 0, 0, 1)
        self.assertEqual(summary.skips, [("a", "no KVM")])

    def test_skip_all(self):
        summary = self.check("1..0 # SKIP not here\n", 0, 0, 1)
        self.assertEqual(summary.skips, [("all", "not here")])

    def test_not_ok_skip_is_no_failure(self):
        self.check("1..1\nnot ok 1 - a # SKIP x\n", 0, 0, 1)

    def test_todo_is_no_failure(self):
        self.check("1..1\nnot ok 1 - a # TO" "DO later\n", 0, 0, 1)

    def test_hash_in_a_name(self):
        self.check("1..1\nok 1 - issue #2 works\n", 1, 0)

    def test_subtests_are_counted_one_by_one(self):
        self.check("1..2\n    1..2\n    ok 1 - x\n    ok 2 - y\n"
                   "ok 1 - group\nok 2 - z\n", 3, 0)

    def test_failed_subtest_counts_once(self):
        summary = self.check("1..1\n    1..2\n    ok 1 - x\n"
                             "    not ok 2 - y\nnot ok 1 - group\n", 1, 1)
        self.assertEqual(summary.failures, ["not ok 2 - y"])

    def test_group_may_fail_by_itself(self):
        self.check("1..1\n    1..1\n    ok 1 - x\nnot ok 1 - group\n", 1, 1)

    def test_subtest_plan_is_held(self):
        self.check("1..1\n    1..2\n    ok 1 - x\nok 1 - group\n", 1, 1)

    def test_two_levels_down(self):
        self.check("1..1\n    1..1\n        1..1\n        ok 1 - deep\n"
                   "    ok 1 - mid\nok 1 - top\n", 1, 0)

    def test_noise_is_ignored(self):
        self.check("# hello\nokay then\nnotes\n1..1\nok 1\n[ 1.2] x\n", 1, 0)
