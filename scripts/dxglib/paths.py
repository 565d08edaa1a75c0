# SPDX-License-Identifier: GPL-2.0-or-later
"""Where things are: the repository and everything generated below build/.

Nothing is written outside build/ but Debian packages installed by apt-get.
"""

from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent
SCRIPTS = REPO / "scripts"
GUEST_FILES = SCRIPTS / "guest"

BUILD = REPO / "build"
APT = BUILD / "apt"
DL = BUILD / "dl"
LOG = BUILD / "log"
STAMP = BUILD / "stamp"
RUNS = BUILD / "runs"
FAILURES = BUILD / "failures"
READY = BUILD / "ready"
LOCK = BUILD / "lock"

TOOLS = BUILD / "tools"
TOOLS_PYTHON = TOOLS / "usr/lib/python3/dist-packages"
MESON = TOOLS / "bin/meson"
BUSYBOX = TOOLS / "bin/busybox"
FIRMWARE = TOOLS / "firmware"

QEMU_SRC = BUILD / "qemu-src"

HOST = BUILD / "host"
GUEST_ROOT = BUILD / "guest/root"

HW = REPO / "hw"
HW_INCLUDE = REPO / "hw/include"
GUEST_DRIVER = REPO / "guest-driver"
GUEST_LIB = REPO / "guest-lib"
TESTS = REPO / "tests"


def kernel(version):
    """Folder of the unpacked kernel VERSION, e.g. "6.1"."""
    return BUILD / "kernel" / version


def modules(version):
    """Folder of our modules built for kernel VERSION."""
    return BUILD / "modules" / version


def initramfs(version):
    """The cached base image of the guest for kernel VERSION."""
    return BUILD / "guest" / f"initramfs-{version}.cpio"
