# SPDX-License-Identifier: GPL-2.0-or-later
"""QMP: QEMU's control, over an inherited socket.

Requests are short and block.  Events come whenever they like: the main loop
calls take() when the socket is readable, and event() hands out what has come.
"""

import collections
import contextlib
import itertools
import json
import selectors
import socket
import time

from dxglib import proc

TIMEOUT_S = 60 * proc.SLOW
CHUNK = 65536
EVENTS_KEPT = 1000


class QmpError(Exception):
    """QEMU refused a request, or did not answer."""


class Qmp:
    """One QMP session on CHANNEL, which does not block.

    QEMU need not have started yet: its greeting is skipped when it comes.
    closed is set when QEMU is gone.
    """

    def __init__(self, channel):
        self._channel = channel
        self._buffer = b""
        self._numbers = itertools.count()
        self._answers = {}
        self._events = collections.deque(maxlen=EVENTS_KEPT)
        self.closed = False
        # From here on there are events.  Should QEMU have died already, the
        # next request tells.
        with contextlib.suppress(QmpError):
            self._send("qmp_capabilities", {"execute": "qmp_capabilities"})

    def take(self):
        """Read what there is."""
        while not self.closed:
            try:
                data = self._channel.recv(CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.closed = True
                return
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            for line in lines:
                self._sort(json.loads(line))

    def _sort(self, message):
        if "event" in message:
            self._events.append(message)
        elif "id" in message:
            self._answers[message["id"]] = message

    def event(self, name, **data):
        """Take out the oldest event of this name and data; None: not yet."""
        for event in self._events:
            if event["event"] == name and \
                    data.items() <= event.get("data", {}).items():
                self._events.remove(event)
                return event
        return None

    def request(self, command, **arguments):
        """Send COMMAND, return its result."""
        return self._request(command, arguments)

    def request_with_fd(self, command, fd, **arguments):
        """The same, and QEMU gets a copy of the descriptor FD."""
        return self._request(command, arguments, [fd])

    def _request(self, command, arguments, fds=()):
        number = next(self._numbers)
        message = {"execute": command, "id": number}
        if arguments:
            message["arguments"] = arguments
        self._send(command, message, fds)
        answer = self._answer(command, number)
        if "error" in answer:
            raise QmpError(f"{command}: {answer['error'].get('desc')}")
        return answer["return"]

    def _send(self, command, message, fds=()):
        # Little is outstanding, so the socket has room for all of it.
        data = json.dumps(message).encode() + b"\n"
        try:
            sent = socket.send_fds(self._channel, [data], fds)
        except OSError as error:
            raise QmpError(f"{command}: {error}") from None
        if sent != len(data):
            raise QmpError(f"{command}: QEMU does not read its control "
                           "channel")

    def _answer(self, command, number):
        limit = time.monotonic() + TIMEOUT_S
        with selectors.PollSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            while True:
                self.take()
                if number in self._answers:
                    return self._answers.pop(number)
                if self.closed:
                    raise QmpError(f"{command}: QEMU closed its control "
                                   "channel")
                left = limit - time.monotonic()
                if left <= 0:
                    raise QmpError(f"{command}: no answer from QEMU in "
                                   f"{TIMEOUT_S} s")
                selector.select(left)

    def property(self, path, name):
        """A QOM property's value."""
        return self.request("qom-get", path=path, property=name)
