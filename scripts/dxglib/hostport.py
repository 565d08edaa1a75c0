# SPDX-License-Identifier: GPL-2.0-or-later
"""The side channel: a guest's test asks for what only a host can do.

On the port dxg.host the guest writes a line, the harness answers with one:

    TAG VERB [ARGUMENTS]    ->    TAG ok [VALUE]   or   TAG error TEXT

TAG is a word of the guest's choice: whoever reads an answer can tell that it
is not that of a request whose asker has died.  The verbs (`device` is dxg0):

    get PROPERTY[.MEMBER]   a property of the device; structures as JSON
    set PROPERTY VALUE      likewise, of those whose name begins with inject-
    unplug, plug [PORT]     device_del and device_add with the same properties,
                            behind the port rp0 or another one, rp1..99, that
                            the machine was given; answered when the device has
                            gone, or has come
    aer ERROR               pcie_aer_inject_error: the error's name or number
    migrate                 the machine goes on in another QEMU, live
    snapshot [vm]           it is saved, with `vm` within QEMU; the value of
                            the answer begins with "saved"
    restore                 it is what was saved; the asker of the snapshot
                            gets its answer a second time, with "restored"
    wake MS                 answered at once; from then on a guest that sleeps
                            is woken every MS milliseconds, until the next
                            request comes
    ping                    nothing

migrate, snapshot and restore also tell milliseconds, those of them in which the guest stood,
megabytes, and entries that the device had executed.

The guest is not trusted: a line is bounded, one request is served at a time
and nothing is read meanwhile, and an answer that the guest does not take is
dropped.  Only the device can be reached, and only by what is listed here.
"""

import json
import re
import time

from dxglib import tasks
from dxglib.machine import DEVICE_ID, DEVICE_PATH
from dxglib.moves import MoveError
from dxglib.qmp import QmpError
from dxglib.tasks import TaskTimeout

LINE_MAX = 1024
SETTABLE = ("inject-",)
UNPLUG_LIMIT_S = 60
WAKE_MS = range(20, 10001)
WAKE_LIMIT_S = 60

_PROPERTY = re.compile(r"[a-z][a-z0-9_-]*")
_BUS = re.compile(r"rp[0-9]{1,2}")
_ERROR = re.compile(r"[A-Z_]+|0x[0-9a-f]{1,8}")
_INTEGER = re.compile(r"u?int(8|16|32|64)?|size")


class Refused(Exception):
    """The request cannot be served; the text is the answer."""


