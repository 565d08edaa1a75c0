# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the guest's output goes.

A virtio-serial port stalls its virtual CPU while nobody reads it, so the main
loop must never wait for a slow reader of our stdout: a thread writes.
"""

import os
import queue
import threading


class FileSink:
    """Writes to a descriptor of ours in a thread of its own.

    count is the bytes taken so far; broken is set when the reader is gone.
    """

    def __init__(self, fd):
        self._fd = fd
        self._queue = queue.SimpleQueue()
        self.broken = False
        self.count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, data):
        self.count += len(data)
        self._queue.put(data)

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
        self.count = 0
        self._parts = []

    def write(self, data):
        self.count += len(data)
        self._parts.append(data)

    def close(self):
        pass

    def bytes(self):
        return b"".join(self._parts)
