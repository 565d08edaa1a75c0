# SPDX-License-Identifier: GPL-2.0-or-later
"""Work that waits, done beside the main loop and without threads.

A task is a generator.  It yields the time (of time.monotonic) at which it
wants to go on at the latest; it is resumed whenever the main loop has handled
something, so it looks again whether what it waits for has come.
"""

import time


class TaskTimeout(Exception):
    """What a task waited for has not come."""


def until(condition, limit_s, what):
    """`yield from` it: wait for a true CONDITION(), which is the result.

    After LIMIT_S seconds TaskTimeout says WHAT.
    """
    limit = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() >= limit:
            raise TaskTimeout(f"{what} in {limit_s:g} s")
        yield limit
    return value


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
