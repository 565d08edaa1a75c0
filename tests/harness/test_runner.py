# SPDX-License-Identifier: GPL-2.0-or-later
"""The runner of tests: order, several at once, repeats, ends, evidence."""

import signal
import time
import unittest

import fakes
from dxglib import paths, proc, results, runner, test
from fakes import FAILING, PASSING, fake

# Waits for a file that another test makes; fails when it never comes.
MEET = """
touch {mine}
for i in $(seq 500); do
    if [ -e {theirs} ]; then echo 1..1; echo ok 1; exit; fi
    sleep 0.02
done
echo 1..1; echo not ok 1 - nobody came
"""
# Fails when another test runs at the same time.
ALONE = """
mkdir {lock} || {{ echo 1..1; echo not ok 1 - not alone; exit 1; }}
sleep 0.1
rmdir {lock}
echo 1..1; echo ok 1
"""


class Order(unittest.TestCase):
    def setUp(self):
        self.tests = [fake(f"t{number}", PASSING) for number in range(20)]

    def titles(self, **kwargs):
        return [title for _, title in test.order(self.tests, **kwargs)]

    def test_list_order_without_a_seed(self):
        self.assertEqual(self.titles(), [f"unit:t{n}" for n in range(20)])

    def test_a_seed_replays_its_order(self):
        self.assertEqual(self.titles(seed=5), self.titles(seed=5))
        self.assertNotEqual(self.titles(seed=5), self.titles(seed=6))
        self.assertNotEqual(self.titles(seed=5), self.titles())

    def test_each_turn_has_all_in_an_own_order(self):
        titles = self.titles(repeat=2, seed=5)
        first, second = titles[:20], titles[20:]
        self.assertEqual(sorted(first),
                         sorted(f"unit:t{n}#1" for n in range(20)))
        self.assertEqual(sorted(second),
                         sorted(f"unit:t{n}#2" for n in range(20)))
        self.assertNotEqual([title[:-2] for title in first],
                            [title[:-2] for title in second])


