# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's root file system: a cached base, and a small part per run.

    base     BusyBox, /init, users, staged programs and their libraries, the
             kernel's virtio modules, our modules
    per run  /dxg/*: the command and its settings; --copy and --module files

Both are cpio archives; QEMU gets them one after the other in one file.  The
whole lives in RAM: no disk, no file-system driver, nothing left behind.
"""

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from dxglib import elf, modules, paths, proc
from dxglib.cpio import Cpio
from dxglib.errors import SetupError, UsageError

LSPCI = Path("/usr/bin/lspci")
MODULE_FOLDER = "lib/modules/dxg"

PASSWD = ("root:x:0:0:root:/root:/bin/sh\n"
          "nobody:x:65534:65534:nobody:/:/bin/sh\n")
GROUP = "root:x:0:\nnogroup:x:65534:\n"

# Debian's merged /usr, so that paths of the host's programs hold.
USR_LINKS = ("bin", "sbin", "lib", "lib64")
FOLDERS = {"proc": 0o755, "sys": 0o755, "dev": 0o755, "run": 0o755,
           "root": 0o700, "tmp": 0o1777, "out": 0o1777, "dxg": 0o755}


def inputs(version):
    stamps = [paths.STAMP / name for name in (
        "tools", f"kernel-{version}", f"modules-{version}", "host-build")]
    return ("2", *stamps, paths.GUEST_FILES, LSPCI, *modules.BASE)


def pack(context, version):
    """Write the base archive; the note tells its size."""
    archive = Cpio()
    for path, mode in FOLDERS.items():
        archive.folder(path, mode)
    for name in USR_LINKS:
        archive.folder(f"usr/{name}")
        archive.link(name, f"usr/{name}")
    archive.device("dev/console", 5, 1)
    archive.file("etc/passwd", PASSWD.encode())
    archive.file("etc/group", GROUP.encode())
    archive.add("init", paths.GUEST_FILES / "init")
    archive.add("usr/bin/dxg-host", paths.GUEST_FILES / "dxg-host")
    _busybox(archive)
    programs = [_wake(context, archive), *_staged(archive)]
    if LSPCI.exists():
        archive.add("usr/bin/lspci", LSPCI)
        programs.append(LSPCI)
    try:
        libraries = elf.closure(programs, [paths.GUEST_ROOT / "usr/lib"])
    except elf.MissingLibrary as error:
        raise SetupError(str(error)) from None
    for path, source in sorted(libraries.items()):
        archive.add(path, source)
    order = []
    for module in modules.base_modules(version):
        archive.add(f"{MODULE_FOLDER}/{module.name}", module)
        order.append(module.name)
    archive.file(f"{MODULE_FOLDER}/order", ("\n".join(order) + "\n").encode())
    for name, module in modules.built(version).items():
        archive.file(f"{MODULE_FOLDER}/{name}.ko", elf.stripped(module))
    image = paths.initramfs(version)
    image.parent.mkdir(parents=True, exist_ok=True)
    partial = image.with_suffix(".partial")
    data = archive.bytes()
    partial.write_bytes(data)
    partial.rename(image)
    return f"{len(data) / 1e6:.1f} MB"


def _wake(context, archive):
    """Add dxg-wake; returns the program."""
    program = paths.BUILD / "guest/dxg-wake"
    program.parent.mkdir(parents=True, exist_ok=True)
    context.command(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o",
                     program, paths.GUEST_FILES / "wake.c"],
                    "compiling wake.c")
    archive.file("usr/bin/dxg-wake", elf.stripped(program), 0o755)
    return program


def _busybox(archive):
    archive.add("usr/bin/busybox", paths.BUSYBOX)
    for path in proc.output([paths.BUSYBOX, "--list-full"]).split():
        where = path if path.startswith("usr/") else f"usr/{path}"
        if os.path.basename(where) != "busybox":
            archive.link(where, "/usr/bin/busybox")


def _staged(archive):
    """Add meson's staged files; returns those that may need libraries."""
    programs = []
    for top, folders, files in os.walk(paths.GUEST_ROOT):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(top, name)
            place = os.path.relpath(path, paths.GUEST_ROOT)
            if os.path.islink(path):
                archive.link(place, os.readlink(path))
            else:
                archive.file(place, elf.stripped(path),
                             os.stat(path).st_mode & 0o777)
                programs.append(path)
    return programs


@dataclass
class RunPart:
    """What one run adds to the base.

    argv     command and arguments in the guest; None for a shell
    copies   [(path on the host, absolute path in the guest)]
    inserts  modules of the user to insert last, in order: [(path on the
             host, "PARAMETER=VALUE ...")]
    drivers  our modules to insert: "NAME" or "NAME PARAMETER=VALUE ..."
    settings values for /dxg/settings, read by /init as shell variables
    replaced modules of ours in the place of the base's, {name: path}
    environment  the command's, beside what /init gives every command
    """

    argv: list | None
    copies: list = field(default_factory=list)
    inserts: list = field(default_factory=list)
    drivers: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    replaced: dict = field(default_factory=dict)
    environment: dict = field(default_factory=dict)

    def bytes(self):
        archive = Cpio()
        if self.argv is not None:
            archive.file("dxg/command",
                         f"exec {shlex.join(self.argv)}\n".encode())
        archive.file("dxg/settings", "".join(
            f"{key}={shlex.quote(str(value))}\n"
            for key, value in self.settings.items()).encode() + "".join(
            f"export {key}={shlex.quote(str(value))}\n"
            for key, value in self.environment.items()).encode())
        archive.file("dxg/drivers", "".join(
            f"/{MODULE_FOLDER}/{name}.ko {parameters}\n" for name, _, parameters
            in (driver.partition(" ") for driver in self.drivers)).encode())
        for name, module in self.replaced.items():
            archive.file(f"{MODULE_FOLDER}/{name}.ko", elf.stripped(module))
        lines = []
        for module, parameters in self.inserts:
            place = f"/dxg/modules/{module.name}"
            lines.append(f"{place} {parameters}\n")
            _user_file(archive, place, module, "--module")
        archive.file("dxg/inserts", "".join(lines).encode())
        for source, place in self.copies:
            _user_file(archive, place, source, "--copy")
        own = [paths.GUEST_ROOT / "usr/lib"]
        try:
            libraries = elf.closure([source for source, _ in self.copies],
                                    own)
        except elf.MissingLibrary as error:
            raise UsageError(f"--copy: {error}") from None
        for path, source in sorted(libraries.items()):
            archive.add(path, source)
        return archive.bytes()


def _user_file(archive, place, source, option):
    try:
        archive.add(place, source)
    except OSError as error:
        raise UsageError(f"{option} {source}: {error.strerror}") from None
