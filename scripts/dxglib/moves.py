# SPDX-License-Identifier: GPL-2.0-or-later
"""Moving a guest that is at work: to another QEMU, and back in time.

    migrate   live, to a second QEMU that runs beside the first
    save      the state goes to a file, and the guest goes on
    restore   a fresh QEMU loads that file: the guest is back at `save`
    savevm    the same within one QEMU, with a snapshot in a qcow2 image
    loadvm    the guest is back at `savevm`, in the same QEMU

All are tasks (tasks.py); the result is a Move, which says what it cost.  And
two are not, of a guest that stands before and after (see ready.py):

    keep      all but the memory goes to a file
    wake      a fresh QEMU, which has the memory, loads that file

The channels (machine.py) belong to whichever QEMU there is, so nothing in them
has to be handed over, but two QEMUs must not have a hand in them at once: one
that has stopped still finishes a write that was blocked, and still reads input
into the guest's memory.  So between the guest's stop and the saving of its
state we take what it wrote, until QEMU has nothing more to write or read, and
give it nothing; and the QEMU that was left ends before it is given something.

When the guest goes back in time, what it has written since `save` is taken
back; what it has read since is gone.
"""

import socket
import time
from dataclasses import dataclass

from dxglib import tasks
from dxglib.machine import DEVICE_PATH
from dxglib.qmp import QmpError
from dxglib.tasks import TaskTimeout

LIMIT_S = 300
LOOK_S = 0.005
# Rounds of QEMU's main loop without a byte; one rouses what was blocked.
SETTLED = 3
# Entries that the device executes between two moves, or before the first.
STEP = 20
# QEMU's default of 128 MiB/s is for a shared network.
BANDWIDTH = 1 << 36
NODE = "dxg-snapshots"
TAG = "dxg"
# Of a sparse file; room for the memory of the largest guest and more.
IMAGE_BYTES = 1 << 36


class MoveError(Exception):
    """The guest could not be moved."""


@dataclass
class Move:
    """What a move cost.

    kind       as in the module's text
    seconds    from the request to its end
    down_s     of these the guest did not run
    megabytes  of state, written or read
    executed   ring entries that the device had executed when the guest
               stopped; None without a device
    """

    kind: str
    seconds: float
    down_s: float
    megabytes: float
    executed: int | None


