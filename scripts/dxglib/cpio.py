# SPDX-License-Identifier: GPL-2.0-or-later
"""A writer of cpio archives (newc), the format of the kernel's initramfs.

The kernel unpacks several archives one after another and later entries win,
so a base archive and a small one per run are simply put together.  Owner is
always root and times are 0: the same input gives the same bytes.
"""

import os
import stat

_MAGIC = "070701"
_TRAILER = "TRAILER!!!"
_FIELD_MAX = 0xFFFFFFFF


class Cpio:
    """Collects entries and gives the archive's bytes.

    Paths are relative to the root ("usr/bin/sh"); missing parent folders are
    made with mode 0755 on the way.
    """

    def __init__(self):
        self._parts = []
        self._made = set()
        self._inode = 0

    def folder(self, path, mode=0o755):
        path = _clean(path)
        if path and path not in self._made:
            self._parents(path)
            self._made.add(path)
            self._entry(path, stat.S_IFDIR | mode)

    def file(self, path, data, mode=0o644):
        path = _clean(path)
        self._parents(path)
        self._entry(path, stat.S_IFREG | mode, data)

    def link(self, path, target):
        path = _clean(path)
        self._parents(path)
        self._entry(path, stat.S_IFLNK | 0o777, os.fsencode(target))

    def device(self, path, major, minor, mode=0o600):
        """A character device."""
        path = _clean(path)
        self._parents(path)
        self._entry(path, stat.S_IFCHR | mode, b"", (major, minor))

    def add(self, path, source):
        """The file of the host SOURCE, its mode kept, links followed."""
        with open(source, "rb") as handle:
            mode = os.fstat(handle.fileno()).st_mode & 0o777
            self.file(path, handle.read(), mode)

    def bytes(self):
        """The whole archive, ended and padded for another to follow."""
        self._entry(_TRAILER, 0)
        data = b"".join(self._parts)
        return data + b"\0" * (-len(data) % 512)

    def _parents(self, path):
        parent = os.path.dirname(path)
        if parent:
            self.folder(parent)

    def _entry(self, path, mode, data=b"", device=(0, 0)):
        if len(data) > _FIELD_MAX:
            raise ValueError(f"{path}: {len(data)} bytes do not fit in a cpio "
                             f"archive (largest: {_FIELD_MAX})")
        self._inode += 1
        name = os.fsencode(path) + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        fields = (self._inode, mode, 0, 0, links, 0, len(data), 0, 0,
                  device[0], device[1], len(name), 0)
        head = _MAGIC + "".join(f"{value:08x}" for value in fields)
        entry = head.encode() + name
        entry += b"\0" * (-len(entry) % 4)
        self._parts += [entry, data, b"\0" * (-len(data) % 4)]


def _clean(path):
    return os.path.normpath("/" + str(path)).lstrip("/")
