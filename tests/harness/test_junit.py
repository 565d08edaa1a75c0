# SPDX-License-Identifier: GPL-2.0-or-later
"""JUnit XML: what the common schema (Surefire's, as Jenkins has it) allows."""

import re
import xml.etree.ElementTree as ET

import fakes
from fakes import FAILING, PASSING, fake

SECONDS = r"\d+\.\d{3}"
NUMBER = r"\d+"
TEXT = r"[\s\S]+"
# element -> (attributes that must be, attributes that may be, children in order)
SCHEMA = {
    "testsuites": ({"tests": NUMBER, "failures": NUMBER, "errors": NUMBER},
                   {"name": TEXT, "time": SECONDS}, ["testsuite"]),
    "testsuite": ({"name": TEXT, "tests": NUMBER, "failures": NUMBER,
                   "errors": NUMBER},
                  {"skipped": NUMBER, "time": SECONDS, "id": NUMBER,
                   "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
                   "package": TEXT},
                  ["properties", "testcase", "system-out", "system-err"]),
    "properties": ({}, {}, ["property"]),
    "property": ({"name": TEXT, "value": TEXT}, {}, []),
    "testcase": ({"name": TEXT}, {"classname": TEXT, "time": SECONDS},
                 ["skipped", "failure"]),
    "failure": ({}, {"message": TEXT, "type": TEXT}, []),
    "skipped": ({}, {"message": TEXT}, []),
    "system-out": ({}, {}, []),
    "system-err": ({}, {}, []),
}


class Junit(fakes.Case):
    def written(self, *tests, arguments=()):
        """The root of what dxg test writes; held against the schema."""
        path = self.top / "junit.xml"
        _, lines, err = self.run_dxg(tests, "--junit", str(path), *arguments)
        self.assertTrue(path.exists(), err)
        self.lines = lines
        root = ET.parse(path).getroot()
        self.assertEqual(root.tag, "testsuites")
        self.hold(root)
        return root

    def hold(self, element):
        must, may, children = SCHEMA[element.tag]
        for name in must:
            self.assertIn(name, element.attrib, element.tag)
        for name, value in element.attrib.items():
            self.assertIn(name, {**must, **may}, element.tag)
            self.assertTrue(re.fullmatch({**must, **may}[name], value),
                            f"{element.tag} {name}={value!r}")
        places = [children.index(child.tag) for child in element]
        self.assertEqual(places, sorted(places), element.tag)
        if element.tag in ("testsuite", "testsuites"):
            for name, inside in (("tests", "testcase"),
                                 ("failures", "failure")):
                self.assertEqual(int(element.get(name)),
                                 len(list(element.iter(inside))))
        for child in element:
            self.hold(child)

    def test_each_result_is_a_testcase(self):
        root = self.written(
            fake("good", "echo 1..2; echo ok 1 - a; sleep 0.3; "
                         "echo 'ok 2 - b # SKIP no reason'"),
            fake("bad", FAILING, suite="qtest"))
        good, bad = root
        self.assertEqual([good.get("name"), bad.get("name")],
                         ["unit:good", "qtest:bad"])
        first, second = good.findall("testcase")
        self.assertEqual((first.get("classname"), first.get("name")),
                         ("unit.good", "a"))
        self.assertGreater(float(second.get("time")), 0.2)
        self.assertEqual(second.find("skipped").get("message"), "no reason")
        failure, = bad.iter("failure")
        self.assertEqual(failure.get("message"), "not ok 2 - broken")
        self.assertIn("because", failure.text)
        self.assertIn("said-so", bad.find("system-err").text)
        self.assertIsNone(good.find("system-out"))
        self.assertEqual(self.lines[-1], "2 passed, 1 failed, 1 skipped")

    def test_what_xml_cannot_say(self):
        root = self.written(fake(
            "odd", "printf '1..1\\nnot ok 1 - <&\\033[1m\\377\\001>\\n'"))
        self.assertEqual(root.find(".//testcase").get("name"),
                         "<&\ufffd[1m\ufffd\ufffd>")

    def test_seed_and_repeats(self):
        root = self.written(fake("t", PASSING), fake("u", PASSING),
                            arguments=("--repeat", "2", "--shuffle", "9"))
        self.assertEqual(sorted(suite.get("name") for suite in root),
                         ["unit:t#1", "unit:t#2", "unit:u#1", "unit:u#2"])
        self.assertEqual(root[0].find("properties/property[@name='seed']")
                         .get("value"), "9")

    def test_a_hang_is_a_failure(self):
        root = self.written(fake("stuck", "echo ok 1; sleep 1000",
                                 timeout_s=1))
        self.assertIn("no plan", root.find(".//failure").get("message"))
