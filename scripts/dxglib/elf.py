# SPDX-License-Identifier: GPL-2.0-or-later
"""Shared libraries that a program of the host needs in the guest."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

LIBRARY_FOLDER = "usr/lib/x86_64-linux-gnu"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"

_FOUND = re.compile(r"^\s*(\S+) => (/\S+) \(0x[0-9a-f]+\)$", re.M)
_LOADER = re.compile(r"^\s*(/\S*/ld-linux-x86-64\.so\.2) \(0x", re.M)
_ABSENT = re.compile(r"^\s*(\S+) => not found$", re.M)


class MissingLibrary(Exception):
    """A program needs a library that this host does not have."""


def is_elf(path):
    """Whether the file begins as an ELF file."""
    try:
        with open(path, "rb") as handle:
            return handle.read(4) == b"\x7fELF"
    except OSError:
        return False


def stripped(path):
    """The file's bytes, without debug information when it is ELF.

    Debug information stays in build/ for gdb; in the guest's image it would
    only cost boot time (four fifths of a kernel module).
    """
    if is_elf(path):
        with tempfile.NamedTemporaryFile() as copy:
            done = subprocess.run(
                ["strip", "--strip-debug", "-o", copy.name, str(path)],
                stderr=subprocess.DEVNULL, check=False)
            data = Path(copy.name).read_bytes()
            if done.returncode == 0 and data:
                return data
    return Path(path).read_bytes()


def closure(programs, library_path=()):
    """{path in the guest: path on the host} for all PROGRAMS need.

    library_path: folders to search first (our own staged libraries); what is
    found there is not reported, it is staged already.
    """
    env = dict(os.environ, LC_ALL="C",
               LD_LIBRARY_PATH=":".join(str(path) for path in library_path))
    found = {}
    for program in programs:
        if not is_elf(program):
            continue
        text = subprocess.run(["ldd", str(program)], env=env, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False).stdout
        absent = _ABSENT.findall(text)
        if absent:
            raise MissingLibrary(f"{program} needs {', '.join(absent)}, which "
                                 "this host does not have")
        for loader in _LOADER.findall(text):
            found[LOADER] = loader
        for soname, path in _FOUND.findall(text):
            if not any(path.startswith(f"{own}/") for own in library_path):
                found[f"{LIBRARY_FOLDER}/{soname}"] = path
    return found