class HostPort:
    """Serves the side channel of MACHINE.

    queue  the main loop's tasks.Tasks
    moved  function(task): a task that does this move of `mover` (moves.py)
    send   function(bytes): writes to the guest
    """

    def __init__(self, machine, queue, moved, mover, send):
        self._machine = machine
        self._queue = queue
        self._moved = moved
        self._mover = mover
        self._send = send
        self._tag = None
        self._saved_tag = None
        self._line = b""
        self._skipping = False
        self._serving = False
        self._verbs = {
            "get": self._get, "set": self._set, "unplug": self._unplug,
            "plug": self._plug, "aer": self._aer, "migrate": self._migrate,
            "snapshot": self._snapshot, "restore": self._restore,
            "wake": self._wake, "ping": self._ping,
        }

    def room(self):
        """Bytes that feed() takes now: none while a request is served."""
        return 0 if self._serving else LINE_MAX + 1

    def feed(self, data):
        """DATA came from the guest."""
        self._line += data
        while not self._serving and b"\n" in self._line:
            line, self._line = self._line.split(b"\n", 1)
            if self._skipping:
                self._skipping = False
                continue
            self._begin(line)
        if not self._serving and len(self._line) > LINE_MAX:
            if not self._skipping:
                self._answer("-", f"error a line has more than {LINE_MAX} "
                             "bytes")
            self._skipping = True
            self._line = b""

    def _begin(self, line):
        if len(line) > LINE_MAX:
            self._answer("-", f"error a line has more than {LINE_MAX} bytes")
            return
        words = line.decode("ascii", errors="replace").split(None, 2)
        if len(words) < 2:
            self._answer(words[0] if words else "-",
                         "error a line is TAG VERB [ARGUMENTS]")
            return
        self._serving = True
        self._queue.add(self._serve(*words, *[""] * (3 - len(words))))

    def _serve(self, tag, verb, arguments):
        """The task of one request."""
        self._tag = tag
        try:
            serve = self._verbs.get(verb)
            if serve is None:
                raise Refused(f"no verb {verb!r}; there are: "
                              + ", ".join(self._verbs))
            value = yield from serve(arguments.strip())
            self._answer(self._tag, f"ok {value}" if value else "ok")
        except (Refused, MoveError, QmpError, TaskTimeout) as error:
            self._answer(self._tag, f"error {error}")
        self._serving = False
        # What followed in the same piece.
        self.feed(b"")

    def _answer(self, tag, text):
        line = " ".join(f"{tag} {text}".split())
        self._send(line.encode("ascii", errors="replace") + b"\n")

    def mark(self):
        """What rewind() needs to go on from here."""
        return self._line, self._skipping

    def rewind(self, mark):
        """The guest has gone back to where mark() was called."""
        self._line, self._skipping = mark

    # Verbs: generators, whose result is the value of the answer --------------

    def _ping(self, arguments):
        _none("ping", arguments)
        yield from ()

    def _get(self, arguments):
        name, _, member = arguments.partition(".")
        _check_name(name)
        value = self._machine.qmp.property(DEVICE_PATH, name)
        if member:
            if not isinstance(value, dict) or member not in value:
                raise Refused(f"{name} has no member {member!r}")
            value = value[member]
        yield from ()
        return value if isinstance(value, str) else json.dumps(value)

    def _set(self, arguments):
        name, _, text = arguments.partition(" ")
        _check_name(name)
        if not name.startswith(SETTABLE):
            raise Refused(f"{name} may not be set from here; what begins "
                          f"with {' or '.join(SETTABLE)} may")
        self._machine.qmp.request("qom-set", path=DEVICE_PATH, property=name,
                                  value=_typed(name, self._type(name),
                                               text.strip()))
        yield from ()

    def _type(self, name):
        for entry in self._machine.qmp.request("qom-list", path=DEVICE_PATH):
            if entry["name"] == name:
                return entry["type"]
        raise Refused(f"the device has no property {name!r}")

    def _unplug(self, arguments):
        _none("unplug", arguments)
        qmp = self._machine.qmp
        qmp.request("device_del", id=DEVICE_ID)
        yield from tasks.until(
            lambda: qmp.event("DEVICE_DELETED", device=DEVICE_ID),
            UNPLUG_LIMIT_S, "the guest has not released the device")
        self._machine.plugged = False

    def _plug(self, arguments):
        if not _BUS.fullmatch(arguments or "rp0"):
            raise Refused(f"plug {arguments!r}: a port's name, as rp1")
        if self._machine.plugged:
            raise Refused("the device is plugged in")
        self._machine.plug(arguments or "rp0")
        yield from ()

    def _aer(self, arguments):
        if not _ERROR.fullmatch(arguments):
            raise Refused(f"aer {arguments!r}: an error's name, as "
                          "COMPLETION_TIMEOUT, or number, 0x...")
        said = self._machine.qmp.request(
            "human-monitor-command", **{
                "command-line":
                    f"pcie_aer_inject_error {DEVICE_ID} {arguments}"})
        if not said.startswith("OK"):
            raise Refused(said)
        yield from ()

    def _wake(self, arguments):
        if not arguments.isascii() or not arguments.isdigit() \
                or int(arguments) not in WAKE_MS:
            raise Refused(f"wake {arguments!r}: milliseconds, {WAKE_MS[0]}.."
                          f"{WAKE_MS[-1]}")
        self._queue.add(self._waking(int(arguments) / 1000))
        yield from ()

    def _waking(self, period_s):
        """The task after the answer; the next request waits behind it."""
        limit = time.monotonic() + WAKE_LIMIT_S
        while not self._serving and time.monotonic() < limit:
            try:
                yield from tasks.until(lambda: self._serving, period_s, "")
            except TaskTimeout:
                self._machine.wake()

    def _migrate(self, arguments):
        _none("migrate", arguments)
        return _cost((yield from self._moved(self._mover.migrate())))

    def _snapshot(self, arguments):
        if arguments not in ("", "vm"):
            raise Refused(f"snapshot {arguments!r}: vm or nothing")
        self._saved_tag = self._tag
        move = yield from self._moved(self._mover.savevm() if arguments
                                      else self._mover.save())
        return f"saved {_cost(move)}"

    def _restore(self, arguments):
        _none("restore", arguments)
        move = yield from self._moved(self._mover.back())
        self._tag = self._saved_tag
        return f"restored {_cost(move)}"


def _cost(move):
    return (f"{move.seconds * 1000:.0f} {move.down_s * 1000:.0f} "
            f"{move.megabytes:.1f} {move.executed}")


def _none(verb, arguments):
    if arguments:
        raise Refused(f"{verb} takes no argument, not {arguments!r}")


def _check_name(name):
    if not _PROPERTY.fullmatch(name):
        raise Refused(f"{name!r} is no property's name")


def _typed(name, kind, text):
    """TEXT as a value of the QOM type KIND."""
    try:
        if kind == "bool":
            return {"on": True, "true": True, "1": True,
                    "off": False, "false": False, "0": False}[text]
        if _INTEGER.fullmatch(kind):
            return int(text, 0)
    except (KeyError, ValueError):
        raise Refused(f"{name}: {text!r} is no {kind}") from None
    return text