class Running(fakes.Case):
    def test_one_at_a_time_in_order(self):
        script = ALONE.format(lock=self.top / "lock")
        found = self.outcomes(*(fake(name, script) for name in "cab"))
        self.assertEqual([(outcome.test.name, outcome.summary.failed)
                          for outcome in found],
                         [("c", 0), ("a", 0), ("b", 0)])

    def test_several_at_once(self):
        here, there = self.top / "here", self.top / "there"
        found = self.outcomes(
            fake("a", MEET.format(mine=here, theirs=there)),
            fake("b", MEET.format(mine=there, theirs=here)), jobs=2)
        self.assertEqual([outcome.summary.failures for outcome in found],
                         [[], []])

    def test_never_more_than_jobs(self):
        # Two slots for three: a third would find both taken.
        script = f"cd {self.top}; for i in 1 2 x; do mkdir slot$i && break; " \
                 f"done 2>&-; [ $i = x ] && exit 1; sleep 0.2; " \
                 f"rmdir slot$i; {PASSING}"
        found = self.outcomes(*(fake(f"t{n}", script) for n in range(6)),
                              jobs=2)
        self.assertFalse(any(outcome.summary.failed for outcome in found))
        found = self.outcomes(*(fake(f"t{n}", script) for n in range(6)),
                              jobs=4)
        self.assertTrue(any(outcome.summary.failed for outcome in found))

    def test_the_unsociable_run_alone_and_last(self):
        lock = self.top / "lock"
        script = ALONE.format(lock=lock)
        found = self.outcomes(
            fake("x", script, parallel=False),
            fake("a", f"mkdir {lock}.a; sleep 0.3; rmdir {lock}.a; {PASSING}"),
            fake("y", f"[ -e {lock}.a ] && exit 1; {script}", parallel=False),
            fake("b", PASSING), jobs=4)
        self.assertEqual({outcome.test.name for outcome in found[:2]},
                         {"a", "b"})
        self.assertEqual([outcome.test.name for outcome in found[2:]],
                         ["x", "y"])
        self.assertFalse(any(outcome.summary.failed for outcome in found))

    def test_priority_comes_first(self):
        found = self.outcomes(
            fake("a", "echo; sleep 0.2; " + PASSING), fake("b", PASSING),
            fake("c", PASSING, priority=1), jobs=2)
        self.assertEqual(found[0].test.name, "c")

    def test_output_never_mixes(self):
        script = "for i in $(seq 200); do echo {0}; echo {0} >&2; done; " \
                 + PASSING
        for outcome in self.outcomes(*(fake(name, script.format(name))
                                       for name in "abc"), jobs=3):
            name = outcome.test.name
            self.assertEqual(outcome.stdout,
                             f"{name}\n" * 200 + "1..1\nok 1 - fine\n")
            self.assertEqual(outcome.stderr, f"{name}\n" * 200)

    def test_results_have_their_times(self):
        found, = self.outcomes(fake("slow", "echo 1..2; echo ok 1; sleep 0.5;"
                                    " echo ok 2"))
        first, second = found.summary.cases
        self.assertGreater(second.at - first.at, 0.3)
        self.assertGreaterEqual(found.seconds, second.at)

    def test_hang(self):
        found, = self.outcomes(fake(
            "stuck", "echo 1..1; echo ok 1; sleep 1000", timeout_s=1))
        self.assertEqual(found.summary.failures, ["hang: no end after 1 s"])

    def test_until_failure(self):
        known = "echo 1..3; echo 'not ok 1 - old # TODO later'; "
        test = fake("slow", known + "echo not ok 2 - here; sleep 1000")
        found, = runner.run_all([(test, "slow")], 1, until_failure=True)
        self.assertEqual(found.summary.failures[0], "not ok 2 - here")
        self.assertLess(found.seconds, 30)
        test = fake("good", known + "echo ok 2; echo ok 3")
        found, = runner.run_all([(test, "good")], 1, until_failure=True)
        self.assertEqual(found.summary.failures, [])

    def test_closed_streams_are_no_end(self):
        found, = self.outcomes(fake(
            "mute", f"{PASSING}; exec >&- 2>&-; sleep 1; exit 3"))
        self.assertEqual(found.summary.failures, ["exit status 3"])

    def test_full_counts_have_a_limit_of_their_own(self):
        one = fake("t", PASSING, timeout_s=60,
                   env={"DXG_LONG_TIMEOUT": "600"})
        self.assertEqual((one.limit_s(False), one.limit_s(True)), (60, 720))
        self.assertEqual(fake("t", PASSING).limit_s(True), 60)

    def test_program_that_is_not_there(self):
        one = fake("t", PASSING)
        one.command = ["/nonexistent/program"]
        found, = self.outcomes(one)
        self.assertIn("cannot run /nonexistent/program", found.error)
        self.assertEqual(found.summary.failed, 1)

    def test_without_tap_the_exit_status_counts(self):
        found = self.outcomes(fake("good", "exit 0", tap=False),
                              fake("bad", "exit 1", tap=False))
        self.assertEqual([outcome.summary.passed for outcome in found],
                         [1, 0])
        self.assertEqual(found[1].summary.failures, ["exit status 1"])


class Evidence(fakes.Case):
    def test_a_failure_leaves_what_was_printed(self):
        found, = self.outcomes(fake("bad", FAILING, env={"A": "b c"}))
        self.assertEqual(found.place, self.failures / "unit.bad")
        self.assertIn("not ok 2 - broken",
                      (found.place / "stdout.txt").read_text())
        self.assertEqual((found.place / "stderr.txt").read_text(),
                         "said-so\n")
        self.assertIn("'A=b c'", (found.place / "command.txt").read_text())

    def test_a_pass_leaves_nothing_and_clears(self):
        self.outcomes(fake("t", FAILING), fake("u", FAILING))
        found, = self.outcomes(fake("t", PASSING))
        self.assertIsNone(found.place)
        self.assertEqual([path.name for path in self.failures.iterdir()],
                         ["unit.u"])

    def test_runs_of_a_repeat_have_folders_of_their_own(self):
        code, lines, err = self.run_dxg([fake("bad", FAILING)], "--repeat",
                                        "2")
        self.assertEqual(code, 1, err)
        self.assertEqual(sorted(path.name for path in
                                self.failures.iterdir()),
                         ["unit.bad.run1", "unit.bad.run2"])
        self.run_dxg([fake("bad", PASSING)])
        self.assertEqual(list(self.failures.iterdir()), [])


