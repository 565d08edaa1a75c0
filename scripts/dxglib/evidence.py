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
    """Forget what an earlier run left; the first run what all left."""
    name, _, run = title.partition("#")
    old = [folder(title)]
    if run in ("", "1"):
        old += [folder(name), *paths.FAILURES.glob(
            f"{folder(name).name}.run[0-9]*")]
    for place in old:
        shutil.rmtree(place, ignore_errors=True)


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
