# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the guest's output goes, and how its end is told.

A virtio-serial port stalls its virtual CPU while nobody reads it, so the main
loop must never wait for a slow reader of our stdout: a thread writes.

The guest's "exit" may overtake output, since each port is a queue of its own
and the kernel does not wait for a write to arrive.  So /init ends each stream
with a random token that this run chose: what precedes it is all there was.
"""

import os
import queue
import threading


class FileSink:
    """Writes to a descriptor of ours in a thread of its own.

    broken is set when the reader is gone.
    """

    def __init__(self, fd):
        self._fd = fd
        self._queue = queue.SimpleQueue()
        self.broken = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, data):
        self._queue.put(data)

    def mark(self):
        """Nothing that was written can be taken back."""

    def rewind(self, mark):
        pass

    def close(self):
        """Wait until all is written."""
        self._queue.put(None)
        self._thread.join()

    def _run(self):
        while (data := self._queue.get()) is not None:
            while data and not self.broken:
                try:
                    data = data[os.write(self._fd, data):]
                except OSError:
                    self.broken = True


class BufferSink:
    """Keeps everything in memory."""

    broken = False

    def __init__(self):
        self._parts = []

    def write(self, data):
        self._parts.append(data)

    def mark(self):
        """A place to rewind() to."""
        return len(self._parts)

    def rewind(self, mark):
        """Forget what was written since."""
        del self._parts[mark:]

    def close(self):
        pass

    def bytes(self):
        return b"".join(self._parts)


class Marked:
    """Passes a stream on to SINK up to the token that ends it.

    Only bytes that may be the token's beginning are held back, so that what
    the guest prints is seen at once.
    """

    def __init__(self, token, sink):
        self._token = token
        self._sink = sink
        self._held = b""
        self.ended = False

    def write(self, data):
        if self.ended:
            return
        data = self._held + data
        at = data.find(self._token)
        if at >= 0:
            self.ended = True
            self._held = b""
            data = data[:at]
        else:
            keep = self._beginning(data)
            self._held = data[len(data) - keep:]
            data = data[:len(data) - keep]
        if data:
            self._sink.write(data)

    def mark(self):
        """A place to rewind() to; as far as the sink can."""
        return self._held, self.ended, self._sink.mark()

    def rewind(self, mark):
        """Go on as then: the guest has gone back to it."""
        self._held, self.ended, place = mark
        self._sink.rewind(place)

    def flush(self):
        """Pass on what is held: the stream was cut before its token."""
        if self._held:
            self._sink.write(self._held)
            self._held = b""

    def _beginning(self, data):
        """Length of DATA's longest end that begins the token."""
        for keep in range(min(len(self._token) - 1, len(data)), 0, -1):
            if data.endswith(self._token[:keep]):
                return keep
        return 0
