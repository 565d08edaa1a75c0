# SPDX-License-Identifier: GPL-2.0-or-later
"""What a failing test leaves behind: build/failures/SUITE.NAME.

    command.txt   what was run, to be repeated by hand
    stdout.txt, stderr.txt   all that it printed
    console.log   of a guest's test: the kernel's console
    qemu.log      what QEMU itself printed
    trace.log     QEMU's log: the device's trace events

A folder lives from one run of its test to the next; a test that passes
leaves none.  Under --repeat each run has its own, SUITE.NAME.runN.
"""

import re
import shlex
import shutil

from dxglib import paths


def folder(title):
    """Where the evidence of the test TITLE ("suite:name", "suite:name#2") is."""
    name, _, run = title.partition("#")
    name = re.sub(r"[^\w.+-]", ".", name)
    return paths.FAILURES / (f"{name}.run{run}" if run else name)


def clear(title):
    """Forget what this run of the test has left."""
    shutil.rmtree(folder(title), ignore_errors=True)


def forget(titles):
    """Forget what earlier runs of these tests left, before any of them runs.

    Not when the first of them starts: others may be at work by then.
    """
    for name in {title.partition("#")[0] for title in titles}:
        place = folder(name)
        for old in [place, *paths.FAILURES.glob(f"{place.name}.run[0-9]*")]:
            shutil.rmtree(old, ignore_errors=True)


def keep(title, command, env, stdout, stderr):
    """Put what a failing test printed beside what its guest has left."""
    place = folder(title)
    place.mkdir(parents=True, exist_ok=True)
    words = [f"{name}={value}" for name, value in env.items()]
    (place / "command.txt").write_text(
        shlex.join(["env", *words, *command]) + "\n")
    for name, text in (("stdout.txt", stdout), ("stderr.txt", stderr)):
        (place / name).write_text(text)
    return place
