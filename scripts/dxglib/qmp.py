# SPDX-License-Identifier: GPL-2.0-or-later
"""QMP: a few blocking requests to QEMU over an inherited socket."""

import json

TIMEOUT_S = 10


class QmpError(Exception):
    """QEMU refused a request, or did not answer."""


class Qmp:
    """One QMP session; events are skipped."""

    def __init__(self, channel):
        self._channel = channel
        channel.settimeout(TIMEOUT_S)
        self._lines = channel.makefile("rb")
        self._read()    # the greeting
        self.request("qmp_capabilities")

    def _read(self):
        try:
            line = self._lines.readline()
        except OSError as error:
            raise QmpError(f"no answer from QEMU: {error}") from None
        if not line:
            raise QmpError("QEMU closed its control channel")
        return json.loads(line)

    def request(self, command, **arguments):
        """Send COMMAND, return its result."""
        message = {"execute": command}
        if arguments:
            message["arguments"] = arguments
        try:
            self._channel.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise QmpError(f"{command}: {error}") from None
        while True:
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise QmpError(f"{command}: {answer['error'].get('desc')}")

    def property(self, path, name):
        """A QOM property's value."""
        return self.request("qom-get", path=path, property=name)
