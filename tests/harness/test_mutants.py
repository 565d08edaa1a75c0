# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of mutants: what is read, what is refused, and that it fits the sources.

Also that nothing which people run knows of mutants.
"""

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from dxglib import (mutant_build, mutant_table, mutants, paths, requirements,
                    tap, testlist)
from dxglib.mutant_table import Hunk, Mutant, TableError

SOURCE = """\
static int other(int a);

static int one(int a)
{
\tint b = a;

\treturn b;
}

int other(int a)
{
\tif (a)
\t\treturn 1;
\treturn b;
}
"""
ENTRY = """\
# a comment

mutant one-two
breaks this and that
shows ORD-1 SEC-2
test unit:core-ring
file hw/a.c
@@ one
 int b = a;

mutant two
breaks another
shows ORD-2
test unit:core-ring
file hw/a.c
@@ other
-	return b;
+	return 2;
file guest-driver/b.c
@@
+x
 y
"""


def hunk(function, text):
    return Hunk(function, [(line[0], line[1:]) for line in text.splitlines()])


class Edits(unittest.TestCase):
    def test_minus_plus(self):
        text = hunk("other", "-return b;\n+\treturn 7;").apply(SOURCE)
        self.assertEqual(text, SOURCE.replace(
            "1;\n\treturn b;", "1;\n\treturn 7;"))

    def test_context_stays_as_it_is(self):
        text = hunk("one", " int b = a;\n+\tb++;").apply(SOURCE)
        self.assertEqual(text, SOURCE.replace("= a;\n", "= a;\n\tb++;\n"))

    def test_declaration_is_no_function(self):
        with self.assertRaisesRegex(TableError, "0 places"):
            hunk("other", "-int b = a;").apply(SOURCE)

    def test_whole_file(self):
        self.assertTrue(hunk("", "-static int other(int a);")
                        .apply(SOURCE).startswith("\nstatic int one"))

    def test_what_does_not_fit(self):
        for function, text, why in (
                ("one", "-return c;", "0 places"),
                ("", "-return b;", "2 places"),
                ("three", "-return b;", "no function three")):
            with (self.subTest(why), self.assertRaisesRegex(TableError, why)):
                hunk(function, text).apply(SOURCE)


class Table(unittest.TestCase):
    def test_entries(self):
        one, two = mutant_table.parse(
            ENTRY.replace(" int b = a;\n", "-int b = a;\n"), "t")
        self.assertEqual((one.name, one.shows, one.test),
                         ("one-two", ["ORD-1", "SEC-2"], "unit:core-ring"))
        self.assertEqual(list(two.edits), ["hw/a.c", "guest-driver/b.c"])
        self.assertEqual(two.edits["guest-driver/b.c"][0].lines,
                         [("+", "x"), (" ", "y")])

    def test_an_edit_that_changes_nothing(self):
        with self.assertRaisesRegex(TableError, "one-two has no hw/a.c"):
            mutant_table.parse(ENTRY, "t")

    def test_refused(self):
        for old, new, why in (
                ("breaks this and that\n", "", "no breaks"),
                ("test unit:core-ring\n", "", "no test"),
                ("mutant one-two", "mutant One", "before any"),
                ("shows ORD-1", "show ORD-1", "expected mutant"),
                ("file hw/a.c", "file tests/a.c", "expected mutant")):
            with (self.subTest(why), self.assertRaisesRegex(TableError, why)):
                mutant_table.parse(ENTRY.replace(old, new, 1).replace(
                    " int b = a;\n", "-int b = a;\n"), "t")

    def test_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            text = ENTRY.replace(" int b = a;\n", "-int b = a;\n")
            for name in ("a.txt", "b.txt"):
                (Path(folder) / name).write_text(text)
            with self.assertRaisesRegex(TableError, "also at a.txt"):
                mutant_table.load(Path(folder))


class Ours(unittest.TestCase):
    """The table of this repository."""

    @classmethod
    def setUpClass(cls):
        cls.table = mutant_table.load()
        cls.spec = requirements.read_spec(requirements.SPEC.read_text())

    def test_each_fits_the_sources(self):
        for mutant in self.table:
            with self.subTest(mutant.name):
                for path, text in mutant.texts().items():
                    self.assertNotEqual(text, (paths.REPO / path).read_text())

    def test_each_has_a_test_that_can_meet_it(self):
        tests = {test.title: test for test in testlist.load()}
        for mutant in self.table:
            with self.subTest(mutant.name):
                self.assertTrue(mutant.test in tests, mutant.test)
                mutants.parts_of(tests[mutant.test], mutant.edits)

    def test_every_rule_has_one_or_a_reason(self):
        table = self.table + mutants.model(self.spec)
        self.assertEqual(mutant_table.complaints(
            self.spec, {name for mutant in table for name in mutant.shows},
            mutant_table.without(self.spec), table), [])

    def test_what_people_run_has_none(self):
        """Edits are made in the copy alone, and the sources know no switch."""
        for top in ("hw", "guest-driver", "guest-lib"):
            for path in (paths.REPO / top).rglob("*"):
                if path.suffix in (".c", ".h", ".build") or path.name == "Kbuild":
                    self.assertNotIn("mutant", path.read_text().lower(), path)
        for place in (paths.HOST, paths.modules("6.1"), paths.GUEST_ROOT):
            self.assertFalse(place.is_relative_to(mutant_build.ROOT))
            self.assertFalse(mutant_build.ROOT.is_relative_to(place))


class Mirror(unittest.TestCase):
    """The copy of the sources."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name) / "repo"
        self.copy = Path(folder.name) / "build/src"
        (self.top / "hw").mkdir(parents=True)
        (self.copy.parent).mkdir()
        for name in ("meson.build", "hw/a.c", "hw/b.c"):
            (self.top / name).write_text(name)

    def mirror(self, texts=None):
        mutant_build.mirror(texts or {}, self.top, self.copy)

    def times(self):
        return {path.name: path.stat().st_mtime_ns
                for path in self.copy.rglob("*.c")}

    def test_an_edit_comes_and_goes(self):
        self.mirror()
        before = self.times()
        self.mirror({"hw/a.c": "mutated"})
        self.assertEqual((self.copy / "hw/a.c").read_text(), "mutated")
        self.assertEqual((self.top / "hw/a.c").read_text(), "hw/a.c")
        mutated = self.times()
        self.mirror()
        self.assertEqual((self.copy / "hw/a.c").read_text(), "hw/a.c")
        after = self.times()
        self.assertEqual(before["b.c"], after["b.c"])
        self.assertLess(mutated["a.c"], after["a.c"])

    def test_what_is_gone_goes_and_what_was_built_stays(self):
        self.mirror()
        (self.top / "hw/b.c").unlink()
        (self.copy / "hw/b.o").write_text("built")
        self.mirror()
        self.assertFalse((self.copy / "hw/b.c").exists())
        self.assertTrue((self.copy / "hw/b.o").exists())


