# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs test programs, several at once, and reads what they print.

One thread, one poll: a program's output is read as it comes, so that each
result has its time, and is handed over whole when the program has ended: the
output of one never mixes with another's.  A test that must be alone (meson:
is_parallel: false) waits until nothing else runs.  Whatever ends us ends the
programs first, and they their guests.
"""

import os
import re
import selectors
import subprocess
import time
from collections import deque
from dataclasses import dataclass

from dxglib import evidence, proc, sanitize, tap
from dxglib.testlist import Test

CHUNK = 65536
# So often a time-out is looked for; and a signal that came between Python's
# last look and poll()'s sleep is seen (see guest._waking).
SLICE_S = 0.5
# A failed result of any level, but for one that is expected to fail.
FAILURE = re.compile(r"\s*not ok\b(?!.*#\s*(?:todo|skip))", re.I)
# So long after its end the output of a program that hung is waited for.
GIVE_UP_S = 10


@dataclass
class Outcome:
    """How one run of one test went.

    title    the test's, with the number of the run when there are several
    began    in seconds since the epoch
    error    what went wrong beside the TAP stream, None for nothing
    place    the folder of its evidence, None when it passed
    """

    test: Test
    title: str
    began: float
    seconds: float
    summary: tap.Summary
    stdout: str
    stderr: str
    error: str | None
    place: object = None


def run_all(items, jobs, long=False, until_failure=False):
    """Run ITEMS, [(Test, title)], JOBS at once; yields Outcomes as they come.

    until_failure: a test is ended as soon as one of its results is a failure.
    With one job the order is that of ITEMS; with more, those that may run
    beside others come first, by priority, and the others alone after them.
    """
    items = list(items)
    evidence.forget(title for _, title in items)
    if jobs > 1:
        items = sorted(items, key=lambda item: (not item[0].parallel,
                                                -item[0].priority))
    waiting = deque(items)
    running = []
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and _fits(waiting[0][0], running, jobs):
                    child = _Child(*waiting.popleft(), long, until_failure)
                    running.append(child)
                    child.start(selector)
                for key, _ in selector.select(
                        0 if any(child.over() for child in running)
                        else SLICE_S):
                    key.data(key.fileobj)
                for child in [one for one in running if one.over()]:
                    outcome = child.finish()
                    running.remove(child)
                    yield outcome
        finally:
            proc.end_all([child.process for child in running
                          if child.process is not None])


def _fits(test, running, jobs):
    if not running:
        return True
    return (len(running) < jobs and test.parallel
            and all(child.test.parallel for child in running))


class _Child:
    """A test program that runs.

    lines  [(seconds since its start, text)] of its stdout
    """

    def __init__(self, test, title, long, until_failure=False):
        self.test = test
        self.until_failure = until_failure
        self.title = title
        self.limit_s = test.limit_s(long)
        self.command = list(test.command)
        self.env = dict(test.env)
        if test.boots:
            self.command[2:2] = ["--evidence", str(evidence.folder(title)),
                                 *(["--restore"] if test.restored else [])]
        self.process = None
        self.error = None
        self.lines = []
        self.rest = b""
        self.said = b""
        self.open = 0
        self.began = time.time()
        self.start_s = time.monotonic()

    def start(self, selector):
        evidence.clear(self.title)
        if self.test.sanitized:
            self.env |= sanitize.environment(self.title)
        if self.test.slow > 1:
            self.env["DXG_SLOW"] = str(self.test.slow)
        env = {**os.environ, "DXG_NO_SETUP": "1", **self.env}
        try:
            self.process = proc.spawn(
                self.command, cwd=self.test.folder, env=env,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
        except OSError as error:
            self.error = f"cannot run {self.command[0]}: {error.strerror}"
            return
        self.selector = selector
        for stream, take in ((self.process.stdout, self._take_stdout),
                             (self.process.stderr, self._take_stderr)):
            selector.register(stream, selectors.EVENT_READ,
                              lambda stream, take=take:
                              self._read(stream, take))
            self.open += 1

    def _read(self, stream, take):
        data = os.read(stream.fileno(), CHUNK)
        take(data)
        if not data:
            self._end(stream)

    def _end(self, stream):
        self.selector.unregister(stream)
        stream.close()
        self.open -= 1

    def _take_stdout(self, data):
        at = time.monotonic() - self.start_s
        *whole, self.rest = (self.rest + data).split(b"\n")
        if not data and self.rest:
            whole.append(self.rest)
        lines = [line.decode(errors="replace") for line in whole]
        self.lines += [(at, line) for line in lines]
        if (self.until_failure and self.error is None
                and any(FAILURE.match(line) for line in lines)):
            self.error = "ended at its first failure"
            proc.end(self.process)

    def _take_stderr(self, data):
        self.said += data

    def over(self):
        """Whether it has ended, after its time-out if need be."""
        if self.process is None:
            return True
        if not self.open:
            try:
                self.process.wait(SLICE_S)
                return True
            except subprocess.TimeoutExpired:
                pass
        late_s = time.monotonic() - self.start_s - self.limit_s
        if not self.limit_s or late_s <= 0:
            return False
        if self.error is None:
            self.error = f"hang: no end after {self.limit_s:g} s"
            proc.end(self.process)
        elif late_s > GIVE_UP_S:
            # Somebody who escaped from its group holds its pipes.
            for stream in (self.process.stdout, self.process.stderr):
                if not stream.closed:
                    self._end(stream)
        return False

    def finish(self):
        seconds = time.monotonic() - self.start_s
        if self.error is None and self.process.returncode:
            self.error = f"exit status {self.process.returncode}"
        stdout = "".join(f"{line}\n" for _, line in self.lines)
        stderr = self.said.decode(errors="replace")
        outcome = Outcome(self.test, self.title, self.began, seconds,
                          self._summary(seconds), stdout, stderr, self.error)
        if outcome.summary.failed:
            shown = {name: value for name, value in os.environ.items()
                     if name.startswith("DXG_")} | self.env
            outcome.place = evidence.keep(self.title, self.command, shown,
                                          stdout, stderr)
        else:
            evidence.clear(self.title)
        return outcome

    def _summary(self, seconds):
        summary = self._results(seconds)
        if self.test.sanitized:
            for report in sanitize.reports(self.title):
                summary.fail(report, at=seconds)
        return summary

    def _results(self, seconds):
        if self.test.tap:
            summary = tap.read((at, line) for at, line in self.lines)
            if self.error and not summary.failed:
                summary.fail(self.error, at=seconds)
            return summary
        summary = tap.Summary()
        if self.error:
            summary.fail(self.error, at=seconds)
        else:
            summary.cases.append(tap.Case(self.test.name, tap.PASS,
                                          at=seconds))
        return summary
