# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of a guest: boot, one command, its output, how it ended.

Instead of booting it may go on from a saved machine (ready.py).

Guest.run() returns a Result when the command ended and the kernel log could
be read; everything else is a DxgError with the code of errors.py, the
console's tail and the likely cause.  Whatever happens, QEMU is gone when it
returns.
"""

import contextlib
import io
import os
import re
import secrets
import selectors
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from dataclasses import dataclass, field

from dxglib import errors, kmsg, paths, proc, streams, ui
from dxglib.errors import DxgError, SetupError, UsageError
from dxglib.hostport import HostPort
from dxglib.initramfs import RunPart
from dxglib.machine import Emulator, Machine
from dxglib.moves import MoveError, Mover
from dxglib.qmp import Qmp, QmpError
from dxglib.tasks import Tasks, TaskTimeout

CHUNK = 65536
# Booting takes 1.3 s on an idle machine; these are for a very busy one.
BOOT_LIMIT_S = 90 * proc.SLOW
OUTPUT_LIMIT_S = 30 * proc.SLOW
END_LIMIT_S = 5 * proc.SLOW
NO_LIMIT_S = 10 ** 6
KEEP_RUNS = 10
TAIL_LINES = 30


@dataclass
class Result:
    """How a run that reached its end went.

    code      exit code of the command
    out       tar bytes of the guest's /out, b"" when it was empty
    problems  lines of the kernel log that announce a defect
    boot_s    from QEMU's start to the guest's "ready", booted or not
    total_s   from QEMU's start to its end
    at_end    what the caller's at_end(qmp) returned
    moves     [moves.Move], in order
    """

    code: int
    out: bytes
    problems: list
    boot_s: float
    total_s: float
    at_end: object = None
    moves: list = field(default_factory=list)


class Guest:
    """A guest to be run once.

    config   machine.Config
    part     initramfs.RunPart
    stdin    descriptor to read from, None for none
    stdout, stderr   sinks of streams.py
    timeout_s   limit from the guest's "ready" to the command's end; None for
                none.  Booting has a limit of its own.
    at_end   function(Qmp), called after the command with QEMU still there
    evidence folder that gets console.log and qemu.log however it ends
    beside   function(Guest) that makes a task (tasks.py) to be done while the
             command runs; it ends when `over` says that the command has ended
    saved    ready.Saved from which it goes on, None to boot
    """

    def __init__(self, config, part: RunPart, stdout, stderr, stdin=None,
                 timeout_s=None, at_end=None, evidence=None, beside=None,
                 saved=None):
        self.config = config
        self.part = part
        self.sinks = {"stdout": stdout, "stderr": stderr,
                      "out": streams.BufferSink()}
        token = f"dxg-end-{secrets.token_hex(16)}"
        self.part.settings["DXG_END"] = token
        self.marked = {name: streams.Marked(token.encode(), sink)
                       for name, sink in self.sinks.items()}
        self.stdin = stdin
        self.timeout_s = timeout_s and timeout_s * proc.SLOW
        self.at_end = at_end
        self.evidence = evidence
        self.beside = beside
        self.saved = saved
        self.folder = paths.RUNS / f"{time.strftime('%H%M%S')}-{os.getpid()}"
        self.console = bytearray()
        self.control = b""
        self.ready_at = None
        self.exit_at = None
        self.code = None
        self.failure = None
        self.keep = True
        self.to_guest = b""
        self.to_init = b""
        self.tasks = Tasks()
        self.selector = selectors.PollSelector()
        self.mover = None
        self.host = None
        self.moves = []
        self.marks = None

    def run(self):
        """Run it; see the module's text."""
        self._prepare()
        self.start = time.monotonic()
        try:
            with open(self.folder / "qemu.log", "wb") as log:
                result = self._run(log)
            self.keep = bool(result.problems)
            return result
        finally:
            (self.folder / "console.log").write_bytes(self.console)
            for name, sink in self.sinks.items():
                self.marked[name].flush()
                sink.close()
            if self.evidence is not None:
                for name in ("console.log", "qemu.log"):
                    shutil.copyfile(self.folder / name, self.evidence / name)
            if not self.keep:
                shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, log):
        machine = self.machine(log)
        self.mover = Mover(machine, self.folder, lambda: self._drain(machine),
                           self._mark, self._rewind)
        self.host = HostPort(machine, self.tasks, self.moved, self.mover,
                             lambda line: _send(machine, "host", line))
        try:
            if self.saved is not None:
                self._wake()
            return self._drive(machine)
        finally:
            self.selector = None
            machine.end()
            self.mover.forget()

    def machine(self, log):
        """Start the machine that it runs on."""
        if self.saved is None:
            return Machine(self.config, self.folder / "initrd", log, self)
        return Machine(self.config, paths.initramfs(self.config.kernel), log,
                       self, self.saved.words())

    def _wake(self):
        """Go on from the saved machine, and say what is to be done."""
        try:
            self.mover.wake(self.saved.state)
        except (MoveError, QmpError, TaskTimeout) as error:
            self.saved.discard()
            raise self._error(
                errors.SETUP, f"the saved machine {self.saved.folder.name} "
                f"could not be loaded: {error}",
                [*ui.tail(self.folder / "qemu.log"),
                 "it was removed, so that the next run saves a new one; to "
                 "boot instead: exec without --restore, test with "
                 "--no-restore"]) from None
        finally:
            self.saved.release()
        self.console += self.saved.console()
        self.to_init = self.saved.greeting(self.part.bytes())

    def console_text(self):
        """The kernel's console so far."""
        return self.console.decode(errors="replace")

    def _prepare(self):
        paths.RUNS.mkdir(parents=True, exist_ok=True)
        for old in sorted(paths.RUNS.iterdir(), key=_age)[:-KEEP_RUNS]:
            if not _in_use(old):
                shutil.rmtree(old, ignore_errors=True)
        self.folder.mkdir()
        if self.evidence is not None:
            self.evidence.mkdir(parents=True, exist_ok=True)
        if self.saved is not None:
            return
        with open(self.folder / "initrd", "wb") as initrd:
            with open(paths.initramfs(self.config.kernel), "rb") as base:
                shutil.copyfileobj(base, initrd)
            initrd.write(self.part.bytes())

    # The main loop -------------------------------------------------------

    def _drive(self, machine):
        with self.selector as selector, _waking() as wake:
            selector.register(wake, selectors.EVENT_READ, "wake")
            self._register(selector, machine)
            while not (self.over() and not self.tasks.busy()):
                if not self._poll(selector, machine):
                    break
            self._drain(machine)
        boot_s = (self.ready_at or time.monotonic()) - self.start
        if self.failure is not None:
            raise self._error(errors.SETUP, self.failure)
        if self.code is None:
            raise self._death(machine)
        at_end = self._finish(machine)
        self._drain(machine)
        return Result(self.code, self.sinks["out"].bytes(),
                      kmsg.problems(self.console_text()), boot_s,
                      time.monotonic() - self.start, at_end, self.moves)

    def over(self):
        """Whether the guest told the end, and all before it has arrived."""
        return self.failure is not None or (
            self.code is not None
            and all(marked.ended for marked in self.marked.values()))

    def begin(self, emulator):
        """A QEMU was started (Machine's watch)."""
        self.selector.register(emulator.channel, selectors.EVENT_READ,
                               emulator.qmp)
        self.selector.register(emulator.gone, selectors.EVENT_READ, emulator)

    def end(self, emulator):
        """It is about to be ended."""
        if self.selector is not None:
            self.selector.unregister(emulator.channel)
            self.selector.unregister(emulator.gone)

    def moved(self, task):
        """Part of a task: make this move of self.mover, and note it."""
        move = yield from task
        self.moves.append(move)
        return move

    def _register(self, selector, machine):
        for name in ("console", "ctl", *self.sinks, "host", "tty"):
            if name in machine.channels:
                selector.register(machine.channels[name],
                                  selectors.EVENT_READ, name)
        if self.to_init:
            selector.modify(machine.channels["ctl"], selectors.EVENT_READ
                            | selectors.EVENT_WRITE, "ctl")
        self.input_channel = "tty" if self.config.tty else "stdin"
        if self.stdin is None:
            machine.end_input()
        else:
            selector.register(self.stdin, selectors.EVENT_READ, "source")

    def _poll(self, selector, machine):
        """Handle what is ready; False when QEMU is gone."""
        left = self._deadline() - time.monotonic()
        if left <= 0:
            raise self._hang(machine)
        if self.tasks.busy():
            left = min(left, self.tasks.wait_s())
        for key, events in selector.select(left):
            if isinstance(key.data, Emulator):
                if key.data is machine.emulators[0]:
                    return False
                continue
            if isinstance(key.data, Qmp):
                key.data.take()
                continue
            if key.data == "host":
                self._read_host(selector, machine)
                continue
            if key.data == "source":
                self._read_source(selector, machine)
                continue
            if key.data == "wake":
                key.fileobj.recv(CHUNK)
                continue
            if events & selectors.EVENT_WRITE:
                if key.data == "ctl":
                    self._tell_init(selector, key.fileobj)
                else:
                    self._feed(selector, machine)
            if events & selectors.EVENT_READ:
                self._read(key.fileobj, key.data)
        if any(sink.broken for sink in self.sinks.values()):
            raise BrokenPipeError
        try:
            self.tasks.advance()
        except (MoveError, QmpError, TaskTimeout) as error:
            raise self._error(errors.FAILED, f"the guest could not be moved: "
                              f"{error}") from None
        self._listen_to_host(selector, machine)
        return True

    def _read_host(self, selector, machine):
        """Take requests of the side channel, as many as are served now."""
        try:
            self.host.feed(machine.channels["host"].recv(self.host.room()))
        except (BlockingIOError, ConnectionError):
            pass
        if not self.host.room():
            selector.unregister(machine.channels["host"])

    def _listen_to_host(self, selector, machine):
        channel = machine.channels["host"]
        if self.host.room() and channel.fileno() not in selector.get_map():
            selector.register(channel, selectors.EVENT_READ, "host")

    def _deadline(self):
        """When the present part of the run becomes a hang."""
        if self.ready_at is None:
            return self.start + BOOT_LIMIT_S
        if self.code is not None:
            return self.exit_at + OUTPUT_LIMIT_S
        return self.ready_at + (self.timeout_s or NO_LIMIT_S)

    def _read(self, channel, name):
        """Take a piece of what CHANNEL has, the number of bytes."""
        try:
            data = channel.recv(CHUNK)
        except (BlockingIOError, ConnectionError):
            return 0
        if name == "console":
            self.console += data
        elif name == "ctl":
            self._control(data)
        elif name == "tty":
            self.sinks["stdout"].write(data)
        else:
            self.marked[name].write(data)
        return len(data)

    def _control(self, data):
        self.control += data
        while b"\n" in self.control:
            line, self.control = self.control.split(b"\n", 1)
            word, _, rest = line.decode(errors="replace").partition(" ")
            self.told(word, rest)

    def told(self, word, rest):
        """/init says WORD, and more of it."""
        if word == "ready":
            self.ready_at = time.monotonic()
            if self.beside is not None:
                self.tasks.add(self.beside(self))
        elif word == "error":
            self.failure = f"the guest's set-up failed: {rest}"
        elif word == "exit" and re.fullmatch(r"\d{1,3}", rest):
            self.code = int(rest)
            self.exit_at = time.monotonic()

    def _read_source(self, selector, machine):
        """Take our stdin; nothing more is read until the guest took it."""
        try:
            data = os.read(self.stdin, CHUNK)
        except OSError:
            data = b""
        selector.unregister(self.stdin)
        if data:
            self.to_guest = data
            channel = machine.channels[self.input_channel]
            if self.input_channel == "stdin":
                selector.register(channel, selectors.EVENT_WRITE, "feed")
            else:
                selector.modify(channel, selectors.EVENT_READ
                                | selectors.EVENT_WRITE, "tty")
        elif self.input_channel == "stdin":
            machine.end_input()

    def _tell_init(self, selector, channel):
        try:
            self.to_init = self.to_init[channel.send(self.to_init):]
        except (BlockingIOError, ConnectionError):
            return
        if not self.to_init:
            selector.modify(channel, selectors.EVENT_READ, "ctl")

    def _feed(self, selector, machine):
        channel = machine.channels[self.input_channel]
        try:
            self.to_guest = self.to_guest[channel.send(self.to_guest):]
        except BlockingIOError:
            return
        except ConnectionError:
            self.to_guest = b""
        if not self.to_guest:
            if self.input_channel == "stdin":
                selector.unregister(channel)
            else:
                selector.modify(channel, selectors.EVENT_READ, "tty")
            selector.register(self.stdin, selectors.EVENT_READ, "source")

    def _drain(self, machine):
        """Take what is in the channels without waiting, the number of bytes.

        But the side channel: its requests wait until they are served.
        """
        taken = 0
        for name in ("console", "ctl", "tty", *self.sinks):
            channel = machine.channels.get(name)
            while channel is not None and (got := self._read(channel, name)):
                taken += got
        return taken

    def _mark(self):
        """Remember what the guest has told (moves.py)."""
        self.marks = (
            self.control, self.code, self.exit_at, self.host.mark(),
            {name: marked.mark() for name, marked in self.marked.items()})

    def _rewind(self):
        """Forget what it has told since."""
        self.control, self.code, self.exit_at, host, marks = self.marks
        self.host.rewind(host)
        for name, mark in marks.items():
            self.marked[name].rewind(mark)

    # Ends ------------------------------------------------------------------

    def _finish(self, machine):
        """Ask QEMU what the caller wants to know, then let it quit."""
        at_end = None
        try:
            if self.at_end:
                at_end = self.at_end(machine.qmp)
            machine.qmp.request("quit")
            machine.process.wait(END_LIMIT_S)
        except (QmpError, subprocess.TimeoutExpired) as error:
            raise self._error(errors.FAILED, "QEMU did not end in order: "
                              f"{error}") from None
        return at_end

    def _hang(self, machine):
        """The time is up: ask the kernel what it is doing, then tell."""
        limit = f"{self.timeout_s or 0:g} s"
        if self.ready_at is None:
            limit = f"{BOOT_LIMIT_S} s of booting"
            cause = ("the kernel printed nothing: it or the firmware did not "
                     "start" if not self.console else
                     "the guest did not finish booting: the console's last "
                     "line shows where it stands")
        elif self.code is not None:
            limit = f"{OUTPUT_LIMIT_S} s after the command's end"
            cause = "the command's output does not arrive: QEMU is stuck"
        else:
            cause = ("the command did not end; the blocked tasks and the "
                     "CPUs' stacks below show where it stands (--timeout "
                     "gives it more time)")
        self._sysrq(machine)
        return self._error(
            errors.HANG, f"hang: no end after {limit}",
            [f"likely cause: {cause}"])

    def _sysrq(self, machine):
        """Show blocked tasks (w) and the CPUs' stacks (l) on the console."""
        console = machine.channels["console"]
        try:
            for letter in b"wl":
                machine.qmp.request("chardev-send-break", id="console")
                console.send(bytes([letter]))
                until = time.monotonic() + 1
                while time.monotonic() < until:
                    time.sleep(0.05)
                    self._read(console, "console")
        except (QmpError, OSError):
            pass

    def _death(self, machine):
        """QEMU is gone and the command did not end: say why."""
        try:
            status = machine.process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            return self._error(errors.FAILED,
                               "QEMU closed its channels but still runs")
        text = self.console_text()
        reason = kmsg.panic(text)
        if reason is not None:
            cause = kmsg.panic_cause(text)
            return self._error(errors.PANIC, f"guest panic: {reason}",
                               [f"likely cause: {cause}"] if cause else [])
        said = ui.tail(self.folder / "qemu.log")
        if status < 0:
            return self._error(errors.FAILED,
                               f"QEMU died of signal {-status}", said)
        if status:
            kind = (UsageError if self.config.device and
                    any("dxgpu" in line for line in said) else SetupError)
            error = kind(f"QEMU did not start (status {status})", said)
            self.keep = False
            return error
        return self._error(errors.FAILED, "the guest switched itself off "
                           "before the command ended")

    def _error(self, code, message, detail=()):
        where = self.folder.relative_to(paths.REPO)
        lines = kmsg.clean(self.console_text()).splitlines()
        tail = lines[-TAIL_LINES if code != errors.HANG else -60:]
        return DxgError(code, message, [
            *detail, f"console's tail (all of it: {where}/console.log):",
            *(f"| {line}" for line in tail)])


