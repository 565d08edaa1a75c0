# SPDX-License-Identifier: GPL-2.0-or-later
"""Results as JUnit XML, in the dialect that Jenkins and GitLab read.

One test program is one testsuite, each of its TAP results a testcase, whose
time is that since the result before it.  The classname is SUITE.NAME, so that
a viewer groups by suite.  What a program printed comes along when it failed.
"""

import re
import xml.etree.ElementTree as ET
from datetime import datetime, timezone

from dxglib import errors, tap
from dxglib.errors import DxgError

OUTPUT_MAX = 256 * 1024
# XML 1.0 has no way to write the other control characters.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path, outcomes, wall_s, properties):
    """Write all OUTCOMES (runner.Outcome) of a run of WALL_S seconds.

    properties: what a reader needs to repeat the run, name -> text.
    """
    top = ET.Element("testsuites", name="dxgpu", time=_time(wall_s))
    for number, outcome in enumerate(outcomes):
        _suite(top, number, outcome, properties)
    _counts(top, [outcome.summary for outcome in outcomes])
    ET.indent(top)
    try:
        ET.ElementTree(top).write(path, encoding="utf-8",
                                  xml_declaration=True)
    except OSError as error:
        raise DxgError(errors.FAILED,
                       f"--junit {path}: {error.strerror}") from None


def _suite(top, number, outcome, properties):
    begun = datetime.fromtimestamp(outcome.began, timezone.utc)
    suite = ET.SubElement(
        top, "testsuite", name=_text(outcome.title), id=str(number),
        package=outcome.test.suite, time=_time(outcome.seconds),
        timestamp=begun.strftime("%Y-%m-%dT%H:%M:%S"))
    _counts(suite, [outcome.summary])
    if properties:
        holder = ET.SubElement(suite, "properties")
        for name, value in properties.items():
            ET.SubElement(holder, "property", name=name, value=_text(value))
    last = 0.0
    for case in outcome.summary.cases:
        at = max(case.at, last)
        _case(suite, outcome, case, at - last)
        last = at
    if outcome.summary.failed:
        for tag, text in (("system-out", outcome.stdout),
                          ("system-err",
                           outcome.stderr + (outcome.error or ""))):
            if text:
                ET.SubElement(suite, tag).text = _text(text[-OUTPUT_MAX:])


def _case(suite, outcome, case, seconds):
    element = ET.SubElement(
        suite, "testcase", name=_text(case.name), time=_time(seconds),
        classname=f"{outcome.test.suite}.{outcome.test.name}")
    if case.outcome == tap.FAIL:
        failure = ET.SubElement(element, "failure", type="not ok",
                                message=_text(case.text))
        failure.text = _text("\n".join([case.text, *case.remarks]))
    elif case.outcome == tap.SKIP:
        ET.SubElement(element, "skipped",
                      message=_text(case.text or "no reason given"))


def _counts(element, summaries):
    element.set("tests", str(sum(len(summary.cases)
                                 for summary in summaries)))
    element.set("failures", str(sum(summary.failed for summary in summaries)))
    element.set("errors", "0")
    if element.tag == "testsuite":
        element.set("skipped", str(sum(summary.skipped
                                       for summary in summaries)))


def _time(seconds):
    return f"{max(seconds, 0):.3f}"


def _text(text):
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
