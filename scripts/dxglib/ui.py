# SPDX-License-Identifier: GPL-2.0-or-later
"""What dxg says about itself: all on stderr, so that stdout stays the guest's.

On a terminal a running step's line is renewed in place; in a log file each
step leaves two plain lines.
"""

import sys
import time

from dxglib.errors import DxgError


def say(text):
    """One line on stderr."""
    print(f"dxg: {text}", file=sys.stderr, flush=True)


def show(error: DxgError):
    """Print an error with its detail lines."""
    say(error.message)
    for line in error.detail:
        print(f"    {line}", file=sys.stderr)
    sys.stderr.flush()


def seconds(value):
    """Elapsed time for people: "0.42 s", "12.3 s", "3 min 05 s"."""
    if value < 1:
        return f"{value:.2f} s"
    if value < 100:
        return f"{value:.1f} s"
    return f"{int(value) // 60} min {int(value) % 60:02d} s"


def tail(path, lines=25, width=300):
    """The last lines of a log file, unprintable bytes replaced."""
    try:
        with open(path, "rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - lines * width))
            text = log.read().decode(errors="replace")
    except OSError:
        return []
    return [line.rstrip()[:width] for line in text.splitlines()][-lines:]


class Progress:
    """The progress line of one set-up step.

    start() and done() leave a line each; tick() renews the elapsed time and
    the last line of the step's log when stderr is a terminal.
    """

    def __init__(self, name, what):
        self.name = name
        self.what = what
        self.begin = time.monotonic()
        self.live = sys.stderr.isatty()
        self.last = 0.0
        say(f"{name}: {what} ...")

    def tick(self, text=""):
        now = time.monotonic()
        if not self.live or now - self.last < 0.5:
            return
        self.last = now
        line = f"dxg: {self.name}: {seconds(now - self.begin)}  {text}"
        sys.stderr.write("\r\x1b[K" + line[:110])
        sys.stderr.flush()

    def done(self, note=""):
        if self.live:
            sys.stderr.write("\r\x1b[K")
        note = f": {note}" if note else ""
        say(f"{self.name}: done in {seconds(time.monotonic() - self.begin)}"
            f"{note}")

    def failed(self):
        if self.live:
            sys.stderr.write("\r\x1b[K")
        say(f"{self.name}: failed after "
            f"{seconds(time.monotonic() - self.begin)}")