class Command(fakes.Case):
    def test_results_are_recorded_where_they_belong(self):
        real = paths.BUILD / "results.json"
        before = real.read_bytes() if real.exists() else None
        self.run_dxg([fake("of-a-test", FAILING)])
        self.assertEqual([(line["test"], line["variant"], line["result"])
                          for line in results.load()],
                         [("of-a-test", "", "pass"), ("of-a-test", "", "fail")])
        after = real.read_bytes() if real.exists() else None
        if after != before:    # another run, at the same time?
            self.assertNotIn(b"of-a-test", after)

    def test_last_line_and_slowest(self):
        code, lines, err = self.run_dxg(
            [fake("good", PASSING), fake("bad", FAILING),
             *(fake(f"s{n}", f"sleep 0.3; {PASSING}") for n in range(5))])
        self.assertEqual(code, 1, err)
        self.assertEqual(lines[-1], "7 passed, 1 failed")
        self.assertTrue(lines[-2].startswith("slowest: unit:s"), lines)
        self.assertEqual(lines[-2].count("unit:s"), 5)
        self.assertIn(f"     evidence: {self.failures}/unit.bad", lines)

    def test_repeat_tells_how_often_each_failed(self):
        count = self.top / "count"
        code, lines, err = self.run_dxg(
            [fake("odd", f"echo >> {count}; "
                  f"[ $(($(wc -l < {count}) % 2)) = 1 ] || exit 1; "
                  + PASSING),
             fake("bad", FAILING), fake("good", PASSING)], "--repeat", "5")
        self.assertEqual(code, 1, err)
        self.assertIn("failed 2 of 5 times: unit:odd", lines)
        self.assertIn("failed 5 of 5 times: unit:bad", lines)
        self.assertIn("failed in none of 5 runs: 1 tests", lines)
        self.assertFalse(any("times: unit:good" in line for line in lines))

    def test_shuffle_prints_a_seed_that_replays(self):
        tests = [fake(f"t{n}", PASSING) for n in range(12)]
        code, lines, err = self.run_dxg(tests, "--shuffle")
        self.assertEqual((code, lines[-1]), (0, "12 passed, 0 failed"), err)
        self.assertTrue(lines[-2].startswith("order: --shuffle "))
        self.assertIn(lines[-2], err)
        _, again, _ = self.run_dxg(tests, *lines[-2].split()[1:])
        self.assertEqual([line.split()[1] for line in lines[:12]],
                         [line.split()[1] for line in again[:12]])

    def test_filter_and_list_know_the_order(self):
        tests = [fake(f"t{n}", PASSING) for n in range(12)]
        _, lines, _ = self.run_dxg(tests, "--list", "--shuffle", "7",
                                   "-k", "t1")
        self.assertEqual(sorted(lines), ["unit:t1", "unit:t10", "unit:t11"])

    def test_interrupt_ends_all(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(number):
                self.interrupted(number, code)

    def interrupted(self, number, code):
        tests = [fake(f"t{n}", f"echo $$ > {self.top}/pid{n}.new; "
                      f"mv {self.top}/pid{n}.new {self.top}/pid{n}; "
                      "sleep 1000") for n in range(3)]
        child = self.dxg(tests, "test", "--jobs", "3")
        files = [self.top / f"pid{n}" for n in range(3)]
        until = time.monotonic() + 60
        while not all(path.exists() for path in files):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)
        pids = [int(path.read_text()) for path in files]
        child.send_signal(number)
        child.communicate(timeout=60)
        self.assertEqual(child.returncode, code)
        for pid, path in zip(pids, files):
            self.assertTrue(proc.wait_gone(pid, 20), "a test still runs")
            path.unlink()
