# SPDX-License-Identifier: GPL-2.0-or-later
"""Set-up steps: done only when stale, with a progress line and a log.

A step is fresh when its outputs exist and build/stamp/NAME holds the
fingerprint of its inputs: strings (versions, options), files and trees (by
name, size and time).  The fingerprint is taken before the step runs, so that
an edit made meanwhile makes it stale again.

The lock of build/lock lets one dxg at a time do set-up; everything else in
this file is called with it held, but for `fresh`.
"""

import contextlib
import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

from dxglib import paths, proc, ui
from dxglib.errors import SetupError


def fingerprint(*inputs):
    """Hash of strings and, for Path values, of the file or tree's state."""
    digest = hashlib.sha256()
    for item in inputs:
        if isinstance(item, Path):
            for line in _state(str(item)):
                digest.update(line.encode(errors="surrogateescape"))
        else:
            digest.update(f"{item}\0".encode())
    return digest.hexdigest()


def _state(top):
    """Name, size and mtime of TOP, or of all files below it, sorted."""
    try:
        stat = os.stat(top)
    except OSError:
        return [f"{top} absent\0"]
    if not os.path.isdir(top):
        return [f"{top} {stat.st_size} {stat.st_mtime_ns}\0"]
    lines = []
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders
                      if name not in ("__pycache__", ".git")]
        for name in files:
            if name.endswith(("~", ".swp")):
                continue
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                stat = os.stat(path)
                lines.append(f"{path} {stat.st_size} {stat.st_mtime_ns}\0")
    return sorted(lines)


class Step:
    """One set-up step.

    name     short, also the log's and the stamp's name, and `--only NAME`
    what     what the progress line says
    inputs   function giving the values for fingerprint()
    outputs  paths that must exist
    run      function(Context) doing it; may return a note for the line
    """

    def __init__(self, name, what, inputs, outputs, run):
        self.name = name
        self.what = what
        self.inputs = inputs
        self.outputs = outputs
        self.run = run

    @property
    def stamp(self):
        return paths.STAMP / self.name

    def fresh(self, mark=None):
        """Whether nothing is to be done."""
        try:
            stored = self.stamp.read_text()
        except OSError:
            return False
        return (stored == (mark or fingerprint(*self.inputs()))
                and all(path.exists() for path in self.outputs))

    def update(self):
        """Run the step if it is stale; True when it ran."""
        mark = fingerprint(*self.inputs())
        if self.fresh(mark):
            return False
        paths.LOG.mkdir(parents=True, exist_ok=True)
        paths.STAMP.mkdir(parents=True, exist_ok=True)
        self.stamp.unlink(missing_ok=True)
        progress = ui.Progress(self.name, self.what)
        log_path = paths.LOG / f"{self.name}.log"
        with open(log_path, "wb") as log:
            try:
                note = self.run(Context(self.name, log, log_path, progress))
            except BaseException:
                progress.failed()
                raise
        for path in self.outputs:
            if not path.exists():
                raise SetupError(f"{self.name}: {_short(path)} was not made",
                                 _log_tail(log_path))
        self.stamp.write_text(mark)
        progress.done(note or "")
        return True


class Context:
    """What a running step works with: its log and its progress line."""

    def __init__(self, name, log, log_path, progress):
        self.name = name
        self.log = log
        self.log_path = log_path
        self.progress = progress

    def command(self, argv, what, hint=(), **kwargs):
        """Run ARGV into the log; a failure is a SetupError with its tail.

        what names the purpose in the error; hint are lines for the user.
        """
        def tick():
            last = ui.tail(self.log_path, 1)
            self.progress.tick(last[0] if last else "")

        try:
            status = proc.logged(argv, self.log, tick, **kwargs)
        except OSError as error:
            raise SetupError(f"{self.name}: cannot run {argv[0]}: "
                             f"{error.strerror}", hint) from None
        if status:
            raise SetupError(
                f"{self.name}: {what} failed (status {status}); the whole log "
                f"is {_short(self.log_path)}",
                _log_tail(self.log_path) + list(hint))

    def note(self, text):
        """A line of our own in the log."""
        self.log.write((text + "\n").encode())
        self.log.flush()


def _log_tail(path):
    return [f"| {line}" for line in ui.tail(path)]


def _short(path):
    try:
        return path.relative_to(paths.REPO)
    except ValueError:
        return path


@contextlib.contextmanager
def lock():
    """Hold the set-up lock; says so once when another dxg has it."""
    paths.BUILD.mkdir(exist_ok=True)
    with open(paths.LOCK, "a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            owner = handle.read().strip() or "?"
            ui.say(f"waiting for the set-up of another dxg (process {owner})")
            fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield


def unpack(deb, target):
    """Unpack the .deb file DEB below TARGET; a SetupError when it is bad."""
    try:
        proc.output(["dpkg-deb", "-x", deb, target])
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        raise SetupError(f"cannot unpack {_short(Path(deb))}: "
                         f"{reason.strip()}") from None