class Mover:
    """The moves of one machine.

    folder  pathlib.Path where state is kept
    drain   function: take what is in the channels, the number of bytes
    mark    function: remember what the guest has written
    rewind  function: forget what it has written since
    """

    def __init__(self, machine, folder, drain, mark, rewind):
        self._machine = machine
        self._file = folder / "state"
        self._image = folder / "snapshots.qcow2"
        self._drain = drain
        self._mark = mark
        self._rewind = rewind
        self._back = None       # restore or loadvm, after the last save
        self._jobs = 0

    def forget(self):
        """Remove what was saved."""
        for path in (self._file, self._image):
            path.unlink(missing_ok=True)

    # Tasks -------------------------------------------------------------------

    def migrate(self):
        """Live, to a second QEMU."""
        begin = time.monotonic()
        machine, source = self._machine, self._machine.emulators[0]
        ours, theirs = socket.socketpair()
        with ours, theirs:
            target = machine.start(f"fd:{theirs.fileno()}", [theirs.fileno()])
            source.qmp.request_with_fd("getfd", ours.fileno(),
                                       fdname="migration")
        try:
            self._begin_sending(source, "fd:migration", pause=True)
            yield from self._wait(
                lambda: _status(source) == "pre-switchover", source)
            stopped = time.monotonic()
            self._settle()
            executed = self.executed()
            source.qmp.request("migrate-continue", state="pre-switchover")
            self._sent(source)
            size = _megabytes(source)
            machine.stop(source)
        except (MoveError, QmpError, TaskTimeout):
            machine.stop(target)
            raise
        yield from self._wait(lambda: target.qmp.event("RESUME"), target)
        now = time.monotonic()
        return Move("migrate", now - begin, now - stopped, size, executed)

    def save(self):
        """The state to a file."""
        begin = time.monotonic()
        source = self._machine.emulators[0]
        self._stop()
        self._mark()
        executed = self.executed()
        self._begin_sending(source, f"file:{self._file}")
        self._sent(source)
        source.qmp.request("cont")
        self._back = self.restore
        spent = time.monotonic() - begin
        yield from ()
        return Move("save", spent, spent, self._file.stat().st_size / 1e6,
                    executed)

    def restore(self):
        """A fresh QEMU from the file."""
        begin = time.monotonic()
        self._stop()
        self._rewind()
        executed = self.executed()
        old = self._machine.emulators[0]
        target = self._machine.start(f"file:{self._file}")
        self._machine.stop(old)
        yield from self._loaded(target)
        target.qmp.request("cont")
        spent = time.monotonic() - begin
        return Move("restore", spent, spent,
                    self._file.stat().st_size / 1e6, executed)

    def savevm(self):
        """A snapshot within this QEMU."""
        self._image_ready()
        begin = time.monotonic()
        self._stop()
        self._mark()
        executed = self.executed()
        self._job("snapshot-save", tag=TAG, vmstate=NODE, devices=[NODE])
        self._machine.qmp.request("cont")
        self._back = self.loadvm
        spent = time.monotonic() - begin
        yield from ()
        return Move("savevm", spent, spent, self._image_megabytes(), executed)

    def loadvm(self):
        """Back to it."""
        begin = time.monotonic()
        self._stop()
        self._rewind()
        executed = self.executed()
        self._job("snapshot-load", tag=TAG, vmstate=NODE, devices=[NODE])
        self._machine.qmp.request("cont")
        spent = time.monotonic() - begin
        yield from ()
        return Move("loadvm", spent, spent, self._image_megabytes(), executed)

    def back(self):
        """restore or loadvm, whichever fits the last save."""
        if self._back is None:
            raise MoveError("nothing was saved")
        return self._back()

    # What is not done in the midst of a command -------------------------------

    def keep(self, path):
        """All but the memory, which is in a file, to PATH; the guest stands."""
        source = self._machine.emulators[0]
        self._stop()
        _without_memory(source, True)
        self._begin_sending(source, f"file:{path}")
        self._sent(source)

    def wake(self, path):
        """What keep() wrote, into the QEMU that waits for it."""
        target = self._machine.emulators[0]
        _without_memory(target, True)
        target.qmp.request("migrate-incoming", uri=f"file:{path}")
        tasks.block(self._loaded(target))
        # A later move takes the memory along.
        _without_memory(target, False)
        target.qmp.request("cont")

    # Parts of both; they block, as the guest stands ---------------------------

    def _stop(self):
        self._machine.qmp.request("stop")
        self._settle()

    def _settle(self):
        """QEMU has written, and read, all it can."""
        quiet = 0
        while quiet < SETTLED:
            self._machine.qmp.request("query-status")
            quiet = 0 if self._drain() else quiet + 1

    def executed(self):
        """Ring entries the device has executed; None without a device."""
        if not self._machine.plugged:
            return None
        stats = self._machine.qmp.property(DEVICE_PATH, "stats")
        return stats["entries_completed"]

    def _begin_sending(self, source, uri, pause=False):
        """SOURCE's state goes to URI; PAUSE: not the last part of it."""
        source.qmp.request("migrate-set-capabilities", capabilities=[
            {"capability": "pause-before-switchover", "state": pause}])
        source.qmp.request("migrate-set-parameters",
                           **{"max-bandwidth": BANDWIDTH})
        source.qmp.request("migrate", uri=uri)

    def _sent(self, source):
        tasks.block(self._wait(lambda: _status(source) == "completed",
                               source))

    def _loaded(self, target):
        # It stood when it was saved, and so it does when it was loaded.
        return self._wait(
            lambda: target.qmp.request("query-status")["status"] == "paused",
            target)

    def _wait(self, condition, emulator):
        """Wait for CONDITION(), or EMULATOR's death, which is a MoveError."""
        def look():
            emulator.qmp.take()
            if condition():
                return True
            if emulator.process.poll() is not None:
                raise MoveError("QEMU ended, status "
                                f"{emulator.process.returncode}")
            return False
        return tasks.until(look, LIMIT_S, "the guest has not been moved",
                           LOOK_S)

    def _image_ready(self):
        """This QEMU has an image for its snapshots."""
        qmp = self._machine.qmp
        if any(node.get("node-name") == NODE
               for node in qmp.request("query-named-block-nodes")):
            return
        self._image.write_bytes(b"")
        qmp.request("blockdev-add", **{
            "driver": "file", "node-name": f"{NODE}-file",
            "filename": str(self._image)})
        self._job("blockdev-create", options={
            "driver": "qcow2", "file": f"{NODE}-file", "size": IMAGE_BYTES})
        qmp.request("blockdev-add", **{
            "driver": "qcow2", "node-name": NODE, "file": f"{NODE}-file"})

    def _image_megabytes(self):
        return self._image.stat().st_blocks * 512 / 1e6

    def _job(self, command, **arguments):
        """A QMP command that is a job, to its end."""
        emulator = self._machine.emulators[0]
        self._jobs += 1
        name = f"dxg-{self._jobs}"
        emulator.qmp.request(command, **{"job-id": name}, **arguments)
        tasks.block(self._wait(
            lambda: emulator.qmp.event("JOB_STATUS_CHANGE", id=name,
                                       status="concluded"), emulator))
        errors = [job["error"] for job in emulator.qmp.request("query-jobs")
                  if job["id"] == name and "error" in job]
        emulator.qmp.request("job-dismiss", id=name)
        if errors:
            raise MoveError(f"{command}: {errors[0]}")


def during(guest, kinds):
    """Task: moves of these KINDS, "migrate", "save" or "savevm", while the
    device works; after the latter two it goes on for a moment and then back.
    """
    mover = guest.mover
    done = 0
    for kind in kinds:
        if not (yield from _worked(guest, done)):
            return
        move = yield from guest.moved(getattr(mover, kind)())
        done = move.executed
        if kind != "migrate":
            yield from _worked(guest, done)
            yield from guest.moved(mover.back())


def _worked(guest, done):
    """Wait until the device has executed more than DONE entries, by STEP;
    False when the command has ended first.
    """
    while not guest.over():
        if guest.mover.executed() >= done + STEP:
            return True
        yield time.monotonic() + LOOK_S
    return False


def _status(emulator):
    """How far its migration is; a MoveError when it has failed."""
    answer = emulator.qmp.request("query-migrate")
    status = answer.get("status")
    if status in ("failed", "cancelled"):
        raise MoveError(f"migration {status}: "
                        f"{answer.get('error-desc', 'QEMU says no more')}")
    return status


def _without_memory(emulator, without):
    """Whether its state leaves out memory that is a file."""
    emulator.qmp.request("migrate-set-capabilities", capabilities=[
        {"capability": "x-ignore-shared", "state": without}])


def _megabytes(emulator):
    return emulator.qmp.request("query-migrate")["ram"]["transferred"] / 1e6
