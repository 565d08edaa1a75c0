# SPDX-License-Identifier: GPL-2.0-or-later
"""Work that waits, done beside the main loop and without threads.

A task is a generator.  It yields the time (of time.monotonic) at which it
wants to go on at the latest; it is resumed whenever the main loop has handled
something, so it looks again whether what it waits for has come.
"""

import time


class TaskTimeout(Exception):
    """What a task waited for has not come."""


def until(condition, limit_s, what, look_s=None):
    """`yield from` it: wait for a true CONDITION(), which is the result.

    It is looked at whenever something happened, and every LOOK_S seconds.
    After LIMIT_S seconds TaskTimeout says WHAT.
    """
    limit = time.monotonic() + limit_s
    while not (value := condition()):
        now = time.monotonic()
        if now >= limit:
            raise TaskTimeout(f"{what} in {limit_s:g} s")
        yield min(limit, now + look_s) if look_s else limit
    return value


def block(task):
    """Run a task to its end here and now; its result."""
    while True:
        try:
            resume_at = next(task)
        except StopIteration as end:
            return end.value
        time.sleep(max(0, resume_at - time.monotonic()))


class Tasks:
    """Tasks, one after another in the order in which they were added."""

    def __init__(self):
        self._waiting = []
        self._resume_at = None

    def add(self, task):
        self._waiting.append(task)

    def busy(self):
        return bool(self._waiting)

    def wait_s(self):
        """Seconds until the present task wants to go on; None: no task."""
        if not self._waiting:
            return None
        return max(0, (self._resume_at or 0) - time.monotonic())

    def advance(self):
        """Let the present task, and those after it, go on."""
        while self._waiting:
            try:
                self._resume_at = next(self._waiting[0])
                return
            except StopIteration:
                self._waiting.pop(0)
                self._resume_at = None
