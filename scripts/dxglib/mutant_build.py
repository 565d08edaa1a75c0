# SPDX-License-Identifier: GPL-2.0-or-later
"""Building mutants, in a copy of the sources below build/mutants.

    src     the copy: hw, guest-driver, guest-lib, tests, scripts
    host    meson's build of it: unit tests and the library
    qemu    one emulator, linked from the objects of build/qemu but for those of
            the edited files
    log     what the compilers said

One mutant after the other is put into the same copy, so that only what its
edit concerns is compiled anew.  A file is written when its text changes, and
gets a new time then: neither make nor ninja would notice an old file that comes
back with its old time.  Nothing that people run is ever built here, and nothing
here is built into it.
"""

import contextlib
import fcntl
import json
import os
import shlex
import shutil
from pathlib import Path

from dxglib import modules, overlay, paths, proc, qemu, ui
from dxglib.errors import SetupError

ROOT = paths.BUILD / "mutants"
SRC = ROOT / "src"
HOST = ROOT / "host"
QEMU = ROOT / "qemu"
LOG = ROOT / "log"
COPIED = ("hw", "guest-driver", "guest-lib", "tests", "scripts", "docs/specs")
LIBRARY = "guest-lib/libd3dkmt.so.1.0.0"
LIBRARY_IN_GUEST = "/usr/lib/libd3dkmt.so.1.0.0"


class BuildError(SetupError):
    """A mutant that does not compile says nothing about any test."""


@contextlib.contextmanager
def lock():
    """One `dxg mutants` at a time: there is one copy of the sources."""
    ROOT.mkdir(parents=True, exist_ok=True)
    with open(ROOT / "lock", "w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            ui.say("another dxg mutants runs here: waiting for its end")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def sources(top):
    """{path in the repository: its place} of all that is copied."""
    found = {"meson.build": top / "meson.build"}
    for name in COPIED:
        for folder, folders, files in os.walk(top / name):
            folders[:] = [one for one in folders if one != "__pycache__"]
            for file in files:
                place = Path(folder) / file
                found[str(place.relative_to(top))] = place
    return found


def mirror(texts, top=paths.REPO, copy=None):
    """Bring COPY in line with TOP, but with TEXTS, {path: text}, in it."""
    copy = copy or SRC
    listed = copy.parent / f"{copy.name}.files"
    wanted = sources(top)
    known = set(json.loads(listed.read_text())) if listed.exists() else set()
    for name in known - set(wanted):
        (copy / name).unlink(missing_ok=True)
    for name, place in wanted.items():
        data = (texts[name].encode() if name in texts else place.read_bytes())
        target = copy / name
        if target.is_file() and target.read_bytes() == data:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(place.stat().st_mode & 0o777)
    listed.write_text(json.dumps(sorted(wanted)))


def _run(argv, what, cwd=None):
    """Run a build's command; a BuildError with what it said."""
    ROOT.mkdir(parents=True, exist_ok=True)
    with open(LOG, "wb") as log:
        status = proc.logged(argv, log, cwd=cwd,
                             env=dict(qemu.tools_env(), LC_ALL="C"))
    if status:
        raise BuildError(f"{what}: exit status {status}", ui.tail(LOG, 15))


def host(target):
    """Build TARGET, a path in meson's build of the copy; its place."""
    if not (HOST / "build.ninja").exists():
        shutil.rmtree(HOST, ignore_errors=True)
        # A mutant may leave something unused: a warning says nothing here.
        _run([paths.MESON, "setup", "-Dwerror=false", HOST, SRC],
             "meson setup")
    _run(["ninja", "-j", qemu.JOBS, "-C", HOST, target], f"building {target}")
    return HOST / target


def library():
    """Build the guest's library; its place."""
    return host(LIBRARY)


def driver(version):
    """Build the kernel modules; the folder that has them."""
    tree = SRC / "guest-driver"
    _run(["make", *modules.arguments(version, tree, SRC / "hw/include"),
          "modules"], "building the kernel modules")
    return tree


def device(edited):
    """Link an emulator with the copy's EDITED files in it; its place."""
    built = qemu.PLAIN
    commands = {entry["output"]: shlex.split(entry["command"])
                for entry in json.loads(proc.output(
                    ["ninja", "-C", built.folder, "-t", "compdb", "-x"],
                    env=qemu.tools_env()))}
    link = commands[built.binary.name]
    QEMU.mkdir(parents=True, exist_ok=True)
    overlay.link(QEMU / "qemu-bundle", built.folder / "qemu-bundle")
    for path in edited:
        name = path.removeprefix("hw/").replace("/", "_") + ".o"
        found = [output for output in commands
                 if Path(output).name == f"hw_{name}"]
        if len(found) != 1 or found[0] not in link:
            raise BuildError(f"{path}: QEMU's build has {len(found)} objects "
                             "of it, expected one")
        place = str(QEMU / name)
        source = f"{os.path.relpath(paths.QEMU_SRC, built.folder)}/{path}"
        compile_it = [
            str(SRC / path) if word == source else
            word.replace(found[0], place) for word in commands[found[0]]]
        if str(SRC / path) not in compile_it:
            raise BuildError(f"{path}: QEMU's build names it otherwise",
                             [shlex.join(compile_it)])
        _run(compile_it, f"compiling {path}", built.folder)
        link = [place if word == found[0] else word for word in link]
    binary = QEMU / built.binary.name
    link[link.index("-o") + 1] = str(binary)
    _run(link, "linking QEMU", built.folder)
    return binary
