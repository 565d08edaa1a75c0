# SPDX-License-Identifier: GPL-2.0-or-later
"""dxg requirements: what names an id, what counts as its result, what fails."""

import io
import json
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from dxglib import kernel, requirements, results, tap, test

SPEC = """\
- ORD-1 (**I1**) First. [derived]
- ORD-2 Second. [derived]
- KMT-0.1 Third. [x]
- DDI-SC-1 Fourth. [x]
- DDI-SC-7 Fifth. [x]
| T1 | none | create | guard | os | kmd | umd | CREATED |

Illegal (assert, fault injection): KMD does this; OS layer does that.

| OP-3 | about | decision |
| 000_f9.txt | Said | ORD-1, OP-3 |
"""
ALL = "ORD-1..2 KMT-0.1 DDI-SC-* T1 ILL-1 ILL-2: later\n"


class Names(unittest.TestCase):
    def check(self, text, *expected):
        known = requirements.read_spec(SPEC).requirements
        self.assertEqual(requirements.names(text, known), list(expected))

    def test_one(self):
        self.check("STAT is RETRY (ORD-1), twice ORD-1", "ORD-1")

    def test_range(self):
        self.check("ORD-1..3 T1..2", "ORD-1", "ORD-2", "ORD-3", "T1", "T2")

    def test_group(self):
        self.check("DDI-SC-*", "DDI-SC-1", "DDI-SC-7")

    def test_group_that_is_empty_is_unknown(self):
        self.check("DDI-RC-*", "DDI-RC-*")

    def test_common_calls(self):
        self.check("KMT-0.1..2", "KMT-0.1", "KMT-0.2")

    def test_paths_of_glib(self):
        self.check("/dxgpu/ring/ORD-2-ring-wraps", "ORD-2")

    def test_no_id(self):
        self.check("CRC-32 WORD-1 xORD-1 AT1 utf-8 RECORD-2 t1 T1x DDI-1")


class Sources(unittest.TestCase):
    def test_c(self):
        head, strings = requirements.said_by_c(
            "/* SPDX */\n/*\n * ORD-1\n */\n#include <x.h>\n"
            "/* of a function: ORD-2 */\nint main(void)\n{\n"
            "\t/* in code: SM-1 */\n\tok(1, \"name (DDI-SC-1)\");\n}\n")
        self.assertIn("ORD-1", head)
        self.assertIn("ORD-2", head)
        self.assertNotIn("SM-1", head + strings)
        self.assertEqual(strings, "name (DDI-SC-1)")

    def test_python(self):
        head, strings = requirements.said_by_python(
            '"""ORD-1"""\n# ORD-2\nprint("SM-1")\n')
        self.assertEqual((head, strings), ("ORD-1", "SM-1"))

    def test_shell(self):
        head, strings = requirements.said_by_shell(
            "#!/bin/sh\n# ORD-1\n\n# ORD-2\nok 'SM-1'\n")
        self.assertIn("ORD-1", head)
        self.assertIn("SM-1", strings)
        self.assertNotIn("ORD-2", head + strings)

    def test_of_this_repository(self):
        found = {program for program, *_ in requirements.programs()}
        self.assertLessEqual({"core-ring", "driver-rotation", "api-doorbell",
                              "dxgpu-ring-test", "lib-submit", "tool-info",
                              "model-doorbell", "dxg-tap"}, found)
        self.assertFalse({"driver-kmt", "driver-queue", "fake"} & found)