class Verdicts(unittest.TestCase):
    """What becomes of a test's end."""

    def judge(self, failures, without=1.0, error=None, survives=""):
        mutant = Mutant("m", "t:1", "b", ["ORD-1"], "unit:core-ring", survives,
                        {"hw/dxgpu/core/core.c": []})
        test = testlist.Test("core-ring", ["unit"], ["/x"], {}, None, 1, True)
        summary = tap.Summary()
        for failure in failures:
            summary.fail(failure)
        outcome = mock.Mock(summary=summary, error=error, stderr="dxg: why\n",
                            title="mutant:m", seconds=1.0)
        with mock.patch.object(testlist, "load", return_value=[test]):
            lab = mutants.Lab()
        with (mock.patch.object(mutant_build, "mirror"),
              mock.patch.object(mutants, "prepared"),
              mock.patch.object(Mutant, "texts", return_value={}),
              mock.patch.object(mutants.Lab, "_without",
                                return_value=without),
              mock.patch.object(mutants, "_run", return_value=outcome)):
            return lab.judge(mutant)

    def test_killed(self):
        verdict = self.judge(["not ok 3 - it", "not ok 4"])
        self.assertEqual((verdict.result, verdict.why),
                         (mutants.KILLED, "not ok 3 - it"))
        self.assertTrue(mutants.good(verdict))

    def test_survived(self):
        verdict = self.judge([])
        self.assertEqual(verdict.result, mutants.SURVIVED)
        self.assertFalse(mutants.good(verdict))

    def test_survivor_with_a_reason(self):
        self.assertTrue(mutants.good(self.judge([], survives="so")))
        self.assertFalse(mutants.good(self.judge(["no"], survives="so")))

    def test_a_test_that_fails_anyway_kills_nothing(self):
        verdict = self.judge(["not ok 3"], without="not ok 3")
        self.assertEqual(verdict.result, mutants.ERROR)
        self.assertIn("fails without the mutant", verdict.why)

    def test_a_guest_that_does_not_start_kills_nothing(self):
        verdict = self.judge(["exit status 3"], error="exit status 3")
        self.assertEqual((verdict.result, verdict.why),
                         (mutants.ERROR, "dxg: why"))

    def test_summing_up(self):
        verdicts = [mock.Mock(result=result) for result in (
            mutants.KILLED, mutants.KILLED, mutants.SURVIVED)]
        self.assertEqual(mutants.summing_up(verdicts, {"ORD-21": "arm"}),
                         "2 killed, 1 survived, 1 not testable")
        self.assertEqual(mutants.summing_up([mock.Mock(result=mutants.ERROR)],
                                            {}),
                         "0 killed, 0 survived, 0 not testable, 1 could not "
                         "be run")

    def test_json(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "v.json"
            mutants._write(path, [self.judge(["not ok 1"])], {}, 2.0)
            told = json.loads(path.read_text())
        self.assertEqual(told["mutants"][0]["result"], mutants.KILLED)
