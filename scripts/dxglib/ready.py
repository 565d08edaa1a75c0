# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that have booted and were saved, to be gone on from: build/ready.

A guest that goes on from such a machine has its command after a fraction of
what booting takes.  A machine is saved when /init has made the system usable,
before it inserts our modules: the driver starts afresh each time, with the
parameters and in the build that are asked for, and the device is as after
power-on.  A folder per machine, which its name tells from all others:

    memory   the guest's: QEMU maps it privately, so nothing is read but what
             is used, and whatever a guest writes is its own
    state    everything else, as QEMU's migration writes it
    console  what the kernel printed

The name is a fingerprint of all that the machine was made of: QEMU's program
and words (the device's properties and the kernel's words are among them),
firmware, kernel, image.  With any other, it is another machine.

What the harness tells a guest that goes on is in guest/wake.c: what it is to
run, the time, and random numbers, which would be the same in all of them.

The lock of a folder is on the folder: shared by who goes on from it, until
QEMU has loaded it, and exclusive for who makes or removes it.
"""

import contextlib
import dataclasses
import fcntl
import os
import secrets
import shutil
import time

from dxglib import errors, guest, kmsg, machine, paths, qemu, steps, streams
from dxglib.errors import DxgError
from dxglib.initramfs import RunPart

# Each is some 100 MB on disk.
KEPT = 12
SEED_BYTES = 32
# The device "pc.ram" of a QEMU that was given no other memory has that name.
_MEMORY = "pc.ram"


def key(config):
    """The name of CONFIG's machine."""
    words = machine.words(config)
    if config.device is not None:
        words += ["-device", machine.device(config)]
    return steps.fingerprint(
        "1", *(str(word) for word in words), qemu.chosen().binary,
        paths.FIRMWARE, paths.kernel(config.kernel) / "vmlinux",
        paths.initramfs(config.kernel))[:16]


class Saved:
    """A saved machine, locked until release()."""

    def __init__(self, config, folder, lock):
        self.folder = folder
        self.state = folder / "state"
        self.partial = folder / "state.partial"
        self._config = config
        self._lock = lock

    def words(self, make=False):
        """QEMU's words for who goes on from it, or who makes it."""
        memory = (f"memory-backend-file,id={_MEMORY},"
                  f"size={self._config.memory_mb}M,"
                  f"mem-path={self.folder / 'memory'},")
        return ["-object", memory + ("share=on" if make else
                                     "share=off,readonly=on,rom=off"),
                "-machine", f"memory-backend={_MEMORY}",
                *([] if make else ["-incoming", "defer"])]

    def console(self):
        """What the kernel printed before."""
        return (self.folder / "console").read_bytes()

    def greeting(self, part):
        """What dxg-wake in the guest wants; PART is the run's archive."""
        return (f"{len(part)} {time.time_ns()}\n".encode()
                + secrets.token_bytes(SEED_BYTES) + part)

    def discard(self):
        """It is of no use."""
        self.state.unlink(missing_ok=True)

    def release(self):
        """Nothing in the folder is needed any more."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class _Maker(guest.Guest):
    """A guest that boots and is saved."""

    def __init__(self, config, place):
        part = RunPart(None, settings={"DXG_SAVE": 1})
        super().__init__(config, part, streams.BufferSink(),
                         streams.BufferSink())
        self._place = place
        self._done = False

    def machine(self, log):
        return machine.Machine(self.config, self.folder / "initrd", log, self,
                               self._place.words(make=True))

    def over(self):
        return self._done or super().over()

    def told(self, word, rest):
        super().told(word, rest)
        if word == "save":
            self.tasks.add(self._save())

    def _save(self):
        self.mover.keep(self._place.partial)
        self._done = True
        self.code = 0
        yield from ()


def saved(config):
    """The saved machine of CONFIG, made if need be; see release()."""
    folder = paths.READY / key(config)
    while True:
        lock = _lock(folder, fcntl.LOCK_SH)
        place = Saved(config, folder, lock)
        if place.state.exists():
            os.utime(folder)
            return place
        os.close(lock)
        lock = _lock(folder, fcntl.LOCK_EX)
        try:
            if not place.state.exists():
                _make(config, place)
        finally:
            os.close(lock)


def _lock(folder, how):
    """A descriptor that holds the lock of FOLDER, which is there then."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with contextlib.suppress(FileNotFoundError):
            fcntl.flock(lock, how)
            if os.path.samestat(os.fstat(lock), os.stat(folder)):
                return lock
        # It was removed while we waited.
        os.close(lock)


def _make(config, place):
    prune()
    (place.folder / "memory").unlink(missing_ok=True)
    maker = _Maker(dataclasses.replace(config, trace=()), place)
    maker.run()
    problems = kmsg.problems(maker.console_text())
    if problems:
        raise DxgError(errors.FAILED, "the kernel log of a guest that only "
                       "booted has a problem", problems)
    (place.folder / "console").write_bytes(maker.console)
    place.partial.rename(place.state)


def prune():
    """Remove those that were not used for longest."""
    with contextlib.suppress(FileNotFoundError):
        old = sorted(paths.READY.iterdir(), key=lambda path: -_used(path))
        for folder in old[KEPT:]:
            with contextlib.suppress(OSError):
                lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)
                finally:
                    os.close(lock)


def _used(folder):
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0