class Collect(unittest.TestCase):
    def collect(self, strings, reasons=ALL, lines=()):
        spec = requirements.read_spec(SPEC)
        path = requirements.paths.REPO / "tests/x.c"
        wrong = requirements.collect(spec, [("driver-x", path, "", strings)],
                                     reasons, list(lines))
        return spec.requirements, wrong

    def line(self, name, result, test="driver-x"):
        return {"suite": "guest", "test": test, "name": name,
                "result": result, "time": 0}

    def test_spec(self):
        spec = requirements.read_spec(SPEC)
        self.assertEqual(list(spec.requirements), [
            "ORD-1", "ORD-2", "KMT-0.1", "DDI-SC-1", "DDI-SC-7", "T1",
            "ILL-1", "ILL-2"])
        self.assertEqual(spec.others, {"OP-3"})

    def test_everything_explained(self):
        found, wrong = self.collect("")
        self.assertEqual(wrong, [])
        self.assertEqual(found["ORD-2"].state, "explained")

    def test_neither_tested_nor_explained(self):
        found, wrong = self.collect("", ALL.replace("T1 ", ""))
        self.assertEqual(found["T1"].state, "missing")
        self.assertEqual(len(wrong), 1)
        self.assertIn("T1: no test names it", wrong[0])

    def test_a_test_names_no_ranges(self):
        for what in ("ORD-1..2", "T1..T1", "DDI-SC-*"):
            with self.subTest(what):
                _, wrong = self.collect(f"all of it ({what})")
                self.assertEqual(len(wrong), 1)
                self.assertIn(f"tests/x.c: {what}: a test names each",
                              wrong[0])

    def test_tested_needs_no_reason(self):
        found, wrong = self.collect("T1", ALL.replace("T1 ", ""))
        self.assertEqual((found["T1"].state, wrong), ("not run", []))

    def test_unknown_id_in_a_test(self):
        _, wrong = self.collect("ORD-3")
        self.assertEqual(wrong,
                         ["tests/x.c: ORD-3 is not in the specification"])

    def test_decisions_may_be_named(self):
        self.assertEqual(self.collect("OP-3")[1], [])
        self.assertEqual(len(self.collect("OP-4")[1]), 1)

    def test_unknown_id_among_the_reasons(self):
        self.assertEqual(len(self.collect("", ALL + "ORD-9: x\n")[1]), 1)

    def test_reason_must_be_there(self):
        self.assertEqual(len(self.collect("", ALL + "ORD-1:\n")[1]), 1)

    def test_result_of_the_name(self):
        found, _ = self.collect("ORD-1 ORD-2", lines=[
            self.line("good (ORD-1)", "pass"),
            self.line("bad (ORD-2)", "fail")])
        self.assertEqual((found["ORD-1"].state, found["ORD-2"].state),
                         ("pass", "fail"))

    def test_result_of_the_program(self):
        found, _ = self.collect("ORD-1", lines=[
            self.line("good", "pass"), self.line("bad", "fail")])
        self.assertEqual(found["ORD-1"].state, "fail")

    def test_skipped_is_not_passed(self):
        found, _ = self.collect("ORD-1", lines=[
            self.line("ORD-1", "skip"), self.line("good", "pass")])
        self.assertEqual(found["ORD-1"].state, "skip")

    def test_variants_of_a_program(self):
        found, _ = self.collect("ORD-1", lines=[
            self.line("ORD-1", "pass"),
            self.line("ORD-1", "fail", "driver-x-one-cpu"),
            self.line("ORD-1", "fail", "driver-xy")])
        self.assertEqual(found["ORD-1"].state, "fail")
        found, _ = self.collect("ORD-1", lines=[
            self.line("ORD-1", "fail", "driver-xy")])
        self.assertEqual(found["ORD-1"].state, "not run")

    def test_another_machine_counts_only_alone(self):
        elsewhere = dict(self.line("ORD-1", "fail"), variant="iommu")
        found, _ = self.collect("ORD-1", lines=[
            elsewhere, self.line("ORD-1", "pass")])
        self.assertEqual(found["ORD-1"].state, "pass")
        found, _ = self.collect("ORD-1", lines=[elsewhere])
        self.assertEqual(found["ORD-1"].state, "fail")

    def test_one_failing_program_is_enough(self):
        one = requirements.Requirement("ORD-1", "", {
            "a": "pass", "b": "fail", "c": "skip", "d": "not run"})
        self.assertEqual(one.state, "fail")
        del one.tests["b"]
        self.assertEqual(one.state, "pass")

    def test_longest_name_wins(self):
        self.assertEqual(requirements.base_of(
            "lib-submit-threads-tsan", ["lib-submit", "lib-submit-threads"]),
            "lib-submit-threads")

    def test_stale_reason_is_counted(self):
        spec = requirements.read_spec(SPEC)
        path = requirements.paths.REPO / "tests/x.c"
        requirements.collect(spec, [("x", path, "", "T1")], ALL, [])
        self.assertIn("1 have a reason that is out of date",
                      requirements.counts(spec))


class Command(unittest.TestCase):
    def run_with(self, reasons, html=None):
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder, "spec.md")
            spec.write_text(SPEC)
            file = Path(folder, "reasons")
            file.write_text(reasons)
            out = io.StringIO()
            with mock.patch.object(requirements, "SPEC", spec), \
                    mock.patch.object(requirements, "REASONS", file), \
                    mock.patch.object(requirements, "programs", list), \
                    mock.patch.object(results, "FILE", Path(folder, "no")), \
                    redirect_stdout(out):
                code = requirements._requirements(SimpleNamespace(
                    missing=False, html=html and Path(folder, html)))
            return code, out.getvalue(), \
                Path(folder, html).read_text() if html else ""

    def test_good(self):
        code, out, html = self.run_with(ALL, "page.html")
        self.assertEqual(code, 0)
        self.assertIn("0 tested, 8 explained, 8 in total", out)
        self.assertIn("000 Said", out)
        self.assertIn('id="ORD-1"', html)
        self.assertNotIn("http", html)

    def test_bad(self):
        code, out, _ = self.run_with("")
        self.assertEqual(code, 1)
        self.assertIn("error: ORD-1", out)


class Record(unittest.TestCase):
    def outcome(self, name, *cases):
        return SimpleNamespace(
            test=SimpleNamespace(suite="unit", name=name), began=12.3,
            summary=tap.Summary([tap.Case(*case) for case in cases]))

    def test_a_program_replaces_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "results.json")
            results.record([self.outcome("a", ("x", "pass"), ("y", "fail")),
                            self.outcome("b", ("z", "skip"))], path=path)
            results.record([self.outcome("a", ("x", "pass"))], path=path)
            self.assertEqual(
                [(line["test"], line["name"], line["result"], line["time"])
                 for line in results.load(path)],
                [("b", "z", "skip", 12), ("a", "x", "pass", 12)])

    def test_a_variant_replaces_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "results.json")
            # As a file of before the variants has it.
            path.write_text(json.dumps([
                {"suite": "unit", "test": "a", "name": "x", "result": "fail",
                 "time": 1}]))
            for variant, result in (("iommu", "fail"), ("", "pass"),
                                    ("iommu", "skip"), ("sanitize", "pass")):
                results.record([self.outcome("a", ("x", result))], variant,
                               path)
            self.assertEqual(
                [(line["variant"], line["result"])
                 for line in results.load(path)],
                [("", "pass"), ("iommu", "skip"), ("sanitize", "pass")])

    def test_the_variant_of_a_run(self):
        def of(**more):
            return test.variant(SimpleNamespace(**{
                "kernel": None, "iommu": False, "sanitize": False, **more}))

        self.assertEqual(of(), "")
        self.assertEqual(of(kernel=kernel.DEFAULT), "")
        self.assertEqual(of(kernel="6.12", iommu=True), "kernel 6.12, iommu")
        self.assertEqual(of(sanitize=True), "sanitize")

    def test_nothing_recorded(self):
        self.assertEqual(results.load(Path("/nonexistent")), [])