def _send(machine, name, data):
    """Send what there is room for: nobody waits for a guest that is slow."""
    try:
        machine.channels[name].send(data)
    except (BlockingIOError, ConnectionError):
        pass


@contextlib.contextmanager
def _waking():
    """A socket that is readable after a signal.

    A signal may arrive after Python last looked for one and before poll()
    sleeps; without this it would be seen at poll()'s next event only.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        before = signal.set_wakeup_fd(theirs.fileno(),
                                      warn_on_full_buffer=False)
        try:
            yield ours
        finally:
            signal.set_wakeup_fd(before)


def _age(folder):
    """When FOLDER was written; another dxg may remove it meanwhile."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _in_use(folder):
    pid = folder.name.rpartition("-")[2]
    return pid.isdigit() and proc.alive(int(pid))


def unpack_out(data, target):
    """Unpack the guest's /out below TARGET; a guest is not trusted.

    Only plain files and folders are taken, and none may leave TARGET.
    """
    if not data:
        return
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                _unpack_member(archive, member, target)
    except tarfile.TarError as error:
        raise DxgError(errors.FAILED,
                       f"the guest's /out did not arrive whole: {error}"
                       ) from None


def _unpack_member(archive, member, target):
    place = os.path.normpath(member.name)
    if place == ".":
        return
    if os.path.isabs(place) or place.split("/")[0] == "..":
        ui.say(f"/out: {member.name}: leaves the folder: left out")
    elif member.isdir():
        (target / place).mkdir(parents=True, exist_ok=True)
    elif member.isfile():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        with (archive.extractfile(member) as source,
              open(target / place, "wb") as copy):
            shutil.copyfileobj(source, copy)
        (target / place).chmod(member.mode & 0o755 | 0o600)
    else:
        ui.say(f"/out: {member.name}: neither file nor folder: left out")
