# SPDX-License-Identifier: GPL-2.0-or-later
"""Host tools: packages to install, and packages only unpacked to build/tools.

Unpacked, not installed: meson and pycotap of backports (Debian 12's meson is
too old for QEMU 10.0), the guest's firmware and BusyBox.
"""

import shutil
import tempfile
from pathlib import Path

from dxglib import apt, paths, steps

HOST_PACKAGES = (
    "bc", "bison", "clang", "dpkg-dev", "flex", "gcc", "libc6-dev",
    "libclang-rt-14-dev", "libelf1", "libfdt-dev", "libglib2.0-dev",
    "libpci-dev", "libpixman-1-dev", "lz4", "make", "ninja-build", "patch",
    "pciutils", "pkg-config", "python3-venv", "spin", "xz-utils", "zlib1g-dev",
    "zstd",
)
UNPACKED = (*apt.BACKPORTED, "seabios", "qemu-system-data", "busybox-static")
LINT_PACKAGES = ("sparse", "git")
SANITIZE_PACKAGES = ("llvm-14",)    # for llvm-symbolizer
KERNEL_SOURCE = "linux-source-6.1"
# Not below TOOLS: that folder is made anew as a whole.
CHECKPATCH = paths.BUILD / "lint/checkpatch/checkpatch.pl"
CHECKPATCH_FILES = ("checkpatch.pl", "spelling.txt", "const_structs.checkpatch")

# What QEMU asks for on our machines: boot ROMs, and the option ROM for the
# local APIC that it loads by itself.
FIRMWARE = {
    "qboot.rom": "usr/share/qemu/qboot.rom",
    "bios-256k.bin": "usr/share/seabios/bios-256k.bin",
    "kvmvapic.bin": "usr/share/qemu/kvmvapic.bin",
    "linuxboot_dma.bin": "usr/share/qemu/linuxboot_dma.bin",
    "pvh.bin": "usr/share/qemu/pvh.bin",
}

_MESON = """#!/usr/bin/python3
# Made by scripts/dxg: runs the unpacked meson.
import sys
sys.path.insert(0, {path!r})
from mesonbuild.mesonmain import main
sys.exit(main())
"""


def package_inputs():
    return HOST_PACKAGES


def install_packages(context):
    """Install the host packages that are missing."""
    return apt.install(context, HOST_PACKAGES)


def unpack_inputs():
    return ("2", str(paths.TOOLS), *UNPACKED, *FIRMWARE)


def unpack_tools(context):
    """Download and unpack the tools that are not installed."""
    private = apt.Private(context)
    debs = private.download(UNPACKED)
    shutil.rmtree(paths.TOOLS, ignore_errors=True)
    unpacked = paths.TOOLS / "unpacked"
    unpacked.mkdir(parents=True)
    for deb in debs:
        context.note(f"unpack {deb.name}")
        steps.unpack(deb, unpacked)
    paths.TOOLS_PYTHON.parent.mkdir(parents=True)
    (unpacked / "usr/lib/python3/dist-packages").rename(paths.TOOLS_PYTHON)
    paths.FIRMWARE.mkdir()
    for name, source in FIRMWARE.items():
        shutil.copyfile(unpacked / source, paths.FIRMWARE / name)
    paths.MESON.parent.mkdir()
    paths.MESON.write_text(_MESON.format(path=str(paths.TOOLS_PYTHON)))
    paths.MESON.chmod(0o755)
    shutil.copy2(unpacked / "bin/busybox", paths.BUSYBOX)
    shutil.rmtree(unpacked)
    return ", ".join(f"{deb.name.split('_')[0]} {deb.name.split('_')[1]}"
                     for deb in debs[:1])


def sanitize_inputs():
    return SANITIZE_PACKAGES


def install_sanitize_packages(context):
    """Install what makes a sanitizer's report readable."""
    return apt.install(context, SANITIZE_PACKAGES)


def lint_inputs():
    return ("1", KERNEL_SOURCE, *LINT_PACKAGES, *CHECKPATCH_FILES)


def get_lint_tools(context):
    """Install sparse; take checkpatch out of the kernel's source package."""
    apt.install(context, LINT_PACKAGES)
    names = [f"{KERNEL_SOURCE}/scripts/{name}" for name in CHECKPATCH_FILES]
    return kernel_source(context, CHECKPATCH.parent,
                         ["--strip-components=2", *names],
                         "taking checkpatch out of the kernel's source")


def kernel_source(context, target, words, what):
    """Unpack Debian's kernel source, or a part of it, to the folder TARGET.

    words: more of tar's, which choose.  Returns the package's version.
    """
    deb, = apt.Private(context).download([KERNEL_SOURCE])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.BUILD) as folder:
        steps.unpack(deb, folder)
        source, = Path(folder).glob("usr/src/linux-source-*.tar.xz")
        context.command(["tar", "-C", target, "-xJf", source, *words], what)
    return deb.name.split("_")[1]
